"""Which rules can hold for a text at all, told by three letters in a row.

A rule is a regular expression of many ways to say a thing, and nearly none of them is
in a given sentence. Of an expression it is worked out once which letters in a row any
match must hold one of; a sentence without them is not searched. It is the old way of
trigram indexes for regular expressions (Cox, "Regular Expression Matching with a
Trigram Index", 2012).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from re import _parser  # type: ignore[attr-defined]
from typing import Any

LETTERS = 3
_COMMON = frozenset(
    re.findall(
        r"\w{3}",
        "the and ing not was for but thi his ery are ver all you wit ith hat tha ere "
        "her hav ave too ent ion did can ust oul uld ore out oes wil ike que ado est "
        "nao com ada pro rod odu dut uto par ara mui uit ito nte mas men ega reg tre "
        "ntr pra por omp mpr pre rec ece ceb ebi che heg ego gou vei eio mai ais ate "
        "dia ias qua uma mei eus meu loj oja tem dos das ser ess ste sem ele",
    )
)
"""Letters that many texts have: they leave out little."""
_DEAR = 20


class Gate:
    """Expressions by the letters that a match of them must hold.

    Args:
        patterns: Regular expressions, in lower case; they are known by their place.
    """

    __slots__ = ("_always", "_by_letters", "_known")

    def __init__(self, patterns: Iterable[str]) -> None:
        by_letters: dict[str, list[int]] = {}
        always = []
        for place, pattern in enumerate(patterns):
            needed = letters_needed(pattern)
            if not needed:
                always.append(place)
            for letters in needed:
                by_letters.setdefault(letters, []).append(place)
        self._always = frozenset(always)
        self._by_letters = by_letters
        self._known = frozenset(by_letters)

    def likely(self, letters: frozenset[str]) -> list[int]:
        """Return the places, in order, of the expressions that may match.

        Args:
            letters: `letters_of` the text; parts of it may be taken out later.
        """
        found = set(self._always)
        for known in letters & self._known:
            found.update(self._by_letters[known])
        return sorted(found)


def letters_of(text: str) -> frozenset[str]:
    """Return all letters of a text that stand in a row."""
    ends = range(len(text) - LETTERS + 1)
    return frozenset([text[at : at + LETTERS] for at in ends])


def letters_needed(pattern: str) -> frozenset[str]:
    """Return letters in a row of which any match holds one, none where that is unsure.

    They hold no space, so that they stay in a row where parts of a text are taken out.
    """
    return _needed(_parser.parse(pattern))


def _needed(parsed: Any) -> frozenset[str]:
    """Return the letters of the part of a sequence that leaves out most texts."""
    choices = [frozenset({_rarest(run)}) for run in _runs(parsed)]
    for operation, value in parsed:
        name = str(operation)
        if name == "SUBPATTERN":
            choices.append(_needed(value[3]))
        elif name in ("MAX_REPEAT", "MIN_REPEAT") and value[0] >= 1:
            choices.append(_needed(value[2]))
        elif name == "BRANCH":
            parts = [_needed(part) for part in value[1]]
            choices.append(frozenset().union(*parts) if all(parts) else frozenset())
    return min(filter(None, choices), key=_cost, default=frozenset())


def _runs(parsed: Any) -> Iterator[str]:
    """Yield the letters and digits that stand in a row, from three on."""
    run = ""
    for operation, value in [*parsed, ("END", None)]:
        if str(operation) == "LITERAL" and chr(value).isalnum():
            run += chr(value)
            continue
        if len(run) >= LETTERS:
            yield run
        run = ""


def _rarest(run: str) -> str:
    ends = range(len(run) - LETTERS + 1)
    return min((run[at : at + LETTERS] for at in ends), key=lambda one: one in _COMMON)


def _cost(needed: frozenset[str]) -> int:
    return sum(_DEAR if letters in _COMMON else 1 for letters in needed)
