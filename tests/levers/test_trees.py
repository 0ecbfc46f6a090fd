"""Trees read with numpy give what LightGBM gives."""

from __future__ import annotations

from typing import Any

import lightgbm
import numpy as np
import pytest

from cartwheel.levers.trees import Trees, from_lightgbm


def learned(**changes: Any) -> tuple[lightgbm.Booster, np.ndarray]:
    rng = np.random.default_rng(1)
    rows = rng.normal(size=(2000, 6))
    rows[:, 3] = rng.integers(0, 4, 2000)
    target = np.sin(rows[:, 0]) + (rows[:, 3] > 1) * rows[:, 1]
    values = {"verbosity": -1, "num_leaves": 31, "num_threads": 1, **changes}
    booster = lightgbm.train(values, lightgbm.Dataset(rows, target), 60)
    return booster, rows


def test_trees_predict_what_lightgbm_does() -> None:
    booster, rows = learned()
    trees = from_lightgbm(booster)
    assert np.abs(trees.predict(rows) - booster.predict(rows)).max() < 1e-6
    edges = np.repeat(trees.threshold[:50, None], 6, axis=1)
    assert np.abs(trees.predict(edges) - booster.predict(edges)).max() < 1e-6


def test_trees_come_back_from_their_arrays() -> None:
    booster, rows = learned()
    trees = from_lightgbm(booster)
    again = Trees.read(trees.arrays("t_"), "t_")
    assert np.array_equal(again.predict(rows), trees.predict(rows))


def test_a_tree_with_too_many_leaves_is_refused() -> None:
    booster, _ = learned(num_leaves=40)
    with pytest.raises(ValueError, match="at most 32"):
        from_lightgbm(booster)
