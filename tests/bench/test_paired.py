"""Figures of readers of the same texts, worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from bench.paired import area, coverage, paired


def test_coverage_is_the_most_that_is_right_often_enough():
    sure = np.array([0.9, 0.8, 0.7, 0.6, 0.5])
    right = np.array([True, True, False, True, False])
    assert coverage(sure, right, 1.0) == 0.4
    assert coverage(sure, right, 0.75) == 0.8
    assert coverage(sure, ~right, 0.97) == 0.0


def test_area_counts_pairs_in_order_and_ties_half():
    positive = np.array([True, False, True, False])
    assert area(np.array([4.0, 3.0, 2.0, 1.0]), positive) == 0.75
    assert area(np.zeros(4), positive) == 0.5


def test_difference_is_on_the_same_draws():
    rng = np.random.default_rng(2)
    base = rng.random(300)
    readers = {"ours": base + 0.1, "other": base}
    figures = list(
        paired(
            "p",
            "mean",
            "300",
            lambda one, at: float(one[at].mean()),
            readers,
            np.arange(300) // 3,
            goal=0.5,
        )
    )
    names = [figure.name for figure in figures]
    assert names == ["mean, ours", "mean, other", "mean, ours less other"]
    assert [figure.least for figure in figures] == [0.5, None, None]
    assert figures[2].values == pytest.approx([0.1, 0.1, 0.1])
    low, _, high = figures[0].values
    assert high - low > 0.03
