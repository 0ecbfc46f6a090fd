"""What a piece of evidence says, in the same form as a question."""

from __future__ import annotations

import re
from dataclasses import dataclass

from cartwheel.text.asking.kinds import kinds_held
from cartwheel.text.asking.lexicon import lexicon, matches
from cartwheel.text.tokens import fold, terms

_DENIES = re.compile(
    r"\b(?:no|not|never|none|cannot|only|without|nao|nunca|sem|apenas)\b|\w{2}nt\b"
)
_NUMBER = re.compile(r"\d+(?:\.\d+)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a text says.

    Attributes:
        terms: Its terms.
        concepts: What its phrases mean.
        numbers: Numbers in it, as written without leading zeros.
        kinds: Sorts of answer it holds: see `kinds`.
        denies: It says that something is not so.
    """

    terms: frozenset[str]
    concepts: frozenset[str]
    numbers: frozenset[str]
    kinds: frozenset[str]
    denies: bool

    def __or__(self, other: Said) -> Said:
        """Return what two texts say together."""
        return Said(
            terms=self.terms | other.terms,
            concepts=self.concepts | other.concepts,
            numbers=self.numbers | other.numbers,
            kinds=self.kinds | other.kinds,
            denies=self.denies or other.denies,
        )


NOTHING = Said(
    terms=frozenset(),
    concepts=frozenset(),
    numbers=frozenset(),
    kinds=frozenset(),
    denies=False,
)


def read_said(text: str, language: str) -> Said:
    """Return what a text of the shop's says.

    Args:
        text: A sentence, a heading, an attribute.
        language: One of `lexicon.LANGUAGES`.
    """
    words = terms(text)
    folded = fold(text)
    kinds = kinds_held(folded)
    known = lexicon(language)
    found = matches(words, known.concepts) + matches(words, known.specifics)
    return Said(
        terms=frozenset(words),
        # A text that holds a time answers "how long", whatever its words.
        concepts=(kinds & {"duration", "money"}).union(*(m for _, m in found)),
        numbers=numbers(folded),
        kinds=kinds,
        denies=bool(_DENIES.search(folded)),
    )


def numbers(folded: str) -> frozenset[str]:
    """Return the numbers of a folded text, so that 4.90 and 4.9 are one."""
    return frozenset(f"{float(one):g}" for one in _NUMBER.findall(folded[:4_000]))
