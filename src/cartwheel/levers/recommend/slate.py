"""Fills slates from a published model, and why. numpy only: this runs per request."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from cartwheel.levers.base import Model, Request, Slot
from cartwheel.levers.recommend.reader import NOTHING, Reader, among
from cartwheel.levers.recommend.scoring import alike, best_first, goes_with, near
from cartwheel.levers.recommend.similarity import Neighbours

Array = np.ndarray[Any, Any]

LEVELS = " > "
"""Between the levels of a category path."""

EXPLORE_AMONG = 20
DRAWN_FROM = EXPLORE_AMONG - 1
"""Products after the last slot's own that it may be drawn from."""

VIEWED = "Viewed by people who also viewed"


def outside(model: Model, category: str) -> Array:
    """Return the products that are not of a category or of one below it."""
    kinds = model.arrays["kinds"]
    below = category + LEVELS
    inside = np.array([k == category or k.startswith(below) for k in kinds.tolist()])
    result: Array = np.flatnonzero(~inside[model.arrays["kind"]])
    return result


def with_few_familiar(
    score: Array, candidates: Array, familiar: Array, most: int
) -> Array:
    """Return candidates with only the `most` best of those bought before."""
    known = among(candidates, familiar, len(score))
    kept = np.zeros(len(score), bool)
    kept[candidates[~known]] = True
    if most > 0:
        kept[best_first(score, candidates[known], most)] = True
    result: Array = np.flatnonzero(kept)
    return result


def fill(
    score: Array,
    candidates: Array,
    *,
    limit: int,
    explore: float,
    rng: np.random.Generator | None,
) -> tuple[Array, Array]:
    """Return the slate of the best candidates, as `draw` fills it.

    Args:
        score: Score by product, shape (n_products,).
        candidates: Product numbers that may be shown.
        limit: Slots.
        explore: Share of draws, 0 to 1.
        rng: Random numbers; None fills without a draw.
    """
    ranked = best_first(score, candidates, limit + DRAWN_FROM)
    return draw(ranked, limit=limit, explore=explore, rng=rng)


def draw(
    ranked: Array, *, limit: int, explore: float, rng: np.random.Generator | None
) -> tuple[Array, Array]:
    """Return the slate and the probability of each slot given those before it.

    All slots but the last are the best in order. The last keeps the next best with
    probability `1 - explore` and else draws evenly among the next `EXPLORE_AMONG`,
    so that products the model overlooks are seen and what they earn can be known.

    Args:
        ranked: Product numbers that may be shown, the best first, `DRAWN_FROM` more
            than there are slots as far as there are any.
        limit: Slots.
        explore: Share of draws, 0 to 1.
        rng: Random numbers; None fills without a draw.
    """
    slate = ranked[:limit].copy()
    probability = np.ones(len(slate))
    pool = ranked[limit - 1 : limit + DRAWN_FROM]
    if rng is None or explore <= 0 or limit < 3 or len(pool) < 2:
        return slate, probability
    drawn = rng.random() < explore
    place = int(rng.integers(len(pool)))
    chosen = place if drawn else 0
    slate[-1] = pool[chosen]
    even = explore / len(pool)
    probability[-1] = even + (1.0 - explore if chosen == 0 else 0.0)
    return slate, probability


def eligible_hash(model: Model, excluded: Array) -> str:
    """Fingerprint the set that could be chosen: the model's, less the excluded."""
    digest = hashlib.blake2b(digest_size=8)
    digest.update(str(model.meta["eligible_hash"]).encode())
    digest.update(np.unique(excluded).astype(np.int64).tobytes())
    return digest.hexdigest()


def untouched(model: Model, request: Request, excluded: Array) -> Array:
    """Return the rule for people left alone: bestsellers of 30 days in stock."""
    order = np.asarray(model.arrays["bestsellers"], np.int64)
    left_out = among(order, excluded, len(model.arrays["product_id"]))
    result: Array = order[~left_out][: request.limit]
    return result


def reasons(
    model: Model, items: Array, reader: Reader, context: Array, rule: str
) -> list[str]:
    """Return why each product fills its slot, in a shopper's words."""
    if rule == "bestsellers":
        return ["Bestseller of the last 30 days"] * len(items)
    title = model.arrays["title"]
    again = among(items, reader.items, len(title)).tolist()
    found: list[str | None] = ["Bought before" if had else None for had in again]
    looks, lists = NOTHING, goes_with(model)
    _say(found, "Goes with", title, lists, items, context[-20:], over=True)
    if "wanted_slopes" in model.meta:
        looks = np.concatenate([reader.looks[:20], context[-20:]])
        opened = "taste_vector" in model.arrays
        viewed = "Liked by people who like" if opened else VIEWED
        _say(found, viewed, title, alike(model), items, looks)
    bought = "Bought by people who also bought"
    _say(found, bought, title, near(model), items, reader.items)
    return [said or "Popular now" for said in found]


def _say(
    found: list[str | None],
    what: str,
    title: Array,
    lists: Neighbours,
    items: Array,
    sources: Array,
    *,
    over: bool = False,
) -> None:
    """Fill in reasons that are open yet, or all, by what says most about each item."""
    rows = [row for row, said in enumerate(found) if over or said is None]
    if len(sources) == 0 or not rows:
        return
    strongest = _strongest_sources(lists, items[rows], sources)
    for row, source in zip(rows, strongest.tolist(), strict=True):
        if source >= 0:
            found[row] = f"{what} {title[source]}"


def _strongest_sources(lists: Neighbours, items: Array, sources: Array) -> Array:
    """Return which source says most about each item, -1 for none, shape (n_items,)."""
    listed = lists.index.take(sources, axis=0).ravel()
    order = np.argsort(items)
    place = items[order].searchsorted(listed)
    place[place == len(items)] = 0
    met = np.flatnonzero(items[order[place]] == listed)
    row, column = np.divmod(met, lists.index.shape[1])
    weight = lists.weight[sources[row], column]
    heard = weight > 0  # lists are padded with products that nothing is said of
    said = np.zeros((len(items), len(sources)), weight.dtype)
    said[order[place[met[heard]]], row[heard]] = weight[heard]
    best = said.argmax(axis=1)
    strongest = said[np.arange(len(best)), best]
    result: Array = np.where(strongest > 0, sources[best], -1)
    return result


def slots(
    model: Model,
    items: Sequence[int] | Array,
    probability: Array,
    reader: Reader,
    context: Array,
    rule: str,
) -> tuple[Slot, ...]:
    """Return filled slots with their reasons."""
    chosen = np.asarray(items, np.int64)
    names = model.arrays["product_id"][chosen].tolist()
    chances = np.asarray(probability, float).tolist()
    said = reasons(model, chosen, reader, context, rule)
    return tuple(
        Slot(product_id=name, propensity=chance, reason=reason)
        for name, chance, reason in zip(names, chances, said, strict=True)
    )
