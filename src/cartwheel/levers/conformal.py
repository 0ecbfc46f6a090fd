"""Intervals on horizon totals: pooled residuals, widened or narrowed by what happened.

Residuals of totals at earlier origins are divided by a power of the prediction and
pooled over series; their quantiles, multiplied back, give the quantiles of the next
total. Assumes that the next weeks are as hard to predict as the backtested ones; it
misleads when they are not, which is why realised coverage corrects the level.

References:
    Split conformal prediction: Vovk, Gammerman and Shafer (2005). Adaptive level:
    Gibbs and Candès (2021), "Adaptive conformal inference under distribution shift".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

LEVELS = (0.1, 0.5, 0.8, 0.9, 0.95, 0.98)
POWERS = (0.5, 0.75, 1.0)
GRID = np.concatenate([[0.001, 0.005], np.arange(1, 100) / 100, [0.995, 0.999]])
NOMINAL_TAIL = 0.1
STEP = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Tails:
    """Tail probabilities in use for a nominal 80 % interval.

    Attributes:
        lower: Probability mass left below the interval.
        upper: Probability mass left above it.
    """

    lower: float = NOMINAL_TAIL
    upper: float = NOMINAL_TAIL

    def level(self, nominal: float) -> float:
        """Return the level to read for a nominal one; the median stays the median."""
        known = (0.0, NOMINAL_TAIL, 0.5)
        if nominal < 0.5:
            return float(np.interp(nominal, known, (0.0, self.lower, 0.5)))
        return 1 - float(np.interp(1 - nominal, known, (0.0, self.upper, 0.5)))


def adapt(batches: Sequence[tuple[float, float, int]]) -> Tails:
    """Return the tails after earlier intervals met their outcomes.

    Args:
        batches: Oldest first: share of outcomes below the interval, share above it,
            and how many there were. Each moves its tail by half of the gap to 10 %,
            less when there were few outcomes.
    """
    lower = upper = NOMINAL_TAIL
    for below, above, count in batches:
        trust = STEP * count / (count + 30)
        lower = float(np.clip(lower + trust * (NOMINAL_TAIL - below), 0.005, 0.3))
        upper = float(np.clip(upper + trust * (NOMINAL_TAIL - above), 0.005, 0.3))
    return Tails(lower=lower, upper=upper)


def scale(predicted: np.ndarray, power: float) -> np.ndarray:
    """Spread expected of a total around its prediction, up to a constant."""
    return np.asarray((predicted + 1.0) ** power)


def residual_quantiles(
    actual: np.ndarray, predicted: np.ndarray, power: float
) -> np.ndarray:
    """Quantiles of scaled residuals on `GRID`, shape (len(GRID),)."""
    residuals = (actual - predicted) / scale(predicted, power)
    return np.asarray(np.quantile(residuals, GRID))


def quantiles(
    predicted: np.ndarray,
    pooled: np.ndarray,
    power: float,
    levels: Sequence[float] = LEVELS,
    tails: Tails | None = None,
) -> np.ndarray:
    """Quantiles of totals, never negative, shape (n, len(levels)).

    Args:
        predicted: Predicted totals in units, shape (n,).
        pooled: From `residual_quantiles`.
        power: The power they were scaled with.
        levels: Nominal levels.
        tails: Tail probabilities in use; nominal when None.
    """
    use = tails or Tails()
    at = np.interp([use.level(level) for level in levels], GRID, pooled)
    totals = predicted[:, None] + scale(predicted, power)[:, None] * at[None, :]
    return np.asarray(np.maximum(totals, 0.0))


def pinball(actual: np.ndarray, found: np.ndarray, levels: Sequence[float]) -> float:
    """Sum over cases of the mean of twice the pinball loss over levels, in units.

    Args:
        actual: Totals, shape (n,).
        found: Quantiles, shape (n, len(levels)).
        levels: Their levels.
    """
    gap = actual[:, None] - found
    level = np.asarray(levels)[None, :]
    loss = 2 * np.maximum(level * gap, (level - 1) * gap)
    return float(loss.mean(axis=1).sum())


def crossed(
    actual: np.ndarray, predicted: np.ndarray, fold: np.ndarray, power: float
) -> np.ndarray:
    """Quantiles at .1, .5, .9 of every case, learned from the other folds only.

    Args:
        actual: Totals, shape (n,).
        predicted: Predictions, shape (n,).
        fold: Fold of each case, shape (n,); one fold is split by parity.
        power: Power of the scale.
    """
    if len(np.unique(fold)) < 2:
        fold = np.arange(len(actual)) % 2
    found = np.tile(predicted[:, None], (1, 3))
    for one in np.unique(fold):
        inside = fold == one
        if inside.all():
            continue
        pooled = residual_quantiles(actual[~inside], predicted[~inside], power)
        found[inside] = quantiles(predicted[inside], pooled, power, (0.1, 0.5, 0.9))
    return found
