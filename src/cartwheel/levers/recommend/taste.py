"""What somebody's looks say about every product. numpy only: this runs per request.

Three readings of the same looks: what people with like looks look at, how dear a thing
of its kind the visitor goes for, and which kinds of things. The first needs much data
and knows most; the other two need little and also speak of products nobody saw yet.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cartwheel.levers.recommend.factors import bound_weight, nobody, unpacked
from cartwheel.levers.recommend.similarity import Neighbours

Array = np.ndarray[Any, Any]

TRUST_LOOKS = 5.0
"""Looks after which somebody's own taste counts as much as everybody's."""

READINGS = ("alike", "price level", "category")


VISIT_SWEEPS = 2
"""Times the bound is drawn closer when a visit's pages are read into a taste."""


def joined(taste: Array, precision: Array) -> tuple[Array, Array]:
    """Return what two sources, each with nothing of the other, say of one taste.

    Args:
        taste: Expected tastes, shape (2, k).
        precision: How firmly, packed, shape (2, t).

    Returns:
        Expected taste, (k,), and how firmly, packed, (t,).
    """
    width = taste.shape[1]
    each = unpacked(precision, width)
    pull = np.einsum("nij,nj->i", each, taste)
    # Either starts from the same average taste, which counts once.
    both = precision.sum(axis=0) - nobody(width)
    mean = np.linalg.solve(unpacked(both[None], width)[0], pull)
    return mean.astype(np.float32), both.astype(np.float32)


def after_visit(
    taste: Array, precision: Array, vector: Array, opened: Array, seen: Array
) -> Array:
    """Return a taste when the pages of the present visit are known too, shape (k,).

    Each page counts as a product that was seen once and opened (`factors`).

    Args:
        taste: What was expected before, shape (k,); empty where nothing is known.
        precision: How firmly, packed upper triangle; empty where nothing is known.
        vector: What products are to tastes, shape (n, k).
        opened: Log-odds that an average person opens each, shape (n,).
        seen: Product numbers of the visit.
    """
    if len(seen) == 0:
        return taste
    width = vector.shape[1]
    before, pull = np.eye(width), np.zeros(width)
    if len(taste):
        before = unpacked(precision[None], width)[0]
        pull = before @ taste
    pages, level = vector[seen].astype(float), opened[seen].astype(float)
    after = np.linalg.solve(before, pull)
    for _ in range(VISIT_SWEEPS):
        weight = bound_weight(level + pages @ after)
        firm = before + pages.T @ (weight[:, None] * pages)
        after = np.linalg.solve(firm, pull + (0.5 - weight * level) @ pages)
    return after.astype(np.float32)


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What looks add to the log-odds of products.

    Attributes:
        by_level: Added a standard deviation of price level.
        by_kind: Added by category, float32, (c,).
        near: Products that are neighbours of what was looked at, ascending.
        more: Added to each of these besides, float32.
    """

    by_level: float
    by_kind: Array
    near: Array
    more: Array


@dataclass(frozen=True, slots=True, kw_only=True)
class Taste:
    """How looks are read; n products, c categories.

    Attributes:
        lists: Neighbours of every product by who looks at both.
        share: Mean share of people's neighbour scores by product, above 0, (n,).
        level: Price within its category in standard deviations of the log, (n,).
        usual_level: Mean level of what people look at.
        category: Number of each product's category, (n,).
        category_share: Share of people's looks by category, above 0, (c,).
    """

    lists: Neighbours
    share: Array
    level: Array
    usual_level: float
    category: Array
    category_share: Array

    def readings(self, items: Array, weights: Array) -> Array:
        """Return what looks say of every product, shape (n, 3); 0 is nothing.

        Args:
            items: Product numbers looked at, shape (k,).
            weights: Weight of each, shape (k,).
        """
        heard = float(weights.sum())
        trust = heard / (heard + TRUST_LOOKS)
        score = self.lists.score(items, weights)
        like = score / max(float(score.sum()), 1e-9) / self.share
        found = np.empty((len(self.share), len(READINGS)), np.float32)
        found[:, 0] = np.log(trust * like + (1.0 - trust) + 1e-6)
        found[:, 1] = self._leaning(items, weights) * self.level
        found[:, 2] = np.log(self._kinds(items, weights))[self.category]
        return found

    def said(self, items: Array, weights: Array, slopes: Sequence[float]) -> Said:
        """Return what `readings` adds to the log-odds of products, in its parts.

        Few products are neighbours of what was looked at; all others have one and the
        same first reading.

        Args:
            items: Product numbers looked at, shape (k,).
            weights: Weight of each, shape (k,).
            slopes: What each reading counts, shape (3,).
        """
        heard = float(weights.sum())
        trust = heard / (heard + TRUST_LOOKS)
        by_list, by_level, by_category = slopes
        kinds = by_category * np.log(self._kinds(items, weights))
        none = np.log(1.0 - trust + 1e-6)
        near, score = self.lists.sparse(items, weights)
        more = np.zeros(0)
        if len(near):
            like = score / max(float(score.sum()), 1e-9) / self.share[near]
            more = np.log(trust * like + (1.0 - trust) + 1e-6) - none
        return Said(
            by_level=by_level * self._leaning(items, weights),
            by_kind=(kinds + by_list * none).astype(np.float32),
            near=near,
            more=(by_list * more).astype(np.float32),
        )

    def _leaning(self, items: Array, weights: Array) -> float:
        """Return how dear a thing of its kind the visitor goes for."""
        level = float(weights @ (self.level[items] - self.usual_level))
        return level / (float(weights.sum()) + TRUST_LOOKS)

    def _kinds(self, items: Array, weights: Array) -> Array:
        """Return how much more of each category is looked at than usual, (c,)."""
        looked = np.bincount(
            self.category[items], weights=weights, minlength=len(self.category_share)
        )
        heard = float(weights.sum())
        share: Array = looked / self.category_share + TRUST_LOOKS
        return share / (heard + TRUST_LOOKS)
