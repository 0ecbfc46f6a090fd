"""The reward model: shrunk means, and no customer predicts themselves."""

from __future__ import annotations

import numpy as np
import pytest

from cartwheel.errors import Misuse
from cartwheel.measure.off_policy.reward_model import STEADY_ROWS, cross_fit


def test_prediction_is_the_shrunk_mean_of_the_other_customers() -> None:
    # Two folds of one customer each: each is predicted by the other's four rows.
    expected = cross_fit(
        action=[0, 0, 1, 1, 0, 0, 1, 1],
        reward=[1.0, 3.0, 0.0, 0.0, 10.0, 10.0, 20.0, 20.0],
        cluster=["a"] * 4 + ["b"] * 4,
        n_actions=3,
        folds=2,
    )

    def shrunk(total: float, mean: float) -> float:
        coarse = (total + STEADY_ROWS * mean) / (2 + STEADY_ROWS)
        return (total + STEADY_ROWS * coarse) / (2 + STEADY_ROWS)

    of_b = [shrunk(20, 15), shrunk(40, 15), 15.0]
    of_a = [shrunk(4, 1), shrunk(0, 1), 1.0]
    assert expected[0] == pytest.approx(of_b)
    assert expected[3] == pytest.approx(of_b)
    assert expected[7] == pytest.approx(of_a)


def test_rewards_of_a_customer_do_not_move_their_own_predictions() -> None:
    rng = np.random.default_rng(1)
    who, action = rng.integers(0, 30, 600), rng.integers(0, 4, 600)
    group, reward = rng.integers(0, 3, 600), rng.random(600)
    changed = np.where(who == 7, 1_000.0, reward)
    before, after = (
        cross_fit(
            action=action, reward=r, cluster=who, group=group, n_actions=4, seed=3
        )
        for r in (reward, changed)
    )
    assert (before[who == 7] == after[who == 7]).all()
    assert (before[who != 7] != after[who != 7]).any()


def test_means_are_recovered_by_group_and_action() -> None:
    rng = np.random.default_rng(1)
    truth = np.array([[0.1, 0.9], [0.7, 0.3]])
    group, action = rng.integers(0, 2, 40_000), rng.integers(0, 2, 40_000)
    reward = (rng.random(40_000) < truth[group, action]).astype(float)
    expected = cross_fit(
        action=action,
        reward=reward,
        cluster=np.arange(40_000),
        group=group,
        n_actions=2,
    )
    assert np.abs(expected - truth[group]).max() < 0.03


def test_too_few_customers_and_unknown_actions_are_refused() -> None:
    with pytest.raises(Misuse, match="5 customers or more; the log has 2"):
        cross_fit(action=[0, 0], reward=[1, 1], cluster=[1, 2], n_actions=1)
    with pytest.raises(ValueError, match="not within 0 to 1"):
        cross_fit(action=[0, 2], reward=[1, 1], cluster=[1, 2], n_actions=2)
