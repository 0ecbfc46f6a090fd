"""Texts to numbers of what they are made of: stems and their pairs, runs of letters.

A gram is kept as a 32-bit checksum of its spelling, so that what was learned holds no
customer's words. Of 250,000 grams some seven share a number with another, which does no
harm.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from itertools import pairwise
from zlib import crc32

from cartwheel.text.tokens import term, words

LONGEST = 4_000
"""Characters of a text that are read."""

NEAR = 10
"""Words of a pair stand at most this far from each other."""

INSIDE = (2, 5)
"""Letters of a run inside a word, its borders counted."""

ACROSS = (3, 6)
"""Letters of a run that may go over words."""


def word_grams(text: str) -> list[int]:
    """Return stems, two stems in a row, and pairs of stems near each other.

    A pair is the same in either order: "where is my card" and "my card is where".
    """
    said = [term(word) for word in words(text[:LONGEST])]
    found = [_number(f"w{one}") for one in said]
    found += [_number(f"b{a} {b}") for a, b in pairwise(said)]
    for at, one in enumerate(said):
        for other in said[at + 1 : at + 1 + NEAR]:
            if one != other:
                low, high = (one, other) if one < other else (other, one)
                found.append(_number(f"p{low} {high}"))
    return found


def letter_grams(text: str) -> list[int]:
    """Return runs of letters inside words and over them: they bear slips of typing."""
    said = words(text[:LONGEST])
    found: list[int] = []
    for word in said:
        found += _inside(word)
    found += _runs(f" {' '.join(said)} ", ACROSS, "x")
    return found


Grams = Callable[[str], list[int]]

VIEWS: Mapping[str, Grams] = {"words": word_grams, "letters": letter_grams}
"""Ways to look at a text; a model is learned on each, and their scores are averaged."""


@lru_cache(maxsize=50_000)
def _inside(word: str) -> tuple[int, ...]:
    return tuple(_runs(f" {word} ", INSIDE, "c"))


def _runs(text: str, lengths: tuple[int, int], kind: str) -> list[int]:
    low, high = lengths
    return [
        _number(kind + text[at : at + n])
        for n in range(low, min(high, len(text)) + 1)
        for at in range(len(text) - n + 1)
    ]


def _number(gram: str) -> int:
    return crc32(gram.encode("utf-8", "replace"))
