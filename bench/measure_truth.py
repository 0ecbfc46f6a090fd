"""Do intervals of lift hold the truth in small shops, and how often is nothing a find?

Every shop is drawn with a known lift (`small_shops`); the answer counts when the 95 %
interval holds it. The same shops without a lift give the false positives. Targets:
93 to 97 % of shops held. `holdout` rows are the customer design with fewer people in
the control, as a running shop has it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import ttest_ind

from bench.measure import Figure, Plan
from bench.small_shops import customer_shop, product_shop, turn_shop
from cartwheel.measure.experiment.lift import compare_groups
from cartwheel.measure.experiment.staggered import compare_product_weeks
from cartwheel.measure.experiment.switchback import compare_switchback
from cartwheel.measure.kpi.intervals import wilson

Array = np.ndarray[Any, Any]

SEED = 20_260_402
SHOPS = 1_000
QUICK_SHOPS = 20
LIFT = 0.1
SIZES = (100, 300, 1_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a design said of one shop.

    Attributes:
        low: Lower end of the interval.
        high: Upper end.
        truth: The lift it should hold.
        usual: The metric without the arm, for widths as a share of it.
    """

    low: float
    high: float
    truth: float
    usual: float


Play = Callable[[float, float, np.random.Generator], Answer]
"""A design plays a shop: orders a month, lift, chance."""


def measure_truth(plan: Plan) -> Iterator[Figure]:
    """Measure every design at every size on seeds of its own."""
    shops = QUICK_SHOPS if plan.quick else SHOPS
    for name, play in BARE.items():
        for orders in SIZES:
            told = answers(
                play, orders, lift=LIFT, shops=shops, seeds=[SEED, 99, orders]
            )
            size = f"{orders:,} orders a month"
            yield _figure(f"{name}: held by 95 %", size, _held(told), floor=True)
    for number, (name, play) in enumerate(DESIGNS.items()):
        for orders in SIZES:
            seeds = [SEED, number, orders]
            told = answers(play, orders, lift=LIFT, shops=shops, seeds=seeds)
            idle = answers(play, orders, lift=0.0, shops=shops, seeds=[*seeds, 1])
            size = f"{orders:,} orders a month"
            yield _figure(
                f"{name}: held by 95 %", size, _held(told), least=0.93, most=0.97
            )
            yield _figure(f"{name}: false positives", size, 1 - _held(idle))
            wide = [(one.high - one.low) / one.usual for one in told]
            yield Figure(
                part="measure-truth",
                name=f"{name}: mean width over the usual",
                size=size,
                unit="",
                values=[float(np.mean(wide))],
            )


def answers(
    play: Play, orders: float, *, lift: float, shops: int, seeds: list[int]
) -> list[Answer]:
    """Return what a design says of many shops, each drawn from the same seeds."""
    rng = np.random.default_rng(seeds)
    return [play(orders, lift, rng) for _ in range(shops)]


def _held(told: list[Answer]) -> Array:
    """Return whether each interval holds its truth, shape (n,)."""
    return np.array([one.low <= one.truth <= one.high for one in told])


def _figure(
    name: str,
    size: str,
    hits: Array,
    *,
    least: float | None = None,
    most: float | None = None,
    floor: bool = False,
) -> Figure:
    """Return a share; its spread is the Wilson interval."""
    low, high = wilson(int(hits.sum()), len(hits))
    return Figure(
        part="measure-truth",
        name=name,
        size=size,
        unit="",
        values=[low, float(hits.mean()), high],
        least=least,
        most=most,
        floor=floor,
    )


def welch(values: Array, treated: Array, before: Array) -> tuple[float, float]:
    """Return Welch's interval of the lift, the time before left out."""
    found = ttest_ind(values[treated], values[~treated], equal_var=False)
    between = found.confidence_interval(0.95)
    return float(between.low), float(between.high)


def customer_interval(
    values: Array, treated: Array, before: Array
) -> tuple[float, float]:
    """Return the interval of the lift a customer, as experiments and holdouts do."""
    found = compare_groups(values, treated, before, metric="margin")
    return found.low, found.high


def by_customer(
    share: float,
    interval: Callable[[Array, Array, Array], tuple[float, float]],
) -> Play:
    """Return the customer design with a share of people treated."""

    def play(orders: float, lift: float, rng: np.random.Generator) -> Answer:
        shop = customer_shop(orders, rng, lift=lift, treated_share=share)
        low, high = interval(shop.values, shop.treated, shop.before)
        return Answer(low=low, high=high, truth=shop.truth, usual=shop.usual)

    return play


def by_product_week(**design: int) -> Play:
    """Return the product-week design."""

    def play(orders: float, lift: float, rng: np.random.Generator) -> Answer:
        shop = product_shop(orders, rng, lift=lift, **design)
        found = compare_product_weeks(shop.design, shop.values, metric="units")
        return Answer(
            low=found.low, high=found.high, truth=shop.truth, usual=shop.usual
        )

    return play


def by_switchback(**design: int) -> Play:
    """Return the switchback design."""

    def play(orders: float, lift: float, rng: np.random.Generator) -> Answer:
        shop = turn_shop(orders, rng, lift=lift, **design)
        found = compare_switchback(shop.design, shop.days, shop.values, metric="sales")
        return Answer(
            low=found.low, high=found.high, truth=shop.truth, usual=shop.usual
        )

    return play


DESIGNS: dict[str, Play] = {
    "customer, half": by_customer(0.5, customer_interval),
    "customer, holdout 20 %": by_customer(0.8, customer_interval),
    "customer, holdout 5 %": by_customer(0.95, customer_interval),
    "product-week, 60 products, 8 weeks": by_product_week(),
    "product-week, 20 products, 12 weeks, washout": by_product_week(
        products=20, weeks=12, run_weeks=2, washout_weeks=1
    ),
    "switchback, 8 weeks": by_switchback(periods=8),
    "switchback, 24 weeks": by_switchback(periods=24),
    "switchback, 28 days": by_switchback(periods=28, period_days=1, burn_in_days=0),
}

BARE: dict[str, Play] = {
    "Welch, half": by_customer(0.5, welch),
    "Welch, holdout 20 %": by_customer(0.8, welch),
    "Welch, holdout 5 %": by_customer(0.95, welch),
}
"""What the customer design would say without the two things `skewed` mends."""
