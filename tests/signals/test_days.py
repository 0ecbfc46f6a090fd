"""Days in the shop's time zone agree with Python's own zone arithmetic."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cartwheel.signals.days import midnight_after, offsets

ZONES = [
    "UTC",
    "Europe/London",
    "America/New_York",
    "America/Sao_Paulo",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "Pacific/Apia",
]


@given(
    zone=st.sampled_from(ZONES),
    at=st.datetimes(min_value=datetime(1970, 1, 1), max_value=datetime(2028, 12, 31)),
)
def test_offsets_agree_with_the_zone(zone: str, at: datetime) -> None:
    held = [seconds for since, seconds in offsets(zone, 2028) if since <= at]
    expected = at.replace(tzinfo=UTC).astimezone(ZoneInfo(zone)).utcoffset()
    assert expected == timedelta(seconds=held[-1])


@pytest.mark.parametrize("zone", ZONES)
def test_offsets_rise_in_time_and_differ(zone: str) -> None:
    for (before, old), (after, new) in pairwise(offsets(zone, 2028)):
        assert before < after
        assert old != new


@given(
    zone=st.sampled_from(ZONES),
    day=st.dates(min_value=date(1990, 1, 1), max_value=date(2028, 1, 1)),
)
def test_midnight_after_is_the_first_instant_of_the_next_day(
    zone: str, day: date
) -> None:
    at = midnight_after(day, zone).replace(tzinfo=UTC)
    local = at.astimezone(ZoneInfo(zone)).date()
    just_before = (at - timedelta(seconds=1)).astimezone(ZoneInfo(zone)).date()
    assert just_before <= day < local
