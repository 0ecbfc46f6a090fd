"""Peers of next-item recommendation, each tuned on the last part of training alone."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from bench.ranking import Lists, top_lists
from cartwheel.levers.recommend.covisits import follows, scaled, strongest_of
from cartwheel.levers.recommend.nearest import Nearness, Sessions, heard, keep_sessions
from cartwheel.levers.recommend.ranker import Cases
from cartwheel.levers.recommend.sequences import Prefixes, Sequences

Array = np.ndarray[Any, Any]
Scored = tuple[Array, Array, Array]
Scorer = Callable[[Prefixes], Scored]


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """A peer with its settings.

    Attributes:
        name: What it is called.
        settings: Tried on validation; the best is used.
        learn: Learns from sequences with settings.
        needs: Packages of the bench that it needs.
    """

    name: str
    settings: tuple[Any, ...]
    learn: Callable[[Sequences, Any], Scorer]
    needs: tuple[str, ...] = ()


def summed(found: Scored, n_items: int) -> Scored:
    """Add up the weights of pairs that come several times."""
    row, item, weight = found
    key, place = np.unique(row * n_items + item, return_inverse=True)
    total = np.bincount(place, weights=weight, minlength=len(key))
    return key // n_items, key % n_items, total


def lists_of(
    scorer: Scorer, cases: Cases, popular: Array, *, seen: bool = True
) -> Lists:
    """Return what a scorer puts first; `seen` allows products of the prefix."""
    blocks = []
    for _, asked in cases.blocks():
        row, item, score = summed(scorer(asked), cases.data.n_items)
        closed = None if seen else (asked.row, asked.item)
        blocks.append(top_lists(row, item, score, popular, asked.rows, closed))
    return Lists(top=np.concatenate(blocks))


def tuned(
    peer: Peer,
    data: Sequences,
    earlier: Sequences,
    trial: Cases,
    *,
    metric: str,
    seen: bool = True,
) -> tuple[Any, Scorer]:
    """Return the settings best on validation, and the peer learned on everything."""
    popular = popularity(earlier)

    def worth(settings: Any) -> float:
        scorer = peer.learn(earlier, settings)
        found = lists_of(scorer, trial, popular, seen=seen)
        return float(found.metrics(trial)[metric].mean())

    best = peer.settings[0]
    if len(peer.settings) > 1:
        best = max(peer.settings, key=worth)
    return best, peer.learn(data, best)


def popularity(data: Sequences) -> Array:
    """Return how often each product was met."""
    return np.bincount(data.item, minlength=data.n_items).astype(float)


def _everything(score: Array) -> Scorer:
    """Score the 400 most popular products alike in every case."""
    best = np.argsort(-score, kind="stable")[:400]

    def scorer(asked: Prefixes) -> Scored:
        row = np.repeat(np.arange(asked.rows), len(best))
        return row, np.tile(best, asked.rows), np.tile(score[best], asked.rows)

    return scorer


def learn_popular(data: Sequences, days: float) -> Scorer:
    """Return popularity of the last days."""
    late = data.at > data.end - days
    return _everything(np.bincount(data.item[late], minlength=data.n_items) * 1.0)


def learn_prefix(data: Sequences, decay: float) -> Scorer:
    """Return what the prefix holds, the latest first."""
    return lambda asked: (asked.row, asked.item, decay**asked.back)


def _spread(similar: Any, decay: float) -> Scorer:
    """Return decayed prefixes times a sparse matrix of items by items."""
    from scipy.sparse import csr_matrix

    def scorer(asked: Prefixes) -> Scored:
        shape = (asked.rows, similar.shape[0])
        told = csr_matrix((decay**asked.back, (asked.row, asked.item)), shape=shape)
        found = (told @ similar).tocoo()
        return found.row.astype(np.int64), found.col.astype(np.int64), found.data

    return scorer


def learn_covisits(data: Sequences, settings: tuple[float, float]) -> Scorer:
    """Return decayed co-visitation in both directions, what follows counting double."""
    step_decay, decay = settings
    ahead = follows(data, decay=step_decay, steps=10)
    both = scaled((ahead + 0.5 * ahead.T).tocsr(), by_row=1.0, by_column=0.0)
    return _spread(_cut(both, 200), decay)


def learn_in_order(data: Sequences, settings: tuple[float, float, float]) -> Scorer:
    """Return co-visitation in time order with a decayed history."""
    step_decay, decay, by_column = settings
    ahead = follows(data, decay=step_decay, steps=10, backward=0.0)
    return _spread(_cut(scaled(ahead, by_row=0.5, by_column=by_column), 500), decay)


def _cut(matrix: Any, keep: int) -> Any:
    from scipy.sparse import csr_matrix

    lists = strongest_of(matrix, keep)
    there = lists.weight > 0
    row = np.repeat(np.arange(len(there)), there.sum(axis=1))
    return csr_matrix((lists.weight[there], (row, lists.index[there])), matrix.shape)


def learn_stan(data: Sequences, settings: tuple[float, float, float]) -> Scorer:
    """Return STAN's nearest sessions."""
    by_step, by_distance, by_age = settings
    how = Nearness(by_step=by_step, by_distance=by_distance, by_age=by_age, count=500)
    sessions: Sessions = keep_sessions(data, per_item=1000)
    return lambda asked: heard(sessions, asked, how)


def held(data: Sequences) -> Any:
    """Return sequences by products, 1 where a sequence holds one."""
    from scipy.sparse import csr_matrix

    shape = (len(data), data.n_items)
    found = csr_matrix((np.ones(len(data.item)), (data.owner, data.item)), shape=shape)
    found.data[:] = 1.0
    return found


def learn_cosine(data: Sequences, settings: tuple[int, float]) -> Scorer:
    """Return `implicit`'s item cosine, the item itself counting 1."""
    from implicit.nearest_neighbours import CosineRecommender

    keep, decay = settings
    model = CosineRecommender(K=keep, num_threads=1)
    model.fit(held(data), show_progress=False)
    return _spread(model.similarity.T.tocsr(), decay)


def learn_knn(data: Sequences, settings: tuple[int, float]) -> Scorer:
    """Return `implicit`'s item kNN with TF-IDF weights."""
    from implicit.nearest_neighbours import TFIDFRecommender

    keep, decay = settings
    model = TFIDFRecommender(K=keep, num_threads=1)
    model.fit(held(data), show_progress=False)
    return _spread(model.similarity.T.tocsr(), decay)


def learn_als(data: Sequences, settings: tuple[int, float, float]) -> Scorer:
    """Return `implicit`'s ALS; a prefix is folded in."""
    from implicit.als import AlternatingLeastSquares
    from scipy.sparse import csr_matrix

    factors, regularization, alpha = settings
    model = AlternatingLeastSquares(
        factors=factors,
        regularization=regularization,
        alpha=alpha,
        iterations=8,
        num_threads=1,
        random_state=1,
    )
    model.fit(held(data).astype(np.float32), show_progress=False)

    def scorer(asked: Prefixes) -> Scored:
        shape = (asked.rows, data.n_items)
        told = csr_matrix(
            (np.ones(len(asked.item), np.float32), (asked.row, asked.item)), shape=shape
        )
        found, score = model.recommend(
            np.arange(asked.rows),
            told,
            N=200,
            filter_already_liked_items=False,
            recalculate_user=True,
        )
        row = np.repeat(np.arange(asked.rows), found.shape[1])
        there = found.ravel() >= 0
        return row[there], found.ravel()[there].astype(np.int64), score.ravel()[there]

    return scorer


def learn_ease(data: Sequences, strength: float) -> Scorer:
    """Return RecTools' EASE."""
    import pandas as pd
    from rectools import Columns
    from rectools.dataset import Dataset
    from rectools.models import EASEModel
    from scipy.sparse import csr_matrix

    frame = pd.DataFrame({Columns.User: data.owner, Columns.Item: data.item})
    frame = frame.drop_duplicates()
    frame[Columns.Weight], frame[Columns.Datetime] = 1.0, "2020-01-01"
    dataset = Dataset.construct(frame)
    model = EASEModel(regularization=strength, recommend_n_threads=1)
    model.fit(dataset)
    outer = dataset.item_id_map.external_ids.astype(np.int64)
    weight = np.asarray(model.weight)
    full = np.zeros((data.n_items, data.n_items), np.float32)
    full[np.ix_(outer, outer)] = weight
    return _spread(_cut(csr_matrix(full), 300), 1.0)


def blended(scorers: list[Scorer], n_items: int) -> Scorer:
    """Return scores each divided by its largest of the case, added up."""

    def scorer(asked: Prefixes) -> Scored:
        rows, items, weights = [], [], []
        for one in scorers:
            row, item, weight = summed(one(asked), n_items)
            most = np.zeros(asked.rows)
            np.maximum.at(most, row, weight)
            rows.append(row)
            items.append(item)
            weights.append(weight / np.maximum(most[row], 1e-12))
        return np.concatenate(rows), np.concatenate(items), np.concatenate(weights)

    return scorer


def installed(*names: str) -> Iterator[str]:
    """Yield the packages that are not installed."""
    for name in names:
        if importlib.util.find_spec(name) is None:
            yield name


STAN = Peer(
    name="STAN",
    settings=tuple(
        (step, distance, age)
        for step in (1.0, 2.0)
        for distance in (1.0, 2.0)
        for age in (30.0, 1e9)
    ),
    learn=learn_stan,
)
COVISITS = Peer(
    name="decayed co-visitation",
    settings=tuple((step, say) for step in (0.5, 0.8) for say in (0.3, 0.5, 0.7)),
    learn=learn_covisits,
)
COSINE = Peer(
    name="implicit cosine",
    settings=tuple((keep, say) for keep in (100, 500) for say in (0.3, 0.5, 0.8)),
    learn=learn_cosine,
    needs=("implicit",),
)
KNN = Peer(
    name="implicit item kNN (TF-IDF)",
    settings=tuple((200, say) for say in (0.3, 0.5, 0.8)),
    learn=learn_knn,
    needs=("implicit",),
)
ALS = Peer(
    name="implicit ALS",
    settings=((64, 0.01, 1.0), (64, 0.1, 10.0)),
    learn=learn_als,
    needs=("implicit",),
)
EASE = Peer(
    name="RecTools EASE",
    settings=(50.0, 250.0, 1000.0),
    learn=learn_ease,
    needs=("rectools",),
)
OWN = Peer(name="own purchases", settings=(0.8, 0.9, 0.97, 1.0), learn=learn_prefix)
PREFIX = Peer(name="own prefix", settings=(0.5,), learn=learn_prefix)
POPULAR = Peer(
    name="popularity, trailing days", settings=(1.0, 7.0, 30.0), learn=learn_popular
)
IN_ORDER = Peer(
    name="co-visitation in time order",
    settings=tuple(
        (step, say, column)
        for step in (0.5, 0.8)
        for say in (0.5, 0.7, 0.85)
        for column in (0.0, 0.3)
    ),
    learn=learn_in_order,
)
