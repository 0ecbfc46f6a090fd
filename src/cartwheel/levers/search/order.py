"""The order of what is found: the first page, and what comes below it."""

from __future__ import annotations

from typing import Any

import numpy as np

from cartwheel.levers.base import Model, Request
from cartwheel.levers.search.alike import FIRST, below_first
from cartwheel.levers.search.learned import kinds_asked
from cartwheel.levers.search.match import Matches
from cartwheel.levers.search.meaning import Near, blended
from cartwheel.levers.search.query import Understood
from cartwheel.levers.search.ranker import rank
from cartwheel.levers.search.tiers import in_tiers

Array = np.ndarray[Any, Any]


def listed(model: Model, request: Request, left: Array) -> Array:
    """Return what can be bought where no word is searched for, most wanted first."""
    at = np.flatnonzero(left)
    wanted = model.arrays["popularity"][at] * _boosts(model, request, at)
    return at[np.lexsort((model.arrays["newest"][at], -wanted))]


def ranked(
    model: Model,
    request: Request,
    asked: Understood,
    found: Matches,
    close: Near | None,
    met: Array,
    left: Array,
) -> Array:
    """Return the products that are left, best first, as far as they are asked for.

    Args:
        model: The model.
        request: The request.
        asked: The query.
        found: How well every product meets it.
        close: How near every product is to it in meaning, where that is known.
        met: Which products of those left meet it, shape (n,).
        left: Which products are left, those like the best of the met included.
    """
    at = np.flatnonzero(met)
    if request.holdout:
        return at[np.lexsort((at, -found.score[at]))]
    kinds = kinds_asked(model.arrays, asked.parts, len(model.meta["kinds"]))
    order = _by_words_and_clicks(model, request, asked, found, close, at, kinds)
    head = order[:FIRST]
    if request.offset + request.limit <= len(head):
        return head
    below = np.array(left)
    below[head] = False
    rest = np.flatnonzero(below)
    if not len(rest):
        return head
    relevance = blended(found, close, rest)
    most = float(blended(found, close, order).max(initial=0.0))
    relevance = below_first(
        model.arrays, order, rest, relevance / max(most, 1e-9)
    ) * _boosts(model, request, rest)
    return np.concatenate(
        [head, rest[in_tiers(model, request, rest, relevance, kinds)]]
    )


def _by_words_and_clicks(
    model: Model,
    request: Request,
    asked: Understood,
    found: Matches,
    close: Near | None,
    at: Array,
    kinds: Array,
) -> Array:
    """Return the products that are met by relevance, in tiers with boosts."""
    arrays = model.arrays
    relevance = blended(found, close, at) * _boosts(model, request, at)
    if "order_leaf" not in arrays or not len(at):
        return at[in_tiers(model, request, at, relevance, kinds)]
    met = np.zeros(len(found.score), bool)
    met[at] = True
    best, learned = rank(arrays, asked, found, close, met)
    learned = learned * _boosts(model, request, best)
    first = best[in_tiers(model, request, best, learned, kinds)]
    others = ~np.isin(at, best, assume_unique=True)
    rest, blend = at[others], relevance[others]
    return np.concatenate([first, rest[np.lexsort((rest, -blend))]])


def _boosts(model: Model, request: Request, at: Array) -> Array:
    """Return the merchant's factors, 1 where none is given."""
    factors = np.ones(len(at))
    if request.boosts:
        names = model.arrays["product_id"][at]
        for name, factor in request.boosts.items():
            factors[names == name] = factor
    return factors
