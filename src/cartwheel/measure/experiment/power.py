"""What can be seen today, what is still needed, and by when."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import NormalDist
from typing import Any

POWER = 0.8
LEVEL = 0.95
LONGEST_DAYS = 3650
"""Ten years; beyond them a date says nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """What a test can see.

    Attributes:
        detectable: Smallest effect found four times in five, in the metric's unit.
        relative: The same as a share of the control, None where that means nothing.
        wanted: The effect that matters, in the metric's unit.
        units_needed: Units in both groups for it, at the present split.
        units_missing: How many of them are not there yet.
        by: Day on which they are there at the present pace, None beyond ten years or
            when nobody comes.
    """

    detectable: float
    relative: float | None
    wanted: float
    units_needed: int
    units_missing: int
    by: date | None

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "detectable": self.detectable,
            "relative": self.relative,
            "wanted": self.wanted,
            "units_needed": self.units_needed,
            "units_missing": self.units_missing,
            "by": None if self.by is None else self.by.isoformat(),
        }


def reach(
    *,
    error: float,
    units: int,
    control_value: float,
    wanted: float,
    units_a_day: float,
    today: date,
    power: float = POWER,
    level: float = LEVEL,
) -> Reach:
    """Return what can be seen with the units at hand and what another effect needs.

    Args:
        error: Standard error of the effect now, above 0.
        units: Units in both groups now.
        control_value: The metric in the control.
        wanted: Smallest effect that matters, in the metric's unit, not 0.
        units_a_day: Units that come a day.
        today: Day looked from.
        power: Share of such effects that shall be found.
        level: Level of the two-sided interval.

    Raises:
        ValueError: If `error` or `units` is not above 0, or `wanted` is 0.
    """
    if error <= 0 or not math.isfinite(error):
        raise ValueError(f"the standard error is {error}; expected above 0")
    if units <= 0:
        raise ValueError(f"there are {units} units; expected 1 or more")
    if wanted == 0:
        raise ValueError("the effect wanted is 0; no test can find nothing")
    quantiles = spread_wanted(power=power, level=level)
    detectable = quantiles * error
    # The error falls with the root of the units.
    needed = math.ceil(units * (detectable / abs(wanted)) ** 2)
    missing = max(0, needed - units)
    days = math.inf if units_a_day <= 0 else missing / units_a_day
    by = None
    if missing == 0:
        by = today
    elif days <= LONGEST_DAYS:
        by = today + timedelta(days=math.ceil(days))
    return Reach(
        detectable=detectable,
        relative=detectable / control_value if control_value > 0 else None,
        wanted=wanted,
        units_needed=needed,
        units_missing=missing,
        by=by,
    )


def spread_wanted(*, power: float = POWER, level: float = LEVEL) -> float:
    """Return how many standard errors an effect must measure to be found.

    Args:
        power: Share of such effects that shall be found.
        level: Level of the two-sided interval.
    """
    normal = NormalDist()
    return normal.inv_cdf(0.5 + level / 2) + normal.inv_cdf(power)


def units_for(
    *,
    deviation: float,
    wanted: float,
    arm_share: float,
    power: float = POWER,
    level: float = LEVEL,
) -> int:
    """Return the units both groups need together, before anything has run.

    Args:
        deviation: Standard deviation of the metric over units.
        wanted: Smallest effect that matters, in the metric's unit, not 0.
        arm_share: Share of the two groups' units that are in the arm, 0 to 1.
        power: Share of such effects that shall be found.
        level: Level of the two-sided interval.

    Raises:
        ValueError: If a share is not between 0 and 1, or `wanted` is 0.
    """
    if not 0 < arm_share < 1:
        raise ValueError(f"the arm's share is {arm_share}; expected between 0 and 1")
    if wanted == 0:
        raise ValueError("the effect wanted is 0; no test can find nothing")
    quantiles = spread_wanted(power=power, level=level)
    both = 1.0 / arm_share + 1.0 / (1.0 - arm_share)
    return math.ceil(both * (quantiles * deviation / wanted) ** 2)
