"""Texts as an opinion is read from them: stems, stems that are denied, the headline."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from zlib import crc32

from cartwheel.text.learned.grams import LONGEST, Grams
from cartwheel.text.tokens import term, words

DENIED = 4
"""Words after a denial that it turns."""

LONGEST_HEADLINE = 120
"""Characters of a first line that is a headline and not the text itself."""

DENIALS = frozenset(
    word
    for line in (
        "not no never nothing without hardly neither nor cannot cant couldnt wouldnt",
        "wont isnt wasnt arent werent dont didnt doesnt havent hasnt hadnt too",
    )
    for word in line.split()
)
"""Folded English words; "too" denies as well: "too tight" is no praise of tightness."""

_TURN = re.compile(r"[.!?;,\n]+|\bbut\b|\bhowever\b", re.IGNORECASE)


def stem_grams(text: str) -> list[int]:
    """Return stems and two stems in a row."""
    return _numbers(_pairs([term(word) for word in words(text[:LONGEST])]))


def denied_grams(text: str) -> list[int]:
    """Return stems, those after a denial marked, and two in a row."""
    return _numbers(_pairs(denied(text)))


def headline_grams(text: str) -> list[int]:
    """Return stems and pairs of a first line that stands above the text."""
    head, line, _ = text[:LONGEST].partition("\n")
    if not line or len(head) > LONGEST_HEADLINE:
        return []
    return _numbers(_pairs([term(word) for word in words(head)]))


VIEWS: Mapping[str, Grams] = {
    "stems": stem_grams,
    "denied": denied_grams,
    "headline": headline_grams,
}


def about_grams(text: str, category: str) -> list[int]:
    """Return a text's grams, and its stems crossed with parts of a category's name.

    Args:
        text: A sentence.
        category: What is judged; parts of its name are set apart by `#`.
    """
    said = denied(text)
    plain = _pairs([term(word) for word in words(text[:LONGEST])])
    parts = [category, *category.split("#")]
    found = [f"s{one}" for one in plain] + [f"n{one}" for one in _pairs(said)]
    found += [f"k{at}{part}" for at, part in enumerate(parts)]
    for at, part in enumerate(parts[1:]):
        found += [f"x{at}{part}|{one}" for one in said]
    return _numbers(found)


def denied(text: str) -> list[str]:
    """Return the stems of a text; a denial marks the next ones of its clause."""
    found = []
    for clause in _TURN.split(text[:LONGEST]):
        left = 0
        for word in words(clause):
            found.append(f"no~{term(word)}" if left > 0 else term(word))
            left = DENIED if word in DENIALS else left - 1
    return found


def _pairs(said: Sequence[str]) -> list[str]:
    return [*said, *(f"{a} {b}" for a, b in pairwise(said))]


def _numbers(grams: Sequence[str]) -> list[int]:
    return [crc32(gram.encode("utf-8", "replace")) for gram in grams]
