"""Unequal groups of skewed spend: Student when equal, balanced misses when not."""

from __future__ import annotations

import numpy as np
import pytest
from bench.measure_truth import answers, by_customer, customer_interval, welch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import skew, ttest_ind

from cartwheel.measure.experiment.skewed import Chance, chance_of, pooled_chance


def test_groups_of_equal_size_get_students_interval() -> None:
    rng = np.random.default_rng(1)
    one, two = rng.lognormal(0, 1, 40), rng.lognormal(0, 1, 40)
    theirs = ttest_ind(one, two, equal_var=True)
    chance = chance_of(one, two)
    effect = one.mean() - two.mean()
    assert chance.skew == pytest.approx(0.0)
    low, high = theirs.confidence_interval(0.95)
    assert chance.interval(effect) == pytest.approx((low, high))
    assert chance.p_value(effect) == pytest.approx(theirs.pvalue)


def test_error_and_skew_are_those_of_the_difference() -> None:
    # Both groups from one skewed law: draw the difference of means many times.
    rng = np.random.default_rng(2)
    drawn = rng.exponential(1, (40_000, 60)).mean(1) - rng.exponential(
        1, (40_000, 15)
    ).mean(1)
    sums = {"squares": 75.0 - 2, "cubes": 2.0 * 75}  # variance 1, third moment 2
    chance = pooled_chance(60, 15, **sums)
    assert chance.error == pytest.approx(drawn.std(), rel=0.02)
    assert chance.skew == pytest.approx(float(skew(drawn)), abs=0.05)
    assert pooled_chance(15, 60, **sums).skew == pytest.approx(-chance.skew)


@given(
    st.floats(-3, 3),
    st.floats(-2, 2),
    st.integers(5, 2_000),
    st.sampled_from([0.8, 0.9, 0.99]),
)
def test_the_p_value_and_the_interval_say_the_same(
    effect: float, skewness: float, degrees: int, level: float
) -> None:
    chance = Chance(error=0.7, skew=skewness, degrees=degrees)
    low, high = chance.interval(effect, level)
    assert low < high
    p_value = chance.p_value(effect)
    assert 0 <= p_value <= 1
    if min(abs(low), abs(high)) > 1e-6:  # else the two differ by rounding
        assert (p_value < 1 - level) == (low > 0 or high < 0)


@pytest.mark.parametrize("degrees", [4, 4_000])
@pytest.mark.parametrize("skewness", [-1.0, 0.0, 0.5])
def test_at_the_end_of_the_interval_the_p_value_is_one_in_twenty(
    skewness: float, degrees: int
) -> None:
    chance = Chance(error=2.0, skew=skewness, degrees=degrees)
    low, high = chance.interval(0.0)
    assert chance.p_value(-low) == pytest.approx(0.05)
    assert chance.p_value(-high) == pytest.approx(0.05)


@pytest.mark.parametrize(
    "sums",
    [
        (1, 9, 5.0),
        (9, 1, 5.0),
        (9, 9, 0.0),
        (9, 9, float("nan")),
    ],
)
def test_nothing_to_go_by_is_refused(sums: tuple[int, int, float]) -> None:
    with pytest.raises(ValueError, match="expected 2 or more"):
        pooled_chance(*sums[:2], squares=sums[2], cubes=0.0)


def test_a_small_holdout_is_held_where_welch_is_not() -> None:
    def misses(interval) -> tuple[float, float]:
        told = answers(
            by_customer(0.95, interval), 100, lift=0.1, shops=500, seeds=[41]
        )
        below = np.mean([one.truth < one.low for one in told])
        above = np.mean([one.truth > one.high for one in told])
        return float(below), float(above)

    ours, theirs = misses(customer_interval), misses(welch)
    # 25 of 1,000 on each side; the standard deviation over 500 shops is 0.007.
    assert max(ours) < 0.05
    assert sum(ours) < 0.08
    assert theirs[0] > 0.10  # claims a lift too large in one shop of ten


@pytest.mark.parametrize("share", [0.5, 0.8])
def test_intervals_hold_the_truth_in_small_shops(share: float) -> None:
    told = answers(
        by_customer(share, customer_interval), 100, lift=0.1, shops=400, seeds=[42]
    )
    held = np.mean([one.low <= one.truth <= one.high for one in told])
    assert 0.91 < held < 0.985
