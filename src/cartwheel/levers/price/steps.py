"""Prices worth weighing, and what each would earn under what is not known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

Z80 = 1.2815515655446004
"""Half width of an 80 % interval in standard deviations."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endings:
    """How the shop ends its prices.

    Attributes:
        unit: Minor units of one whole currency unit.
        last: Endings in use, such as 95 and 99; empty when it has no habit.
    """

    unit: int
    last: tuple[int, ...]


def find_endings(prices: np.ndarray, minor_digits: int) -> Endings:
    """Return the endings that at least a tenth of the prices have.

    Args:
        prices: Present prices in minor units.
        minor_digits: Decimal places of the currency.
    """
    unit: int = 10**minor_digits
    if unit == 1 or len(prices) == 0:
        return Endings(unit=unit, last=())
    values, counts = np.unique(prices % unit, return_counts=True)
    common = values[counts >= 0.1 * len(prices)]
    return Endings(unit=unit, last=tuple(int(v) for v in common))


def ladder(
    price: int, steps: tuple[float, ...], endings: Endings, limit: float
) -> list[int]:
    """Return the prices near each step that end as the shop's prices do.

    A step keeps its direction and the limit; one for which no ending fits is rounded
    to a minor unit, and dropped when that leaves the price as it is.

    Args:
        price: Present price in minor units.
        steps: Relative changes to look near.
        endings: The shop's habit.
        limit: Largest relative change.
    """
    found: set[int] = set()
    for step in steps:
        target = price * (1 + step)
        whole = int(target // endings.unit)
        charming = [
            (base * endings.unit + last)
            for base in (whole - 1, whole, whole + 1)
            for last in endings.last
        ]
        fitting = [p for p in charming if _fits(p, price, step, limit)]
        near = [p for p in fitting if abs(p - target) <= 0.5 * abs(step) * price]
        best = min(near, key=lambda p: (abs(p - target), p), default=round(target))
        if _fits(best, price, step, limit):
            found.add(best)
    return sorted(found)


def _fits(candidate: int, price: int, step: float, limit: float) -> bool:
    same_way = (candidate - price) * step > 0
    return candidate > 0 and same_way and abs(candidate - price) <= limit * price + 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """What is known of one article of n variants before a price is chosen.

    Attributes:
        price: Present price in minor units.
        keep: Cost of one unit, of its expected return and of sending it, shape (n,);
            NaN if unknown.
        demand: Expected units in 28 days at the present price, shape (n,).
        demand_sd: Its standard deviation, shape (n,).
        stock: Units that can be sold in 28 days, inf if unknown, shape (n,).
        elasticity: Posterior mean.
        elasticity_sd: Posterior standard deviation.
    """

    price: int
    keep: np.ndarray
    demand: np.ndarray
    demand_sd: np.ndarray
    stock: np.ndarray
    elasticity: float
    elasticity_sd: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Gain:
    """What a price would earn more than the present one, in minor units.

    Attributes:
        price: The price.
        value: Median of the gain.
        low: 10 % quantile.
        high: 90 % quantile.
        certainty: Share of draws in which it gains.
        by_variant: Median, low, high for each variant, shape (n, 3).
    """

    price: int
    value: float
    low: float
    high: float
    certainty: float
    by_variant: np.ndarray


def draw_elasticity(article: Article, normal: np.ndarray) -> np.ndarray:
    """Return draws of the elasticity; demand never rises with the price."""
    draws = article.elasticity + article.elasticity_sd * normal
    return np.asarray(np.minimum(draws, 0.0))


def draw_demand(article: Article, normal: np.ndarray) -> np.ndarray:
    """Return log-normal draws of 28 days' demand, shape (draws, n)."""
    mean = np.maximum(article.demand, 1e-9)
    log_variance = np.log1p((article.demand_sd / mean) ** 2)
    draws = np.exp(np.sqrt(log_variance) * normal[:, None] - log_variance / 2)
    return np.asarray(article.demand * draws)


def weigh(article: Article, prices: Sequence[int], normal: np.ndarray) -> list[Gain]:
    """Compare prices with the present one over 28 days, draw by draw.

    Args:
        article: What is known.
        prices: Prices weighed, in minor units.
        normal: Standard normal draws, shape (2, draws): elasticity, demand.
    """
    demand = draw_demand(article, normal[1])
    elasticity = draw_elasticity(article, normal[0])
    before = np.minimum(demand, article.stock) * (article.price - article.keep)

    def gain(price: int) -> np.ndarray:
        reaction = (price / article.price) ** elasticity
        after = np.minimum(demand * reaction[:, None], article.stock)
        return np.asarray(after * (price - article.keep) - before)

    return summarise(prices, [gain(price) for price in prices])


@dataclass(frozen=True, slots=True, kw_only=True)
class Clearance:
    """Terms on which stock that does not sell is valued.

    Attributes:
        days: Days looked ahead.
        salvage_share: What a unit still lying there is worth, of its cost.
        holding_share: Cost of holding a unit for a year, of its cost.
    """

    days: int
    salvage_share: float
    holding_share: float


def weigh_clearance(
    article: Article, prices: Sequence[int], normal: np.ndarray, terms: Clearance
) -> list[Gain]:
    """Compare marked-down prices with the present one for stock that lies.

    What is sold earns its price; what is left is worth its salvage value; every unit
    costs its holding while it lies, half of the time when it is sold.
    """
    demand = draw_demand(article, normal[1]) * terms.days / 28
    elasticity = draw_elasticity(article, normal[0])[:, None]
    holding = article.keep * terms.holding_share * terms.days / 365

    def value(at: int) -> np.ndarray:
        sold = np.minimum(demand * (at / article.price) ** elasticity, article.stock)
        left = article.stock - sold
        return np.asarray(
            sold * at
            + left * article.keep * terms.salvage_share
            - holding * (left + sold / 2)
        )

    now = value(article.price)
    return summarise(prices, [value(price) - now for price in prices])


def summarise(prices: Sequence[int], gains: Sequence[np.ndarray]) -> list[Gain]:
    """Summarise draws of the gain of each price, shape (draws, n) each."""
    if not prices:
        return []
    totals = [gain.sum(axis=1) for gain in gains]
    # All at once: the quantiles of many short columns cost little more than of one.
    columns = [
        np.column_stack([total, gain])
        for total, gain in zip(totals, gains, strict=True)
    ]
    quantiles = np.quantile(np.stack(columns, axis=1), [0.1, 0.5, 0.9], axis=0)
    return [
        Gain(
            price=price,
            value=float(middle[0]),
            low=float(low[0]),
            high=float(high[0]),
            certainty=float((total > 0).mean()),
            by_variant=np.stack([middle[1:], low[1:], high[1:]], axis=1),
        )
        for price, total, low, middle, high in zip(
            prices, totals, *quantiles, strict=True
        )
    ]
