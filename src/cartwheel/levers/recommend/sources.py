"""Where candidates for what comes next are taken from.

Each source says something of its own: what follows what, what is met together once
popularity is divided out, what the same people have, what is alike as a point or by
what it is, what the nearest sessions went on to. Learning needs scipy; asking is numpy
only and the same code, so that a ranker learns on what an answer will see.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np

from cartwheel.levers.recommend.covisits import follows, scaled, strongest_of
from cartwheel.levers.recommend.embedding import closest, embed
from cartwheel.levers.recommend.nearest import Nearness, Sessions, heard, keep_sessions
from cartwheel.levers.recommend.sequences import Prefixes, Sequences
from cartwheel.levers.recommend.similarity import Neighbours, ease, strongest

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

Array = np.ndarray[Any, Any]
Scored = tuple[Array, Array, Array]

STEP_DECAY, STEPS, BACKWARD = 0.6, 8, 0.5
"""Of pairs: what a step between leaves, the most steps, the share that counts back."""

PREFIX_DECAY = 0.6
"""What each later step leaves of a product's say."""

ONWARD_DECAY, ONWARD_STEPS, ONWARD_SAY = 0.8, 10, 0.75
"""The same three of what comes after, never before, over more steps."""

PROFILE_DECAY = 0.95
"""The same where a whole history is asked."""

LISTED, PROFILED, COMPARED = 40, 60, 30
"""Latest products that lists, profiles and nearest sessions are asked with."""

WIDTH = 48
POPULAR = 100
"""Bestsellers of late that are known by name."""

PER_ITEM = 500
"""Sessions remembered of one product."""

MOST_CELLS = 5_000_000
"""Neighbours kept in one list of a large catalogue, at least `FEWEST` a product."""

FEWEST = 20

LARGEST_CLOSEST = 25_000
"""Products above which no list of closest points is made: it takes time squared."""

NEARNESS: Mapping[str, Nearness] = {
    "sessions": Nearness(by_step=2.0, by_distance=2.0, by_age=1e9, count=500),
    "sessions, late": Nearness(by_step=1.0, by_distance=1.0, by_age=30.0, count=200),
}
LISTS = ("next", "onward", "follows", "lift", "affinity", "closest", "content")
SOURCES = (*LISTS, "next of last", "follows last", *NEARNESS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """What was learned from sequences; n products.

    Attributes:
        lists: Neighbours by name, all of `LISTS`.
        sessions: Sequences to look up.
        points: Products as points, shape (n, WIDTH).
        count: How often each was met.
        late: The same, met a sixtieth of the time ago counting half.
        lately: The same, a fifteenth.
        last_at: Day it was met last.
        popular: The most met lately, the first first.
        again: Chance that it is met again in a sequence.
        stay: Chance that the next step stays at it.
        end: Last day.
        span: Days from first to last, above 0.
    """

    lists: Mapping[str, Neighbours]
    sessions: Sessions
    points: Array
    count: Array
    late: Array
    lately: Array
    last_at: Array
    popular: Array
    again: Array
    stay: Array
    end: float
    span: float

    @property
    def n_items(self) -> int:
        """Products."""
        return len(self.count)

    def scored(self, asked: Prefixes) -> Iterator[tuple[str, Scored]]:
        """Yield each source's name and what it says: row, item and weight.

        Pairs of a row and an item may come several times; their weights add up.
        """
        listed, profiled = asked.latest(LISTED), asked.latest(PROFILED)
        say, onward = PREFIX_DECAY**listed.back, ONWARD_SAY**listed.back
        profile = PROFILE_DECAY ** np.minimum(profiled.back, 200)
        for name in LISTS:
            if name in ("affinity", "content"):
                yield name, _listed(self.lists[name], profiled, profile)
            elif name == "onward":
                yield name, _listed(self.lists[name], listed, onward)
            else:
                yield name, _listed(self.lists[name], listed, say)
        latest = listed.where(listed.back == 0)
        even = np.ones(len(latest.item))
        yield "next of last", _listed(self.lists["next"], latest, even)
        yield "follows last", _listed(self.lists["follows"], latest, even)
        compared = asked.latest(COMPARED)
        for name, how in NEARNESS.items():
            yield name, heard(self.sessions, compared, how)

    def arrays(self, prefix: str) -> dict[str, Array]:
        """Return everything as arrays whose names begin with `prefix`."""
        found = {prefix + name: getattr(self, name) for name in _PLAIN}
        for one in fields(Sessions):
            found[f"{prefix}sessions_{one.name}"] = getattr(self.sessions, one.name)
        for name, lists in self.lists.items():
            found[f"{prefix}{name}_index"] = lists.index
            found[f"{prefix}{name}_weight"] = lists.weight
        return found | {prefix + "period": np.array([self.end, self.span])}

    @classmethod
    def read(cls, arrays: Mapping[str, Array], prefix: str) -> Sources:
        """Return what `arrays` wrote."""
        end, span = arrays[prefix + "period"].tolist()
        kept = {
            one.name: arrays[f"{prefix}sessions_{one.name}"] for one in fields(Sessions)
        }
        lists = {
            name: Neighbours(
                index=arrays[f"{prefix}{name}_index"],
                weight=arrays[f"{prefix}{name}_weight"],
            )
            for name in LISTS
        }
        plain = {name: arrays[prefix + name] for name in _PLAIN}
        return cls(lists=lists, sessions=Sessions(**kept), end=end, span=span, **plain)


_PLAIN = ("points", "count", "late", "lately", "last_at", "popular", "again", "stay")


def _listed(lists: Neighbours, asked: Prefixes, weight: Array) -> Scored:
    index = lists.index.take(asked.item, axis=0)
    value = lists.weight.take(asked.item, axis=0) * weight[:, None]
    there = value > 0
    row = np.repeat(asked.row, there.sum(axis=1))
    return row, index[there].astype(np.int64), value[there]


def learn_sources(
    data: Sequences,
    *,
    keep: int = 100,
    largest_ease: int = 5000,
    content: Neighbours | None = None,
) -> Sources:
    """Learn every source.

    Args:
        data: Sequences.
        keep: Neighbours kept per product; fewer in very large catalogues.
        largest_ease: Most products for EASE; above, item cosine.
        content: Neighbours by what products are, if known.
    """
    n_items = data.n_items
    keep = max(min(keep, MOST_CELLS // max(n_items, 1)), FEWEST)
    step = follows(data, decay=1.0, steps=1)
    ahead = follows(data, decay=STEP_DECAY, steps=STEPS)
    both = (ahead + BACKWARD * ahead.T).tocsr()
    onward = follows(data, decay=ONWARD_DECAY, steps=ONWARD_STEPS)
    points = embed((ahead + ahead.T).tocsr(), WIDTH)
    near = Neighbours.none(n_items)
    if n_items <= LARGEST_CLOSEST:
        near = closest(points, keep)
    lists = {
        "next": strongest_of(scaled(step, by_row=1.0, by_column=0.0), keep),
        "onward": strongest_of(scaled(onward, by_row=0.5, by_column=0.0), 3 * keep),
        "follows": strongest_of(scaled(both, by_row=1.0, by_column=0.0), keep),
        "lift": strongest_of(scaled(both, by_row=0.5, by_column=0.5), keep),
        "affinity": _affinity(data, keep, largest_ease),
        "closest": near,
        "content": Neighbours.none(n_items) if content is None else content,
    }
    first = float(data.at.min()) if len(data.at) else 0.0
    span = max(data.end - first, 1e-9)
    last_at = np.full(n_items, first)
    np.maximum.at(last_at, data.item, data.at)
    again, stay = _repeats(data, step)
    lately = _decayed(data, span / 15)
    return Sources(
        lists=lists,
        sessions=keep_sessions(data, per_item=PER_ITEM),
        points=points,
        count=np.bincount(data.item, minlength=n_items).astype(np.float32),
        late=_decayed(data, span / 60),
        lately=lately,
        last_at=last_at,
        popular=np.argsort(-lately, kind="stable")[:POPULAR],
        again=again,
        stay=stay,
        end=data.end,
        span=span,
    )


def _affinity(data: Sequences, keep: int, largest_ease: int) -> Neighbours:
    """Return what the same sequences hold: EASE, or the cosine in large catalogues."""
    from scipy.sparse import csr_matrix

    held = csr_matrix(
        (np.ones(len(data.item), np.float32), (data.owner, data.item)),
        shape=(len(data), data.n_items),
    )
    held.data[:] = 1.0
    if data.n_items <= largest_ease:
        strength = float(held.sum()) / max(data.n_items, 1)
        return strongest(ease(held, max(strength, 1.0)), keep)
    both = (held.T @ held).tocsr()
    both.setdiag(0.0)
    both.eliminate_zeros()
    norm = np.sqrt(np.maximum(np.asarray(held.sum(axis=0)).ravel(), 1.0))
    both.data /= np.repeat(norm, np.diff(both.indptr)) * norm[both.indices]
    return strongest_of(both, keep)


def _decayed(data: Sequences, half_life_days: float) -> Array:
    weight = 0.5 ** ((data.end - data.at) / half_life_days)
    total = np.bincount(data.item, weights=weight, minlength=data.n_items)
    result: Array = total.astype(np.float32)
    return result


def _repeats(data: Sequences, step: csr_matrix) -> tuple[Array, Array]:
    """Return chances to be met again, and to be met next, five meetings steadying."""
    key = data.owner * max(data.n_items, 1) + data.item
    once, times = np.unique(key, return_counts=True)
    item = once % max(data.n_items, 1)
    met = np.bincount(item, weights=times, minlength=data.n_items)
    repeated = np.bincount(item, weights=times - 1, minlength=data.n_items)
    stays = step.diagonal()
    leaves = np.asarray(step.sum(axis=1)).ravel()

    def steadied(part: Array, whole: Array) -> Array:
        mean = part.sum() / max(whole.sum(), 1.0)
        share: Array = (part + 5.0 * mean) / (whole + 5.0)
        return share.astype(np.float32)

    return steadied(repeated, met), steadied(stays, leaves)
