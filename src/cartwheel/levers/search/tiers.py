"""Boosts that never outweigh relevance: they move a product inside its tier only.

A tier holds products of about the same relevance. Inside it, what people buy, what a
sale earns, what is well in stock and what goes with this visit may change the order, by
a bounded share; no boost lifts a product past one of a better tier.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from cartwheel.levers.base import Model, Request

Array = np.ndarray[Any, Any]

EDGES = (0.92, 0.8, 0.65, 0.5, 0.35, 0.2, 0.1)
"""Shares of the best relevance at which a tier ends."""

TASTE = 0.5
"""Share of the whole boost that this visit's context may take."""


def tiers_of(relevance: Array) -> Array:
    """Return each product's tier, 0 is the best; relevance is not negative."""
    best = float(relevance.max(initial=0.0))
    share = relevance / best if best > 0 else np.ones_like(relevance)
    return np.searchsorted(-np.array(EDGES), -share, side="right")


def in_tiers(model: Model, request: Request, at: Array, relevance: Array) -> Array:
    """Return the order of products: by tier, then by relevance with boosts.

    Args:
        model: The model, whose array `boost` lies between -1 and 1.
        request: Whose context tells this visit's taste.
        at: Numbers of the products.
        relevance: Their relevance, not negative.
    """
    tier = tiers_of(relevance)
    push = (1 - TASTE) * model.arrays["boost"][at] + TASTE * _taste(model, request, at)
    boosted = relevance * (1.0 + float(model.meta["boost"]) * push)
    return np.lexsort((at, -boosted, tier))


def _taste(model: Model, request: Request, at: Array) -> Array:
    """Return how much products share with this visit's, 0 to 1."""
    names = model.arrays["product_id"]
    if not request.context or not len(names):
        return np.zeros(len(at))
    wanted = np.array(sorted(set(request.context)), dtype=str)
    place = np.minimum(names.searchsorted(wanted), len(names) - 1)
    mine = place[names[place] == wanted]
    kind, brand = model.arrays["kind"], model.arrays["brand"]
    near = np.isin(kind[at], kind[mine][kind[mine] >= 0]) * 0.6
    near += np.isin(brand[at], brand[mine][brand[mine] >= 0]) * 0.4
    return np.asarray(near)
