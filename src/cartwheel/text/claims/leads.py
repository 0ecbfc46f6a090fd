"""Sentences that only lead on to others: they say nothing of the product."""

from __future__ import annotations

import re
from collections.abc import Sequence

from cartwheel.text.claims.knowledge import knowledge
from cartwheel.text.claims.known import KnownFacts, holds
from cartwheel.text.claims.reading import Token

_LEADS = re.compile(
    r"(?:here|a (?:short |quick |few )?(?:word|note)|a few words|let us|lets"
    r"|good to know|before [^,.]{3,40}, (?:a|some|here)|now for|now to|on to"
    r"|some (?:answers|facts|notes)|first|next)\b"
)
_TOPIC = re.compile(
    r" (?:on|to|about|for) (?:the |its |your )?(care|cleaning|upkeep|maintenance"
    r"|washing|delivery|shipping|postage|returns|returning|size|sizes|sizing|fit|materials?"
    r"|storage|assembly|installation|use|measurements|dimensions|guarantee|warranty"
    r"|contents|ingredients|equipment|details|technology|repairs?|sound|battery|colours?"
    r"|colors?|practicalities|essentials|basics)$"
)
"""What a sentence such as "now to the cleaning" may lead on to: it claims nothing."""
_ASKS = re.compile(r"(?:what|which|where|how|who|when|wondering|unsure|not sure)\b")


def leads_on(plain: str, content: Sequence[Token], facts: KnownFacts) -> bool:
    """Whether a sentence only leads on to others: it says nothing of the product."""
    known = knowledge()
    if any(
        (t.is_quantity and t.word not in known.editorial) or t.denials or t.un
        for t in content
    ):
        return False
    if _ASKS.match(plain) and plain.endswith("?"):
        return len(content) <= 8
    if not _LEADS.match(plain) or len(content) > 6:
        return False
    topic = _TOPIC.search(plain.rstrip(" .:"))
    names = {topic[1]} if topic else set()
    return all(
        t.word in known.editorial or t.word in names or holds(t, facts, facts.said)
        for t in content
        if t.word not in ("words", "word")
    )
