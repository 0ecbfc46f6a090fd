"""A question read: what carries it, what sort of answer it wants, what warns.

Nothing a shopper writes is an instruction: a text is only compared.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from cartwheel.text.asking.kinds import kinds_wanted
from cartwheel.text.asking.lexicon import (
    ALIKE,
    NAME,
    NOTHING,
    Lexicon,
    lexicon,
    matches,
)
from cartwheel.text.asking.said import Said
from cartwheel.text.sentences import sentences
from cartwheel.text.tokens import fold, terms

LONGEST = 2_000
"""Characters of a message that are read."""

IN_OTHER_WORDS = 0.7
"""How surely a text says a unit whose topic it has."""

WIDER = 0.6
"""How surely a text says a country that it names the continent of."""

ALIKE_WORDS = 0.9
"""How surely a text says a unit that it says by another word for the same."""


class Group(StrEnum):
    """What a unit is for.

    Attributes:
        SPECIFIC: It names a country, a way to pay or the like.
        TOPIC: It means one thing that shops write about.
        FACET: It says what sort of answer is wanted.
        WORD: Any other word.
    """

    SPECIFIC = "specific"
    TOPIC = "topic"
    FACET = "facet"
    WORD = "word"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """One thing a question says, to be found again in an answer.

    Attributes:
        terms: Its terms in order.
        core: Those of its terms that say something, all if none does.
        meanings: What the phrase means, none for a plain word.
        wider: Names that hold the one it names.
        group: What it is for.
    """

    terms: tuple[str, ...]
    core: frozenset[str]
    meanings: frozenset[str]
    wider: frozenset[str] = frozenset()
    group: Group

    def covered(self, said: Said) -> bool:
        """Tell whether a text says it too, in these words or in others."""
        return self.strength(said) > 0

    def strength(self, said: Said) -> float:
        """Return how surely a text says it: 1 in these words, less in other ones."""
        if self.core <= said.terms:
            return 1.0
        common = self.meanings & said.concepts
        if not common:
            return WIDER if self.wider & said.concepts else 0.0
        alike = any(one.startswith((ALIKE, NAME)) for one in common)
        return ALIKE_WORDS if alike else IN_OTHER_WORDS


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A question.

    Attributes:
        units: What carries it, each once, in order.
        kinds: Sorts of answer that are wanted: see `kinds`.
        signs: What warns: see the files of words.
        of_product: All its topics are such as are told of a product.
    """

    units: tuple[Unit, ...]
    kinds: frozenset[str]
    signs: frozenset[str]
    of_product: bool


def read_question(text: str, language: str) -> Reading:
    """Return a question's reading.

    Args:
        text: What a shopper wrote; what is longer than `LONGEST` is cut.
        language: One of `lexicon.LANGUAGES`.
    """
    text = text[:LONGEST]
    known = lexicon(language)
    folded = " ".join(fold(text).split())
    units = tuple(units_of(text, known))
    return Reading(
        units=units,
        kinds=kinds_wanted(folded, known),
        signs=frozenset(n for n, rule in known.signs.items() if rule.search(folded)),
        of_product=_of_product(units, known),
    )


def asking_part(text: str) -> str:
    """Return the last sentence of a text that asks, all of it where none does.

    Args:
        text: What a shopper wrote.
    """
    asking = [one for one in sentences(text) if "?" in one]
    return asking[-1] if asking else text


def _of_product(units: Sequence[Unit], known: Lexicon) -> bool:
    asked = [unit for unit in units if unit.group in (Group.TOPIC, Group.SPECIFIC)]
    return bool(asked) and all(unit.meanings & known.of_product for unit in asked)


def units_of(text: str, known: Lexicon) -> list[Unit]:
    """Return what carries a text, each once, in order.

    Args:
        text: A question or a part of one.
        known: The words of its language.
    """
    said = terms(text)
    found: dict[tuple[str, ...], Unit] = {}
    taken: set[int] = set()
    for phrases in (known.specifics, known.concepts):
        for places, meanings in matches(said, phrases):
            if taken.intersection(places):
                continue
            taken.update(places)
            words = tuple(said[place] for place in places)
            if NOTHING in meanings:
                continue
            group = Group.SPECIFIC
            if phrases is known.concepts:
                group = _group(meanings, known)
            wider = [known.within.get(one, frozenset()) for one in meanings]
            found[words] = Unit(
                terms=words,
                core=_core(words, known),
                meanings=meanings,
                wider=frozenset().union(*wider),
                group=group,
            )
    for at, word in enumerate(said):
        if at not in taken and word not in known.stop:
            plain = Unit(
                terms=(word,),
                core=frozenset({word}),
                meanings=frozenset(),
                group=Group.WORD,
            )
            found.setdefault((word,), plain)
    return list(found.values())


def _group(meanings: frozenset[str], known: Lexicon) -> Group:
    if meanings & known.facets:
        return Group.FACET
    return Group.WORD if all(m.startswith(ALIKE) for m in meanings) else Group.TOPIC


def _core(words: tuple[str, ...], known: Lexicon) -> frozenset[str]:
    return frozenset(words) - known.stop or frozenset(words)
