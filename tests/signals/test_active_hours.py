"""At which hours of the day customers are active."""

from __future__ import annotations

import pytest

from tests.contract.tiny_lake import TinyLake

ON = "2026-07-20"


def _seen(lake: TinyLake, number: int, at: str, customer: str | None = "a") -> None:
    lake.add(
        "events",
        event_id=f"e{number}",
        kind="view",
        occurred_at=at,
        visitor_id="w",
        customer_id=customer,
    )


def _found(lake: TinyLake, on: str = ON) -> dict[tuple[str, int], int]:
    rows = lake.rows("active_hours", on)
    return {(row["customer_id"], row["hour"]): row["days"] for row in rows}


def test_hours_are_those_of_the_shops_clock(berlin: TinyLake) -> None:
    _seen(berlin, 1, "2026-01-10 18:30")  # winter: an hour ahead
    _seen(berlin, 2, "2026-07-10 18:30")  # summer: two
    berlin.sale("o", "v", "2026-07-11 22:10", customer="b")  # past midnight there
    assert _found(berlin) == {("a", 19): 1, ("a", 20): 1, ("b", 0): 1}


def test_an_hour_counts_once_a_day(lake: TinyLake) -> None:
    for number in range(5):
        _seen(lake, number, f"2026-07-10 18:{10 + number}")
    lake.sale("o1", "v", "2026-07-10 18:40", customer="a")
    lake.sale("o2", "v", "2026-07-11 18:00", customer="a")
    _seen(lake, 9, "2026-07-10 18:30", customer=None)
    assert _found(lake) == {("a", 18): 2}


def test_a_day_without_an_hour_is_no_habit(berlin: TinyLake) -> None:
    berlin.sale("o1", "v", "2026-07-10 22:00:00", customer="a")  # 0:00 in Berlin
    berlin.sale("o2", "v", "2026-07-11 22:00:01", customer="b")
    _seen(berlin, 1, "2026-07-12 22:00:00", customer="c")  # events have an instant
    assert _found(berlin) == {("b", 0): 1, ("c", 0): 1}


def test_a_year_is_looked_back_and_nothing_ahead(lake: TinyLake) -> None:
    _seen(lake, 1, "2025-07-20 10:00")
    _seen(lake, 2, "2025-07-21 11:00")
    _seen(lake, 3, "2026-07-20 12:00")
    _seen(lake, 4, "2026-07-21 00:00")
    lake.sale("o", "v", "2026-07-19 13:00", customer="a", status="cancelled")
    assert _found(lake) == {("a", 11): 1, ("a", 12): 1}


@pytest.mark.parametrize("again", [False, True])
def test_who_objects_has_no_hours(lake: TinyLake, again: bool) -> None:
    _seen(lake, 1, "2026-07-10 18:30")
    lake.sale("o", "v", "2026-07-11 19:00", customer="a")
    _seen(lake, 2, "2026-07-10 18:30", customer="b")
    said = {"customer_id": "a", "purpose": "personalisation"}
    lake.add("consents", **said, changed_at="2026-07-12 10:00", granted=False)
    if again:
        lake.add("consents", **said, changed_at="2026-07-13 10:00", granted=True)
    assert {who for who, _ in _found(lake)} == ({"a", "b"} if again else {"b"})
    # The objection was not known then.
    assert {who for who, _ in _found(lake, "2026-07-11")} == {"a", "b"}
