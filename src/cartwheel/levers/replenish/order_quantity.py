"""Inventory formulas: how much to order, and what not ordering would cost.

All work on quantiles of demand totals instead of an assumed distribution. Sales that
meet an empty shelf are lost, not postponed.

References:
    Critical ratio: Arrow, Harris and Marschak (1951). Periodic review with an
    order-up-to level over lead time plus review period, and the lead-time term in
    the spread: Silver, Pyke and Thomas, "Inventory and Production Management in
    Supply Chains" (2017), chapters 6 and 7.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from statistics import NormalDist

import numpy as np

SERVICE_LIMITS = (0.5, 0.98)
_SHARES = np.linspace(0.0, 1.0, 1001)
"""Levels over which expected shortages are integrated."""


def service_level(
    margin_minor: float,
    cost_minor: float,
    *,
    keeping_share: float,
    review_days: float,
    period_days: float,
    mean: float,
    quantiles: np.ndarray,
    levels: Sequence[float],
) -> float:
    """Return the share of periods in which demand should be met in full.

    The largest level at which one unit more still pays: it is short with probability
    1 - level and then loses its margin; else it is left over and kept until it sells,
    which for the n-th unit of a slow mover is n / pace days away. Kept within 50 % and
    98 %, the range in which the forecast publishes quantiles.

    Args:
        margin_minor: Margin of one unit.
        cost_minor: Unit cost.
        keeping_share: Yearly cost of keeping a unit, of its cost: capital, room, and
            the value it loses with age.
        review_days: Review period; nothing is left over for less.
        period_days: Days that `mean` and `quantiles` cover.
        mean: Expected demand of the period in units.
        quantiles: Quantiles of demand of the period, ascending.
        levels: Their levels.
    """
    lowest, highest = SERVICE_LIMITS
    underage = max(margin_minor, 0.0)
    if underage <= 0:
        return lowest
    tried = np.linspace(lowest, highest, 49)
    units = np.interp(tried, levels, quantiles)
    pace = max(mean, 1e-9) / max(period_days, 1e-9)
    days = np.maximum(units / pace - period_days, review_days)
    overage = max(cost_minor, 0.0) * keeping_share * days / 365
    pays = underage * (1 - tried) >= overage * tried
    return float(tried[pays][-1]) if pays.any() else lowest


def demand_quantiles(
    mean: np.ndarray,
    spread: np.ndarray,
    levels: Sequence[float],
    horizons_days: Sequence[float] | np.ndarray,
    *,
    days: float,
    sd_days: float = 0.0,
) -> tuple[float, np.ndarray]:
    """Return mean and quantiles of demand over a period of uncertain length.

    Between horizons the mean is interpolated in days and each quantile's distance
    from the mean in the square root of days; outside the horizons both are extended
    at the same rates. An uncertain length adds `(pace x z x sd_days)` in squares.

    Args:
        mean: Mean totals in units, shape (n_horizons,).
        spread: Quantiles of totals, shape (n_horizons, n_levels).
        levels: Their levels.
        horizons_days: Lengths of the totals, ascending.
        days: Length of the period.
        sd_days: Spread of its length.
    """
    if days <= 0:
        return 0.0, np.zeros(len(levels))
    knots = np.asarray(horizons_days, dtype=float)
    center = float(_extended(days, knots, mean))
    distance = _extended(math.sqrt(days), np.sqrt(knots), spread - mean[:, None])
    pace = center / days
    z = _normal_quantiles(tuple(levels))
    extra = pace * z * sd_days
    combined = np.sign(distance + extra) * np.hypot(distance, extra)
    # Against each other (a skewed total below its mean), the distance stands.
    combined = np.where(np.sign(distance) * np.sign(extra) < 0, distance, combined)
    found = np.maximum(center + combined, 0.0)
    return center, np.asarray(np.maximum.accumulate(found))


def _extended(at: float, knots: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Interpolate through the origin and the knots; beyond the last, in proportion.

    Args:
        at: Where, above 0.
        knots: Ascending and above 0, shape (k,).
        values: One curve, shape (k,), or one a column, shape (k, m).
    """
    after = int(np.searchsorted(knots, at))
    if after == len(knots):
        return np.asarray(values[-1] * at / knots[-1])
    if knots[after] == at:
        return np.asarray(values[after])
    if after == 0:
        return np.asarray(values[0] / knots[0] * at)
    before = after - 1
    slope = (values[after] - values[before]) / (knots[after] - knots[before])
    return np.asarray(slope * (at - knots[before]) + values[before])


@lru_cache(maxsize=8)
def _normal_quantiles(levels: tuple[float, ...]) -> np.ndarray:
    found = np.array([NormalDist().inv_cdf(level) for level in levels])
    found.flags.writeable = False  # every caller is handed the same array
    return found


def at_level(level: float, quantiles: np.ndarray, levels: Sequence[float]) -> float:
    """Return the quantile at `level` by interpolation, within the known levels."""
    return float(np.interp(level, levels, quantiles))


def expected_shortage(
    available: float, quantiles: np.ndarray, levels: Sequence[float]
) -> float:
    """Return the expected units of demand beyond what is available.

    The integral of (quantile - available)+ over the level, by trapezoids; below the
    lowest level demand runs down to 0 and above the highest it stays at the last
    quantile, which understates rare peaks.

    Args:
        available: Units that can be sold.
        quantiles: Quantiles of demand, ascending.
        levels: Their levels.
    """
    demand = np.interp(_SHARES, [0.0, *levels, 1.0], [0.0, *quantiles, quantiles[-1]])
    return float(np.trapezoid(np.maximum(demand - available, 0.0), _SHARES))


def units_needed(
    order_up_to: float, on_hand: float, inbound: float, lost_before: float = 0.0
) -> float:
    """Return the units missing to the order-up-to level, never negative.

    Args:
        order_up_to: Wanted stock on hand and inbound.
        on_hand: Stock on hand.
        inbound: Ordered and not yet received.
        lost_before: Expected demand that meets an empty shelf before the order can
            arrive; it is lost, so it need not be replaced.
    """
    return max(0.0, order_up_to - lost_before - on_hand - inbound)


def whole_packs(units: float, *, pack: int, minimum: int) -> int:
    """Return the units to order: at least the minimum, rounded up to whole packs.

    Args:
        units: Units needed; 0 or less orders nothing.
        pack: Units in a pack, at least 1.
        minimum: Smallest order in units.
    """
    # A need under half a unit is noise of the interpolation.
    if units < 0.5:
        return 0
    pack = max(pack, 1)
    return math.ceil(max(math.ceil(units - 1e-9), minimum) / pack) * pack


def within_budget(
    worth: Sequence[float], cost: Sequence[float], budget: float
) -> list[bool]:
    """Return which proposals fit a budget, greedily by worth per cost.

    Args:
        worth: Expected gain of each.
        cost: Cost of each.
        budget: Most to spend.
    """
    order = sorted(
        range(len(worth)), key=lambda i: (-worth[i] / max(cost[i], 1e-9), cost[i], i)
    )
    chosen = [False] * len(worth)
    left = budget
    for i in order:
        if cost[i] <= left:
            chosen[i] = True
            left -= cost[i]
    return chosen
