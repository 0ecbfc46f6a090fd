"""Product weeks: every product is treated in some weeks and left alone in others.

For shops with too few customers for a test by customer and levers that act on one
product at a time, such as its text, its photograph or its reorder point. Weeks form
runs; of every two runs each enrolled product is treated in one, and a stable hash ranks
the products so that half of them, within one, are treated in any week. So a product is
compared with itself, and what a week does to all products drops out.

It does not see what a treated product takes away from another: where shoppers swap
products (prices, promotion of substitutes), use a switchback.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np

from cartwheel.errors import Misuse
from cartwheel.measure.assign import unit_position
from cartwheel.measure.experiment.comparison import LEVEL, Comparison
from cartwheel.measure.experiment.pairs import compare_pairs

Array = np.ndarray[Any, Any]

LEAST_PRODUCTS = 10
"""Products below which no such test is begun: the spread between them is the error."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotation:
    """Which product is treated in which week.

    Attributes:
        salt: Salt of the experiment's layer.
        start: First day of week 0.
        products: The products enrolled, fixed at the start; their order does not
            matter. A product that comes later takes no part.
        weeks: Length of the test, a multiple of two runs.
        run_weeks: Weeks a product stays in an arm before the next draw.
        washout_weeks: Weeks at the start of every run that are not analysed.
        control: Name of the control.
        arm: Name of the arm.
    """

    salt: str
    start: date
    products: tuple[str, ...]
    weeks: int
    run_weeks: int = 1
    washout_weeks: int = 0
    control: str = "control"
    arm: str = "treated"

    def __post_init__(self) -> None:
        enrolled, different = len(self.products), len(set(self.products))
        if different < enrolled:
            raise Misuse(
                f"{enrolled - different} products are named more than once.",
                "Name each product once.",
            )
        if enrolled < LEAST_PRODUCTS:
            raise Misuse(
                f"{enrolled} products; a test by product needs {LEAST_PRODUCTS}.",
                "Enrol more products, or let the whole shop take turns: a switchback.",
            )
        if self.run_weeks < 1 or not 0 <= self.washout_weeks < self.run_weeks:
            raise Misuse(
                f"run_weeks is {self.run_weeks} and washout_weeks "
                f"{self.washout_weeks}; expected at least 1, and a washout shorter "
                "than the run.",
                "Lengthen the runs or shorten the washout.",
            )
        if self.weeks < 1 or self.weeks % (2 * self.run_weeks):
            raise Misuse(
                f"weeks is {self.weeks}; expected a multiple of "
                f"{2 * self.run_weeks}, two runs.",
                "Choose the next multiple.",
            )
        if self.control == self.arm:
            raise Misuse(
                f"control and arm are both named {self.arm!r}; expected two names.",
                "Name the arm otherwise.",
            )

    def schedule(self) -> Array:
        """Return who is treated when, bool, shape (n_products, weeks)."""
        pairs = self.weeks // (2 * self.run_weeks)
        first = np.stack([self._first(pair) for pair in range(pairs)], axis=1)
        runs = np.stack([first, ~first], axis=2).reshape(len(self.products), -1)
        return np.repeat(runs, self.run_weeks, axis=1)

    def counts(self) -> Array:
        """Return which weeks are analysed once their two runs are over, (weeks,)."""
        kept: Array = np.arange(self.weeks) % self.run_weeks >= self.washout_weeks
        return kept

    def arm_on(self, product: str, day: date) -> str:
        """Return the arm of a product on a day; the control outside the test."""
        week = (day - self.start).days // 7
        if product not in self.products or not 0 <= week < self.weeks:
            return self.control
        pair, within = divmod(week, 2 * self.run_weeks)
        first = bool(self._first(pair)[self.products.index(product)])
        return self.arm if first == (within < self.run_weeks) else self.control

    def _first(self, pair: int) -> Array:
        """Return who is treated in the first run of a pair, shape (n_products,)."""
        places = [unit_position(f"{pair}\x1f{p}", self.salt) for p in self.products]
        # The name breaks a tie, so that the order given never decides.
        order = sorted(range(len(places)), key=lambda k: (places[k], self.products[k]))
        first = np.zeros(len(places), dtype=bool)
        first[order[: len(places) // 2]] = True
        # With an odd number a coin says which run has one more.
        more = unit_position(f"odd-{pair}", self.salt) < 0.5
        return ~first if more else first


def compare_product_weeks(
    design: Rotation, values: Array, *, metric: str, level: float = LEVEL
) -> Comparison:
    """Return what the arm did to a product's week, from the pairs of runs over.

    Product and week effects are fitted and taken off; a product's own difference
    between its treated and its other weeks is one observation, so any dependence
    between its weeks is allowed for. The spread between products, most of which sell
    nothing or little while a few sell much, is the error: a few products that carry
    the shop make it wide, as they should.

    Measured against it and left out: a week effect in proportion to the product's own
    sales (a fifth narrower, but 86 to 91 % coverage where one product dominates),
    the same estimated from the other products, and products paired by earlier sales
    (neither narrower).

    Args:
        design: Who is treated when.
        values: The metric by product, in the order of `design.products`, and week from
            week 0 on, shape (n_products, n_weeks over so far); 0 for no sale.
        metric: Name of the metric.
        level: Share of intervals that hold the truth.

    Raises:
        Misuse: If the shape does not fit the design, a value is not a number, or no
            pair of runs is over.

    References:
        Two-way fixed effects in a balanced design; errors clustered by product with
        n - 2 degrees of freedom. Ibragimov and Müller (2010): Student's t over
        clusters of unequal spread keeps its level.
    """
    found = np.asarray(values, dtype=float)
    enrolled = len(design.products)
    if found.ndim != 2 or len(found) != enrolled or found.shape[1] > design.weeks:
        raise Misuse(
            f"{metric}: values have shape {found.shape}; expected {enrolled} products "
            f"and at most {design.weeks} weeks.",
            "Give one row a product enrolled and one column a week that is over.",
        )
    wrong = int((~np.isfinite(found)).sum())
    if wrong:
        raise Misuse(
            f"{metric}: {wrong} product weeks have no number.",
            "Give 0 for a week without a sale; mend the others.",
        )
    both = 2 * design.run_weeks
    over = found.shape[1] // both * both
    if over == 0:
        ends = design.start + timedelta(days=7 * both - 1)
        raise Misuse(
            f"{metric}: {found.shape[1]} weeks are over; the first two runs take "
            f"{both}.",
            f"Look again after {ends}.",
        )
    weeks = np.flatnonzero(design.counts()[:over])
    treated = design.schedule()[:, weeks]
    level_out = _without_weeks(found[:, weeks], treated)
    half = len(weeks) // 2
    return compare_pairs(
        np.where(treated, level_out, 0.0).sum(axis=1) / half,
        np.where(treated, 0.0, level_out).sum(axis=1) / half,
        metric=metric,
        control=design.control,
        arm=design.arm,
        method="product-week",
        n=int(treated.size),
        fitted=2,
        level=level,
    )


def _without_weeks(values: Array, treated: Array) -> Array:
    """Take off what each week did to all products, by two-way least squares."""
    share = treated.astype(float)
    # Every row holds as many treated weeks as others, so only weeks need centring.
    share -= share.mean(axis=0)
    effect = float((share * values).sum() / (share * share).sum())
    by_week = (values - effect * treated).mean(axis=0)
    level_out: Array = values - (by_week - by_week.mean())
    return level_out
