"""Text to terms: case and accents folded, units joined, stems, CJK as bigrams.

The one place where a text becomes what is indexed, so that a page and a search for it
are always cut alike.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from cartwheel.text.stem import stem
from cartwheel.text.units import measures, number

LONGEST = 100_000
"""Characters of a text that are read."""

LONGEST_WORD = 40
"""Letters of a word that count; longer ones are cut."""

STOP_WORDS = frozenset(
    word
    for line in (
        "a an and are as at be by for from i in is it its me my of on or our some",
        "that the this to up we with x you your",
    )
    for word in line.split()
)
"""English words that say nothing of a product."""

_WORD = re.compile(r"\d*\.?\d+(?:x\d*\.?\d+)+(?![^\W_])|\d*\.\d+[^\W\d_]*|[^\W_]+%?")
_MARK = re.compile(r"<[^<>]{0,500}>|&[a-z]{2,8};|&#\d{1,6};")
_APOSTROPHE = re.compile(r"(?<=[^\W\d_])['’`](?=[^\W\d_])")
_CJK = re.compile(
    "[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff"
    "\u0e00-\u0e7f\U00020000-\U0002ffff]+"
)
_INVISIBLE = dict.fromkeys(
    [*range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x206A), 0xFEFF]
)


def fold(text: str) -> str:
    """Return text in lower case without accents, marks of direction or mark-up."""
    text = text[:LONGEST]
    if text.isascii():
        text = text.lower()
    else:
        text = text.encode("utf-8", "replace").decode()  # no half of a pair
        text = unicodedata.normalize("NFKC", text).translate(_INVISIBLE).casefold()
        split = unicodedata.normalize("NFD", text)
        kept = [c for c in split if not unicodedata.combining(c)]
        text = unicodedata.normalize("NFC", "".join(kept))[:LONGEST]
    text = _MARK.sub(" ", text) if "<" in text or "&" in text else text
    return _APOSTROPHE.sub("", text)


def words(text: str) -> list[str]:
    """Return the words of a text in order: folded, numbers and units in one form."""
    found: list[str] = []
    for word in _WORD.findall(measures(fold(text))):
        if word.isascii() or not _CJK.search(word):
            found.append(_plain(word))
        else:
            found.extend(_bigrams(word))
    return found


def _plain(word: str) -> str:
    if word[0] in ".0123456789" and word.replace(".", "", 1).isdecimal():
        return number(word[:LONGEST_WORD])
    return word[:LONGEST_WORD]


def _bigrams(word: str) -> list[str]:
    """Cut a run without spaces between words into pairs of characters."""
    found: list[str] = []
    end = 0
    for run in _CJK.finditer(word):
        if run.start() > end:
            found.append(word[end : run.start()][:LONGEST_WORD])
        text, end = run.group(), run.end()
        pairs = [text[n : n + 2] for n in range(len(text) - 1)]
        found.extend(pairs or [text])
    if end < len(word):
        found.append(word[end:][:LONGEST_WORD])
    return found


_VARIANTS = {
    "grey": "gray",
    "colour": "color",
    "flavour": "flavor",
    "mould": "mold",
    "aluminium": "aluminum",
    "tyre": "tire",
    "jewellery": "jewelry",
    "pyjama": "pajama",
    "moustach": "mustach",
    "plough": "plow",
    "fibre": "fiber",
    "centre": "center",
    "metre": "meter",
    "litre": "liter",
    "theatre": "theater",
    "catalogue": "catalog",
    "cosy": "cozy",
}
"""British and American spellings of one word, by the beginning of the word."""

_SHORT = {"thru": "through", "lite": "light", "nite": "night"}
"""Shop spellings, of whole words only."""

_VARIED = re.compile("|".join(sorted(_VARIANTS, key=len, reverse=True)))


@lru_cache(maxsize=200_000)
def term(word: str) -> str:
    """Return the term a word is indexed under."""
    word = _SHORT.get(word, word)
    found = _VARIED.match(word)
    if found and len(word) - found.end() <= 4:
        word = _VARIANTS[found.group()] + word[found.end() :]
    return stem(word)


def terms(text: str) -> list[str]:
    """Return the terms of a text in order."""
    return [term(word) for word in words(text)]
