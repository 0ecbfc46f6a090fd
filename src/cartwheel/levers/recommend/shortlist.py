"""The best products of a large catalogue without scoring all of it.

A chance is at most its odds, so a product's log-odds plus the logarithm of its factor
bound its score from above. Products stand in cells of one category and about one price
level, so that what a visit says of all products is one number a cell: each product's
bound is what is known before the visit plus its cell's. What lies above a guessed bound
is scored; where the last product wanted is still above the bound, nothing left out
could have come before it, else what lies above that product's score is scored. The
answer is that of scoring everything.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from cartwheel.levers.base import Model
from cartwheel.levers.recommend.reader import NOBODY, NOTHING, Reader, numbers
from cartwheel.levers.recommend.scoring import (
    LOOKED,
    Visit,
    best_first,
    boosted,
    placed,
    visit_of,
)

Array = np.ndarray[Any, Any]

SMALL = 4_000
"""Products up to which all are scored."""

STEPS = 8
"""Steps of price level that cells are made by."""

SHORT = 1_000
"""Products that the guessed bound is meant to leave."""

SAMPLE = 4_000
"""Products that it is guessed from."""

SLACK = 1e-3
"""Room left for rounding between a bound and a score, in log-odds."""


def with_cells(model: Model) -> Model:
    """Return a model with its products in cells, where it is large enough for them."""
    if len(model.arrays["product_id"]) <= SMALL:
        return model
    arrays = {**model.arrays, **_cells(model)}
    return Model(rule=model.rule, arrays=arrays, meta=model.meta)


def _cells(model: Model) -> dict[str, Array]:
    arrays = model.arrays
    before = visit_of(model, NOBODY, NOTHING).logit().astype(float)
    bound = before + np.log(np.maximum(arrays["factor"], 1e-30))
    item = np.flatnonzero(arrays["eligible"])
    level = arrays.get("price_level", np.zeros(len(bound), np.float32))[item]
    kind = arrays.get("category", np.zeros(len(bound), np.int32))[item]
    step = np.clip((level + 3.0) / 6.0 * STEPS, 0, STEPS - 1).astype(np.int64)
    cell = kind.astype(np.int64) * STEPS + step
    order = np.lexsort((item, cell))
    item, level, cell = item[order], level[order], cell[order]
    start = np.flatnonzero(np.diff(cell, prepend=-1))

    def ends(most: np.ufunc) -> Array:
        found: Array = most.reduceat(level, start) if len(start) else level
        return found.astype(np.float32)

    return {
        "cell_item": item.astype(np.int64),
        "cell_bound": bound[item].astype(np.float32),
        "cell_size": np.diff([*start, len(item)]).astype(np.int64),
        "cell_kind": (cell[start] // STEPS).astype(np.int64),
        "cell_low": ends(np.minimum),
        "cell_high": ends(np.maximum),
    }


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
    visit = visit_of(model, reader, context, placement)
    if "cell_item" in model.arrays:
        found = _short(visit, excluded, boosts, count)
        if found is not None:
            return found
    score = boosted(model, visit.scores(), boosts)
    return best_first(score, shown(model, excluded), count)


def shown(model: Model, excluded: Array) -> Array:
    """Return the products that may be shown, less those excluded."""
    free = np.array(model.arrays["eligible"])
    free[excluded] = False
    result: Array = np.flatnonzero(free)
    return result


def _short(
    visit: Visit, excluded: Array, boosts: Mapping[str, float], count: int
) -> Array | None:
    """Return the best products, None where too many would have to be scored."""
    arrays = visit.model.arrays
    bound = _bounds(visit)
    sample = bound[:: len(bound) // SAMPLE + 1]
    rank = SHORT * len(sample) // max(len(bound), 1) + 1
    if rank > len(sample):
        return None
    least = float(np.partition(sample, -rank)[-rank])
    for _ in range(2):
        above = np.flatnonzero(bound >= least)
        if len(above) > len(bound) // 2:
            return None
        at = _products(visit, arrays["cell_item"].take(above), excluded, boosts)
        score = boosted(visit.model, visit.scores(at), boosts, at)
        best = best_first(score, np.arange(len(at)), count)
        if len(best) < count or score[best[-1]] <= 0:
            return None
        needed = float(np.log(score[best[-1]])) - SLACK
        if needed >= least:
            result: Array = at[best]
            return result
        least = needed
    return None


def _bounds(visit: Visit) -> Array:
    """Return what bounds each product's score, as logarithms, in the cells' order."""
    arrays, said = visit.model.arrays, visit.said
    bound: Array = arrays["cell_bound"]
    if said is not None:
        ends = arrays["cell_high"] if said.by_level > 0 else arrays["cell_low"]
        by_cell = np.float32(said.by_level) * ends
        by_cell += said.by_kind.take(arrays["cell_kind"])
        bound = bound + np.repeat(by_cell, arrays["cell_size"])
    if len(visit.leaning):
        pull = np.float32(visit.model.meta[LOOKED][3]) * visit.leaning
        bound = bound + (arrays["taste_vector"] @ pull).take(arrays["cell_item"])
    return bound


def _products(
    visit: Visit, likely: Array, excluded: Array, boosts: Mapping[str, float]
) -> Array:
    """Return likely products and those no bound holds for, ascending."""
    arrays = visit.model.arrays
    more = [visit.singled_out()]
    more += [numbers(arrays["product_id"], boosts)] if boosts else []
    special = np.concatenate(more)
    at = np.concatenate([likely, special[arrays["eligible"][special]]])
    at.sort()
    keep = np.ones(len(at), bool)
    keep[1:] = at[1:] != at[:-1]  # numpy's unique() hashes, which is slower
    at = at[keep]
    if len(excluded):
        place, _ = placed(excluded, at)
        free = np.ones(len(at), bool)
        free[place] = False
        at = at[free]
    return at
