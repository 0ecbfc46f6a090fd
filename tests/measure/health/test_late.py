"""Waits that last longer: by hand, against every choice, and under no change."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cartwheel.measure.health.late import (
    GRID,
    late_chance,
    log_rank_scores,
    median_wait,
)

YES = np.ones(4, bool)


def test_scores_by_hand() -> None:
    # Hazards 1/4, then 2/3 of those left, then none: the last is still open.
    found = log_rank_scores(
        np.array([1.0, 2.0, 2.0, 5.0]), np.array([True, True, True, False])
    )
    later = 1 / 4 + 2 / 3
    assert found == pytest.approx([1 / 4 - 1, later - 1, later - 1, later])
    assert found.sum() == pytest.approx(0)


def test_the_latest_of_all_is_one_choice_of_many() -> None:
    waits = np.array([7.0] * 10 + [21.0, 28.0, 14.0])
    ended = np.arange(13) < 10
    recent = ~ended
    assert late_chance(waits, ended, recent) == pytest.approx(1 / 286)
    # The earliest are never late.
    assert late_chance(waits, ended, ended) == pytest.approx(1)
    assert late_chance(waits, ended, np.ones(13, bool)) == 1
    assert late_chance(waits, ended, np.zeros(13, bool)) == 1


@given(
    st.lists(
        st.tuples(st.integers(1, 9), st.booleans(), st.booleans()),
        min_size=2,
        max_size=9,
    )
)
def test_the_chance_is_the_share_of_all_choices(
    rows: list[tuple[int, bool, bool]],
) -> None:
    waits = np.array([row[0] for row in rows], float)
    ended = np.array([row[1] for row in rows], bool)
    recent = np.array([row[2] for row in rows], bool)
    scores = log_rank_scores(waits, ended)
    whole = np.rint((scores - scores.min()) * GRID)
    count, seen = int(recent.sum()), whole[recent].sum()
    if count in (0, len(rows)):
        assert late_chance(waits, ended, recent) == 1
        return
    sums = [whole[list(one)].sum() for one in combinations(range(len(rows)), count)]
    share = np.mean(np.array(sums) >= seen)
    assert late_chance(waits, ended, recent) == pytest.approx(share)


def test_no_change_is_seldom_called_late_though_recent_waits_are_cut_short() -> None:
    rng = np.random.default_rng(3)
    alarms = 0
    for _ in range(400):
        took = rng.gamma(10, 1.0, 45)
        recent = np.arange(45) >= 40
        # The recent ones were sent at any time in the last 28 days.
        so_far = np.where(recent, rng.uniform(0, 28, 45), np.inf)
        waits = np.minimum(took, so_far)
        alarms += late_chance(waits, took <= so_far, recent) < 0.05
    assert alarms <= 30


def test_medians_by_hand() -> None:
    waits = np.array([3.0, 1.0, 9.0, 4.0])
    assert median_wait(waits, YES) == 3
    # 1 of 4 came, then 1 of 2 after one that is open: .75 * .5.
    assert median_wait(waits, np.array([False, True, False, True])) == 4
    assert median_wait(waits, np.array([True, False, False, False])) == 9
    assert median_wait(np.array([5.0]), np.array([False])) == 5


@given(st.lists(st.integers(1, 50), min_size=1, max_size=30))
def test_with_all_ended_it_is_the_lower_median(waits: list[int]) -> None:
    found = median_wait(np.array(waits, float), np.ones(len(waits), bool))
    assert found == sorted(waits)[(len(waits) - 1) // 2]
