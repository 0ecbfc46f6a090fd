"""By what products are ranked for a reader. numpy only: this runs per request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from cartwheel.levers.base import Model
from cartwheel.levers.recommend.reader import NOTHING, Reader, numbers
from cartwheel.levers.recommend.similarity import Neighbours
from cartwheel.levers.recommend.taste import Said, Taste, after_visit

Array = np.ndarray[Any, Any]

# Products a visitor saw lose this share of their say with each product seen after.
CONTEXT_DECAY = 0.7
# How much "goes with what you look at" counts beside the chance of buying.
CONTEXT_WEIGHT = 0.5
WITH = ("cart", "goes_with", "thanks")
"""Placements that ask what goes with products, not what is like them."""

SCORE_SCALE = 0.01
LOOKED = "wanted_slopes"
"""What a model's description holds when tastes were learned from looks."""

NO_WEIGHT: Array = np.zeros(0, np.float32)
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """What decides a visitor's scores, before any product is looked at.

    Attributes:
        model: The published model.
        reader: Whoever looks.
        said: What looks say; None where nothing was looked at, or tastes are learned
            from opened slots.
        leaning: The taste with the present visit, (k,); empty where none is known.
        near: Products whose log-odds what the visitor did raises, ascending.
        more: By how much, float32.
        goes: Products that go with the visit's, ascending.
        with_them: What that adds to their chance, float32.
    """

    model: Model
    reader: Reader
    said: Said | None = None
    leaning: Array
    near: Array
    more: Array
    goes: Array
    with_them: Array

    @property
    def looked(self) -> bool:
        """Whether products are ranked by the chance of being wanted once looked at."""
        return LOOKED in self.model.meta

    def logit(self, at: Array | None = None) -> Array:
        """Return the log-odds of the chance that products are ranked by, float32.

        Args:
            at: Product numbers, ascending; None for all.
        """
        if self.looked:
            logit = self._wanted(at)
        else:
            logit = _of(self.model.arrays["base_logit"], at).astype(np.float32)
        place, which = placed(self.near, at)
        logit[place] += self.more[which]
        return logit

    def _wanted(self, at: Array | None) -> Array:
        arrays = self.model.arrays
        intercept, by_appeal, *by_reading, by_bought = self.model.meta[LOOKED]
        logit: Array = np.float32(by_appeal) * _of(arrays["appeal"], at)
        logit += np.float32(intercept)
        if "taste_vector" in arrays:
            logit += np.float32(by_reading[0]) * _of(arrays["opened_level"], at)
            if len(self.leaning):
                pull = np.float32(by_reading[1]) * self.leaning
                logit += _of(arrays["taste_vector"], at) @ pull
        elif self.said is not None:
            logit += np.float32(self.said.by_level) * _of(arrays["price_level"], at)
            logit += self.said.by_kind.take(_of(arrays["category"], at))
        if len(self.reader.items):
            place, _ = placed(self.reader.items, at)
            logit[place] += np.float32(by_bought)
        return logit

    def chances(self, at: Array | None = None) -> Array:
        """Return the chance that products are ranked by, float32."""
        chance: Array = sigmoid(self.logit(at)).astype(np.float32)
        if not self.looked and len(self.reader.items):
            place, which = placed(self.reader.items, at)
            chance[place] = np.maximum(chance[place], self.reader.own[which])
        return chance

    def scores(self, at: Array | None = None) -> Array:
        """Return the score by which products are ranked, float32."""
        total = self.chances(at)
        if len(self.goes):
            place, which = placed(self.goes, at)
            total[place] += self.with_them[which]
        result: Array = total * _of(self.model.arrays["factor"], at)
        return result

    def singled_out(self) -> Array:
        """Return the products that more is known of than of others like them."""
        return np.concatenate([self.near, self.reader.items, self.goes])


def _of(values: Array, at: Array | None) -> Array:
    return values if at is None else values.take(at, axis=0)


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


def visit_of(
    model: Model, reader: Reader, context: Array, placement: str = "home"
) -> Visit:
    """Return what decides a visitor's scores.

    With looks learned, products are ranked by the chance of being wanted once looked
    at, else by the chance of a sale. What goes with a cart's products is added; beside
    a product, what is like it is in the visitor's taste already.
    """
    looked, recent = LOOKED in model.meta, context[-20:]
    goes, with_them = NOTHING, NO_WEIGHT
    if len(recent) and (placement in WITH or not looked):
        goes, weight = goes_with(model).sparse(recent, context_weights(len(recent)))
        with_them = np.float32(CONTEXT_WEIGHT) * weight
    said, leaning, found, more = None, NO_WEIGHT, NOTHING, NO_WEIGHT
    if not looked:
        found, score = near(model).sparse(reader.items, reader.weights)
        slope = np.float32(model.meta["score_slope"])
        more = (slope * likely(score)).astype(np.float32)
    elif "taste_vector" in model.arrays:
        vector, level = model.arrays["taste_vector"], model.arrays["opened_level"]
        leaning = after_visit(reader.taste, reader.precision, vector, level, recent)
    elif len(reader.looks) or len(recent):
        now = VISIT_DECAY ** np.arange(len(recent) - 1, -1, -1, dtype=np.float32)
        items = np.concatenate([reader.looks, recent])
        weights = np.concatenate([reader.look_weights, now])
        said = taste(model).said(items, weights, model.meta[LOOKED][2:-1])
        found, more = said.near, said.more
    return Visit(
        model=model,
        reader=reader,
        said=said,
        leaning=leaning,
        near=found,
        more=more,
        goes=goes,
        with_them=with_them,
    )


def wanted(model: Model, reader: Reader, context: Array) -> Array:
    """Return every product's chance of being wanted by this visitor if looked at."""
    return visit_of(model, reader, context).chances()


def chances(model: Model, reader: Reader) -> Array:
    """Return every product's chance of being bought by this reader in 30 days."""
    sale = replace(model, meta={k: v for k, v in model.meta.items() if k != LOOKED})
    return visit_of(sale, reader, NOTHING).chances()


def context_weights(count: int) -> Array:
    """Return weights of a visit's products, oldest first, the latest counting 1."""
    result: Array = CONTEXT_DECAY ** np.arange(count - 1, -1, -1, dtype=float)
    return result


def scores(
    model: Model, reader: Reader, context: Array, placement: str = "home"
) -> Array:
    """Return the score by which products are ranked, shape (n_products,)."""
    return visit_of(model, reader, context, placement).scores()


def boosted(
    model: Model,
    score: Array,
    boosts: Mapping[str, float],
    at: Array | None = None,
) -> Array:
    """Return scores with those of the products that the merchant boosts multiplied.

    Args:
        model: The model.
        score: Scores of products.
        boosts: Factors by product id.
        at: Numbers of the products scored, ascending; None for all.
    """
    if not boosts:
        return score
    names = model.arrays["product_id"]
    found = score.copy()
    for name, factor in boosts.items():
        place, _ = placed(numbers(names, [name]), at)
        found[place] *= np.float32(factor)
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
