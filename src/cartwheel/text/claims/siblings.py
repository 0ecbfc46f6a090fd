"""Whether a fact that has a piece's words is of another than the claim says it of.

Facts stand side by side that differ in one word only: the socket of the small set and
of the large, the pressure it works at and bursts at, the weight of a pair and of one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from cartwheel.text.claims.amounts import SHARED
from cartwheel.text.claims.knowledge import is_light, knowledge
from cartwheel.text.claims.known import KnownFacts
from cartwheel.text.claims.reading import Reading, Token
from cartwheel.text.claims.source import Saying

_EACH = re.compile(
    r"\b(?:each|single|apiece|individual|individually|every|(?:per|one) "
    r"(?!pair|set|pack|box)[a-z]{3,12}"
    r"|an? (?!pair|set|pack|box)[a-z]{2,11}[a-rt-z] (?:weighs|costs|measures|holds))\b"
)
_TOGETHER = re.compile(
    r"\b(?:(?:per|a|the|as a|for the) (?:pair|set|pack)|together|in total|in all|both"
    r"|altogether|combined)\b"
)

_SAME_SUBJECT = re.compile(
    r"(?:\b(?:but|whereas|while|although|though)|;) (?:it|they|this|these|also|is|are"
    r"|can|cannot|not|only|has|have|with|in|for|if|when|please)\b"
)
_PART = re.compile(r"\bof the [a-z]{3,20}$")


def confused(
    piece: Sequence[Token], one: Saying, claim: Reading, facts: KnownFacts
) -> str:
    """Return why a fact is said of another than the claim says, "" if it is not.

    Args:
        piece: Terms that the fact says.
        one: The fact.
        claim: The sentence.
        facts: What is known of the product and the shop.
    """
    if one.kind in ("policy", "answer"):
        return (
            _of_something_else(piece, one, claim, facts)
            or _across(piece, one, claim)
            or (
                _of_another_subject(piece, one, claim, facts)
                if one.kind == "answer"
                else ""
            )
        )
    if one.kind != "attribute":
        return ""
    if _borrowed(piece, one):
        return f"it mixes the parts of {one.source}"
    mixed = _across(piece, one, claim)
    if mixed or not any(t.is_quantity for t in piece):
        return mixed or _of_a_part(piece, one)
    return (
        _of_another_variant(one, claim, facts)
        or _of_a_sibling(piece, one, claim, facts)
        or _of_all_together(one, claim)
    )


def _of_another_variant(one: Saying, claim: Reading, facts: KnownFacts) -> str:
    """What the set of 94 has, "Sockets (94 pieces)", is nothing of the set of 46."""
    for options in facts.choices:
        own = [o for o in options if o <= one.named.terms]
        others = [o for o in options if o <= claim.terms and o not in own]
        if own and others and not any(o <= claim.terms for o in own):
            return f"{one.source} is of another variant"
    return ""


def _of_a_sibling(
    piece: Sequence[Token], one: Saying, claim: Reading, facts: KnownFacts
) -> str:
    """Burst pressure is named as such where there is a working pressure too."""
    kinds = {t.kind for t in piece if t.is_quantity and t.kind[0] == "#"}
    implied = knowledge().implied
    for other in facts.said:
        if other.kind != "attribute" or other.source == one.source:
            continue
        if not kinds & {t.kind for t in other.said.tokens}:
            continue
        own = one.named.terms - other.named.terms
        if not own or not one.named.terms & other.named.terms:
            continue
        more = frozenset().union(*(implied.get(t, frozenset()) for t in own))
        if not claim.terms & (own | more):
            return f"{one.source} is not {other.source}"
    return ""


def _of_all_together(one: Saying, claim: Reading) -> str:
    """What a pair weighs, neither of the two does."""
    each = _EACH.search(claim.plain) and not _TOGETHER.search(claim.plain)
    if each and _TOGETHER.search(one.plain):
        return f"{one.source} tells it of all together"
    return ""


def _of_a_part(piece: Sequence[Token], one: Saying) -> str:
    """What is the "origin of the chili" is no origin of the garlic."""
    named = one.named
    if not _PART.search(named.plain) or named.terms & {t.term for t in piece}:
        return ""
    return f"{one.source} is of a part"


def _of_something_else(
    piece: Sequence[Token], one: Saying, claim: Reading, facts: KnownFacts
) -> str:
    """Two years on the lamp are none on the battery, which has one of its own."""
    for token in piece:
        if not token.is_quantity or token.kind[0] != "#":
            continue
        place = next((t for t in one.said.tokens if t.term == token.term), None)
        if place is None:
            continue
        here = [t for t in one.said.tokens if t.clause == place.clause]
        known = {t.term for t in here} | facts.product | SHARED
        heard = {t.term for t in claim.tokens if t.side == token.side}
        for other in facts.said:
            if other.source != one.source:
                continue
            for rival in other.said.tokens:
                if rival.kind != token.kind or rival.term in claim.terms:
                    continue
                of = {
                    t.term
                    for t in other.said.tokens
                    if t.clause == rival.clause and not t.is_quantity
                    if not is_light(t.word)
                }
                if (of - known) & heard:
                    return f"{one.source} tells another amount of it"
    return ""


def _across(piece: Sequence[Token], one: Saying, claim: Reading) -> str:
    """Of "A and B may; C and D may not", C is not said the same as A."""
    if _SAME_SUBJECT.search(one.plain):
        return ""
    sides: dict[str, set[int]] = {}
    for token in one.said.tokens:
        sides.setdefault(token.term, set()).add(token.side)
    if len({t.side for t in piece}) > 1 or len({t.side for t in one.said.tokens}) < 2:
        return ""
    clauses = {t.clause for t in piece}
    heard = [t for t in claim.tokens if t.clause in clauses]
    own = [at for t in heard if len(at := sides.get(t.term, set())) == 1]
    if len(frozenset().union(*own)) > 1:
        return f"it mixes the parts of {one.source}"
    return ""


def _of_another_subject(
    piece: Sequence[Token], one: Saying, claim: Reading, facts: KnownFacts
) -> str:
    """What the next sentence of an answer is about is said nothing of in this one."""
    clauses = {t.clause for t in piece}
    heard = {t.term for t in claim.tokens if t.clause in clauses}
    for other in facts.said:
        if other is one or other.source != one.source:
            continue
        subject = {t.term for t in other.said.tokens[:2]} - facts.product
        rest = {t.term for t in other.said.tokens[2:]} - one.terms
        if len(subject) < 2 or not subject <= heard or subject & one.terms:
            continue
        if rest and rest.isdisjoint(heard):
            return f"{one.source} is not about {other.said.tokens[0].word!r}"
    return ""


def _borrowed(piece: Sequence[Token], one: Saying) -> bool:
    """Whether a thing is said to be of what stands beside it in a list.

    "Steel, plastic handle" is no handle of steel: what the handle is goes unsaid.
    """
    said = {t.term for t in piece}
    if any(t.joined for t in piece[1:]):
        return False
    clauses: dict[int, list[Token]] = {}
    for token in one.said.tokens:
        clauses.setdefault(token.clause, []).append(token)
    touched = [c for c in clauses.values() if {t.term for t in c} & said]
    if len(touched) < 2:
        return False
    for clause in touched:
        words = [t for t in clause if not t.is_quantity]
        if len(words) == 2 and words[1].term in said and words[0].term not in said:
            others = {t.term for c in touched if c is not clause for t in c}
            if words[1].term not in others:
                return True
    return False
