"""Days in the shop's time zone, on any engine.

Engines disagree on zone names and on what a zoned timestamp is. The zone's offsets are
therefore read from Python's zone data once and written into the expression as
constants: plain comparisons and additions, which every engine computes alike.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from cartwheel.signals.base import When

FIRST_YEAR = 1970
YEARS_AHEAD = 2
"""Offsets are exact from 1970 to two years after the cut-off; constant beyond."""


def midnight_after(day: date, timezone: str) -> datetime:
    """Return the first instant after `day` in the zone, as naive UTC."""
    following = day + timedelta(days=1)
    local = datetime(following.year, following.month, following.day)
    return local.replace(tzinfo=ZoneInfo(timezone)).astimezone(UTC).replace(tzinfo=None)


@lru_cache(maxsize=64)
def offsets(timezone: str, last_year: int) -> tuple[tuple[datetime, int], ...]:
    """Return (instant from which it holds in naive UTC, offset in seconds) pairs.

    The first pair stands for everything before the second.
    """
    zone = ZoneInfo(timezone)
    at = datetime(FIRST_YEAR, 1, 1, tzinfo=UTC)
    end = datetime(last_year + 1, 1, 1, tzinfo=UTC)
    found = [(at.replace(tzinfo=None), _offset(at, zone))]
    while at < end:
        following = at + timedelta(days=1)
        if _offset(following, zone) != found[-1][1]:
            change = _change(at, following, zone)
            found.append((change.replace(tzinfo=None), _offset(change, zone)))
        at = following
    return tuple(found)


def local_time(instant: ir.TimestampValue, when: When) -> ir.TimestampValue:
    """Return what a clock in the shop's time zone shows at an instant (naive UTC)."""
    last_year = when.as_of.year + YEARS_AHEAD
    return _pick(instant, offsets(when.timezone, last_year))


def day_of(instant: ir.TimestampValue, when: When) -> ir.DateValue:
    """Return the day an instant (naive UTC) falls on in the shop's time zone."""
    return local_time(instant, when).date()


def days_between(first: ir.DateValue, last: ir.DateValue) -> ir.IntegerValue:
    """Return whole days from `first` to `last`."""
    return last.epoch_days().cast("int64") - first.epoch_days().cast("int64")


def days_ago(when: When, days: int) -> ir.DateScalar:
    """Return the first day of the span of `days` days that ends with the last day."""
    import ibis

    return ibis.literal(when.as_of - timedelta(days=days - 1), type="date")


def cutoff(when: When) -> ir.TimestampScalar:
    """Return the first instant that may not be used."""
    import ibis

    return ibis.literal(datetime.fromisoformat(when.cutoff_at), type="timestamp")


def _offset(at: datetime, zone: ZoneInfo) -> int:
    found = at.astimezone(zone).utcoffset()
    return 0 if found is None else int(found.total_seconds())


def _change(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """Return the second at which the offset changes between two instants."""
    old = _offset(before, zone)
    low, high = 0, int((after - before).total_seconds())
    while high - low > 1:
        middle = (low + high) // 2
        if _offset(before + timedelta(seconds=middle), zone) == old:
            low = middle
        else:
            high = middle
    return before + timedelta(seconds=high)


def _pick(
    instant: ir.TimestampValue, held: tuple[tuple[datetime, int], ...]
) -> ir.TimestampValue:
    """Return local time by halving the list: log2(n) comparisons a row, not n."""
    import ibis

    if len(held) == 1:
        seconds = held[0][1]
        return instant + ibis.interval(seconds=seconds) if seconds else instant
    middle = len(held) // 2
    later = instant >= ibis.literal(held[middle][0], type="timestamp")
    return ibis.ifelse(
        later, _pick(instant, held[middle:]), _pick(instant, held[:middle])
    )
