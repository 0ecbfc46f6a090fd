"""Numbers and units in one form: `3/4"`, `0.75 inch` and `¾ in.` are `0.75in`.

Works on text that is already folded (`tokens.fold`). A number with a unit becomes one
term, so that a search for `10 ft` meets neither `10 in` nor `ft` alone; dimensions such
as `2 in. x 4 in.` also give the compound `2x4`.
"""

from __future__ import annotations

import re

UNITS: dict[str, str] = {
    written: unit
    for unit, spellings in {
        "in": "in inch inches inchs \" '' ″",
        "ft": "ft foot feet ' ′",
        "yd": "yd yds yard yards",
        "mm": "mm millimeter millimeters millimetre millimetres",
        "cm": "cm centimeter centimeters centimetre centimetres",
        "m": "m meter meters metre metres",
        "sqft": "sqft sq.ft. sq.ft",
        "cuft": "cuft cu.ft. cu.ft",
        "gal": "gal gals gallon gallons",
        "qt": "qt qts quart quarts",
        "pt": "pt pts pint pints",
        "oz": "oz ounce ounces",
        "floz": "floz",
        "ml": "ml milliliter milliliters millilitre millilitres",
        "cl": "cl",
        "l": "l liter liters litre litres",
        "lb": "lb lbs pound pounds",
        "g": "g gram grams gramme grammes",
        "kg": "kg kgs kilo kilos kilogram kilograms",
        "v": "v volt volts",
        "w": "w watt watts",
        "kw": "kw kilowatt kilowatts",
        "a": "amp amps ampere amperes",
        "hp": "hp horsepower",
        "btu": "btu btus",
        "gb": "gb gigabyte gigabytes",
        "tb": "tb terabyte terabytes",
        "mah": "mah",
        "pc": "pc pcs piece pieces",
        "pk": "pk pack packs",
        "ct": "ct count",
        "ga": "ga gauge",
        "deg": "° deg degree degrees",
        "%": "% percent",
    }.items()
    for written in spellings.split()
}
"""How units are written, and the one form each is given."""

_SQUARED = re.compile(r"\b(sq|square|cu|cubic|fl)\.?\s*(ft|feet|foot|oz|ounces?)\b")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_MIXED = re.compile(r"(?<![\d./])(\d+)[-\s]+(\d+)\s*[/⁄]\s*(\d+)(?![\d/])")
_FRACTION = re.compile(r"(?<![\d./])(\d{1,4})\s*[/⁄]\s*(\d{1,4})(?![\d/])")
_LONG = sorted(UNITS, key=len, reverse=True)
_MEASURE = re.compile(
    r"(?<![\w.])(\d*\.?\d+)\s*-?\s*("
    + "|".join(re.escape(u) for u in _LONG)
    + r")(?![\w])\.?"
)
_TIMES = re.compile(r"(?<=[\da-z%\"'.])\s*[x×*]\s*(?=\.?\d)")
_BY = re.compile(r"(?<=[\d\"'])\s+by\s+(?=\d)")
_SIDE = r"(\d*\.?\d+)([a-z]{0,4})"
_SIDES = re.compile(rf"(?<![\w.]){_SIDE}((?:\s*×\s*{_SIDE})+)(?!\w)")


def number(text: str) -> str:
    """Return a decimal number without needless zeros: `0.750` is `0.75`."""
    whole, point, part = text.partition(".")
    whole = whole.lstrip("0") or "0"
    part = part.rstrip("0")
    return f"{whole}.{part}" if point and part else whole


_MEASURED = re.compile(r"(\d+(?:\.\d+)?)([a-z%]{1,4})")


def bare(word: str) -> str | None:
    """Return the number of a measure, `30` of `30in`; None for any other word."""
    found = _MEASURED.fullmatch(word)
    known = found is not None and found.group(2) in UNITS.values()
    return found.group(1) if found and known else None


def measures(text: str) -> str:
    """Return folded text with numbers, fractions, units and dimensions in one form."""
    if not any("0" <= letter <= "9" for letter in text):
        return text
    text = _THOUSANDS.sub("", text)
    text = _SQUARED.sub(lambda m: _squared(m.group(1), m.group(2)), text)
    text = _MIXED.sub(lambda m: _quotient(m, 1, 2, 3), text)
    text = _FRACTION.sub(lambda m: _quotient(m, None, 1, 2), text)
    text = _BY.sub(" x ", text)
    text = _TIMES.sub(" × ", text)
    text = _MEASURE.sub(_measure, text)
    return _SIDES.sub(_sides, text)


def _squared(power: str, unit: str) -> str:
    short = "floz" if power == "fl" else ("sqft" if power[0] == "s" else "cuft")
    fluid = unit.startswith("o")
    return f"{short} " if fluid == (power == "fl") else f"{power} {unit} "


def _quotient(found: re.Match[str], whole: int | None, top: int, under: int) -> str:
    divisor = int(found.group(under))
    if divisor == 0 or len(found.group(0)) > 20:
        return found.group(0)
    before = int(found.group(whole)) if whole is not None else 0
    return number(f"{before + int(found.group(top)) / divisor:.4f}")


def _measure(found: re.Match[str]) -> str:
    return f"{number(found.group(1))}{UNITS[found.group(2)]} "


def _sides(found: re.Match[str]) -> str:
    """Return the sides as they are, and the bare numbers joined: `2x4`."""
    sides = re.findall(_SIDE, found.group(0).replace("×", " "))
    joined = "x".join(number(value) for value, _ in sides if value)
    each = " ".join(f"{number(value)}{unit}" for value, unit in sides if value)
    pair = "x".join(number(value) for value, _ in sides[:2] if value)
    extra = f" {pair}" if pair != joined else ""
    return f" {each} {joined}{extra} "
