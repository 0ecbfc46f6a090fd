"""Switchback: the whole shop takes turns, for levers that share price or stock.

Days form periods of equal length, and a coin drawn by a stable hash says which of two
matched periods gets the arm; the other gets the control, so both occur equally often.
Matched are periods that hold the same weekdays: the same day of two weeks running when
a period is a day, two weeks running when it is a week. So the weekly season drops out
of every pair. Pairs of neighbours were measured too: they cover as well, but with a
weekly season of 30 % and periods of one to four days they are up to half wider.

The first days of every period are cut, because what the period before left behind
(stock, shoppers who wait) is still in them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import gcd
from typing import Any

import numpy as np

from cartwheel.errors import Misuse
from cartwheel.measure.assign import unit_position
from cartwheel.measure.experiment.comparison import LEVEL, Comparison
from cartwheel.measure.experiment.pairs import compare_pairs

Array = np.ndarray[Any, Any]

WEEK = 7

LEAST_PAIRS = 4
"""Pairs below which no interval is shown; at four it still held 95 % in simulation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Switchback:
    """Which arm the shop is in on which day.

    Attributes:
        salt: Salt of the experiment's layer; the same salt gives the same days.
        start: First day of the first period.
        period_days: Days in a period.
        burn_in_days: Days at the start of every period that are not analysed.
        control: Name of the control.
        arm: Name of the arm.
    """

    salt: str
    start: date
    period_days: int = WEEK
    burn_in_days: int = 1
    control: str = "control"
    arm: str = "treated"

    def __post_init__(self) -> None:
        if self.period_days < 1:
            raise Misuse(
                f"period_days is {self.period_days}; expected 1 or more.",
                "Give the days of a period; 7 suits most shops.",
            )
        if not 0 <= self.burn_in_days < self.period_days:
            raise Misuse(
                f"burn_in_days is {self.burn_in_days}; expected 0 to "
                f"{self.period_days - 1}, so that a day of each period is left.",
                "Shorten the burn-in or lengthen the periods.",
            )
        if self.control == self.arm:
            raise Misuse(
                f"control and arm are both named {self.arm!r}; expected two names.",
                "Name the arm otherwise.",
            )

    @property
    def cycle(self) -> int:
        """Periods until the same weekdays come again."""
        return WEEK // gcd(self.period_days, WEEK)

    def period_on(self, day: date) -> int:
        """Return the number of the period a day is in, from 0.

        Raises:
            Misuse: If the day is before the first period.
        """
        since = (day - self.start).days
        if since < 0:
            raise Misuse(
                f"{day} is before the switchback's first day, {self.start}.",
                "Ask for a day from then on.",
            )
        return since // self.period_days

    def arm_on(self, day: date) -> str:
        """Return the name of the arm a day is in; burn-in days have one too.

        Raises:
            Misuse: If the day is before the first period.
        """
        return self.arm if self.treated(self.period_on(day)) else self.control

    def counts_on(self, day: date) -> bool:
        """Tell whether a day is analysed: from the start on and after the burn-in."""
        since = (day - self.start).days
        return since >= 0 and since % self.period_days >= self.burn_in_days

    def treated(self, period: int) -> bool:
        """Tell whether a period gets the arm."""
        pair, second = self.place(period)
        return (unit_position(f"pair-{pair}", self.salt) < 0.5) != second

    def place(self, period: int) -> tuple[int, bool]:
        """Return the pair of a period, and whether it is the later one of it."""
        block, within = divmod(period, 2 * self.cycle)
        second, slot = divmod(within, self.cycle)
        return block * self.cycle + slot, bool(second)

    def periods(self, pair: int) -> tuple[int, int]:
        """Return the earlier and the later period of a pair."""
        block, slot = divmod(pair, self.cycle)
        first = 2 * self.cycle * block + slot
        return first, first + self.cycle

    def over_on(self, pair: int) -> date:
        """Return the last day of a pair; pair `n - 1` completes n pairs."""
        later = self.periods(pair)[1]
        return self.start + timedelta(days=(later + 1) * self.period_days - 1)

    def pairs_until(self, day: date) -> int:
        """Return how many pairs are over when a day ends."""
        pairs = 0
        while self.over_on(pairs) <= day:
            pairs += 1
        return pairs


def compare_switchback(
    design: Switchback,
    days: Sequence[date],
    totals: Array,
    per: Array | None = None,
    *,
    metric: str,
    least_pairs: int = LEAST_PAIRS,
    level: float = LEVEL,
) -> Comparison:
    """Return what the arm did to a daily figure, from the pairs that are over.

    The metric of a period is its mean a day, or its total over its total of `per`;
    every pair counts alike. Days outside finished pairs are left out. A coin decided
    the order within each pair, so noise that lasts over days, trends and shocks that
    pairs share leave the interval right; effects that outlast the burn-in do not.

    Args:
        design: Which day is in which arm.
        days: Days, each once; a day without sales is given as 0.
        totals: Numerator of each day, shape (n_days,).
        per: Denominator of each day, such as visits, shape (n_days,); None for a
            figure a day.
        metric: Name of the metric.
        least_pairs: Pairs below which the answer is refused.
        level: Share of intervals that hold the truth.

    Raises:
        Misuse: If a day is missing, doubled or not a number, a period's denominator is
            not above zero, or fewer pairs are over than needed.

    References:
        Paired t over matched periods (Bojinov, Simchi-Levi and Zhao 2023 give the
        design; the pairing follows Imai, King and Nall 2009).
    """
    tops = _by_day(design, days, totals, metric)
    pairs = design.pairs_until(max(days)) if days else 0
    if pairs < max(least_pairs, 2):
        needed = max(least_pairs, 2)
        raise Misuse(
            f"{metric}: {pairs} pairs of periods are over; {needed} are needed.",
            f"Look again after {design.over_on(needed - 1)}, when pair {needed} ends.",
        )
    bottoms = None if per is None else _by_day(design, days, per, metric)
    values = np.array(
        [
            [_value(design, period, tops, bottoms, metric) for period in both]
            for both in map(design.periods, range(pairs))
        ]
    )
    first = np.array([design.treated(design.periods(k)[0]) for k in range(pairs)])
    return compare_pairs(
        np.where(first, values[:, 0], values[:, 1]),
        np.where(first, values[:, 1], values[:, 0]),
        metric=metric,
        control=design.control,
        arm=design.arm,
        method="switchback",
        n=2 * pairs,
        level=level,
    )


def _by_day(
    design: Switchback, days: Sequence[date], values: Array, metric: str
) -> dict[int, float]:
    """Return values by days since the start."""
    if len(days) != len(values):
        raise Misuse(
            f"{metric}: {len(days)} days and {len(values)} values; expected as many.",
            "Give one value a day.",
        )
    found: dict[int, float] = {}
    for day, value in zip(days, np.asarray(values, dtype=float).tolist(), strict=True):
        at = (day - design.start).days
        if at in found:
            raise Misuse(f"{metric}: {day} is given twice.", "Give each day once.")
        if not np.isfinite(value):
            raise Misuse(
                f"{metric}: the value of {day} is {value}; expected a number.",
                "Mend the day, or give 0 when nothing was sold.",
            )
        found[at] = value
    return found


def _value(
    design: Switchback,
    period: int,
    tops: dict[int, float],
    bottoms: dict[int, float] | None,
    metric: str,
) -> float:
    """Return the metric of a period's days after the burn-in."""
    begin = period * design.period_days
    counted = range(begin + design.burn_in_days, begin + design.period_days)
    missing = [at for at in counted if at not in tops]
    if missing:
        day = design.start + timedelta(days=missing[0])
        raise Misuse(
            f"{metric}: {len(missing)} days of period {period} are missing, the first "
            f"is {day}.",
            "Give every day of the test; a day without sales is 0.",
        )
    total = sum(tops[at] for at in counted)
    if bottoms is None:
        return total / len(counted)
    below = sum(bottoms[at] for at in counted)
    if below <= 0:
        first = design.start + timedelta(days=counted[0])
        raise Misuse(
            f"{metric}: the denominator of the period from {first} is {below:g}; "
            "expected above 0.",
            "Choose longer periods or a metric without a denominator.",
        )
    return total / below
