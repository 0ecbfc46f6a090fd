"""Sorts of answer a text holds: a time, a sum of money, a length, an address, ...

One table for questions and texts: "is it long enough for a 9 m hedge" names a length,
and a sentence that holds a length may answer it.
"""

from __future__ import annotations

import re

from cartwheel.text.asking.lexicon import Lexicon

MEASURES = ("length", "weight", "volume", "temperature", "power")
"""Sorts that a number with a unit tells, in a question as well as in a text."""

_NUMBER = r"\d[\d.,]*\s*-?\s*"
_HELD = {
    "duration": re.compile(
        r"\d[\d\s-]*(?:working |business |opening )?"
        r"(?:second|minute|hour|day|week|month|year"
        r"|segundo|minuto|hora|dia|semana|mes|ano)"
        r"|\b(?:one|two|three|four|five|six|seven|ten|twelve|next|same|um|dois|tres) "
        r"(?:working |business )?(?:hour|day|week|month|year|hora|dia|semana|mes|ano)"
        r"|\b\d{1,2}(?::\d\d)? ?(?:am|pm|h)\b|\b\d{1,2}:\d\d\b"
        r"|\b(?:mon|tues|wednes|thurs|fri|satur|sun)day"
        r"|\b(?:mon|tue|wed|thu|fri|sat|sun) ?(?:-|\d|closed)"
        r"|\b\d{1,2} (?:january|february|march|april|may|june|july|august|september"
        r"|october|november|december)\b"
    ),
    "money": re.compile(
        r"\d+[.,]\d\d\b|[$£€]"
        r"|\b(?:usd|eur|gbp|brl|dkk|sek|nok|chf|pln|czk|cad|aud|kr|r\$|euros?|pounds?|dollars?|reais|cents?)\b"
        r"|\bfree (?:of charge|delivery|shipping|return)|\b(?:is|are|for) free\b"
        r"|\bgratis\b|\bgratuit|\b(?:no|without|any) (?:charge|fee|cost)\b|\d ?%"
        r"|\bat (?:our|your|no) (?:own )?(?:cost|expense)\b|\bcosts? (?:nothing|you)\b"
    ),
    "place": re.compile(
        r"\b\d+[a-z]? [a-z]+ (?:street|road|lane|avenue|square|st|rd|way|drive)\b"
        r"|\b(?:rua|avenida) [a-z]|\b(?:opposite|next to|on the corner)\b"
    ),
    "reach": re.compile(r"\S@\S+\.\S|(?:\+|\b0)\d[\d\s/-]{6,}\d"),
    "length": re.compile(
        _NUMBER + r"(?:mm|cm|m|km|in|inch(?:es)?|ft|feet|foot|met(?:re|er)s?)\b"
    ),
    "weight": re.compile(
        _NUMBER + r"(?:kg|g|kilos?|kilograms?|grams?|lbs?|oz|ounces?|pounds?|tons?)\b"
    ),
    "volume": re.compile(_NUMBER + r"(?:ml|l|cl|litr[eo]s?|liters?|gallons?|pints?)\b"),
    "temperature": re.compile(r"-?\d+\s*(?:°|º|deg(?:rees)?|graus)"),
    "power": re.compile(
        _NUMBER + r"(?:w|watts?|v|volts?|mah|ah|wh|kwh|kw|lumens?|lm)\b"
    ),
    "count": re.compile(r"\b\d+ (?!€|eur|pm\b|am\b)[a-z]{3,}"),
}


def kinds_held(folded: str) -> frozenset[str]:
    """Return the sorts of answer a text holds.

    Args:
        folded: A folded text.
    """
    return frozenset(name for name, rule in _HELD.items() if rule.search(folded))


def kinds_wanted(folded: str, known: Lexicon) -> frozenset[str]:
    """Return the sorts of answer a question wants, by its words and its measures.

    Args:
        folded: A folded question.
        known: The words of its language.
    """
    asked = {name for name, rule in known.kinds.items() if rule.search(folded)}
    asked |= {name for name in MEASURES if _HELD[name].search(folded)}
    return frozenset(asked)
