"""What a policy would have earned, with its interval, or why the log cannot say."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from cartwheel.measure.off_policy.estimators import (
    ESTIMATORS,
    NEED_MODEL,
    Estimator,
    terms,
)
from cartwheel.measure.off_policy.interval import DRAWS, intervals
from cartwheel.measure.off_policy.log import Log
from cartwheel.measure.off_policy.refusal import by_cluster, effective, refusal

LEVEL = 0.95


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


def withheld(value: PolicyValue, why: str) -> PolicyValue:
    """Return a value that is not told, for a reason the log alone does not show.

    Args:
        value: What was found.
        why: Why it does not hold; a refusal the value already has comes first.
    """
    if value.refused or not why:
        return value
    return replace(
        value,
        refused=why,
        value=None,
        low=None,
        high=None,
        gain=None,
        gain_low=None,
        gain_high=None,
    )


def _possible(log: Log) -> list[Estimator]:
    modelled = log.expected_logged is not None and log.expected_target is not None
    return [name for name in ESTIMATORS if modelled or name not in NEED_MODEL]


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
        effective_rows=effective(weight),
        effective_clusters=effective(by_cluster(log, weight)),
        largest_weight=float(weight.max()),
        mean_weight=float(weight.mean()),
        n_rows=len(weight),
        n_clusters=log.n_clusters,
    )
