"""What the sample shop sells: products, variants, suppliers, prices and costs."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from html import escape
from typing import Any

import numpy as np

from cartwheel.simulator.clock import instants, midnight
from cartwheel.simulator.text import (
    BRANDS,
    CATEGORIES,
    COLOURS,
    NAMES,
    STYLES,
    SUPPLIERS,
    description,
)

LOCATIONS = (("L1", "Central warehouse", "DE"), ("L2", "Town shop", "DE"))
PRICE_STEPS = np.array([-0.25, -0.2, -0.15, -0.1, 0.0, 0.05, 0.1, 0.15])
COMPANIONS = 4
MAX_SIZES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """The catalogue with the truth behind it; P products, V variants, D days.

    Attributes:
        product_ids: Shape (P,).
        titles: Shape (P,).
        nouns: What the article is called in a sentence, shape (P,).
        category: Index into `CATEGORIES`, shape (P,).
        brand: Index into `BRANDS`, shape (P,).
        style: Index into `STYLES`, shape (P,).
        colour: Index into `COLOURS`, shape (P,).
        launched: Day it is first shown, shape (P,).
        appeal: Pull on a visitor by product and day, shape (P, D).
        elasticity: True price elasticity, shape (P,).
        quality: True quality, mean 0, shape (P,).
        runs_small: Has a size problem, shape (P,).
        dead: Bought far too much of, demand gone, shape (P,).
        base_minor: Usual price, shape (P,).
        price_minor: List price by product and day, shape (P, D).
        companions: Products bought together with it, shape (P, COMPANIONS).
        first_variant: Index of its first variant, shape (P,).
        sizes: Number of variants, shape (P,).
        variant_ids: Shape (V,).
        variant_titles: Option values, shape (V,).
        product_of: Product of a variant, shape (V,).
        size_share: Share of the product's demand, shape (V,).
        supplier: Index into `SUPPLIERS`, shape (V,).
        pack: Units per pack, shape (V,).
        minimum_order: Smallest order in units, shape (V,).
        cost_minor: True unit cost by variant and day, shape (V, D).
        cost_known: The shop recorded the cost, shape (V,).
        lead_days: Promised lead time by supplier, shape (S,).
    """

    product_ids: np.ndarray
    titles: np.ndarray
    nouns: np.ndarray
    category: np.ndarray
    brand: np.ndarray
    style: np.ndarray
    colour: np.ndarray
    launched: np.ndarray
    appeal: np.ndarray
    elasticity: np.ndarray
    quality: np.ndarray
    runs_small: np.ndarray
    dead: np.ndarray
    base_minor: np.ndarray
    price_minor: np.ndarray
    companions: np.ndarray
    first_variant: np.ndarray
    sizes: np.ndarray
    variant_ids: np.ndarray
    variant_titles: np.ndarray
    product_of: np.ndarray
    size_share: np.ndarray
    supplier: np.ndarray
    pack: np.ndarray
    minimum_order: np.ndarray
    cost_minor: np.ndarray
    cost_known: np.ndarray
    lead_days: np.ndarray


def make_catalogue(
    rng: np.random.Generator,
    price_rng: np.random.Generator,
    *,
    start: date,
    days: int,
    products: int,
) -> Catalogue:
    """Draw a catalogue."""
    category = np.arange(products) % len(CATEGORIES)
    # Brand follows category, so that a brand's articles resemble each other.
    brand = (category + rng.integers(0, 3, products)) % len(BRANDS)
    style = rng.integers(0, len(STYLES), products)
    dead = rng.random(products) < 0.06
    launched = np.where(
        rng.random(products) < 0.15,
        rng.integers(0, max(days * 8 // 10, 1), products),
        0,
    )
    launched[dead] = 0
    elasticity = np.array([c.elasticity for c in CATEGORIES])[category]
    low = np.array([c.low for c in CATEGORIES])[category]
    high = np.array([c.high for c in CATEGORIES])[category]
    base = 100 * (low + (high - low) * rng.beta(1.6, 2.4, products)).astype(np.int64)
    base -= np.where(rng.random(products) < 0.7, 5, 1)
    words = _words(rng, category, brand, style)
    sized = _variants(rng, category, base, days)
    appeal = _appeal(rng, category, launched, dead, start, days)
    return Catalogue(
        **words,
        **sized,
        category=category,
        brand=brand,
        style=style,
        launched=launched,
        appeal=appeal,
        elasticity=np.minimum(elasticity + rng.normal(0, 0.4, products), -0.4),
        quality=rng.normal(0, 1, products),
        runs_small=(rng.random(products) < 0.12) & (sized["sizes"] > 1),
        dead=dead,
        base_minor=base,
        price_minor=_prices(price_rng, base, appeal.max(axis=1), days),
        companions=_companions(rng, category, style),
    )


def _words(
    rng: np.random.Generator,
    category: np.ndarray,
    brand: np.ndarray,
    style: np.ndarray,
) -> dict[str, np.ndarray]:
    colour = rng.integers(0, len(COLOURS), len(category))
    order = rng.permutation(len(NAMES))
    titles, nouns, seen = [], [], dict[str, int]()
    for i, c in enumerate(category):
        choices = CATEGORIES[c].nouns
        noun = choices[(i // len(CATEGORIES)) % len(choices)]
        number = seen.get(noun, 0)
        seen[noun] = number + 1
        name = NAMES[order[number % len(NAMES)]]
        series = "" if number < len(NAMES) else f" {number // len(NAMES) + 1}"
        titles.append(f"{name}{series} {noun} in {COLOURS[colour[i]]}")
        nouns.append(noun)
    return {
        "product_ids": np.array([f"P{i + 1:05d}" for i in range(len(category))]),
        "titles": np.array(titles),
        "nouns": np.array(nouns),
        "colour": colour,
    }


def _variants(
    rng: np.random.Generator, category: np.ndarray, base: np.ndarray, days: int
) -> dict[str, np.ndarray]:
    options = [CATEGORIES[c].sizes if rng.random() < 0.8 else () for c in category]
    sizes = np.array([max(len(o), 1) for o in options])
    first = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    product_of = np.repeat(np.arange(len(category)), sizes)
    ids, titles = [], []
    for i, option in enumerate(options):
        ids += [f"P{i + 1:05d}-{o}" for o in option] or [f"P{i + 1:05d}"]
        titles += list(option) or [""]
    weight = rng.gamma(6.0, 1.0, len(ids))
    # A supplier makes a category's goods, with one alternative.
    supplier = (category + (rng.random(len(category)) < 0.25)) % len(SUPPLIERS)
    pack = rng.choice([1, 2, 4, 6], len(ids), p=[0.4, 0.25, 0.2, 0.15])
    return {
        "first_variant": first,
        "sizes": sizes,
        "variant_ids": np.array(ids),
        "variant_titles": np.array(titles),
        "product_of": product_of,
        "size_share": weight / np.add.reduceat(weight, first)[product_of],
        "supplier": supplier[product_of],
        "pack": pack,
        "minimum_order": pack * rng.integers(1, 4, len(ids)),
        "cost_minor": _costs(rng, base, product_of, supplier[product_of], days),
        "cost_known": (rng.random(len(category)) >= 0.07)[product_of],
        "lead_days": rng.integers(7, 36, len(SUPPLIERS)),
    }


def _costs(
    rng: np.random.Generator,
    base: np.ndarray,
    product_of: np.ndarray,
    supplier: np.ndarray,
    days: int,
) -> np.ndarray:
    share = rng.uniform(0.28, 0.5, len(base))
    cost = np.rint(base * share).astype(np.int64)[product_of]
    by_day = np.repeat(cost[:, None], days, axis=1)
    # Two suppliers raise their prices in the second half of the year.
    for number, rise in ((1, 1.06), (4, 1.09)):
        dear = np.rint(cost * rise).astype(np.int64)
        hit = supplier == number
        by_day[hit, days // 2 :] = dear[hit, None]
    return by_day


def _appeal(
    rng: np.random.Generator,
    category: np.ndarray,
    launched: np.ndarray,
    dead: np.ndarray,
    start: date,
    days: int,
) -> np.ndarray:
    """Popularity times season; zero before launch; gone for dead stock."""
    day = np.arange(days)
    of_year = (start.timetuple().tm_yday + day) % 365
    popularity = rng.lognormal(0, 1.15, len(category))
    peak = np.array([c.peak for c in CATEGORIES])[category]
    swing = np.array([c.swing for c in CATEGORIES])[category]
    angle = 2 * np.pi * (of_year[None, :] - peak[:, None]) / 365
    appeal = popularity[:, None] * np.exp(swing[:, None] * np.cos(angle))
    appeal[day[None, :] < launched[:, None]] = 0.0
    fading = dead[:, None] & (day[None, :] >= days * 3 // 10)
    return np.asarray(np.where(fading, 0.001 * appeal, appeal))


def _prices(
    rng: np.random.Generator, base: np.ndarray, popularity: np.ndarray, days: int
) -> np.ndarray:
    """Random, logged price changes: best sellers often, others often, seldom or never.

    Only because the changes are drawn without a look at demand do sales tell how
    shoppers respond to price.
    """
    prices = np.repeat(base[:, None], days, axis=1)
    habit = rng.integers(0, 3, len(base))
    habit[popularity >= np.quantile(popularity, 0.8)] = 2
    for i in np.flatnonzero(habit > 0):
        gap = 28 if habit[i] == 2 else max(days // 3, 1)
        day = int(rng.integers(7, 7 + gap))
        while day < days:
            step = rng.choice(PRICE_STEPS)
            prices[i, day:] = _charm(int(base[i]), float(step))
            day += int(rng.integers(gap * 6 // 10, gap * 15 // 10 + 1))
    return prices


def _charm(base: int, step: float) -> int:
    """Return the stepped price with the ending of the base price."""
    ending = 100 - base % 100
    return max(100 * round((base * (1 + step) + ending) / 100), 100) - ending


def _companions(
    rng: np.random.Generator, category: np.ndarray, style: np.ndarray
) -> np.ndarray:
    """Pick companions of the same style from other categories where there are any."""
    found = np.empty((len(category), COMPANIONS), dtype=np.int64)
    everything = np.arange(len(category))
    for i in everything:
        fitting = np.flatnonzero((style == style[i]) & (category != category[i]))
        pool = fitting if len(fitting) >= COMPANIONS else everything
        found[i] = rng.choice(pool, COMPANIONS, replace=len(pool) < COMPANIONS)
    return found


def catalogue_columns(cat: Catalogue, start: date) -> dict[str, dict[str, Any]]:
    """Return the columns of products, variants, prices, costs and who supplies them."""
    zero = midnight(start)
    launched = instants(zero, cat.launched, 5 * 3600)
    product = cat.product_of
    texts = [
        description(str(cat.nouns[i]), BRANDS[cat.brand[i]], STYLES[s], COLOURS[k])
        for i, (s, k) in enumerate(zip(cat.style, cat.colour, strict=True))
    ]
    return {
        "products": {
            "product_id": cat.product_ids,
            "title": cat.titles,
            "description": texts,
            "page_html": [f"<p>{escape(text)}</p>" for text in texts],
            "category": [CATEGORIES[c].path for c in cat.category],
            "brand": [BRANDS[b] for b in cat.brand],
            "tags": [
                f"{STYLES[s]}, {COLOURS[k]}"
                for s, k in zip(cat.style, cat.colour, strict=True)
            ],
            "url": [f"/products/{name}" for name in cat.product_ids],
            "image_url": [None] * len(cat.product_ids),
            "attributes": [
                json.dumps({"Colour": COLOURS[k], "Style": STYLES[s]})
                for s, k in zip(cat.style, cat.colour, strict=True)
            ],
            "status": ["active"] * len(cat.product_ids),
            "created_at": launched,
        },
        "variants": {
            "variant_id": cat.variant_ids,
            "product_id": cat.product_ids[product],
            "sku": [f"SK-{v[1:]}" for v in cat.variant_ids],
            "title": [t or None for t in cat.variant_titles],
            "supplier_id": [f"S{s + 1}" for s in cat.supplier],
            "pack_units": cat.pack,
            "minimum_order_units": cat.minimum_order,
            "created_at": launched[product],
        },
        "prices": _price_columns(cat, zero),
        "costs": _cost_columns(cat, zero),
        "locations": {
            "location_id": [row[0] for row in LOCATIONS],
            "name": [row[1] for row in LOCATIONS],
            "country": [row[2] for row in LOCATIONS],
        },
        "suppliers": {
            "supplier_id": [f"S{i + 1}" for i in range(len(SUPPLIERS))],
            "name": list(SUPPLIERS),
            "lead_time_days": cat.lead_days,
            "minimum_order_minor": [20_000] * len(SUPPLIERS),
        },
    }


def _changes(values: np.ndarray, first: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return (row, day) where a value starts to be in force, from `first` on."""
    day = np.arange(values.shape[1])
    changed = np.ones(values.shape, dtype=bool)
    changed[:, 1:] = values[:, 1:] != values[:, :-1]
    changed &= day[None, :] > first[:, None]
    changed |= day[None, :] == first[:, None]
    rows, days = np.nonzero(changed)
    return rows, days


def _price_columns(cat: Catalogue, zero: np.datetime64) -> dict[str, Any]:
    product = cat.product_of
    prices = cat.price_minor[product]
    row, day = _changes(prices, cat.launched[product])
    price = prices[row, day]
    base = cat.base_minor[product[row]]
    return {
        "variant_id": cat.variant_ids[row],
        "valid_from_at": instants(zero, day, 5 * 3600),
        "price_minor": price,
        "compare_at_minor": [
            int(b) if p <= 0.9 * b else None for p, b in zip(price, base, strict=True)
        ],
    }


def _cost_columns(cat: Catalogue, zero: np.datetime64) -> dict[str, Any]:
    row, day = _changes(cat.cost_minor, cat.launched[cat.product_of])
    known = cat.cost_known[row]
    row, day = row[known], day[known]
    return {
        "variant_id": cat.variant_ids[row],
        "valid_from_at": instants(zero, day, 5 * 3600),
        "cost_minor": cat.cost_minor[row, day],
    }
