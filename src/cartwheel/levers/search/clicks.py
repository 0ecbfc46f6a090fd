"""What was wanted after each search, from the signal of clicks, freed of position.

A product's gain for a query is how often it was opened beyond what its place on the
page explains ("clicks over expected clicks"), shrunk towards the shop's mean, and a
cart counts more than a click. Where no exposure tells a position, clicks are counted
against those of the query's other products.

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
    gain = np.where(clicks > 0, np.minimum(gain, MOST_GAIN), 0.0)
    return Wanted(
        queries=tuple(names),
        query=query.astype(np.int64),
        product=place.astype(np.int64),
        gain=gain,
    )


def _expected(expected: Array, clicks: Array, query: Array) -> Array:
    """Return expected clicks; without exposures, the mean of the query's products."""
    n = int(query.max(initial=-1)) + 1
    each = np.bincount(query, minlength=n)
    mean = np.bincount(query, weights=clicks, minlength=n) / np.maximum(each, 1)
    result: Array = np.where(expected > 0, expected, mean[query])
    return result
