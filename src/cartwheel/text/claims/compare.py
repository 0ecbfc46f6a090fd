"""How a piece of a claim differs from the fact that has all its words."""

from __future__ import annotations

from collections.abc import Sequence

from cartwheel.text.claims.source import Saying
from cartwheel.text.claims.words import Reading, Token, knowledge

EXCEPTION = "exception"
"""What is excepted is said no to: "batteries are excluded", "not covered"."""

HEDGES = frozenset({"upto", "atleast", "about", "maybe"})


def differs(
    piece: Sequence[Token], whole: Sequence[Token], claim: Reading, one: Saying
) -> str:
    """Return how a piece differs from the fact that has all its words.

    Args:
        piece: Its terms but for those that name the product.
        whole: All its terms.
        claim: The sentence it is cut from.
        one: What the fact says.
    """
    known = knowledge()
    if not any(t.term in one.said.terms for t in whole):
        return f"it names {one.source} without saying what it is"
    last = piece[-1]
    carried = last.joined and last.term not in one.said.terms and len(whole) > 1
    if carried and one.kind == "attribute":
        return f"it names {one.source} after another fact"
    if len(piece) == 1 and piece[0].term.isdigit():
        return "a bare number"
    for at, token in enumerate(whole):
        if token.is_quantity and not _beside(whole, at, one):
            return f"{token.spoken} stands beside other words in {one.source}"
    there = _clauses(piece, one)
    denies = any(t.denials or EXCEPTION in t.limits for t in piece)
    denies = denies or EXCEPTION in claim.after
    theirs_denies = any(t.denials or EXCEPTION in t.limits for t in there)
    theirs_denies = theirs_denies or EXCEPTION in one.said.after
    if denies != (one.said.turned != theirs_denies):
        return f"it turns round what {one.source} says"
    hedges = frozenset().union(claim.after, *(t.hedges for t in piece))
    named = frozenset().union(one.named.after, *(t.hedges for t in one.named.tokens))
    theirs = frozenset().union(one.said.after, *(t.hedges for t in there))
    theirs = (theirs & HEDGES) | (named & {"upto", "atleast"})
    if "atleast" in hedges - theirs:
        return f"{one.source} gives no lower limit"
    lost = theirs - hedges
    if one.kind == "policy" and any(t.term.startswith("#time") for t in piece):
        lost -= {"upto"}  # "within 14 days" is "14 days" to do it
    if lost:
        return f"it drops a limit of {one.source}"
    if one.kind in ("policy", "answer"):
        limits = frozenset().union(claim.after, *(t.limits for t in claim.tokens))
        bound = frozenset().union(one.said.after, *(t.limits for t in one.said.tokens))
        if bound - HEDGES - limits:
            return f"it leaves out a condition of {one.source}"
    if any(t.term in known.paying for t in piece):
        paying, ours = one.said.parties, claim.parties
        if paying and ours and not ours & paying:
            return f"{one.source} has another party pay"
    return ""


def _clauses(piece: Sequence[Token], one: Saying) -> list[Token]:
    """Return the terms of the fact's clause that the piece repeats most of."""
    wanted = {t.term for t in piece}
    held: dict[int, int] = {}
    for token in one.said.tokens:
        held[token.clause] = held.get(token.clause, 0) + (token.term in wanted)
    most = max(held.values(), default=0)
    best = {clause for clause, count in held.items() if count == most}
    return [t for t in one.said.tokens if t.clause in best]


def _beside(piece: Sequence[Token], at: int, one: Saying) -> bool:
    """Whether a quantity stands beside the same words as in the fact.

    Where a fact holds several quantities of one kind, each in a clause of its own, all
    that its clause says of it must be said again: "5 years on the frame, 2 on parts" is
    no promise of 5 years.
    """
    wanted = piece[at].term
    places = [t for t in one.said.tokens if t.term == wanted]
    if not places:
        return False
    kind = wanted.partition(":")[0]
    alike = {
        t.clause
        for t in one.said.tokens
        if t.is_quantity and t.term.partition(":")[0][:1] == kind[:1]
    }
    said = {t.term for t in piece}
    for place in places:
        if len(alike) < 2:
            near = {t.term for t in one.said.tokens if not t.is_quantity}
            own = {piece[n].term for n in (at - 1, at + 1) if 0 <= n < len(piece)}
            own &= near
            if not own or own & _near(place, one):
                return True
            continue
        about = _about(place, one)
        others = {
            t.term
            for t in one.said.tokens
            if t.clause != place.clause and not t.is_quantity
        }
        others -= about | SHARED
        told = {t.clause for t in one.said.tokens if t.is_quantity and t.term in said}
        if not about <= said | SHARED:
            continue
        if len(told) < 2 and said & others:
            continue
        if len(told) > 1 and not _own_clause(piece, at, about, others):
            continue
        return True
    return False


SHARED = frozenset(("guarante", "postag", "pay", "price", "return", "cost"))
"""What a fact says once for several quantities: a guarantee of 2 years, 1 on parts."""


def _about(place: Token, one: Saying) -> set[str]:
    """Return what the clause of a quantity says of it, other measures included."""
    kind = place.term.partition(":")[0]
    return {
        t.term
        for t in one.said.tokens
        if t.clause == place.clause
        and t is not place
        and not _light(t)
        and (not t.is_quantity or t.term.partition(":")[0] != kind)
    }


def _own_clause(
    piece: Sequence[Token], at: int, about: set[str], others: set[str]
) -> bool:
    """Whether the words nearest a quantity are those that the fact says of it."""
    if not about:
        return True
    here = [n for n, t in enumerate(piece) if t.clause == piece[at].clause]
    for places in (here, range(len(piece))):
        named = [n for n in places if piece[n].term in about | others]
        if named:
            nearest = min(named, key=lambda n: abs(n - at))
            return piece[nearest].term in about
    return True


def _light(token: Token) -> bool:
    known = knowledge()
    return token.word in known.carrier or token.word in known.function


def _near(place: Token, one: Saying) -> set[str]:
    """Return the terms that stand within two words of a quantity."""
    order = list(one.said.tokens)
    at = next(n for n, token in enumerate(order) if token is place)
    return {t.term for t in order[max(at - 2, 0) : at + 3] if t is not place}
