"""Learns who wants what from what visitors open, look at and put into the cart.

Sales say what was shown as much as what is liked: a product at the top of every list
sells. The chance that somebody who looks at a product wants it does not depend on how
often it was shown. It is fitted on the last 28 days from what was known before: how
often others wanted it, what the visitor opened of what they were shown (`factors`),
what they looked at (`taste`), and whether they bought it before.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from cartwheel.levers.recommend.factors import (
    Beliefs,
    Factors,
    learn_factors,
    read_tastes,
)
from cartwheel.levers.recommend.hitrate import fit_logit
from cartwheel.levers.recommend.reader import CUSTOMER, DEVICE
from cartwheel.levers.recommend.similarity import (
    Neighbours,
    alike_by,
    cosine_neighbours,
    ease,
    strongest,
)
from cartwheel.levers.recommend.taste import READINGS, Taste
from cartwheel.levers.recommend.visitors import (
    OLDER,
    People,
    deeds_of,
    matrix,
    numbered,
    people_of,
    pruned,
    read_looks,
    texts,
)
from cartwheel.signals.base import Signals
from cartwheel.signals.catalogue import CATALOGUE
from cartwheel.signals.intent import INTENT
from cartwheel.signals.interest import RECENT_DAYS

if TYPE_CHECKING:
    import pandas as pd
    from scipy.sparse import csr_matrix

Array = np.ndarray[Any, Any]

FEWEST_WANTED = 40
"""Carts after an earlier visit, below which nothing is fitted."""

STEADY = 10.0
"""Carts' worth of the shop's mean that steadies the appeal of a product seen little."""

FEWEST_OPENED = 200
"""Slots opened before the last 28 days, below which looks alone tell of tastes."""

TYPICAL_OPENED = np.array([0.2, 1.0])
"""Slopes of `factors` expected before any data: what is often opened is wanted often,
and the leaning is a log-odds itself."""

TYPICAL_LOOKED = np.array([0.3, 1.0, 0.3])
"""Slopes of `taste` expected before any data: each reading says something."""

TYPICAL_APPEAL, TYPICAL_BOUGHT = 1.0, 0.0
"""Appeal is a log-odds itself; whether people buy again differs from shop to shop."""

TRUST = 10.0
"""How firmly slopes are held to what is expected; some tens of carts outweigh it."""

TESTED_PEOPLE = 4000
KEPT_LOOKS = 100

MOST_KINDS = 200
"""Categories that products' vectors are drawn to."""

FITTED_PEOPLE = 20_000
"""People whose deeds products' vectors are fitted on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Looks:
    """What was learned from looks; n products.

    Attributes:
        appeal: Log of the chance of being wanted by whoever looks, shape (n,).
        factors: What products are to tastes; None where too little was shown and
            opened, as in a shop that does not record it.
        taste: How looks are read instead; None beside factors.
        alike: Products that the same people open, or look at.
        slopes: Intercept; slopes of appeal, of the readings, of having bought.
        readers: Ids with `CUSTOMER` or `DEVICE` before them, sorted.
        beliefs: The taste of each; None without factors.
        start: Where each reader's history begins and the last ends, (readers + 1,).
        item: Product numbers.
        weight: Weight of each.
        test: Figures of the inner test, JSON values.
    """

    appeal: Array
    factors: Factors | None
    taste: Taste | None
    alike: Neighbours
    slopes: list[float]
    readers: Array
    beliefs: Beliefs | None
    start: Array
    item: Array
    weight: Array
    test: dict[str, Any]


def learn_looks(
    data: Signals,
    products: Array,
    *,
    keep: int,
    largest_ease: int,
    most_readers: int,
    seed: int,
) -> Looks | None:
    """Learn from looks; None when visitors put too little into carts to tell.

    Args:
        data: The lever's signals.
        products: Sorted product ids.
        keep: Neighbours kept per product.
        largest_ease: Most products for the closed form; above, item cosine.
        most_readers: Most visitors remembered, those who looked most first.
        seed: Seed of the split of people.
    """
    looks = read_looks(data, products)
    people = people_of(looks, data, products)
    if people is None or people.wanted.nnz < FEWEST_WANTED:
        return None
    opened = people.deeds_earlier.opened.sum() >= FEWEST_OPENED
    reader = _opened if opened else _looked
    recent, before = _counts(data, products)
    how = _How(
        level_and_category=_traits(data, products),
        keep=keep,
        largest_ease=largest_ease,
        seed=seed,
    )
    then, now, toward = reader(people, how)
    appeal = _appeal(*before)
    choosing, measured = _halves(people, seed)
    x, y = _rows(people, appeal, then, choosing)
    if y.sum() < FEWEST_WANTED / 2:
        return None
    expected = np.concatenate([[TYPICAL_APPEAL], toward, [TYPICAL_BOUGHT]])
    slopes = fit_logit(x, y, np.ones(len(y)), ridge=TRUST, toward=expected)
    return Looks(
        appeal=_appeal(before[0] + recent[0], before[1] + recent[1]),
        factors=now.factors,
        taste=now.taste,
        alike=now.alike,
        slopes=[float(value) for value in slopes],
        **_readers(looks, people, now.factors, products, most_readers),
        test=_test(*_rows(people, appeal, then, measured), slopes),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _How:
    """How tastes are learned, whatever they are learned from."""

    level_and_category: tuple[Array, Array]
    keep: int
    largest_ease: int
    seed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Now:
    """What an answer reads tastes by."""

    factors: Factors | None
    taste: Taste | None
    alike: Neighbours


class _Then(Protocol):
    """What was known 28 days ago, to be compared with what followed."""

    def said(self, who: Array, item: Array) -> Array:
        """Return the readings of pairs of a person and a product, a row each."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class _ThenOpened:
    factors: Factors
    beliefs: Beliefs

    def said(self, who: Array, item: Array) -> Array:
        leans = self.beliefs.mean[who] * self.factors.vector[item]
        return np.column_stack([self.factors.opened[item], leans.sum(axis=1)])


@dataclass(frozen=True, slots=True, kw_only=True)
class _ThenLooked:
    taste: Taste
    history: csr_matrix

    def said(self, who: Array, item: Array) -> Array:
        found = [np.zeros((0, len(READINGS)), np.float32)]
        people, first = np.unique(who, return_index=True)
        for one, items in zip(people, np.split(item, first[1:]), strict=True):
            found.append(self.taste.readings(*_row(self.history, one))[items])
        return np.concatenate(found)


def _opened(people: People, how: _How) -> tuple[_Then, _Now, Array]:
    """Learn tastes from what was opened of what was shown."""
    who, sides = _some(people, how.seed), _sides(*how.level_and_category)
    past, _ = learn_factors(people.deeds_earlier.of(who), sides, seed=how.seed)
    beliefs = read_tastes(past, people.deeds_earlier)
    now, _ = learn_factors(people.deeds.of(who), sides, seed=how.seed, start=past)
    alike = alike_by(now.vector.astype(np.float32), how.keep)
    return (
        _ThenOpened(factors=past, beliefs=beliefs),
        _Now(factors=now, taste=None, alike=alike),
        TYPICAL_OPENED,
    )


def _looked(people: People, how: _How) -> tuple[_Then, _Now, Array]:
    """Learn tastes from looks alone."""
    learn = partial(
        _taste,
        traits=how.level_and_category,
        keep=how.keep,
        largest=how.largest_ease,
        seed=how.seed,
    )
    then, taste = _log(people.earlier), learn(_log(people.all))
    return (
        _ThenLooked(taste=learn(then), history=then),
        _Now(factors=None, taste=taste, alike=taste.lists),
        TYPICAL_LOOKED,
    )


def _rows(
    people: People, appeal: Array, then: _Then, among: Array
) -> tuple[Array, Array]:
    """Return features and outcome of every product each person looked at since."""
    looked = people.looked[among]
    who, item = np.repeat(among, np.diff(looked.indptr)), looked.indices
    bought = np.asarray(people.bought_earlier[who, item]).ravel()
    wanted = np.asarray(people.wanted[who, item]).ravel() > 0
    x = np.column_stack([appeal[item], then.said(who, item), bought])
    return x.astype(float), wanted.astype(float)


def _some(people: People, seed: int) -> Array:
    """Return the people whose deeds products are fitted on, at most some thousands."""
    did = np.diff(people.deeds.shown.indptr) + np.diff(people.deeds.looked.indptr)
    who = np.flatnonzero(did)
    order = np.random.default_rng(seed).permutation(who)[:FITTED_PEOPLE]
    return np.sort(order)


def _sides(level: Array, category: Array) -> Array:
    """Return what is known of products before anybody meets them, shape (n, c + 1).

    Categories are told apart as far as the largest `MOST_KINDS`; the rest is one.
    """
    size = np.bincount(category)
    largest = np.sort(np.argsort(-size, kind="stable")[:MOST_KINDS])
    place = np.full(len(size), len(largest))
    place[largest] = np.arange(len(largest))
    kind = place[category]
    kinds = np.eye(int(kind.max(initial=0)) + 1)[kind]
    return np.column_stack([kinds, level])


def _log(matrix: csr_matrix) -> csr_matrix:
    """Damp repeats: ten looks say more than one, not ten times as much."""
    result = matrix.copy()
    result.data = np.log1p(result.data)
    return result


def _row(matrix: csr_matrix, one: int) -> tuple[Array, Array]:
    start, end = matrix.indptr[one : one + 2]
    return matrix.indices[start:end], matrix.data[start:end]


def _traits(data: Signals, products: Array) -> tuple[Array, Array]:
    """Return price level within its category and category's number by product.

    The level is the log of the price in standard deviations from the category's mean;
    0 where the price is unknown.
    """
    variants = data.frame(CATALOGUE).dropna(subset=["product_id"])
    price = np.log(variants["price_minor"].astype(float).clip(lower=1.0))
    by_product = variants.assign(log=price).groupby("product_id")
    mean = by_product["log"].mean().reindex(products)
    kind = by_product["category"].first().reindex(products).fillna("")
    _, category = np.unique(texts(kind), return_inverse=True)
    frame = mean.groupby(category)
    spread = frame.transform("std", ddof=0).clip(lower=0.05)
    level = ((mean - frame.transform("mean")) / spread).fillna(0.0).clip(-3, 3)
    return level.to_numpy(np.float32), category.astype(np.int32)


def _taste(
    history: csr_matrix,
    *,
    traits: tuple[Array, Array],
    keep: int,
    largest: int,
    seed: int,
) -> Taste:
    level, category = traits
    lists = _lists(history, keep, largest)
    looks = np.asarray(history.sum(axis=0)).ravel()
    kinds = np.bincount(category, weights=looks) + 1.0
    return Taste(
        lists=lists,
        share=_mean_share(lists, history, seed),
        level=level,
        usual_level=float(looks @ level / max(looks.sum(), 1e-9)),
        category=category,
        category_share=(kinds / kinds.sum()).astype(np.float32),
    )


def _lists(history: csr_matrix, keep: int, largest_ease: int) -> Neighbours:
    """Return neighbours; the penalty grows with the data, so that it suits any shop."""
    if history.shape[1] > largest_ease:
        return cosine_neighbours(history, keep)
    strength = float(history.multiply(history).sum()) / max(history.shape[1], 1)
    return strongest(ease(history, max(strength, 1.0)), keep)


def _mean_share(lists: Neighbours, history: csr_matrix, seed: int) -> Array:
    """Return the mean over people of each product's share of their affinity."""
    n_products = history.shape[1]
    who = np.flatnonzero(np.diff(history.indptr))
    who = np.random.default_rng(seed).permutation(who)[:TESTED_PEOPLE]
    total = np.zeros(n_products)
    for one in np.sort(who):
        score = lists.score(*_row(history, one))
        total += score / max(float(score.sum()), 1e-9)
    share = np.maximum(total / max(len(who), 1), 0.1 / max(n_products, 1))
    result: Array = share.astype(np.float32)
    return result


def _counts(
    data: Signals, products: Array
) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
    """Return carts and views by product: of the last 28 days, and before."""
    import pandas as pd

    intent = numbered(data.frame(INTENT), products)
    as_of = pd.Timestamp(data.context.when.as_of)
    late = (as_of - intent["day"]).dt.days.to_numpy() < RECENT_DAYS
    carts = (intent["carts"] + intent["failed_carts"]).to_numpy(float)
    views = intent["views"].to_numpy(float)
    item = intent["item"].to_numpy()

    def total(values: Array, rows: Array) -> Array:
        return np.bincount(item[rows], weights=values[rows], minlength=len(products))

    return (
        (total(carts, late), total(views, late)),
        (total(carts, ~late), total(views, ~late)),
    )


def _appeal(carts: Array, views: Array) -> Array:
    """Return the log of carts per view, steadied by the shop's mean."""
    mean = max(float(carts.sum()), 1.0) / max(float(views.sum()), 1.0)
    mean = min(mean, 0.5)
    rate = (carts + STEADY) / (np.maximum(views, carts) + STEADY / mean)
    return np.log(rate).astype(np.float32)


def _halves(people: People, seed: int) -> tuple[Array, Array]:
    """Return people with looks before and since, in two halves, some thousands."""
    known = np.diff(people.earlier.indptr) > 0
    since = np.diff(people.looked.indptr) > 0
    who = np.flatnonzero(known & since)
    order = np.random.default_rng(seed).permutation(who)
    half = len(order) // 2
    chosen, rest = order[:half][:TESTED_PEOPLE], order[half:][:TESTED_PEOPLE]
    return np.sort(chosen), np.sort(rest)


def _test(x: Array, y: Array, slopes: Array) -> dict[str, Any]:
    """Return how well wants are told apart, with tastes and without.

    Measured on people not used for fitting: the share of pairs of a wanted and an
    unwanted product, both looked at, that are put in the right order.
    """
    if y.sum() < FEWEST_WANTED / 2 or y.all():
        return {}
    return {
        "looked": len(y),
        "wanted": int(y.sum()),
        "auc": _auc(x @ slopes[1:], y),
        "auc_appeal": _auc(x[:, 0], y),
    }


def _auc(score: Array, y: Array) -> float:
    """Return the area under the ROC curve by ranks, ties counting half."""
    _, place, count = np.unique(score, return_inverse=True, return_counts=True)
    rank = np.cumsum(count) - (count - 1) / 2.0
    positive = y > 0
    hits, misses = positive.sum(), (~positive).sum()
    total = rank[place][positive].sum() - hits * (hits + 1) / 2
    return float(total / (hits * misses))


def _readers(
    looks: pd.DataFrame,
    people: People,
    factors: Factors | None,
    products: Array,
    most: int,
) -> dict[str, Any]:
    """Return the histories an answer looks up: people's, and every device's own."""
    from scipy.sparse import vstack

    devices, who = np.unique(
        np.char.add(DEVICE, texts(looks["visitor_id"])), return_inverse=True
    )
    at, shape = (who, looks["item"].to_numpy()), (len(devices), len(products))
    joined = np.flatnonzero(np.char.startswith(people.names, CUSTOMER))
    own = pruned(matrix(OLDER * looks["earlier"] + looks["lately"], at, shape))
    every = vstack([people.all[joined], own], format="csr")
    names = np.concatenate([people.names[joined], devices])
    best = np.lexsort((names, -np.diff(every.indptr)))[:most]
    order = best[np.argsort(names[best])]
    beliefs = None
    if factors is not None:
        theirs = read_tastes(factors, people.deeds.of(joined))
        alone = read_tastes(factors, deeds_of(looks, at, shape))
        beliefs = Beliefs(
            mean=np.concatenate([theirs.mean, alone.mean])[order],
            precision=np.concatenate([theirs.precision, alone.precision])[order],
        )
    return {"readers": names[order], "beliefs": beliefs, **_kept(every[order])}


def _kept(history: csr_matrix) -> dict[str, Array]:
    """Return what each looked at most, as one row of arrays after the other."""
    items, weights, counts = [np.zeros(0)], [np.zeros(0)], []
    for one in range(history.shape[0]):
        item, weight = _row(history, one)
        kept = np.lexsort((item, -weight))[:KEPT_LOOKS]
        items.append(item[kept])
        weights.append(np.log1p(weight[kept]))
        counts.append(len(kept))
    return {
        "start": np.r_[0, np.cumsum(counts)].astype(np.int64),
        "item": np.concatenate(items).astype(np.int32),
        "weight": np.concatenate(weights).astype(np.float32),
    }
