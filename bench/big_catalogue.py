"""A made shop with a big catalogue, as the files of a CSV folder.

Products belong to categories and styles, visitors to tastes, so that there is something
to learn; popularity falls as a power of the rank, as it does in shops.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

Array = np.ndarray[Any, Any]

LAST = datetime(2026, 3, 1)
DAYS = 60
VIEWS_A_VISIT = 8
VISITS_AN_ORDER = 25
VISITS_A_SEARCH = 4
COLOURS = [
    "red",
    "blue",
    "green",
    "black",
    "white",
    "grey",
    "brown",
    "yellow",
    "pink",
    "purple",
]
MATERIALS = [
    "cotton",
    "linen",
    "steel",
    "oak",
    "glass",
    "leather",
    "wool",
    "ceramic",
    "paper",
    "rubber",
]
THINGS = [
    "shirt",
    "trousers",
    "jacket",
    "lamp",
    "chair",
    "table",
    "vase",
    "mug",
    "kettle",
    "pan",
    "knife",
    "brush",
    "drill",
    "hammer",
    "saw",
    "hose",
    "pot",
    "seed",
    "rug",
    "curtain",
    "pillow",
    "towel",
    "basket",
    "shelf",
    "mirror",
    "clock",
    "frame",
    "candle",
    "notebook",
    "pen",
    "bag",
    "belt",
    "scarf",
    "hat",
    "glove",
    "boot",
    "sandal",
    "bottle",
    "tray",
    "bowl",
]


def write_big_shop(folder: Path, products: int, interactions: int) -> dict[str, int]:
    """Write products, variants, prices, orders, lines and events; return the counts.

    Args:
        folder: New folder.
        products: Products, each its own variant.
        interactions: Views and carts in all.
    """
    rng = np.random.default_rng(1)
    folder.mkdir(parents=True)
    names = np.array([f"P{n:07d}" for n in range(products)])
    thing = rng.integers(len(THINGS), size=products)
    _write_products(folder, names, thing, rng)
    visits = max(interactions // VIEWS_A_VISIT, 1)
    seen = _views(rng, thing, visits)
    at = _instants(rng, visits)
    carts = rng.random(visits) < 0.2
    bought = np.flatnonzero(carts)[:: max(VISITS_AN_ORDER // 5, 1)]
    _write_events(folder, names, seen, at, carts, thing, rng)
    _write_orders(folder, names, seen[bought, -1], at[bought], rng)
    return {"visits": visits, "orders": len(bought), "views": seen.size}


def _write_products(
    folder: Path, names: Array, thing: Array, rng: np.random.Generator
) -> None:
    n = len(names)
    colour = np.array(COLOURS)[rng.integers(len(COLOURS), size=n)]
    material = np.array(MATERIALS)[rng.integers(len(MATERIALS), size=n)]
    what = np.array(THINGS)[thing]
    number = np.arange(n) % 997
    title = [
        f"{c} {m} {w} model {k}"
        for c, m, w, k in zip(colour, material, what, number, strict=True)
    ]
    _save(
        folder,
        "products",
        product_id=names,
        title=title,
        category=[f"{w.capitalize()}s" for w in what],
        brand=[f"Brand {k}" for k in rng.integers(200, size=n)],
        status=["active"] * n,
        attributes=[
            f'{{"Colour": "{c}", "Material": "{m}"}}'
            for c, m in zip(colour, material, strict=True)
        ],
    )
    _save(folder, "variants", variant_id=names, product_id=names)
    since = np.full(n, np.datetime64(LAST - timedelta(days=DAYS + 1), "us"))
    price = rng.integers(500, 20_000, size=n)
    _save(folder, "prices", variant_id=names, valid_from_at=since, price_minor=price)
    _save(folder, "costs", variant_id=names, valid_from_at=since, cost_minor=price // 2)


def _views(rng: np.random.Generator, thing: Array, visits: int) -> Array:
    """Return the products of each visit, shape (visits, VIEWS_A_VISIT)."""
    order = np.argsort(thing, kind="stable")
    start = np.searchsorted(thing[order], np.arange(len(THINGS) + 1))
    of = rng.integers(len(THINGS), size=visits)
    size = (start[1:] - start[:-1])[of]
    # A power of an even draw: the first of each thing are looked at most.
    draw = rng.random((visits, VIEWS_A_VISIT)) ** 2.5
    place = (draw * np.maximum(size, 1)[:, None]).astype(np.int64)
    found: Array = order[np.minimum(start[of][:, None] + place, len(thing) - 1)]
    return found


def _instants(rng: np.random.Generator, visits: int) -> Array:
    seconds = np.sort(rng.integers(DAYS * 86_400, size=visits))
    first = np.datetime64(LAST - timedelta(days=DAYS), "s")
    found: Array = (first + seconds).astype("datetime64[us]")
    return found


def _write_events(
    folder: Path,
    names: Array,
    seen: Array,
    at: Array,
    carts: Array,
    thing: Array,
    rng: np.random.Generator,
) -> None:
    visits, each = seen.shape
    visitor = np.array([f"V{n}" for n in rng.integers(visits // 2 + 1, size=visits)])
    step = np.arange(each) * np.timedelta64(20, "s")
    searched = np.flatnonzero(rng.random(visits) < 1 / VISITS_A_SEARCH)
    kind = ["view"] * seen.size + ["add_to_cart"] * carts.sum()
    kind += ["search"] * len(searched)
    product = np.concatenate([names[seen.ravel()], names[seen[carts, -1]]])
    nothing = [None] * len(searched)
    when = np.concatenate(
        [
            (at[:, None] + step).ravel(),
            at[carts] + each * np.timedelta64(20, "s"),
            at[searched] - np.timedelta64(10, "s"),
        ]
    )
    who = np.concatenate([np.repeat(visitor, each), visitor[carts], visitor[searched]])
    words = [THINGS[t] for t in thing[seen[searched, 0]]]
    _save(
        folder,
        "events",
        event_id=[f"E{n}" for n in range(len(kind))],
        kind=kind,
        occurred_at=when,
        visitor_id=who,
        product_id=[*product.tolist(), *nothing],
        query=[None] * len(product) + words,
        result_count=[None] * len(product) + [20] * len(searched),
    )


def _write_orders(
    folder: Path, names: Array, product: Array, at: Array, rng: np.random.Generator
) -> None:
    n = len(product)
    ids = [f"O{k}" for k in range(n)]
    who = [f"C{k}" for k in rng.integers(max(n // 2, 1), size=n)]
    _save(folder, "customers", customer_id=sorted(set(who)))
    _save(
        folder,
        "orders",
        order_id=ids,
        customer_id=who,
        placed_at=at,
        status=["paid"] * n,
    )
    _save(
        folder,
        "order_lines",
        order_id=ids,
        line_id=["1"] * n,
        variant_id=names[product],
        product_id=names[product],
        quantity_units=np.ones(n, np.int64),
        unit_price_minor=rng.integers(500, 20_000, size=n),
        placed_at=at,
        customer_id=who,
    )


def _save(folder: Path, name: str, **columns: Any) -> None:
    pq.write_table(pa.table(columns), folder / f"{name}.parquet")
