"""How often a slate is bought from: an inner test on the last 30 days.

Purchases keep only the last day of each customer and product. A pair last bought
before the cut is known exactly. A pair last bought after it, with more orders than
one, was bought before as well (its earlier orders are taken to lie before the cut,
which a second order within the same 30 days would contradict). So the headline test
counts only products new to the customer, where nothing is assumed; the chance of
buying again rests on that assumption.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from cartwheel.levers.recommend.scoring import likely, sigmoid
from cartwheel.levers.recommend.similarity import Neighbours

if TYPE_CHECKING:
    import pandas as pd

Array = np.ndarray[Any, Any]

WINDOW_DAYS = 30
TOP = 10
MOST_ORDERS = 5  # more orders of one product than this are one class


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """Purchases before a cut, and what was bought in the 30 days after it.

    Attributes:
        known: Columns who, item, orders, age_days, bought_again.
        new: Columns who, item: first bought after the cut.
        customers: Number of customers.
    """

    known: pd.DataFrame
    new: pd.DataFrame
    customers: int


def split(pairs: pd.DataFrame, as_of: date) -> Split:
    """Split purchases 30 days before `as_of`.

    Args:
        pairs: Columns who, item, orders, last_on.
        as_of: Last day of the data.
    """
    import pandas as pd

    cut = pd.Timestamp(as_of - timedelta(days=WINDOW_DAYS))
    after = pairs["last_on"] > cut
    again = after & (pairs["orders"] >= 2)
    known = pairs[~after | again].copy()
    known["bought_again"] = again[known.index]
    known["orders"] = known["orders"] - known["bought_again"]
    # The day of the earlier order is not kept: take the customer's last known day.
    exact = known["last_on"].where(~known["bought_again"])
    latest = exact.groupby(known["who"]).transform("max").fillna(cut)
    known["last_on"] = exact.fillna(latest)
    known["age_days"] = (cut - known["last_on"]).dt.days
    new = pairs.loc[after & ~again & pairs["who"].isin(known["who"]), ["who", "item"]]
    return Split(
        known=known.reset_index(drop=True),
        new=new.reset_index(drop=True),
        customers=int(pairs["who"].max()) + 1 if len(pairs) else 0,
    )


def again_chances(known: pd.DataFrame, half_life_days: float) -> list[float]:
    """Return the chance of buying a product again in 30 days, by orders of it.

    Entry n-1 is for n orders, the last for `MOST_ORDERS` or more, per unit of
    age weight, so that `chance * 0.5 ** (age / half_life)` averages to what was seen.
    """
    orders = np.minimum(known["orders"].to_numpy(), MOST_ORDERS)
    weight = 0.5 ** (known["age_days"].to_numpy(float) / half_life_days)
    again = known["bought_again"].to_numpy(float)
    found: list[float] = []
    for count in range(1, MOST_ORDERS + 1):
        rows = orders == count
        before = found[-1] if found else 0.0
        # Twenty pairs' worth of the class below steadies thin classes.
        found.append(
            float((again[rows].sum() + 20 * before) / (weight[rows].sum() + 20))
        )
    return found


def fit_logit(
    x: Array,
    y: Array,
    weight: Array,
    ridge: float = 1.0,
    toward: Array | None = None,
) -> Array:
    """Return intercept and slopes of a weighted logistic regression by Newton steps.

    Args:
        x: Features, shape (n, k).
        y: 0 or 1, shape (n,).
        weight: How many rows each row stands for, shape (n,).
        ridge: Penalty on the slopes' distance from `toward`, not on the intercept.
        toward: Slopes expected before any data, shape (k,); zeros by default.
    """
    design = np.column_stack([np.ones(len(x)), x])
    penalty = np.diag([1e-6] + [ridge] * x.shape[1])
    prior = np.zeros(design.shape[1])
    if toward is not None:
        prior[1:] = toward
    mean = np.clip(np.average(y, weights=weight), 1e-6, 1 - 1e-6)
    beta = prior.copy()
    beta[0] = np.log(mean / (1 - mean)) - np.average(x @ prior[1:], weights=weight)
    for _ in range(50):
        chance = sigmoid(design @ beta)
        gradient = design.T @ (weight * (y - chance)) - penalty @ (beta - prior)
        curve = weight * chance * (1 - chance)
        hessian = (design * curve[:, None]).T @ design + penalty
        step = np.clip(np.linalg.solve(hessian, gradient), -2, 2)
        beta += step
        if np.abs(step).max() < 1e-8:
            break
    return beta


def wilson(hits: float, n: float, z: float = 1.2816) -> tuple[float, float]:
    """Return Wilson's interval of a share; the default z holds 80 % of outcomes."""
    if n <= 0:
        return 0.0, 1.0
    share = hits / n
    centre = share + z * z / (2 * n)
    half = z * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    low, high = (centre - half) / scale, (centre + half) / scale
    return max(0.0, float(low)), min(1.0, float(high))


def ranked_gain(slate: Array, bought: set[int]) -> tuple[float, float]:
    """Return hit (0 or 1) and NDCG of one slate against what was bought."""
    hits = np.array([int(item) in bought for item in slate[:TOP]], float)
    if not bought:
        return 0.0, 0.0
    discount = 1.0 / np.log2(np.arange(2, TOP + 2))
    ideal = discount[: min(TOP, len(bought))].sum()
    return float(hits.any()), float((hits * discount[: len(hits)]).sum() / ideal)


def paired_interval(difference: Array, seed: int, level: float = 0.95) -> list[float]:
    """Return the bootstrap interval of a mean difference; customers are the unit."""
    rng = np.random.default_rng(seed)
    n = len(difference)
    means = [difference[rng.integers(n, size=n)].mean() for _ in range(400)]
    tail = (1 - level) / 2
    return [float(q) for q in np.quantile(means, [tail, 1 - tail])]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chance:
    """The fitted chance of buying a product not bought before within 30 days."""

    intercept: float
    score_slope: float
    popularity_slope: float

    def base(self, popularity: Array) -> Array:
        """Return the logit of every product for somebody of whom nothing is known."""
        result: Array = self.intercept + self.popularity_slope * log_share(popularity)
        return result

    def of(self, score: Array, popularity: Array) -> Array:
        """Return the chance given neighbour scores."""
        return self.over(self.base(popularity), score)

    def over(self, base: Array, score: Array) -> Array:
        """Return the chance given neighbour scores and what `base` returned."""
        return sigmoid(base + self.score_slope * likely(score))


UNFITTED = Chance(intercept=0.0, score_slope=1.0, popularity_slope=1.0)


def log_share(popularity: Array) -> Array:
    """Return the log of popularity, floored so that unseen products stay finite."""
    floor = 0.1 / max(len(popularity), 1)
    result: Array = np.log(popularity + floor)
    return result


def by_customer(frame: pd.DataFrame) -> dict[int, Array]:
    """Return the item numbers of each customer."""
    items = frame["item"].to_numpy(np.int64)
    return {who: items[rows] for who, rows in rows_of(frame).items()}


def rows_of(frame: pd.DataFrame) -> dict[int, Array]:
    """Return the row positions of each customer, in the frame's order."""
    who = frame["who"].to_numpy(np.int64)
    order = np.argsort(who, kind="stable")
    unique, start = np.unique(who[order], return_index=True)
    parts = np.split(order, start[1:]) if len(unique) else []
    return dict(zip(unique.tolist(), parts, strict=True))


def neighbour_scores(
    lists: Neighbours, known: pd.DataFrame, who: Array
) -> Mapping[int, Array]:
    """Return neighbour scores of some customers from their known purchases."""
    rows = known[known["who"].isin(who)]
    parts = rows_of(rows)
    order = np.concatenate([*parts.values(), np.zeros(0, np.int64)])
    start = np.cumsum([0, *map(len, parts.values())])
    found = lists.scores(
        rows["item"].to_numpy(np.int64)[order],
        rows["weight"].to_numpy(float)[order],
        start,
    )
    return dict(zip(parts, found, strict=True))


def fit_chance(
    parts: Split,
    scored: Mapping[int, Array],
    popularity: Array,
    *,
    seed: int,
    negatives: int = 60,
) -> Chance:
    """Fit the chance of a new product from all purchases and sampled others."""
    rng = np.random.default_rng(seed)
    n_items = len(popularity)
    bought = by_customer(parts.new)
    owned = by_customer(parts.known[parts.known["who"].isin(list(scored))])
    share = log_share(popularity)
    features, target, weight = [], [], []
    nothing = np.zeros(0, np.int64)
    for who in sorted(scored):
        hits = bought.get(who, nothing)
        closed = np.zeros(n_items, bool)
        closed[hits] = closed[owned.get(who, nothing)] = True
        free = max(n_items - int(closed.sum()), 1)
        other = rng.integers(n_items, size=min(negatives, n_items))
        other = other[~closed[other]]
        items = np.concatenate([hits, other])
        features.append((scored[who][items], share[items]))
        target.append((np.ones(len(hits)), np.zeros(len(other))))
        stands_for = free / max(len(other), 1)
        weight.append((np.ones(len(hits)), np.full(len(other), stands_for)))
    y = np.concatenate([part for pair in target for part in pair] or [np.zeros(0)])
    if y.sum() < 20:
        return UNFITTED
    score, log_shares = (np.concatenate(part) for part in zip(*features, strict=True))
    beta = fit_logit(
        np.column_stack([likely(score), log_shares]),
        y,
        np.concatenate([part for pair in weight for part in pair]),
    )
    # A negative slope would rank by distaste; it only appears on thin data.
    return Chance(
        intercept=float(beta[0]),
        score_slope=max(0.0, float(beta[1])),
        popularity_slope=max(0.0, float(beta[2])),
    )
