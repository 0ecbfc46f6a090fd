"""Who pays by a claim and by the fact that has its words, each taken for itself.

`parties` looks whether any fact has the party pay; here it is the very fact that a
piece rests on, so that the words of one rule are not read with the payer of another.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from cartwheel.text.claims.bearers import bearers
from cartwheel.text.claims.duties import Duty, duties
from cartwheel.text.claims.knowledge import knowledge
from cartwheel.text.claims.reading import Reading, Token
from cartwheel.text.claims.source import Saying


def another_payer(piece: Sequence[Token], claim: Reading, one: Saying) -> str:
    """Return how the payer of a piece differs from the fact's, "" if it does not.

    Args:
        piece: Terms that the fact says.
        claim: The sentence.
        one: The fact.
    """
    if not any(t.term in knowledge().paying for t in piece):
        return ""
    told, said = _paid(claim.plain), _paid(one.plain)
    ours, theirs = {one.party for one in told}, {one.party for one in said}
    if not (ours and theirs):
        ours, theirs = set(claim.parties), set(one.said.parties)
    if ours and theirs and not ours & theirs:
        return f"{one.source} has another party pay"
    only_pays = all(t.term in knowledge().paying | {"custom"} for t in piece)
    times = {t.term for t in one.said.tokens if t.kind == "#time"}
    if only_pays and not times <= claim.terms:
        return f"{one.source} says so of another time"
    things, of = _things(told), _things(said)
    if things and of and not things & of:
        return f"{one.source} tells who pays for something else"
    return ""


def two_payers(one: Saying, cited: Iterable[Saying], claim: Reading) -> str:
    """Return why two rules of one policy are no single one, "" where they are none.

    "Free within 14 days; later the customer pays" is no "within 14 days you pay".

    Args:
        one: The fact that says a piece.
        cited: Facts that say the pieces before it.
        claim: The sentence.
    """
    told = {held.party for held in _paid(claim.plain)}
    said = _paid(one.plain)
    if len(told) != 1 or not said:
        return ""
    for other in cited:
        if other is one or other.source != one.source:
            continue
        theirs = _paid(other.plain)
        if not _things(theirs) & _things(said):
            continue
        if {held.party for held in theirs}.isdisjoint(held.party for held in said):
            return f"it mixes two rules of {one.source}"
    return ""


def _paid(plain: str) -> list[Duty]:
    return [one for one in duties(plain) if one.act == "pays"]


def _things(told: Sequence[Duty]) -> set[str]:
    """Return what is paid for; empty where a part does not say."""
    wide = bearers().wide
    named = {one.thing for one in told}
    if "" in named:
        return set()
    return named.union(*(wide.get(thing, ()) for thing in named))
