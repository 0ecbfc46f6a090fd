"""The catalogue: what products are like, what they cost, who makes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from cartwheel.simulator.world.draws import Draws
from cartwheel.simulator.world.spec import Size, WorldSpec

Array = np.ndarray[Any, Any]

TASTES = 8
COMPANIONS = 4
LOCATIONS = ("L1", "L2")
NEAR_SHARE = (0.6, 0.4)
"""Share of people, and of opening stock, by location."""

COST_UNKNOWN = 0.06
EARLIEST_LAUNCH = 0.1
LATEST_LAUNCH = 0.9


@dataclass(frozen=True, slots=True, kw_only=True)
class Goods:
    """The catalogue with its truth; P products, V variants, C categories.

    Attributes:
        product_ids: Shape (P,).
        titles: Shape (P,).
        nouns: Shape (P,).
        category: Index of the category, shape (P,).
        taste: Place in the space of tastes, unit length, shape (P, TASTES).
        centre: Place of each category, shape (C, TASTES).
        quality: Appeal nobody's taste has, shape (P,).
        launched: Day of launch, shape (P,).
        usual_minor: Usual price, shape (P,).
        tier: Log of the usual price over the middle of its kind's, shape (P,).
        content_gap: How far the page misleads, at least 0, shape (P,).
        defect: Has a hidden fault, shape (P,).
        runs_small: Cut too small, shape (P,).
        companions: What goes with it, shape (P, COMPANIONS).
        variant_ids: Shape (V,).
        product_of: Shape (V,).
        first_variant: Shape (P,).
        n_variants: Shape (P,).
        share: Share of its product's buyers, shape (V,).
        sizes: Option value, shape (V,).
        supplier: Shape (V,).
        pack: Units per pack, shape (V,).
        minimum: Smallest order in units, shape (V,).
        cost_minor: True unit cost, shape (V,).
        cost_known: The shop recorded it, shape (V,).
    """

    product_ids: Array
    titles: Array
    nouns: Array
    category: Array
    taste: Array
    centre: Array
    quality: Array
    launched: Array
    usual_minor: Array
    tier: Array
    content_gap: Array
    defect: Array
    runs_small: Array
    companions: Array
    variant_ids: Array
    product_of: Array
    first_variant: Array
    n_variants: Array
    share: Array
    sizes: Array
    supplier: Array
    pack: Array
    minimum: Array
    cost_minor: Array
    cost_known: Array


def make_goods(spec: WorldSpec, size: Size, draws: Draws) -> Goods:
    """Draw a catalogue."""
    rng = draws.generator("goods")
    goods, count = spec.goods, size.products
    weight = np.array([c.weight for c in goods.categories])
    category = rng.choice(len(weight), count, p=weight / weight.sum())
    centre = _unit(rng.normal(size=(len(weight), TASTES)))
    taste = _unit(0.8 * centre[category] + 0.75 * _unit(rng.normal(size=(count, 8))))
    later = rng.random(count) < goods.new_share
    window = (EARLIEST_LAUNCH * size.days, LATEST_LAUNCH * size.days)
    launched = np.where(later, rng.uniform(*window, count), 0).astype(np.int64)
    low = np.array([c.low_minor for c in goods.categories], float)[category]
    high = np.array([c.high_minor for c in goods.categories], float)[category]
    usual = low * (high / low) ** rng.beta(1.8, 2.2, count)
    usual = np.maximum(np.rint(usual / 100) * 100 - 5, 95).astype(np.int64)
    words = _words(spec, category, rng)
    return Goods(
        product_ids=np.array([f"P{i + 1:05d}" for i in range(count)]),
        titles=words[0],
        nouns=words[1],
        category=category,
        taste=taste.astype(np.float32),
        centre=centre.astype(np.float32),
        quality=rng.normal(0, goods.quality_sd, count),
        launched=launched,
        usual_minor=usual,
        tier=np.log(usual / np.sqrt(low * high)),
        content_gap=np.abs(rng.normal(0, goods.content_gap_sd, count)),
        defect=rng.random(count) < goods.defect_share,
        runs_small=(rng.random(count) < goods.runs_small_share)
        & np.array([len(c.sizes) > 1 for c in goods.categories])[category],
        companions=_companions(rng, category, taste),
        **_variants(spec, category, usual, rng),
    )


def _unit(vectors: Array) -> Array:
    result: Array = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return result


def _words(
    spec: WorldSpec, category: Array, rng: np.random.Generator
) -> tuple[Array, Array]:
    seen: dict[str, int] = {}
    titles, nouns = [], []
    for number in category:
        choices = spec.goods.categories[number].nouns
        noun = choices[int(rng.integers(len(choices)))]
        seen[noun] = seen.get(noun, 0) + 1
        nouns.append(noun)
        titles.append(f"{noun} {seen[noun]}")
    return np.array(titles), np.array(nouns)


def _companions(rng: np.random.Generator, category: Array, taste: Array) -> Array:
    """Pick, in other categories, what suits the same taste."""
    found = np.empty((len(category), COMPANIONS), np.int64)
    everything = np.arange(len(category))
    for i in everything:
        others = everything[category != category[i]]
        pool = others if len(others) >= COMPANIONS else everything
        fit = taste[pool] @ taste[i] + 0.6 * rng.gumbel(size=len(pool))
        best = pool[np.argsort(-fit, kind="stable")[:COMPANIONS]]
        found[i] = np.resize(best, COMPANIONS)
    return found


def _variants(
    spec: WorldSpec, category: Array, usual: Array, rng: np.random.Generator
) -> dict[str, Array]:
    options = [spec.goods.categories[c].sizes or ("",) for c in category]
    counts = np.array([len(o) for o in options])
    product_of = np.repeat(np.arange(len(category)), counts)
    first = np.concatenate([[0], np.cumsum(counts)[:-1]])
    weight = rng.gamma(6.0, 1.0, len(product_of))
    low, high = spec.goods.markup
    cost = np.maximum(usual / rng.uniform(low, high, len(usual)), 1)
    suppliers = len(spec.supply.suppliers)
    # A supplier makes a category's goods, with one alternative.
    supplier = (category + (rng.random(len(category)) < 0.25)) % suppliers
    pack = rng.choice(spec.supply.packs, len(category))[product_of]
    ids = [
        f"P{i + 1:05d}-{name}" if name else f"P{i + 1:05d}"
        for i, names in enumerate(options)
        for name in names
    ]
    return {
        "variant_ids": np.array(ids),
        "product_of": product_of,
        "first_variant": first,
        "n_variants": counts,
        "share": weight / np.add.reduceat(weight, first)[product_of],
        "sizes": np.array([name for names in options for name in names]),
        "supplier": supplier[product_of],
        "pack": pack,
        "minimum": pack * rng.integers(1, 3, len(category))[product_of],
        "cost_minor": np.rint(cost)[product_of].astype(np.int64),
        "cost_known": (rng.random(len(category)) >= COST_UNKNOWN)[product_of],
    }
