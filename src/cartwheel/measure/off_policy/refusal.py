"""When a log cannot say what a policy earns; judged before any value is computed."""

from __future__ import annotations

from typing import Any

import numpy as np

from cartwheel.measure.off_policy.estimators import Terms
from cartwheel.measure.off_policy.log import Log

Array = np.ndarray[Any, Any]

LEAST_EFFECTIVE_ROWS = 200.0
LEAST_EFFECTIVE_CLUSTERS = 100.0
"""With money of a long tail, 95 % intervals held 90 to 92 % with 20 to 60."""

LEAST_EFFECTIVE_REWARDS = 100.0
"""Rewards' worth of evidence. With heavy weights 95 % intervals held 74 to 90 % with 5
to 50 of them, 91 % with 73 and 93.5 % with 129."""

LEAST_VARIED_CLUSTERS = 10
"""Customers whose reward must be unlike the usual, or there is no spread to see."""

SUPPORT_GAP = 0.05
"""How far from 1 the mean weight may be beyond what chance explains."""

SUPPORT_ERRORS = 3.3
"""Standard errors that chance is taken to explain; one log in a thousand has more."""


def refusal(log: Log) -> str:
    """Return why a log cannot say what its target policy earns, "" when it can."""
    weight = log.weight
    rows = effective(weight)
    if rows < LEAST_EFFECTIVE_ROWS:
        return (
            f"The {len(weight):,} rows are worth {rows:,.0f} for this policy "
            f"(effective sample size), {LEAST_EFFECTIVE_ROWS:,.0f} are needed: wait "
            "for more, draw more at random, or ask about a policy nearer to what ran."
        )
    clusters = effective(by_cluster(log, weight))
    if clusters < LEAST_EFFECTIVE_CLUSTERS:
        return (
            f"The {log.n_clusters:,} customers are worth {clusters:,.0f} for this "
            f"policy, {LEAST_EFFECTIVE_CLUSTERS:,.0f} are needed: a few of them "
            "decide the figure; wait until more have come."
        )
    return _lacks_support(log, weight) or _lacks_rewards(log, rows)


def _lacks_support(log: Log, weight: Array) -> str:
    """Return that the log never does some of what the target does, or ""."""
    ones = np.zeros(len(weight))
    mean = Terms(mean=weight, top=ones, bottom=ones)
    total = by_cluster(log, weight - mean.value)
    error = float(np.sqrt((total**2).sum())) / len(weight)
    gap = abs(mean.value - 1) - SUPPORT_ERRORS * error
    if gap <= SUPPORT_GAP:
        return ""
    if mean.value < 1:
        return (
            f"The log shows {100 * mean.value:.0f} % of what this policy would do, "
            "100 % is needed: the rest had no chance to be drawn, or the log does not "
            "say how likely it was. Ask about a policy that keeps to what is drawn, or "
            "test this one on some visitors."
        )
    return (
        f"Weights have mean {mean.value:.2f}, 1 is expected: the propensities in the "
        "log are not those with which actions were drawn, or the target's "
        "probabilities add up to more than 1. Check both."
    )


def _lacks_rewards(log: Log, rows: float) -> str:
    """Return that rewards are too rare, or too much in a few, for an interval, or "".

    How rare they are is taken from the whole log. Counting rewards where the target
    policy agrees with it would refuse by luck: without a reward in a heavy row the
    value is too low, and the count the higher.
    """
    values, times = np.unique(log.reward, return_counts=True)
    usual = values[times.argmax()]
    unlike = np.abs(log.reward - usual)
    share = effective(unlike) / len(unlike) if unlike.any() else 0.0
    if rows * share < LEAST_EFFECTIVE_REWARDS:
        return (
            f"Rewards other than {usual:g} are worth {rows * share:,.0f} for this "
            f"policy, {LEAST_EFFECTIVE_REWARDS:,.0f} are needed: they are rare, or a "
            "few large ones make most of the sum; wait for more, or count something "
            "more frequent."
        )
    varied = len(np.unique(log.cluster[(log.weight > 0) & (unlike > 0)]))
    if varied < LEAST_VARIED_CLUSTERS:
        return (
            f"{varied} of the {log.n_clusters:,} customers have a reward other than "
            f"{usual:g} where this policy agrees with the log, "
            f"{LEAST_VARIED_CLUSTERS} are needed for an interval: wait for more."
        )
    return ""


def by_cluster(log: Log, values: Array) -> Array:
    """Return values added up by customer, shape (n_clusters,)."""
    return np.bincount(log.cluster, weights=values, minlength=log.n_clusters)


def effective(weight: Array) -> float:
    """Return how many equal weights tell as much; some weight must be above 0.

    References:
        Effective sample size: Kish (1965), (sum of weights)^2 / sum of squares.
    """
    # Over the largest, so that squares of very large weights stay finite.
    part = weight / weight.max()
    return float(part.sum() ** 2 / (part**2).sum())
