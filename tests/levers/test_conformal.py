"""Intervals on totals: coverage on made data, and the adaptive level."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cartwheel.levers import conformal
from cartwheel.levers.conformal import Tails, adapt


def test_quantiles_cover_new_totals_at_their_levels():
    rng = np.random.default_rng(3)
    pace = rng.gamma(2, 30, size=4000)
    actual = rng.negative_binomial(5, 5 / (5 + pace)).astype(float)
    pooled = conformal.residual_quantiles(actual[:2000], pace[:2000], 1.0)
    found = conformal.quantiles(pace[2000:], pooled, 1.0)
    held = [(actual[2000:] <= found[:, i]).mean() for i in range(found.shape[1])]
    assert held == pytest.approx(list(conformal.LEVELS), abs=0.04)


@given(
    st.lists(st.floats(0, 1e5), min_size=2, max_size=40),
    st.sampled_from(conformal.POWERS),
    st.floats(0.005, 0.3),
    st.floats(0.005, 0.3),
)
def test_quantiles_never_cross_nor_fall_below_zero(predicted, power, lower, upper):
    point = np.array(predicted)
    actual = np.roll(point, 1)
    pooled = conformal.residual_quantiles(actual, point, power)
    found = conformal.quantiles(
        point, pooled, power, tails=Tails(lower=lower, upper=upper)
    )
    assert (found >= 0).all()
    assert (np.diff(found, axis=1) >= -1e-9).all()


def test_adapt_without_outcomes_is_nominal():
    assert adapt([]) == Tails(lower=0.1, upper=0.1)


def test_adapt_widens_the_side_that_missed():
    tails = adapt([(0.1, 0.4, 1000)])
    assert tails.lower == pytest.approx(0.1)
    assert tails.upper < 0.1
    assert tails.level(0.9) > 0.9
    assert tails.level(0.1) == pytest.approx(0.1)


def test_adapt_narrows_an_interval_that_always_held():
    tails = adapt([(0.0, 0.0, 1000)])
    assert tails.lower > 0.1
    assert tails.level(0.9) < 0.9


def test_adapt_trusts_few_outcomes_less():
    assert adapt([(0.1, 0.4, 5)]).upper > adapt([(0.1, 0.4, 500)]).upper


def test_level_keeps_the_median():
    assert Tails(lower=0.3, upper=0.01).level(0.5) == 0.5


def test_adapted_interval_reaches_its_coverage_under_drift():
    """Demand 40 % above what the backtest knew: the upper tail must follow."""
    rng = np.random.default_rng(5)
    pace = np.full(500, 50.0)
    known = rng.poisson(pace).astype(float)
    pooled = conformal.residual_quantiles(known, pace, 0.5)
    batches: list[tuple[float, float, int]] = []
    above = 1.0
    for _ in range(12):
        found = conformal.quantiles(pace, pooled, 0.5, (0.1, 0.9), adapt(batches))
        actual = rng.poisson(pace * 1.1).astype(float)
        above = float((actual > found[:, 1]).mean())
        batches.append((float((actual < found[:, 0]).mean()), above, len(actual)))
    first = batches[0][1]
    assert above < first
    assert above == pytest.approx(0.1, abs=0.06)


def test_pinball_by_hand():
    # Actual 10, median 7: 2 * .5 * 3 = 3; 90 % quantile 12: 2 * .1 * 2 = .4.
    found = conformal.pinball(np.array([10.0]), np.array([[7.0, 12.0]]), (0.5, 0.9))
    assert found == pytest.approx((3 + 0.4) / 2)


def test_crossed_never_learns_from_its_own_fold():
    actual = np.array([100.0, 100.0, 0.0, 0.0])
    predicted = np.full(4, 50.0)
    found = conformal.crossed(actual, predicted, np.array([0, 0, 1, 1]), 0.5)
    assert (found[:2, 1] < 1).all()
    assert (found[2:, 1] > 99).all()
