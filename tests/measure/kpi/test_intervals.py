"""Intervals against SciPy, against plain numpy, and by how often they hold."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from cartwheel.measure.kpi.intervals import (
    Moments,
    amount_interval,
    fixed_interval,
    ratio_interval,
    share_interval,
    student,
    wilson,
)

pairs = st.lists(
    st.tuples(st.integers(-5_000, 5_000), st.integers(0, 50)), min_size=10, max_size=60
).filter(lambda made: sum(b for _, b in made) > 0)


def moments_of(top: np.ndarray, bottom: np.ndarray) -> Moments:
    top, bottom = top.astype(int).tolist(), bottom.astype(int).tolist()
    return Moments(
        rows=len(top),
        owners=len(top),
        top=sum(top),
        bottom=sum(bottom),
        top_top=sum(t * t for t in top),
        top_bottom=sum(t * b for t, b in zip(top, bottom, strict=True)),
        bottom_bottom=sum(b * b for b in bottom),
        movers=sum(t != 0 for t in top),
    )


@pytest.mark.parametrize("degrees", [9, 12, 20, 50, 400])
def test_student_is_scipys(degrees: int) -> None:
    assert student(degrees) == pytest.approx(stats.t.ppf(0.975, degrees), abs=1e-4)


@given(pairs)
def test_ratio_error_is_the_linearised_residuals(made: list[tuple[int, int]]) -> None:
    top = np.array([t for t, _ in made], float)
    bottom = np.array([b for _, b in made], float)
    n, ratio = len(made), top.sum() / bottom.sum()
    residual = (top - ratio * bottom) / bottom.mean()
    error = residual.std(ddof=1) / np.sqrt(n)
    low, high = ratio_interval(moments_of(top, bottom))
    reach = stats.t.ppf(0.975, n - 1) * error
    assert (low, high) == pytest.approx(
        (ratio - reach, ratio + reach), rel=1e-4, abs=1e-6 + reach * 1e-4
    )


@given(st.integers(10, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_share_of_independent_owners_is_wilsons(case: tuple[int, int]) -> None:
    hits, n = case
    top = np.array([1] * hits + [0] * (n - hits))
    found = share_interval(moments_of(top, np.ones(n)))
    assert found == pytest.approx(wilson(hits, n))


def test_amount_is_the_ratio_on_the_scale_of_logarithms() -> None:
    top = np.array([0] * 90 + [1_000, 3_000] * 5)
    made = moments_of(top, np.ones(100))
    low, high = amount_interval(made)
    value, error = 200.0, np.std(top, ddof=1) / 10
    reach = stats.t.ppf(0.975, 9) * error / value  # ten who paid
    assert (low, high) == pytest.approx(
        (value * np.exp(-reach), value * np.exp(reach)), rel=1e-3
    )


def test_clusters_widen_a_share() -> None:
    top, bottom = np.array([10, 0] * 10), np.array([10, 10] * 10)
    low, high = share_interval(moments_of(top, bottom))
    plain = wilson(100, 200)
    assert low < plain[0]
    assert high > plain[1]
    assert (low, high) == pytest.approx((0.28, 0.72), abs=0.01)


def test_a_share_of_nobody_is_no_surer_than_its_owners() -> None:
    nobody = moments_of(np.zeros(12), np.full(12, 1_000))
    assert share_interval(nobody) == pytest.approx(wilson(0, 12))


def test_constant_over_a_sum() -> None:
    bottom = np.array([100, 300] * 20)
    made = moments_of(np.zeros(40), bottom)
    fixed = Moments(
        **{**{n: getattr(made, n) for n in Moments.__slots__}, "fixed_top": 4_000}
    )
    error = bottom.std(ddof=1) * np.sqrt(40) * stats.t.ppf(0.975, 39)
    found = fixed_interval(fixed)
    assert found == pytest.approx((4_000 / (8_000 + error), 4_000 / (8_000 - error)))


def test_constant_over_what_may_be_zero_has_no_upper_end() -> None:
    made = moments_of(np.zeros(10), np.array([900, -890] * 5))
    fixed = Moments(
        **{**{n: getattr(made, n) for n in Moments.__slots__}, "fixed_top": 4_000}
    )
    assert fixed_interval(fixed)[1] == float("inf")


def test_intervals_hold_the_truth_in_a_small_shop() -> None:
    """Of 400 shops of 60 customers with skewed orders, 90 % or more are right."""
    rng = np.random.default_rng(5)
    truth = 4_000 * np.exp(0.5 * 0.7**2)
    held = 0
    for _ in range(400):
        orders = rng.geometric(0.7, 60)
        spent = [rng.lognormal(np.log(4_000), 0.7, n).sum() for n in orders]
        low, high = amount_interval(moments_of(np.array(spent), orders))
        held += low <= truth <= high
    # At 95 % chance leaves fewer than 360 right less than once in 10,000; a skewed
    # mean of 60 is allowed to fall a little short of that.
    assert held >= 360
