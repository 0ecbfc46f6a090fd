"""Looks: the days a board is computed as of, with what each may see."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise

from cartwheel.errors import Misuse
from cartwheel.signals.days import midnight_after

WINDOW_DAYS = 28
COHORT_DAYS = 84
"""Customers of a first year are those first seen in this many days."""
AGAIN_DAYS = 90
YEAR_DAYS = 365
WEEKS = 26
FIRST_DAY, LAST_DAY = date(1980, 1, 1), date(2200, 1, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One day looked from; instants are naive UTC.

    Attributes:
        number: Its number, from 0.
        as_of: The day; facts known before its end count.
        first_day: First day of the window that ends with it.
        start_at: First instant of the window.
        end_at: First instant after it.
    """

    number: int
    as_of: date
    first_day: date
    start_at: datetime
    end_at: datetime

    @property
    def window_days(self) -> int:
        """Length of the window."""
        return (self.as_of - self.first_day).days + 1


def looks_at(
    days: Iterable[date], timezone: str, *, window_days: int = WINDOW_DAYS
) -> tuple[Look, ...]:
    """Return looks from days.

    Args:
        days: Days looked from, oldest first, each once.
        timezone: Time zone in which days are counted.
        window_days: Days of a window, 1 to 366.

    Raises:
        Misuse: If a day or the window is out of range.
        ValueError: If days are not in order.
    """
    days = list(days)
    if any(later <= earlier for earlier, later in pairwise(days)):
        raise ValueError("days must be in order, each once")
    if not 1 <= window_days <= 366:
        raise Misuse(
            f"The window is {window_days} days; accepted are 1 to 366.",
            "Choose a window in that range, such as 28.",
        )
    found = []
    for number, day in enumerate(days):
        if not FIRST_DAY <= day <= LAST_DAY:
            raise Misuse(
                f"The day {day} is out of range; accepted are {FIRST_DAY} to "
                f"{LAST_DAY}.",
                "Choose a day the shop has traded on.",
            )
        first = day - timedelta(days=window_days - 1)
        found.append(
            Look(
                number=number,
                as_of=day,
                first_day=first,
                start_at=midnight_after(first - timedelta(days=1), timezone),
                end_at=midnight_after(day, timezone),
            )
        )
    return tuple(found)


def weekly(as_of: date, weeks: int = WEEKS) -> list[date]:
    """Return the last days of the weeks up to a day, oldest first."""
    return [as_of - timedelta(weeks=back) for back in reversed(range(weeks))]
