"""Intervals of shares and ratios of sums, from moments alone.

Rows that belong to one owner move together, so the owner and not the row is the case:
a customer with three orders is one case. Everything is plain Python on exact integers,
so a figure is the same on every machine and needs no heavy library.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

Z = 1.959963984540054
LEAST = 10
"""Owners a figure needs before an interval of it means anything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moments:
    """Sums over the owners of a figure's rows.

    Attributes:
        rows: Rows.
        owners: Owners.
        top: Sum of the owners' tops.
        bottom: Sum of their bottoms.
        top_top: Sum of squares of the tops.
        top_bottom: Sum of products.
        bottom_bottom: Sum of squares of the bottoms.
        movers: Owners whose top is not zero.
        fixed_top: Sum of the tops of rows without an owner.
        fixed_bottom: Sum of their bottoms.
    """

    rows: int
    owners: int
    top: int
    bottom: int
    top_top: int
    top_bottom: int
    bottom_bottom: int
    movers: int = 0
    fixed_top: int = 0
    fixed_bottom: int = 0

    @property
    def whole_top(self) -> int:
        """All above the line."""
        return self.top + self.fixed_top

    @property
    def whole_bottom(self) -> int:
        """All below the line."""
        return self.bottom + self.fixed_bottom


def wilson(successes: float, trials: float, z: float = Z) -> tuple[float, float]:
    """Return the Wilson score interval of a share; Wilson (1927).

    Args:
        successes: What is counted, of the trials.
        trials: Number of trials; may be an effective size.
        z: Quantile of the interval.

    Raises:
        ValueError: If there are no trials.
    """
    if trials <= 0:
        raise ValueError("a share of nothing has no interval")
    share = successes / trials
    centre = (share + z * z / (2 * trials)) / (1 + z * z / trials)
    spread = (
        z
        * math.sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials))
        / (1 + z * z / trials)
    )
    # An end of the scale that was met is in the interval; rounding must not lose it.
    low = 0.0 if share == 0 else max(0.0, centre - spread)
    high = 1.0 if share == 1 else min(1.0, centre + spread)
    return low, high


def student(degrees: int) -> float:
    """Return the 0.975 quantile of Student's t, good to 1e-4 from 5 degrees on.

    References:
        Abramowitz and Stegun (1964), 26.7.5: an expansion about the normal quantile.
    """
    z, n = Z, degrees
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return z + sum(
        (term / float(n) ** power for power, term in enumerate(terms, start=1)), 0.0
    )


def ratio_error(moments: Moments) -> float:
    """Return the standard error of top over bottom across owners.

    References:
        Delta method (Taylor linearisation) of a ratio of means over independent
        clusters; Cochran (1977), section 6.4. The residuals sum to zero, so their
        squares are taken as they are.
    """
    n, top, bottom = moments.owners, moments.top, moments.bottom
    squares = (  # of top - ratio * bottom, times bottom squared; exact in integers
        moments.top_top * bottom**2
        - 2 * top * bottom * moments.top_bottom
        + top**2 * moments.bottom_bottom
    )
    return math.sqrt(max(squares, 0) * n / (n - 1)) / bottom**2


def ratio_interval(moments: Moments) -> tuple[float, float]:
    """Return the 95 % interval of top over bottom: Student's t, owners as cases."""
    reach = student(moments.owners - 1) * ratio_error(moments)
    value = moments.top / moments.bottom
    return value - reach, value + reach


def amount_interval(moments: Moments) -> tuple[float, float]:
    """Return the 95 % interval of an amount each, which a few owners make up.

    What people spend is skewed: on the scale of logarithms the interval reaches
    further up than down, as the truth does. Freedom is counted from owners that spend:
    a thousand visitors of whom twelve bought tell as much of it as twelve.

    References:
        Delta method for the logarithm of a ratio; the ends are taken back by exp.
    """
    value = moments.top / moments.bottom
    if value <= 0:
        return ratio_interval(moments)
    reach = student(max(moments.movers, 2) - 1) * ratio_error(moments) / value
    return value * math.exp(-reach), value * math.exp(reach)


def share_interval(moments: Moments) -> tuple[float, float]:
    """Return the 95 % interval of a share, its owners drawn as clusters.

    Where every owner is one trial this is Wilson's interval. Otherwise the number of
    trials is the one that would leave the share as uncertain as the clusters do.

    References:
        Korn and Graubard (1998): the effective sample size in an interval of a share.
    """
    top, bottom = moments.top, moments.bottom
    if not 0 <= top <= bottom:
        return ratio_interval(moments)
    share = top / bottom
    error = ratio_error(moments) if moments.owners > 1 else 0.0
    alone = moments.bottom_bottom == bottom == moments.owners
    if alone or top in (0, bottom) or error == 0.0:
        # Owners, not trials, are independent: a share of 0 or 1 shows no clustering,
        # so no more is taken from it than that many owners can tell.
        trials = float(min(bottom, moments.owners))
        return wilson(share * trials, trials)
    trials = min(share * (1 - share) / error**2, float(bottom))
    return wilson(share * trials, trials, student(moments.owners - 1))


def fixed_interval(moments: Moments) -> tuple[float, float]:
    """Return the 95 % interval of a constant over a sum across owners.

    The upper end is infinite where the sum may be zero.
    """
    n, bottom = moments.owners, moments.bottom
    squares = moments.bottom_bottom * n - bottom**2
    reach = student(n - 1) * math.sqrt(max(squares, 0) / (n - 1))
    top, least = moments.fixed_top, bottom - reach
    return top / (bottom + reach), top / least if least > 0 else math.inf
