"""Has a share, a ratio or a pace changed? Recent days against the days before.

Days are the units, not orders or events: what happens on one day hangs together, so a
test that counts every event as its own would alarm at every good weekend.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from cartwheel.measure.health.data import BEFORE_DAYS, RECENT_DAYS

Array = np.ndarray[Any, Any]

LEAST_RECENT, LEAST_BEFORE = 5, 15
"""Trials a share needs on either side; below them it says what it lacks."""

LEAST_DAYS = 5
"""Days with a trial that a share needs before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A share or ratio in the recent days and before.

    Attributes:
        before: Before the recent days.
        recent: In the recent days.
        fall: before - recent; negative when it rose.
        low: Lower end of the fall's 95 % interval.
        high: Upper end.
        p_value: One-sided, of a fall this large if nothing had changed.
        trials_before: What was counted before.
        trials_recent: What was counted in the recent days.
    """

    before: float
    recent: float
    fall: float
    low: float
    high: float
    p_value: float
    trials_before: int
    trials_recent: int


def share_fall(ago: Array, hits: Array, trials: Array) -> Change | None:
    """Return how a share fell, None when there is too little to say.

    The larger p value of two tests counts: Fisher's exact test, right however few
    trials there are, and a t test whose variance is the pooled share's, times how much
    wider the days before spread than chance (linearised residuals by day; Cochran
    1977, 6.3), right when the trials of a day hang together.

    Args:
        ago: Days before the end, 0 the last, integers, shape (n,).
        hits: Trials that were as they should be, by day, shape (n,).
        trials: Trials by day, shape (n,).
    """
    parts = _parts(ago, hits, trials)
    if parts is None:
        return None
    (h0, n0), (h1, n1) = parts
    if n1.sum() < LEAST_RECENT or n0.sum() < LEAST_BEFORE:
        return None
    if (n0 > 0).sum() < LEAST_DAYS:
        return None
    from scipy.stats import hypergeom

    pooled = (h0.sum() + h1.sum() + 0.5) / (n0.sum() + n1.sum() + 1.0)
    floor = tuple(pooled * (1 - pooled) / max(n.sum(), 1.0) for n in (n0, n1))
    change = _ratio(h0, n0, h1, n1, floor)
    total = int(n0.sum() + n1.sum())
    hit = int(h0.sum() + h1.sum())
    exact = float(hypergeom.cdf(int(h1.sum()), total, hit, int(n1.sum())))
    return Change(
        before=change.before,
        recent=change.recent,
        fall=change.fall,
        low=change.low,
        high=change.high,
        p_value=min(max(change.p_value, exact), 1.0),
        trials_before=change.trials_before,
        trials_recent=change.trials_recent,
    )


def ratio_fall(ago: Array, tops: Array, bottoms: Array) -> Change | None:
    """Return how a ratio of counts fell, None when there is too little to say.

    Args:
        ago: Days before the end, 0 the last, integers, shape (n,).
        tops: Counts on top, such as checkouts, by day, shape (n,).
        bottoms: Counts below, such as orders, by day, shape (n,).
    """
    parts = _parts(ago, tops, bottoms)
    if parts is None:
        return None
    (t0, b0), (t1, b1) = parts
    if b1.sum() < LEAST_RECENT or b0.sum() < LEAST_BEFORE or t0.sum() < LEAST_BEFORE:
        return None
    if (b0 > 0).sum() < LEAST_DAYS:
        return None
    # A count's variance is its mean at least.
    rate = (t0.sum() + t1.sum() + 0.5) / (b0.sum() + b1.sum())
    floor = (rate / b0.sum(), rate / b1.sum())
    return _ratio(t0, b0, t1, b1, floor)


def pace_stopped(daily: Array, silent_days: int) -> float:
    """Return how likely a silence this long is at the pace before it.

    Counts are taken for Poisson with the overdispersion their days show, so a table
    that is imported once a week does not alarm between imports.

    Args:
        daily: Counts by day before the silence, shape (n,).
        silent_days: Days without any since.
    """
    mean = float(daily.mean()) if daily.size else 0.0
    if mean <= 0:
        return 1.0
    spread = max(float(daily.var()) / mean, 1.0)
    return float(np.exp(-mean * silent_days / spread))


def weeks_fell(before: Sequence[float], recent: Sequence[float]) -> float:
    """Return the exact one-sided permutation p value that weekly counts fell.

    Args:
        before: Counts by week before.
        recent: Counts by week since.
    """
    pooled = np.array([*before, *recent], float)
    count = len(recent)
    if count == 0 or len(before) == 0:
        return 1.0
    seen = float(np.sum(recent))
    sums = [pooled[list(c)].sum() for c in combinations(range(len(pooled)), count)]
    return float(np.mean(np.array(sums) <= seen + 1e-9))


def _parts(
    ago: Array, tops: Array, bottoms: Array
) -> tuple[tuple[Array, Array], tuple[Array, Array]] | None:
    """Return (tops, bottoms) by day before the recent days and in them."""
    if len(ago) == 0:
        return None
    filled = np.zeros((2, RECENT_DAYS + BEFORE_DAYS))
    inside = (ago >= 0) & (ago < RECENT_DAYS + BEFORE_DAYS)
    np.add.at(filled[0], ago[inside].astype(int), tops[inside].astype(float))
    np.add.at(filled[1], ago[inside].astype(int), bottoms[inside].astype(float))
    known = np.flatnonzero(filled[1] + filled[0])
    if len(known) == 0:
        return None
    # A shop younger than the window has fewer days before.
    oldest = max(int(known.max()) + 1, RECENT_DAYS + 1)
    recent, before = filled[:, :RECENT_DAYS], filled[:, RECENT_DAYS:oldest]
    return (before[0], before[1]), (recent[0], recent[1])


def _ratio(
    t0: Array, b0: Array, t1: Array, b1: Array, floor: tuple[float, ...]
) -> Change:
    from scipy.stats import t as student

    values, errors = [], []
    for top, bottom, least in ((t0, b0, floor[0]), (t1, b1, floor[1])):
        ratio = top.sum() / bottom.sum() if bottom.sum() else 0.0
        days = len(bottom)
        residual = top - ratio * bottom
        mean = bottom.mean()
        spread = residual.var(ddof=1) / days / mean**2 if days > 1 and mean else 0.0
        values.append(float(ratio))
        errors.append(max(float(spread), float(least)))
    fall = values[0] - values[1]
    degrees = max(min(len(b0), len(b1)) - 1, 1)
    # If nothing has changed, the recent days spread as those before did. A fault that
    # begins in the midst of the recent days spreads them further, and a test that took
    # their spread for chance would be blind to it.
    apart = max(errors[0] / floor[0], 1.0) if floor[0] > 0 else 1.0
    null = float(np.sqrt(apart * (floor[0] + floor[1])))
    p_value = float(student.sf(fall / null, max(len(b0) - 1, 1))) if null > 0 else 1.0
    reach = float(student.ppf(0.975, degrees)) * float(np.sqrt(sum(errors)))
    return Change(
        before=values[0],
        recent=values[1],
        fall=fall,
        low=fall - reach,
        high=fall + reach,
        p_value=p_value,
        trials_before=int(b0.sum()),
        trials_recent=int(b1.sum()),
    )
