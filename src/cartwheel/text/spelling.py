"""Spelling: a word nobody uses becomes the likeliest word the catalogue knows.

The candidates of a word are all known words within two edits, found by deleting
letters on both sides (Garbe's symmetric deletes), so that the number of known words
hardly matters. Among them the likeliest wins: how often a word is used times how
likely such a slip is. A word the catalogue knows is never changed.

References:
    Garbe, W. (2012), "1000x faster spelling correction"; Kernighan, Church and Gale
    (1990), "A spelling correction program based on a noisy channel model".
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from typing import Any

import numpy as np

from cartwheel.text.packed import hashed, pack, unpack

Array = np.ndarray[Any, Any]

SHORTEST = 4
"""Letters of the shortest word that is corrected."""

TWICE_FROM = 7
"""Letters from which two slips are thought of."""

PREFIX = 8
"""Letters at the beginning that deletes are made of; the rest is compared only."""

LONGEST = 30
"""Letters of the longest word that is corrected."""

SLIP = 2.6
"""Natural logarithm of how much less likely each further slip is."""

_NEAR = {
    frozenset(pair)
    for row in ("qwertyuiop", "asdfghjkl", "zxcvbnm")
    for pair in pairwise(row)
}
_ALIKE = {
    frozenset(pair) for pair in ("ie", "ea", "ou", "ao", "ck", "sc", "sz", "iy", "ae")
}


def learn_spelling(counts: Mapping[str, float]) -> dict[str, Array]:
    """Return what corrections are made from, as arrays.

    Args:
        counts: How often each word is used; words with digits are never offered.
    """
    known = sorted(w for w in counts if SHORTEST - 1 <= len(w) <= LONGEST and _plain(w))
    text, start = pack(known)
    found: list[int] = []
    owner: list[int] = []
    for number, word in enumerate(known):
        for shorter in _deletes(word):
            found.append(hashed(shorter))
            owner.append(number)
    keys = np.array(found, np.uint64)
    order = np.argsort(keys, kind="stable")
    return {
        "word_text": text,
        "word_start": start,
        "word_count": np.array([counts[word] for word in known], np.float32),
        "delete_hash": keys[order],
        "delete_word": np.array(owner, np.int32)[order],
    }


def corrected(
    arrays: Mapping[str, Array], word: str, *, most: int = 1
) -> list[tuple[str, float]]:
    """Return the likeliest known words for an unknown one, with their shares.

    Args:
        arrays: What `learn_spelling` returned.
        word: A folded word that the catalogue does not know.
        most: Words returned at most.
    """
    if not SHORTEST <= len(word) <= LONGEST or not _plain(word):
        return []
    limit = 2 if len(word) >= TWICE_FROM else 1
    best: dict[str, float] = {}
    for number in _candidates(arrays, word):
        other = unpack(arrays["word_text"], arrays["word_start"], number)
        if abs(len(other) - len(word)) > limit:
            continue
        slips = distance(word, other, limit + 0.01)
        if slips <= limit and not (slips > 1 and other[0] != word[0]):
            count = float(arrays["word_count"][number])
            best[other] = math.log(count + 0.5) - SLIP * slips
    ranked = sorted(best.items(), key=lambda one: (-one[1], one[0]))[:most]
    if not ranked:
        return []
    top = ranked[0][1]
    weights = [math.exp(score - top) for _, score in ranked]
    return [
        (name, weight / sum(weights))
        for (name, _), weight in zip(ranked, weights, strict=True)
    ]


def split(
    word: str, count: Callable[[str], float], *, shortest: int = 2
) -> tuple[str, str] | None:
    """Return two known words that were written as one, or None.

    Args:
        word: A word that is not known.
        count: How often a word is used, 0 for an unknown one.
        shortest: Letters of the shortest part.
    """
    best, found = 0.0, None
    for at in range(shortest, min(len(word), LONGEST) - shortest + 1):
        first, second = count(word[:at]), count(word[at:])
        score = min(first, second) * min(at, len(word) - at) ** 2
        if score > best:
            best, found = score, (word[:at], word[at:])
    return found


def distance(one: str, other: str, limit: float) -> float:
    """Return weighted edits between words: slips of near keys and sounds cost less.

    Letters in the wrong order are one slip (optimal string alignment). Stops early and
    returns infinity above `limit`.
    """
    before: list[float] = []
    row = [float(n) for n in range(len(other) + 1)]
    for i, left in enumerate(one, 1):
        earlier, before, row = before, row, [float(i)]
        for j, right in enumerate(other, 1):
            if left == right:
                row.append(before[j - 1])
                continue
            cost = min(before[j - 1] + _swap(left, right), before[j] + 1, row[-1] + 1)
            doubled = (i > 1 and left == one[i - 2]) or (
                j > 1 and right == other[j - 2]
            )
            if doubled:
                cost = min(cost, before[j] + 0.6, row[-1] + 0.6)
            if i > 1 and j > 1 and left == other[j - 2] and one[i - 2] == right:
                cost = min(cost, earlier[j - 2] + 0.8)
            row.append(cost)
        if min(row) > limit:
            return math.inf
    return row[-1]


def _swap(left: str, right: str) -> float:
    pair = frozenset((left, right))
    return 0.7 if pair in _ALIKE else 0.85 if pair in _NEAR else 1.0


def _plain(word: str) -> bool:
    return word.isalpha()


def _deletes(word: str) -> Iterator[str]:
    """Yield the beginning of a word with up to two letters left out."""
    begun = word[:PREFIX]
    seen = {begun}
    edge = {begun}
    for _ in range(2 if len(word) >= TWICE_FROM - 2 else 1):
        edge = {w[:n] + w[n + 1 :] for w in edge for n in range(len(w))}
        seen |= edge
    yield from sorted(seen)


def _candidates(arrays: Mapping[str, Array], word: str) -> list[int]:
    keys, owner = arrays["delete_hash"], arrays["delete_word"]
    if not len(keys):
        return []
    wanted = np.array([hashed(shorter) for shorter in _deletes(word)], np.uint64)
    first = keys.searchsorted(wanted, "left")
    last = keys.searchsorted(wanted, "right")
    runs = [owner[a:b] for a, b in zip(first, last, strict=True) if b > a]
    return np.unique(np.concatenate(runs)).tolist() if runs else []
