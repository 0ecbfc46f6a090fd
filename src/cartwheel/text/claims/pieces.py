"""A claim cut into pieces of which each is said by one fact.

Words that say nothing by themselves are left out first; another fact may begin where
words that join facts stand, before the name of an attribute, and between values that
stand before what the product is called.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from cartwheel.text.claims.compare import differs
from cartwheel.text.claims.known import KnownFacts, holds
from cartwheel.text.claims.source import Saying
from cartwheel.text.claims.words import Reading, Token, knowledge

MOST_PIECES = 12
"""Facts that one sentence may join."""

DIMENSIONS = frozenset(
    [
        "length",
        "width",
        "height",
        "depth",
        "weight",
        "capac",
        "thick",
        "diamet",
        "price",
        "size",
    ]
)
"""Terms that a measure goes with, and that add nothing where a fact names none."""


def content_of(claim: Reading, facts: KnownFacts, *, quoted: bool) -> list[Token]:
    """Return the tokens that say something; what stood before others goes to them."""
    found: list[Token] = []
    denials, opens = 0, False
    hedges: frozenset[str] = frozenset()
    limits: frozenset[str] = frozenset()
    before = ""
    for token in claim.tokens:
        named, before = (before, token.term) in facts.numbered, token.term
        if named:  # the number of a model's name
            continue
        denials += token.denials
        opens = opens or token.opens
        hedges, limits = hedges | token.hedges, limits | token.limits
        if _empty(token, facts, quoted=quoted):
            continue
        found.append(
            replace(token, denials=denials, opens=opens, hedges=hedges, limits=limits)
        )
        denials, opens = 0, False
        hedges, limits = frozenset(), frozenset()
    if denials and found:  # "blades are not included": the no stands last
        found[-1] = replace(found[-1], denials=found[-1].denials + denials)
    return found


def _empty(token: Token, facts: KnownFacts, *, quoted: bool) -> bool:
    known = knowledge()
    if token.word in known.carrier and token.term not in facts.of_attributes:
        return token.term not in DIMENSIONS
    return quoted and token.word in known.attribution


def cover(
    content: Sequence[Token], claim: Reading, said: Sequence[Saying], facts: KnownFacts
) -> list[str] | str:
    """Return the sources that cover the terms piece by piece, or what none says.

    The fewest pieces are sought, by dynamic programming over their ends.
    """
    count = len(content)
    best: list[tuple[int, list[str]] | None] = [None] * (count + 1)
    best[0] = (0, [])
    fault = ""
    free = _stacked(content, facts)
    for start in range(count):
        here = best[start]
        if here is None:
            continue
        first = content[start]
        if start and not (first.opens or start in free or first.term in facts.names):
            continue
        for end in range(start + 1, count + 1):
            piece = content[start:end]
            source, why = _one_fact(piece, claim, said, facts)
            fault = why or fault
            if source is None:
                continue
            pieces, cited = here
            there = best[end]
            if there is None or pieces + 1 < there[0]:
                best[end] = (pieces + 1, [*cited, *([source] if source else [])])
    done = best[count]
    if done is not None and done[0] <= MOST_PIECES:
        return done[1]
    unknown = [t.spoken for t in content if not holds(t, facts, said)]
    if unknown:
        return f"no fact says {unknown[0]}"
    return fault or "its words stand in facts, but no fact says them together"


def _stacked(content: Sequence[Token], facts: KnownFacts) -> frozenset[int]:
    """Return places before which another fact may begin: "a blue linen dress".

    Values of attributes may stand one after the other right before what the product is
    called.
    """
    found: set[int] = set()
    end = len(content)
    for at in range(len(content) - 1, -1, -1):
        token = content[at]
        if token.term in facts.product:
            end = at
        elif token.term not in facts.valued or (token.opens and at + 1 > end):
            end = -1
        if end > at >= 0 and token.term in facts.valued:
            found.update((at, at + 1))
        if token.opens and token.term not in facts.valued:
            end = -1 if token.term not in facts.product else end
    return frozenset(found)


def _one_fact(
    piece: Sequence[Token], claim: Reading, said: Sequence[Saying], facts: KnownFacts
) -> tuple[str | None, str]:
    """Return the source of the fact that says a piece, and why the nearest does not.

    A piece of words that only name the product is said by no fact and needs none.
    """
    rest = [t for t in piece if t.term not in facts.product]
    if not rest:
        return "", ""
    why = ""
    for one in said:
        if one.kind == "count":  # said in its own words or not at all
            continue
        terms = one.said.terms | one.named.terms | _implied(one)
        held = [t for t in rest if t.term in terms]
        if not held or not all(
            t.term in terms or _goes_without_saying(t, one) for t in rest
        ):
            continue
        wrong = differs(rest, piece, claim, one)
        if not wrong:
            return one.source, ""
        why = wrong
    return None, why


def _implied(one: Saying) -> frozenset[str]:
    known = knowledge()
    return frozenset().union(*(known.implied.get(t, ()) for t in one.named.terms))


def _goes_without_saying(token: Token, one: Saying) -> bool:
    """Whether a word such as "long" adds nothing to a fact that names no dimension."""
    if token.term == "size":
        return True
    own = one.named.terms | one.said.terms
    alone = sum(t.is_quantity for t in one.said.tokens) == 1
    return token.term in DIMENSIONS and alone and not own & DIMENSIONS
