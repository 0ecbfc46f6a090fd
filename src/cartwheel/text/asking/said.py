"""What a piece of evidence says, in the same form as a question."""

from __future__ import annotations

from dataclasses import dataclass

from cartwheel.text.asking.kinds import kinds_held
from cartwheel.text.asking.lexicon import lexicon, matches
from cartwheel.text.tokens import fold, terms


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a text says.

    Attributes:
        terms: Its terms.
        concepts: What its phrases mean.
        kinds: Sorts of answer it holds: see `kinds`.
    """

    terms: frozenset[str]
    concepts: frozenset[str]
    kinds: frozenset[str]

    def __or__(self, other: Said) -> Said:
        """Return what two texts say together."""
        return Said(
            terms=self.terms | other.terms,
            concepts=self.concepts | other.concepts,
            kinds=self.kinds | other.kinds,
        )


NOTHING = Said(terms=frozenset(), concepts=frozenset(), kinds=frozenset())


def read_said(text: str, language: str) -> Said:
    """Return what a text of the shop's says.

    Args:
        text: A sentence, a heading, an attribute.
        language: One of `lexicon.LANGUAGES`.
    """
    words = terms(text)
    known = lexicon(language)
    kinds = kinds_held(fold(text))
    found = matches(words, known.concepts) + matches(words, known.specifics)
    return Said(
        terms=frozenset(words),
        # A text that holds a time answers "how long", whatever its words.
        concepts=(kinds & {"duration", "money"}).union(*(m for _, m in found)),
        kinds=kinds,
    )
