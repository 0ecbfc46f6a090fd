"""By what products are ranked for a reader. numpy only: this runs per request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from cartwheel.levers.base import Model
from cartwheel.levers.recommend.reader import NOTHING, Reader, numbers
from cartwheel.levers.recommend.similarity import Neighbours
from cartwheel.levers.recommend.taste import Taste, after_visit

Array = np.ndarray[Any, Any]

# Products a visitor saw lose this share of their say with each product seen after.
CONTEXT_DECAY = 0.7
# How much "goes with what you look at" counts beside the chance of buying.
CONTEXT_WEIGHT = 0.5
WITH = ("cart", "goes_with", "thanks")
"""Placements that ask what goes with products, not what is like them."""

SCORE_SCALE = 0.01
VISIT_DECAY = 0.8


def likely(score: Array) -> Array:
    """Return the feature the chance model uses for a neighbour score, 0 for none."""
    result: Array = np.log1p(np.maximum(score, 0.0) / SCORE_SCALE)
    return result


def sigmoid(value: Array) -> Array:
    """Return the logistic function."""
    within = np.minimum(np.maximum(value, -40), 40)  # three times as fast as `clip`
    result: Array = 1.0 / (1.0 + np.exp(-within))
    return result


def near(model: Model) -> Neighbours:
    """Neighbours that say what a customer buys next."""
    return Neighbours(
        index=model.arrays["near_index"], weight=model.arrays["near_weight"]
    )


def goes_with(model: Model) -> Neighbours:
    """Neighbours that say what goes together."""
    return Neighbours(
        index=model.arrays["with_index"], weight=model.arrays["with_weight"]
    )


def alike(model: Model) -> Neighbours:
    """Neighbours that say what the same people open, or look at."""
    return Neighbours(
        index=model.arrays["alike_index"], weight=model.arrays["alike_weight"]
    )


def taste(model: Model) -> Taste:
    """How looks are read."""
    return Taste(
        lists=alike(model),
        share=model.arrays["liked_share"],
        level=model.arrays["price_level"],
        usual_level=float(model.meta["usual_level"]),
        category=model.arrays["category"],
        category_share=model.arrays["category_share"],
    )


def wanted(model: Model, reader: Reader, context: Array) -> Array:
    """Return every product's chance of being wanted by this visitor if looked at."""
    return sigmoid(wanted_logit(model, reader, context)).astype(np.float32)


def wanted_logit(model: Model, reader: Reader, context: Array) -> Array:
    """Return the log-odds of it, float32, shape (n_products,)."""
    intercept, by_appeal, *by_reading, by_bought = model.meta["wanted_slopes"]
    logit: Array = np.float32(by_appeal) * model.arrays["appeal"]
    logit += np.float32(intercept)
    read = _opened if "taste_vector" in model.arrays else _looked
    logit += read(model, reader, context[-20:], by_reading)
    if len(reader.items):
        logit[reader.items] += np.float32(by_bought)
    return logit


def _opened(
    model: Model, reader: Reader, seen: Array, slopes: Sequence[float]
) -> Array:
    """Return what is added to the log-odds by a taste learned from opened slots."""
    by_opened, by_leaning = slopes
    level, vector = model.arrays["opened_level"], model.arrays["taste_vector"]
    added: Array = np.float32(by_opened) * level
    leaning = after_visit(reader.taste, reader.precision, vector, level, seen)
    if len(leaning):
        added = added + np.float32(by_leaning) * (vector @ leaning)
    return added


def _looked(
    model: Model, reader: Reader, seen: Array, slopes: Sequence[float]
) -> Array:
    """Return what is added to the log-odds by looks alone."""
    items = np.concatenate([reader.looks, seen])
    if len(items) == 0:
        return np.zeros(len(model.arrays["appeal"]), np.float32)
    now = VISIT_DECAY ** np.arange(len(seen) - 1, -1, -1, dtype=np.float32)
    weights = np.concatenate([reader.look_weights, now])
    return taste(model).said(items, weights, slopes)


def chances(model: Model, reader: Reader) -> Array:
    """Return every product's chance of being bought by this reader in 30 days."""
    return _chances(model, reader, bought_logit(model, reader), None)


def bought_logit(model: Model, reader: Reader) -> Array:
    """Return the log-odds of it, but for what the reader bought before, float32."""
    base = np.array(model.arrays["base_logit"], np.float32)
    if len(reader.items):
        found, score = near(model).sparse(reader.items, reader.weights)
        base[found] += np.float32(model.meta["score_slope"]) * likely(score)
    return base


def _chances(model: Model, reader: Reader, logit: Array, at: Array | None) -> Array:
    chance: Array = sigmoid(logit if at is None else logit[at]).astype(np.float32)
    if len(reader.items):
        place, which = placed(reader.items, at)
        chance[place] = np.maximum(chance[place], reader.own[which])
    return chance


def placed(items: Array, at: Array | None) -> tuple[Array, Array]:
    """Return where items stand among products, and which of the items those are.

    Args:
        items: Product numbers.
        at: Product numbers, ascending; None for all there are.
    """
    if at is None:
        return items, np.arange(len(items))
    place = np.minimum(at.searchsorted(items), max(len(at) - 1, 0))
    which = np.flatnonzero(at[place] == items) if len(at) else NOTHING
    return place[which], which


def context_weights(count: int) -> Array:
    """Return weights of a visit's products, oldest first, the latest counting 1."""
    result: Array = CONTEXT_DECAY ** np.arange(count - 1, -1, -1, dtype=float)
    return result


def scores(
    model: Model, reader: Reader, context: Array, placement: str = "home"
) -> Array:
    """Return the score by which products are ranked, shape (n_products,).

    With looks learned, products are ranked by the chance of being wanted once looked
    at, else by the chance of a sale. What goes with a cart's products is added; beside
    a product, what is like it is in the visitor's taste already.
    """
    logit = score_logit(model, reader, context)
    said = said_with(model, context, placement)
    return scores_at(model, reader, logit, said, None)


def score_logit(model: Model, reader: Reader, context: Array) -> Array:
    """Return the log-odds of the chance that products are ranked by, float32."""
    if "wanted_slopes" in model.meta:
        return wanted_logit(model, reader, context)
    return bought_logit(model, reader)


def said_with(model: Model, context: Array, placement: str) -> tuple[Array, Array]:
    """Return products that go with a visit's, ascending, and what that adds."""
    if not len(context) or ("wanted_slopes" in model.meta and placement not in WITH):
        return NOTHING, np.zeros(0, np.float32)
    recent = context[-20:]
    found, said = goes_with(model).sparse(recent, context_weights(len(recent)))
    return found, np.float32(CONTEXT_WEIGHT) * said


def scores_at(
    model: Model,
    reader: Reader,
    logit: Array,
    said: tuple[Array, Array],
    at: Array | None,
) -> Array:
    """Return the scores of some products, or of all.

    Args:
        model: The model.
        reader: Whoever looks.
        logit: What `score_logit` returned.
        said: What `said_with` returned.
        at: Product numbers, ascending; None for all.
    """
    if "wanted_slopes" in model.meta:
        total: Array = sigmoid(logit if at is None else logit[at]).astype(np.float32)
    else:
        total = _chances(model, reader, logit, at)
    place, which = placed(said[0], at)
    total[place] += said[1][which]
    factor = model.arrays["factor"]
    result: Array = total * (factor if at is None else factor[at])
    return result


def boosted(model: Model, score: Array, boosts: Mapping[str, float]) -> Array:
    """Return scores with those of the products that the merchant boosts multiplied."""
    if not boosts:
        return score
    names = model.arrays["product_id"]
    found = score.copy()
    for name, factor in boosts.items():
        found[numbers(names, [name])] *= np.float32(factor)
    return found


def best_first(score: Array, candidates: Array, count: int) -> Array:
    """Return the `count` best candidates, ties by product number."""
    if len(candidates) > count:
        part = np.argpartition(-score[candidates], count - 1)[:count]
        limit = score[candidates[part]].min()
        candidates = candidates[score[candidates] >= limit]
    order = np.lexsort((candidates, -score[candidates]))
    result: Array = candidates[order][:count]
    return result
