"""What a piece of evidence says, in the same form as a question."""

from __future__ import annotations

import re
from dataclasses import dataclass

from cartwheel.text.asking.lexicon import lexicon, matches
from cartwheel.text.tokens import fold, terms

_DURATION = re.compile(
    r"\d[\d\s-]*(?:working |business )?"
    r"(?:second|minute|hour|day|week|month|year|segundo|minuto|hora|dia|semana|mes|ano)"
    r"|\b(?:one|two|three|four|five|six|seven|ten|twelve|next|same|um|dois|tres) "
    r"(?:working |business )?(?:hour|day|week|month|year|hora|dia|semana|mes|ano)"
    r"|\b\d{1,2}(?::\d\d)? ?(?:am|pm|h)\b|\b\d{1,2}:\d\d\b"
    r"|\b(?:mon|tues|wednes|thurs|fri|satur|sun)day"
)
_MONEY = re.compile(
    r"\d+[.,]\d\d\b|[$£€]|\b(?:usd|eur|gbp|brl|r\$|euros?|pounds?|dollars?|reais|cents?)"
    r"\b|\bfree\b|\bgratis\b|\bgratuit|\bno (?:charge|fee|cost)\b|\d ?%"
)
_NUMBER = re.compile(r"\d+(?:\.\d+)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a text says.

    Attributes:
        terms: Its terms.
        concepts: What its phrases mean.
        numbers: Numbers in it, as written without leading zeros.
        kinds: Sorts of answer it holds: duration, money.
    """

    terms: frozenset[str]
    concepts: frozenset[str]
    numbers: frozenset[str]
    kinds: frozenset[str]

    def __or__(self, other: Said) -> Said:
        """Return what two texts say together."""
        return Said(
            terms=self.terms | other.terms,
            concepts=self.concepts | other.concepts,
            numbers=self.numbers | other.numbers,
            kinds=self.kinds | other.kinds,
        )


NOTHING = Said(
    terms=frozenset(),
    concepts=frozenset(),
    numbers=frozenset(),
    kinds=frozenset(),
)


def read_said(text: str, language: str) -> Said:
    """Return what a text of the shop's says.

    Args:
        text: A sentence, a heading, an attribute.
        language: One of `lexicon.LANGUAGES`.
    """
    words = terms(text)
    known = lexicon(language)
    folded = fold(text)
    kinds = set()
    if _DURATION.search(folded):
        kinds.add("duration")
    if _MONEY.search(folded):
        kinds.add("money")
    return Said(
        terms=frozenset(words),
        # A text that holds a time answers "how long", whatever its words.
        concepts=frozenset(kinds).union(
            *(m for *_, m in matches(words, known.concepts))
        ),
        numbers=numbers(folded),
        kinds=frozenset(kinds),
    )


def numbers(folded: str) -> frozenset[str]:
    """Return the numbers of a folded text, so that 4.90 and 4.9 are one."""
    return frozenset(f"{float(one):g}" for one in _NUMBER.findall(folded[:4_000]))
