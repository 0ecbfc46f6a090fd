"""Text into money, whole numbers, instants and yes/no.

Each distinct text of a column is parsed once, so half a million rows take seconds. A
cell that cannot be read gives a reason for the owner instead of a guess.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, timezone
from decimal import ROUND_HALF_EVEN, Decimal
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from cartwheel.connectors.detect import WHEN, DateOrder, Sign, sign_evidence

if TYPE_CHECKING:
    import pyarrow as pa

MAX_DECIMALS = 6
CONTROL = r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]"
"""Control characters removed from text; tab and line ends stay."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsed:
    """A parsed column.

    Attributes:
        values: Arrow array; null where the text was empty or at fault.
        faults: Reason by position in the column.
        notes: Remarks, such as amounts that were rounded.
    """

    values: pa.Array
    faults: Mapping[int, str]
    notes: tuple[str, ...] = ()


def _by_distinct(
    column: pa.ChunkedArray, parse: Callable[[str], Any], kind: pa.DataType
) -> Parsed:
    """Parse each distinct text once; a `ValueError` becomes a fault of its rows."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    encoded = column.combine_chunks().dictionary_encode()
    values: list[Any] = []
    reasons: dict[int, str] = {}
    for code, text in enumerate(encoded.dictionary.to_pylist()):
        value = None
        if text and not text.isspace():
            try:
                value = parse(text)
            except ValueError as error:
                reasons[code] = str(error)
        values.append(value)
    faults: dict[int, str] = {}
    if reasons:
        codes = pc.fill_null(encoded.indices, -1).to_numpy(zero_copy_only=False)
        for at in np.flatnonzero(np.isin(codes, list(reasons))).tolist():
            faults[at] = reasons[int(codes[at])]
    return Parsed(values=pa.array(values, kind).take(encoded.indices), faults=faults)


def parse_text(column: pa.ChunkedArray, *, trim: bool, lower: bool = False) -> Parsed:
    """Return text without control characters; empty becomes null.

    Args:
        column: Text as read.
        trim: Remove white space around it (ids, codes).
        lower: Turn it to lower case.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    values = column
    if pc.any(pc.match_substring_regex(values, CONTROL)).as_py():
        values = pc.replace_substring_regex(values, CONTROL, "")
    if trim:
        values = pc.utf8_trim_whitespace(values)
    if lower:
        values = pc.utf8_lower(values)
    blank = pc.equal(pc.utf8_length(pc.utf8_trim_whitespace(values)), 0)
    values = pc.if_else(blank, pa.scalar(None, values.type), values)
    return Parsed(values=pc.cast(values, pa.string()).combine_chunks(), faults={})


_PLAIN = re.compile(r"[+-]?\d+(?:\.\d+)?")
_CURRENCIES = {"€": ("EUR",), "£": ("GBP", "EGP"), "₹": ("INR",), "zł": ("PLN",)}
_AMOUNT = re.compile(
    r"(\()?\s*([A-Za-z]{3}|[$€£¥₹]|zł)?\s*([+\-−]?)\s*([$€£¥₹]|zł)?\s*"
    r"(\d[\d.,'’ \u00a0\u202f]*|[.,]\d+)\s*(-?)\s*([A-Za-z]{3}|[$€£¥₹]|zł)?\s*(\))?"
)
_SPACED = re.compile(r"\d{1,3}(?:[ \u00a0\u202f'’]\d{3})+(?:[.,]\d+)?")
_WELL_FORMED = {
    ".": re.compile(r"(?:\d+|\d{1,3}(?:,\d{3})+)?(?:\.\d+)?"),
    ",": re.compile(r"(?:\d+|\d{1,3}(?:\.\d{3})+)?(?:,\d+)?"),
}


def bare_number(text: str) -> str:
    """Return the digits and separators of an amount, "" when it is none."""
    if _PLAIN.fullmatch(text):
        return text
    match = _AMOUNT.fullmatch(text.strip().lstrip("'"))
    return match[5].strip() if match else ""


def to_number(text: str, sign: Sign, currency: str | None = None) -> Decimal:
    """Return an amount as written: currency marks, thousands, brackets understood.

    Args:
        text: The cell.
        sign: The file's decimal sign.
        currency: ISO code of the shop; an amount marked as another is refused.

    Raises:
        ValueError: With a reason for the owner.
    """
    plain = sign != "," and _PLAIN.fullmatch(text) is not None
    if plain and (sign == "." or sign_evidence(text) != "?"):
        return Decimal(text)
    match = _AMOUNT.fullmatch(text.strip().lstrip("'"))
    if match is None or bool(match[1]) != bool(match[8]):
        raise ValueError("not a number; expected an amount such as 12.50")
    for mark in (match[2], match[4], match[7]):
        _check_mark(mark, currency)
    digits = match[5].strip()
    if re.search(r"[ \u00a0\u202f'’]", digits):
        if not _SPACED.fullmatch(digits):
            raise ValueError("not a number; expected an amount such as 12.50")
        digits = re.sub(r"[ \u00a0\u202f'’]", "", digits)
    negative = bool(match[1]) or match[3] in ("-", "−") or match[6] == "-"
    return _decimal(digits, sign) * (-1 if negative else 1)


def _check_mark(mark: str | None, currency: str | None) -> None:
    if not mark or currency is None:
        return
    codes = _CURRENCIES.get(mark, (mark.upper(),) if mark.isalpha() else ())
    if codes and currency not in codes:
        raise ValueError(f"the amount is in {mark}; the shop's currency is {currency}")


def _decimal(digits: str, sign: Sign) -> Decimal:
    evidence = sign_evidence(digits)
    chosen = sign
    if sign not in (".", ","):
        if evidence == "?":
            raise ValueError(
                "may be a thousand or three decimals, and nothing else in the file "
                'tells; state decimal = "," or decimal = "." in layout.toml'
            )
        chosen = "," if evidence == "," else "."
    if not _WELL_FORMED[chosen].fullmatch(digits):
        name = "comma" if chosen == "," else "point"
        raise ValueError(
            f"not a number with a decimal {name}, as in the rest of the file"
        )
    thousands = "." if chosen == "," else ","
    return Decimal(digits.replace(thousands, "").replace(",", "."))


def parse_money(
    column: pa.ChunkedArray, *, sign: Sign, minor_digits: int, currency: str
) -> Parsed:
    """Return amounts as integer minor units; more decimals are rounded half to even.

    At most six decimals are accepted; beyond that a cell is refused, as it is more
    likely not an amount.
    """
    import pyarrow as pa

    rounded: list[str] = []

    def parse(text: str) -> int:
        amount = to_number(text, sign, currency)
        scaled = amount.scaleb(minor_digits)
        whole = scaled.to_integral_value(ROUND_HALF_EVEN)
        if whole != scaled:
            if scaled.scaleb(MAX_DECIMALS - minor_digits) % 1 != 0:
                raise ValueError(f"more than {MAX_DECIMALS} decimals")
            rounded.append(text)
        if abs(whole) >= 10**15:
            raise ValueError("too large for an amount")
        return int(whole)

    parsed = _by_distinct(column, parse, pa.int64())
    if not rounded:
        return parsed
    note = (
        f"{len(rounded)} different amounts had more than {minor_digits} decimals and "
        f"were rounded half to even (first: {rounded[0]})"
    )
    return replace(parsed, notes=(note,))


def parse_integer(column: pa.ChunkedArray, *, sign: Sign) -> Parsed:
    """Return whole numbers."""
    import pyarrow as pa

    def parse(text: str) -> int:
        number = to_number(text, sign)
        if number % 1 != 0:
            raise ValueError("not a whole number")
        if abs(number) >= 10**18:
            raise ValueError("too large for a whole number")
        return int(number)

    return _by_distinct(column, parse, pa.int64())


_YES = frozenset(["yes", "y", "true", "t", "1"])
_NO = frozenset(["no", "n", "false", "f", "0"])


def to_bool(text: str) -> bool:
    """Return yes or no; raise `ValueError` for anything else."""
    word = text.strip().lower()
    if word in _YES:
        return True
    if word in _NO:
        return False
    raise ValueError("not yes or no; expected yes, no, true, false, 1 or 0")


def parse_bool(column: pa.ChunkedArray) -> Parsed:
    """Return yes/no cells as booleans."""
    import pyarrow as pa

    return _by_distinct(column, to_bool, pa.bool_())


def parse_instant(
    column: pa.ChunkedArray, *, order: DateOrder, timezone: str
) -> Parsed:
    """Return times as naive UTC timestamps.

    A time with an offset keeps it; one without is in `timezone`. In the hour that
    repeats in autumn the earlier of the two is taken; a time skipped in spring moves
    forward by the hour; both are counted in the notes. A date alone is its midnight.
    """
    import pyarrow as pa

    fast = _iso_instants(column, timezone)
    if fast is not None:
        return fast
    zone = ZoneInfo(timezone)
    odd: list[str] = []
    short: list[str] = []

    def parse(text: str) -> datetime:
        local, two_digits = to_instant(text, order)
        if two_digits:
            short.append(text)
        if local.tzinfo is None:
            local = local.replace(tzinfo=zone)
            if local.utcoffset() != local.replace(fold=1).utcoffset():
                odd.append(text)
        try:
            return local.astimezone(UTC).replace(tzinfo=None)
        except OverflowError:
            raise ValueError("outside the calendar") from None

    parsed = _by_distinct(column, parse, pa.timestamp("us"))
    notes = []
    if odd:
        notes.append(
            f"{len(odd)} different times fall in the hour that {timezone} repeats or "
            f"skips; the earlier instant was taken (first: {odd[0]})"
        )
    if short:
        notes.append(f"years of two digits were read as 20YY (first: {short[0]})")
    return replace(parsed, notes=tuple(notes))


def _iso_instants(column: pa.ChunkedArray, timezone: str) -> Parsed | None:
    """Parse a column that is ISO throughout and meets no odd hour; else None."""
    import pyarrow as pa
    import pyarrow.compute as pc

    encoded = column.combine_chunks().dictionary_encode()
    texts = pc.utf8_trim_whitespace(encoded.dictionary)
    texts = pc.if_else(pc.equal(pc.utf8_length(texts), 0), None, texts)
    utc = pa.timestamp("us", "UTC")
    try:
        values = pc.assume_timezone(pc.cast(texts, pa.timestamp("us")), timezone)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        try:
            values = pc.cast(texts, utc)  # every time carries its offset
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
            return None
    values = pc.cast(pc.cast(values, utc), pa.timestamp("us"))
    return Parsed(values=values.take(encoded.indices), faults={})


def to_instant(text: str, order: DateOrder) -> tuple[datetime, bool]:
    """Return a date and time as written, and whether its year had two digits.

    The result carries the offset given, else none.

    Raises:
        ValueError: With a reason for the owner.
    """
    match = WHEN.fullmatch(text.strip())
    if match is None:
        raise ValueError(
            "not a date; expected YYYY-MM-DD HH:MM:SS, with or without offset"
        )
    year, month, day = _date_parts(match[1], match[2], match[3], match[4], order)
    two_digits = len(year) == 2
    if len(year) not in (2, 4):
        raise ValueError("not a date; expected a year of four digits")
    hour = int(match[5] or 0)
    if match[9]:
        if not 1 <= hour <= 12:
            raise ValueError("not a time; expected 1 to 12 before AM or PM")
        hour = hour % 12 + (12 if match[9] in "Pp" else 0)
    try:
        local = datetime(
            int(year) + (2000 if two_digits else 0),
            int(month),
            int(day),
            hour,
            int(match[6] or 0),
            int(match[7] or 0),
            int((match[8] or "0")[:6].ljust(6, "0")),
            tzinfo=_offset(match[10]),
        )
    except ValueError as error:
        raise ValueError(f"not a date: {error}") from None
    return local, two_digits


def _date_parts(
    first: str, separator: str, second: str, third: str, order: DateOrder
) -> tuple[str, str, str]:
    """Return year, month and day."""
    if len(first) == 4:
        return first, second, third
    if separator == ".":
        return third, second, first
    if int(first) > 12 or (order == "d/m/Y" and int(second) <= 12):
        return third, second, first
    if int(second) > 12 or order == "m/d/Y" or int(first) == int(second):
        return third, first, second
    raise ValueError(
        "may be day/month or month/day, and nothing else in the file tells; "
        'state dates = "d/m/Y" or dates = "m/d/Y" in layout.toml'
    )


def _offset(text: str | None) -> timezone | None:
    if text is None:
        return None
    if text in ("Z", "UTC", "GMT"):
        return UTC
    digits = text[1:].replace(":", "").ljust(4, "0")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return timezone(-offset if text[0] == "-" else offset)
