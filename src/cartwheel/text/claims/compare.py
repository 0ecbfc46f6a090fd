"""How a piece of a claim differs from the fact that has all its words."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cartwheel.text.claims.amounts import beside, in_order, sizes, unhedged
from cartwheel.text.claims.knowledge import knowledge
from cartwheel.text.claims.payers import another_payer
from cartwheel.text.claims.polarity import (
    EXCEPTION,
    clauses_of,
    denies,
    mixed,
    scattered,
    turned_round,
)
from cartwheel.text.claims.reading import Reading, Token
from cartwheel.text.claims.source import Saying

HEDGES = frozenset({"upto", "atleast", "about", "maybe"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A piece of a claim, and the fact that has all its words.

    Attributes:
        piece: Terms of the piece but for those that name the product.
        whole: All its terms.
        claim: The sentence it is cut from.
        one: What the fact says.
        clause: Terms of the fact's clause that the piece repeats most of.
    """

    piece: Sequence[Token]
    whole: Sequence[Token]
    claim: Reading
    one: Saying
    clause: Sequence[Token]


def differs(
    piece: Sequence[Token], whole: Sequence[Token], claim: Reading, one: Saying
) -> str:
    """Return how a piece differs from the fact that has all its words, or "".

    Args:
        piece: Its terms but for those that name the product.
        whole: All its terms.
        claim: The sentence it is cut from.
        one: What the fact says.
    """
    pair = Pair(
        piece=piece, whole=whole, claim=claim, one=one, clause=clauses_of(piece, one)
    )
    for check in CHECKS:
        fault = check(pair)
        if fault:
            return fault
    return ""


def _names_only(pair: Pair) -> str:
    one, last = pair.one, pair.piece[-1]
    named = pair.whole if one.kind == "attribute" else pair.piece
    if one.kind == "attribute" and one.said.terms == {"1"} and _one_of_it(pair):
        return ""
    if not any(t.term in one.said.terms or _wider(t, one) for t in named):
        return f"it names {one.source} without saying what it is"
    if scattered(pair.piece, one):
        return f"it mixes the parts of {one.source}"
    carried = last.joined and last.term not in one.said.terms and len(pair.whole) > 1
    if carried and one.kind == "attribute":
        return f"it names {one.source} after another fact"
    return ""


def _one_of_it(pair: Pair) -> bool:
    """Whether its name says it: "it has one platform", where the value is 1."""
    only = all(t.term in pair.one.named.terms for t in pair.piece)
    return only and not any(t.denials or t.word.endswith("s") for t in pair.piece)


def _wider(token: Token, one: Saying) -> bool:
    """Whether it is a wider word for what a fact says, not the name of that."""
    narrower = knowledge().wider.get(token.term, frozenset())
    return token.term not in one.named.terms and bool(one.said.terms & narrower)


def _not_included(pair: Pair) -> str:
    """An answer that recommends a mat does not say that one comes with the rug."""
    one, piece = pair.one, pair.piece
    told = any(t.clause in pair.claim.includes for t in piece)
    if not told or denies(pair.whole) or EXCEPTION in pair.claim.after:
        return ""
    if any(t.denials and t.word == "included" for t in pair.claim.tokens):
        return ""  # what is "sold separately" comes with nothing
    if one.said.includes & {t.clause for t in pair.clause}:
        return ""
    sides = {t.side for t in pair.clause}
    refused = any(
        t.denials and t.word == "included" and t.side in sides for t in one.said.tokens
    )
    only_amounts = any(t.is_quantity for t in piece)
    asked = any(t.word == "included" for t in one.named.tokens)
    if refused or (one.kind == "answer" and not (only_amounts or asked)):
        return f"{one.source} does not say that it is included"
    return ""


_PACK = re.compile(r"\b(?:set|pack|bag|box|packet)s? of (\d+)\b")


def _bare_number(pair: Pair) -> str:
    said = pair.one.said.tokens
    known = pair.one.said.terms | pair.one.named.terms
    held = [t.term for t in pair.whole if t.term in known]
    if len(held) != 1 or not held[0].isdigit():
        return ""
    pack = _PACK.search(pair.claim.plain)
    if pack and pack[0] in pair.one.plain and pack[1] == held[0]:
        return ""
    alone = {t.clause for t in said if t.term == held[0]} - {
        t.clause for t in said if t.term != held[0]
    }
    return "" if pair.one.kind == "variants" and alone else "a bare number"


def _another_amount(pair: Pair) -> str:
    one, whole = pair.one, pair.whole
    for at, token in enumerate(whole):
        if token.is_quantity and not (
            beside(whole, at, one, pair.claim.terms) and in_order(whole, at, one)
        ):
            return f"{token.spoken} stands beside other words in {one.source}"
    ours, theirs = sizes(pair.claim.tokens), sizes(one.said.tokens)
    if ours and theirs and not ours & theirs:
        return f"{one.source} is about another size"
    return ""


def _turned(pair: Pair) -> str:
    one = pair.one
    if mixed(pair.piece, one, {t.clause for t in pair.clause}):
        return f"it joins what {one.source} says and what it denies"
    for side in {t.side for t in pair.piece}:
        part = clauses_of([t for t in pair.piece if t.side == side], one)
        ours = [t for t in pair.whole if t.side == side]
        if turned_round(ours, part, pair.claim, one):
            return f"it turns round what {one.source} says"
    return ""


_POSSIBLY = re.compile(r"\b(?:can|could|possible|possibly)\b(?! be )")


def _drops_limit(pair: Pair) -> str:
    one, piece = pair.one, pair.piece
    # A question is answered by all that is said.
    asks = any(t.term not in one.said.terms for t in piece)
    there = one.said.tokens if asks else pair.clause
    ours = pair.claim.after.union(*(t.hedges for t in piece))
    of_name = one.named.after.union(*(t.hedges for t in one.named.tokens))
    theirs = one.said.after.union(*(t.hedges for t in there)) & HEDGES
    theirs |= of_name & {"upto", "atleast"}
    if "atleast" in ours - theirs:
        return f"{one.source} gives no lower limit"
    if _POSSIBLY.search(pair.claim.plain):
        theirs -= {"maybe"}  # "a sediment can form": "may form"
    lost = theirs - ours
    if sum(bool(t.hedges) for t in one.said.tokens) > 1:
        lost |= unhedged(pair.whole, one)
    if one.kind == "policy" and any(
        t.kind == "#time" or t.term == "day" for t in piece
    ):
        lost -= {"upto"}  # "within 14 days" is "14 days" to do it
    return f"it drops a limit of {one.source}" if lost else ""


def _drops_condition(pair: Pair) -> str:
    one, claim = pair.one, pair.claim
    if one.kind not in ("policy", "answer"):
        return ""
    ours = claim.after.union(*(t.limits for t in claim.tokens))
    theirs = one.said.after.union(*(t.limits for t in one.said.tokens)) - HEDGES
    theirs -= {"only"}  # what holds only there holds there
    if denies(pair.whole) or EXCEPTION in claim.after:
        theirs -= {EXCEPTION}
    condition = _condition(one)
    if condition and condition <= claim.terms:
        theirs -= {"condition"}  # "once downloaded": "that you downloaded"
    if ours & {"condition", EXCEPTION}:
        theirs -= {"unless"}
    return f"it leaves out a condition of {one.source}" if theirs - ours else ""


def _condition(one: Saying) -> frozenset[str]:
    """Return the terms of what a fact makes its condition, if it says them."""
    clauses = {t.clause for t in one.said.tokens if "condition" in t.limits}
    return frozenset(t.term for t in one.said.tokens if t.clause in clauses)


def _another_pays(pair: Pair) -> str:
    return another_payer(pair.piece, pair.claim, pair.one)


CHECKS: tuple[Callable[[Pair], str], ...] = (
    _names_only,
    _not_included,
    _bare_number,
    _another_amount,
    _turned,
    _drops_limit,
    _drops_condition,
    _another_pays,
)
"""What a piece must pass, in this order."""
