"""Measured lift against true lift: the share, what it is asked to be, what is said."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cartwheel.simulator.referee.claims import headline
from cartwheel.simulator.referee.groups import CONNECTED, MEASURED, NO_AI
from cartwheel.simulator.referee.paired import Coverage
from cartwheel.simulator.referee.recovered import (
    ASKED,
    ENOUGH,
    TOO_FEW,
    recovered,
    said_of,
    text_recovered,
    together,
    verdict_of,
)
from cartwheel.simulator.referee.results import Run
from tests.simulator.referee.made import run

NAN = float("nan")


def measured(seed: int, off: float = 0.0, **more: Any) -> Run:
    """Return a run whose truth is 50 and whose estimate is off it, give or take 20."""
    figures = {
        "lift_true_minor": 50.0,
        "lift_measured_minor": 50 + off,
        "lift_low_minor": 30 + off,
        "lift_high_minor": 70 + off,
        "customers_reached": 800.0,
        "customers_held_out": 200.0,
        "answers_held_out": 100.0,
        "answers_unrecognised": 40.0,
    }
    return run(MEASURED, seed, figures={**figures, **more.pop("figures", {})}, **more)


def test_by_hand() -> None:
    runs = [
        *(measured(seed, 10.0) for seed in range(3)),
        measured(3, 30.0),
        measured(4, figures={"lift_low_minor": NAN, "lift_high_minor": NAN}),
        run(MEASURED, 5, state="failed", reason="broke"),
        run(CONNECTED, 0),
    ]
    (row,) = recovered(runs)
    assert (row.coverage.n, row.coverage.left_out) == (4, 2)
    assert row.coverage.share == 0.75
    assert row.coverage.bias == row.off.mean == pytest.approx((3 * 10 + 30) / 4)
    # Off by 10, 10, 10 and 30: mean 15, standard error 5, t of 3 degrees 3.182.
    assert (row.off.low, row.off.high) == pytest.approx((-0.912, 30.912), abs=1e-3)
    assert (row.true_minor, row.width_minor) == (50, 40)
    assert (row.unrecognised, row.customers) == (0.4, 1_000)
    assert row.currency == "EUR"
    assert together(runs) == row.coverage
    text = text_recovered([row], row.coverage)
    assert "75.0 %" in text
    assert "+50.00 EUR cents" in text
    assert "+15.00 (−0.91 to +30.91) EUR cents" in text
    assert TOO_FEW in text


def test_an_estimator_that_is_right_is_found_right() -> None:
    rng = np.random.default_rng(4)
    n, half = 1_000, 1.959964
    runs = [
        run(
            MEASURED,
            seed,
            figures={
                "lift_true_minor": 10.0,
                "lift_measured_minor": 10 + luck,
                "lift_low_minor": 10 + luck - half,
                "lift_high_minor": 10 + luck + half,
                "customers_reached": 8.0,
                "customers_held_out": 2.0,
                "answers_held_out": 0.0,
                "answers_unrecognised": 0.0,
            },
        )
        for seed, luck in enumerate(rng.normal(0, 1, n))
    ]
    (row,) = recovered(runs)
    assert row.verdict == "inside"
    assert abs(row.coverage.bias) < 0.1
    assert math.isnan(row.unrecognised)
    assert "as asked" in said_of(row.coverage)
    assert TOO_FEW not in said_of(row.coverage)


@given(st.integers(0, 60), st.integers(0, 60))
def test_few_worlds_never_claim_that_the_goal_is_reached(held: int, n: int) -> None:
    runs = [measured(seed, 0.0 if seed < held else 90.0) for seed in range(n)]
    found = together(runs)
    assert verdict_of(found) != "inside"
    assert (found.n == 0) == (n == 0)
    if n:
        assert TOO_FEW in said_of(found)


@pytest.mark.parametrize(
    ("share", "low", "high", "n", "verdict"),
    [
        (0.95, 0.93, 0.97, ENOUGH, "inside"),
        (0.95, 0.80, 0.99, ENOUGH - 1, "too few worlds"),
        (0.60, 0.40, 0.80, 20, "below"),
        (0.92, 0.88, 0.95, ENOUGH, "below"),
        (0.98, 0.95, 0.99, ENOUGH, "above"),
        (1.00, 0.98, 1.00, ENOUGH, "above"),
    ],
)
def test_where_a_share_lies(
    share: float, low: float, high: float, n: int, verdict: str
) -> None:
    found = Coverage(share=share, low=low, high=high, bias=0.0, n=n, left_out=0)
    assert verdict_of(found) == verdict
    assert ASKED == (0.93, 0.97)


def test_nothing_played_is_said() -> None:
    assert text_recovered([], together([])) == "There are no results yet."
    assert "No world has been measured" in said_of(together([]))
    (row,) = recovered([run(MEASURED, 1, state="failed")])
    assert (row.coverage.n, row.coverage.left_out) == (0, 1)
    assert math.isnan(row.width_minor)
    assert text_recovered([row], row.coverage)


def test_the_measured_arm_competes_with_nobody() -> None:
    runs = [run(NO_AI, 1), run(CONNECTED, 1), measured(2)]
    (row,) = headline(runs)
    assert {line.arm for line in row.arms} == {NO_AI, CONNECTED}
    assert row.worlds == 1
    assert headline([measured(2)]) == []
