"""Small shops with a known lift, one draw a call, for the truth of intervals.

A shop's truth is the lift of these people, products or days as they are: their expected
outcomes with the arm less those without. Chance is in who gets the arm and in what each
of them then buys.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np

from cartwheel.measure.experiment.staggered import Rotation
from cartwheel.measure.experiment.switchback import Switchback

Array = np.ndarray[Any, Any]

START = date(2026, 1, 5)
BASKET = 60.0
DAYS_A_MONTH = 30.4


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerShop:
    """A test by customer that is over.

    Attributes:
        values: Spend in the test by customer, shape (n_customers,).
        treated: Who got the arm, bool, shape (n_customers,).
        before: Spend in as long a time before the test, shape (n_customers,).
        truth: Expected lift a customer.
        usual: Expected spend a customer without the arm.
    """

    values: Array
    treated: Array
    before: Array
    truth: float
    usual: float


def customer_shop(
    orders_a_month: float,
    rng: np.random.Generator,
    *,
    lift: float = 0.1,
    treated_share: float = 0.5,
    months: float = 2.0,
    sigma: float = 0.8,
    heavy_share: float = 0.01,
    heavy_times: float = 12.0,
) -> CustomerShop:
    """Draw a shop tested by customer.

    Customers order twice a year on average, very unequally (gamma of shape
    one half); one in a hundred is a business that orders `heavy_times` as often. Most
    order nothing in the test. Baskets are log-normal, and customers have baskets of
    their own size.

    Args:
        orders_a_month: Orders expected a month without the arm.
        rng: Source of chance.
        lift: More orders under the arm, as a share.
        treated_share: Chance to get the arm.
        months: Length of the test, and of the time before.
        sigma: Spread of an order's value in logarithms.
        heavy_share: Share of customers who are businesses.
        heavy_times: How much oftener they order.
    """
    people = round(6 * orders_a_month)
    rate = rng.gamma(0.5, 2.0, people)
    rate[rng.random(people) < heavy_share] *= heavy_times
    rate *= orders_a_month * months / people / (1 + heavy_share * (heavy_times - 1))
    basket = BASKET * rng.lognormal(-(0.4**2) / 2, 0.4, people)
    treated = rng.random(people) < treated_share
    expected = rate * basket
    return CustomerShop(
        values=basket * _spend(rate * (1 + lift * treated), sigma, rng),
        treated=treated,
        before=basket * _spend(rate, sigma, rng),
        truth=lift * float(expected.mean()),
        usual=float(expected.mean()),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductShop:
    """A test by product that is over.

    Attributes:
        design: Who was treated when.
        values: Units sold, shape (n_products, n_weeks).
        truth: Expected lift of a product's week over the weeks analysed.
        usual: Expected units a product's week without the arm.
    """

    design: Rotation
    values: Array
    truth: float
    usual: float


def product_shop(
    orders_a_month: float,
    rng: np.random.Generator,
    *,
    lift: float = 0.1,
    products: int = 60,
    weeks: int = 8,
    run_weeks: int = 1,
    washout_weeks: int = 0,
    skew: float = 1.4,
) -> ProductShop:
    """Draw a shop tested by product week.

    Sales are spread log-normally over products, so that a few make most of them; a
    product's demand wanders by half from week to week, and so does the shop's.

    Args:
        orders_a_month: Units expected a month without the arm.
        rng: Source of chance.
        lift: More units under the arm, as a share.
        products: Products enrolled.
        weeks: Length of the test.
        run_weeks: Weeks in a run.
        washout_weeks: Weeks cut at the start of a run.
        skew: Spread of products' sales in logarithms.
    """
    design = Rotation(
        salt=f"shop-{rng.integers(2**62)}",
        start=START,
        products=tuple(f"P{n}" for n in range(products)),
        weeks=weeks,
        run_weeks=run_weeks,
        washout_weeks=washout_weeks,
    )
    rate = rng.lognormal(0.0, skew, products)
    rate *= orders_a_month * 7 / DAYS_A_MONTH / rate.sum()
    season = np.exp(np.cumsum(0.1 * rng.standard_normal(weeks)))
    season *= rng.lognormal(0.0, 0.12, weeks)
    wander = _wander(weeks, 0.5, 0.5, rng, lines=products)
    expected = rate[:, None] * season * wander
    counted = expected[:, design.counts()]
    return ProductShop(
        design=design,
        values=rng.poisson(expected * (1 + lift * design.schedule())),
        truth=lift * float(counted.mean()),
        usual=float(counted.mean()),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnShop:
    """A switchback that is over.

    Attributes:
        design: Which day was in which arm.
        days: Days.
        values: Revenue a day, shape (n_days,).
        visits: Visits a day, shape (n_days,).
        truth: Expected lift of a day over the days analysed.
        usual: Expected revenue a day without the arm.
    """

    design: Switchback
    days: list[date]
    values: Array
    visits: Array
    truth: float
    usual: float


def turn_shop(
    orders_a_month: float,
    rng: np.random.Generator,
    *,
    lift: float = 0.1,
    periods: int = 12,
    period_days: int = 7,
    burn_in_days: int = 1,
    carried: float = 0.0,
) -> TurnShop:
    """Draw a shop tested by switchback.

    Days of the week differ by a third and more, demand wanders by a fifth with a memory
    of 0.7 from day to day, and it grows by 0.2 % a day.

    Args:
        orders_a_month: Orders expected a month without the arm.
        rng: Source of chance.
        lift: More orders under the arm, as a share.
        periods: Periods, both arms together.
        period_days: Days in a period.
        burn_in_days: Days cut at the start of every period.
        carried: Share of the other arm still at work on a period's first day.
    """
    design = Switchback(
        salt=f"shop-{rng.integers(2**62)}",
        start=START,
        period_days=period_days,
        burn_in_days=burn_in_days,
    )
    days = [START + timedelta(days=n) for n in range(periods * period_days)]
    treated = np.repeat([design.treated(k) for k in range(periods)], period_days)
    earlier = np.roll(treated, 1)
    earlier[0] = False
    at = np.arange(len(days))
    dose = np.where(at % period_days, treated, (1 - carried) * treated)
    dose = dose + np.where(at % period_days, 0.0, carried * earlier)
    week = np.exp(0.3 * np.sin(2 * np.pi * np.arange(7) / 7))
    week *= rng.lognormal(0.0, 0.1, 7)
    season = (week / week.mean())[at % 7] * np.exp(0.002 * at)
    expected = orders_a_month / DAYS_A_MONTH * season
    expected = expected * _wander(len(days), 0.2, 0.7, rng)[0]
    over = design.pairs_until(days[-1])
    used = {k for pair in range(over) for k in design.periods(pair)}
    counted = np.array(
        [
            design.counts_on(day) and design.period_on(day) in used  # pairs not over
            for day in days
        ]
    )
    usual = BASKET * float(expected[counted].mean())
    return TurnShop(
        design=design,
        days=days,
        values=BASKET * _spend(expected * (1 + lift * dose), 0.8, rng),
        visits=rng.poisson(expected / 0.03),
        truth=lift * usual,
        usual=usual,
    )


def _spend(rate: Array, sigma: float, rng: np.random.Generator) -> Array:
    """Return the sum of a Poisson number of log-normal values of mean 1 each."""
    orders = rng.poisson(rate)
    values = rng.lognormal(-sigma * sigma / 2, sigma, int(orders.sum()))
    whose = np.repeat(np.arange(len(orders)), orders)
    return np.bincount(whose, weights=values, minlength=len(orders))


def _wander(
    n: int, spread: float, memory: float, rng: np.random.Generator, *, lines: int = 1
) -> Array:
    """Return n factors of mean 1 that remember each other, shape (lines, n)."""
    steps = rng.standard_normal((lines, n))
    levels = np.empty((lines, n))
    levels[:, 0] = steps[:, 0]
    fresh = np.sqrt(1 - memory * memory)
    for k in range(1, n):
        levels[:, k] = memory * levels[:, k - 1] + fresh * steps[:, k]
    factors: Array = np.exp(spread * levels - spread * spread / 2)
    return factors
