"""The always-valid interval holds at every look; the fixed one does not."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cartwheel.measure.experiment.comparison import Comparison
from cartwheel.measure.experiment.sequential import always_valid, boundary


def look(effect: float, error: float, n: int, control: float = 1.0) -> Comparison:
    return Comparison(
        metric="m",
        control="control",
        arm="arm",
        control_value=control,
        arm_value=control + effect,
        effect=effect,
        low=effect - 1.96 * error,
        high=effect + 1.96 * error,
        error=error,
        p_value=0.5,
        method="welch",
        n=n,
        relative=effect / control,
    )


def test_peeking_after_every_unit_keeps_the_promise() -> None:
    """400 A/A tests of 2,000 people, looked at 1,900 times each."""
    rng = np.random.default_rng(11)
    runs, n, first = 400, 2_000, 100
    spend = rng.exponential(1.0, (runs, n)) * (rng.random((runs, n)) < 0.3)
    sign = np.where(rng.random((runs, n)) < 0.5, 1.0, -1.0)
    count = np.arange(1, n + 1)
    arm = {
        s: (
            np.cumsum(sign == s, axis=1),
            np.cumsum(spend * (sign == s), axis=1),
            np.cumsum(spend**2 * (sign == s), axis=1),
        )
        for s in (1.0, -1.0)
    }
    means, errors = [], []
    for number, total, squares in arm.values():
        mean = total / np.maximum(number, 1)
        means.append(mean)
        errors.append((squares / np.maximum(number, 1) - mean**2) / number.clip(1))
    with np.errstate(divide="ignore", invalid="ignore"):  # the first few looks
        z = np.abs(means[0] - means[1]) / np.sqrt(sum(errors))
    late = slice(first, None)
    width = np.array([boundary(int(k), planned=1_000, alpha=0.05) for k in count[late]])
    assert (z[:, late] > width).any(axis=1).mean() <= 0.05
    assert (z[:, late] > 1.96).any(axis=1).mean() > 0.25  # what peeking costs


def test_it_is_narrowest_near_the_units_it_was_planned_for() -> None:
    def width(planned: int) -> float:
        return boundary(10_000, planned=planned, alpha=0.05)

    assert width(10_000) < width(300)
    assert width(10_000) < width(1_000_000)
    assert 1.3 < width(10_000) / 1.96 < 1.6


@given(
    effect=st.floats(-5, 5),
    error=st.floats(0.01, 2),
    n=st.integers(2, 10**6),
    planned=st.integers(1, 10**6),
)
def test_the_p_value_and_the_interval_agree(
    effect: float, error: float, n: int, planned: int
) -> None:
    found = always_valid(look(effect, error, n), planned=planned)
    assert found.low <= effect <= found.high
    # Wider than an interval for one look, always.
    assert found.high - found.low > 2 * 1.96 * error
    # The mixture's parameter is chosen for .05, so it stays when p is read.
    edge = boundary(n, planned=planned, alpha=0.05) * error
    if abs(abs(effect) - edge) > 1e-9 * edge:
        assert (found.p_value < 0.05) == (abs(effect) > edge)
        assert found.decided == (abs(effect) > edge)


def test_a_relative_interval_follows() -> None:
    found = always_valid(look(0.2, 0.05, 1_000, control=2.0), planned=1_000)
    assert found.relative_low == pytest.approx(found.low / 2)
    assert found.method == "always-valid welch"


def test_it_refuses_what_has_no_error() -> None:
    with pytest.raises(ValueError, match="planned is 0"):
        always_valid(look(0.1, 0.1, 100), planned=0)
    with pytest.raises(ValueError, match="standard error"):
        always_valid(look(0.1, math.nan, 100), planned=100)
