"""Learns what customers buy next, and checks it on the last 30 days by itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from cartwheel.levers.recommend.hitrate import (
    TOP,
    UNFITTED,
    WINDOW_DAYS,
    Chance,
    Split,
    again_chances,
    by_customer,
    fit_chance,
    fit_logit,
    neighbour_scores,
    paired_interval,
    ranked_gain,
    rows_of,
    split,
    wilson,
)
from cartwheel.levers.recommend.numbering import product_numbers
from cartwheel.levers.recommend.scoring import best_first, sigmoid
from cartwheel.levers.recommend.shelf import popularity
from cartwheel.levers.recommend.similarity import (
    Neighbours,
    cosine_neighbours,
    ease,
    strongest,
)
from cartwheel.signals.base import Signals
from cartwheel.signals.customers import CONSENT, PURCHASES

if TYPE_CHECKING:
    import pandas as pd
    from scipy.sparse import csr_matrix

Array = np.ndarray[Any, Any]

HISTORY_HALF_LIFE_DAYS = 180.0
STRENGTHS = (30.0, 150.0, 600.0)
TESTED_CUSTOMERS = 1500
ENOUGH_CUSTOMERS = 20  # with two products; below this there is nothing to compare


@dataclass(frozen=True, slots=True, kw_only=True)
class Affinity:
    """What was learned from purchases.

    Attributes:
        method: "ease", "item cosine" or "none".
        strength: EASE's penalty, 0 for the other methods.
        lists: Neighbours of every product.
        chance: Fitted chance of a new product.
        again: Chance of buying again by orders, see `again_chances`.
        test: Figures of the inner test, JSON values; empty when too thin.
        bins: Calibration of whole slates, JSON values.
    """

    method: str
    strength: float
    lists: Neighbours
    chance: Chance
    again: list[float]
    test: dict[str, Any]
    bins: dict[str, Any]


def purchase_pairs(data: Signals, products: Array) -> tuple[pd.DataFrame, Array]:
    """Return pairs of customer and product, and the customers' ids.

    People who object to personalisation are left out, and so are products that left
    the catalogue.

    Returns:
        Frame with who, item, orders, last_on, sorted; ids, sorted fixed-width text.
    """
    pairs = data.frame(PURCHASES)
    pairs = pairs[~pairs["customer_id"].isin(silent(data))].dropna(subset=["last_on"])
    at = product_numbers(pairs["product_id"].to_numpy().astype(str), products)
    pairs, at = pairs[at >= 0], at[at >= 0]
    customers, who = np.unique(
        pairs["customer_id"].to_numpy().astype(str), return_inverse=True
    )
    frame = pairs[["orders", "last_on"]].assign(who=who, item=at)
    return frame.sort_values(["who", "item"]).reset_index(drop=True), customers


def silent(data: Signals) -> Array:
    """Return the customers who object to personalisation, sorted."""
    consent = data.frame(CONSENT)
    objects = ~consent["personalisation"].fillna(True).astype(bool)
    return np.sort(consent.loc[objects, "customer_id"].to_numpy().astype(str))


def age_weights(age_days: Array) -> Array:
    """Return how much a purchase of this age counts."""
    result: Array = 0.5 ** (np.asarray(age_days, float) / HISTORY_HALF_LIFE_DAYS)
    return result


def matrix(pairs: pd.DataFrame, customers: int, items: int) -> csr_matrix:
    """Return customers by items from columns who, item and weight."""
    from scipy.sparse import csr_matrix

    values = pairs["weight"].to_numpy(np.float32)
    place = (pairs["who"].to_numpy(), pairs["item"].to_numpy())
    return csr_matrix((values, place), shape=(customers, items))


def learn_affinity(
    data: Signals,
    pairs: pd.DataFrame,
    products: Array,
    *,
    half_life_days: float,
    keep: int,
    largest_ease: int,
    seed: int,
) -> Affinity:
    """Choose a method, test it on the last 30 days, then learn from all purchases.

    Args:
        data: Signals for the popularity before the cut.
        pairs: Result of `purchase_pairs`.
        products: Sorted product ids.
        half_life_days: Of popularity.
        keep: Neighbours kept per product.
        largest_ease: Most products for the closed form; above, item cosine.
        seed: Seed of the split of customers.
    """
    customers = int(pairs["who"].max()) + 1 if len(pairs) else 0
    if int((pairs["who"].value_counts() >= 2).sum()) < ENOUGH_CUSTOMERS:
        return Affinity(
            method="none",
            strength=0.0,
            lists=Neighbours.none(len(products)),
            chance=UNFITTED,
            again=[0.0] * 5,
            test={},
            bins={},
        )
    method = "ease" if len(products) <= largest_ease else "item cosine"
    trial = _Trial.make(data, pairs, products, half_life_days=half_life_days, seed=seed)
    tried = trial.best(method, keep)
    as_of = _timestamp(data)
    aged = pairs.assign(
        weight=age_weights((as_of - pairs["last_on"]).dt.days.to_numpy())
    )
    full = matrix(aged, customers, len(products))
    return Affinity(
        method=method,
        strength=tried.strength,
        lists=_lists(full, method, tried.strength, keep),
        chance=tried.chance,
        again=trial.again,
        test=trial.test(tried),
        bins=trial.slate_bins(tried),
    )


def _timestamp(data: Signals) -> pd.Timestamp:
    import pandas as pd

    return pd.Timestamp(data.context.when.as_of)


def _lists(pairs: csr_matrix, method: str, strength: float, keep: int) -> Neighbours:
    if method == "ease":
        return strongest(ease(pairs, strength), keep)
    return cosine_neighbours(pairs, keep)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tried:
    strength: float
    lists: Neighbours
    chance: Chance
    ndcg: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _Trial:
    """The shop 30 days earlier, and customers in two halves.

    One half chooses settings and fits chances, the other is only measured.
    """

    parts: Split
    items: int
    popularity: Array
    again: list[float]
    choosing: Array
    measured: Array
    seed: int

    @classmethod
    def make(
        cls,
        data: Signals,
        pairs: pd.DataFrame,
        products: Array,
        *,
        half_life_days: float,
        seed: int,
    ) -> _Trial:
        as_of = data.context.when.as_of
        parts = split(pairs, as_of)
        known = parts.known.assign(
            weight=age_weights(parts.known["age_days"].to_numpy())
        )
        parts = Split(known=known, new=parts.new, customers=parts.customers)
        before = _timestamp(data) - timedelta(days=WINDOW_DAYS - 1)
        order = np.random.default_rng(seed).permutation(known["who"].unique())
        half = len(order) // 2
        return cls(
            parts=parts,
            items=len(products),
            popularity=popularity(
                data, products, half_life_days=half_life_days, before=before
            ),
            again=again_chances(known, HISTORY_HALF_LIFE_DAYS),
            choosing=np.sort(order[:half][:TESTED_CUSTOMERS]),
            measured=np.sort(order[half:][:TESTED_CUSTOMERS]),
            seed=seed,
        )

    def best(self, method: str, keep: int) -> _Tried:
        pairs = matrix(self.parts.known, self.parts.customers, self.items)
        strengths = STRENGTHS if method == "ease" else (0.0,)
        tried = [self._try(pairs, method, value, keep) for value in strengths]
        return max(tried, key=lambda one: (one.ndcg, one.strength))

    def _try(
        self, pairs: csr_matrix, method: str, strength: float, keep: int
    ) -> _Tried:
        lists = _lists(pairs, method, strength, keep)
        scored = neighbour_scores(lists, self.parts.known, self.choosing)
        chance = fit_chance(self.parts, scored, self.popularity, seed=self.seed)
        gains = self._gains(lists, chance, self.choosing)
        mean = float(gains[:, 1].mean()) if len(gains) else 0.0
        return _Tried(strength=strength, lists=lists, chance=chance, ndcg=mean)

    def _gains(self, lists: Neighbours, chance: Chance, who: Array) -> Array:
        """Hit and NDCG of model, then of popularity, for customers who bought."""
        bought = by_customer(self.parts.new)
        buyers = np.array([one for one in who if int(one) in bought], np.int64)
        owned = by_customer(self.parts.known[self.parts.known["who"].isin(buyers)])
        scored = neighbour_scores(lists, self.parts.known, buyers)
        rows = []
        for one in buyers.tolist():
            free = np.ones(self.items, bool)
            free[owned[one]] = False
            left = np.flatnonzero(free)
            wanted = set(bought[one].tolist())
            model = chance.of(scored[one], self.popularity)
            rows.append(
                ranked_gain(best_first(model, left, TOP), wanted)
                + ranked_gain(best_first(self.popularity, left, TOP), wanted)
            )
        return np.array(rows, float).reshape(-1, 4)

    def test(self, tried: _Tried) -> dict[str, Any]:
        """Return HR@10 and NDCG@10 against popularity on the measured half."""
        gains = self._gains(tried.lists, tried.chance, self.measured)
        if len(gains) < 20:
            return {}
        mean = gains.mean(axis=0)
        return {
            "customers": len(gains),
            "hit_rate": float(mean[0]),
            "ndcg": float(mean[1]),
            "popular_hit_rate": float(mean[2]),
            "popular_ndcg": float(mean[3]),
            "hit_rate_gain": paired_interval(gains[:, 0] - gains[:, 2], self.seed),
            "ndcg_gain": paired_interval(gains[:, 1] - gains[:, 3], self.seed),
        }

    def slate_bins(self, tried: _Tried, bins: int = 5) -> dict[str, Any]:
        """Return how often slates of ten were bought from, by expected chance.

        Fitted on the choosing half and counted on the measured half; every known
        customer counts, whether or not they bought.
        """
        x, y = self._slate_rows(tried, self.choosing)
        if y.sum() < 20:
            return {}
        beta = fit_logit(x, y, np.ones(len(y)))
        x, y = self._slate_rows(tried, self.measured)
        expected = sigmoid(beta[0] + x @ beta[1:])
        edges = np.quantile(expected, np.linspace(0, 1, bins + 1)[1:-1])
        place = np.searchsorted(edges, expected)
        rows = []
        for number in range(bins):
            hits, n = float(y[place == number].sum()), int((place == number).sum())
            low, high = wilson(hits, n)
            rows.append([hits / n if n else 0.0, low, high, n])
        return {"beta": beta.tolist(), "edges": edges.tolist(), "rows": rows}

    def _slate_rows(self, tried: _Tried, who: Array) -> tuple[Array, Array]:
        """Return features of each customer's slate and whether it was bought from."""
        known = self.parts.known[self.parts.known["who"].isin(who)]
        again = known[known["bought_again"]]
        bought = by_customer(self.parts.new)
        repeated = by_customer(again)
        again_chance = np.array([0.0, *self.again])
        scored = neighbour_scores(tried.lists, known, who)
        base = tried.chance.base(self.popularity)
        every, nothing = np.arange(self.items), np.zeros(0, np.int64)
        item, age = known["item"].to_numpy(np.int64), known["age_days"].to_numpy(float)
        orders = np.minimum(known["orders"].to_numpy(), len(self.again))
        own = again_chance[orders] * known["weight"].to_numpy()
        x, y = [], []
        for one, place in rows_of(known).items():
            chance = tried.chance.over(base, scored[one])
            items = item[place]
            chance[items] = np.maximum(chance[items], own[place])
            slate = best_first(chance, every, TOP)
            x.append(slate_features(chance[slate], float(age[place].min())))
            wanted = np.zeros(self.items, bool)
            wanted[bought.get(one, nothing)] = True
            wanted[repeated.get(one, nothing)] = True
            y.append(bool(wanted[slate].any()))
        return np.array(x, float).reshape(-1, 2), np.array(y, float)


def slate_features(chances: Array, recency_days: float) -> tuple[float, float]:
    """Return what a slate's chance is predicted from."""
    total = float(np.sum(chances))
    return float(np.log(total + 1e-6)), float(np.log1p(max(recency_days, 0.0)))
