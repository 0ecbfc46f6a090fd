"""Whether a piece of a claim says yes or no where the fact does."""

from __future__ import annotations

from collections.abc import Sequence

from cartwheel.text.claims.reading import Reading, Token
from cartwheel.text.claims.source import Saying

EXCEPTION = "exception"
"""What is excepted is said no to: "batteries are excluded", "not covered"."""


def denies(tokens: Sequence[Token]) -> bool:
    """Whether a no or an exception stands among terms."""
    return any(t.denials or EXCEPTION in t.limits for t in tokens)


def says_no(tokens: Sequence[Token], of: Reading) -> bool:
    """Whether terms say no: "not opened" and "unopened", not "not unopened"."""
    no = denies(tokens) or EXCEPTION in of.after
    return no != any(t.un for t in tokens)


def turned_round(
    ours: Sequence[Token], theirs: Sequence[Token], claim: Reading, one: Saying
) -> bool:
    """Whether what a claim says yes to is denied by the fact, or the other way.

    Args:
        ours: Terms of the claim on one side of a "but".
        theirs: Terms of the fact's clause about it.
        claim: The sentence.
        one: The fact.
    """
    turned = one.said.turned or claim.turned
    if not turned and not denies(ours) and _only_denied(ours, one.said.tokens):
        return True  # "even if worn" of "unworn goods"
    if says_no(ours, claim) == (says_no(theirs, one.said) != one.said.turned):
        return False
    if claim.turned or one.said.turned or EXCEPTION in claim.after | one.said.after:
        return True
    return not (_word_for_word(ours, theirs) or _before_the_no(ours, theirs))


def _only_denied(ours: Sequence[Token], told: Sequence[Token]) -> bool:
    """Whether a claim without a no says a word that the fact says no to wherever."""
    said = {t.term for t in ours if not t.un}
    denied = {t.term for t in told if t.denied and (t.un or t.led)}
    return bool(said & denied - {t.term for t in told if not t.denied})


def _word_for_word(ours: Sequence[Token], theirs: Sequence[Token]) -> bool:
    """Whether each no of the fact is said of the same word, and no other is.

    "Neither worn nor engraved" of "unworn, without engraving": two noes make no yes.
    """
    noes = {t.term for t in theirs if t.denied}
    mine = {t.term for t in ours if t.denied}
    both = {t.term for t in theirs if not t.denied} & noes
    return bool(noes) and noes == mine and not both


def _before_the_no(ours: Sequence[Token], theirs: Sequence[Token]) -> bool:
    """Whether a claim says only what stands before "and no": "symbols and no text"."""
    if denies(ours) or any(t.un for t in (*ours, *theirs)):
        return False
    first = next((n for n, t in enumerate(theirs) if t.denied), 0)
    if not first or not (theirs[first].led and theirs[first].joined):
        return False
    late = {t.term for t in theirs[first:]} - {t.term for t in theirs[:first]}
    early = {t.term for t in theirs[:first]}
    mine = {t.term for t in ours}
    return bool(mine & early) and not mine & late


def clauses_of(piece: Sequence[Token], one: Saying) -> list[Token]:
    """Return the terms of the fact's clause that the piece repeats most of."""
    wanted = {t.term for t in piece}
    held: dict[int, int] = {}
    for token in one.said.tokens:
        held[token.clause] = held.get(token.clause, 0) + (token.term in wanted)
    most = max(held.values(), default=0)
    best = {clause for clause, count in held.items() if count == most}
    return [t for t in one.said.tokens if t.clause in best]


def scattered(piece: Sequence[Token], one: Saying) -> bool:
    """Whether words of one clause of a fact stand around words of another.

    "2 side pockets, one zip pocket at the back" is no "zip pocket on each side".
    """
    held: dict[str, set[int]] = {}
    if one.kind in ("attribute", "variants"):
        for token in one.said.tokens:
            if not token.is_quantity:
                held.setdefault(token.term, set()).add(token.clause)
    order = [c for t in piece if len(at := held.get(t.term, set())) == 1 for c in at]
    runs = [c for n, c in enumerate(order) if not n or order[n - 1] != c]
    return len(runs) > len(set(runs))


def mixed(piece: Sequence[Token], one: Saying, clauses: set[int]) -> bool:
    """Whether a piece takes words of a clause that denies and of one that does not."""
    # A condition is no part of what is said: "cannot be returned once opened".
    bound = {t.clause for t in one.said.tokens if t.limits}
    said = [t for t in one.said.tokens if t.clause not in bound]
    denied = {t.clause for t in said if t.denials}
    if not denied or denied == {t.clause for t in said}:
        return False
    if clauses & denied and clauses - denied - bound:
        return True
    best = {t.term for t in said if t.clause in clauses} | one.named.terms
    return not {t.term for t in piece} & {t.term for t in said} <= best
