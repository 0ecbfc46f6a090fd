"""Outcomes: measured once, when due, from what was known on the turn's day."""

from __future__ import annotations

import json
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from cartwheel.levers.base import Decision, Prediction
from cartwheel.measure.outcomes import record_outcomes
from cartwheel.operations import decisions, turns
from cartwheel.turn.steps import TurnRow, read_turn
from tests.contract.tiny_lake import TinyLake

FIRST = "2026-01-31"
ZONE = "Europe/Berlin"


@pytest.fixture
def lake(tmp_path: Path) -> TinyLake:
    return TinyLake(tmp_path, timezone=ZONE)


def add_turn(
    lake: TinyLake, number: int, as_of: str, state: str = "published"
) -> TurnRow:
    settings = lake.shop.settings.model_dump_json()
    with lake.shop.database.begin() as con:
        con.execute(
            turns.insert().values(
                number=number,
                as_of=as_of,
                state=state,
                seed=1,
                settings=settings,
                started_at="2026-06-01T00:00:00.000000Z",
            )
        )
    return read_turn(lake.shop, number)


def add_decision(
    lake: TinyLake,
    subject: str,
    metric: str,
    *,
    name: str = "d1",
    turn: int = 1,
    state: str = "proposed",
    action: dict[str, Any] | None = None,
) -> None:
    decision = Decision(
        kind="kind",
        subject=subject,
        action=action or {},
        reason="Because.",
        predicted=Prediction(metric=metric, value=2, low=1, high=3),
    )
    with lake.shop.database.begin() as con:
        con.execute(
            decisions.insert().values(
                id=name,
                turn=turn,
                position=0,
                lever="forecast",
                kind="kind",
                subject=subject,
                state=state,
                body=decision.canonical(),
                action=json.dumps(dict(decision.action)),
                model="m",
            )
        )


def outcomes(lake: TinyLake) -> list[dict[str, Any]]:
    with lake.shop.lake.attached(read_only=True) as con:
        found = con.execute("SELECT * FROM lake.outcomes ORDER BY ALL").to_arrow_table()
    rows: list[dict[str, Any]] = found.to_pylist()
    return rows


def measured(lake: TinyLake, as_of: str) -> list[dict[str, Any]]:
    lake.write()
    row = add_turn(lake, 2, as_of, state="running")
    assert record_outcomes(lake.shop, row) == len(outcomes(lake))
    return outcomes(lake)


def test_units_are_those_sold_after_the_day_until_the_horizon(lake: TinyLake) -> None:
    # The last instant of the turn's day in the shop's zone, and of the 28th after it.
    lake.sale("before", "v", "2026-01-31 22:59:59", units=1)
    lake.sale("first", "v", "2026-01-31 23:00:00", units=10)
    lake.sale("last", "v", "2026-02-28 22:59:59", units=100)
    lake.sale("after", "v", "2026-02-28 23:00:00", units=1000)
    lake.sale("other", "w", "2026-02-10 12:00:00", units=5)
    add_turn(lake, 1, FIRST)
    add_decision(lake, "variant:v", "units_28d")
    (row,) = measured(lake, "2026-03-05")
    assert row["actual"] == 110
    assert (row["predicted"], row["low"], row["high"]) == (2, 1, 3)
    assert (row["decision_id"], row["metric"], row["subject"]) == (
        *("d1", "units_28d", "variant:v"),
    )


def test_outcome_is_known_since_the_turn_that_measured_it(lake: TinyLake) -> None:
    lake.sale("o", "v", "2026-02-10 12:00:00")
    add_turn(lake, 1, FIRST)
    add_decision(lake, "variant:v", "units_28d")
    (row,) = measured(lake, "2026-03-05")
    assert row["measured_at"] == datetime(2026, 2, 28, 22, 59, 59, 999999)
    assert row["known_at"] == datetime(2026, 3, 5, 22, 59, 59, 999999)
    assert lake.rows("outcomes", "2026-03-04") == []
    (seen,) = lake.rows("outcomes", "2026-03-05")
    assert seen["measured_on"] == date(2026, 2, 28)


def test_variant_that_did_not_sell_has_an_outcome_of_zero(lake: TinyLake) -> None:
    lake.sale("o", "w", "2026-02-10 12:00:00")
    add_turn(lake, 1, FIRST)
    add_decision(lake, "variant:v", "units_28d")
    (row,) = measured(lake, "2026-03-05")
    assert row["actual"] == 0


@pytest.mark.parametrize(("as_of", "count"), [("2026-02-27", 0), ("2026-02-28", 1)])
def test_outcome_is_due_when_its_horizon_has_passed(
    lake: TinyLake, as_of: str, count: int
) -> None:
    lake.sale("o", "v", "2026-02-10 12:00:00")
    add_turn(lake, 1, FIRST)
    add_decision(lake, "variant:v", "units_28d")
    assert len(measured(lake, as_of)) == count


def test_measuring_again_adds_nothing(lake: TinyLake) -> None:
    lake.sale("o", "v", "2026-02-10 12:00:00")
    add_turn(lake, 1, FIRST)
    add_decision(lake, "variant:v", "units_28d")
    before = measured(lake, "2026-03-05")
    assert record_outcomes(lake.shop, read_turn(lake.shop, 2)) == 0
    assert record_outcomes(lake.shop, add_turn(lake, 3, "2026-04-01", "running")) == 0
    assert outcomes(lake) == before


@pytest.mark.parametrize("state", ["refused", "rejected", "reverted"])
def test_what_never_happened_as_predicted_is_not_measured(
    lake: TinyLake, state: str
) -> None:
    lake.sale("o", "v", "2026-02-10 12:00:00")
    add_turn(lake, 1, FIRST)
    add_decision(lake, "variant:v", "units_28d", state=state)
    assert measured(lake, "2026-03-05") == []


@pytest.mark.parametrize("state", ["rolled_back", "failed"])
def test_turn_out_of_force_is_not_measured(lake: TinyLake, state: str) -> None:
    lake.sale("o", "v", "2026-02-10 12:00:00")
    add_turn(lake, 1, FIRST, state)
    add_decision(lake, "variant:v", "units_28d")
    assert measured(lake, "2026-03-05") == []


def test_metric_nobody_measures_is_left_alone(lake: TinyLake) -> None:
    lake.sale("o", "v", "2026-02-10 12:00:00")
    add_turn(lake, 1, FIRST)
    add_decision(lake, "variant:v", "margin_minor")
    assert measured(lake, "2026-06-01") == []


# --- orders of a customer


def test_order_days_are_counted_and_cancelled_orders_are_not(lake: TinyLake) -> None:
    lake.sale("a", "v", "2026-02-10 12:00:00", customer="c")
    lake.sale("b", "v", "2026-02-10 18:00:00", customer="c")  # the same day
    lake.sale("d", "v", "2026-03-10 12:00:00", customer="c")
    lake.sale("e", "v", "2026-03-20 12:00:00", customer="c", status="cancelled")
    lake.sale("f", "v", "2026-03-21 12:00:00", customer="someone else")
    add_turn(lake, 1, FIRST)
    add_decision(lake, "customer:c", "orders_90d")
    (row,) = measured(lake, "2026-05-01")
    assert row["actual"] == 2


@pytest.mark.parametrize(("as_of", "actual"), [("2026-05-01", 1), ("2026-05-20", 0)])
@pytest.mark.parametrize("metric", ["orders_90d", "buys_30d_share"])
def test_cancellation_counts_from_the_day_it_is_known(
    lake: TinyLake, as_of: str, actual: int, metric: str
) -> None:
    lake.sale("a", "v", "2026-02-10 12:00:00", customer="c", product="p")
    lake.add(
        "orders",
        known_at="2026-05-10 12:00:00",
        order_id="a",
        customer_id="c",
        placed_at="2026-02-10 12:00:00",
        status="cancelled",
    )
    add_turn(lake, 1, FIRST)
    add_decision(lake, "customer:c", metric, action={"products": ["p"]})
    (row,) = measured(lake, as_of)
    assert row["actual"] == actual


def test_order_known_later_than_the_turns_day_is_unseen(lake: TinyLake) -> None:
    lake.add(
        "orders",
        known_at="2026-06-01 00:00:00",
        order_id="a",
        customer_id="c",
        placed_at="2026-02-10 12:00:00",
        status="paid",
    )
    add_turn(lake, 1, FIRST)
    add_decision(lake, "customer:c", "orders_90d")
    (row,) = measured(lake, "2026-05-20")
    assert row["actual"] == 0


# --- slates


@pytest.mark.parametrize(
    ("product", "at", "actual"),
    [
        ("p2", "2026-02-10 12:00:00", 1),
        ("p3", "2026-02-10 12:00:00", 0),  # not in the slate
        ("p2", "2026-01-20 12:00:00", 0),  # before it was shown
        ("p2", "2026-03-05 12:00:00", 0),  # after the 30 days
    ],
)
def test_slate_is_bought_from_or_not(
    lake: TinyLake, product: str, at: str, actual: int
) -> None:
    lake.sale("a", "v", at, customer="c", product=product)
    lake.sale("b", "v", "2026-02-10 12:00:00", customer="another", product="p1")
    add_turn(lake, 1, FIRST)
    add_decision(
        lake, "customer:c", "buys_30d_share", action={"products": ["p1", "p2"]}
    )
    (row,) = measured(lake, "2026-03-10")
    assert row["actual"] == actual
