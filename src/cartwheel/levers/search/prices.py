"""Prices said in a query: "under 30", "between 20 and 50", "about 100 euros"."""

from __future__ import annotations

import re
from dataclasses import dataclass

from cartwheel.text.units import UNITS

_UNIT = "|".join(re.escape(unit) for unit in sorted(UNITS, key=len, reverse=True))
_AGES = r"years?|yrs?|months?|weeks?|days?|hours?|minutes?|people|persons?|seats?|inch"
_SIGN = r"(?:[£$€¥₹]|usd|eur|gbp)?\s*"
_MONEY = r"(?:[£$€¥₹]|\s*(?:dollars?|euros?|pounds?|bucks|quid|usd|eur|gbp)\b)?"
_NUMBER = rf"{_SIGN}(\d{{1,9}}(?:[.,]\d{{1,2}})?)(?![\d/])"
_END = rf"{_MONEY}(?!\w)(?!\s*-?\s*(?:{_UNIT}|{_AGES})(?!\w))(?!\s*[x×/]\s*\d)"
_MOST = (
    r"under|below|less than|cheaper than|up to|at most|no more than|not more than|max"
)
_LEAST = r"over|above|more than|at least|no less than|min|starting at"
_ABOUT = r"around|about|approximately|roughly"
_BETWEEN = re.compile(
    rf"\b(?:between|from)\s+{_NUMBER}{_MONEY}\s*(?:and|to|-|–)\s*{_NUMBER}{_END}", re.I
)
_DASH = re.compile(
    rf"[£$€¥₹]\s*(\d{{1,9}})\s*[-–]\s*[£$€¥₹]?\s*(\d{{1,9}}){_END}", re.I
)
_ONE = re.compile(
    rf"\b(?:(?P<most>{_MOST})|(?P<least>{_LEAST})|(?P<about>{_ABOUT}))\s+"
    rf"{_NUMBER}{_END}",
    re.I,
)
NEARLY = 0.25
"""How far "about" reaches on either side."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """A price range said in a query.

    Attributes:
        low: Lowest price, minor; None for none.
        high: Highest price, minor; None for none.
        begin: Where it begins in the query.
        end: Where it ends in the query.
    """

    low: int | None
    high: int | None
    begin: int
    end: int

    @property
    def value(self) -> str:
        """The range as the facet `price` writes it."""
        low = "" if self.low is None else str(self.low)
        return f"{low}-{'' if self.high is None else self.high}"


def read_price(query: str, minor_digits: int) -> Price | None:
    """Return the first price range said in a query, or None.

    A number with a unit ("under 30 in") or of an age is no price.

    Args:
        query: The query as typed.
        minor_digits: Decimal places of the shop's currency.
    """
    for pattern in (_BETWEEN, _DASH):
        found = pattern.search(query)
        if found:
            ends = sorted(_minor(found.group(n), minor_digits) for n in (1, 2))
            return Price(
                low=ends[0], high=ends[1], begin=found.start(), end=found.end()
            )
    found = _ONE.search(query)
    if not found:
        return None
    amount = _minor(found.group(4), minor_digits)
    low: int | None = amount
    high: int | None = amount
    if found.group("about"):
        low, high = round(amount * (1 - NEARLY)), round(amount * (1 + NEARLY))
    elif found.group("most"):
        low = None
    else:
        high = None
    return Price(low=low, high=high, begin=found.start(), end=found.end())


def _minor(text: str, digits: int) -> int:
    return round(float(text.replace(",", ".")) * float(10**digits))
