"""A shop made by hand: twelve products seen alike, one of which drops shoppers."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import duckdb
import pyarrow as pa

from cartwheel.measure.journey.data import SIGNALS, Fix, JourneyData, gather
from tests.measure.health.made import empty, fill

END = datetime(2026, 6, 1)
ON = date(2026, 5, 31)
DAYS = 126
RECENT = 28
PRODUCTS = tuple(f"P{i:02d}" for i in range(12))
DROPPER = "P03"
CATEGORY = "Home > Lamps"
CART, CHECKOUT, BROKEN = 30, 50, 4
"""Percent of visits that put a product into the cart, of these that check out, and
that put the dropper into the cart in the recent days."""

Row = dict[str, Any]


def percent(name: str) -> int:
    """Return a number from 0 to 99 that a name always draws."""
    return zlib.crc32(name.encode()) % 100


def event(number: int | str, kind: str, at: datetime, **more: Any) -> Row:
    return {
        "event_id": f"e{number}",
        "kind": kind,
        "occurred_at": at,
        "visitor_id": "d1",
        **more,
    }


def made_rows(
    *, dropper: str | None = DROPPER, visits: int = 12, days: int = DAYS
) -> dict[str, list[Row]]:
    """Return events and orders: each product is seen by some visits on every day.

    Args:
        dropper: Product whose page drops shoppers in the recent days, None for none.
        visits: Visits a day that see a product.
        days: Days before the end.
    """
    rows: dict[str, list[Row]] = {"events": [], "orders": [], "order_lines": []}
    for ago in range(days):
        day = END - timedelta(days=ago + 1)
        for place, product in enumerate(PRODUCTS):
            for i in range(visits):
                name = f"{ago}-{product}-{i}"
                at = day + timedelta(hours=8, minutes=40 * i % 600, seconds=place)
                carts = BROKEN if product == dropper and ago < RECENT else CART
                _visit(rows, name, product, at, carts)
    return rows


def _visit(
    rows: dict[str, list[Row]], name: str, product: str, at: datetime, carts: int
) -> None:
    who = {"visitor_id": f"d{name}", "customer_id": f"C{name}"}
    seen = {**who, "product_id": product}
    steps: list[tuple[str, Row]] = [
        ("search", {**who, "query": " Lamp  red", "result_count": 4}),
        ("view", seen),
    ]
    if percent(f"cart-{name}") < carts:
        steps.append(("add_to_cart", seen))
        if percent(f"buy-{name}") < CHECKOUT:
            steps.append(("checkout", who))
            _order(rows, name, product, at)
    for k, (kind, more) in enumerate(steps):
        rows["events"].append(
            event(f"{name}-{k}", kind, at + timedelta(seconds=k), **more)
        )


def _order(rows: dict[str, list[Row]], name: str, product: str, at: datetime) -> None:
    placed = at + timedelta(seconds=10)
    rows["orders"].append(
        {
            "order_id": f"O{name}",
            "customer_id": f"C{name}",
            "placed_at": placed,
            "updated_at": placed,
            "status": "fulfilled",
            "delivered_at": placed + timedelta(days=9 if product == DROPPER else 3),
        }
    )
    rows["order_lines"].append(
        {
            "order_id": f"O{name}",
            "line_id": "1",
            "placed_at": placed,
            "kind": "product",
            "product_id": product,
            "variant_id": f"V-{product}",
            "quantity_units": 1,
            "unit_price_minor": 5_000,
        }
    )


def lake_of(rows: Mapping[str, Iterable[Row]]) -> duckdb.DuckDBPyConnection:
    """Return a connection with all fact tables, filled from rows."""
    con = empty()
    for name, each in rows.items():
        listed = list(each)
        columns = sorted({column for row in listed for column in row})
        fill(con, name, [{c: row.get(c) for c in columns} for row in listed])
    return con


def events_lake(events: Sequence[Row]) -> duckdb.DuckDBPyConnection:
    return lake_of({"events": events})


def table(name: str, rows: Sequence[Row]) -> pa.Table:
    """Return a signal with neutral values where a row gives none."""
    signal = next(one for one in SIGNALS if one.name == name)
    full = [{**signal.neutral, **row} for row in rows]
    types = {
        "text": pa.string(),
        "int": pa.int64(),
        "float": pa.float64(),
        "bool": pa.bool_(),
        "date": pa.date32(),
    }
    columns = [*signal.keys, *signal.fields]
    return pa.table(
        {c.name: pa.array([r[c.name] for r in full], types[c.type]) for c in columns}
    )


def signals() -> dict[str, pa.Table]:
    """Return what the shop knows: the dropper was sold out, and customers say so."""
    out = [ON - timedelta(days=i) for i in (*range(10), 28, 29)]
    return {
        "catalogue": table(
            "catalogue", [{"variant_id": f"V-{p}", "product_id": p} for p in PRODUCTS]
        ),
        "listing": table(
            "listing",
            [
                {
                    "product_id": p,
                    "title": f"Lamp {p}",
                    "category": CATEGORY if p == DROPPER else "Home > Other",
                }
                for p in PRODUCTS
            ],
        ),
        "margin": table(
            "margin",
            [
                {"variant_id": f"V-{p}", "cost_minor": 3_000, "return_cost_minor": 0}
                for p in PRODUCTS
            ],
        ),
        "demand": table(
            "demand",
            [
                {"variant_id": f"V-{DROPPER}", "day": day, "stocked_out": True}
                for day in out
            ],
        ),
        "intent": table(
            "intent",
            [
                {"product_id": DROPPER, "day": day, "views": 12, "failed_carts": 2}
                for day in [ON - timedelta(days=i) for i in range(28)]
            ],
        ),
        "weak_searches": table(
            "weak_searches",
            [
                {
                    "query": "lamp <b>xl</b>",
                    "searches": 40,
                    "without_result": 31,
                    "category": CATEGORY,
                }
            ],
        ),
        "objections": table(
            "objections",
            [
                {
                    "product_id": DROPPER,
                    "objection": "size_fit",
                    "mentions": 9,
                    "texts": 21,
                    "recent": 4,
                    "quotes": "Too small for me.\nIt was tiny.",
                }
            ],
        ),
        "feedback": table(
            "feedback",
            [
                {
                    "source": "message",
                    "feedback_id": f"m{i}",
                    "product_id": DROPPER,
                    "day": ON - timedelta(days=9 * i),
                }
                for i in range(5)
            ],
        ),
    }


def look(con: duckdb.DuckDBPyConnection, **changed: Any) -> JourneyData:
    given: dict[str, Any] = {
        "signals": signals(),
        "fixes": [Fix(decision="2-abc", product=DROPPER, state="proposed")],
        **changed,
    }
    return gather(con, schema="main", on=ON, end=END, seed=1, **given)
