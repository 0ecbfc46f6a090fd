"""Open Bandit: the random log tells of the bts policy what little it can."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from bench.off_policy import open_bandit

from cartwheel.measure.off_policy.estimators import ESTIMATORS, terms
from cartwheel.measure.off_policy.interval import intervals
from cartwheel.measure.off_policy.value import evaluate


def test_bts_from_random_is_refused_and_its_forced_interval_holds_it(
    data_folder: Callable[[str], Path],
) -> None:
    log, (clicks, shown) = open_bandit(data_folder("open-bandit-men"))
    assert (clicks, shown, int(log.reward.sum())) == (69, 10_000, 46)
    assert "Rewards other than 0 are worth 13" in evaluate(log).refused
    truth = clicks / shown
    rows = [terms(log, name) for name in ESTIMATORS]
    for name, one in zip(
        ESTIMATORS, intervals(log, rows, level=0.95, seed=0), strict=True
    ):
        # As near as the noise of either allows; which is nearest says nothing.
        assert one.value == pytest.approx(truth, rel=0.25)
        if name != "dm":
            assert one.low <= truth <= one.high
