"""What can be seen, what is needed and by when; and groups of the right size."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tea_tasting.metrics import Mean

from cartwheel.measure.experiment.moments import Moments
from cartwheel.measure.experiment.power import reach, units_for
from cartwheel.measure.experiment.ratio_check import ALARM, sample_ratio

TODAY = date(2026, 3, 1)


def test_a_quarter_of_the_effect_needs_sixteen_times_the_people() -> None:
    def needed(wanted: float) -> int:
        return reach(
            error=1.0,
            units=1_000,
            control_value=10.0,
            wanted=wanted,
            units_a_day=50.0,
            today=TODAY,
        ).units_needed

    assert needed(1.0) / needed(4.0) == pytest.approx(16, rel=0.01)


def test_the_date_follows_from_the_pace() -> None:
    found = reach(
        error=1.0,
        units=1_000,
        control_value=10.0,
        wanted=2.0,
        units_a_day=96.3,
        today=TODAY,
    )
    assert found.detectable == pytest.approx(2.8016, abs=1e-3)
    assert found.relative == pytest.approx(0.28016, abs=1e-4)
    assert found.units_missing == found.units_needed - 1_000 == 963
    assert found.by == date(2026, 3, 11)


def test_there_is_no_date_when_nobody_comes_or_it_takes_an_age() -> None:
    for pace in (0.0, 0.01):
        found = reach(
            error=1.0,
            units=100,
            control_value=10.0,
            wanted=0.5,
            units_a_day=pace,
            today=TODAY,
        )
        assert found.by is None
        assert found.units_missing > 0


def test_it_agrees_with_tea_tasting() -> None:
    rng = np.random.default_rng(2)
    group = Moments.of(("x",), rng.exponential(3.0, (5_000, 1)))
    deviation = float(np.sqrt(group.cov[0, 0]))
    for ratio in (1.0, 3.0, 19.0):
        peer = Mean("x", ratio=ratio, effect_size=0.3, use_t=False)
        theirs = peer.solve_power_from_aggregates(group.aggregates(), "n_obs")[0].n_obs
        ours = units_for(deviation=deviation, wanted=0.3, arm_share=ratio / (1 + ratio))
        assert ours == pytest.approx(theirs, abs=2)


def test_the_orders_that_the_trade_reckons_with() -> None:
    """10 and 20 % more orders need 1,570 and 392 orders an arm (Poisson, evenly)."""
    for lift, orders in ((0.1, 1_570), (0.2, 392)):
        rate = 0.02
        units = units_for(
            deviation=float(np.sqrt(rate)), wanted=rate * lift, arm_share=0.5
        )
        assert units * rate / 2 == pytest.approx(orders, rel=0.01)


def test_wrong_numbers_are_refused() -> None:
    with pytest.raises(ValueError, match="standard error is 0"):
        reach(
            error=0,
            units=5,
            control_value=1,
            wanted=1,
            units_a_day=1,
            today=TODAY,
        )
    with pytest.raises(ValueError, match="can find nothing"):
        units_for(deviation=1, wanted=0, arm_share=0.5)
    with pytest.raises(ValueError, match="share is 1"):
        units_for(deviation=1, wanted=1, arm_share=1)


def test_an_imbalance_of_a_twentieth_is_found_among_ten_thousand() -> None:
    assert sample_ratio({"a": 5_250, "b": 4_750}, {"a": 1, "b": 1}) < ALARM
    kept = np.random.default_rng(4).binomial(10_000, 0.525, size=500)
    found = [
        sample_ratio({"a": one, "b": 10_000 - one}, {"a": 1, "b": 1})
        for one in kept.tolist()
    ]
    assert (np.array(found) < ALARM).mean() > 0.9


def test_fair_groups_are_left_in_peace() -> None:
    rng = np.random.default_rng(5)
    counts = rng.multinomial(10_000, [0.2, 0.3, 0.5], size=2_000)
    shares = {"a": 2.0, "b": 3.0, "c": 5.0}
    p = [
        sample_ratio(dict(zip("abc", c.tolist(), strict=True)), shares) for c in counts
    ]
    assert (np.array(p) < ALARM).mean() < 0.005
    assert (np.array(p) < 0.05).mean() == pytest.approx(0.05, abs=0.02)


@given(st.integers(1, 10**6), st.integers(1, 10**6), st.floats(0.01, 100))
def test_only_the_shares_proportions_count(a: int, b: int, scale: float) -> None:
    plain = sample_ratio({"a": a, "b": b}, {"a": 1.0, "b": 2.0})
    scaled = sample_ratio({"a": a, "b": b}, {"a": scale, "b": 2 * scale})
    assert scaled == pytest.approx(plain, rel=1e-6, abs=1e-12)


def test_arms_that_do_not_match_are_refused() -> None:
    with pytest.raises(ValueError, match="differ"):
        sample_ratio({"a": 1}, {"b": 1})
    with pytest.raises(ValueError, match="above 0"):
        sample_ratio({"a": 1, "b": 0}, {"a": 1, "b": 0})
    with pytest.raises(ValueError, match="no units"):
        sample_ratio({"a": 0}, {"a": 1})
