"""What no draft says, whoever wrote it, and whose words a quotation holds."""

from __future__ import annotations

import re

from cartwheel.text.claims.knowledge import knowledge
from cartwheel.text.claims.known import KnownFacts
from cartwheel.text.claims.words import english, read

SCREENED = {
    "superlative": "a superlative or a comparison with others, {!r}",
    "urgency": "urgency or scarcity, {!r}",
    "review": "a review, rating or crowd that nobody can open, {!r}",
    "health": "a health or safety claim that no fact states, {!r}",
    "pressure": "a guarantee that no fact states, {!r}",
    "discount": "a price cut that no fact states, {!r}",
    "commands": "words to whoever checks, {!r}",
}
STATED = frozenset({"health", "pressure"})
"""Screens that a fact may lift by stating the very words."""

MARKS = re.compile(r"[\"“”„«»]")
_QUOTED = re.compile(r"[\"“”„«»]([^\"“”„«»]{2,600})[\"“”„«»]")
_HEADING = re.compile(r"\bone of our customers\b|^from (?:our )?customers ?:")
"""Ways to say whose words they are that put them in nobody else's mouth."""
_MANY = re.compile(r"\b(?:customers|shoppers|buyers|reviewers|owners|people)\b")


def screened(plain: str, facts: KnownFacts) -> str:
    """Return why no draft may say it, "" where nothing is met."""
    for name, pattern in knowledge().screens.items():
        for found in pattern.finditer(plain):
            words = found[0].strip()
            if name in STATED and _stated(words, facts):
                continue
            if name == "discount" and any(words in one.plain for one in facts.said):
                continue
            return SCREENED[name].format(words)
    return ""


def _stated(words: str, facts: KnownFacts) -> bool:
    """Whether one fact holds these very words, and does not deny them."""
    wanted = read(words).terms
    return any(
        wanted and wanted <= said.said.terms | said.named.terms for said in facts.said
    )


def without_quotes(
    sentence: str, facts: KnownFacts
) -> tuple[str, tuple[str, ...], str]:
    """Return a sentence without its quotations, whose words they are, and a fault."""
    cited: list[str] = []
    for found in _QUOTED.finditer(sentence):
        said = english(found[1]).strip(" .,!?;:…")
        owner = next((i for i, text in facts.quotes if said in text), None)
        if owner is None:
            stated = next((s for s in facts.said if said and said in s.plain), None)
            owner = stated.source if stated else None
        if owner is None or not said:
            return "", (), f"nobody said {found[1][:80]!r}"
        cited.append(owner)
    rest = _QUOTED.sub(" , ", sentence)
    if len(MARKS.findall(rest)):
        return "", (), "a quotation without an end"
    plain = english(rest)
    plain = _HEADING.sub(" ", plain)
    people = [owner for owner in cited if owner in dict(facts.quotes)]
    if people and len(set(people)) < 2 and _MANY.search(plain):
        return "", (), "one customer's words put in the mouths of several"
    return rest, tuple(cited), ""
