"""Logs that cannot be: each refusal says how many rows, and what is accepted."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from cartwheel.errors import Misuse
from cartwheel.measure.off_policy.log import make_log


def good(n: int = 4, **changes: Any) -> dict[str, Any]:
    values: dict[str, Any] = {
        "propensity": np.full(n, 0.5),
        "target": np.full(n, 0.5),
        "reward": np.ones(n),
    }
    return values | changes


def test_empty_log_is_refused() -> None:
    with pytest.raises(Misuse, match="0 rows"):
        make_log(propensity=[], target=[], reward=[])


@pytest.mark.parametrize("wrong", [0.0, -0.2, 1.0001, math.nan, math.inf, 1e-12])
def test_impossible_propensity_is_refused(wrong: float) -> None:
    with pytest.raises(Misuse, match=r"2 of 4 rows have a propensity .*row 1.*1e-09"):
        make_log(**good(propensity=[0.5, wrong, wrong, 1.0]))


@pytest.mark.parametrize("wrong", [-0.1, 1.1, math.nan])
def test_impossible_target_is_refused(wrong: float) -> None:
    with pytest.raises(Misuse, match=r"1 of 4 rows have a target prob.*0 to 1"):
        make_log(**good(target=[0.5, 0.0, wrong, 1.0]))


@pytest.mark.parametrize("wrong", [math.nan, math.inf])
def test_impossible_reward_is_refused(wrong: float) -> None:
    with pytest.raises(Misuse, match="1 of 4 rows have a reward"):
        make_log(**good(reward=[1.0, 0.0, 0.0, wrong]))


def test_log_without_anything_the_target_does_is_refused() -> None:
    with pytest.raises(Misuse, match="None of the 4 rows shows"):
        make_log(**good(target=np.zeros(4)))


def test_target_of_all_actions_must_sum_to_one() -> None:
    wrong = [[0.5, 0.5], [0.5, 0.4], [0.5, 0.5], [0.6, 0.5]]
    with pytest.raises(Misuse, match=r"2 of 4 rows have target prob.*0\.9 .*1\."):
        make_log(**good(target=wrong, action=[0, 1, 0, 1]))


@pytest.mark.parametrize("action", [[0, 1, 2, 0], [0, -1, 0, 0]])
def test_action_that_is_none_is_refused(action: list[int]) -> None:
    with pytest.raises(Misuse, match="1 of 4 rows have an action"):
        make_log(**good(target=np.full((4, 2), 0.5), action=action))


def test_expected_reward_that_is_no_number_is_refused() -> None:
    model = np.ones((4, 2))
    model[2, 1] = math.nan
    with pytest.raises(Misuse, match=r"1 of 4 rows .*expected reward"):
        make_log(**good(target=np.full((4, 2), 0.5), action=[0] * 4, expected=model))
    with pytest.raises(Misuse, match="3 of 4 rows have an expected reward"):
        make_log(**good(expected_logged=[0.0, math.nan, math.inf, math.nan]))


@pytest.mark.parametrize("nobody", [None, math.nan])
def test_row_of_nobody_is_refused(nobody: Any) -> None:
    names = np.array(["a", nobody, "b", nobody], dtype=object)
    with pytest.raises(Misuse, match="2 of 4 rows name no customer"):
        make_log(**good(cluster=names))


@pytest.mark.parametrize(
    "changes",
    [
        {"reward": np.ones(3)},
        {"target": np.ones(3)},
        {"cluster": [1, 2]},
        {"expected_logged": np.ones(5)},
        {"expected": np.ones((4, 2))},
        {"target": np.full((4, 2), 0.5)},
        {"propensity": np.full((4, 1), 0.5)},
        {
            "target": np.full((4, 2), 0.5),
            "action": np.zeros(4, int),
            "expected": np.ones((4, 3)),
        },
    ],
)
def test_shapes_that_do_not_fit_are_a_mistake(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"shape|needed|must be"):
        make_log(**good(**changes))


def test_customers_are_numbered_and_rows_alone_without_them() -> None:
    log = make_log(**good(cluster=["b", "a", "b", "c"]))
    assert (log.cluster.tolist(), log.n_clusters) == ([1, 0, 1, 2], 3)
    alone = make_log(**good())
    assert (alone.cluster.tolist(), alone.n_clusters) == ([0, 1, 2, 3], 4)
