"""The Snowball English stemmer ("Porter 2"): words of one root become one term.

Our own, since it is short and would otherwise be the only compiled package that an
answer needs. Words with a letter outside a to z are returned as they are.

References:
    Porter, M. F. (2001), "Snowball: a language for stemming algorithms";
    snowballstem.org/algorithms/english/stemmer.html.
"""

from __future__ import annotations

import re
from functools import lru_cache

VOWEL = "aeiouy"
_PLAIN = re.compile(r"[a-z]+")
_R1 = re.compile(r"[aeiouy][^aeiouy]")
_EXCEPTIONS = {
    "skis": "ski",
    "skies": "sky",
    "idly": "idl",
    "gently": "gentl",
    "ugly": "ugli",
    "early": "earli",
    "only": "onli",
    "singly": "singl",
    "sky": "sky",
    "news": "news",
    "howe": "howe",
    "atlas": "atlas",
    "cosmos": "cosmos",
    "bias": "bias",
    "andes": "andes",
}
_KEPT_AFTER_1A = (
    *("inning", "outing", "canning", "herring", "earring", "evening"),
    *("proceed", "exceed", "succeed"),
)
_LONG_STEMS = (
    "gener",
    "commun",
    "arsen",
    "past",
    "univers",
    "later",
    "emerg",
    "organ",
    "inter",
)
_STEP_2 = (
    ("ization", "ize"),
    ("ational", "ate"),
    ("fulness", "ful"),
    ("ousness", "ous"),
    ("iveness", "ive"),
    ("tional", "tion"),
    ("biliti", "ble"),
    ("lessli", "less"),
    ("entli", "ent"),
    ("ation", "ate"),
    ("alism", "al"),
    ("aliti", "al"),
    ("ousli", "ous"),
    ("iviti", "ive"),
    ("fulli", "ful"),
    ("enci", "ence"),
    ("anci", "ance"),
    ("abli", "able"),
    ("izer", "ize"),
    ("ator", "ate"),
    ("alli", "al"),
    ("bli", "ble"),
)
_STEP_3 = (
    ("ational", "ate"),
    ("tional", "tion"),
    ("alize", "al"),
    ("icate", "ic"),
    ("iciti", "ic"),
    ("ical", "ic"),
    ("ness", ""),
    ("ful", ""),
)
_STEP_4 = (
    *("ement", "ance", "ence", "able", "ible", "ment", "ant", "ent", "ism", "ate"),
    *("iti", "ous", "ive", "ize", "al", "er", "ic"),
)


@lru_cache(maxsize=200_000)
def stem(word: str) -> str:
    """Return the stem of a lower-case English word."""
    if len(word) <= 2 or not _PLAIN.fullmatch(word):
        return word
    if word in _EXCEPTIONS:
        return _EXCEPTIONS[word]
    # A y that is a consonant is written Y until the end.
    text = "Y" + word[1:] if word[0] == "y" else word
    text = re.sub(r"(?<=[aeiouy])y", "Y", text)
    first, second = _regions(text)
    text = _step_1a(text)
    if text in _KEPT_AFTER_1A:
        return text.lower()
    text = _step_1bc(text, first)
    text = _step_2_and_3(text, first, second)
    text = _step_4_and_5(text, first, second)
    return text.lower()


def _regions(text: str) -> tuple[int, int]:
    first = len(text)
    for start in _LONG_STEMS:
        if text.startswith(start):
            first = len(start)
            break
    else:
        found = _R1.search(text)
        if found:
            first = found.end()
    found = _R1.search(text, first)
    return first, found.end() if found else len(text)


def _has_vowel(text: str) -> bool:
    return any(letter in VOWEL for letter in text)


def _short_end(text: str) -> bool:
    """Tell whether a text ends in a short syllable."""
    if len(text) == 2:
        return text[0] in VOWEL and text[1] not in VOWEL
    return text == "past" or (
        len(text) > 2
        and text[-1] not in VOWEL + "wxY"
        and text[-2] in VOWEL
        and text[-3] not in VOWEL
    )


def _step_1a(text: str) -> str:
    if text.endswith("sses"):
        return text[:-2]
    if text.endswith(("ied", "ies")):
        return text[:-2] if len(text) > 4 else text[:-1]
    if text.endswith(("us", "ss")) or not text.endswith("s"):
        return text
    return text[:-1] if _has_vowel(text[:-2]) else text


def _step_1bc(text: str, first: int) -> str:
    for end in ("eedly", "eed"):
        if text.endswith(end):
            text = text[: -len(end)] + "ee" if len(text) - len(end) >= first else text
            break
    else:
        for end in ("ingly", "edly", "ing", "ed"):
            if text.endswith(end):
                text = _without_ending(text, text[: -len(end)], end, first)
                break
    if len(text) > 2 and text[-1] in "yY" and text[-2] not in VOWEL:
        text = text[:-1] + "i"
    return text


def _without_ending(text: str, rest: str, end: str, first: int) -> str:
    if end == "ing" and len(rest) == 2 and rest[1] == "y" and rest[0] not in VOWEL:
        return rest[0] + "ie"
    if not _has_vowel(rest):
        return text
    if rest.endswith(("at", "bl", "iz")):
        return rest + "e"
    double = rest[-2:] in ("bb", "dd", "ff", "gg", "mm", "nn", "pp", "rr", "tt")
    if double:
        return rest if len(rest) == 3 and rest[0] in "aeo" else rest[:-1]
    if len(rest) <= first and _short_end(rest):
        return rest + "e"
    return rest


def _step_2_and_3(text: str, first: int, second: int) -> str:
    for end, instead in _STEP_2:
        if text.endswith(end):
            if len(text) - len(end) >= first:
                text = text[: -len(end)] + instead
            break
    else:
        if text.endswith("ogist"):
            text = text[:-2] if len(text) - 5 >= first else text
        elif text.endswith("ogi") and len(text) - 3 >= first and text[-4:-3] == "l":
            text = text[:-1]
        elif text.endswith("li") and len(text) - 2 >= first:
            text = text[:-2] if text[-3:-2] in tuple("cdeghkmnrt") else text
    for end, instead in _STEP_3:
        if text.endswith(end):
            return (
                text[: -len(end)] + instead if len(text) - len(end) >= first else text
            )
    if text.endswith("ative") and len(text) - 5 >= second:
        return text[:-5]
    return text


def _step_4_and_5(text: str, first: int, second: int) -> str:
    for end in _STEP_4:
        if text.endswith(end):
            text = text[: -len(end)] if len(text) - len(end) >= second else text
            break
    else:
        if text.endswith("ion") and len(text) - 3 >= second and text[-4:-3] in "st":
            text = text[:-3]
    if text.endswith("e"):
        at = len(text) - 1
        if at >= second or (at >= first and not _short_end(text[:-1])):
            return text[:-1]
    elif text.endswith("l") and len(text) - 1 >= second and text[-2:-1] == "l":
        return text[:-1]
    return text
