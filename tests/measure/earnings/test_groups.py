"""Intervals of the ledger: as the engine computes, and as often right as they say."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cartwheel.measure.earnings.groups import compare_groups, few
from cartwheel.measure.earnings.units import Brought
from cartwheel.measure.experiment.effect import compare
from cartwheel.measure.experiment.metric import Metric
from cartwheel.measure.experiment.moments import Moments


def shop_of(
    rng: np.random.Generator, units: int, share: float
) -> tuple[Brought, np.ndarray]:
    """Return an A/A shop: skewed spend with habits, some newcomers, no effect."""
    habit = rng.gamma(0.5, 2.0, units)
    days = np.where(rng.random(units) < 0.2, rng.integers(1, 90, units), 90)
    orders = rng.poisson(habit * days / 90)
    value = np.array([rng.gamma(1.5, 3_000, n).sum() for n in orders])
    earlier = np.array([rng.gamma(1.5, 3_000, n).sum() for n in rng.poisson(habit)])
    before = np.where(days == 90, earlier, 0.0)
    made = Brought(value=value, before=before, days=days.astype(float), basis="margin")
    return made, rng.random(units) >= share


@pytest.mark.parametrize(("units", "share"), [(800, 0.05), (400, 0.2)])
def test_shops_without_an_effect_hold_zero_as_often_as_said(
    units: int, share: float
) -> None:
    rng = np.random.default_rng(20_260_101)
    shops = 250
    held = above = 0
    for _ in range(shops):
        found = compare_groups(*shop_of(rng, units, share))
        held += found.low <= 0 <= found.high
        above += found.low > 0
    # 95 % within three standard errors of 250 shops, and misses on both sides.
    assert 0.909 <= held / shops <= 0.991
    assert above / shops <= 0.055


def test_the_effect_is_the_engines_own() -> None:
    found, reached = shop_of(np.random.default_rng(5), 500, 0.2)
    columns = ("earned", "before", "days")
    values = np.column_stack([found.value, found.before, found.days])
    engine = compare(
        Metric(name="earned", value="earned", covariates=("before", "days")),
        Moments.of(columns, values[~reached]),
        Moments.of(columns, values[reached]),
    )
    ours = compare_groups(found, reached)
    assert ours.effect == pytest.approx(engine.effect)
    assert ours.reduction == pytest.approx(engine.reduction)
    assert ours.error == pytest.approx(engine.error, rel=0.2)
    assert ours.reduction > 0.1


@given(st.integers(0, 2**32 - 1), st.integers(-5_000, 5_000))
def test_what_reaching_adds_is_found_whatever_the_shop(seed: int, more: int) -> None:
    made, reached = shop_of(np.random.default_rng(seed), 120, 0.4)
    plain = compare_groups(made, reached)
    moved = Brought(
        value=made.value + more * reached,
        before=made.before,
        days=made.days,
        basis="margin",
    )
    found = compare_groups(moved, reached)
    assert found.low <= found.effect <= found.high
    # Not `more` to the last cent: the covariates' weights are fitted on both groups.
    scale = 1e-6 + abs(more) * 0.2
    assert abs(found.effect - plain.effect - more) <= scale


@pytest.mark.parametrize(
    ("held", "buyers", "said", "days"),
    [
        (29, 29, "29 were left alone", 5),
        (40, 4, "4 of those left alone brought anything", 60),
        (40, 40, "", None),
    ],
)
def test_few_units_or_buyers_give_no_figure(
    held: int, buyers: int, said: str, days: int | None
) -> None:
    reached = np.arange(100) >= held
    value = np.where(reached | (np.arange(100) < buyers), 500.0, 0.0)
    made = Brought(
        value=value, before=np.zeros(100), days=np.full(100, 40.0), basis="margin"
    )
    thin = few(made, reached, days=40, new_a_day=1.0)
    if not said:
        assert thin is None
        return
    assert thin is not None
    assert said in thin.why
    # A unit comes a day, 29 in 100 of them left alone; or 4 buyers in 40 days.
    assert thin.days == (4 if held == 29 else days)
