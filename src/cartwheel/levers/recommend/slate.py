"""Scores and fills slates from a published model. numpy only: this runs per request."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from cartwheel.levers.base import Model, Request, Slot
from cartwheel.levers.recommend.similarity import Neighbours
from cartwheel.levers.recommend.taste import Taste, after_visit, joined

Array = np.ndarray[Any, Any]

# Products a visitor saw lose this share of their say with each product seen after.
CONTEXT_DECAY = 0.7
# How much "goes with what you look at" counts beside the chance of buying.
CONTEXT_WEIGHT = 0.5
WITH = ("cart", "goes_with", "thanks")
"""Placements that ask what goes with products, not what is like them."""

LEVELS = " > "
"""Between the levels of a category path."""

SCORE_SCALE = 0.01
VISIT_DECAY = 0.8
EXPLORE_AMONG = 20
NOTHING: Array = np.zeros(0, np.int64)
VIEWED = "Viewed by people who also viewed"
CUSTOMER, DEVICE = "c:", "v:"
"""What the ids of those whose looks are known begin with, so that they never meet."""


def likely(score: Array) -> Array:
    """Return the feature the chance model uses for a neighbour score, 0 for none."""
    result: Array = np.log1p(np.maximum(score, 0.0) / SCORE_SCALE)
    return result


def sigmoid(value: Array) -> Array:
    """Return the logistic function."""
    within = np.minimum(np.maximum(value, -40), 40)  # three times as fast as `clip`
    result: Array = 1.0 / (1.0 + np.exp(-within))
    return result


def numbers(names: Array, wanted: Iterable[str]) -> Array:
    """Return positions in sorted `names` of those wanted that are there, in order."""
    longest = names.dtype.itemsize // np.dtype("U1").itemsize
    # Asked for a longer one, numpy would copy all names to compare with it.
    asked = [name for name in wanted if len(name) <= longest]
    if not asked:
        return NOTHING
    places = names.searchsorted(asked).tolist()
    found = [
        at
        for at, name in zip(places, asked, strict=True)
        if at < len(names) and names[at] == name
    ]
    return np.array(found, np.int64)


def among(items: Array, others: Array, count: int) -> Array:
    """Return which items are among others, of products numbered below `count`."""
    marked = np.zeros(count, bool)
    marked[others] = True
    result: Array = marked[items]
    return result


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """What is known of whoever looks.

    Attributes:
        items: Products bought before, as numbers.
        weights: Weight of each, by age.
        own: Chance of buying each again.
        skip: Products of open returns, as numbers.
        looks: Products looked at before, as numbers.
        look_weights: Weight of each.
        taste: What is expected of their taste, (k,); empty before anything is learned.
        precision: How firmly, packed, (k (k + 1) / 2,).
    """

    items: Array
    weights: Array
    own: Array
    skip: Array
    looks: Array
    look_weights: Array
    taste: Array
    precision: Array


NOTHING_KNOWN: Array = np.zeros(0, np.float32)
NOBODY = Reader(
    items=NOTHING,
    weights=NOTHING,
    own=NOTHING,
    skip=NOTHING,
    looks=NOTHING,
    look_weights=NOTHING_KNOWN,
    taste=NOTHING_KNOWN,
    precision=NOTHING_KNOWN,
)


def find_reader(
    model: Model, customer: str | None, visitor: str | None = None
) -> Reader:
    """Return what is known of a customer and a device; `NOBODY` when nothing is.

    A customer who objects to personalisation is nobody on any device.
    """
    silent = customer is not None and len(numbers(model.arrays["silent"], [customer]))
    if silent or (customer is None and visitor is None):
        return NOBODY
    looks, weights = _looks(model, customer, visitor)
    taste, precision = _taste_of(model, customer, visitor)
    somebody = replace(
        NOBODY, looks=looks, look_weights=weights, taste=taste, precision=precision
    )
    at = NOTHING
    if customer is not None:
        at = numbers(model.arrays["customer_id"], [customer])
    if len(at) == 0:
        return somebody
    start, end = model.arrays["history_start"][at[0] : at[0] + 2]
    skipped = np.asarray(model.arrays["history_skip"][start:end])
    return replace(
        somebody,
        items=np.asarray(model.arrays["history_item"][start:end], np.int64),
        weights=np.asarray(model.arrays["history_weight"][start:end]),
        own=np.asarray(model.arrays["history_own"][start:end]),
        skip=np.asarray(model.arrays["history_item"][start:end], np.int64)[skipped],
    )


def _looks(
    model: Model, customer: str | None, visitor: str | None
) -> tuple[Array, Array]:
    """Return what a customer looked at on any device, then on this one alone."""
    wanted = [] if customer is None else [CUSTOMER + customer]
    wanted += [] if visitor is None else [DEVICE + visitor]
    items, weights = NOTHING, NOBODY.look_weights
    for at in numbers(model.arrays["reader"], wanted):
        start, end = model.arrays["look_start"][at : at + 2]
        found = np.asarray(model.arrays["look_item"][start:end], np.int64)
        heard = np.asarray(model.arrays["look_weight"][start:end])
        if len(items):
            new = ~among(found, items, len(model.arrays["product_id"]))
            found, heard = found[new], heard[new]
        items = np.concatenate([items, found])
        weights = np.concatenate([weights, heard])
    return items, weights


def _taste_of(
    model: Model, customer: str | None, visitor: str | None
) -> tuple[Array, Array]:
    """Return a customer's taste and this device's, joined.

    A customer's is learned on all devices known to be theirs; this one's is added
    unless it is among them.
    """
    tastes = model.arrays.get("reader_taste")
    if tastes is None:
        return NOTHING_KNOWN, NOTHING_KNOWN
    wanted = [] if customer is None else [CUSTOMER + customer]
    if visitor is not None and not _is_theirs(model, visitor, customer):
        wanted.append(DEVICE + visitor)
    found = numbers(model.arrays["reader"], wanted)
    if len(found) == 0:
        return NOTHING_KNOWN, NOTHING_KNOWN
    firm = model.arrays["reader_precision"]
    if len(found) == 1:
        return tastes[found[0]], firm[found[0]]
    return joined(tastes[found], firm[found])


def _is_theirs(model: Model, device: str, customer: str | None) -> bool:
    """Tell whether a device's looks are among a customer's already."""
    at = numbers(model.arrays["device"], [device])
    return bool(len(at)) and model.arrays["device_owner"][at[0]] == customer


def near(model: Model) -> Neighbours:
    """Neighbours that say what a customer buys next."""
    return Neighbours(
        index=model.arrays["near_index"], weight=model.arrays["near_weight"]
    )


def goes_with(model: Model) -> Neighbours:
    """Neighbours that say what goes together."""
    return Neighbours(
        index=model.arrays["with_index"], weight=model.arrays["with_weight"]
    )


def alike(model: Model) -> Neighbours:
    """Neighbours that say what the same people open, or look at."""
    return Neighbours(
        index=model.arrays["alike_index"], weight=model.arrays["alike_weight"]
    )


def taste(model: Model) -> Taste:
    """How looks are read."""
    return Taste(
        lists=alike(model),
        share=model.arrays["liked_share"],
        level=model.arrays["price_level"],
        usual_level=float(model.meta["usual_level"]),
        category=model.arrays["category"],
        category_share=model.arrays["category_share"],
    )


def wanted(model: Model, reader: Reader, context: Array) -> Array:
    """Return every product's chance of being wanted by this visitor if looked at."""
    intercept, by_appeal, *by_reading, by_bought = model.meta["wanted_slopes"]
    logit = np.float32(intercept) + np.float32(by_appeal) * model.arrays["appeal"]
    read = _opened if "taste_vector" in model.arrays else _looked
    logit = logit + read(model, reader, context[-20:], by_reading)
    if len(reader.items):
        logit[reader.items] += np.float32(by_bought)
    return sigmoid(logit).astype(np.float32)


def _opened(
    model: Model, reader: Reader, seen: Array, slopes: Sequence[float]
) -> Array:
    """Return what is added to the log-odds by a taste learned from opened slots."""
    by_opened, by_leaning = slopes
    level, vector = model.arrays["opened_level"], model.arrays["taste_vector"]
    added: Array = np.float32(by_opened) * level
    leaning = after_visit(reader.taste, reader.precision, vector, level, seen)
    if len(leaning):
        added = added + np.float32(by_leaning) * (vector @ leaning)
    return added


def _looked(
    model: Model, reader: Reader, seen: Array, slopes: Sequence[float]
) -> Array:
    """Return what is added to the log-odds by looks alone."""
    items = np.concatenate([reader.looks, seen])
    if len(items) == 0:
        return np.zeros(len(model.arrays["appeal"]), np.float32)
    now = VISIT_DECAY ** np.arange(len(seen) - 1, -1, -1, dtype=np.float32)
    weights = np.concatenate([reader.look_weights, now])
    found: Array = taste(model).readings(items, weights) @ np.array(slopes, np.float32)
    return found


def chances(model: Model, reader: Reader) -> Array:
    """Return every product's chance of being bought by this reader in 30 days."""
    base = np.array(model.arrays["base_logit"], np.float32)
    if len(reader.items):
        score = near(model).score(reader.items, reader.weights)
        base += np.float32(model.meta["score_slope"]) * likely(score)
    chance = sigmoid(base).astype(np.float32)
    if len(reader.items):
        chance[reader.items] = np.maximum(chance[reader.items], reader.own)
    return chance


def context_weights(count: int) -> Array:
    """Return weights of a visit's products, oldest first, the latest counting 1."""
    result: Array = CONTEXT_DECAY ** np.arange(count - 1, -1, -1, dtype=float)
    return result


def scores(
    model: Model, reader: Reader, context: Array, placement: str = "home"
) -> Array:
    """Return the score by which products are ranked, shape (n_products,).

    With looks learned, products are ranked by the chance of being wanted once looked
    at, else by the chance of a sale. What goes with a cart's products is added; beside
    a product, what is like it is in the visitor's taste already.
    """
    learned = "wanted_slopes" in model.meta
    total = wanted(model, reader, context) if learned else chances(model, reader)
    if len(context) and (placement in WITH or not learned):
        recent = context[-20:]
        said = goes_with(model).score(recent, context_weights(len(recent)))
        total = total + np.float32(CONTEXT_WEIGHT) * said
    result: Array = total * model.arrays["factor"]
    return result


def boosted(model: Model, score: Array, boosts: Mapping[str, float]) -> Array:
    """Return scores with those of the products that the merchant boosts multiplied."""
    if not boosts:
        return score
    names = model.arrays["product_id"]
    found = score.copy()
    for name, factor in boosts.items():
        found[numbers(names, [name])] *= np.float32(factor)
    return found


def outside(model: Model, category: str) -> Array:
    """Return the products that are not of a category or of one below it."""
    kinds = model.arrays["kinds"]
    below = category + LEVELS
    inside = np.array([k == category or k.startswith(below) for k in kinds.tolist()])
    result: Array = np.flatnonzero(~inside[model.arrays["kind"]])
    return result


def best_first(score: Array, candidates: Array, count: int) -> Array:
    """Return the `count` best candidates, ties by product number."""
    if len(candidates) > count:
        part = np.argpartition(-score[candidates], count - 1)[:count]
        limit = score[candidates[part]].min()
        candidates = candidates[score[candidates] >= limit]
    order = np.lexsort((candidates, -score[candidates]))
    result: Array = candidates[order][:count]
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
    """Return the slate and the probability of each slot given those before it.

    All slots but the last are the best in order. The last keeps the next best with
    probability `1 - explore` and else draws evenly among the next `EXPLORE_AMONG`,
    so that products the model overlooks are seen and what they earn can be known.

    Args:
        score: Score by product, shape (n_products,).
        candidates: Product numbers that may be shown.
        limit: Slots.
        explore: Share of draws, 0 to 1.
        rng: Random numbers; None fills without a draw.
    """
    ranked = best_first(score, candidates, limit - 1 + EXPLORE_AMONG)
    slate = ranked[:limit].copy()
    probability = np.ones(len(slate))
    pool = ranked[limit - 1 :]
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
    asked = np.zeros(len(lists.index), bool)
    asked[items] = True
    met = np.flatnonzero(asked.take(listed))
    row, column = np.divmod(met, lists.index.shape[1])
    weight = lists.weight[sources[row], column]
    heard = weight > 0  # lists are padded with products that nothing is said of
    place = np.zeros(len(lists.index), np.int64)
    place[items] = np.arange(len(items))
    said = np.zeros((len(items), len(sources)), weight.dtype)
    said[place[listed[met[heard]]], row[heard]] = weight[heard]
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
