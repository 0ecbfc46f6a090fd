"""What other ways to give offers would have earned, from offers drawn at random."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

import numpy as np

from cartwheel.measure.off_policy.estimators import NEED_MODEL, Estimator
from cartwheel.measure.off_policy.log import make_log
from cartwheel.measure.off_policy.offers import OfferLog
from cartwheel.measure.off_policy.reward_model import cross_fit
from cartwheel.measure.off_policy.value import LEVEL, PolicyValue, evaluate, withheld

Array = np.ndarray[Any, Any]

OfferPolicy = Callable[[OfferLog], Array]
"""Returns the probability that each customer is drawn to get an offer, (n,)."""


def evaluate_offers(
    log: OfferLog,
    policy: OfferPolicy,
    *,
    reward: Literal["orders", "paid_minor"] = "paid_minor",
    estimator: Estimator = "snips",
    level: float = LEVEL,
    seed: int = 0,
) -> PolicyValue:
    """Return what a policy would have earned per customer drawn.

    Args:
        log: Who was drawn for what, from `read_offers`.
        policy: The target policy.
        reward: What is counted.
        estimator: How; those that need a model get one by segment.
        level: Share of intervals that should hold the truth.
        seed: Seed of the bootstrap and of the model's folds.

    Raises:
        Misuse: If no draw is left, or a probability is impossible.
        ValueError: If the policy returns another shape.
    """
    chance = np.asarray(policy(log), float)
    if chance.shape != log.offered.shape:
        raise ValueError(
            f"the policy returned shape {chance.shape}; expected {log.offered.shape}"
        )
    happened = log.orders if reward == "orders" else log.paid_minor
    expected = None
    if estimator in NEED_MODEL:
        expected = cross_fit(
            action=log.offered,
            reward=happened,
            cluster=log.customer,
            group=np.array([str(e.get("segment", "")) for e in log.evidence]),
            n_actions=2,
            seed=seed,
        )
    made = make_log(
        propensity=log.propensity,
        target=np.stack([1 - chance, chance], axis=1),
        action=log.offered.astype(int),
        reward=happened,
        cluster=log.customer,
        expected=expected,
    )
    value = evaluate(made, estimator, level=level, seed=seed)
    why = ""
    if not log.applied.any():
        why = (
            f"None of the {int(log.offered.sum()):,} offers drawn was carried out, so "
            "nobody got one and the log cannot say what they earn: approve some, and "
            "wait."
        )
    return withheld(value, why)


def as_drawn(log: OfferLog) -> Array:
    """Return the policy that drew the log."""
    return np.where(log.offered, log.propensity, 1 - log.propensity)


def offer_to_all(log: OfferLog) -> Array:
    """Return the policy that gives everybody drawn an offer."""
    return np.ones(len(log.offered))


def offer_to_none(log: OfferLog) -> Array:
    """Return the policy that gives nobody an offer."""
    return np.zeros(len(log.offered))


def offer_where(test: Callable[[Mapping[str, Any]], bool]) -> OfferPolicy:
    """Return the policy that gives an offer where what the lever knew passes a test.

    Args:
        test: Takes a decision's evidence, such as segment and value band.
    """

    def policy(log: OfferLog) -> Array:
        return np.array([bool(test(one)) for one in log.evidence], float)

    return policy
