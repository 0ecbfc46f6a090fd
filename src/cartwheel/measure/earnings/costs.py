"""What a lever cost besides its discounts; what is unknown is never zero."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

from cartwheel.measure.earnings.figures import Cost, Range
from cartwheel.measure.earnings.record import Record

if TYPE_CHECKING:
    from cartwheel.settings import Costs

DAYS_A_MONTH = 365.25 / 12


def tools(settings: Costs, days: int) -> Cost:
    """Return what tools cost in a window.

    Args:
        settings: The shop's costs.
        days: Days of the window.
    """
    month = settings.tools_minor_month
    if month is None:
        note = "not counted: set costs.tools_minor_month"
        return Cost(name="tools", minor=None, note=note)
    return Cost(
        name="tools", minor=month * days / DAYS_A_MONTH, note=f"for {days:,} days"
    )


def labour(
    settings: Costs, record: Record, lever: str | None, first: date, last: date
) -> Cost:
    """Return what looking at decisions cost.

    Args:
        settings: The shop's costs.
        record: What is on record.
        lever: Whose decisions; None for all.
        first: First day of the window.
        last: Last day of the window.
    """
    looked = sum(
        first <= day <= last and lever in (None, whose)
        for day, whose in record.looked_at
    )
    said = f"{looked:,} decisions looked at by a person"
    hour, minutes = settings.labour_minor_hour, settings.minutes_per_decision
    if looked == 0:
        return Cost(name="labour", minor=0.0, note="no decision looked at by a person")
    missing = [
        name
        for name, value in (
            ("costs.labour_minor_hour", hour),
            ("costs.minutes_per_decision", minutes),
        )
        if value is None
    ]
    if hour is None or minutes is None:
        note = f"not counted: {said}; set {' and '.join(missing)}"
        return Cost(name="labour", minor=None, note=note)
    return Cost(name="labour", minor=looked * hour * minutes / 60, note=said)


def net_of(money: Range | None, costs: Sequence[Cost]) -> Range | None:
    """Return money less costs, None when there is none or a cost is unknown."""
    if money is None:
        return None
    known = [cost.minor for cost in costs if cost.minor is not None]
    return money.less(sum(known)) if len(known) == len(costs) else None
