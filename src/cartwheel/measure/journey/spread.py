"""What is usual at a place, and how far its share moves from month to month by itself.

Products are not alike and no month is like the one before, without any fault. How far
they are apart is estimated by moments from the days before. Movement is taken at the
upper end of its interval (one-sided 90 %), so that few places make a shop careful
rather than sure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from cartwheel.measure.journey.tally import RECENT_WEEKS, WEEKS, Tally

Array = np.ndarray[Any, Any]

LEAST_VISITS = 100
"""Visits below which nothing is said of a place."""

LEAST_PLACES = 8
"""Places besides one's own from which a spread among places is known at all."""

LEAST_SPREAD = 0.1
"""Movement over the mean that is allowed for in any case."""

CHANGED_SPREAD = 0.5
"""Spread over the mean of shares of places that did change, or differ. A share is drawn
to the usual no harder than this, or a page that broke would look half mended."""

MONTHS = tuple(range(RECENT_WEEKS, WEEKS, RECENT_WEEKS))
"""First week of each month before the recent one."""

UNSURE = 0.1
"""How often the true spread may be above the one taken, by chance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Usual:
    """A share that visits usually go on with, and how far it moves by itself.

    Attributes:
        share: The mean, above 0 and below 1.
        known: Variance with which the mean itself is known.
        moved: Variance of a share of the days judged around it, where nothing is wrong.
        spread: Variance of the true shares of places; one that is known from few visits
            is drawn to the mean by it.
    """

    share: float
    known: float
    moved: float
    spread: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Others:
    """Sums over places of one step and kind that were visited enough before.

    Attributes:
        count: Places.
        shares: Sum of their shares.
        squares: Sum of the squares of these.
        chance: Sum of the variances that chance alone gives them.
    """

    count: int
    shares: float
    squares: float
    chance: float

    def without(self, own: Tally) -> Others:
        """Return the sums without one place, whether or not it is among them."""
        if own.before[0] < LEAST_VISITS:
            return self
        share, chance = _share_of(own)
        return Others(
            count=self.count - 1,
            shares=self.shares - share,
            squares=self.squares - share**2,
            chance=self.chance - chance,
        )


def sums_of(alike: Sequence[Tally]) -> Others:
    """Return the sums over places of one step and kind."""
    known = [_share_of(one) for one in alike if one.before[0] >= LEAST_VISITS]
    return Others(
        count=len(known),
        shares=sum(share for share, _ in known),
        squares=sum(share**2 for share, _ in known),
        chance=sum(chance for _, chance in known),
    )


def usual_of_others(others: Others, moves: float) -> Usual | None:
    """Return what is usual among the other places of a kind; None for too few.

    Every place counts alike, so that bestsellers do not say what is usual. All 126 days
    are judged, over which what moves from month to month evens out.

    Args:
        others: Sums over them, without the place that is looked at.
        moves: Squared spread over the mean from month to month.
    """
    if others.count < LEAST_PLACES:
        return None
    mean = others.shares / others.count
    if not 1e-6 < mean < 1 - 1e-6:
        return None
    squares = max(others.squares - others.count * mean**2, 0.0)
    variance = squares / (others.count - 1)
    known = variance / others.count
    return Usual(
        share=mean,
        known=known,
        moved=known + max(moves * RECENT_WEEKS / WEEKS, LEAST_SPREAD**2) * mean**2,
        spread=max(
            variance - others.chance / others.count, (CHANGED_SPREAD * mean) ** 2
        ),
    )


def usual_of_itself(own: Tally, moves: float, others: Usual | None) -> Usual | None:
    """Return what is usual at a place, from its own earlier days; None for too few.

    Args:
        own: The place.
        moves: Squared spread over the mean from month to month.
        others: What is usual among the others, to which few visits are drawn; or None.
    """
    visits, on = own.before
    if visits < LEAST_VISITS:
        return None
    good, bad = 0.5, 0.5
    if others is not None:
        weight = precision(others.share, others.spread)
        good, bad = weight * others.share, weight * (1 - others.share)
    good, bad = good + on, bad + visits - on
    mean = good / (good + bad)
    known = mean * (1 - mean) / (good + bad + 1)
    return Usual(
        share=mean,
        known=known,
        moved=known + moves * mean**2,
        spread=(CHANGED_SPREAD * mean) ** 2,
    )


def moves_of(alike: Sequence[Tally]) -> float:
    """Return the squared spread over the mean of a place's share from month to month.

    Chi-squared by place against its own mean, less what chance alone would give. Months
    are four weeks, as long as the days that are judged, and the two weeks left over.

    Args:
        alike: Places of one step and kind.
    """
    squares = chance = scale = 0.0
    freedom = 0
    for one in alike:
        visits = np.add.reduceat(one.visits, MONTHS).astype(float)
        on = np.add.reduceat(one.on, MONTHS).astype(float)
        seen = visits > 0
        total = float(visits.sum())
        if total < LEAST_VISITS or seen.sum() < 2:
            continue
        mean = float(on.sum()) / total
        share = on[seen] / visits[seen]
        squares += float((visits[seen] * (share - mean) ** 2).sum())
        chance += (int(seen.sum()) - 1) * mean * (1 - mean)
        scale += mean**2 * (total - float((visits**2).sum()) / total)
        freedom += int(seen.sum()) - 1
    if not freedom or scale <= 0:
        return LEAST_SPREAD**2
    return max((squares * _widened(freedom) - chance) / scale, LEAST_SPREAD**2)


def _share_of(one: Tally) -> tuple[float, float]:
    """Return a place's share before and the variance that chance alone gives it."""
    visits, on = one.before
    share = on / visits
    return share, share * (1 - share) / (visits - 1)


def precision(share: float, variance: float) -> float:
    """Return the sum of both parameters of a beta law with this mean and variance."""
    return max(share * (1 - share) / variance - 1, 0.1)


@cache
def _widened(freedom: int) -> float:
    """Return by how much an estimated variance is multiplied to be at its upper end."""
    from scipy.stats import chi2

    return freedom / float(chi2.ppf(UNSURE, freedom))
