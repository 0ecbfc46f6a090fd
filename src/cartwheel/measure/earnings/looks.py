"""The interval that decides: one that holds at every look together.

The ledger is read at every turn. An interval made for one look leaves the truth out
sooner or later when it is read week after week, so it cannot decide. This one can; it
is wider, and shown beside the other, which says what is likeliest today.
"""

from __future__ import annotations

from dataclasses import replace

from cartwheel.measure.experiment.comparison import Comparison
from cartwheel.measure.experiment.sequential import FEWEST, always_valid

PLANNED_DAYS = 182
"""Days counted at which the interval is narrowest: half a year of turns."""


def every_look(found: Comparison, smaller: int, *, days: int) -> Comparison | None:
    """Return a comparison whose interval holds at every look; None with few units.

    What units brought adds up over the days, so days over tell how far the watch has
    come. The interval is never narrower than that of one look, which allows for skewed
    spend and a small group where the other is one of many units.

    Args:
        found: The comparison at this look.
        smaller: Units of the smaller group.
        days: Days counted.

    References:
        `experiment.sequential.always_valid`.
    """
    if smaller < FEWEST or not found.error > 0 or days < 1:
        return None
    watched = always_valid(found, planned=PLANNED_DAYS, now=days)
    return replace(
        watched,
        low=min(found.low, watched.low),
        high=max(found.high, watched.high),
        p_value=max(found.p_value, watched.p_value),
    )
