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
    credits: Sequence[float] | Array,
    customers: Sequence[str] | Array,
    *,
    control: str = "control",
    arm: str = "arm",
    metric: str = "preference",
    level: float = LEVEL,
) -> Comparison:
    """Return whether visits prefer the arm's ranking.

    A visit votes for the side whose slots got more clicks; a draw is half a vote for
    each, and a visit without a click that tells is no vote and must be left out or
    given as NaN. The effect is the arm's share of the votes less one half. Visits of a
    customer go together.

    Args:
        credits: `Draft.credit` of each visit with a click on a slot that has a team,
            shape (n_visits,); NaN for a visit without one.
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

    values = np.asarray(credits, dtype=float)
    told = np.isfinite(values)
    _, who = np.unique(np.asarray(customers)[told], return_inverse=True)
    votes = 0.5 + np.sign(values[told]) / 2
    people, visits = int(who.max(initial=-1)) + 1, len(votes)
    if people < LEAST_CUSTOMERS:
        raise Misuse(
            f"{metric}: {people} customers clicked where the rankings differ; "
            f"{LEAST_CUSTOMERS} are needed.",
            "Wait for more visits, or compare rankings that differ more.",
        )
    share = float(votes.mean())
    off = np.bincount(who, weights=votes - share)
    error = float(np.sqrt(people / (people - 1) * (off @ off))) / visits
    if error <= 1e-12:
        raise Misuse(
            f"{metric}: all {visits} visits voted alike, so nothing says how far "
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
        n=visits,
        level=level,
    )
