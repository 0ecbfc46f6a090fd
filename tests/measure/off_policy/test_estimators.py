"""Estimators by hand, and what they promise for any log."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cartwheel.measure.off_policy.estimators import (
    ESTIMATORS,
    switch_threshold,
    terms,
)
from cartwheel.measure.off_policy.log import Log, make_log

Array = np.ndarray[Any, Any]

# Weights 2, 0.5, 0 and 4; the model expects 1 of what was done, 3 of the target.
BY_HAND = make_log(
    propensity=[0.5, 0.8, 0.5, 0.25],
    target=[1.0, 0.4, 0.0, 1.0],
    reward=[3.0, 2.0, 5.0, 1.0],
    expected_logged=[1.0, 1.0, 1.0, 1.0],
    expected_target=[3.0, 3.0, 3.0, 3.0],
)


@pytest.mark.parametrize(
    ("estimator", "value"),
    [
        ("ips", (6 + 1 + 0 + 4) / 4),
        ("snips", (6 + 1 + 0 + 4) / 6.5),
        ("dm", 3.0),
        ("dr", 3 + (2 * 2 + 0.5 * 1 + 0 + 0) / 4),
        ("sndr", 3 + (2 * 2 + 0.5 * 1 + 0 + 0) / 6.5),
    ],
)
def test_value_by_hand(estimator: Any, value: float) -> None:
    assert terms(BY_HAND, estimator).value == pytest.approx(value)


@pytest.mark.parametrize(
    ("threshold", "value"),
    [(0.4, 3.0), (0.5, 3 + 0.5 / 4), (2.0, 3 + 4.5 / 4), (4.0, 3 + 4.5 / 4)],
)
def test_switch_leaves_larger_weights_to_the_model(
    threshold: float, value: float
) -> None:
    assert terms(BY_HAND, "switch-dr", threshold).value == pytest.approx(value)


def test_rows_of_all_actions_give_the_same_as_sums_made_by_hand() -> None:
    target = np.array([[0.2, 0.8], [0.5, 0.5], [1.0, 0.0]])
    model = np.array([[1.0, 2.0], [3.0, 5.0], [4.0, 9.0]])
    log = make_log(
        propensity=[0.5, 0.5, 0.5],
        target=target,
        action=[1, 0, 0],
        reward=[0.0, 1.0, 0.0],
        expected=model,
    )
    assert log.target.tolist() == [0.8, 0.5, 1.0]
    assert log.expected_logged is not None
    assert log.expected_logged.tolist() == [2.0, 3.0, 4.0]
    assert log.expected_target == pytest.approx([1.8, 4.0, 4.0])


def test_error_of_rows_is_the_standard_error_of_a_mean() -> None:
    reward = np.array([1.0, 4.0, 2.0, 9.0])
    log = make_log(propensity=np.ones(4), target=np.ones(4), reward=reward)
    expected = reward.std(ddof=0) / 2
    assert terms(log, "ips").error_of_rows() == pytest.approx(expected)
    assert terms(log, "snips").error_of_rows() == pytest.approx(expected)


def test_switch_keeps_all_weights_where_they_are_alike() -> None:
    rng = np.random.default_rng(1)
    log = make_log(
        propensity=np.full(500, 0.5),
        target=np.where(rng.random(500) < 0.5, 0.4, 0.6),
        reward=rng.normal(size=500),
        expected_logged=np.zeros(500),
        expected_target=np.zeros(500),
    )
    assert switch_threshold(log) == pytest.approx(1.2)


def test_switch_gives_up_a_huge_weight_for_a_good_model() -> None:
    rng = np.random.default_rng(1)
    noise = rng.normal(0, 0.1, 1_000)
    noise[0] = 0.1
    log = make_log(
        propensity=np.r_[1e-4, np.full(999, 0.9)],
        target=np.full(1_000, 0.9),
        reward=1 + noise,
        expected_logged=np.ones(1_000),
        expected_target=np.ones(1_000),
    )
    assert switch_threshold(log) < log.weight[0]
    assert abs(terms(log, "switch-dr").value - 1) < 0.02
    assert abs(terms(log, "dr").value - 1) > 0.5


def test_unknown_estimator_and_missing_model_are_refused() -> None:
    log = make_log(propensity=[0.5], target=[0.5], reward=[1.0])
    with pytest.raises(ValueError, match="expected one of ips, snips"):
        terms(log, "best")  # type: ignore[arg-type]
    for name in ("dm", "dr", "sndr", "switch-dr"):
        with pytest.raises(ValueError, match=f"{name} needs expected rewards"):
            terms(log, name)
    with pytest.raises(ValueError, match="needs expected rewards"):
        switch_threshold(log)


# --- promises

chance = st.floats(0.01, 1.0)
money = st.floats(-1e3, 1e3)


@st.composite
def logs(draw: st.DrawFn, *, model: str = "none") -> Log:
    n = draw(st.integers(1, 25))

    def values(one: st.SearchStrategy[float]) -> Array:
        return np.array(draw(st.lists(one, min_size=n, max_size=n)))

    reward, target = values(money), values(st.floats(0.0, 1.0))
    target[draw(st.integers(0, n - 1))] = draw(chance)
    expected: dict[str, Array] = {}
    if model == "perfect":
        expected = {"expected_logged": reward, "expected_target": values(money)}
    if model == "zero":
        expected = {"expected_logged": np.zeros(n), "expected_target": np.zeros(n)}
    return make_log(propensity=values(chance), target=target, reward=reward, **expected)


@given(logs())
def test_snips_is_within_the_rewards(log: Log) -> None:
    counted = log.reward[log.weight > 0]
    value = terms(log, "snips").value
    slack = 1e-9 * (1 + np.abs(counted).max())
    assert counted.min() - slack <= value <= counted.max() + slack


@given(logs())
def test_target_that_is_the_logging_policy_earned_what_was_logged(log: Log) -> None:
    same = make_log(propensity=log.propensity, target=log.propensity, reward=log.reward)
    for name in ("ips", "snips"):
        assert terms(same, name).value == pytest.approx(log.reward.mean(), abs=1e-9)


@given(logs(), st.randoms(use_true_random=False))
def test_order_of_rows_does_not_matter(log: Log, random: Any) -> None:
    order = list(range(len(log.reward)))
    random.shuffle(order)
    mixed = make_log(
        propensity=log.propensity[order],
        target=log.target[order],
        reward=log.reward[order],
    )
    for name in ("ips", "snips"):
        value = terms(log, name).value
        size = float(np.abs(log.weight * log.reward).mean())
        assert terms(mixed, name).value == pytest.approx(value, abs=1e-9 * (1 + size))


@given(logs(model="perfect"))
def test_doubly_robust_is_the_model_where_it_is_perfect(log: Log) -> None:
    value = terms(log, "dm").value
    for name in ("dr", "sndr", "switch-dr"):
        assert terms(log, name).value == pytest.approx(value, abs=1e-9)


@given(logs(model="zero"))
def test_doubly_robust_is_ips_where_the_model_says_nothing(log: Log) -> None:
    assert terms(log, "dr").value == pytest.approx(terms(log, "ips").value, abs=1e-9)
    most = float(log.weight.max())
    assert terms(log, "switch-dr", most).value == terms(log, "dr").value
    assert terms(log, "sndr").value == pytest.approx(
        terms(log, "snips").value, abs=1e-9
    )


@given(logs(model="zero"), st.floats(0.1, 10.0), money)
def test_values_follow_the_unit_of_rewards(log: Log, times: float, more: float) -> None:
    # Another unit scales every value; a constant added shifts the self-normalised.
    other = make_log(
        propensity=log.propensity, target=log.target, reward=times * log.reward + more
    )
    snips = times * terms(log, "snips").value + more
    assert terms(other, "snips").value == pytest.approx(snips, rel=1e-6, abs=1e-6)
    scaled = make_log(
        propensity=log.propensity, target=log.target, reward=times * log.reward
    )
    ips = times * terms(log, "ips").value
    assert terms(scaled, "ips").value == pytest.approx(ips, rel=1e-6, abs=1e-6)


def test_every_estimator_is_tried_here() -> None:
    assert set(ESTIMATORS) == {"ips", "snips", "dm", "dr", "sndr", "switch-dr"}
