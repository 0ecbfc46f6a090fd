"""A simple model of the reward, each row predicted by a fit without its customer.

A model that has seen a row predicts it too well, and what it missed, which doubly
robust estimators rest on, would be too small. So customers are split into folds, never
a customer across two, and every fold is predicted by a fit on the others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cartwheel.errors import Misuse

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

Array = np.ndarray[Any, Any]

FOLDS = 5
STEADY_ROWS = 20.0
"""Rows' worth of the coarser mean that steadies each finer one."""


def cross_fit(
    *,
    action: ArrayLike,
    reward: ArrayLike,
    cluster: ArrayLike,
    n_actions: int,
    group: ArrayLike | None = None,
    folds: int = FOLDS,
    seed: int = 0,
) -> Array:
    """Return every action's expected reward in every row, shape (n, K).

    The mean of an action in a group is drawn towards the action's mean, and that
    towards the mean of all, by `STEADY_ROWS` rows' worth of each.

    Args:
        action: Number of the logged action, 0 to K - 1, shape (n,).
        reward: What happened, (n,).
        cluster: Customer of each row, any values, (n,).
        n_actions: K.
        group: Context of each row as any value, such as a segment or a position, (n,);
            None for one.
        folds: Parts of the customers.
        seed: Seed of the split.

    Raises:
        Misuse: If there are fewer customers than folds.
        ValueError: If an action is not within 0 to K - 1.

    References:
        Cross-fitting: Chernozhukov et al. (2018), "Double/debiased machine learning".
        Shrinkage towards a coarser mean: Efron and Morris (1975), with a fixed weight.
    """
    chosen, happened = np.asarray(action, np.int64), np.asarray(reward, float)
    if len(chosen) and not 0 <= chosen.min() <= chosen.max() < n_actions:
        raise ValueError(f"actions are not within 0 to {n_actions - 1}")
    names, who = np.unique(np.asarray(cluster), return_inverse=True)
    if len(names) < folds:
        raise Misuse(
            f"A model of the reward needs {folds} customers or more; "
            f"the log has {len(names)}.",
            "Use IPS or SNIPS, which need none, or wait for more customers.",
        )
    kind = np.zeros(len(chosen), np.int64)
    if group is not None:
        kind = np.unique(np.asarray(group), return_inverse=True)[1]
    n_groups = int(kind.max()) + 1
    fold = (np.random.default_rng(seed).permutation(len(names)) % folds)[who]
    expected = np.empty((len(chosen), n_actions))
    for number in range(folds):
        out = fold == number
        table = _shrunk_means(
            kind[~out], chosen[~out], happened[~out], n_groups, n_actions
        )
        expected[out] = table[kind[out]]
    return expected


def _shrunk_means(
    group: Array, action: Array, reward: Array, n_groups: int, n_actions: int
) -> Array:
    """Return the mean by group and action, steadied, shape (G, K)."""
    cell, cells = group * n_actions + action, n_groups * n_actions
    count = np.bincount(cell, minlength=cells).reshape(n_groups, n_actions)
    total = np.bincount(cell, weights=reward, minlength=cells).reshape(count.shape)
    by_action = (total.sum(axis=0) + STEADY_ROWS * reward.mean()) / (
        count.sum(axis=0) + STEADY_ROWS
    )
    result: Array = (total + STEADY_ROWS * by_action) / (count + STEADY_ROWS)
    return result
