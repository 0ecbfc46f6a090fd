"""The search model: index, facets and boosts as named arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

from cartwheel.levers.base import Model
from cartwheel.levers.search.facets import build_facets
from cartwheel.levers.search.goods import Goods, read_goods
from cartwheel.levers.search.index import build_index
from cartwheel.levers.search.options import Options
from cartwheel.signals.base import Signals
from cartwheel.signals.intent import SEARCHES
from cartwheel.text.packed import pack
from cartwheel.text.tokens import fold

Array = np.ndarray[Any, Any]

LONGEST_SUGGESTION = 60
LEAST_SEARCHES = 2
"""Searches of a text from which it is suggested to others: what one person typed once
may be anything."""


def learn_model(data: Signals, *, seed: int) -> Model:
    """Return the model.

    Args:
        data: The lever's signals.
        seed: Seed of the ranker's splits.
    """
    options = Options.of(data)
    goods = read_goods(data)
    return Model(
        rule="keyword and boosts",
        arrays={**_arrays(goods), **queries(data)},
        meta=_meta(goods, data, options),
    )


def keyword_model(data: Signals) -> Model:
    """Return the fallback's model: BM25 alone, no boost, no learned order."""
    goods = read_goods(data)
    meta = _meta(goods, data, Options.of(data))
    arrays = {**_arrays(goods), **queries(data)}
    return Model(rule="keyword", arrays=arrays, meta={**meta, "boost": 0.0})


def queries(data: Signals) -> dict[str, Array]:
    """Return past queries that found something, sorted, to be suggested again."""
    rows = data.frame(SEARCHES)
    rows = rows[rows["searches"] > rows["without_result"]]
    counts: dict[bytes, float] = {}
    for query, count in zip(rows["query"], rows["searches"], strict=True):
        text = " ".join(fold(query).split())
        if 0 < len(text) <= LONGEST_SUGGESTION and count >= LEAST_SEARCHES:
            key = text.encode()
            counts[key] = counts.get(key, 0.0) + float(count)
    found = sorted(counts)
    said, start = pack([key.decode() for key in found])
    return {
        "query_text": said,
        "query_start": start,
        "query_count": np.array([counts[key] for key in found], np.float32),
    }


def _meta(goods: Goods, data: Signals, options: Options) -> dict[str, Any]:
    _, named = build_facets(goods)
    return {
        **named,
        "eligible_hash": goods.fingerprint(),
        "minor_digits": data.context.minor_digits,
        "products": len(goods),
        "available": int(goods.sellable.sum()),
        "boost": options.boost,
    }


def _arrays(goods: Goods) -> dict[str, Array]:
    facets, _ = build_facets(goods)
    return {
        "product_id": goods.product_id,
        "sellable": goods.sellable,
        "popularity": goods.popularity.astype(np.float32),
        "newest": goods.newest,
        "price_low": goods.price_low,
        "price_high": goods.price_high,
        "boost": boost_of(goods).astype(np.float32),
        "kind": _codes(goods.texts["category"]),
        "brand": _codes(goods.texts["brand"]),
        **build_index(goods),
        **facets,
    }


def boost_of(goods: Goods) -> Array:
    """Return each product's boost between -1 and 1: demand, margin and stock.

    Half is how popular it is among what sells, four tenths what a sale earns of its
    price against the shop's median, and a product with less than three units left
    loses a tenth.
    """
    n = len(goods)
    demand = np.zeros(n)
    sells = goods.popularity > 0
    if sells.any():
        order = goods.popularity[sells].argsort(kind="stable").argsort(kind="stable")
        demand[sells] = (order + 1) / sells.sum()
    earns = np.zeros(n)
    known = np.isfinite(goods.margin_share)
    if known.any():
        middle = np.median(goods.margin_share[known])
        earns[known] = np.clip((goods.margin_share[known] - middle) / 0.3, -1, 1)
    few = (goods.on_hand_units < 3).astype(float)
    return np.clip(0.5 * demand + 0.4 * earns - 0.1 * few, -1, 1)


def _codes(texts: list[str]) -> Array:
    """Return a number per distinct text, -1 for the empty one."""
    names, code = np.unique(np.array(texts, dtype=str), return_inverse=True)
    code = code.astype(np.int32)
    if len(names) and names[0] == "":
        code -= 1
    return code
