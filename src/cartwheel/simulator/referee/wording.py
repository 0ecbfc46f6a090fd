"""Numbers, shares and names as the referee writes them, on every face."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from cartwheel.settings import digits_of

MINUS = "−"
UNKNOWN = "–"

_CONTROL = dict.fromkeys([*range(32), *range(127, 160), *range(0xD800, 0xE000)], " ")


def plain(text: object) -> str:
    """Return text without control characters, which neither face should obey."""
    return str(text).translate(_CONTROL)


def cents(value: float, *, signed: bool = True) -> str:
    """Return minor units with two places, or a dash when unknown."""
    if not math.isfinite(value):
        return UNKNOWN
    text = f"{abs(value):,.2f}"
    zero = not text.strip("0.,")
    sign = MINUS if value < 0 and not zero else "+" if signed and not zero else ""
    return sign + text


def minor_unit(currency: str) -> str:
    """Return what amounts are counted in, such as "EUR cents".

    Args:
        currency: ISO 4217 code, "" when it is not known.
    """
    if not currency:
        return "minor units"
    digits = digits_of(currency)
    if digits == 0:
        return plain(currency)
    return f"{plain(currency)} cents" if digits == 2 else f"1/1000 {plain(currency)}"


def unit_of(currencies: Iterable[str]) -> str:
    """Return what amounts of several worlds are counted in."""
    found = {minor_unit(currency) for currency in currencies}
    if len(found) > 1:
        return "minor units of each world's currency"
    return found.pop() if found else minor_unit("")


def between(low: float, high: float, *, signed: bool = True) -> str:
    """Return the ends of an interval, or what it lacks."""
    if not (math.isfinite(low) and math.isfinite(high)):
        return "no interval"
    return f"{cents(low, signed=signed)} to {cents(high, signed=signed)}"


def percent(share: float, *, signed: bool = False) -> str:
    """Return a share as a percentage, or a dash when unknown."""
    if not math.isfinite(share):
        return UNKNOWN
    text = f"{abs(share) * 100:.1f}"
    zero = not text.strip("0.")
    sign = MINUS if share < 0 and not zero else "+" if signed and not zero else ""
    return f"{sign}{text} %"


def chance(p_value: float) -> str:
    """Return a p value, or a dash when there is none."""
    if not math.isfinite(p_value):
        return UNKNOWN
    return "< 0.001" if p_value < 0.001 else f"{p_value:.3f}"


def count_of(number: int, noun: str) -> str:
    """Return a number with its noun in the right number."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def place_of(one: Any) -> str:
    """Return world and size of a row as one name."""
    return plain(f"{one.world} ({one.size})")


def figure_text(value: float | None) -> str:
    """Return a service figure with three significant digits, or a dash."""
    if value is None or not math.isfinite(value):
        return UNKNOWN
    size = abs(value)
    text = f"{size:,.0f}" if size >= 1000 else f"{size:#.3g}".rstrip(".")
    return f"{MINUS if value < 0 else ''}{text}"


def tick(value: float) -> str:
    """Return a value of an axis or beside a mark: no places it does not need."""
    return cents(value).removesuffix(".00")


def amount(minor: float, *, digits: int = 2) -> str:
    """Return an amount of an axis in whole currency, thousands as k, millions as M.

    Args:
        minor: Minor units.
        digits: Decimal places of the currency.
    """
    major = abs(minor) / 10**digits
    for size, letter in ((1e6, "M"), (1e3, "k"), (1.0, "")):
        if major >= size:
            text = f"{major / size:.1f}".removesuffix(".0") + letter
            return ("+" if minor > 0 else MINUS) + text
    return "0" if major == 0 else f"{'+' if minor > 0 else MINUS}{major:.2g}"
