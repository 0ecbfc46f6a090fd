"""What a claim counts, and ranges of options told in short.

"Three attachments" is no number that a fact tells, but the length of its list; "sizes
40 to 43" are options that each some variant has.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from cartwheel.text.claims.knowledge import knowledge
from cartwheel.text.claims.reading import Token
from cartwheel.text.claims.source import Saying, Source
from cartwheel.text.claims.words import english, read

LONGEST_RANGE = 15
"""Options that a range may stand for."""

_OPTIONS = ("version", "option", "variant", "model", "choice", "varieti")
"""Terms by which the variants may be counted."""
_ITEM = re.compile(r", | and |; ")
_NUMBERED = re.compile(r"\d|\b(?:one|both|each|several|pair|pairs|set)\b")
_RANGE = re.compile(
    r"\b(\d{1,3}|x{0,3}[sl]|m) ?(?:to|-|through|up to) ?(\d{1,3}|x{0,3}[sl]|m)\b"
    r"(?! ?(?:cm|mm|m|l|g|kg|days?|weeks?|months?|years?|%|°))",
    re.IGNORECASE,
)
_LETTERS = ("xxxs", "xxs", "xs", "s", "m", "l", "xl", "xxl", "xxxl")


def lengths(sources: Iterable[Source]) -> frozenset[tuple[str, str]]:
    """Return what the facts list, each name with how many its list has.

    A list whose items have numbers of their own is not counted: "two side pockets, one
    at the back" are three pockets, not two.

    Args:
        sources: The facts.
    """
    found: set[tuple[str, str]] = set()
    for source in sources:
        if source.kind == "variants":
            options = source.text.split("\n")
            if not any("/" in one for one in options):
                found |= {(term, str(len(options))) for term in _OPTIONS}
        elif source.kind == "attribute":
            items = [one for one in _ITEM.split(english(source.text)) if one.strip()]
            measured = all(_is_amount(one) for one in items)
            if len(items) > 1 and (
                measured or not any(_NUMBERED.search(one) for one in items)
            ):
                found |= {(t, str(len(items))) for t in read(source.name).terms}
    return frozenset(found)


def _is_amount(text: str) -> bool:
    tokens = read(text).tokens
    return bool(tokens) and all(t.is_quantity for t in tokens)


def counted(
    tokens: Sequence[Token], at: int, listed: frozenset[tuple[str, str]]
) -> bool:
    """Whether a number only counts what a fact lists, named within three words.

    Args:
        tokens: Terms of the claim.
        at: Place of the number.
        listed: What the facts list, with how many.
    """
    number = tokens[at]
    if not number.term.isdigit() or number.hedges or number.denials:
        return False
    clause = [t for t in tokens[at + 1 : at + 4] if t.clause == number.clause]
    return any((t.term, number.term) in listed for t in clause)


def spelled(text: str, options: Iterable[frozenset[str]]) -> str:
    """Return a text in which a range of options is a list of them.

    Args:
        text: A sentence.
        options: Terms of each option that some variant has.
    """
    known = {next(iter(one)) for one in options if len(one) == 1}

    def told(found: re.Match[str]) -> str:
        between = _between(found[1].lower(), found[2].lower())
        if len(between) < 3 or not known.issuperset(between):
            return found[0]
        return f"{', '.join(between[:-1])} and {between[-1]}"

    return _RANGE.sub(told, text) if known else text


def _between(first: str, last: str) -> list[str]:
    if first.isdigit() and last.isdigit():
        least, most = int(first), int(last)
        if most - least < LONGEST_RANGE:
            return [str(n) for n in range(least, most + 1)]
    if first in _LETTERS and last in _LETTERS:
        return list(_LETTERS[_LETTERS.index(first) : _LETTERS.index(last) + 1])
    return []


def regrouped(content: Sequence[Token], said: Sequence[Saying]) -> list[Token]:
    """Return terms with what a number counts beside it: "1,000 cardboard pieces".

    The material goes before the number, a fact of its own; it is one only where no fact
    has the number beside the material.

    Args:
        content: Terms of a claim.
        said: What the facts say.
    """
    found = list(content)
    for at in range(len(found) - 2):
        number, made, things = found[at : at + 3]
        if not (number.term.isdigit() and made.term in _materials()):
            continue
        if made.opens or things.opens or made.denials or things.denials:
            continue
        if _together(number, things, said) and not _together(number, made, said):
            found[at] = replace(
                made, opens=True, hedges=number.hedges, denials=number.denials
            )
            found[at + 1] = replace(number, opens=True, hedges=frozenset(), denials=0)
    return found


def _materials() -> frozenset[str]:
    return knowledge().materials


def _together(number: Token, word: Token, said: Sequence[Saying]) -> bool:
    return any(number.term in one.said.terms and word.term in one.terms for one in said)
