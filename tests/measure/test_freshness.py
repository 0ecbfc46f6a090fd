"""Freshness: how many facts there are, and how old the newest is."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from cartwheel.lake.tables import TABLES
from cartwheel.measure.freshness import TableState, table_states
from tests.contract.tiny_lake import TinyLake


def states(lake: TinyLake, on: date | None = None, cutoff: str | None = None):  # type: ignore[no-untyped-def]
    lake.write()
    return {s.table: s for s in table_states(lake.shop, on=on, cutoff_at=cutoff)}


@pytest.fixture
def lake(tmp_path: Path) -> TinyLake:
    made = TinyLake(tmp_path, timezone="Asia/Tokyo")
    made.sale("a", "v", "2026-01-10 12:00:00")
    made.sale("b", "v", "2026-01-30 20:00:00")  # the 31st in Tokyo
    made.add("products", product_id="p", title="P")  # carries no date
    return made


def test_every_table_is_named_also_the_empty_ones(lake: TinyLake) -> None:
    found = states(lake)
    assert list(found) == [table.name for table in TABLES]
    assert found["reviews"] == TableState(
        table="reviews", rows=0, newest=None, age_days=None
    )


def test_a_table_that_an_older_lake_lacks_is_empty(lake: TinyLake) -> None:
    lake.write()
    with lake.shop.lake.transaction("test", "as it was") as con:
        con.execute("DROP TABLE lake.fix_effects")
    found = {one.table: one for one in table_states(lake.shop)}
    assert found["fix_effects"].rows == 0
    assert found["orders"].rows == 2


def test_newest_day_is_in_the_shops_time_zone(lake: TinyLake) -> None:
    orders = states(lake)["orders"]
    assert (orders.rows, orders.newest, orders.age_days) == (2, "2026-01-31", 0)


def test_facts_without_a_date_count_but_have_no_age(lake: TinyLake) -> None:
    products = states(lake)["products"]
    assert (products.rows, products.newest, products.age_days) == (1, None, None)
    assert not products.stale


def test_cut_off_hides_what_was_known_later(lake: TinyLake) -> None:
    orders = states(lake, on=date(2026, 1, 12), cutoff="2026-01-30 20:00:00")["orders"]
    assert (orders.rows, orders.newest, orders.age_days) == (1, "2026-01-10", 2)


@pytest.mark.parametrize(("day", "stale"), [(3, False), (4, True)])
def test_table_that_should_grow_daily_goes_stale(
    lake: TinyLake, day: int, stale: bool
) -> None:
    found = states(lake, on=date(2026, 2, day))
    assert found["orders"].stale is stale


def test_table_that_changes_when_it_changes_never_goes_stale(lake: TinyLake) -> None:
    lake.add(
        "reviews",
        review_id="r",
        product_id="p",
        rating=5,
        created_at="2025-01-01 00:00:00",
    )
    reviews = states(lake)["reviews"]
    assert reviews.age_days == 395
    assert not reviews.stale
