"""What earlier sequences most like this one went on to: nearest sessions.

A session is near when it shares products that were met lately; what it holds counts the
more the closer it stands to the last product shared. numpy only: it runs per request.

References:
    Garg et al. (2019), "Sequence and time aware neighborhood for session-based
    recommendations: STAN"; Ludewig and Jannach (2018), "Evaluation of session-based
    recommendation algorithms" (V-SKNN).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from cartwheel.levers.recommend.sequences import Prefixes, Sequences, spread

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sessions:
    """Sequences kept for looking up, and where every product is met in them.

    Attributes:
        start: Where each session begins and the last ends, shape (m + 1,).
        item: Product numbers, shape (n,).
        at: When each session ended, in days, shape (m,).
        met_start: Where each product's sessions begin, shape (n_items + 1,).
        met_in: Sessions of each product, the latest first.
        met_place: Place within `item` where the product stands there last.
    """

    start: Array
    item: Array
    at: Array
    met_start: Array
    met_in: Array
    met_place: Array


def keep_sessions(data: Sequences, *, per_item: int) -> Sessions:
    """Return sequences with an index by product.

    Args:
        data: Sequences.
        per_item: Most sessions kept of one product, the latest.
    """
    owner = data.owner
    size = np.diff(data.start)
    at = np.zeros(len(size))
    at[size > 0] = data.at[data.start[1:][size > 0] - 1]
    place = np.arange(len(data.item))
    # The last place of each product in each session, by product, the latest first.
    order = np.lexsort((-place, owner, data.item))
    item, who = data.item[order], owner[order]
    first = np.r_[True, (item[1:] != item[:-1]) | (who[1:] != who[:-1])][: len(order)]
    order = order[first]
    order = order[np.lexsort((-owner[order], -at[owner[order]], data.item[order]))]
    count = np.bincount(data.item[order], minlength=data.n_items)
    start = np.r_[0, np.cumsum(count)]
    order = order[np.arange(len(order)) - start[data.item[order]] < per_item]
    count = np.bincount(data.item[order], minlength=data.n_items)
    return Sessions(
        start=data.start,
        item=data.item.astype(np.int32),
        at=at.astype(np.float32),
        met_start=np.r_[0, np.cumsum(count)],
        met_in=owner[order].astype(np.int32),
        met_place=order.astype(np.int32),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Nearness:
    """How near sessions are weighed.

    Attributes:
        by_step: Steps after which a product of the prefix counts 1 / e.
        by_age: Days after which a session counts 1 / e.
        by_distance: Places from the last shared product after which an item counts
            1 / e.
        count: Nearest sessions that are heard.
        size_power: Power of a session's length that its likeness is divided by.
    """

    by_step: float = 2.0
    by_age: float = 30.0
    by_distance: float = 2.0
    count: int = 500
    size_power: float = 0.5


def heard(
    sessions: Sessions, asked: Prefixes, how: Nearness
) -> tuple[Array, Array, Array]:
    """Return what the sessions nearest to each prefix hold: row, item, weight.

    Pairs of a row and an item may come several times; their weights add up.
    """
    weight = np.exp(-asked.back / how.by_step)
    begin = sessions.met_start[asked.item]
    size = sessions.met_start[asked.item + 1] - begin
    at = spread(begin, size)
    row = np.repeat(asked.row, size)
    session = sessions.met_in[at].astype(np.int64)
    value = np.repeat(weight, size)
    key = row * len(sessions.at) + session
    # Entries come oldest first, so the last of a key is the latest product shared.
    order = np.argsort(key, kind="stable")
    key = key[order]
    last = np.flatnonzero(np.r_[key[1:] != key[:-1], True][: len(key)])
    first = np.r_[0, last[:-1] + 1][: len(last)]
    if len(last) == 0:
        nothing = np.zeros(0, np.int64)
        return nothing, nothing, np.zeros(0)
    near = np.add.reduceat(value[order], first)
    who, chosen = row[order[last]], session[order[last]]
    length = sessions.start[chosen + 1] - sessions.start[chosen]
    age = np.maximum(asked.now[who] - sessions.at[chosen], 0.0)
    near = near * np.exp(-age / how.by_age) / length**how.size_power
    rank_order = np.lexsort((-near, who))
    who_sorted = who[rank_order]
    starts = np.searchsorted(who_sorted, np.arange(asked.rows))
    rank = np.arange(len(who_sorted)) - starts[who_sorted]
    best = rank_order[rank < how.count]
    return _held(
        sessions,
        who[best],
        chosen[best],
        near[best],
        sessions.met_place[at[order[last[best]]]],
        how,
    )


def _held(
    sessions: Sessions,
    row: Array,
    session: Array,
    near: Array,
    met: Array,
    how: Nearness,
) -> tuple[Array, Array, Array]:
    begin = sessions.start[session]
    size = sessions.start[session + 1] - begin
    place = spread(begin, size)
    apart = np.abs(place - np.repeat(met, size))
    weight = np.repeat(near, size) * np.exp(-apart / how.by_distance)
    return np.repeat(row, size), sessions.item[place].astype(np.int64), weight
