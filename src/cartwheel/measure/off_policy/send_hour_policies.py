"""What other hours to send offers at would have earned, from hours drawn at random."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np

from cartwheel.measure.off_policy.log import make_log
from cartwheel.measure.off_policy.send_hours import SendHourLog
from cartwheel.measure.off_policy.value import LEVEL, PolicyValue, evaluate, withheld

Array = np.ndarray[Any, Any]

HourPolicy = Callable[[SendHourLog], Array]
"""Returns the probability of each logged hour under another policy, (n,)."""


def evaluate_send_hours(
    log: SendHourLog,
    policy: HourPolicy,
    *,
    reward: Literal["orders", "paid_minor"] = "paid_minor",
    level: float = LEVEL,
    seed: int = 0,
) -> PolicyValue:
    """Return what a policy would have earned per customer drawn.

    Args:
        log: Whose hour was drawn, from `read_send_hours`.
        policy: The target policy.
        reward: What is counted.
        level: Share of intervals that should hold the truth.
        seed: Seed of the bootstrap.

    Raises:
        Misuse: If no draw is left, a probability is impossible, or no offer was drawn
            to an hour the policy would choose.
        ValueError: If the policy returns another shape.
    """
    target = policy(log)
    made = make_log(
        propensity=log.propensity,
        target=target,
        reward=log.orders if reward == "orders" else log.paid_minor,
        cluster=log.customer,
    )
    agrees = target > 0
    why = ""
    if not (agrees & log.applied).any():
        why = (
            f"None of the {int(agrees.sum()):,} offers drawn to these hours was "
            "carried out, so nobody got a message then: approve some, and wait."
        )
    return withheld(evaluate(made, level=level, seed=seed), why)


def hours_as_drawn(log: SendHourLog) -> Array:
    """Return the policy that drew the log."""
    return log.propensity


def usual_hour(log: SendHourLog) -> Array:
    """Return the policy that sends to each customer at their usual hour."""
    result: Array = (log.hour == log.usual).astype(float)
    return result


def always_at(hour: int) -> HourPolicy:
    """Return the policy that sends every offer at one hour."""

    def policy(log: SendHourLog) -> Array:
        result: Array = (log.hour == hour).astype(float)
        return result

    return policy
