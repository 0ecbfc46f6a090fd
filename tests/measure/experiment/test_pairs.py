"""Pairs: the relative interval by its definition, and when it means nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import t

from cartwheel.errors import Misuse
from cartwheel.measure.experiment.comparison import Comparison
from cartwheel.measure.experiment.pairs import compare_pairs

Array = np.ndarray[Any, Any]


def compared(arm: Array, other: Array, **more: Any) -> Comparison:
    names = {"metric": "m", "control": "c", "arm": "a", "method": "pairs", "n": 2}
    return compare_pairs(arm, other, **{**names, **more})


@given(st.integers(3, 40), st.integers(0, 9_999), st.floats(0.5, 2.0))
def test_at_the_ends_of_the_relative_interval_the_pairs_are_just_told_apart(
    pairs: int, seed: int, times: float
) -> None:
    rng = np.random.default_rng(seed)
    level = rng.lognormal(3, 0.3, pairs)
    other = level + rng.normal(0, 1, pairs)
    arm = times * level + rng.normal(0, 1, pairs)
    found = compared(arm, other)
    if found.relative is None:
        return
    assert found.relative == pytest.approx(arm.mean() / other.mean() - 1)
    assert found.relative_low is not None
    assert found.relative_high is not None
    assert found.relative_low < found.relative < found.relative_high
    for end in (found.relative_low, found.relative_high):
        left = arm - (1 + end) * other
        told = abs(left.mean()) / (left.std(ddof=1) / np.sqrt(pairs))
        assert told == pytest.approx(t.ppf(0.975, pairs - 1), rel=1e-6)


def test_a_control_not_told_from_zero_or_below_it_has_no_relative_effect() -> None:
    arm, other = np.array([1.0, 2.0, 4.0]), np.array([-9.0, 8.0, 2.0])
    assert compared(arm, other).relative is None
    assert compared(arm, -arm * 1.1).relative_low is None


def test_the_level_sets_the_width_and_figures_fitted_cost_degrees() -> None:
    rng = np.random.default_rng(1)
    arm, other = rng.normal(5, 1, 12), rng.normal(5, 1, 12)
    usual = compared(arm, other)
    narrow = compared(arm, other, level=0.8)
    assert narrow.high - narrow.low < 0.7 * (usual.high - usual.low)
    costly = compared(arm, other, fitted=3)
    ratio = t.ppf(0.975, 9) / t.ppf(0.975, 11) * np.sqrt(11 / 9)
    width = (costly.high - costly.low) / (usual.high - usual.low)
    assert width == pytest.approx(ratio)


def test_no_spread_is_refused() -> None:
    with pytest.raises(Misuse, match="1 pairs; at least 2 are needed"):
        compared(np.ones(1), np.zeros(1))
    with pytest.raises(Misuse, match="all 4 pairs differ by the same 1"):
        compared(np.arange(4.0) + 1, np.arange(4.0))
