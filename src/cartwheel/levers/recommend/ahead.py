"""What a visitor looks at next, and how far it counts beside what they want.

Whoever looks at a product wants it with some chance (`looks`); which product they look
at next depends on the visit so far (`next_items`). The product of the two is the
chance that a product is looked at next and wanted. How far the first factor counts is
chosen on the shop's own latest visits, by how early the product that is put into the
cart next stands among all. Where it does not surely help, nothing changes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np

from cartwheel.levers.base import Model
from cartwheel.levers.recommend.content import content_neighbours, traits_of
from cartwheel.levers.recommend.hitrate import paired_interval
from cartwheel.levers.recommend.next_items import NextItems, learn_visits
from cartwheel.levers.recommend.numbering import product_numbers
from cartwheel.levers.recommend.pool import FEATURES, IN_VISIT
from cartwheel.levers.recommend.ranker import Cases, Ranker, every_step
from cartwheel.levers.recommend.reader import NOBODY
from cartwheel.levers.recommend.scoring import scores
from cartwheel.levers.recommend.sequences import Prefixes, Sequences
from cartwheel.levers.recommend.similarity import Neighbours
from cartwheel.levers.recommend.sources import Sources, learn_sources
from cartwheel.levers.trees import Trees
from cartwheel.signals.base import Signals
from cartwheel.signals.catalogue import CATALOGUE
from cartwheel.signals.visits import VISITS

if TYPE_CHECKING:
    import pandas as pd

Array = np.ndarray[Any, Any]

FEWEST_STEPS = 2_000
"""Steps of visits below which nothing is tried."""

FEWEST_CARTS = 100
"""Of the latest visits' products, those put into the cart, below which the shares
cannot be told apart."""

MOST_STEPS = 1_000_000
"""Latest steps that are learned from."""

TRIED_PART = 0.1
"""Share of the latest visits on which the power is chosen."""

TRIED_CASES = 1_500
POWERS = (0.5, 1.0)
GROUPS = (0.5, 0.7, 0.8, 0.9, 0.94, 0.97, 0.98, 0.985, 0.99, 0.995, 0.9975, 0.999, 1.0)
"""Ends of the groups by score in which chances are counted."""

TOP = 10
RETRY_DAYS = 28
"""Days after which it is tried again how far the visit so far counts."""

META = ("ahead_on", "ahead_reads", "ahead_power", "ahead_chance", "ahead_test")
PREFIX, TREES = "next_", "next_trees_"


@dataclass(frozen=True, slots=True, kw_only=True)
class Visits:
    """Visits in order of time.

    Attributes:
        data: Products looked at, a cart straight after its page's view left out.
        cart: Whether a product was put into the cart then or later in the visit,
            shape (n,).
    """

    data: Sequences
    cart: Array


def read_visits(data: Signals, products: Array) -> Visits:
    """Return visits of several steps, the earliest first."""
    import pandas as pd

    frame = data.frame(VISITS)
    number = product_numbers(frame["product_id"].to_numpy().astype(str), products)
    as_of = pd.Timestamp(data.context.when.as_of)
    frame = frame.assign(item=number, at=-(as_of - frame["day"]).dt.days.astype(float))
    frame = frame[number >= 0]
    carted = _put_into_cart(frame)
    keys = ["visitor_id", "visit"]
    again = frame["cart"] & (
        frame["item"] == frame.groupby(keys)["item"].shift(1, fill_value=-1)
    )
    frame = frame.assign(carted=carted)[~again]
    size = frame.groupby(keys)["item"].transform("size")
    first = frame.groupby(keys)["at"].transform("min")
    frame = frame.assign(first=first)[size > 1]
    frame = frame.sort_values(["first", *keys, "step"], kind="stable")[-MOST_STEPS:]
    who = frame["visitor_id"].to_numpy().astype(str)
    visit = frame["visit"].to_numpy()
    new = np.r_[True, (who[1:] != who[:-1]) | (visit[1:] != visit[:-1])][: len(who)]
    start = np.r_[np.flatnonzero(new), len(who)].astype(np.int64)
    return Visits(
        data=Sequences.of(
            frame["item"].to_numpy(np.int64),
            start,
            len(products),
            at=frame["at"].to_numpy(float),
        ),
        cart=frame["carted"].to_numpy(bool),
    )


def _put_into_cart(frame: pd.DataFrame) -> Array:
    """Return whether each row's product is put into the cart in that visit."""
    by = frame.groupby(["visitor_id", "visit", "item"])["cart"]
    result: Array = by.transform("max").to_numpy(bool)
    return result


def kinds_of(data: Signals, products: Array, keep: int) -> Neighbours:
    """Return neighbours by category, brand and the title's words."""
    variants = data.frame(CATALOGUE).dropna(subset=["product_id"])
    first = variants.groupby("product_id").first().reindex(products)
    rows = first[["title", "category", "brand"]].fillna("").astype(str)
    traits = [
        [f"category {kind}" * bool(kind), f"brand {brand}" * bool(brand)]
        + [word for word in title.lower().split() if len(word) > 2]
        for title, kind, brand in rows.itertuples(index=False)
    ]
    return content_neighbours(
        traits_of([[one for one in found if one] for found in traits]), keep
    )


def with_ahead(
    model: Model,
    data: Signals,
    previous: Model | None = None,
    *,
    largest_ease: int,
    seed: int,
) -> Model:
    """Return the model with what is looked at next, where that surely helps.

    What was tried less than `RETRY_DAYS` ago stands: what the ranker reads of a
    candidate is the same in every turn, and only its sources are learned anew.

    Args:
        model: Everything else that was learned.
        data: The lever's signals.
        previous: The last healthy model, if any.
        largest_ease: Most products for EASE.
        seed: Seed of the draws.
    """
    products = np.asarray(model.arrays["product_id"])
    visits = read_visits(data, products)
    if len(visits.data.item) - len(visits.data) < FEWEST_STEPS:
        return model
    content = kinds_of(data, products, keep=20)
    found = _still_good(previous, data)
    if found is None:
        found = _try(model, data, visits, content, largest_ease, seed)
    if found is None:
        return model
    meta, arrays = found
    if "ahead_power" not in meta:
        return Model(rule=model.rule, arrays=model.arrays, meta={**model.meta, **meta})
    sources = learn_sources(visits.data, content=content, largest_ease=largest_ease)
    return Model(
        rule=f"{model.rule} and visits",
        arrays={**model.arrays, **sources.arrays(PREFIX), **arrays},
        meta={**model.meta, **meta},
    )


Found = tuple[dict[str, Any], dict[str, Array]]
"""What a trial found, JSON values, and the trees where they beat the blend."""


def _still_good(previous: Model | None, data: Signals) -> Found | None:
    """Return what the last trial found, unless it is too long ago."""
    if previous is None or "ahead_on" not in previous.meta or not _is_read(previous):
        return None
    tried_on = date.fromisoformat(previous.meta["ahead_on"])
    if not 0 <= (data.context.when.as_of - tried_on).days < RETRY_DAYS:
        return None
    meta = {name: previous.meta[name] for name in META if name in previous.meta}
    trees = {
        name: array for name, array in previous.arrays.items() if name.startswith(TREES)
    }
    return meta, trees


def _try(
    model: Model,
    data: Signals,
    visits: Visits,
    content: Neighbours,
    largest_ease: int,
    seed: int,
) -> Found | None:
    """Learn on all but the latest visits and choose on those; None of too few carts."""
    cut = round(len(visits.data) * (1 - TRIED_PART))
    earlier = visits.data.take(np.arange(cut))
    later = visits.data.take(np.arange(cut, len(visits.data)))
    cases = every_step(later)
    carted = visits.cart[visits.data.start[cut] :]
    wanted = np.flatnonzero(carted[later.step > 0])
    if len(wanted) < FEWEST_CARTS:
        return None
    rng = np.random.default_rng(seed)
    tried = learn_visits(earlier, seed=seed, content=content, largest_ease=largest_ease)
    order = rng.permutation(len(cases))[:TRIED_CASES]
    chance = _fit_chance(tried, cases.take(np.sort(order)))
    chosen = cases.take(np.sort(rng.permutation(wanted)[:TRIED_CASES]))
    power, test = _best_power(model, tried, chosen, chance, seed)
    meta: dict[str, Any] = {
        "ahead_on": data.context.when.as_of.isoformat(),
        "ahead_reads": list(FEATURES),
        "ahead_test": {**test, "next": tried.test},
    }
    if power == 0.0:
        return meta, {}
    meta |= {"ahead_power": power, "ahead_chance": chance}
    trees = tried.ranker.trees
    return meta, {} if trees is None else trees.arrays(TREES)


def _fit_chance(model: NextItems, cases: Cases) -> dict[str, Any]:
    """Return the chance to be next by score, and that of products outside.

    Counted among the candidates of visits the ranker did not see, in groups by score
    that grow finer towards the top, and made not to fall; products that are no
    candidates share what is left evenly.
    """
    found, hits = [np.zeros(0)], [np.zeros(0, bool)]
    for first, asked in cases.blocks():
        row, item, score = model.ranker.rank(model.sources, asked)
        found.append(score)
        hits.append(cases.answered(row + first, item))
    score, hit = np.concatenate(found), np.concatenate(hits)
    order = np.argsort(score, kind="stable")
    ends = np.unique((np.array(GROUPS) * len(order)).astype(np.int64))
    at, share = [], []
    for first, last in zip(np.r_[0, ends[:-1]], ends, strict=True):
        rows = order[first:last]
        if len(rows):
            at.append(float(score[rows].mean()))
            share.append(float((hit[rows].sum() + 0.5) / (len(rows) + 1.0)))
    outside = max(cases.data.n_items - len(score) / max(len(cases), 1), 1.0)
    missed = (len(cases) - hit.sum() + 1.0) / (len(cases) + 1.0)
    return {
        "score": at,
        "log_chance": np.log(np.maximum.accumulate(share)).tolist(),
        "outside": float(missed / outside),
    }


def _best_power(
    model: Model, tried: NextItems, cases: Cases, chance: Mapping[str, Any], seed: int
) -> tuple[float, dict[str, Any]]:
    """Return how far the next look counts, and the figures it was chosen by."""
    factor = np.maximum(np.asarray(model.arrays["factor"], float), 1e-9)
    powers = (0.0, *POWERS)
    gains = np.zeros((len(cases), len(powers)))
    for case, asked in cases.blocks(1):
        likely = look_chances(tried.ranker, tried.sources, asked, chance)
        base = scores(model, NOBODY, asked.item[-20:]) / factor
        target = cases.target[case]
        for number, power in enumerate(powers):
            score = base * likely**power
            rank = int((score > score[target]).sum())
            gains[case, number] = 1.0 / np.log2(rank + 2.0) if rank < TOP else 0.0
    mean = gains.mean(axis=0)
    best = int(np.argmax(mean))
    gain = paired_interval(gains[:, best] - gains[:, 0], seed)
    test: dict[str, Any] = {
        "carts": len(cases),
        "ndcg": float(mean[best]),
        "ndcg_without": float(mean[0]),
        "ndcg_gain": gain,
    }
    return (powers[best] if gain[0] > 0 else 0.0), test


def look_chances(
    ranker: Ranker, sources: Sources, asked: Prefixes, chance: Mapping[str, Any]
) -> Array:
    """Return every product's chance to be looked at next in one case, (n_items,)."""
    _, item, score = ranker.rank(sources, asked)
    likely = np.full(sources.n_items, chance["outside"], np.float32)
    likely[item] = np.exp(np.interp(score, chance["score"], chance["log_chance"]))
    return likely


def _is_read(model: Model) -> bool:
    """Return whether a model's trees were taught by the columns of this version."""
    return bool(model.meta.get("ahead_reads") == list(FEATURES))


def knows_ahead(model: Model) -> bool:
    """Return whether a model says what is looked at next, in words read here."""
    return "ahead_power" in model.meta and _is_read(model)


def ahead(model: Model, context: Array) -> Array:
    """Return the factor of the next look for each product; numpy only.

    Args:
        model: With what `with_ahead` learned.
        context: Product numbers of the visit, oldest first, at least one.
    """
    sources = Sources.read(model.arrays, PREFIX)
    learned = TREES + "leaf" in model.arrays
    trees = Trees.read(model.arrays, TREES) if learned else None
    ranker = Ranker(trees=trees, choosing=IN_VISIT)
    count = len(context)
    asked = Prefixes(
        item=context,
        row=np.zeros(count, np.int64),
        back=np.arange(count - 1, -1, -1),
        age=np.zeros(count),
        now=np.array([sources.end]),
        rows=1,
    )
    likely = look_chances(ranker, sources, asked, model.meta["ahead_chance"])
    result: Array = likely ** np.float32(model.meta["ahead_power"])
    return result
