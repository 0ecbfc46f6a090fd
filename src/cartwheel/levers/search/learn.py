"""The search model: index, facets, boosts and what clicks teach, as named arrays."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np

from cartwheel.levers.base import Model
from cartwheel.levers.search.clicks import read_wanted
from cartwheel.levers.search.facets import build_facets
from cartwheel.levers.search.goods import Goods, read_goods
from cartwheel.levers.search.index import build_index, with_words
from cartwheel.levers.search.learned import (
    NOTHING_LEARNED,
    Wanted,
    learn_kinds,
    learn_synonyms,
    learn_words,
)
from cartwheel.levers.search.meaning import learn_meaning, meanings
from cartwheel.levers.search.options import Options
from cartwheel.levers.search.query import Understood, understand
from cartwheel.levers.search.ranker import judge_order, learn_order
from cartwheel.levers.search.weak import learn_weak
from cartwheel.levers.search.worth import learn_worth
from cartwheel.signals.base import Signals
from cartwheel.signals.intent import SEARCHES
from cartwheel.signals.search_clicks import SEARCH_CLICKS
from cartwheel.text.packed import pack
from cartwheel.text.tokens import fold

Array = np.ndarray[Any, Any]

LONGEST_SUGGESTION = 60
LEAST_SEARCHES = 2
"""Searches of a text from which it is suggested to others: what one person typed once
may be anything."""


def learn_model(data: Signals, previous: Model | None, *, seed: int) -> Model:
    """Return the model.

    Words and synonyms are learned from any clicks; the order only from enough, and it
    is kept only when it is better than the fixed blend for queries it did not see.

    Args:
        data: The lever's signals.
        previous: The model of the last turn.
        seed: Seed of the ranker's draws.
    """
    options = Options.of(data)
    goods = read_goods(data)
    model = _keyword_model(data, goods)
    arrays, meta = dict(model.arrays), {**model.meta, "boost": options.boost}
    if options.model_folder:
        arrays |= learn_meaning(
            goods, options.model_folder, previous, most=options.model_texts
        )
    wanted = read_wanted(data, arrays["product_id"])
    rule = "keyword and boosts"
    if len(wanted.query):
        arrays = learn_from_clicks(arrays, wanted)
        rule = "keyword, clicks and boosts"
    test: dict[str, float] = {}
    clicks = int(np.asarray(data.table(SEARCH_CLICKS).column("clicks"), float).sum())
    if clicks >= options.clicks_to_learn:
        test = judge_order({**model.arrays, **meanings(arrays)}, wanted, seed=seed)
        if test.get("gain_low", 0.0) > 0:
            arrays |= learn_order(arrays, wanted, seed=seed)
            rule = "learned order and boosts"
    meta |= {"clicks": clicks, "test": test, "clicked_queries": len(wanted.queries)}
    return _with_weak(Model(rule=rule, arrays=arrays, meta=meta), data)


def learn_from_clicks(arrays: Mapping[str, Array], wanted: Wanted) -> dict[str, Array]:
    """Return the model's arrays with words, synonyms and categories of clicks.

    A word that no page says, and that leads somewhere in two queries or more, becomes
    a word of the shop.
    """
    unknown = Counter(
        word for one in _understood(arrays, wanted) for word in set(one.unknown)
    )
    taught = with_words(arrays, [word for word, count in unknown.items() if count > 1])
    parts = [one.parts for one in _understood(taught, wanted)]
    return {
        **taught,
        **learn_words(taught, parts, wanted),
        **learn_synonyms(taught, parts, wanted),
        **learn_kinds(taught, parts, wanted),
    }


def _understood(arrays: Mapping[str, Array], wanted: Wanted) -> list[Understood]:
    return [understand(arrays, [], text, minor_digits=0) for text in wanted.queries]


def keyword_model(data: Signals) -> Model:
    """Return the fallback's model: BM25 alone, no boost, no learned order."""
    return _with_weak(_keyword_model(data, read_goods(data)), data)


def _with_weak(model: Model, data: Signals) -> Model:
    arrays = {**model.arrays, **learn_weak(model, data)}
    meta = {**model.meta, **learn_worth(model, data)}
    return Model(rule=model.rule, arrays=arrays, meta=meta)


def _keyword_model(data: Signals, goods: Goods) -> Model:
    facets, named = build_facets(goods)
    kinds, kind = _codes(goods.texts["category"])
    arrays = {
        "product_id": goods.product_id,
        "sellable": goods.sellable,
        "popularity": goods.popularity.astype(np.float32),
        "newest": goods.newest,
        "price_low": goods.price_low,
        "price_high": goods.price_high,
        "boost": boost_of(goods).astype(np.float32),
        "kind": kind,
        "brand": _codes(goods.texts["brand"])[1],
        **build_index(goods),
        **facets,
        **NOTHING_LEARNED,
        **_queries(data),
    }
    meta = {
        **named,
        "kinds": kinds,
        "eligible_hash": goods.fingerprint(),
        "minor_digits": data.context.minor_digits,
        "products": len(goods),
        "available": int(goods.sellable.sum()),
        "boost": 0.0,
        "clicks": 0,
        "test": {},
        "clicked_queries": 0,
    }
    return Model(rule="keyword", arrays=arrays, meta=meta)


def _queries(data: Signals) -> dict[str, Array]:
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


def _codes(texts: list[str]) -> tuple[list[str], Array]:
    """Return the distinct texts, and each text's number among them, -1 if empty."""
    names = sorted(set(texts) - {""})
    number = {name: at for at, name in enumerate(names)}
    return names, np.array([number.get(text, -1) for text in texts], np.int32)
