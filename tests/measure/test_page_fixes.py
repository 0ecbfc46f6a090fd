"""What page fixes brought: products with a fix against those held out."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import duckdb
import numpy as np
import pytest

from cartwheel.lake.tables import BOOKKEEPING, SQL_TYPES, TABLES
from cartwheel.measure.page_fixes import (
    ENOUGH_FOR_BEFORE,
    LEAST_PRODUCTS,
    METRICS,
    Scorecard,
    score_fixes,
)

START = datetime(2025, 6, 1)
BEFORE, UNTIL = START - timedelta(days=100), START + timedelta(days=60)
KNOWN = UNTIL + timedelta(days=30)


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        for table in TABLES:
            columns = ", ".join(
                f'"{c.name}" {SQL_TYPES[c.type]}'
                for c in (*table.columns, *BOOKKEEPING)
            )
            opened.execute(f"CREATE TABLE {table.name} ({columns})")
        yield opened


def add(con: duckdb.DuckDBPyConnection, table: str, rows: list[dict[str, Any]]) -> None:
    if not rows:
        return
    names = list(rows[0])
    marks = ", ".join("?" for _ in names)
    con.executemany(
        f"INSERT INTO {table} ({', '.join(names)}) VALUES ({marks})",
        [[row[name] for name in names] for row in rows],
    )


def trade(
    con: duckdb.DuckDBPyConnection,
    rates: dict[str, float],
    *,
    at: datetime = START + timedelta(days=1),
    sold: int = 40,
    views: int = 100,
    contacts: int = 2,
    mark: str = "a",
) -> None:
    """Sell each product so often, and let a share of it come back."""
    orders, lines, back, seen, asked = [], [], [], [], []
    stamp = {"known_at": at, "imported_at": at, "batch": "b", "content_hash": "h"}
    for product, rate in rates.items():
        for n in range(sold):
            order = f"{mark}-{product}-{n}"
            orders.append(
                {"order_id": order, "placed_at": at, "status": "paid", **stamp}
            )
            lines.append(
                {
                    "order_id": order,
                    "line_id": "1",
                    "placed_at": at,
                    "kind": "product",
                    "product_id": product,
                    "variant_id": product,
                    "quantity_units": 1,
                    "unit_price_minor": 1000,
                    **stamp,
                }
            )
            if n < round(rate * sold):
                back.append(
                    {
                        "return_id": order,
                        "line_id": "1",
                        "order_id": order,
                        "product_id": product,
                        "returned_at": at + timedelta(days=9),
                        "quantity_units": 1,
                        **{**stamp, "known_at": at + timedelta(days=9)},
                    }
                )
            if n < contacts:
                asked.append(
                    {
                        "message_id": f"m-{order}",
                        "direction": "in",
                        "sent_at": at,
                        "order_id": order,
                        **stamp,
                    }
                )
        seen += [
            {
                "event_id": f"{mark}-{product}-{n}",
                "kind": "view",
                "occurred_at": at,
                "product_id": product,
                **stamp,
            }
            for n in range(views)
        ]
    for table, rows in (
        ("orders", orders),
        ("order_lines", lines),
        ("returns", back),
        ("events", seen),
        ("messages", asked),
    ):
        add(con, table, rows)


def score(con: duckdb.DuckDBPyConnection, assigned: dict[str, bool]) -> Scorecard:
    return score_fixes(
        con,
        assigned,
        schema="main",
        before=BEFORE,
        start=START,
        until=UNTIL,
        known=KNOWN,
    )


def halves(count: int) -> dict[str, bool]:
    return {f"P{n:02d}": n % 2 == 0 for n in range(count)}


def test_fewer_returns_are_told_and_the_rest_is_level(
    con: duckdb.DuckDBPyConnection,
) -> None:
    assigned = halves(16)
    rng = np.random.default_rng(1)
    trade(
        con,
        {
            name: float(rng.uniform(0.05, 0.15) if fixed else rng.uniform(0.3, 0.5))
            for name, fixed in assigned.items()
        },
    )
    # Answers to surveys are no contacts.
    con.execute(
        "INSERT INTO messages SELECT * REPLACE ('nps-' || message_id AS message_id, "
        "'NPS' AS medium) FROM messages WHERE order_id LIKE 'a-P00-%'"
    )
    card = score(con, assigned)
    assert (card.fixed, card.held_out) == (8, 8)
    assert [one.metric for one in card.scores] == [one.name for one in METRICS]
    returns = card.scores[0].found
    assert returns is not None
    assert returns.method == "jackknife"
    assert returns.control_value == pytest.approx(0.4, abs=0.06)
    assert -0.4 < returns.low < returns.effect < returns.high < -0.2
    assert card.scores[0].p_value is not None
    assert card.scores[0].p_value >= returns.p_value
    # Every product was looked at, asked about and sold alike.
    looked, asked = card.scores[1].found, card.scores[2]
    assert looked is not None
    assert looked.effect == 0
    assert looked.low < 0 < looked.high
    assert "the same" in asked.lacks
    revenue = card.to_json()["scores"][3]
    assert revenue["found"] is None or revenue["found"]["high"] >= 0


def test_many_products_use_the_time_before(con: duckdb.DuckDBPyConnection) -> None:
    assigned = halves(ENOUGH_FOR_BEFORE)
    rng = np.random.default_rng(2)
    usual = {name: float(rng.uniform(0.1, 0.5)) for name in assigned}
    trade(con, usual, at=START - timedelta(days=40), mark="before")
    now = {
        name: usual[name] * (0.5 if fixed else 1) for name, fixed in assigned.items()
    }
    trade(con, now)
    found = score(con, assigned).scores[0].found
    assert found is not None
    assert found.method == "ratio+cuped"
    assert found.reduction > 0.3
    assert found.high < 0


def test_what_is_sold_or_known_outside_the_window_does_not_count(
    con: duckdb.DuckDBPyConnection,
) -> None:
    assigned = halves(12)
    trade(con, dict.fromkeys(assigned, 0.25), at=UNTIL + timedelta(days=1), mark="late")
    card = score(con, assigned)
    assert all(one.found is None for one in card.scores)


def test_too_few_products_are_told(con: duckdb.DuckDBPyConnection) -> None:
    assigned = halves(2 * LEAST_PRODUCTS - 1)
    trade(con, dict.fromkeys(assigned, 0.25))
    card = score(con, assigned)
    assert all("are needed" in one.lacks for one in card.scores)
    assert score(con, {}).scores[0].found is None


def test_intervals_hold_a_known_truth(con: duckdb.DuckDBPyConnection) -> None:
    """Products drawn at random, no fix does anything: some 95 of 100 hold zero."""
    rng = np.random.default_rng(3)
    rates = {f"P{n:02d}": float(r) for n, r in enumerate(rng.beta(2, 5, 24))}
    trade(con, rates, sold=20, views=5, contacts=0)
    held = 0
    for _ in range(60):
        order = rng.permutation(sorted(rates))
        found = score(con, {str(n): at < 8 for at, n in enumerate(order[:16])})
        told = found.scores[0].found
        assert told is not None
        held += told.low <= 0 <= told.high
    assert held >= 52


def test_mail_counts_by_the_order_of_its_sender(con: duckdb.DuckDBPyConnection) -> None:
    """A shop whose inbox knows addresses alone sees the same contacts per order."""
    assigned = halves(16)
    for at, (name, fixed) in enumerate(assigned.items()):
        trade(con, {name: 0.2}, contacts=(3 if fixed else 9) + at % 4)
    con.execute("UPDATE orders SET customer_id = 'of-' || order_id")
    named = score(con, assigned).scores[2].found
    con.execute(
        "INSERT INTO customers (customer_id, email, known_at, imported_at, batch, "
        "content_hash) SELECT customer_id, order_id || '@example.org', known_at, "
        "imported_at, batch, content_hash FROM orders"
    )
    con.execute(
        "UPDATE messages SET address = upper(order_id) || '@example.org', "
        "order_id = NULL"
    )
    found = score(con, assigned).scores[2].found
    assert named is not None
    assert found is not None
    assert found.control_value > 2 * found.arm_value > 0
    assert (found.control_value, found.arm_value, found.low, found.high) == (
        named.control_value,
        named.arm_value,
        named.low,
        named.high,
    )
