"""What a target policy would have earned, from decisions another policy drew.

Every estimator here is a mean of rows plus, for some, a ratio of two sums:

    value = sum(mean) / n + sum(top) / sum(bottom)

so that the value, its influence function and its bootstrap are the same code for all.
Assumed throughout: the propensity is the probability with which the logged action was
really drawn, whatever the target policy may do had a chance, and one decision does not
change another's reward.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np

from cartwheel.measure.off_policy.log import Log

Array = np.ndarray[Any, Any]
Estimator = Literal["ips", "snips", "dm", "dr", "sndr", "switch-dr"]
ESTIMATORS: tuple[Estimator, ...] = get_args(Estimator)
NEED_MODEL: frozenset[Estimator] = frozenset({"dm", "dr", "sndr", "switch-dr"})

SWITCH_CANDIDATES = 12
"""Thresholds tried by `switch_threshold`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """Rows of an estimator; n rows.

    Attributes:
        mean: Summands of the mean, shape (n,).
        top: Summands above the line of the ratio, (n,).
        bottom: Summands below it, (n,), all 0 when there is no ratio.
    """

    mean: Array
    top: Array
    bottom: Array

    @property
    def value(self) -> float:
        """The estimate."""
        bottom = float(self.bottom.sum())
        ratio = float(self.top.sum()) / bottom if bottom else 0.0
        return float(self.mean.mean()) + ratio

    def error_of_rows(self) -> float:
        """Return the standard error were the rows independent, by linearisation."""
        n = len(self.mean)
        part = (self.mean - self.mean.mean()) / n
        bottom = float(self.bottom.sum())
        if bottom:
            ratio = float(self.top.sum()) / bottom
            part = part + (self.top - ratio * self.bottom) / bottom
        return float(np.sqrt((part**2).sum()))


def terms(log: Log, estimator: Estimator, threshold: float | None = None) -> Terms:
    """Return the rows of an estimator.

    Args:
        log: The log; all but IPS and SNIPS need a model's expected rewards.
        estimator: "ips" weighs rewards by target / propensity; "snips" divides by the
            sum of weights; "dm" is the model's expectation alone; "dr" adds to it what
            the model missed, weighed; "sndr" divides that by the sum of weights;
            "switch-dr" leaves out of it rows with weights above a threshold.
        threshold: Largest weight "switch-dr" uses; None lets `switch_threshold` choose.

    Raises:
        ValueError: If the log lacks the model's rewards or the name is unknown.

    References:
        IPS: Horvitz and Thompson (1952). SNIPS: Swaminathan and Joachims (2015), "The
        self-normalized estimator for counterfactual learning". DR: Dudik, Langford and
        Li (2011), "Doubly robust policy evaluation and learning". SNDR: Thomas and
        Brunskill (2016), "Data-efficient off-policy policy evaluation". Switch-DR:
        Wang, Agarwal and Dudik (2017), "Optimal and adaptive off-policy evaluation in
        contextual bandits", eq. 7 with the DR part below the threshold.
    """
    weight, none = log.weight, np.zeros(len(log.reward))
    if estimator == "ips":
        return Terms(mean=weight * log.reward, top=none, bottom=none)
    if estimator == "snips":
        return Terms(mean=none, top=weight * log.reward, bottom=weight)
    if estimator not in NEED_MODEL:
        known = ", ".join(ESTIMATORS)
        raise ValueError(f"estimator is {estimator!r}; expected one of {known}")
    if log.expected_logged is None or log.expected_target is None:
        raise ValueError(f"{estimator} needs expected rewards; see `make_log`")
    expected, missed = log.expected_target, log.reward - log.expected_logged
    if estimator == "dm":
        return Terms(mean=expected, top=none, bottom=none)
    if estimator == "sndr":
        return Terms(mean=expected, top=weight * missed, bottom=weight)
    if estimator == "switch-dr":
        most = switch_threshold(log) if threshold is None else threshold
        weight = np.where(weight <= most, weight, 0.0)
    return Terms(mean=expected + weight * missed, top=none, bottom=none)


def switch_threshold(log: Log) -> float:
    """Return the weight above which "switch-dr" trusts the model.

    The one with the least estimated variance plus squared bias. What is left to the
    model can bias the value by its share of what the target policy does, times how far
    the model is off; the share is 1 less the mean of the weights kept, and the rewards
    the model missed stand for the latter, noise included, so that rows are given up
    for a large gain in variance only.

    References:
        Wang, Agarwal and Dudik (2017), section 4, with the mean size of what the model
        missed in place of the largest reward.
    """
    if log.expected_logged is None:
        raise ValueError("switch-dr needs expected rewards; see `make_log`")
    weight = log.weight
    missed = float(np.abs(log.reward - log.expected_logged).mean())
    shares = np.linspace(1.0, 0.5, SWITCH_CANDIDATES)
    candidates = np.unique(np.quantile(weight[weight > 0], shares))[::-1]

    def risk(most: float) -> float:
        kept = float(weight[weight <= most].sum()) / len(weight)
        bias = missed * max(1.0 - kept, 0.0) if most < candidates[0] else 0.0
        return terms(log, "switch-dr", most).error_of_rows() ** 2 + bias**2

    return float(min(candidates.tolist(), key=risk))
