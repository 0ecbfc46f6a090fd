"""Two groups compared: Student's with equal sizes, and honest with a small holdout."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import ttest_ind

from cartwheel.measure.experiment.lift import compare_groups


def spend(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Return what n customers spent and what they spent before; a third bought."""
    taste = rng.lognormal(3, 0.8, n)
    bought = rng.random((2, n)) < 0.35
    values = taste * rng.lognormal(0, 0.5, (2, n)) * bought
    return values[0], values[1]


def test_equal_groups_give_students_interval() -> None:
    values, _ = spend(np.random.default_rng(1), 400)
    treated = np.arange(400) % 2 == 0
    found = compare_groups(values, treated, metric="m")
    peer = ttest_ind(values[treated], values[~treated])
    between = peer.confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((between.low, between.high))
    assert found.p_value == pytest.approx(peer.pvalue)
    assert found.method == "pooled"


def test_a_small_holdout_is_not_too_sure_of_itself() -> None:
    rng = np.random.default_rng(2)
    held = misses = 0
    for _ in range(600):
        values, before = spend(rng, 400)
        treated = rng.permutation(400) >= 20  # 5 % are left alone
        found = compare_groups(values, treated, before, metric="m")
        held += found.low <= 0 <= found.high
        plain = ttest_ind(values[treated], values[~treated], equal_var=False)
        misses += plain.pvalue < 0.05
    assert 0.92 <= held / 600 <= 0.98
    assert misses / 600 > 0.08  # what Welch's would have claimed


@given(seed=st.integers(0, 99), scale=st.floats(0.01, 100), shift=st.floats(-1e3, 1e3))
def test_units_of_money_and_a_constant_change_nothing(
    seed: int, scale: float, shift: float
) -> None:
    values, before = spend(np.random.default_rng(seed), 90)
    treated = np.arange(90) % 3 > 0
    one = compare_groups(values, treated, before, metric="m")
    other = compare_groups(values * scale + shift, treated, before, metric="m")
    assert other.effect == pytest.approx(one.effect * scale, rel=1e-6, abs=1e-6)
    assert other.p_value == pytest.approx(one.p_value, rel=1e-5, abs=1e-7)


def test_what_does_not_vary_is_refused() -> None:
    treated = np.arange(6) < 3
    with pytest.raises(ValueError, match="some spread"):
        compare_groups(np.ones(6), treated, metric="m")
    with pytest.raises(ValueError, match=r"two units|2 units"):
        compare_groups(np.arange(6.0), np.arange(6) < 1, metric="m")
    # A past that foretells everything leaves nothing to compare by.
    past = np.array([1.0, 2, 3, 1, 2, 3])
    assert compare_groups(past, treated, past, metric="m").method == "pooled"
