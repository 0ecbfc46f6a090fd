"""Money at stake in an objection: returns, contacts and sales that do not come about.

Three parts, each a year's, and none is a promise: only a test of the fix tells what
mending the cause brings.

- Returns with that reason, at what a return costs and the margin it takes back.
- Messages with that objection, at what answering one costs, where the owner said it.
- Sales lost among people who look: products of one category are compared by how much of
  what is said of them is that objection (quasi-Poisson regression of units sold on
  views, ridge prior). It is counted where its interval leaves out zero, and is an
  association: a bad product may have both.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

DRAWS = 1_000
JEFFREYS = 0.5
"""Counts that the prior of a product's rate is worth."""

CHUNK = 1_000
"""Products drawn for at a time, so that memory does not grow with the catalogue."""

LEAST_PRODUCTS = 30
"""Products with texts and views from which lost sales are estimated at all."""

LEAST_VIEWS = 50
"""Views of a product in a year from which it takes part."""

PRIOR_TEXTS = 5.0
"""Texts' worth of weight given to the shop's share of an objection."""

PRIOR_SD = 0.1
"""Prior standard deviation of the log rate for ten points more of an objection."""

PER_POINTS = 10.0
"""Shares are counted in tenths: an effect is that of ten points more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shop:
    """What is known of products besides what is said of them; arrays (products,).

    Attributes:
        views: Views of a year.
        sold: Units sold in a year.
        category: Number of the category, -1 for none.
        margin_minor: What a unit sold earns; nan where unknown.
        return_minor: What a return costs, margin taken back included; nan if unknown.
        contact_minor: What answering a message costs; None where nobody said.
    """

    views: Array
    sold: Array
    category: Array
    margin_minor: Array
    return_minor: Array
    contact_minor: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Effects:
    """What ten points more of each objection do to the log rate of sales.

    Attributes:
        mean: Shape (classes,).
        covariance: Shape (classes, classes).
        products: Products compared.
        told: Whether the 95 % interval of each leaves out zero on the side of a loss.
    """

    mean: Array
    covariance: Array
    products: int
    told: Array


@dataclass(frozen=True, slots=True, kw_only=True)
class Stake:
    """Money at stake a year with its 95 % interval, minor; arrays (products, classes).

    Attributes:
        returns: Cost of returns.
        contacts: Cost of messages.
        lost: Margin of sales lost, 0 where it is not told from chance.
        low: Lower end of the sum.
        high: Upper end.
        total: The sum for each class over all products: mean, low, high; (classes, 3).
    """

    returns: Array
    contacts: Array
    lost: Array
    low: Array
    high: Array
    total: Array


def estimate_effects(said: Array, texts: Array, shop: Shop) -> Effects | None:
    """Return how sales per view go with what is said; None where too little is known.

    Args:
        said: Texts with each objection, shape (products, classes).
        texts: Texts of each product.
        shop: The products.
    """
    used = (texts > 0) & (shop.views >= LEAST_VIEWS)
    if used.sum() < LEAST_PRODUCTS or not shop.sold[used].sum():
        return None
    tenths = _shares(said, texts)[used] * PER_POINTS
    _, group = np.unique(shop.category[used], return_inverse=True)
    groups = int(group.max()) + 1
    classes = said.shape[1]
    inside = np.zeros((len(group), groups))
    inside[np.arange(len(group)), group] = 1.0
    design = np.hstack([inside, tenths - tenths.mean(axis=0)])
    # A category's own level is hardly drawn to the shop's; an objection's effect is.
    prior = np.r_[np.full(groups, 0.01), np.full(classes, PRIOR_SD**-2)]
    sold, views = shop.sold[used].astype(float), shop.views[used].astype(float)
    usual = np.log(sold.sum() / views.sum())
    beta = np.zeros(groups + classes)
    spread = 1.0
    for _ in range(60):
        mean = views * np.exp(np.clip(usual + design @ beta, -20, 5))
        slope = design.T @ (sold - mean) / spread - prior * beta
        bend = (design.T * mean) @ design / spread + np.diag(prior)
        step = np.linalg.solve(bend, slope)
        beta = beta + np.clip(step, -1.0, 1.0)
        rest = max(len(sold) - groups - 1, 1)
        pearson = float(((sold - mean) ** 2 / np.maximum(mean, 1e-9)).sum())
        spread = max(pearson / rest, 1.0)
        if np.abs(step).max() < 1e-9:
            break
    covariance = np.linalg.inv(bend)[groups:, groups:]
    mean = beta[groups:]
    told = mean + 1.96 * np.sqrt(np.diag(covariance)) < 0
    return Effects(
        mean=mean, covariance=covariance, products=int(used.sum()), told=told
    )


def at_stake(
    said: Array,
    texts: Array,
    messages: Array,
    returned: Array,
    returns: Array,
    shop: Shop,
    effects: Effects | None,
    *,
    seed: int,
) -> Stake:
    """Return the money at stake.

    Counts are Poisson, a product's with a Jeffreys prior, effects normal, by draws.

    Args:
        said: Texts with each objection, shape (products, classes).
        texts: Texts of each product.
        messages: Messages with each objection, shape (products, classes).
        returned: Units that came back for it, shape (products, classes).
        returns: Returns they came back in, same shape.
        shop: The products.
        effects: What objections do to sales.
        seed: Seed of the draws.
    """
    rng = np.random.default_rng(seed)
    each = np.nan_to_num(shop.return_minor)[:, None] * returned
    answer = float(shop.contact_minor or 0)
    per_tenth = np.maximum(_shares(said, texts) * PER_POINTS, 0.0)
    earned = (shop.sold * np.nan_to_num(shop.margin_minor))[:, None]
    found = said > 0
    if effects is None:
        drawn = np.zeros((DRAWS, said.shape[1]))
        mean, told = np.zeros(said.shape[1]), np.zeros(said.shape[1], bool)
    else:
        drawn = rng.multivariate_normal(
            effects.mean, effects.covariance, DRAWS, method="cholesky"
        )
        mean, told = effects.mean, effects.told
    lost = np.where(told & found, earned * np.expm1(-mean * per_tenth), 0.0)
    low, high = np.zeros(said.shape), np.zeros(said.shape)
    total = np.zeros((said.shape[1], 3))
    for at in range(said.shape[1]):
        summed = np.zeros(DRAWS)
        (some,) = np.nonzero(found[:, at] | (returned[:, at] > 0))
        for begin in range(0, len(some), CHUNK):
            part = some[begin : begin + CHUNK]
            away: Array = np.zeros((DRAWS, len(part)))
            if told[at]:
                tenths = per_tenth[part, at] * found[part, at]
                change = np.expm1(np.clip(-drawn[:, at, None] * tenths, -5, 5))
                away = earned[part, 0] * change

            counts = returns[part, at], messages[part, at]
            costs = each[part, at], answer
            ends = np.quantile(
                _drawn(*counts, *costs, rng, JEFFREYS) + away, [0.025, 0.975], axis=0
            )
            low[part, at], high[part, at] = ends
            # Half a count too many for each of a thousand products would add up.
            summed += (_drawn(*counts, *costs, rng, 0.0) + away).sum(axis=1)
        point = each[:, at].sum() + answer * messages[:, at].sum() + lost[:, at].sum()
        total[at] = point, *np.quantile(summed, [0.025, 0.975])
    return Stake(
        returns=each,
        contacts=answer * messages,
        lost=lost,
        low=low,
        high=high,
        total=total,
    )


def _shares(said: Array, texts: Array) -> Array:
    """Return the share of each objection in what is said, drawn to the shop's."""
    usual = said.sum(axis=0) / max(float(texts.sum()), 1.0)
    shares: Array = (said + PRIOR_TEXTS * usual) / (texts[:, None] + PRIOR_TEXTS)
    return shares


def _drawn(
    returns: Array,
    messages: Array,
    each: Array,
    answer: float,
    rng: np.random.Generator,
    prior: float,
) -> Array:
    """Draw what returns and messages cost; shape (draws, products)."""
    back = _rates(returns, rng, prior) / np.maximum(returns, 1)
    asked = _rates(messages, rng, prior)
    cost: Array = back * each + asked * answer
    return cost


def _rates(counts: Array, rng: np.random.Generator, prior: float) -> Array:
    """Draw the rates behind counts, 0 where nothing was counted; (draws, products)."""
    rates = rng.gamma(np.maximum(counts + prior, 1e-9), size=(DRAWS, len(counts)))
    return np.where(counts > 0, rates, 0.0)
