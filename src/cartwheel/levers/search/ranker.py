"""The learned order: LightGBM on what was wanted, read with numpy when answering.

Learned only from enough clicks and kept only when it beats the fixed blend on queries
it did not see; else the blend stays.

References:
    Burges (2010), "From RankNet to LambdaRank to LambdaMART: an overview".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np

from cartwheel.levers.search.features import NAMES, features
from cartwheel.levers.search.learned import (
    Wanted,
    found_by_clicks,
    learn_words,
)
from cartwheel.levers.search.match import Matches, match
from cartwheel.levers.search.meaning import Near, near, read_ahead
from cartwheel.levers.search.query import Understood, understand
from cartwheel.levers.trees import Trees, from_lightgbm

Array = np.ndarray[Any, Any]

CANDIDATES = 300
"""Products ranked for an answer; the rest of a long result keeps the blend's order."""

BY_CLICKS = 100
"""Of these at most, found by what clicks taught and not by their own words."""

SEEN, DRAWN = 60, 60
"""Products learned from for a query besides those shown: the best, and drawn ones."""

FOLDS = 5
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
    "lambdarank_truncation_level": 30,
    "label_gain": [0, 1, 2, 3, 4],
    "verbosity": -1,
    "num_threads": 1,
    "deterministic": True,
    "force_col_wise": True,
}
ROUNDS = 150
TREES = "order_"
"""What the names of the trees' arrays begin with."""

SHARPNESS = 0.5
"""How fast relevance falls with the trees' score, for the tiers."""

FEWEST_JUDGED = 50
"""Queries that must judge a learned order before it can replace the blend."""


def candidates(
    arrays: Mapping[str, Array],
    asked: Understood,
    found: Matches,
    close: Near | None,
    left: Array,
) -> Array:
    """Return the products that are ranked: the best by words, clicks and meaning."""
    at = np.flatnonzero(left & (found.blend > 0))
    if len(at) > CANDIDATES:
        at = at[np.argpartition(-found.blend[at], CANDIDATES - 1)[:CANDIDATES]]
    also = [found_by_clicks(arrays, asked.parts, BY_CLICKS)]
    also += [close.at] if close is not None else []
    return np.unique(np.concatenate([at, *(more[left[more]] for more in also)]))


def rank(
    arrays: Mapping[str, Array],
    asked: Understood,
    found: Matches,
    close: Near | None,
    left: Array,
) -> tuple[Array, Array]:
    """Return the ranked products and their relevance by the learned order, above 0.

    Args:
        arrays: The model's arrays, with a learned order.
        asked: The query.
        found: How well every product meets it.
        close: How near every product is to it in meaning, where that is known.
        left: Which products may be ranked, shape (n,).
    """
    at = candidates(arrays, asked, found, close, left)
    if not len(at):
        return at, np.zeros(0)
    table = features(arrays, asked, found, close, at)
    score = Trees.read(arrays, TREES).predict(table)
    return at, np.exp(np.clip(SHARPNESS * (score - score.max()), -30.0, 0.0))


def learn_order(
    arrays: Mapping[str, Array], wanted: Wanted, *, seed: int
) -> dict[str, Array]:
    """Return the trees that order candidates, as arrays; none without any example.

    A query's features hold nothing that its own clicks taught: queries are in folds,
    and each is described by what the other folds teach. So the trees learn how far to
    trust the clicks of other queries.

    Args:
        arrays: The index, with what clicks taught it.
        wanted: What was wanted after each query.
        seed: Seed of the draws of rows and features.
    """
    import lightgbm

    read_ahead(arrays, wanted.queries)
    rng = np.random.default_rng(seed)
    step = max(float(wanted.gain.max(initial=0.0)), 1e-9) / GRADES
    rows, labels, sizes = [], [], []
    fold = rng.permutation(len(wanted.queries)) % FOLDS
    asked = [understand(arrays, [], q, minor_digits=0) for q in wanted.queries]
    parts = [one.parts for one in asked]
    for example in chain.from_iterable(
        _examples(
            {**arrays, **learn_words(arrays, parts, wanted, fold[wanted.query] != k)},
            wanted.only(fold == k),
        )
        for k in range(FOLDS)
    ):
        keep = example.shown | _sampled(example.table[:, NAMES.index("rank")], rng)
        rows.append(example.table[keep])
        labels.append(np.rint(example.gain[keep] / step).astype(np.int32))
        sizes.append(int(keep.sum()))
    if not rows:
        return {}
    data = lightgbm.Dataset(np.concatenate(rows), np.concatenate(labels), group=sizes)
    settings = {**PARAMETERS, "seed": seed}
    booster = lightgbm.train(settings, data, num_boost_round=ROUNDS)
    return from_lightgbm(booster).arrays(TREES)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Example:
    """The candidates of one query: features, gains, which were shown; all gains."""

    table: Array
    gain: Array
    shown: Array
    best: Array


def _examples(arrays: Mapping[str, Array], wanted: Wanted) -> Iterator[_Example]:
    n = len(arrays["title_start"]) - 1
    everyone = np.ones(n, bool)
    order = np.argsort(wanted.query, kind="stable")
    first = np.searchsorted(wanted.query[order], np.arange(len(wanted.queries) + 1))
    for number, text in enumerate(wanted.queries):
        mine = order[first[number] : first[number + 1]]
        one = understand(arrays, [], text, minor_digits=0)
        if not one.parts or not (wanted.gain[mine] > 0).any():
            continue
        found = match(arrays, one.parts, n)
        close = near(arrays, one.meaning, everyone)
        at = candidates(arrays, one, found, close, everyone)
        if not len(at):
            continue
        gain = np.zeros(n)
        gain[wanted.product[mine]] = wanted.gain[mine]
        table = features(arrays, one, found, close, at)
        shown = np.isin(at, wanted.product[mine])
        best = np.sort(wanted.gain[mine])[::-1]
        yield _Example(table=table, gain=gain[at], shown=shown, best=best)


def judge_order(
    arrays: Mapping[str, Array], wanted: Wanted, *, seed: int
) -> dict[str, float]:
    """Return how the learned order does on a fifth of the queries, kept apart.

    Args:
        arrays: The index before any click taught it.
        wanted: What was wanted after each query.
        seed: Seed of the split and of the learning.

    Returns:
        NDCG@10 of the blend and of the learned order, the gain and its lower end at
        95 % (bootstrap by query), and the queries judged; {} with fewer than 50.
    """
    from cartwheel.levers.search.learn import learn_from_clicks

    rng = np.random.default_rng(seed)
    test = np.zeros(len(wanted.queries), bool)
    test[rng.permutation(len(test))[: len(test) // 5]] = True
    if test.sum() < FEWEST_JUDGED:
        return {}
    taught = learn_from_clicks(arrays, wanted.only(~test))
    trees = learn_order(taught, wanted.only(~test), seed=seed)
    if not trees:
        return {}
    read = Trees.read(trees, TREES)
    pairs = []
    for example in _examples(taught, wanted.only(test)):
        blend = example.table[:, NAMES.index("blend")]
        learned = ndcg(example.gain, read.predict(example.table), example.best)
        pairs.append((ndcg(example.gain, blend, example.best), learned))
    if len(pairs) < FEWEST_JUDGED:
        return {}
    plain, learned_ = np.array(pairs).T
    draws = rng.integers(0, len(pairs), (1000, len(pairs)))
    gains = (learned_ - plain)[draws].mean(axis=1)
    return {
        "blend": float(plain.mean()),
        "learned": float(learned_.mean()),
        "gain_low": float(np.quantile(gains, 0.025)),
        "gain_high": float(np.quantile(gains, 0.975)),
        "queries": float(len(pairs)),
    }


def ndcg(gain: Array, score: Array, best: Array, depth: int = 10) -> float:
    """Return NDCG with linear gains and 1 / log2(rank + 1).

    Args:
        gain: Gains of the ranked products.
        score: Their scores; ties go to the first.
        best: Gains in the best order, those not ranked included.
        depth: Ranks that count.
    """
    discount = 1.0 / np.log2(np.arange(2, depth + 2))
    order = np.argsort(-score, kind="stable")[:depth]
    ideal = float((best[:depth] * discount[: len(best[:depth])]).sum())
    got = float((gain[order] * discount[: len(order)]).sum())
    return got / ideal if ideal > 0 else 0.0


def _sampled(rank: Array, rng: np.random.Generator) -> Array:
    """Return which candidates are learned from: the best and some of the others."""
    order = np.argsort(rank, kind="stable")
    keep = np.zeros(len(order), bool)
    keep[order[:SEEN]] = True
    keep[rng.permutation(order[SEEN:])[:DRAWN]] = True
    return keep
