"""Candidates of each case and the numbers a ranker reads. numpy only."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from cartwheel.levers.recommend.sequences import Prefixes
from cartwheel.levers.recommend.sources import SOURCES, Sources

Array = np.ndarray[Any, Any]

NEVER = 99.0
OWN, OWN_DECAY = 0.5, 0.8
"""Say of a product that the prefix holds itself, and what each later step leaves."""

TRAITS = (
    "rank",
    "blend",
    "own count",
    "own back",
    "own age",
    "popular",
    "late",
    "lately",
    "trend",
    "fresh",
    "length",
    "different",
    "last popular",
    "stay",
    "again",
    "last stay",
    "near last",
    "near profile",
)
FEATURES = (*SOURCES, *(f"{name}, share" for name in SOURCES), *TRAITS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Choosing:
    """How candidates are chosen.

    Attributes:
        most: Candidates a case.
        popular: Bestsellers of late that are thought of in every case.
        demand: Say of what sells lately in the choice, beside at most 1 a source.
        repeats: Whether products of the prefix are candidates.
    """

    most: int
    popular: int
    demand: float
    repeats: bool


IN_VISIT = Choosing(most=150, popular=20, demand=0.0, repeats=True)
"""Of what a visit looks at next; asked while a page waits."""

IN_HISTORY = Choosing(most=400, popular=100, demand=0.3, repeats=True)
"""Of what a customer takes in some weeks: many things, few of them near the last."""

NEW_IN_HISTORY = replace(IN_HISTORY, repeats=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """Candidates of some cases, by case.

    Attributes:
        row: Case of each candidate, not falling, shape (n,).
        item: Product number.
        blend: The sources' shares added up.
        features: Columns as in `FEATURES`, float32, finite.
    """

    row: Array
    item: Array
    blend: Array
    features: Array


def make_pool(sources: Sources, asked: Prefixes, choosing: Choosing) -> Pool:
    """Return the candidates of each case with their features.

    Args:
        sources: What was learned.
        asked: What was met so far in each case.
        choosing: How candidates are chosen.
    """
    n_items, rows = sources.n_items, asked.rows
    popular = sources.popular[: choosing.popular]
    said = dict(sources.scored(asked))
    parts = [row * n_items + item for row, item, _ in said.values()]
    parts += [asked.row * n_items + asked.item]
    parts += [(np.arange(rows)[:, None] * n_items + popular).ravel()]
    key, place = _numbered(np.concatenate(parts), rows * n_items)
    row, item = np.divmod(key, n_items)
    starts = np.searchsorted(row, np.arange(rows))
    columns: dict[str, Array] = {}
    blend = np.zeros(len(key))
    at = 0
    for name, (_, _, weight) in said.items():
        here = place[at : at + len(weight)]
        at += len(weight)
        score = np.bincount(here, weights=weight, minlength=len(key))
        most = np.maximum.reduceat(score, starts) if len(key) else score
        share = score / np.maximum(most, 1e-12)[row]
        columns[name], columns[f"{name}, share"] = score, share
        blend += share
    own = place[at : at + len(asked.item)]
    columns |= _own(asked, own, len(key))
    met = columns["own count"] > 0
    if choosing.repeats:
        blend += OWN * met * OWN_DECAY ** columns["own back"]
    first = max(float(sources.lately[sources.popular].max(initial=0.0)), 1e-9)
    demand = sources.lately[item] / first
    blend += 1e-6 * demand
    closed = met & (not choosing.repeats)
    order = np.lexsort((-blend - choosing.demand * demand, closed, row))
    rank = np.empty(len(key), np.int64)
    rank[order] = np.arange(len(key)) - starts[row[order]]
    columns |= {"rank": rank, "blend": blend}
    kept = (rank < choosing.most) & ~closed
    columns = {name: values[kept] for name, values in columns.items()}
    row, item = row[kept], item[kept]
    columns |= _traits(sources, asked, row, item)
    table = np.empty((len(row), len(FEATURES)), np.float32)
    for number, name in enumerate(FEATURES):
        table[:, number] = columns[name]
    return Pool(row=row, item=item, blend=columns["blend"], features=table)


def _numbered(cells: Array, count: int) -> tuple[Array, Array]:
    """Return the different cells in order, and the place of each among them.

    As `numpy.unique` does, but without sorting, of cells numbered below `count`.
    """
    touched = np.zeros(count, bool)
    touched[cells] = True
    key = np.flatnonzero(touched)
    number = np.empty(count, np.int32)
    number[key] = np.arange(len(key), dtype=np.int32)
    return key, number[cells]


def _own(asked: Prefixes, own: Array, size: int) -> dict[str, Array]:
    """Return how often and how long ago a candidate was met in the prefix."""
    count = np.bincount(own, minlength=size)
    back = np.full(size, NEVER)
    np.minimum.at(back, own, asked.back)
    age = np.full(size, 999.0)
    np.minimum.at(age, own, asked.age)
    return {"own count": count, "own back": back, "own age": age}


def _traits(
    sources: Sources, asked: Prefixes, row: Array, item: Array
) -> dict[str, Array]:
    """Return what is known of the candidates and cases whatever the sources say."""
    late, lately = np.log(sources.late[item] + 0.1), np.log(sources.lately[item] + 0.1)
    last = np.zeros(asked.rows, np.int64)
    latest = asked.back == 0
    last[asked.row[latest]] = asked.item[latest]
    size = np.bincount(asked.row, minlength=asked.rows)
    once = np.unique(asked.row * sources.n_items + asked.item) // sources.n_items
    profile = np.zeros((asked.rows, sources.points.shape[1]), np.float32)
    weight = (0.7**asked.back).astype(np.float32)
    np.add.at(profile, asked.row, sources.points[asked.item] * weight[:, None])
    profile /= np.maximum(np.linalg.norm(profile, axis=1, keepdims=True), 1e-9)
    point = sources.points[item]
    return {
        "popular": np.log1p(sources.count[item]),
        "late": late,
        "lately": lately,
        "trend": late - lately,
        "fresh": (sources.end - sources.last_at[item]) / sources.span,
        "length": size[row],
        "different": np.bincount(once, minlength=asked.rows)[row],
        "last popular": np.log1p(sources.count[last[row]]),
        "stay": sources.stay[item],
        "again": sources.again[item],
        "last stay": sources.stay[last[row]],
        "near last": np.einsum("ij,ij->i", sources.points[last[row]], point),
        "near profile": np.einsum("ij,ij->i", profile[row], point),
    }
