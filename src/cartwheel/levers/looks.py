"""Learns who wants what from what visitors look at and put into the cart.

Sales say what was shown as much as what is liked: a product at the top of every list
sells. The chance that somebody who looks at a product wants it does not depend on how
often it was shown. It is fitted on the last 28 days from what was known before: how
often others wanted it, what the visitor looked at, and whether they bought it before.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from cartwheel.levers.affinity import silent
from cartwheel.levers.hitrate import fit_logit
from cartwheel.levers.numbering import product_numbers
from cartwheel.levers.similarity import (
    Neighbours,
    cosine_neighbours,
    ease,
    strongest,
)
from cartwheel.levers.slate import CUSTOMER, DEVICE
from cartwheel.levers.taste import Taste
from cartwheel.signals.base import Signals
from cartwheel.signals.catalogue import CATALOGUE
from cartwheel.signals.customers import PURCHASES
from cartwheel.signals.intent import INTENT
from cartwheel.signals.interest import IDENTITY, INTEREST, RECENT_DAYS

if TYPE_CHECKING:
    import pandas as pd
    from scipy.sparse import csr_matrix

Array = np.ndarray[Any, Any]

FEWEST_WANTED = 40
"""Carts after an earlier visit, below which nothing is fitted."""

CART_LOOKS = 3.0
"""Looks that a cart, or a purchase, counts for."""

OLDER = 0.6
"""Weight of looks before the last 28 days."""

STEADY = 10.0
"""Carts' worth of the shop's mean that steadies the appeal of a product seen little."""

TYPICAL = np.array([1.0, 0.3, 1.0, 0.3, 0.0])
"""Slopes expected before any data: appeal is a log-odds itself; each reading of taste
says something; whether people buy a thing again differs from shop to shop."""

TRUST = 10.0
"""How firmly slopes are held to `TYPICAL`; some tens of carts outweigh it."""

TESTED_PEOPLE = 4000
KEPT_LOOKS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Looks:
    """What was learned from looks; n products.

    Attributes:
        appeal: Log of the chance of being wanted by whoever looks, shape (n,).
        taste: How looks are read.
        slopes: Intercept; slopes of appeal, of the readings of taste, of having bought.
        readers: Ids with `CUSTOMER` or `DEVICE` before them, sorted.
        start: Where each reader's history begins and the last ends, (readers + 1,).
        item: Product numbers.
        weight: Weight of each.
        test: Figures of the inner test, JSON values.
    """

    appeal: Array
    taste: Taste
    slopes: list[float]
    readers: Array
    start: Array
    item: Array
    weight: Array
    test: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class _People:
    """People by products: what each looked at, earlier and lately."""

    names: Array
    earlier: csr_matrix  # looks before the last 28 days, a cart counting CART_LOOKS
    all: csr_matrix
    bought_earlier: csr_matrix  # 1 where bought before the last 28 days
    looked: csr_matrix  # looks of the last 28 days
    wanted: csr_matrix  # carts of the last 28 days


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
    looks = _looks(data, products)
    people = _people(looks, data, products)
    if people is None or people.wanted.nnz < FEWEST_WANTED:
        return None
    recent, before = _counts(data, products)
    choosing, measured = _halves(people, seed)
    learn = partial(
        _taste, traits=_traits(data, products), keep=keep, largest=largest_ease
    )
    then = _log(people.earlier)
    known = _Known(
        appeal=_appeal(*before),
        taste=learn(then, seed=seed),
        history=then,
        people=people,
    )
    x, y = known.rows(choosing)
    if y.sum() < FEWEST_WANTED / 2:
        return None
    slopes = fit_logit(x, y, np.ones(len(y)), ridge=TRUST, toward=TYPICAL)
    return Looks(
        appeal=_appeal(before[0] + recent[0], before[1] + recent[1]),
        taste=learn(_log(people.all), seed=seed),
        slopes=[float(value) for value in slopes],
        **_readers(looks, people, products, most_readers),
        test=_test(*known.rows(measured), slopes),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """What was known 28 days ago, to be compared with what followed."""

    appeal: Array
    taste: Taste
    history: csr_matrix
    people: _People

    def rows(self, who: Array) -> tuple[Array, Array]:
        """Return features and outcome of every product each person looked at since."""
        x, y = [], []
        for one in who:
            looked, _ = _row(self.people.looked, one)
            said = self.taste.readings(*_row(self.history, one))[looked]
            bought = np.isin(looked, _row(self.people.bought_earlier, one)[0])
            x.append(np.column_stack([self.appeal[looked], said, bought]))
            y.append(np.isin(looked, _row(self.people.wanted, one)[0]))
        if not x:
            return np.zeros((0, len(TYPICAL))), np.zeros(0)
        return np.concatenate(x).astype(float), np.concatenate(y).astype(float)


def _looks(data: Signals, products: Array) -> pd.DataFrame:
    """Return who looked at what: `owner` is the customer where known, else the device.

    Columns besides: visitor_id, item, recent_views, recent_carts, `lately` and
    `earlier` in looks.
    """
    looks = _numbered(data.frame(INTEREST), products)
    looks = looks.assign(owner=_owners(data, looks["visitor_id"]))
    looks = looks[~looks["owner"].isin(np.char.add(CUSTOMER, silent(data)))]
    lately = looks["recent_views"] + CART_LOOKS * looks["recent_carts"]
    every = looks["views"] + CART_LOOKS * looks["carts"]
    return looks.assign(lately=lately, earlier=every - lately)


def _people(looks: pd.DataFrame, data: Signals, products: Array) -> _People | None:
    """Return people by products, devices joined to their customers where known."""
    if looks.empty:
        return None
    owner = _texts(looks["owner"])
    bought = _numbered(data.frame(PURCHASES), products)
    bought = bought[~bought["customer_id"].isin(silent(data))]
    customer = np.char.add(CUSTOMER, _texts(bought["customer_id"]))
    names = np.unique(np.concatenate([owner, customer]))
    who, buyer = np.searchsorted(names, owner), np.searchsorted(names, customer)
    shape = (len(names), len(products))
    at = (who, looks["item"].to_numpy())
    own = (buyer, bought["item"].to_numpy())
    orders, then = _orders(bought, data)
    earlier = _matrix(looks["earlier"], at, shape)
    earlier += _matrix(CART_LOOKS * then, own, shape)
    lately = _matrix(looks["lately"], at, shape)
    lately += _matrix(CART_LOOKS * (orders - then), own, shape)
    return _People(
        names=names,
        earlier=_pruned(earlier),
        all=_pruned(OLDER * earlier + lately),
        bought_earlier=_pruned(_matrix(then > 0, own, shape)),
        looked=_pruned(
            _matrix(looks["recent_views"] + looks["recent_carts"], at, shape)
        ),
        wanted=_pruned(_matrix(looks["recent_carts"], at, shape)),
    )


def _numbered(frame: pd.DataFrame, products: Array) -> pd.DataFrame:
    """Return rows of products in the catalogue, with their numbers as `item`."""
    at = product_numbers(_texts(frame["product_id"]), products)
    return frame[at >= 0].assign(item=at[at >= 0])


def _texts(column: pd.Series[Any]) -> Array:
    return column.to_numpy().astype(str)


def _owners(data: Signals, devices: pd.Series[Any]) -> Array:
    """Return who is behind each device: its customer, or the device itself."""
    each, place = np.unique(_texts(devices), return_inverse=True)
    found = data.align(IDENTITY, each.tolist())["customer_id"]
    theirs = np.char.add(CUSTOMER, _texts(found.fillna("")))
    names = np.where(found.notna().to_numpy(), theirs, np.char.add(DEVICE, each))
    result: Array = names[place]
    return result


def _orders(bought: pd.DataFrame, data: Signals) -> tuple[Array, Array]:
    """Return orders of each pair, and how many were before the last 28 days.

    Only the last day is known: of several orders, one is taken to be recent when the
    last one is.
    """
    import pandas as pd

    as_of = pd.Timestamp(data.context.when.as_of)
    late = (as_of - bought["last_on"]).dt.days.to_numpy() < RECENT_DAYS
    orders = bought["orders"].to_numpy(float)
    return orders, orders - late


def _matrix(values: Any, at: tuple[Array, Array], shape: tuple[int, int]) -> csr_matrix:
    from scipy.sparse import csr_matrix

    return csr_matrix((np.asarray(values, np.float64), at), shape=shape)


def _pruned(matrix: csr_matrix) -> csr_matrix:
    matrix.sum_duplicates()
    matrix.eliminate_zeros()
    matrix.sort_indices()
    return matrix


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
    _, category = np.unique(_texts(kind), return_inverse=True)
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

    intent = _numbered(data.frame(INTENT), products)
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


def _halves(people: _People, seed: int) -> tuple[Array, Array]:
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
    looks: pd.DataFrame, people: _People, products: Array, most: int
) -> dict[str, Array]:
    """Return the histories an answer looks up: people's, and every device's own."""
    devices, who = np.unique(
        np.char.add(DEVICE, _texts(looks["visitor_id"])), return_inverse=True
    )
    at = (who, looks["item"].to_numpy())
    shape = (len(devices), len(products))
    own = _pruned(_matrix(OLDER * looks["earlier"] + looks["lately"], at, shape))
    joined = np.char.startswith(people.names, CUSTOMER)
    names = np.concatenate([people.names[joined], devices])
    parts = [(people.all, int(one)) for one in np.flatnonzero(joined)]
    parts += [(own, one) for one in range(len(devices))]
    lengths = np.array(
        [matrix.indptr[one + 1] - matrix.indptr[one] for matrix, one in parts]
    )
    best = np.lexsort((names, -lengths))[:most]
    order = best[np.argsort(names[best])]
    items, weights, counts = [], [], []
    for at in order:
        item, weight = _row(*parts[at])
        kept = np.lexsort((item, -weight))[:KEPT_LOOKS]
        items.append(item[kept])
        weights.append(np.log1p(weight[kept]))
        counts.append(len(kept))
    nothing = [np.zeros(0)]
    return {
        "readers": names[order],
        "start": np.r_[0, np.cumsum(counts)].astype(np.int64),
        "item": np.concatenate(items or nothing).astype(np.int32),
        "weight": np.concatenate(weights or nothing).astype(np.float32),
    }
