"""How long one answer of search takes in a shop of 100,000 products.

Home Depot's titles again and again, each time in another colour, with a category, a
brand, a price and two attributes; its queries are asked, a first page each and, apart,
the page after it. Processor time of one answer in process, facets and all. With clicks
learned the order comes from the judgements of some queries, which are not asked.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from bench.big_catalogue import COLOURS, MATERIALS
from bench.measure import Figure, Plan, Skipped
from bench.search_shop import learned_model, read_by_search, read_judged
from cartwheel.levers.base import Model, Request
from cartwheel.levers.search import Search
from cartwheel.levers.search.learn import keyword_model
from cartwheel.signals.base import Signals
from cartwheel.signals.catalogue import CATALOGUE
from cartwheel.signals.listing import LISTING

PRODUCTS = 100_000
ASKED, TAUGHT = 1_000, 1_000
QUICK_QUERIES = 30
CATEGORIES = 300
PAGE = 20


def search_speed(plan: Plan) -> Iterator[Figure]:
    """Measure answers before any click and with clicks learned."""
    judged = read_judged(plan.data / "homedepot-search" / "pairs.parquet")
    if judged is None:
        raise Skipped("the data set homedepot-search is not there")
    products = len(judged.titles) if plan.quick else PRODUCTS
    began = time.process_time()
    plain = keyword_model(titled_shop(judged.titles, products))
    yield Figure(
        part="search-speed",
        name="the index is built",
        size=f"{products:,} products",
        unit="s",
        values=[time.process_time() - began],
    )
    yield Figure(
        part="search-speed",
        name="the model's arrays",
        size=f"{products:,} products",
        unit="MB",
        values=[sum(array.nbytes for array in plain.arrays.values()) / 1e6],
    )
    asked = judged.queries[: QUICK_QUERIES if plan.quick else ASKED]
    others = judged.queries[len(asked) :][: QUICK_QUERIES if plan.quick else TAUGHT]
    models = {"keywords": plain, "learned": learned_model(judged, others, plain)}
    yield from answers(models, asked, products)


def answers(
    models: Mapping[str, Model], asked: Sequence[str], products: int
) -> Iterator[Figure]:
    """Measure the first page of every query and the next, by each model."""
    for name, model in models.items():
        for page, offset in (("first page", 0), ("next page", PAGE)):
            taken = [_seconds(model, query, offset) * 1000 for query in asked]
            for share in (50, 99):
                yield Figure(
                    part="search-speed",
                    name=f"answer, {name}, {page}, p{share}",
                    size=f"{products:,} products, {len(asked):,} queries",
                    unit="ms",
                    values=[float(np.percentile(taken, share))],
                )


def titled_shop(titles: Sequence[str], products: int) -> Signals:
    """Return a shop of so many products; a category is a frequent word of titles."""
    import pyarrow as pa

    rng = np.random.default_rng(1)
    names = [f"{number:06}" for number in range(products)]
    colour = rng.integers(len(COLOURS), size=products).tolist()
    material = rng.integers(len(MATERIALS), size=products).tolist()
    price = rng.integers(500, 20_000, size=products).tolist()
    told = [titles[number % len(titles)] for number in range(products)]
    rounds = [number // len(titles) for number in range(products)]
    counts = Counter(w for title in titles for w in set(title.lower().split()))
    often = [word for word, _ in counts.most_common() if word.isalpha() and word[3:]]
    place = {word: at for at, word in enumerate(often[:CATEGORIES])}
    listing, catalogue = [], []
    for at, (name, title) in enumerate(zip(names, told, strict=True)):
        said = title.split()
        known = [word for word in title.lower().split() if word in place]
        hue, stuff = COLOURS[colour[at]], MATERIALS[material[at]]
        page = {
            "product_id": name,
            "title": f"{title} {hue}" if rounds[at] else title,
            "category": max(known, key=place.__getitem__, default=None),
            "brand": said[0] if said else None,
            "active": True,
        }
        attributes = json.dumps({"Colour": hue, "Material": stuff})
        listing.append(
            {**dict.fromkeys(LISTING.column_names), **page, "attributes": attributes}
        )
        catalogue.append(
            {
                **dict.fromkeys(CATALOGUE.column_names),
                **page,
                "variant_id": name,
                "pack_units": 1,
                "minimum_order_units": 1,
                "price_minor": price[at],
            }
        )
    return read_by_search(
        {
            signal.name: signal.conform(
                pa.Table.from_pylist(rows, schema=signal.schema())
            )
            for signal, rows in ((LISTING, listing), (CATALOGUE, catalogue))
        }
    )


def _seconds(model: Model, query: str, offset: int) -> float:
    request = Request(placement="search", query=query, limit=PAGE, offset=offset)
    rng = np.random.default_rng(0)
    began = time.process_time()
    Search().answer(model, request, rng=rng)
    return time.process_time() - began
