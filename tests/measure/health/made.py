"""A small healthy shop made by hand: every record agrees with every other."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import duckdb

from cartwheel.lake.tables import BOOKKEEPING, SQL_TYPES, TABLE_BY_NAME, TABLES
from cartwheel.measure.health.data import Carried, HealthData, Made, Ran, gather

END = datetime(2026, 6, 1)
DAYS = 126
HELD = frozenset({"C1", "C12", "C13"})
SINCE = END - timedelta(days=28)
"""First instant of the recent days."""

Row = dict[str, Any]


def empty() -> duckdb.DuckDBPyConnection:
    con = duckdb.connect(config={"threads": "1"})
    for table in TABLES:
        columns = ", ".join(
            f'"{c.name}" {SQL_TYPES[c.type]}' for c in (*table.columns, *BOOKKEEPING)
        )
        con.execute(f"CREATE TABLE {table.name} ({columns})")
    return con


def fill(con: duckdb.DuckDBPyConnection, name: str, rows: Iterable[Row]) -> None:
    """Insert rows; each is known since what dates its table."""
    import pyarrow as pa

    table = TABLE_BY_NAME[name]
    dated = table.dated_by
    listed = [
        {
            **row,
            "known_at": row[dated] if dated else datetime(1970, 1, 1),
            "imported_at": END,
            "batch": "b",
            "content_hash": str(i),
        }
        for i, row in enumerate(rows)
    ]
    if not listed:
        return
    con.register("given", pa.Table.from_pylist(listed))
    con.execute(f"INSERT INTO {name} BY NAME SELECT * FROM given")
    con.unregister("given")


def make_shop(days: int = DAYS, daily: int = 4) -> duckdb.DuckDBPyConnection:
    """Return a shop with `daily` orders on each of the last `days` days."""
    con = empty()
    rows: dict[str, list[Row]] = {table.name: [] for table in TABLES}
    start = END - timedelta(days=days)
    stock = dict.fromkeys(range(8), 1_000)
    for v in stock:
        at = start - timedelta(days=1)
        rows["prices"].append(
            {"variant_id": f"V{v}", "valid_from_at": at, "price_minor": 1_000 + v}
        )
        rows["costs"].append(
            {"variant_id": f"V{v}", "valid_from_at": at, "cost_minor": 400}
        )
        rows["inventory_levels"].append(_count(v, at, stock[v]))
    number = 0
    for day in range(days):
        zero = start + timedelta(days=day)
        for i in range(daily):
            number += 1
            v = number % 8
            stock[v] -= 1
            _sell(rows, number, v, zero + timedelta(hours=9 + i, minutes=day % 50))
            rows["inventory_levels"].append(
                _count(v, zero + timedelta(hours=23, minutes=i), stock[v])
            )
        if day % 7 == 0:
            _restock(rows, day, zero, stock)
            _mail(rows, day, zero)
    for name, each in rows.items():
        fill(con, name, each)
    return con


def _count(v: int, at: datetime, units: int) -> Row:
    return {
        "variant_id": f"V{v}",
        "location_id": "L",
        "counted_at": at,
        "available_units": units,
    }


def _sell(rows: dict[str, list[Row]], n: int, v: int, at: datetime) -> None:
    order, who, device = f"O{n:05d}", f"C{n % 40}", f"d{n % 60}"
    seen = {"visitor_id": device, "product_id": f"P{v}", "customer_id": who}
    steps = ("exposure", "click", "view", "add_to_cart", "checkout")
    for k, kind in enumerate(steps):
        slot = {"decision_id": f"A{n}", "placement": "home"} if k < 2 else {}
        rows["events"].append(
            {
                "event_id": f"e{n}-{k}",
                "kind": kind,
                "occurred_at": at + timedelta(seconds=k),
                **seen,
                **slot,
            }
        )
    rows["answers"].append(
        {
            "decision_id": f"A{n}",
            "answered_at": at,
            "lever": "recommend",
            "customer_id": who,
            "arm": "holdout" if who in HELD else "treated",
            "slate": "[]",
        }
    )
    delivered = at + timedelta(days=3)
    rows["orders"].append(
        {
            "order_id": order,
            "customer_id": who,
            "placed_at": at,
            "updated_at": at,
            "status": "fulfilled",
            "channel": "web" if n % 3 else "market",
            "delivered_at": delivered,
        }
    )
    rows["order_lines"].append(
        {
            "order_id": order,
            "line_id": "1",
            "placed_at": at,
            "customer_id": who,
            "kind": "product",
            "product_id": f"P{v}",
            "variant_id": f"V{v}",
            "quantity_units": 1,
            "unit_price_minor": 1_000 + v,
        }
    )
    back = at + timedelta(days=6)
    if n % 5 == 0 and back + timedelta(days=1) < END:
        shared = {
            "line_id": "1",
            "order_id": order,
            "customer_id": who,
            "product_id": f"P{v}",
            "variant_id": f"V{v}",
            "quantity_units": 1,
        }
        rows["returns"].append({"return_id": f"R{n}", "returned_at": back, **shared})
        rows["refunds"].append(
            {
                "refund_id": f"R{n}",
                "refunded_at": back + timedelta(days=1),
                "amount_minor": 1_000 + v,
                **shared,
            }
        )


def _restock(
    rows: dict[str, list[Row]], day: int, zero: datetime, stock: dict[int, int]
) -> None:
    """Receive for every variant, from two suppliers, what was ordered a week before."""
    ordered = zero - timedelta(days=7, minutes=day % 40)
    for v in stock:
        stock[v] += 10
        supplier = f"S{1 + v % 2}"
        rows["purchase_orders"].append(
            {
                "purchase_order_id": f"PO{day}-{supplier}",
                "variant_id": f"V{v}",
                "supplier_id": supplier,
                "ordered_at": ordered,
                "ordered_units": 10,
            }
        )
        rows["receipts"].append(
            {
                "receipt_id": f"G{day}",
                "purchase_order_id": f"PO{day}-{supplier}",
                "variant_id": f"V{v}",
                "received_at": zero + timedelta(hours=5),
                "received_units": 10,
            }
        )
        rows["inventory_levels"].append(
            _count(v, zero + timedelta(hours=6, seconds=v), stock[v])
        )


def _mail(rows: dict[str, list[Row]], day: int, zero: datetime) -> None:
    for c in range(40):
        rows["messages"].append(
            {
                "message_id": f"M{day}-{c}",
                "customer_id": f"C{c}",
                "direction": "out",
                "sent_at": zero + timedelta(hours=8),
                "campaign_id": f"news-{day}",
            }
        )


def decisions(days: int = DAYS) -> list[Made]:
    """Return a mail a week to ten customers, as the ledger holds them."""
    start = END - timedelta(days=days)
    return [
        Made(
            id=f"{day // 7}-{c}",
            lever="lifecycle",
            kind="winback",
            subject=f"customer:C{c}",
            state="applied",
            at=start + timedelta(days=day),
            turn=day // 7,
            worth_minor=100,
            message=True,
            metric="margin_minor",
            predicted=100.0 + c,
        )
        for day in range(0, days, 7)
        for c in range(2, 12)
    ]


def look(con: duckdb.DuckDBPyConnection, **changed: Any) -> HealthData:
    """Return what the checks look at in a shop that has turned weekly."""
    given: dict[str, Any] = {
        "decisions": decisions(),
        "runs": [Ran(lever="forecast", state="healthy", before=("healthy",) * 3)],
        "links": [Carried(name="stock→recommend", cut=False, rows=9)],
        "held_out": HELD,
        **changed,
    }
    return gather(con, schema="main", end=END, seed=1, **given)


def with_state(made: list[Made], state: str, *, recent: bool = False) -> list[Made]:
    """Return decisions in another state; only those of the recent days if asked."""
    return [
        replace(one, state=state) if one.at >= SINCE or not recent else one
        for one in made
    ]
