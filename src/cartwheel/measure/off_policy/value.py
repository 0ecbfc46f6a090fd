"""What a policy would have earned, with its interval, or why the log cannot say."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from cartwheel.measure.off_policy.estimators import (
    ESTIMATORS,
    NEED_MODEL,
    Estimator,
    Terms,
    terms,
)
from cartwheel.measure.off_policy.interval import DRAWS, intervals
from cartwheel.measure.off_policy.log import Log

Array = np.ndarray[Any, Any]

LEVEL = 0.95
LEAST_EFFECTIVE_ROWS = 200.0
LEAST_EFFECTIVE_CLUSTERS = 100.0
"""With money of a long tail, 95 % intervals held 90 to 92 % with 20 to 60."""

LEAST_EFFECTIVE_REWARDS = 30.0
"""Rewards' worth of evidence; with 5 to 20 of them, 95 % intervals held 74 to 95 %."""

LEAST_VARIED_CLUSTERS = 10
"""Customers whose reward must be unlike the usual, or there is no spread to see."""

SUPPORT_GAP = 0.05
"""How far from 1 the mean weight may be beyond what chance explains."""

SUPPORT_ERRORS = 3.3
"""Standard errors that chance is taken to explain; one log in a thousand has more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyValue:
    """What a target policy would have earned per decision.

    Attributes:
        estimator: How it was computed.
        value: Mean reward under the target policy, or None when refused.
        low: Lower end of the interval; None when refused and for "dm", whose error is
            the model's, which no interval from the log shows.
        high: Upper end, alike.
        level: Share of intervals that hold the truth.
        logged: Mean reward of what was done.
        gain: `value` less `logged`, from the same rows.
        gain_low: Lower end of the gain's interval.
        gain_high: Upper end.
        effective_rows: Rows' worth of evidence: the effective sample size.
        effective_clusters: Customers' worth of evidence.
        largest_weight: Most one row counts, in rows.
        mean_weight: 1 when the log could have shown all the target policy does.
        n_rows: Rows.
        n_clusters: Customers.
        refused: Why there is no value, "" when there is one.
    """

    estimator: Estimator
    value: float | None
    low: float | None
    high: float | None
    level: float
    logged: float
    gain: float | None
    gain_low: float | None
    gain_high: float | None
    effective_rows: float
    effective_clusters: float
    largest_weight: float
    mean_weight: float
    n_rows: int
    n_clusters: int
    refused: str = ""


def evaluate(
    log: Log,
    estimator: Estimator = "snips",
    *,
    level: float = LEVEL,
    seed: int = 0,
    draws: int = DRAWS,
) -> PolicyValue:
    """Return what the target policy of a log would have earned.

    Args:
        log: The log, from `make_log`.
        estimator: How to compute it; "snips" needs no model and is in the range of the
            rewards.
        level: Share of intervals that should hold the truth.
        seed: Seed of the bootstrap.
        draws: Draws of the bootstrap.

    Raises:
        ValueError: If the estimator needs a model's rewards and the log has none.
    """
    return evaluate_all(log, [estimator], level=level, seed=seed, draws=draws)[
        estimator
    ]


def evaluate_all(
    log: Log,
    estimators: Iterable[Estimator] | None = None,
    *,
    level: float = LEVEL,
    seed: int = 0,
    draws: int = DRAWS,
) -> dict[Estimator, PolicyValue]:
    """Return the value by several estimators, all from the same draws of customers.

    Args:
        log: The log.
        estimators: Which; None for all that the log allows.
        level: Share of intervals that should hold the truth.
        seed: Seed of the bootstrap.
        draws: Draws of the bootstrap.

    Raises:
        ValueError: If an estimator needs a model's rewards and the log has none.
    """
    wanted = list(_possible(log) if estimators is None else estimators)
    rows = [terms(log, name) for name in wanted]
    empty = {name: _empty(log, name, level) for name in wanted}
    why = refusal(log)
    if why:
        return {name: replace(one, refused=why) for name, one in empty.items()}
    gains = [replace(one, mean=one.mean - log.reward) for one in rows]
    found = intervals(log, [*rows, *gains], level=level, seed=seed, draws=draws)
    result: dict[Estimator, PolicyValue] = {}
    for number, name in enumerate(wanted):
        value, gain = found[number], found[len(wanted) + number]
        one = replace(empty[name], value=value.value, gain=gain.value)
        if name != "dm":
            one = replace(
                one,
                low=value.low,
                high=value.high,
                gain_low=gain.low,
                gain_high=gain.high,
            )
        result[name] = one
    return result


def refusal(log: Log) -> str:
    """Return why a log cannot say what its target policy earns, "" when it can.

    References:
        Effective sample size: Kish (1965), (sum of weights)^2 / sum of squares.
    """
    weight = log.weight
    rows = _effective(weight)
    if rows < LEAST_EFFECTIVE_ROWS:
        return (
            f"The {len(weight):,} rows are worth {rows:,.0f} for this policy "
            f"(effective sample size), {LEAST_EFFECTIVE_ROWS:,.0f} are needed: wait "
            "for more, draw more at random, or ask about a policy nearer to what ran."
        )
    clusters = _effective(_by_cluster(log, weight))
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
    total = _by_cluster(log, weight - mean.value)
    error = float(np.sqrt((total**2).sum())) / len(weight)
    gap = abs(mean.value - 1) - SUPPORT_ERRORS * error
    if gap <= SUPPORT_GAP:
        return ""
    if mean.value < 1:
        return (
            f"The log shows {mean.value:.0%} of what this policy would do, 100 % is "
            "needed: it would do things that had no chance to be drawn. Ask about a "
            "policy that keeps to what is drawn, or test it on some visitors."
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
    share = _effective(unlike) / len(unlike) if unlike.any() else 0.0
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


def _possible(log: Log) -> list[Estimator]:
    modelled = log.expected_logged is not None and log.expected_target is not None
    return [name for name in ESTIMATORS if modelled or name not in NEED_MODEL]


def _by_cluster(log: Log, values: Array) -> Array:
    return np.bincount(log.cluster, weights=values, minlength=log.n_clusters)


def _effective(weight: Array) -> float:
    # Over the largest, so that squares of very large weights stay finite.
    part = weight / weight.max()
    return float(part.sum() ** 2 / (part**2).sum())


def _empty(log: Log, estimator: Estimator, level: float) -> PolicyValue:
    weight = log.weight
    return PolicyValue(
        estimator=estimator,
        value=None,
        low=None,
        high=None,
        level=level,
        logged=float(log.reward.mean()),
        gain=None,
        gain_low=None,
        gain_high=None,
        effective_rows=_effective(weight),
        effective_clusters=_effective(_by_cluster(log, weight)),
        largest_weight=float(weight.max()),
        mean_weight=float(weight.mean()),
        n_rows=len(weight),
        n_clusters=log.n_clusters,
    )
