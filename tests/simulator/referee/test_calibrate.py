"""Calibration: what is counted, and that the ranges are not bent."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cartwheel.errors import Misuse
from cartwheel.simulator.arms.base import Actions, Page, ShopView
from cartwheel.simulator.arms.plain import Plain
from cartwheel.simulator.referee import calibrate as module
from cartwheel.simulator.referee.calibrate import GOALS, VERTICALS, calibrate, measure
from cartwheel.simulator.world.spec import WORLDS, Size
from cartwheel.simulator.world.world import World
from tests.simulator.world.made import make_spec

TINY = Size(products=30, customers=500, warmup_days=6, days=20)


@pytest.fixture(scope="module")
def figures() -> dict[str, float]:
    return measure(make_spec(), TINY, 1)


def test_every_target_is_measured(figures: dict[str, float]) -> None:
    assert list(figures) == list(GOALS)
    assert all(math.isfinite(value) for value in figures.values()), figures


def test_rates_agree_with_the_books_after_the_warm_up(
    figures: dict[str, float],
) -> None:
    world, policy = World(make_spec(), TINY, 1), Plain()
    while not world.over:
        world.play_day(policy)
    # The books tell the same story, so the twins changed nothing in their world.
    total = {k: v[TINY.warmup_days :].sum() for k, v in world.books.counts.items()}
    assert figures["conversion"] == pytest.approx(total["orders"] / total["visits"])
    assert figures["returns"] == pytest.approx(total["returned_units"] / total["units"])
    assert figures["late"] == pytest.approx(total["late_orders"] / total["orders"])
    assert figures["contacts"] == pytest.approx(total["contacts"] / total["orders"])
    assert figures["reviews"] == pytest.approx(total["reviews"] / total["orders"])
    profit = world.books.profit()[TINY.warmup_days :].sum()
    revenue = world.books.parts["revenue"][TINY.warmup_days :].sum()
    assert figures["margin"] == pytest.approx(profit / revenue)
    assert (1 - figures["abandonment"]) * figures["add_to_cart"] == pytest.approx(
        figures["conversion"]
    )


def test_dearer_goods_are_wanted_less_and_more_so_when_people_mind() -> None:
    mind, shrug = (
        measure(
            make_spec(people={"price_mean": weight, "price_sd": 0.1, "tier_sd": 0.0}),
            TINY,
            2,
        )["elasticity"]
        for weight in (3.0, 0.2)
    )
    assert mind < -2.0
    assert mind < shrug - 1.0


def test_the_twin_policy_raises_half_of_the_prices_once() -> None:
    world = World(make_spec(), TINY, 1)
    dearer = np.arange(TINY.products) % 2 == 0
    before = world.state.price_minor.copy()
    world.play_day(module._Dearer(Plain(), dearer))
    raised = world.state.price_minor / before
    goods = world.state.goods
    launched = goods.launched[goods.product_of] == 0
    hit = dearer[goods.product_of] & launched
    assert raised[hit] == pytest.approx(module.DEARER, abs=0.01)
    assert (raised[~hit] == 1).all()


class Nothing(Plain):
    """Orders nothing and so runs out."""

    def morning(self, shop: ShopView) -> Actions:
        return Actions()

    def slates(self, pages: Sequence[Page]) -> list[list[str]]:
        return [[] for _ in pages]


def test_a_shop_that_never_reorders_runs_out_and_loses_sales(
    monkeypatch: pytest.MonkeyPatch, figures: dict[str, float]
) -> None:
    monkeypatch.setattr(module, "Plain", Nothing)
    empty = measure(make_spec(supply={"first_weeks": 0.5}), TINY, 1)
    assert empty["stock_outs"] > figures["stock_outs"]
    assert empty["lost_sales"] > figures["lost_sales"]
    assert math.isnan(empty["supplier_fill"])


def test_substitutes_count_within_one_wish_only() -> None:
    world = World(make_spec(), TINY, 1)
    log = world.play_day(Plain())
    adds = log.sales.adds
    # Visit 0: failed, then a substitute. Visit 1: failed, had something else later.
    # Visit 2: had what it wanted. Visit 3: failed.
    rows = {
        "visit": [0, 0, 1, 1, 2, 3],
        "variant": [1, 2, 3, 4, 5, 6],
        "units": [1] * 6,
        "second": [100, 105, 200, 260, 300, 400],
        "failed": [True, False, True, False, False, True],
    }
    made = type(adds)(
        **{k: np.array(v, bool if k == "failed" else np.int64) for k, v in rows.items()}
    )
    from dataclasses import replace

    tally = module._Tally()
    tally._wishes(replace(log, sales=replace(log.sales, adds=made)))
    assert tally.sums == {"wishes": 4, "failed": 3, "replaced": 1, "lost": 2}


def test_targets_carry_the_vertical_range_and_a_t_interval(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    values = {1: 0.30, 2: 0.34, 3: 0.38}
    monkeypatch.setattr(
        module,
        "measure",
        lambda spec, size, seed: dict.fromkeys(GOALS, 0.5) | {"returns": values[seed]},
    )
    found = {t.name: t for t in calibrate("apparel", "small", [1, 2, 3])}
    target = found["returns"]
    assert (target.low, target.high) == VERTICALS["apparel"]["returns"]
    assert target.value == pytest.approx(0.34)
    # t quantile .975 of 2 degrees is 4.3027; sd .04 over the root of 3.
    assert target.high_ci - target.value == pytest.approx(4.3027 * 0.04 / 3**0.5, 1e-4)
    assert target.inside
    assert not found["conversion"].inside
    assert all(t.source and t.doc for t in found.values())


def test_one_world_has_no_interval(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "size_of", lambda name: TINY)
    found = calibrate("hostile", "small", [1])
    assert len(found) == len(GOALS)
    assert all(math.isnan(target.low_ci) for target in found)


def test_no_seed_and_no_world_are_refused() -> None:
    with pytest.raises(Misuse, match="No world was to be played"):
        calibrate("apparel", "small", [])
    with pytest.raises(Misuse, match="There is no world"):
        calibrate("atlantis", "small", [1])


def test_ranges_are_those_of_the_literature() -> None:
    """The specification's ranges; a world is tuned to them and never they to it."""
    want = {
        "conversion": (0.019, 0.03),
        "add_to_cart": (0.064, 0.079),
        "abandonment": (0.65, 0.76),
        "top_buyers": (0.28, 0.42),
        "elasticity": (-3.2, -2.0),
        "stock_outs": (0.04, 0.12),
        "lost_sales": (0.02, 0.07),
        "substitution": (0.21, 0.43),
        "supplier_fill": (0.9, 0.98),
        "disruptions": (1.0, 3.0),
        "abuse": (0.05, 0.13),
        "abusers": (0.003, 0.01),
        "contacts": (0.1, 0.3),
        "reviews": (0.03, 0.08),
        "duplicates": (0.1, 0.2),
        "late": (0.03, 0.08),
    }
    assert {name: GOALS[name].range for name in want} == want
    assert set(VERTICALS) == set(WORLDS)
    assert VERTICALS["apparel"]["returns"] == (0.25, 0.40)
    for name in ("apparel", "consumables", "electronics"):
        assert set(VERTICALS[name]) == {"returns", "repeat_buyers"}


@given(st.lists(st.floats(0.01, 1e6), min_size=1, max_size=200))
def test_the_top_share_is_a_share_and_no_less_than_even(spent: list[float]) -> None:
    share = module._top_share(np.array(spent))
    count = max(round(module.TOP * len(spent)), 1)
    assert count / len(spent) - 1e-9 <= share <= 1 + 1e-9


def test_the_top_share_by_hand() -> None:
    spent = np.array([100.0] + [100 / 19] * 19)
    assert module._top_share(spent) == pytest.approx(0.5)
    assert math.isnan(module._top_share(np.empty(0)))
