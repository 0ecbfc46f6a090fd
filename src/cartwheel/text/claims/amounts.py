"""Whether an amount of a claim is said of what the fact says it of."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from cartwheel.text.claims.knowledge import is_light
from cartwheel.text.claims.reading import Token
from cartwheel.text.claims.source import Saying


def in_order(whole: Sequence[Token], at: int, one: Saying) -> bool:
    """Whether a quantity follows the one before it in the fact too: "40 × 60 cm"."""
    if not at or whole[at].opens or not whole[at - 1].is_quantity:
        return True
    if whole[at - 1].kind[0] != whole[at].kind[0]:  # "100 g make 40 cups"
        return True
    pair = (whole[at - 1].term, whole[at].term)
    return pair in pairwise(t.term for t in one.said.tokens)


def unhedged(whole: Sequence[Token], one: Saying) -> frozenset[str]:
    """Return the limits that a quantity of the fact has and that of the claim has not.

    "Up to 3 h on high, up to 40 h on low": each has its own.
    """
    lost: set[str] = set()
    for token in whole:
        places = [t for t in one.said.tokens if t.term == token.term]
        if token.is_quantity and places:
            lost |= frozenset.intersection(*(t.hedges for t in places)) - token.hedges
    return frozenset(lost & {"upto", "atleast", "about"})


def sizes(tokens: Sequence[Token]) -> set[str]:
    """Return the sizes named: "size 42", "size M"."""
    pairs = pairwise(tokens)
    return {b.term for a, b in pairs if a.term == "size" and _SIZE.fullmatch(b.term)}


_SIZE = re.compile(r"\d{1,3}(?:\.5)?|x{0,3}[sl]|m")


def beside(
    piece: Sequence[Token], at: int, one: Saying, sentence: frozenset[str]
) -> bool:
    """Whether a quantity stands beside the same words as in the fact.

    Where a fact holds several quantities of one kind, each in a clause of its own, all
    that its clause says of it must be said again: "5 years on the frame, 2 on parts" is
    no promise of 5 years.

    Args:
        piece: Terms of the piece.
        at: Place of the quantity among them.
        one: The fact.
        sentence: Terms of the whole sentence.
    """
    wanted, tokens = piece[at], one.said.tokens
    places = [t for t in tokens if t.term == wanted.term]
    if not places:
        return wanted.term in one.named.terms
    kind = wanted.kind
    if kind[0] == "#" and sum(t.kind == kind for t in tokens) < 2:
        return True
    alike = {t.clause for t in tokens if t.is_quantity and t.kind[0] == kind[0]}
    if len(alike) < 2:
        near = {t.term for t in tokens if not t.is_quantity}
        own = _neighbours(piece, at) & near
        return any(not own or own & _near(place, one) for place in places)
    return any(_of_clause(piece, at, place, one, sentence) for place in places)


def _neighbours(piece: Sequence[Token], at: int) -> set[str]:
    """Return the words before and after a quantity, and after those listed with it."""
    last = at
    while last + 1 < len(piece) and piece[last + 1].is_quantity:
        last += 1
    first = at
    while first and piece[first - 1].is_quantity:
        first -= 1
    places = (first - 1, last + 1)
    return {piece[n].term for n in places if 0 <= n < len(piece)}


def _of_clause(
    piece: Sequence[Token],
    at: int,
    place: Token,
    one: Saying,
    sentence: frozenset[str],
) -> bool:
    """Whether a piece says of a quantity what its own clause says, and no other's."""
    about, tokens = _about(place, one), one.said.tokens
    elsewhere = [t for t in tokens if t.clause != place.clause and not t.is_quantity]
    others = {t.term for t in elsewhere} - about - SHARED
    said = {t.term for t in piece}
    if about <= sentence and not others & sentence:
        # "The 24 cm size holds 4.2 l and weighs 4.9 kg": named once for all it says.
        said = set(sentence)
    if not about <= said | SHARED:
        return False
    told = {t.clause for t in tokens if t.is_quantity and t.term in said}
    if len(told) < 2:
        return not said & others
    return _own_clause(piece, at, about, others)


SHARED = frozenset(("guarante", "postag", "pay", "price", "return", "cost"))
"""What a fact says once for several quantities: a guarantee of 2 years, 1 on parts."""


def _about(place: Token, one: Saying) -> set[str]:
    """Return what the clause of a quantity says of it, other measures included."""
    return {
        t.term
        for t in one.said.tokens
        if t.clause == place.clause
        and t is not place
        and not is_light(t.word)
        and (not t.is_quantity or t.kind != place.kind)
    }


def _own_clause(
    piece: Sequence[Token], at: int, about: set[str], others: set[str]
) -> bool:
    """Whether the words nearest a quantity are those that the fact says of it."""
    here = [n for n, t in enumerate(piece) if t.clause == piece[at].clause]
    if not about:
        return not any(piece[n].term in others for n in here)
    about = about - SHARED or about
    for places in (here, range(len(piece))):
        named = [n for n in places if piece[n].term in about | others]
        if named:
            nearest = min(named, key=lambda n: abs(n - at))
            return piece[nearest].term in about
    return True


def _near(place: Token, one: Saying) -> set[str]:
    """Return the two terms on each side of a quantity, over what says nothing."""
    order = list(one.said.tokens)
    at = next(n for n, token in enumerate(order) if token is place)
    near = {t.term for t in order[max(at - 2, 0) : at + 3] if t is not place}
    words = [n for n, t in enumerate(order) if not (t.is_quantity or is_light(t.word))]
    before = [n for n in words if n < at][-2:]
    after = [n for n in words if n > at][:2]
    return near | {order[n].term for n in (*before, *after)}
