"""The best products of a large catalogue without scoring all of it.

A chance is at most its odds, so a product's log-odds plus the logarithm of its factor
bound its score from above. What lies above a guessed bound is scored exactly; where the
last product wanted is still above the bound, nothing left out could have come before
it. Otherwise, and in small catalogues, everything is scored: the answer is the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from cartwheel.levers.base import Model
from cartwheel.levers.recommend.reader import Reader, numbers
from cartwheel.levers.recommend.scoring import (
    best_first,
    boosted,
    said_with,
    score_logit,
    scores_at,
)

Array = np.ndarray[Any, Any]

SMALL = 4_000
"""Products up to which all are scored."""

SHORT = 1_000
"""Products that the bound is meant to leave."""

SAMPLE = 4_000
"""Products that the bound is guessed from."""

SLACK = 1e-3
"""Room left for rounding between a bound and a score, in log-odds."""


def shelf_bound(factor: Array, eligible: Array) -> Array:
    """Return what a product's factor adds to its bound; never for one not shown."""
    log = np.log(np.maximum(factor, 1e-30))
    bound: Array = np.where(eligible, log, -np.inf).astype(np.float32)
    return bound


def ranked(
    model: Model,
    reader: Reader,
    context: Array,
    placement: str,
    *,
    excluded: Array,
    boosts: Mapping[str, float],
    count: int,
) -> Array:
    """Return the best products that may be shown, best first, ties by their number.

    Args:
        model: The model.
        reader: Whoever looks.
        context: Product numbers of the visit, oldest first.
        placement: Where the slate stands.
        excluded: Product numbers not to show.
        boosts: The merchant's factors by product id.
        count: Products wanted.
    """
    logit = score_logit(model, reader, context)
    said = said_with(model, context, placement)
    if len(logit) > SMALL:
        found = _short(model, reader, logit, said, excluded, boosts, count)
        if found is not None:
            return found
    score = scores_at(model, reader, logit, said, None)
    return best_first(boosted(model, score, boosts), shown(model, excluded), count)


def shown(model: Model, excluded: Array) -> Array:
    """Return the products that may be shown, less those excluded."""
    free = np.array(model.arrays["eligible"])
    free[excluded] = False
    result: Array = np.flatnonzero(free)
    return result


def _short(
    model: Model,
    reader: Reader,
    logit: Array,
    said: tuple[Array, Array],
    excluded: Array,
    boosts: Mapping[str, float],
    count: int,
) -> Array | None:
    """Return the best of those above a guessed bound, None where that is not sure."""
    arrays = model.arrays
    shelf = arrays.get("shelf_bound")
    if shelf is None:  # a model of before
        shelf = shelf_bound(arrays["factor"], arrays["eligible"])
    bound = logit + shelf
    bound[excluded] = -np.inf
    sample = bound[:: len(bound) // SAMPLE + 1]
    rank = min(SHORT * len(sample) // len(bound) + 1, len(sample))
    least = float(np.partition(sample, -rank)[-rank])
    if not np.isfinite(least):
        return None
    above = bound >= least
    # What these score is more than a chance times a factor.
    more = np.concatenate(
        [said[0], reader.items, numbers(arrays["product_id"], boosts)]
    )
    above[more] = np.isfinite(bound[more])
    at = np.flatnonzero(above)
    score = scores_at(model, reader, logit, said, at)
    for name, factor in boosts.items():
        score[np.isin(at, numbers(arrays["product_id"], [name]))] *= np.float32(factor)
    best = best_first(score, np.arange(len(at)), count)
    if len(best) < count or score[best[-1]] <= np.exp(least + SLACK):
        return None
    result: Array = at[best]
    return result
