"""What a sentence names that somebody may pay for, and which of it is meant."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from cartwheel.text.claims.bearers import bearers

_LISTED = re.compile(
    r"[ ,]*(?:and|or|plus|as well as|both|,)(?: and| both| the| its| any| for| of| all"
    r"| to| is| are| it| them| back| your){0,3}[ ]*"
)
_SO_IS = re.compile(r"[ ,]*(?:and )?(?:so|as) (?:is|are)(?: the| its| your)?[ ]*")


@dataclass(frozen=True, slots=True)
class Thing:
    """Where something that is paid for is named.

    Attributes:
        start: Place of its first character.
        end: Place after its last.
        name: What it is, as `parties.toml` calls it.
    """

    start: int
    end: int
    name: str


def named_things(plain: str) -> list[Thing]:
    """Return what a sentence names that somebody may pay for, in order."""
    found: list[Thing] = []
    for name, pattern in bearers().things:
        for match in pattern.finditer(plain):
            span = match.span()
            if all(span[1] <= one.start or one.end <= span[0] for one in found):
                found.append(Thing(*span, name))
    return sorted(found, key=lambda one: one.start)


def borne_things(
    plain: str, start: int, end: int, here: Sequence[Thing], *, active: bool
) -> list[str]:
    """Return what is paid for, and what is listed with it.

    "Free returns" and "you pay for the return" name it after, "it is free" before.

    Args:
        plain: The sentence.
        start: Where it is said who pays.
        end: Where that ends.
        here: What is named in this part of the sentence.
        active: Whether it is said as "we pay".
    """
    before = [t for t in here if t.end <= start or t.start < end]
    after = [t for t in here if t.start >= end]
    right_after = after and plain[end : after[0].start].strip() == ""
    if not here:
        return []
    if after and (active or right_after or not before):
        chosen = here.index(after[0])
    else:
        chosen = here.index(before[-1])
    first = last = chosen
    while first and _LISTED.fullmatch(plain, here[first - 1].end, here[first].start):
        first -= 1
    while last + 1 < len(here) and _LISTED.fullmatch(
        plain, here[last].end, here[last + 1].start
    ):
        last += 1
    also = after[:1] if after and _SO_IS.fullmatch(plain, end, after[0].start) else []
    return [t.name for t in (*here[first : last + 1], *also)]


def directed(name: str, things: Sequence[Thing], about: str) -> str:
    """Return which way postage goes, where the sentence tells.

    Args:
        name: What is named.
        things: What else the sentence names.
        about: What it is about where it does not say.
    """
    named = {about, *(one.name for one in things)}
    if name in ("postage", "shipping"):
        for way in ("both", "back", "there"):
            if way in named:
                return way
    return name
