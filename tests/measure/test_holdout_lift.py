"""What reaching people earned: by hand, against Welch's own test, and not yet."""

from __future__ import annotations

from datetime import date, datetime
from itertools import chain
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.stats import ttest_ind

from cartwheel.connectors.intake import append_harvest
from cartwheel.lake.tables import BOOKKEEPING, SQL_TYPES, TABLE_BY_NAME
from cartwheel.measure.assign import holdout_mask, in_holdout
from cartwheel.measure.holdout_lift import compare, holdout_lift, lift_of
from cartwheel.shop import Shop, make_shop
from cartwheel.simulator.sample import harvest

SINCE, UNTIL = date(2026, 3, 1), date(2026, 3, 31)
HELD = [n for n in (f"C{i}" for i in range(60)) if in_holdout(n, 0.2, "wheel")]
FREE = [n for n in (f"C{i}" for i in range(60)) if not in_holdout(n, 0.2, "wheel")]
groups = st.lists(st.integers(-9_999, 9_999), min_size=3, max_size=30)


def at(day: int, month: int = 3, hour: int = 12) -> datetime:
    return datetime(2026, month, day, hour)


def shop_with(folder: Path, **tables: list[dict[str, Any]]) -> Shop:
    shop = make_shop(folder, currency="EUR", sections={"holdout": {"share_bps": 2_000}})
    people = [{"customer_id": n, "created_at": at(1, 2)} for n in (*HELD, *FREE)]
    facts = {"customers": people, **tables}
    made = {name: pa.Table.from_pylist(rows) for name, rows in facts.items() if rows}
    report = append_harvest(shop, harvest(made), "test", Path("t"), at(1, 6))
    assert report.rows_rejected == 0
    return shop


def sale(number: int, who: str | None, price: int, **more: Any) -> list[dict[str, Any]]:
    """Return an order and its one line, with the keys of both."""
    made = {
        "order_id": f"O{number}",
        "customer_id": who,
        "placed_at": at(10),
        "updated_at": at(10),
        "status": "paid",
        "currency": "EUR",
        "line_id": "1",
        "kind": "product",
        "product_id": "P1",
        "variant_id": "P1",
        "quantity_units": 1,
        "unit_price_minor": price,
        "discount_minor": 0,
    }
    return [{**made, **more}]


ORDER = ("order_id", "customer_id", "placed_at", "updated_at", "status", "currency")
LINE = (
    *("order_id", "line_id", "placed_at", "customer_id", "kind", "product_id"),
    *("variant_id", "quantity_units", "unit_price_minor", "discount_minor"),
)


def tables_of(sales: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    return {
        "orders": [{k: s[k] for k in ORDER} for s in sales],
        "order_lines": [{k: s[k] for k in LINE} for s in sales],
    }


def cost(variant: str, minor: int) -> dict[str, Any]:
    return {
        "variant_id": variant,
        "valid_from_at": at(1, 1),
        "cost_minor": minor,
    }


@given(groups)
def test_with_groups_of_equal_size_the_interval_is_students(one: list[int]) -> None:
    reached = np.array(one, float)
    held = np.roll(reached, 1) * 2 - 7
    assume(reached.var() > 0)
    lift = compare(reached, held, basis="margin")
    between = ttest_ind(reached, held).confidence_interval(0.95)
    assert (lift.low, lift.high) == pytest.approx((between.low, between.high), abs=1e-6)
    assert lift.value == pytest.approx(reached.mean() - held.mean())
    assert lift.low is not None
    assert lift.high is not None
    assert lift.holds_zero == (lift.low <= 0 <= lift.high)


def test_what_customers_earned_before_narrows_the_interval() -> None:
    rng = np.random.default_rng(4)
    before = rng.lognormal(7, 1, 600)
    values = before * rng.lognormal(0, 0.3, 600)
    held = np.arange(600) < 60
    plain = compare(values[~held], values[held], basis="margin")
    known = compare(
        values[~held],
        values[held],
        basis="margin",
        before=(before[~held], before[held]),
    )
    assert plain.low is not None
    assert plain.high is not None
    assert known.low is not None
    assert known.high is not None
    assert known.high - known.low < 0.5 * (plain.high - plain.low)


@given(groups, groups, st.integers(-99_999, 99_999))
def test_what_everybody_earns_more_is_not_seen(
    one: list[int], other: list[int], more: int
) -> None:
    reached, held = np.array(one, float), np.array(other, float)
    plain = compare(reached, held, basis="margin")
    moved = compare(reached + more, held + more, basis="margin")
    assert (plain.value is None) == (moved.value is None)
    if plain.value is not None:
        assert moved.value == pytest.approx(plain.value, abs=1e-6)


def test_too_few_or_equal_customers_say_not_yet():
    few = compare(np.array([1.0]), np.array([1.0, 2.0]), basis="margin")
    assert (few.value, few.holds_zero, few.reached) == (None, True, 1)
    assert "2 customers or more" in few.not_yet
    same = compare(np.zeros(5), np.zeros(4), basis="revenue")
    assert same.value is None
    assert same.not_yet


def test_margin_by_hand(tmp_path: Path):
    sales = [
        # 1,000 less 100 off less cost 300.
        *sale(1, FREE[0], 1_000, discount_minor=100),
        # Two units, one of them back: 2,000 - 600, refund 1,000, its cost 300 back,
        # and 80 lost with the return.
        *sale(2, FREE[1], 1_000, quantity_units=2),
        # Cancelled, long before the window, after it, of a guest: nothing.
        *sale(3, FREE[2], 9_000, status="cancelled"),
        *sale(4, FREE[2], 9_000, placed_at=at(10, 1), updated_at=at(10, 1)),
        *sale(5, FREE[2], 9_000, placed_at=at(1, 4), updated_at=at(1, 4)),
        *sale(6, None, 9_000),
        *sale(7, HELD[0], 1_000),
    ]
    back = {
        "line_id": "1",
        "order_id": "O2",
        "product_id": "P1",
        "variant_id": "P1",
        "quantity_units": 1,
    }
    shop = shop_with(
        tmp_path / "shop",
        **tables_of(sales),
        costs=[cost("P1", 300)],
        returns=[
            {**back, "return_id": "R", "returned_at": at(20), "cost_minor": 80},
        ],
        refunds=[
            {**back, "refund_id": "R", "refunded_at": at(21), "amount_minor": 1_000},
        ],
    )
    lift = holdout_lift(shop, since=SINCE, until=UNTIL)
    earned = (1_000 - 100 - 300) + (2_000 - 600 - 1_000 + 300 - 80)
    assert lift.basis == "margin"
    assert (lift.reached, lift.held_out) == (len(FREE), len(HELD))
    assert lift.value == pytest.approx(earned / len(FREE) - 700 / len(HELD))


def test_a_return_counts_once_it_is_known(tmp_path: Path):
    refund = {
        "refund_id": "R",
        "line_id": "1",
        "order_id": "O1",
        "refunded_at": at(5, 4),
        "amount_minor": 1_000,
    }
    sold = [*sale(1, FREE[0], 1_000), *sale(2, HELD[0], 10)]
    shop = shop_with(
        tmp_path / "shop", **tables_of(sold), costs=[cost("P1", 0)], refunds=[refund]
    )
    now = holdout_lift(shop, since=SINCE, until=UNTIL)
    later = holdout_lift(shop, since=SINCE, until=date(2026, 4, 10))
    assert now.value == pytest.approx(1_000 / len(FREE) - 10 / len(HELD))
    assert later.value == pytest.approx(0 - 10 / len(HELD))


def test_a_line_without_a_cost_costs_what_the_others_do(tmp_path: Path):
    sold = [
        *sale(1, FREE[0], 1_000),
        *sale(2, HELD[0], 500, variant_id="P2", product_id="P2"),
    ]
    shop = shop_with(tmp_path / "shop", **tables_of(sold), costs=[cost("P1", 400)])
    lift = holdout_lift(shop, since=SINCE, until=UNTIL)
    assert lift.basis == "margin"
    assert lift.value == pytest.approx(600 / len(FREE) - 0.6 * 500 / len(HELD))


def test_revenue_is_compared_where_too_few_costs_are_known(tmp_path: Path):
    sold = [
        *sale(1, FREE[0], 400),
        *sale(2, HELD[0], 600, variant_id="P2", product_id="P2"),
    ]
    shop = shop_with(tmp_path / "shop", **tables_of(sold), costs=[cost("P1", 100)])
    lift = holdout_lift(shop, since=SINCE, until=UNTIL)
    assert lift.basis == "revenue"
    assert lift.value == pytest.approx(400 / len(FREE) - 600 / len(HELD))


def test_only_customers_known_before_are_compared(tmp_path: Path):
    by_order = sale(1, "guest-once", 500, placed_at=at(3, 2), updated_at=at(3, 2))
    shop = shop_with(
        tmp_path / "shop",
        **tables_of([*by_order, *sale(2, "late", 90_000)]),
        costs=[cost("P1", 100)],
    )
    # The customer of an order is known by it; who came later is left out.
    lift = holdout_lift(shop, since=SINCE, until=UNTIL)
    assert lift.reached + lift.held_out == len(FREE) + len(HELD) + 1
    assert lift.value is None, "nobody compared bought anything"


def test_an_empty_shop_says_not_yet(tmp_path: Path):
    shop = make_shop(tmp_path / "shop", currency="EUR")
    lift = holdout_lift(shop, since=SINCE, until=UNTIL)
    assert (lift.value, lift.reached, lift.held_out) == (None, 0, 0)
    assert lift.not_yet.startswith("Not yet")


PEOPLE, GAIN = [f"C{i:04d}" for i in range(400)], 700


def facts_of(salt: str) -> duckdb.DuckDBPyConnection:
    """Return facts in which reaching earns `GAIN` a customer, in a schema `made`.

    Everybody buys for an amount of their own; who is reached pays `GAIN` more.
    """
    con = duckdb.connect(config={"threads": "1"})
    con.execute("CREATE SCHEMA made")
    for name in ("customers", "orders", "order_lines", "costs", "refunds", "returns"):
        table = TABLE_BY_NAME[name]
        columns = ", ".join(
            f'"{c.name}" {SQL_TYPES[c.type]}' for c in (*table.columns, *BOOKKEEPING)
        )
        con.execute(f"CREATE TABLE made.{name} ({columns})")
    held = holdout_mask(PEOPLE, 0.25, salt)
    amounts = np.random.default_rng(7).gamma(1.0, 4_000, len(PEOPLE)).astype(int)
    sales = [
        *chain.from_iterable(
            sale(i, who, int(amount) + (0 if left else GAIN))
            for i, (who, amount, left) in enumerate(
                zip(PEOPLE, amounts, held, strict=True)
            )
        )
    ]
    people = [{"customer_id": n, "created_at": at(1, 2)} for n in PEOPLE]
    rows = {"customers": people, **tables_of(sales), "costs": [cost("P1", 0)]}
    for name, own in rows.items():
        made = [{**row, "known_at": at(1, 2, 1), "content_hash": ""} for row in own]
        con.register("fresh", pa.Table.from_pylist(made))
        con.execute(f"INSERT INTO made.{name} BY NAME SELECT * FROM fresh")
    return con


def test_over_many_draws_of_the_holdout_the_estimate_is_right_on_average():
    found = []
    for number in range(60):
        con = facts_of(f"salt {number}")
        one = lift_of(
            con,
            schema="made",
            share=0.25,
            salt=f"salt {number}",
            timezone="UTC",
            since=SINCE,
            until=UNTIL,
        )
        con.close()
        assert one.value is not None
        assert one.low is not None
        assert one.high is not None
        found.append((one.value, one.low <= GAIN <= one.high))
    values = np.array([value for value, _ in found])
    error = values.std(ddof=1) / np.sqrt(len(values))
    assert abs(values.mean() - GAIN) < 3 * error
    assert error < GAIN / 4, "the test could not see a bias"
    # Of 60 intervals at 95 %, chance leaves fewer than 51 right once in 3,000.
    assert sum(held for _, held in found) >= 51
