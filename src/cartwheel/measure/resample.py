"""Paired bootstrap: two methods on the same cases, the cases drawn again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

DRAWS = 1_000
RANK_DRAWS = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A figure with its 95 % bootstrap interval."""

    value: float
    low: float
    high: float

    def to_json(self) -> dict[str, float]:
        """Return plain numbers, rounded to 5 places."""
        return {
            "value": round(self.value, 5),
            "low": round(self.low, 5),
            "high": round(self.high, 5),
        }


def ratio(top: np.ndarray, bottom: np.ndarray, *, seed: int) -> Estimate:
    """Return sum(top) / sum(bottom) with its interval over cases.

    Args:
        top: One value a case, shape (n,); n at least 1.
        bottom: One value a case, not all 0.
        seed: Seed of the draws; the same seed draws the same cases, so ratios of
            several methods on the same cases are paired.
    """
    n = len(top)
    rng = np.random.default_rng(seed)
    draws = rng.multinomial(n, np.full(n, 1 / n), size=DRAWS).astype(float)
    below = draws @ bottom
    values = np.divide(draws @ top, below, where=below > 0, out=np.zeros(DRAWS))
    low, high = np.quantile(values, [0.025, 0.975])
    return Estimate(
        value=float(top.sum() / bottom.sum()), low=float(low), high=float(high)
    )


def mean(values: np.ndarray, *, seed: int) -> Estimate:
    """Return the mean with its interval over cases."""
    return ratio(values, np.ones(len(values)), seed=seed)


def auc(score: np.ndarray, event: np.ndarray) -> float:
    """Return the chance that an event scores above a non-event, ties counting half.

    Args:
        score: Higher means the event is more likely, shape (n,).
        event: Whether it happened, bool, shape (n,).

    Raises:
        ValueError: If there is no event or nothing but events.

    References:
        Mann and Whitney (1947), the U statistic over its largest value.
    """
    from scipy.stats import rankdata

    events = int(event.sum())
    others = len(event) - events
    if events == 0 or others == 0:
        raise ValueError(f"{events} events and {others} others; both must be there")
    ranks = rankdata(score)
    return float((ranks[event].sum() - events * (events + 1) / 2) / (events * others))


def ranking(measure: Callable[[np.ndarray], float], n: int, *, seed: int) -> Estimate:
    """Return a measure of drawn cases with its interval.

    Args:
        measure: Takes positions of cases, shape (n,), and returns the figure; draws
            for which it raises `ValueError` are left out.
        n: Number of cases.
        seed: Seed of the draws.
    """
    rng = np.random.default_rng(seed)
    values = []
    for _ in range(RANK_DRAWS):
        drawn = rng.integers(0, n, size=n)
        try:
            values.append(measure(drawn))
        except ValueError:
            continue
    low, high = np.quantile(values, [0.025, 0.975]) if values else (np.nan, np.nan)
    return Estimate(value=measure(np.arange(n)), low=float(low), high=float(high))
