"""The learned order: LightGBM on what was wanted, read with numpy when answering.

Learned only from enough clicks and kept only when it beats the fixed blend on queries
it did not see; else the blend stays.

References:
    Burges (2010), "From RankNet to LambdaRank to LambdaMART: an overview".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from cartwheel.levers.search.features import NAMES, features
from cartwheel.levers.search.learned import (
    Wanted,
    found_by_clicks,
    learned_scores,
    main_terms,
)
from cartwheel.levers.search.match import Matches, match
from cartwheel.levers.search.query import Understood
from cartwheel.levers.trees import Trees, from_lightgbm

Array = np.ndarray[Any, Any]

CANDIDATES = 200
BY_CLICKS = 50
GRADES = 4
"""Gains are learned in this many steps of the largest."""

PARAMETERS: Mapping[str, Any] = {
    "objective": "lambdarank",
    "learning_rate": 0.05,
    "num_leaves": 15,
    "min_data_in_leaf": 50,
    "feature_fraction": 0.7,
    "bagging_fraction": 0.7,
    "bagging_freq": 1,
    "lambda_l2": 5.0,
    "lambdarank_truncation_level": 20,
    "label_gain": [0, 1, 2, 3, 4],
    "verbosity": -1,
    "num_threads": 1,
    "deterministic": True,
    "force_col_wise": True,
}
ROUNDS = 200


def candidates(
    arrays: Mapping[str, Array], asked: Understood, found: Matches, left: Array
) -> Array:
    """Return the products that are ranked: the best by words and by clicks."""
    blend = np.where(left, found.score * found.covered, 0.0)
    most = min(CANDIDATES, int((blend > 0).sum()))
    if most == 0:
        return np.zeros(0, np.int64)
    at = np.argpartition(-blend, most - 1)[:most]
    also = found_by_clicks(arrays, asked.parts, BY_CLICKS)
    return np.unique(np.concatenate([at, also[left[also]]]))


def learn_ranker(
    arrays: Mapping[str, Array],
    asked: Sequence[Understood],
    wanted: Wanted,
    *,
    seed: int,
) -> Trees:
    """Return the trees that order candidates.

    What a query's own clicks taught is left out of its features, so that the trees
    learn how far to trust the clicks of other queries.

    Args:
        arrays: The index, with what clicks taught it.
        asked: The queries, understood.
        wanted: What was wanted after each.
        seed: Seed of the draws of rows and features.
    """
    import lightgbm

    n = len(arrays["title_start"]) - 1
    everyone = np.ones(n, bool)
    order = np.argsort(wanted.query, kind="stable")
    first = np.searchsorted(wanted.query[order], np.arange(len(asked) + 1))
    step = max(float(wanted.gain.max(initial=0.0)), 1e-9) / GRADES
    rows, labels, sizes = [], [], []
    for number, one in enumerate(asked):
        mine = order[first[number] : first[number + 1]]
        if not one.parts or not (wanted.gain[mine] > 0).any():
            continue
        found = match(arrays, one.parts, n)
        at = candidates(arrays, one, found, everyone)
        if not len(at):
            continue
        gain = np.zeros(n)
        gain[wanted.product[mine]] = wanted.gain[mine]
        table = features(arrays, one, found, at)
        clicked, met = learned_scores(arrays, one.parts, at, own=gain[at])
        table[:, NAMES.index("clicked")] = clicked
        table[:, NAMES.index("clicked_met")] = met
        rows.append(table)
        labels.append(np.rint(gain[at] / step).astype(np.int32))
        sizes.append(len(at))
    data = lightgbm.Dataset(
        np.concatenate(rows), np.concatenate(labels), group=sizes, free_raw_data=True
    )
    booster = lightgbm.train({**PARAMETERS, "seed": seed}, data, num_boost_round=ROUNDS)
    return from_lightgbm(booster)


__all__ = ["candidates", "learn_ranker", "main_terms"]
