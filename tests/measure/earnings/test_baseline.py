"""A frozen baseline: by hand, never changed, and shown only beside a holdout."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from scipy.stats import t
from sqlalchemy import select

from cartwheel.measure.earnings.baseline import (
    daily_figures,
    freeze,
    new_baselines,
    read_baselines,
)
from cartwheel.measure.earnings.figures import WHEEL
from cartwheel.measure.earnings.ledger import earnings
from cartwheel.measure.earnings.units import Facts
from cartwheel.operations import baselines
from cartwheel.shop import Shop
from tests.measure.earnings.made import ON, TURNED, add_facts, sales, shop_with
from tests.measure.earnings.test_ledger import acted


def traded(folder: Path, days: int) -> Shop:
    """Return a shop that sold for 10 and 30 in turn, every day up to the turn's."""
    rows = [
        (None, TURNED - timedelta(days=i), 1_000 if i % 2 else 3_000)
        for i in range(days)
    ]
    return shop_with(folder, sales(rows))


def freeze_now(shop: Shop, *levers: str, turn: int = 1) -> None:
    rows = new_baselines(shop, turn, TURNED, levers)
    with shop.database.begin() as con:
        freeze(con, rows)


def test_the_days_before_by_hand(tmp_path: Path) -> None:
    shop = traded(tmp_path / "s", 80)
    freeze_now(shop, "price")
    day, figures = read_baselines(shop.database)["price"]
    assert day == TURNED
    assert set(figures) == {"revenue_minor", "margin_minor", "orders", "units"}
    half = t.ppf(0.975, 55) * 1_000 * (56 / 55) ** 0.5 / 56**0.5
    revenue = figures["revenue_minor"]
    assert revenue.value == 2_000
    assert (revenue.low, revenue.high) == pytest.approx((2_000 - half, 2_000 + half))
    assert figures["orders"].value == figures["orders"].low == 1


def test_once_frozen_it_never_changes(tmp_path: Path) -> None:
    shop = traded(tmp_path / "s", 60)
    freeze_now(shop, "price")

    def rows() -> list[tuple[object, ...]]:
        with shop.database.connect() as con:
            return [tuple(x) for x in con.execute(select(baselines))]

    before = rows()
    late = [(None, TURNED - timedelta(days=3), 900_000)]
    stale = new_baselines(shop, 9, TURNED, ["recommend"])
    add_facts(shop, sales(late, first=5_000))
    freeze_now(shop, "price", turn=2)
    with shop.database.begin() as con:  # a step that runs again with rows of its own
        freeze(con, [{**stale[0], "lever": "price", "figures": "{}"}])
    assert rows() == before
    assert new_baselines(shop, 3, TURNED, ["price"]) == []


def test_a_young_shop_has_days_of_trade_only(tmp_path: Path) -> None:
    shop = traded(tmp_path / "s", 20)
    with shop.lake.attached(read_only=True) as con:
        facts = Facts(con=con, schema="lake", timezone="UTC")
        assert daily_figures(facts, TURNED, 56)["revenue_minor"].value == 2_000
        early = TURNED - timedelta(days=10)
        assert daily_figures(facts, early, 56) == {}, "ten days say nothing"


def test_before_and_now_stand_only_beside_a_holdouts_figure(tmp_path: Path) -> None:
    shop = acted(tmp_path / "s")
    history = [(None, TURNED - timedelta(days=i), 2_000) for i in range(60)]
    add_facts(shop, sales(history, first=9_000))
    freeze_now(shop, "lifecycle")
    found = earnings(shop, ON)
    wheel, lever = found.entry(WHEEL), found.entry("lifecycle")
    assert wheel.money is not None
    assert [pair.name for pair in wheel.before_after] == [
        *("revenue_minor", "margin_minor", "orders", "units")
    ]
    assert wheel.before_after[0].before.value == 2_000
    assert lever.money is None
    assert lever.before_after == ()
