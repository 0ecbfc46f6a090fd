"""Whether a fact that has a piece's words is of another than the claim says it of.

Facts stand side by side that differ in one word only: the socket of the small set and
of the large, the pressure it works at and bursts at, the weight of a pair and of one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from cartwheel.text.claims.knowledge import knowledge
from cartwheel.text.claims.known import KnownFacts
from cartwheel.text.claims.reading import Reading, Token
from cartwheel.text.claims.source import Saying

_EACH = re.compile(
    r"\b(?:each|single|apiece|individual|individually|every|(?:per|one) "
    r"(?!pair|set|pack|box)[a-z]{3,12})\b"
)
_TOGETHER = re.compile(
    r"\b(?:(?:per|a|the|as a|for the) (?:pair|set|pack)|together|in total|in all|both"
    r"|altogether|combined)\b"
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
    if one.kind != "attribute":
        return ""
    if not any(t.is_quantity for t in piece):
        return _of_a_part(piece, one)
    return (
        _of_another_variant(one, claim, facts)
        or _of_a_sibling(piece, one, claim, facts)
        or _of_all_together(one, claim)
    )


def _of_another_variant(one: Saying, claim: Reading, facts: KnownFacts) -> str:
    """"Sockets (94 pieces)" is nothing that the set of 46 has."""
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
    """"Origin of the chili: Hungary" is no origin of the garlic."""
    named = one.named
    if not _PART.search(named.plain) or named.terms & {t.term for t in piece}:
        return ""
    return f"{one.source} is of a part"
