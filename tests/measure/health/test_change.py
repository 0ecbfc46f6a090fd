"""The tests behind the checks: their level, and that days hang together."""

from __future__ import annotations

import numpy as np
import pytest

from cartwheel.measure.health.change import (
    pace_stopped,
    ratio_fall,
    share_fall,
    weeks_fell,
)

AGO = np.arange(126)


def test_share_by_hand() -> None:
    hits = np.where(AGO < 28, 5, 9)
    found = share_fall(AGO, hits, np.full(126, 10))
    assert found is not None
    assert found.before == pytest.approx(0.9)
    assert found.recent == pytest.approx(0.5)
    assert found.p_value < 1e-6
    assert found.low < 0.4 < found.high


def test_a_fault_that_began_midway_is_seen() -> None:
    """Its days differ among themselves; that is no noise to be judged against."""
    hits = np.where(AGO < 15, 0, 10)
    found = share_fall(AGO, hits, np.full(126, 10))
    assert found is not None
    assert found.p_value < 1e-6


def test_few_trials_say_nothing() -> None:
    assert share_fall(AGO[:0], AGO[:0], AGO[:0]) is None
    assert share_fall(AGO, np.zeros(126), (AGO == 3).astype(int)) is None
    assert ratio_fall(AGO, np.zeros(126), np.zeros(126)) is None


@pytest.mark.parametrize("spread", [0.0, 0.15])
def test_level_holds_though_days_hang_together(spread: float) -> None:
    """At 5 %, 400 shops without a change; shares vary by day when `spread` is set."""
    rng = np.random.default_rng(3)
    alarms = 0
    for _ in range(400):
        trials = rng.poisson(20, 126)
        share = np.clip(0.7 + spread * rng.standard_normal(126), 0.01, 0.99)
        found = share_fall(AGO, rng.binomial(trials, share), trials)
        assert found is not None
        alarms += found.p_value < 0.05
    assert alarms <= 400 * 0.05 + 2 * np.sqrt(400 * 0.05 * 0.95)


def test_ratio_level_holds() -> None:
    rng = np.random.default_rng(4)
    alarms = 0
    for _ in range(400):
        orders = rng.poisson(6, 126) + 1
        busy = rng.gamma(10, 0.1, 126)
        found = ratio_fall(AGO, rng.poisson(5 * orders * busy), orders)
        assert found is not None
        alarms += found.p_value < 0.05
    assert alarms <= 400 * 0.05 + 2 * np.sqrt(400 * 0.05 * 0.95)


def test_silence_is_judged_by_the_pace_before() -> None:
    assert pace_stopped(np.full(90, 4.0), 10) == pytest.approx(np.exp(-40))
    weekly = np.zeros(91)
    weekly[::7] = 70
    assert pace_stopped(weekly, 6) > 0.3
    assert pace_stopped(np.zeros(0), 9) == 1.0


def test_weeks_by_hand() -> None:
    assert weeks_fell([1, 1, 1], [0]) == pytest.approx(1 / 4)
    assert weeks_fell([1, 1, 1], [1]) == 1.0
    assert weeks_fell([], [1]) == 1.0
