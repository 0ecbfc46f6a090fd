"""A claim cut into pieces of which each is said by one fact.

Words that say nothing by themselves are left out first; another fact may begin where
words that join facts stand, before the name of an attribute, and between values that
stand before what the product is called.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from cartwheel.text.claims.compare import differs
from cartwheel.text.claims.counts import counted, regrouped
from cartwheel.text.claims.knowledge import knowledge
from cartwheel.text.claims.known import KnownFacts, holds
from cartwheel.text.claims.places import Place, misplaced
from cartwheel.text.claims.reading import Reading, Token
from cartwheel.text.claims.siblings import confused
from cartwheel.text.claims.source import Saying

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
    known = knowledge()
    denials, opens, dropped = 0, False, False
    hedges: frozenset[str] = frozenset()
    limits: frozenset[str] = frozenset()
    before = ""
    for at, token in enumerate(claim.tokens):
        if counted(claim.tokens, at, facts.listed):
            opens = opens or token.opens
            continue
        named, before = (before, token.term) in facts.numbered, token.term
        if named:  # the number of a model's name
            continue
        denials += token.denials
        opens = opens or token.opens or (dropped and token.term[0] == "#")
        dropped = False
        hedges, limits = hedges | token.hedges, limits | token.limits
        acts = token.denials and (
            token.word in known.acting or token.term in facts.refused
        )
        acts = acts or token.term in facts.undone
        if not acts and _empty(token, facts, quoted=quoted):
            dropped = True
            continue
        found.append(
            replace(token, denials=denials, opens=opens, hedges=hedges, limits=limits)
        )
        denials, opens = 0, False
        hedges, limits = frozenset(), frozenset()
    denials += claim.turned
    if (denials or hedges) and found:  # "blades are not included": the no stands last
        found[-1] = replace(
            found[-1],
            denials=found[-1].denials + denials,
            hedges=found[-1].hedges | hedges,
        )
    return regrouped(found, facts.said)


def _empty(token: Token, facts: KnownFacts, *, quoted: bool) -> bool:
    known = knowledge()
    if token.un:  # "unused" says much where "used" says nothing
        return False
    if token.stem in known.light and token.term not in facts.valued:
        return True
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
    best: list[tuple[int, list[tuple[int, Saying]]] | None] = [None] * (count + 1)
    best[0] = (0, [])
    fault = ""
    free = _stacked(content, facts)
    for start in range(count):
        here = best[start]
        if here is None:
            continue
        first = content[start]
        tied = start and first.is_quantity and content[start - 1].is_quantity
        if tied and not first.opens:  # 40 × 60 cm is one measure
            continue
        opens = not start or first.opens or start in free or first.term in facts.names
        pieces, cited = here
        if not opens and not (cited and cited[-1][1].kind == "policy"):
            continue
        for end in range(start + 1, count + 1):
            piece = content[start:end]
            one, why = _one_fact(piece, claim, said, facts)
            if one:
                place = Place(content=content, start=start, end=end, cited=cited)
                why = misplaced(place, one, claim, facts)
                if not opens and not _follows(place, one, facts):
                    continue
            if opens:
                fault = why or fault
            names = opens and _names_product(piece, facts)
            if why or (one is None and not names):
                continue
            there = best[end]
            if there is None or pieces + 1 < there[0]:
                best[end] = (pieces + 1, [*cited, *([(start, one)] if one else [])])
    done = best[count]
    if done is not None and done[0] <= MOST_PIECES:
        return [one.source for _, one in done[1]]
    unknown = [t.spoken for t in content if not holds(t, facts, said)]
    if unknown:
        return f"no fact says {unknown[0]}"
    return fault or "its words stand in facts, but no fact says them together"


def _follows(place: Place, one: Saying, facts: KnownFacts) -> bool:
    """Whether a fact may be told without a word that joins it to the one before.

    So may a policy after the place that its next sentence names: "From Norway you can
    return it within 30 days". Whoever pays there is looked at by `parties`.
    """
    before = place.before
    if before is None or one.kind != "policy" or before.source != one.source:
        return False
    places = frozenset().union(*(held.places for held in facts.borne))
    return {t.term for t in place.last} <= places


def _names_product(piece: Sequence[Token], facts: KnownFacts) -> bool:
    """Whether words only name the product: no fact says them and none need."""
    return all(t.term in facts.product for t in piece)


def _stacked(content: Sequence[Token], facts: KnownFacts) -> frozenset[int]:
    """Return places before which another fact may begin: "a blue linen dress".

    Values of attributes may stand one after the other right before what the product is
    called.
    """
    found: set[int] = set()
    end = len(content)
    for at in range(len(content) - 1, -1, -1):
        token = content[at]
        if token.term in facts.product or token.term in facts.sorts:
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
) -> tuple[Saying | None, str]:
    """Return the fact that says a piece, and why the nearest does not."""
    rest = [t for t in piece if t.term not in facts.product]
    if not rest:
        return None, ""
    why = ""
    for one in said:
        if one.kind == "count":  # said in its own words or not at all
            continue
        held = [t.term in one.terms or _wider(t, one, facts) for t in rest]
        if not any(held) or not all(
            has or _goes_without_saying(t, one, facts)
            for t, has in zip(rest, held, strict=True)
        ):
            continue
        wrong = differs(rest, piece, claim, one) or confused(piece, one, claim, facts)
        if not wrong:
            return one, ""
        why = wrong
    return None, why


def _wider(token: Token, one: Saying, facts: KnownFacts) -> bool:
    """Whether it is a wider word for one of the terms; "no wood" is not "no oak"."""
    narrower = knowledge().wider.get(token.term)
    if narrower is None or token.denials or token.un or token.term in facts.names:
        return False
    return not one.terms.isdisjoint(narrower)


def _goes_without_saying(token: Token, one: Saying, facts: KnownFacts) -> bool:
    """Whether a word such as "long" adds nothing to a fact that names no dimension."""
    if token.term == "size":
        return True
    if one.kind == "variants" and token.term in facts.names:
        return False
    own = one.named.terms | one.said.terms
    alone = len({t.kind for t in one.said.tokens if t.is_quantity}) == 1
    return token.term in DIMENSIONS and alone and not own & DIMENSIONS
