"""Numbers, money, days and instants as people read them."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from cartwheel.settings import SYMBOLS

MINUS = "−"
COUNTED = ("units", "days", "months", "points")
"""Units written after a number, without an s after 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Formatter:
    """Writes values in one shop's currency and time zone.

    Attributes:
        currency: ISO 4217 code.
        minor_digits: Decimal places of the currency.
        timezone: IANA zone in which instants are shown.
    """

    currency: str
    minor_digits: int
    timezone: str

    def money(self, minor: float | None, *, exact: bool = False) -> str:
        """Return an amount; large ones lose their minor units unless `exact`."""
        if minor is None or not math.isfinite(minor):
            return "unknown"
        major = abs(minor) / 10**self.minor_digits
        small = 0 < major < 100
        digits = self.minor_digits if exact or small else 0
        symbol = SYMBOLS.get(self.currency, f"{self.currency} ")
        written = f"{major:,.{digits}f}"
        negative = minor < 0 and any(c in "123456789" for c in written)
        return f"{MINUS if negative else ''}{symbol}{written}"

    def value(self, value: Any, unit: str) -> str:
        """Return a value with its unit: minor, bps, share, units, days or none."""
        if value is None:
            return "–"
        if isinstance(value, bool):
            return "yes" if value else "no"
        if not isinstance(value, int | float):
            return str(value)
        if not math.isfinite(value):
            return "–"
        if unit == "minor":
            return self.money(value)
        if unit == "share":
            return percent(value)
        if unit == "bps":
            return percent(value / 10_000)
        text = plain(value)
        return f"{text} {_singular(unit, text)}" if unit else text

    def cell(self, value: Any, unit: str) -> str:
        """Return a table cell: like `value`, but the column's heading says the unit."""
        if unit in ("minor", "share", "bps"):
            return self.value(value, unit)
        if unit == "" and isinstance(value, str):
            return self.day(value) if _is_day(value) else value
        return self.value(value, "")

    def day(self, text: str | None) -> str:
        """Return an ISO day as "9 Nov 2026"."""
        if not text:
            return "–"
        try:
            day = date.fromisoformat(text[:10])
        except ValueError:
            return text
        return f"{day.day} {day:%b %Y}"

    def instant(self, text: str | None) -> str:
        """Return an ISO instant as "9 Nov 2026, 14:05" in the shop's zone."""
        at = parse_instant(text)
        if at is None:
            return text or "–"
        local = at.astimezone(ZoneInfo(self.timezone))
        return f"{local.day} {local:%b %Y, %H:%M}"

    def named(self, name: str, value: Any) -> str:
        """Return a value written with the unit that its name's affix declares."""
        return self.value(value, unit_of(name))


def parse_instant(text: str | None) -> datetime | None:
    """Return an ISO instant in UTC, or None when it is not one."""
    try:
        at = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def ago(text: str | None, now: datetime) -> str:
    """Return how long ago an ISO instant was, in words."""
    at = parse_instant(text)
    if at is None:
        return ""
    span = now - at
    if span < timedelta(minutes=1):
        return "less than a minute ago"
    for size, name in ((86400, "day"), (3600, "hour"), (60, "minute")):
        count = int(span.total_seconds() // size)
        if count:
            return f"{count} {name}{'' if count == 1 else 's'} ago"
    return ""


def percent(share: float) -> str:
    """Return a share as a percentage with at most one decimal place."""
    text = f"{abs(share) * 100:.1f}".removesuffix(".0")
    return f"{MINUS if share < 0 and text != '0' else ''}{text}%"


def plain(value: float) -> str:
    """Return a number with thousands separators and a sensible precision."""
    size = abs(value)
    if size >= 100 or float(value).is_integer():
        text = f"{size:,.0f}"
    else:
        text = f"{size:.{1 if size >= 10 else 2}f}"
    return f"{MINUS if value < 0 and text.strip('0.') else ''}{text}"


def unit_of(name: str) -> str:
    """Return the unit an affix of a name declares, "" when it declares none."""
    for affix, unit in (
        ("_minor", "minor"),
        ("_bps", "bps"),
        ("_share", "share"),
        ("_days", "days"),
        ("_units", "units"),
    ):
        if name.endswith(affix) or name == affix[1:]:
            return unit
    # A horizon may follow the unit: units_28d, margin_minor_90d.
    head, _, tail = name.rpartition("_")
    if head and tail[:-1].isdigit() and tail.endswith("d"):
        return unit_of(head)
    return ""


def title_of(name: str) -> str:
    """Return a field's name in words: "margin_minor_28d" is "Margin, 28 days"."""
    words, _, horizon = name.replace("-", "_").rpartition("_")
    days = horizon[:-1] if words and horizon.endswith("d") else ""
    if not days.isdigit():
        words, days = name.replace("-", "_"), ""
    for affix in ("_minor", "_bps", "_units", "_days"):
        words = words.removesuffix(affix)
    words = re.sub(r"_(\d+)d(?=_|$)", r" in \1 days", words)
    words = words.replace("_", " ").strip() or name
    after = f", {days} days" if days else ""
    return words[:1].upper() + words[1:] + after


def figure_text(figure: Mapping[str, Any], fmt: Formatter) -> str:
    """Return the value of a figure, or "Not yet"."""
    value = figure.get("value")
    return "Not yet" if value is None else fmt.value(value, figure.get("unit") or "")


def interval_text(figure: Mapping[str, Any], fmt: Formatter) -> str:
    """Return the interval of a figure or prediction, "" when it has none."""
    low, high = figure.get("low"), figure.get("high")
    if low is None or high is None:
        return ""
    unit = figure.get("unit")
    if unit is None:
        unit = unit_of(str(figure.get("metric") or ""))
    if unit in COUNTED:
        return f"{fmt.value(low, '')} to {fmt.value(high, unit)}"
    return f"{fmt.value(low, unit)} to {fmt.value(high, unit)}"


def _singular(unit: str, text: str) -> str:
    return unit[:-1] if text == "1" and unit in COUNTED else unit


def _is_day(text: str) -> bool:
    if len(text) != 10:
        return False
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True
