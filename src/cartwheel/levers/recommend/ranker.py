"""Orders the candidates of every source by one model, learned from what came next."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cartwheel.levers.recommend.pool import FEATURES, Pool, make_pool
from cartwheel.levers.recommend.sequences import Prefixes, Sequences, prefixes
from cartwheel.levers.recommend.sources import Sources
from cartwheel.levers.recommend.trees import Trees, from_lightgbm

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
    """Sources, and what came after they were learned."""

    sources: Sources
    cases: Cases


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranker:
    """How candidates are ordered.

    Attributes:
        trees: Learned; None orders by the blend of the sources.
        repeats: Whether products of the prefix are candidates.
    """

    trees: Trees | None
    repeats: bool

    def rank(self, sources: Sources, asked: Prefixes) -> tuple[Array, Array, Array]:
        """Return case, product and score of each candidate, the best first a case."""
        pool = make_pool(sources, asked, repeats=self.repeats)
        score = self.score(pool)
        order = np.lexsort((-sources.count[pool.item], -score, pool.row))
        return pool.row[order], pool.item[order], score[order]

    def score(self, pool: Pool) -> Array:
        """Return each candidate's score."""
        if self.trees is None:
            return pool.blend
        return self.trees.predict(pool.features)


def learn_trees(lessons: Sequence[Lesson], *, repeats: bool, seed: int) -> Trees | None:
    """Learn how to order candidates; None when no answer is among them.

    Args:
        lessons: Sources, each with cases of a later time.
        repeats: Whether products of the prefix are candidates.
        seed: Seed of the draws.

    References:
        Burges (2010), "From RankNet to LambdaRank to LambdaMART".
    """
    import lightgbm

    rng = np.random.default_rng(seed)
    rows, labels, sizes, weights = [], [], [], []
    for lesson in lessons:
        for first, asked in lesson.cases.blocks():
            pool = make_pool(lesson.sources, asked, repeats=repeats)
            hit = lesson.cases.answered(pool.row + first, pool.item)
            told = np.bincount(pool.row, weights=hit, minlength=asked.rows) > 0
            kept = told[pool.row] & (hit | (rng.random(len(hit)) < PASSED))
            size = np.bincount(pool.row[kept], minlength=asked.rows)
            rows.append(pool.features[kept])
            labels.append(hit[kept])
            sizes.append(size[size > 0])
            weights.append(lesson.cases.weight[first : first + asked.rows][size > 0])
    if not sizes or sum(map(len, sizes)) == 0:
        return None
    size, weight = np.concatenate(sizes), np.concatenate(weights)
    weight = np.minimum(weight / weight.mean(), HEAVIEST)
    table = lightgbm.Dataset(
        np.concatenate(rows),
        np.concatenate(labels).astype(np.int32),
        group=size,
        weight=np.repeat(weight, size),
        feature_name=[f"f{number}" for number in range(len(FEATURES))],
    )
    settings = {**SETTINGS, "seed": seed}
    return from_lightgbm(lightgbm.train(settings, table, ROUNDS))
