"""Inventory formulas against cases worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cartwheel.levers.replenish import order_quantity as formulas

LEVELS = (0.1, 0.5, 0.8, 0.9, 0.95, 0.98)


def level_of(
    margin: float,
    cost: float,
    *,
    units: float = 14.0,
    mean: float = 14.0,
    keeping: float = 0.25,
) -> float:
    return formulas.service_level(
        margin,
        cost,
        keeping_share=keeping,
        review_days=7,
        period_days=28,
        mean=mean,
        quantiles=np.full(len(LEVELS), units),
        levels=LEVELS,
    )


def test_service_level_is_margin_over_margin_and_keeping():
    # Margin 100; a unit costing 1,460 kept 7 days at 25 % a year costs 7: 100 / 107.
    assert level_of(100, 1460) == pytest.approx(0.93)


def test_service_level_counts_how_long_a_slow_mover_stays():
    # The second unit of one in 28 days is left over for 28 days more: 100 / 128.
    assert level_of(100, 1460, units=2.0, mean=1.0) == pytest.approx(0.78)


def test_service_level_stays_in_the_published_range():
    assert level_of(1, 1e6, keeping=1) == 0.5
    assert level_of(1e6, 1) == pytest.approx(0.98)
    assert level_of(-5, 0) == 0.5


@given(
    margin=st.floats(1, 1e5),
    cost=st.floats(1, 1e5),
    units=st.floats(0, 500),
    mean=st.floats(0.01, 100),
    keeping=st.floats(0, 2),
)
def test_service_level_falls_with_keeping_and_rises_with_margin(
    margin: float, cost: float, units: float, mean: float, keeping: float
):
    level = level_of(margin, cost, units=units, mean=mean, keeping=keeping)
    dearer = level_of(margin, cost, units=units, mean=mean, keeping=keeping + 0.5)
    richer = level_of(2 * margin, cost, units=units, mean=mean, keeping=keeping)
    assert 0.5 <= dearer <= level <= richer <= 0.98 + 1e-9


def test_demand_quantiles_at_a_horizon_are_the_forecasts():
    mean = np.array([7.0, 14.0, 28.0, 56.0])
    spread = mean[:, None] * np.array([0.5, 0.9, 1.2, 1.4, 1.6, 1.9])[None, :]
    center, found = formulas.demand_quantiles(
        mean, spread, LEVELS, (7, 14, 28, 56), days=28
    )
    assert center == pytest.approx(28.0)
    assert found == pytest.approx(spread[2])


def test_demand_quantiles_add_lead_time_spread_in_squares():
    # Pace 1 a day, deviation 3 at the 90 % level; z = 1.2816, sd 2 days.
    mean, spread = np.array([7.0]), np.array([[7.0, 10.0]])
    center, found = formulas.demand_quantiles(
        mean, spread, (0.5, 0.9), (7,), days=7, sd_days=2
    )
    assert center == 7.0
    assert found[1] == pytest.approx(7 + np.hypot(3, 1.28155 * 2), abs=1e-3)


def test_demand_quantiles_outside_the_horizons():
    mean, spread = np.array([8.0]), np.array([[8.0, 12.0]])
    quarter = formulas.demand_quantiles(mean, spread, (0.5, 0.9), (8,), days=2)
    double = formulas.demand_quantiles(mean, spread, (0.5, 0.9), (8,), days=32)
    none = formulas.demand_quantiles(mean, spread, (0.5, 0.9), (8,), days=0)
    assert quarter[0] == pytest.approx(2.0)
    assert quarter[1][1] == pytest.approx(2 + 4 / 2)  # a quarter of the days, half
    assert double[0] == pytest.approx(32.0)
    assert double[1][1] == pytest.approx(32 + 4 * 2)
    assert none[0] == 0.0
    assert none[1].tolist() == [0.0, 0.0]


def test_expected_shortage_of_uniform_demand():
    # Uniform on 0..10 with 4 available: the integral of (d - 4) / 10 is 1.8.
    levels = tuple(np.arange(1, 100) / 100)
    quantiles = np.array(levels) * 10
    found = formulas.expected_shortage(4, quantiles, levels)
    assert found == pytest.approx(1.8, abs=0.01)


def test_expected_shortage_is_none_when_stock_covers_everything():
    assert formulas.expected_shortage(10, np.array([2.0, 9.0]), (0.1, 0.9)) == 0.0


def test_units_needed_leaves_out_what_is_lost_before_arrival():
    assert formulas.units_needed(50, 10, 15) == 25
    assert formulas.units_needed(50, 10, 15, lost_before=5) == 20
    assert formulas.units_needed(20, 30, 0) == 0


@pytest.mark.parametrize(
    ("need", "pack", "minimum", "units"),
    [(7, 6, 1, 12), (7, 6, 20, 24), (7.2, 1, 1, 8), (0, 6, 12, 0), (0.4, 6, 12, 0)],
)
def test_whole_packs_by_hand(need, pack, minimum, units):
    assert formulas.whole_packs(need, pack=pack, minimum=minimum) == units


@given(st.floats(0.5, 5000), st.integers(1, 144), st.integers(1, 500))
def test_whole_packs_are_packs_and_enough(need, pack, minimum):
    units = formulas.whole_packs(need, pack=pack, minimum=minimum)
    assert units % pack == 0
    assert units >= max(need - 1e-6, minimum)
    assert units - pack < max(need, minimum)


def test_within_budget_takes_the_best_worth_per_cost():
    chosen = formulas.within_budget([100, 90, 30], [50, 30, 20], 70)
    assert chosen == [False, True, True]


@given(
    st.lists(st.tuples(st.floats(0, 1000), st.floats(0, 1000)), max_size=30),
    st.floats(0, 5000),
)
def test_within_budget_never_exceeds_it(pairs, budget):
    worth, cost = [p[0] for p in pairs], [p[1] for p in pairs]
    chosen = formulas.within_budget(worth, cost, budget)
    spent = sum(c for c, fits in zip(cost, chosen, strict=True) if fits)
    assert spent <= budget + 1e-6
