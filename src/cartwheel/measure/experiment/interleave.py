"""Interleaving: two rankings share one list, and clicks say which is preferred.

A shopper sees one list drafted from both rankings (`team_draft`). It says which ranking
shoppers click more, not what either earns: an interleaving chooses what is worth a test
by customer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from cartwheel.errors import Misuse
from cartwheel.measure.experiment.comparison import LEVEL, Comparison

Array = np.ndarray[Any, Any]

LEAST_CUSTOMERS = 20
"""Customers with a preference below which no interval is shown."""


def compare_rankings(
    arm_votes: Sequence[float] | Array,
    control_votes: Sequence[float] | Array,
    customers: Sequence[str] | Array,
    *,
    control: str = "control",
    arm: str = "arm",
    metric: str = "preference",
    level: float = LEVEL,
) -> Comparison:
    """Return whether visits prefer the arm's ranking.

    Every clicked slot that one ranking picked is a vote for it. The effect is the arm's
    share of the votes less one half. Votes of a customer go together, so one who clicks
    everything adds to both sides and to the error.

    Args:
        arm_votes: Clicked slots of the arm in each visit, shape (n_visits,).
        control_votes: Clicked slots of the control, shape (n_visits,).
        customers: Whose visit it was, shape (n_visits,).
        control: Name of the control's ranking.
        arm: Name of the arm's ranking.
        metric: Name of the metric.
        level: Share of intervals that hold the truth.

    Raises:
        Misuse: If fewer than `LEAST_CUSTOMERS` customers voted, or all voted alike.

    References:
        Linearised share with errors clustered by customer and Student's t with
        customers less one degrees of freedom.
    """
    from scipy.stats import t

    won = np.asarray(arm_votes, dtype=float)
    both = won + np.asarray(control_votes, dtype=float)
    told = both > 0
    _, who = np.unique(np.asarray(customers)[told], return_inverse=True)
    people, votes = int(who.max(initial=-1)) + 1, float(both.sum())
    if people < LEAST_CUSTOMERS:
        raise Misuse(
            f"{metric}: {people} customers clicked where the rankings differ; "
            f"{LEAST_CUSTOMERS} are needed.",
            "Wait for more visits, or compare rankings that differ more.",
        )
    share = float(won.sum() / votes)
    off = np.bincount(who, weights=(won - share * both)[told])
    error = float(np.sqrt(people / (people - 1) * (off @ off))) / votes
    if error <= 1e-12:
        raise Misuse(
            f"{metric}: all {votes:,.0f} clicks voted alike, so nothing says how far "
            "chance reaches.",
            "Check that clicks are joined to the slots that were shown.",
        )
    effect = share - 0.5
    reach = float(t.ppf(0.5 + level / 2, people - 1)) * error
    return Comparison(
        metric=metric,
        control=control,
        arm=arm,
        control_value=0.5,
        arm_value=share,
        effect=effect,
        low=effect - reach,
        high=effect + reach,
        error=error,
        relative=effect / 0.5,
        relative_low=(effect - reach) / 0.5,
        relative_high=(effect + reach) / 0.5,
        p_value=float(2 * t.sf(abs(effect) / error, people - 1)),
        method="interleave",
        n=round(votes),
        level=level,
    )
