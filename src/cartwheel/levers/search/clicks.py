"""What was wanted after each search, from the signal of clicks, freed of position.

A product's gain for a query is how often it was opened beyond what its place on the
page explains ("clicks over expected clicks"), shrunk towards the shop's mean, and a
cart counts more than a click. Where no exposure tells a position, clicks are counted
against those of the query's other products.

Whoever searches goes on to look at other things, most at what everybody looks at. So a
product counts as wanted only where it was opened surely more often after this query
than after the others, or where it alone has a good part of the query's clicks.

References:
    Chapelle and Zhang (2009), "A dynamic Bayesian network click model for web search
    ranking", section on clicks over expected clicks.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from cartwheel.levers.search.learned import Wanted
from cartwheel.signals.base import Signals
from cartwheel.signals.search_clicks import SEARCH_CLICKS

Array = np.ndarray[Any, Any]

MOST_QUERIES = 3_000
"""Queries learned from, those with most clicks first; the rest add little."""

PRIOR = 2.0
"""Clicks at the shop's mean that every product of a query is thought to have had."""

CART = 2.0
"""Clicks that putting into the cart counts for."""

MOST_GAIN = 2.0

LEAST_LIFT = 2.0
"""How much more often than after other queries a product must be opened."""

SURE = 2.0
"""Standard deviations of chance by which it must be opened more often."""

GOOD_PART = 0.2
"""Share of a query's clicks with which a product counts in any case: where few things
are searched for, the others say nothing."""

UNSEEN = 0.5
"""Clicks that every product is thought to have had after other queries."""


def read_wanted(data: Signals, products: Array) -> Wanted:
    """Return queries and how much each product was wanted after them.

    Args:
        data: The lever's signals.
        products: Sorted product ids; others are left out.
    """
    rows = data.frame(SEARCH_CLICKS)
    rows = rows[rows["product_id"].isin(products)]
    total = rows.groupby("query")["clicks"].sum()
    total = total[total > 0].sort_index().sort_values(ascending=False, kind="stable")
    names = sorted(total.index[:MOST_QUERIES])
    rows = rows[rows["query"].isin(names)]
    query = np.searchsorted(np.array(names, dtype=str), rows["query"].to_numpy(str))
    place = np.searchsorted(products, rows["product_id"].to_numpy().astype(str))
    clicks = rows["clicks"].to_numpy(float) + (CART - 1) * rows["carts"].to_numpy(float)
    expected = _expected(rows["expected_clicks"].to_numpy(float), clicks, query)
    gain = (clicks + PRIOR * 0.5) / (expected + PRIOR)
    sure = _beyond_chance(clicks, query, place, len(products))
    gain = np.where(sure, np.minimum(gain, MOST_GAIN), 0.0)
    return Wanted(
        queries=tuple(names),
        query=query.astype(np.int64),
        product=place.astype(np.int64),
        gain=gain,
    )


def _beyond_chance(clicks: Array, query: Array, product: Array, n: int) -> Array:
    """Tell which pairs met more often than the product is met after other queries.

    Args:
        clicks: Clicks of each pair of query and product.
        query: Number of the query of each.
        product: Number of the product of each.
        n: Products.
    """
    after = np.bincount(query, weights=clicks, minlength=1)[query]
    others = np.bincount(product, weights=clicks, minlength=n)[product] - clicks
    share = (others + UNSEEN) / (clicks.sum() - after + UNSEEN * n)
    chance = after * share
    more = clicks >= np.maximum(LEAST_LIFT * chance, chance + SURE * np.sqrt(chance))
    sure: Array = (clicks > 0) & (more | (clicks >= GOOD_PART * after))
    return sure


def _expected(expected: Array, clicks: Array, query: Array) -> Array:
    """Return expected clicks; without exposures, the mean of the query's products."""
    n = int(query.max(initial=-1)) + 1
    each = np.bincount(query, minlength=n)
    mean = np.bincount(query, weights=clicks, minlength=n) / np.maximum(each, 1)
    result: Array = np.where(expected > 0, expected, mean[query])
    return result
