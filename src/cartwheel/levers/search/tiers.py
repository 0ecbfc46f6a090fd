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
"""Share of the whole boost that what whoever looks goes for may take, and the category
that clicks after the same words led to."""

FADES = 0.8
"""What a product of this visit counts of the one seen after it."""

REMEMBERED = 0.2
"""What a product taken or looked at before counts of one on the page just now."""


def tiers_of(relevance: Array) -> Array:
    """Return each product's tier, 0 is the best; relevance is not negative."""
    best = float(relevance.max(initial=0.0))
    share = relevance / best if best > 0 else np.ones_like(relevance)
    return np.searchsorted(-np.array(EDGES), -share, side="right")


def in_tiers(
    model: Model, request: Request, at: Array, relevance: Array, kinds: Array
) -> Array:
    """Return the order of products: by tier, then by relevance with boosts.

    Args:
        model: The model, whose array `boost` lies between -1 and 1.
        request: Whose context and memory tell what whoever looks goes for.
        at: Numbers of the products.
        relevance: Their relevance, not negative.
        kinds: How surely each category is asked for, 0 to 1, shape (n_kinds,).
    """
    tier = tiers_of(relevance)
    kind = model.arrays["kind"][at]
    asked = np.append(kinds, 0.0)[kind]  # -1, for no category, reads the 0
    fits = np.maximum(_taste(model, request, at), asked)
    push = (1 - TASTE) * model.arrays["boost"][at] + TASTE * fits
    boosted = relevance * (1.0 + float(model.meta["boost"]) * push)
    return np.lexsort((at, -boosted, tier))


def _taste(model: Model, request: Request, at: Array) -> Array:
    """Return how much products share with those of this visit and before, 0 to 1."""
    told: dict[str, float] = dict.fromkeys(request.remembered, REMEMBERED)
    for back, name in enumerate(reversed(request.context)):
        told[name] = max(told.get(name, 0.0), FADES**back)
    names = model.arrays["product_id"]
    if not told or not len(names):
        return np.zeros(len(at))
    wanted = np.array(list(told), dtype=str)
    weights = np.array(list(told.values()))
    place = np.minimum(names.searchsorted(wanted), len(names) - 1)
    known = names[place] == wanted
    mine, weights = place[known], weights[known]
    kind, brand = model.arrays["kind"], model.arrays["brand"]
    shared: Array = 0.6 * _share(kind[mine], weights, kind[at])
    shared += 0.4 * _share(brand[mine], weights, brand[at])
    return shared


def _share(told: Array, weights: Array, asked: Array) -> Array:
    """Return how much is told of each asked value, 1 for the one told of most."""
    have = told >= 0
    if not have.any():
        return np.zeros(len(asked))
    total = np.bincount(told[have], weights=weights[have])
    within = (asked >= 0) & (asked < len(total))
    found: Array = np.where(within, total[np.where(within, asked, 0)], 0.0)
    found /= total.max()
    return found
