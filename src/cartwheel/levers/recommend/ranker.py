"""Orders the candidates of every source by one model, learned from what came next."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cartwheel.levers.recommend.pool import FEATURES, Choosing, Pool, make_pool
from cartwheel.levers.recommend.sequences import Prefixes, Sequences, prefixes
from cartwheel.levers.recommend.sources import Sources
from cartwheel.levers.trees import Trees, from_lightgbm

Array = np.ndarray[Any, Any]

BLOCK = 256
"""Cases whose candidates are made at a time."""

LONGEST = 300
"""Latest entries of a prefix that are read."""

PASSED = 0.33
"""Share of the candidates that did not come next the trees learn from, drawn evenly:
drawn by rank they would teach that whatever ranks low comes next."""

ROUNDS = 80
SETTINGS = {
    "objective": "lambdarank",
    "metric": "None",
    "num_leaves": 15,
    "learning_rate": 0.1,
    "min_data_in_leaf": 50,
    "feature_fraction": 0.7,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "lambda_l2": 5.0,
    "lambdarank_truncation_level": 20,
    "deterministic": True,
    "force_row_wise": True,
    "num_threads": 1,
    "verbose": -1,
}
HEAVIEST = 10.0
"""Most that a case counts, of an average one; inverse propensities have no bound."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cases:
    """Questions of what comes next, with the answers.

    Attributes:
        data: Sequences that prefixes are cut from.
        which: Sequence of each case, shape (rows,).
        until: Place in `data.item` before which the prefix ends, shape (rows,).
        now: Moment asked about, in days, shape (rows,).
        row: Case of each answer, not falling, shape (answers,).
        target: Product number of each answer.
        weight: How much each case counts, shape (rows,).
    """

    data: Sequences
    which: Array
    until: Array
    now: Array
    row: Array
    target: Array
    weight: Array

    def __len__(self) -> int:
        """Return how many cases there are."""
        return len(self.which)

    def take(self, chosen: Array) -> Cases:
        """Return some cases, by number, ascending."""
        place = np.full(len(self), -1)
        place[chosen] = np.arange(len(chosen))
        kept = place[self.row] >= 0
        return Cases(
            data=self.data,
            which=self.which[chosen],
            until=self.until[chosen],
            now=self.now[chosen],
            row=place[self.row[kept]],
            target=self.target[kept],
            weight=self.weight[chosen],
        )

    def blocks(self, size: int = BLOCK) -> Iterator[tuple[int, Prefixes]]:
        """Yield the first case of each block, and the block's prefixes."""
        for first in range(0, len(self), size):
            part = slice(first, first + size)
            yield (
                first,
                prefixes(
                    self.data,
                    self.which[part],
                    self.until[part],
                    self.now[part],
                    most=LONGEST,
                ),
            )

    def answered(self, row: Array, item: Array) -> Array:
        """Return which pairs of a case and a product are answers, shape (n,) bool."""
        n_items = self.data.n_items
        return np.isin(row * n_items + item, self.row * n_items + self.target)


def every_step(data: Sequences, weight: Array | None = None) -> Cases:
    """Return a case for each entry of a sequence after the first step.

    Args:
        data: Sequences whose every entry is a step.
        weight: How much each entry counts as an answer, shape (n,); None counts all
            alike. Of a click on a slot this is one over the slot's probability.
    """
    place = np.flatnonzero(data.step > 0)
    found = np.ones(len(place)) if weight is None else weight[place]
    return Cases(
        data=data,
        which=data.owner[place],
        until=place,
        now=data.at[place],
        row=np.arange(len(place)),
        target=data.item[place],
        weight=found,
    )


def steps_after(data: Sequences, cut: Array, now: Array) -> Cases:
    """Return one case a sequence: what follows a place, given what is before it.

    A product that is met several times after the cut is one answer.

    Args:
        data: Sequences.
        cut: Place in `data.item` where each sequence is cut, shape (m,); sequences
            with nothing before it or nothing after it make no case.
        now: Moment of each cut, in days, shape (m,).
    """
    use = np.flatnonzero((cut > data.start[:-1]) & (cut < data.start[1:]))
    case = np.full(len(data), -1)
    case[use] = np.arange(len(use))
    row = case[data.owner]
    after = (row >= 0) & (np.arange(len(data.item)) >= cut[data.owner])
    n_items = max(data.n_items, 1)
    answers = np.unique(row[after] * n_items + data.item[after])
    return Cases(
        data=data,
        which=use,
        until=cut[use],
        now=np.asarray(now, float)[use],
        row=answers // n_items,
        target=answers % n_items,
        weight=np.ones(len(use)),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """Candidates of some cases, and which of them came next.

    Attributes:
        row: Case of each candidate, not falling, shape (n,).
        hit: Whether it was an answer, shape (n,) bool.
        blend: The sources' shares added up.
        popular: How often it was met before.
        features: Columns as in `FEATURES`.
        answers: Answers of each case, shape (cases,).
        weight: How much each case counts, shape (cases,).
    """

    row: Array
    hit: Array
    blend: Array
    popular: Array
    features: Array
    answers: Array
    weight: Array

    def take(self, chosen: Array) -> Lesson:
        """Return some cases, by number, ascending."""
        place = np.full(len(self.answers), -1)
        place[chosen] = np.arange(len(chosen))
        kept = place[self.row] >= 0
        return Lesson(
            row=place[self.row[kept]],
            hit=self.hit[kept],
            blend=self.blend[kept],
            popular=self.popular[kept],
            features=self.features[kept],
            answers=self.answers[chosen],
            weight=self.weight[chosen],
        )

    def gains(self, trees: Trees | None, top: int) -> Array:
        """Return NDCG of each case by trees, or by the blend, shape (cases,)."""
        score = self.blend if trees is None else trees.predict(self.features)
        order = np.lexsort((-self.popular, -score, self.row))
        row, hit = self.row[order], self.hit[order]
        rank = np.arange(len(row)) - np.searchsorted(row, row)
        first = rank < top
        discount = 1.0 / np.log2(rank[first] + 2.0)
        gain = np.bincount(
            row[first], weights=hit[first] * discount, minlength=len(self.answers)
        )
        ideal = np.cumsum(1.0 / np.log2(np.arange(2.0, top + 2)))
        result: Array = gain / ideal[np.clip(self.answers, 1, top) - 1]
        return result


def make_lesson(sources: Sources, cases: Cases, choosing: Choosing) -> Lesson:
    """Return the candidates of cases that came after the sources were learned."""
    parts = []
    for first, asked in cases.blocks():
        pool = make_pool(sources, asked, choosing)
        hit = cases.answered(pool.row + first, pool.item)
        popular = sources.count[pool.item]
        parts.append((pool.row + first, hit, pool.blend, popular, pool.features))
    nothing = (
        np.zeros(0, np.int64),
        np.zeros(0, bool),
        np.zeros(0),
        np.zeros(0, np.float32),
        np.zeros((0, len(FEATURES)), np.float32),
    )
    row, hit, blend, popular, features = map(
        np.concatenate, zip(nothing, *parts, strict=True)
    )
    return Lesson(
        row=row,
        hit=hit,
        blend=blend,
        popular=popular,
        features=features,
        answers=np.bincount(cases.row, minlength=len(cases)),
        weight=cases.weight,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranker:
    """How candidates are ordered.

    Attributes:
        trees: Learned; None orders by the blend of the sources.
        choosing: How candidates are chosen.
    """

    trees: Trees | None
    choosing: Choosing

    def rank(self, sources: Sources, asked: Prefixes) -> tuple[Array, Array, Array]:
        """Return case, product and score of each candidate, the best first a case."""
        pool = make_pool(sources, asked, self.choosing)
        score = self.score(pool)
        order = np.lexsort((-sources.count[pool.item], -score, pool.row))
        return pool.row[order], pool.item[order], score[order]

    def score(self, pool: Pool) -> Array:
        """Return each candidate's score."""
        if self.trees is None:
            return pool.blend
        return self.trees.predict(pool.features)


def bounded(weight: Array) -> Array:
    """Return weights over their mean, at most `HEAVIEST`.

    References:
        Clipped inverse propensities; Joachims, Swaminathan and Schnabel (2017),
        "Unbiased learning-to-rank with biased feedback".
    """
    result: Array = np.minimum(weight / max(float(weight.mean()), 1e-12), HEAVIEST)
    return result


def learn_trees(lessons: Sequence[Lesson], *, seed: int) -> Trees | None:
    """Learn how to order candidates; None when no answer is among them.

    Args:
        lessons: Candidates of cases.
        seed: Seed of the draws.

    References:
        Burges (2010), "From RankNet to LambdaRank to LambdaMART".
    """
    import lightgbm

    rng = np.random.default_rng(seed)
    rows, labels, sizes, weights = [], [], [], []
    for one in lessons:
        count = len(one.answers)
        told = np.bincount(one.row, weights=one.hit, minlength=count) > 0
        drawn = one.hit | (rng.random(len(one.hit)) < PASSED)
        kept = np.flatnonzero(told[one.row] & drawn)
        size = np.bincount(one.row[kept], minlength=count)
        rows.append(one.features[kept])
        labels.append(one.hit[kept])
        sizes.append(size[size > 0])
        weights.append(one.weight[size > 0])
    if sum(map(len, labels)) == 0:
        return None
    size, weight = np.concatenate(sizes), bounded(np.concatenate(weights))
    table = lightgbm.Dataset(
        np.concatenate(rows),
        np.concatenate(labels).astype(np.int32),
        group=size,
        weight=np.repeat(weight, size),
        feature_name=[f"f{number}" for number in range(len(FEATURES))],
    )
    settings = {**SETTINGS, "seed": seed}
    return from_lightgbm(lightgbm.train(settings, table, ROUNDS))
