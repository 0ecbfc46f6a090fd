"""Where a piece may not stand, since it would be said of what it is not said of."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from cartwheel.text.claims.knowledge import is_light
from cartwheel.text.claims.known import KnownFacts
from cartwheel.text.claims.payers import two_payers
from cartwheel.text.claims.polarity import scattered
from cartwheel.text.claims.reading import Reading, Token
from cartwheel.text.claims.source import Saying


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a piece stands in a claim.

    Attributes:
        content: Terms of the claim that say something.
        start: Place of the piece's first term.
        end: Place after its last.
        cited: What stands before it: where each piece begins and the fact that says it.
    """

    content: Sequence[Token]
    start: int
    end: int
    cited: Sequence[tuple[int, Saying]]

    @property
    def piece(self) -> Sequence[Token]:
        """The piece's terms."""
        return self.content[self.start : self.end]

    @property
    def before(self) -> Saying | None:
        """The fact that says what stands before, if one does."""
        return self.cited[-1][1] if self.cited else None

    @property
    def last(self) -> Sequence[Token]:
        """Terms of the piece before."""
        return self.content[self.cited[-1][0] : self.start] if self.cited else ()


def misplaced(place: Place, one: Saying, claim: Reading, facts: KnownFacts) -> str:
    """Return why a piece that a fact says may not stand where it does, "" if it may.

    Args:
        place: Where the piece stands.
        one: The fact that says it.
        claim: The sentence it is cut from.
        facts: What is known of the product and the shop.
    """
    return (
        _mixes(place, one)
        or _joined(place, one, claim, facts)
        or _says_nothing(place, one)
        or _bare_subject(place, one, claim)
        or two_payers(one, [held for _, held in place.cited], claim)
        or _other_amount(place, one, facts)
        or _apart(place, one, facts)
    )


def _mixes(place: Place, one: Saying) -> str:
    """Pieces of one fact, one after the other, mix its parts no more than one does."""
    run = place.start
    for begun, other in reversed(place.cited):
        if other is not one:
            break
        run = begun
    if run < place.start and scattered(place.content[run : place.end], one):
        return f"it mixes the parts of {one.source}"
    return ""


def _joined(place: Place, one: Saying, claim: Reading, facts: KnownFacts) -> str:
    """What a promise holds for is said by a promise; options are those of one thing."""
    piece, before = place.piece, place.before
    own = next((t for t in piece if t.term not in facts.product), piece[0])
    if before is None or one is before or not (piece[0].joined or own.joined):
        return ""
    if before.kind == "policy" and not any(t.is_quantity for t in piece):
        other = one.kind in ("attribute", "variants", "answer")
        if other or any(t.is_quantity for t in one.said.tokens):
            return f"it names {one.source} after a promise"
    options = {t.term for t in piece} <= facts.options
    listed = claim.offers and not options and not piece[0].is_quantity
    if listed and one.source != before.source:
        return f"it lists {one.source} among options of {before.source}"
    return ""


_EITHER = re.compile(r"\b(?:or|whether|even if)\b")


def _bare_subject(place: Place, one: Saying, claim: Reading) -> str:
    """One word of a promise promises nothing: "lost" of "lost parts can be bought"."""
    own = one.said.terms
    before = place.before
    if before is None or before is one or before.source != one.source:
        return ""
    if not _EITHER.search(claim.plain) or place.piece[0].is_quantity:
        return ""
    if one.kind == "policy" and len(place.piece) == 1 < len(own) - 1:
        return f"{one.source} says more of {place.piece[0].word!r}"
    return ""


def _says_nothing(place: Place, one: Saying) -> str:
    """A word such as "included" is said of what stands beside it."""
    at = (place.start - 1, place.end)
    beside = [place.content[n].clause for n in at if 0 <= n < len(place.content)]
    if all(is_light(t.word) for t in place.piece) and place.piece[0].clause in beside:
        return f"its words say nothing of {one.source}"
    return ""


def _other_amount(place: Place, one: Saying, facts: KnownFacts) -> str:
    """No amount that another fact tells: "we engrave it for 59 EUR", its price."""
    before, last = place.before, place.last
    if before is None or one.source == before.source:
        return ""
    limited = any(t.is_quantity and t.hedges & {"upto", "atleast"} for t in last)
    if limited and one.kind == "policy" and before.kind != "policy":
        return f"{one.source} does not say up to how much"
    for said, beside in ((before, place.piece), (one, last)):
        if said.kind not in ("policy", "answer"):
            continue
        if not all(t.is_quantity for t in beside):
            continue
        if {t.kind for t in beside} <= facts.amounts.get(said.source, set()):
            return f"{said.source} does not say it of this"
    return ""


def _apart(place: Place, one: Saying, facts: KnownFacts) -> str:
    """A name goes with its clause's value: "rubber on top, cork" is not "top: cork"."""
    first, piece = place.piece[0], place.piece
    if not place.start or one.kind != "attribute":
        return ""
    if place.content[place.start - 1].clause == first.clause != piece[-1].clause:
        here = {t.term for t in piece if t.clause == first.clause}
        if here <= facts.names - facts.valued:
            return f"it names {one.source} after another fact"
    return ""
