"""Quantities of a text in one form: `1.5 m` and `150 cm` are one.

A list has its unit at each of its numbers. Works on folded text.
"""

from __future__ import annotations

import re

LONGEST_LISTS = 1_600
"""Characters up to which a list's unit is written at each of its numbers."""

_QUANTITIES: dict[str, tuple[str, float]] = {
    unit: (kind, factor)
    for kind, units in {
        "length": {
            "mm millimetre millimetres millimeter millimeters": 1.0,
            "cm centimetre centimetres centimeter centimeters": 10.0,
            "m metre metres meter meters": 1000.0,
            "km kilometre kilometres kilometer kilometers": 1_000_000.0,
            "in inch inches": 25.4,
            "ft foot feet": 304.8,
        },
        "mass": {
            "mg milligram milligrams": 0.001,
            "g gram grams gramme grammes": 1.0,
            "kg kilo kilos kilogram kilograms": 1000.0,
            "oz ounce ounces": 28.349523,
            "lb lbs pound pounds": 453.59237,
        },
        "volume": {
            "ml millilitre millilitres milliliter milliliters": 1.0,
            "cl": 10.0,
            "dl": 100.0,
            "l litre litres liter liters": 1000.0,
        },
        "time": {
            "second seconds sec secs s": 1.0,
            "minute minutes min mins": 60.0,
            "hour hours hr hrs h": 3600.0,
            "day days": 86_400.0,
            "week weeks": 604_800.0,
        },
        "months": {"month months": 1.0, "year years yr yrs": 12.0},
        "power": {"w watt watts": 1.0, "kw kilowatt kilowatts": 1000.0},
        "volt": {"v volt volts": 1.0},
        "share": {"% percent": 1.0},
        "degree": {
            "c celsius": 1.0,
            "degrees degree": 1.0,
        },
        "bytes": {"mb": 1.0, "gb gigabyte gigabytes": 1000.0, "tb": 1_000_000.0},
        "money": {"eur euro euros": 1.0},
        "dollar": {"usd dollar dollars": 1.0},
        "sterling": {"gbp": 1.0},
        "charge": {"mah": 1.0, "ah": 1000.0},
        "pressure": {"bar": 1.0, "psi": 0.0689476},
        "light": {"lm lumen lumens": 1.0},
        "energy": {"wh": 1.0, "kwh": 1000.0},
        "frequency": {"hz hertz": 1.0, "khz": 1e3, "mhz": 1e6, "ghz": 1e9},
        "noise": {"db decibel decibels": 1.0},
        "torque": {"nm": 1.0},
        "turns": {"rpm": 1.0},
        "food": {"kcal": 1.0},
    }.items()
    for names, factor in units.items()
    for unit in names.split()
}
"""Kind and factor to the kind's smallest unit, by unit as written."""

_UNIT = "|".join(sorted(map(re.escape, _QUANTITIES), key=len, reverse=True))
_PREFIXED = re.compile(r"([€£$]) ?(\d[\d.,]{0,12})")
_AMOUNT = re.compile(
    rf"(?<![\w.])(\d{{1,9}}(?:\.\d{{1,4}})?)(?: ?(?:°|degrees?) ?| ?-? ?)({_UNIT})"
    r"(?![a-z0-9])"
)
_HALF = re.compile(r"\b0\.5(?: an?|-)? ?(hour|litre|liter|kilo|metre|meter|day|year)\b")
_AND_HALF = re.compile(r"(?<![\w.])(\d{1,4}) and a (?:half|0\.5) ")
_AGED = re.compile(
    r"\b(?:aged?|ages)( (?:~[a-z]+ )?)(\d{1,2})\b"
    r"(?! ?-? ?(?:month|week|day|year|to|and))"
)
_ONE = re.compile(
    r"\b(?:an?|one) (hour|litre|liter|kilo|metre|meter|day|week|month|year|minute)\b"
    r"(?=$|[.,;)]| (?:to|of|at|in|on|and|or|per|after|for|before|from|with|takes?"
    r"|you|is|lasts?|makes?|covers?)\b)"
)
_LISTED = re.compile(
    rf"(?<![\w.#:])(\d{{1,9}}(?:\.\d{{1,4}})?) ?(-|to|x|×|by|,|,? or|,? and|/) ?"
    rf"(\d{{1,9}}(?:\.\d{{1,4}})?) ?-?((?:° ?)?(?:{_UNIT}))(?![a-z0-9])"
)

_RANGE = re.compile(r"(?<![\w.#:])(\d{1,9}(?:\.\d{1,4})?) ?(?:-|to) ?(?=\d)")
_TIED = frozenset({"-", "to", "x", "×", "by"})
"""Words and marks between numbers that are said of one thing in this order."""

_NUMBERED = re.compile(
    r"\b(?:size|number|no|model|version|type|din|ip|part|bluetooth|usb|hdmi|wifi|class"
    r"|level|step|stage|series|spf|tog|iso|en|mark|volume|book|grade|category"
    r"|gear)(?: of)? $"
)
_ALONE = re.compile(
    r"(?<![\w.#:/-])(\d{1,4}(?:\.\d{1,4})?)"
    rf"(?: ?(?P<unit>(?:° ?)?(?:{_UNIT}))(?![a-z0-9])"
    r"|(?= ?(?:[.,;]|$)| (?:on|for|in|with|when|at|under|without|after) ))"
)
_ONE_LEFT = re.compile(
    r"\b((?:for|on|in|with|other) (?:the |an? )?[a-z]{2,20}(?: [a-z]{2,20})?) one"
    r"(?= ?(?:[.,;]|$))|(?<=[a-z]{3})( for) one(?= ?(?:[.,;]|$))"
)
_TWO = re.compile(
    r"(#([a-z]{1,9}):[\d.]{1,16} (?: (?!and\b)[a-z]{1,20}){0,4}) and "
    r"((?:(?!and\b)[a-z]{1,20} ){1,5} ?#\2:)"
)
"""Two quantities of a kind, each said of its own: "the frame for 3 years and ..."."""


_YEAR = re.compile(r"(?:19|20)\d\d")
_BEFORE = re.compile(r"\b(with|at|in|for|on) (?:the )?$")
_PLACED = re.compile(
    r"(?<=\d) in (?=[a-z])(?!(?:by|x|long|wide|high|deep|thick|tall|across|diameter"
    r"|screen|and|or|to|in|of|when|version|pan|size)\b)"
)
"""An "in" after a number that is no inch: "October 2023 in Sardinia"."""


def _same_unit(plain: str) -> str:
    """Return a text in which "5 years on the frame, 2 on parts" has its unit twice."""
    units: dict[str, str] = {}

    def told(found: re.Match[str]) -> str:
        before = found.string[max(0, found.start() - 30) : found.start()]
        after = _BEFORE.search(before)
        place = after[1] if after else ""
        if found["unit"]:
            units[place] = units[""] = found["unit"]
            return found[0]
        # "780 g with 18 litres and 890 g with 22": each as it was said first.
        unit = units.get(place, units.get("", ""))
        bare = not unit or _NUMBERED.search(before) or _YEAR.fullmatch(found[1])
        return found[0] if bare else f"{found[1]} {unit}"

    if not _AMOUNT.search(plain):
        return plain
    return _ALONE.sub(told, _ONE_LEFT.sub(lambda m: f"{m[1] or m[2]} 1", plain))


def with_quantities(plain: str) -> str:
    """Return a text in which `95 cm` is one word, lists with their unit each."""
    plain = _PLACED.sub(" , in ", plain)
    plain = _AND_HALF.sub(r"\1.5 ", plain)
    plain = _AGED.sub(r"age \1\2 years", plain)
    plain = _ONE.sub(r"1 \1", _HALF.sub(r"0.5 \1", plain))
    before = ""
    while before != plain and len(plain) < LONGEST_LISTS:
        before, plain = plain, _LISTED.sub(_with_unit, plain, count=20)
    plain = _RANGE.sub(r"\1 × ", plain)
    return _TWO.sub(r"\1 ; \3", _AMOUNT.sub(_one_quantity, _same_unit(plain)))


def _with_unit(found: re.Match[str]) -> str:
    """Return two numbers of a list with their unit each; those of a range stay tied."""
    joint = "×" if found[2] in _TIED else ","
    return f"{found[1]} {found[4]} {joint} {found[3]} {found[4]}"


def _one_quantity(found: re.Match[str]) -> str:
    kind, factor = _QUANTITIES[found[2]]
    amount = f"{float(found[1]) * factor:.4f}".rstrip("0").rstrip(".")
    return f" #{kind}:{amount} "
