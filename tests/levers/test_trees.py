"""Trees read with numpy say what LightGBM says."""

from __future__ import annotations

import lightgbm
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cartwheel.levers.trees import Trees, from_lightgbm


def learned(seed, *, leaves=16, rounds=12, objective="regression"):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(400, 6)).astype(np.float32)
    x[:, 1] = np.round(x[:, 1])  # ties with thresholds
    x[:, 2] = 0.0  # never split
    y = x[:, 0] * x[:, 1] + np.abs(x[:, 3]) + rng.normal(size=400) / 5
    if objective == "binary":
        y = y > 0.5
    settings = {
        "objective": objective,
        "num_leaves": leaves,
        "min_data_in_leaf": 5,
        "verbose": -1,
        "num_threads": 1,
    }
    return x, lightgbm.train(settings, lightgbm.Dataset(x, y), rounds)


@settings(deadline=None, max_examples=25)
@given(
    seed=st.integers(0, 10_000),
    leaves=st.integers(2, 32),
    objective=st.sampled_from(["regression", "binary"]),
)
def test_trees_equal_lightgbm(seed, leaves, objective):
    x, booster = learned(seed, leaves=leaves, objective=objective)
    trees = from_lightgbm(booster)
    rng = np.random.default_rng(seed)
    rows = np.concatenate([x, (rng.normal(size=(50, 6)) * 100).astype(np.float32)])
    expected = booster.predict(rows, raw_score=True)
    assert trees.predict(rows) == pytest.approx(expected, abs=1e-6)


def test_values_at_a_threshold_go_left():
    _, booster = learned(1)
    trees = from_lightgbm(booster)
    at = trees.threshold[: trees.threshold_start[1]]
    rows = np.zeros((len(at), 6))
    rows[:, 0] = at
    expected = booster.predict(rows, raw_score=True)
    assert trees.predict(rows) == pytest.approx(expected, abs=1e-6)


def test_trees_without_a_split_are_a_constant():
    table = lightgbm.Dataset(np.zeros((50, 2)), np.arange(50.0))
    booster = lightgbm.train({"verbose": -1, "objective": "regression"}, table, 3)
    found = from_lightgbm(booster).predict(np.ones((4, 2)))
    assert found == pytest.approx(booster.predict(np.ones((4, 2)), raw_score=True))


def test_more_leaves_than_a_mask_has_bits_are_refused():
    _, booster = learned(1, leaves=60)
    with pytest.raises(ValueError, match="at most 32"):
        from_lightgbm(booster)


def test_a_split_by_category_is_refused():
    rng = np.random.default_rng(1)
    kind = rng.integers(5, size=500)
    table = lightgbm.Dataset(
        kind[:, None].astype(float), (kind % 2) * 1.0, categorical_feature=[0]
    )
    booster = lightgbm.train({"verbose": -1, "min_data_in_leaf": 5}, table, 2)
    with pytest.raises(ValueError, match="only <="):
        from_lightgbm(booster)


def test_arrays_are_read_back():
    x, booster = learned(2)
    trees = from_lightgbm(booster)
    again = Trees.read(trees.arrays("next_"), "next_")
    assert np.array_equal(again.predict(x), trees.predict(x))
