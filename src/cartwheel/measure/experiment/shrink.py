"""Past experiments as a prior: what a new effect most likely is.

An experiment that stands out was often lucky: its raw effect is too large on average
(the winner's curse). Past experiments of the same kind say how large such effects are;
the new one is drawn towards them by the less it says itself.

The spread between past experiments is known badly when they are few. So it is not
estimated but averaged over: each spread counts by how well it explains the past, times
a weak prior. With no past at all that prior is what is left; with many it does not
matter. The average over spreads has heavier tails than a normal, so an effect far off
the past is drawn in less.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cartwheel.measure.experiment.comparison import LEVEL

Array = np.ndarray[Any, Any]

USUAL = 0.1
"""Size of an effect, as a share of the control, that a shop may expect of a change."""

FEW = 5
"""Past experiments below which the weak prior has a noticeable say."""

SPREADS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Prior:
    """What past experiments say about the next effect of their kind.

    Attributes:
        mean: What it most likely is, before it is seen.
        spread: Its standard deviation between experiments, averaged.
        past: Experiments it rests on.
        variances: Possible variances of the next effect, shape (n_spreads,).
        chances: How likely each is, summing to 1, shape (n_spreads,).
    """

    mean: float
    spread: float
    past: int
    variances: Array
    chances: Array

    @property
    def weak(self) -> bool:
        """So few past experiments that the default has a say."""
        return self.past < FEW


@dataclass(frozen=True, slots=True, kw_only=True)
class Shrunk:
    """An effect in the light of past ones.

    Attributes:
        effect: Posterior mean.
        low: Lower end of the posterior interval.
        high: Upper end of the posterior interval.
        weight: Weight of the prior, 0 to 1: effect is weight x prior mean plus
            (1 - weight) x the raw effect.
        above: Chance that the effect is above zero.
        raw: The effect by itself.
        error: Its standard error.
        prior: What the past said.
        level: Chance that the interval holds the truth.
    """

    effect: float
    low: float
    high: float
    weight: float
    above: float
    raw: float
    error: float
    prior: Prior
    level: float = LEVEL

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "effect": self.effect,
            "low": self.low,
            "high": self.high,
            "weight": self.weight,
            "above": self.above,
            "raw": self.raw,
            "error": self.error,
            "prior_mean": self.prior.mean,
            "prior_spread": self.prior.spread,
            "past": self.prior.past,
            "level": self.level,
        }


def prior_of(past: Sequence[tuple[float, float]], *, usual: float = USUAL) -> Prior:
    """Return what past experiments of one kind say about the next.

    Args:
        past: Effect and standard error of each, in one unit; a share of the control
            suits, since it means the same in every shop and season. One pair an
            experiment: arms that share a control are not independent.
        usual: Size of an effect that would not surprise, in the same unit. Spreads
            follow a half-Cauchy of this scale, whose tail lets a past of larger effects
            speak; the common mean is normal about 0, as wide as this and the spread.

    Raises:
        ValueError: If an effect is not a number, or an error or `usual` not above 0.

    References:
        Normal-normal model with the spread averaged over its posterior: Gelman et al.,
        Bayesian Data Analysis (2013), section 5.4; half-Cauchy: Gelman (2006).
    """
    if not usual > 0 or not np.isfinite(usual):
        raise ValueError(f"usual is {usual}; expected above 0")
    pairs = np.asarray(past, dtype=float).reshape(-1, 2)
    if not np.isfinite(pairs).all() or not (pairs[:, 1] > 0).all():
        raise ValueError("effects must be numbers and their errors above 0")
    effects, errors = pairs.T
    largest = max([usual, *np.abs(effects).tolist()])
    spreads = np.geomspace(min([usual, *errors.tolist()]) / 50, 10 * largest, SPREADS)
    total = errors**2 + spreads[:, None] ** 2
    wide = usual**2 + spreads**2
    precision = (1 / total).sum(axis=1) + 1 / wide
    centre = (effects / total).sum(axis=1) / precision
    fit = (
        -0.5 * np.log(total).sum(axis=1)
        - 0.5 * np.log(precision * wide)
        - 0.5 * (effects**2 / total).sum(axis=1)
        + 0.5 * centre**2 * precision
        - np.log1p((spreads / usual) ** 2)
        + np.log(spreads)  # the grid is even in the logarithm
    )
    chances = np.exp(fit - fit.max())
    chances /= chances.sum()
    mean = float(chances @ centre)
    # What is unknown about the mean is part of what is unknown about the next effect.
    variances = spreads**2 + 1 / precision + (centre - mean) ** 2
    return Prior(
        mean=mean,
        spread=float(np.sqrt(chances @ spreads**2)),
        past=len(pairs),
        variances=variances,
        chances=chances,
    )


def shrink(
    effect: float, error: float, prior: Prior, *, level: float = LEVEL
) -> Shrunk:
    """Return an effect drawn towards what the past says.

    Args:
        effect: The new effect, in the unit of the prior.
        error: Its standard error, above 0.
        prior: From `prior_of`; the new experiment must not be among the past ones.
        level: Chance that the interval holds the truth.

    Raises:
        ValueError: If the effect is not a number or the error not above 0.
    """
    if not np.isfinite(effect) or not 0 < error < np.inf:
        raise ValueError(f"effect {effect}, error {error}; expected an error above 0")
    seen = prior.variances + error**2
    fit = -0.5 * np.log(seen) - 0.5 * (effect - prior.mean) ** 2 / seen
    chances = prior.chances * np.exp(fit - fit.max())
    chances /= chances.sum()
    pulls = error**2 / seen
    means = effect + pulls * (prior.mean - effect)
    deviations = error * np.sqrt(prior.variances / seen)
    weight = float(chances @ pulls)
    tail = (1 - level) / 2
    return Shrunk(
        effect=effect + weight * (prior.mean - effect),
        low=_quantile(tail, means, deviations, chances),
        high=_quantile(1 - tail, means, deviations, chances),
        weight=weight,
        above=_below(0.0, -means, deviations, chances),
        raw=effect,
        error=error,
        prior=prior,
        level=level,
    )


def _below(at: float, means: Array, deviations: Array, chances: Array) -> float:
    """Return the chance of a mixture of normals to be below a value."""
    # By the standard library: a page shows this, and pages load no scipy.
    scaled = ((means - at) / (deviations * math.sqrt(2))).tolist()
    tails = [0.5 * math.erfc(one) for one in scaled]
    return min(1.0, float(chances @ np.array(tails)))


def _quantile(share: float, means: Array, deviations: Array, chances: Array) -> float:
    """Return a quantile of a mixture of normals by bisection."""
    low = float((means - 12 * deviations).min())
    high = float((means + 12 * deviations).max())
    for _ in range(60):
        middle = (low + high) / 2
        if _below(middle, means, deviations, chances) < share:
            low = middle
        else:
            high = middle
    return (low + high) / 2
