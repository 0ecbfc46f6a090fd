"""How a sentence of the shop's compares with a question: plain features.

A sentence is compared with what stands around it: its heading says what it is about,
its source what it may leave unsaid.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from cartwheel.levers.support.evidence import Passage
from cartwheel.text.asking import Group, Reading, Said, Unit, read_said
from cartwheel.text.asking.lexicon import lexicon
from cartwheel.text.asking.said import NOTHING

FEATURES = (
    "met",
    "topic_open",
    "word_open",
    "word_unknown",
    "specific_open",
    "kind_met",
    "kind_open",
    "heading_asked",
    "heading_said",
    "opening",
    "of_product",
    "described",
    "not_of_shop",
    "guessed",
    "supposes",
    "nonsense",
)
"""Names of the features in order, told one by one in `features`."""

HEADED = 0.8
"""What counts a unit that the heading says."""

ELSEWHERE = 0.3
"""What counts a unit that the source says, though not in the sentence taken."""

ENTITLED = 0.3
"""What a unit weighs that the title of the product says: all its facts are about it."""

UNKNOWN_WORD, UNKNOWN_TOPIC = 0.6, 1.2
"""What a unit weighs that no source says: chatter oftener than what is asked."""

MOST = 3
"""Things left open from which more make no difference."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """A source read.

    Attributes:
        passage: The source.
        head: Its heading.
        each: Its sentences.
        whole: All of it.
        keys: Terms and concepts of all of it.
    """

    passage: Passage
    head: Said
    each: tuple[Said, ...]
    whole: Said
    keys: frozenset[str]


@lru_cache(maxsize=10_000)
def read_passage(passage: Passage, language: str) -> Read:
    """Return a source read in a language."""
    head = read_said(passage.heading, language)
    each = tuple(read_said(text, language) for text in passage.sentences)
    whole = head
    for one in each:
        whole = whole | one
    keys = whole.terms | whole.concepts
    return Read(passage=passage, head=head, each=each, whole=whole, keys=keys)


def says_term(passages: Sequence[Passage], term: str, language: str) -> bool:
    """Tell whether a source says a term."""
    return any(term in read_passage(one, language).whole.terms for one in passages)


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What is understood without being said: the product asked about.

    Attributes:
        known: A product is looked at or named.
        guessed: It is named, not looked at.
        title: Reading of its title.
    """

    known: bool
    guessed: bool
    title: Said

    @classmethod
    def of(cls, title: str, language: str, *, guessed: bool = False) -> About:
        """Return it for a product's title, "" for none."""
        read = read_said(title, language) if title else NOTHING
        return cls(known=bool(title), guessed=guessed, title=read)


@dataclass(frozen=True, slots=True, kw_only=True)
class Strengths:
    """How surely a source says the units of a question that it says at all.

    Attributes:
        weight: What each unit weighs.
        head: In its heading.
        each: In each of its sentences.
        whole: Anywhere.
        left: How many units of each group it does not say.
    """

    weight: Sequence[float]
    head: Sequence[float]
    each: Sequence[Sequence[float]]
    whole: Sequence[float]
    left: Mapping[Group, int]

    def here(self, at: int) -> list[float]:
        """Return it for a sentence under its heading."""
        pairs = zip(self.each[at], self.head, strict=True)
        return [max(said, HEADED * headed) for said, headed in pairs]


class Question:
    """A question beside all that could answer it.

    Args:
        reading: The question.
        said: The question read like a text.
        read: The sources.
        about: The product asked about.
        language: Language of the question.
    """

    def __init__(
        self,
        reading: Reading,
        said: Said,
        read: Sequence[Read],
        about: About,
        language: str,
    ) -> None:
        self.reading, self.said, self.about = reading, said, about
        self.known = lexicon(language)
        entitled = {unit for unit in reading.units if unit.covered(about.title)}
        # A word of the title tells nothing; a topic may be what is asked all the same.
        self.units = [
            unit
            for unit in reading.units
            if unit.group is Group.TOPIC or unit not in entitled
        ]
        keys = [unit.core | unit.meanings | unit.wider for unit in self.units]
        # Most sources say nothing of a question: one look at their words tells.
        self.said_by = [
            [
                place
                for place, mine in enumerate(keys)
                if not mine.isdisjoint(one.keys)
                and self.units[place].covered(one.whole)
            ]
            for one in read
        ]
        count = Counter(place for found in self.said_by for place in found)
        self.weight = [
            _rarity(u, count[n], len(read)) * (ENTITLED if u in entitled else 1.0)
            for n, u in enumerate(self.units)
        ]
        self.unknown = sum(
            not count[n] and u.group is Group.WORD for n, u in enumerate(self.units)
        )
        self.groups = Counter(unit.group for unit in self.units)

    def strengths(self, number: int, source: Read) -> Strengths:
        """Return how surely a source says the units it says.

        Args:
            number: Which of the sources it is.
            source: The source.
        """
        places = self.said_by[number]
        units = [self.units[place] for place in places]
        head = [unit.strength(source.head) for unit in units]
        each = [[unit.strength(said) for unit in units] for said in source.each]
        whole = [max(column) for column in zip(head, *each, strict=True)]
        # Of a phrase two sentences may say half each, which says nothing.
        said = Counter(u.group for u, much in zip(units, whole, strict=True) if much)
        return Strengths(
            weight=[self.weight[place] for place in places],
            head=head,
            each=each,
            whole=whole,
            left={group: self.groups[group] - said[group] for group in Group},
        )


def share(met: Strengths, at: int) -> float:
    """Return how much of a question a sentence says, for a first choice.

    Args:
        met: How surely its source says the question's units.
        at: Number of the sentence.
    """
    rows = zip(met.weight, met.here(at), met.whole, strict=True)
    return math.fsum(w * (here + ELSEWHERE * whole) for w, here, whole in rows)


def _rarity(unit: Unit, count: int, sources: int) -> float:
    """Return how much it tells that a source says a unit: more where few do."""
    if not count:
        return UNKNOWN_WORD if unit.group is Group.WORD else UNKNOWN_TOPIC
    return 0.2 + math.log1p(sources / (1 + count)) / math.log1p(sources)


def features(
    asked: Question, source: Read, at: int, met: Strengths
) -> tuple[float, ...]:
    """Return the values of `FEATURES` for a sentence of a source.

    Args:
        asked: The question.
        source: The source.
        at: Number of the sentence.
        met: How surely the source says the question's units.
    """
    reading, wanted = asked.reading, asked.reading.kinds
    told = math.fsum(
        weight * said for weight, said in zip(met.weight, met.here(at), strict=True)
    )
    product = bool(source.passage.product_id)
    topics = source.head.concepts - asked.known.facets
    return (
        # How much of the question the sentence says under its heading.
        math.log1p(told),
        # What the whole source leaves open: topics, words, names.
        min(met.left[Group.TOPIC], MOST) / MOST,
        min(met.left[Group.WORD], MOST) / MOST,
        # Words that no text of the shop says.
        min(asked.unknown, MOST) / MOST,
        float(met.left[Group.SPECIFIC] > 0),
        # Whether the sort of answer that is wanted is in the sentence, or nowhere.
        float(bool(wanted & source.each[at].kinds)),
        float(bool(wanted) and not wanted & source.whole.kinds),
        # Whether the heading has a topic of the question; how much of it is asked.
        float(bool(topics & asked.said.concepts)),
        _heading_said(source.head, asked),
        # Texts begin with what matters most.
        float(at == 0),
        # A fact of the product, a line of praise about it, or a text of the shop
        # though a product is meant.
        float(product),
        float(source.passage.source == "description"),
        float(not product and reading.of_product),
        float(product and asked.about.guessed),
        # Something is taken for granted, which may not be so.
        float("supposes" in reading.signs),
        # It makes no sense, though its words are the shop's.
        float("nonsense" in reading.signs),
    )


def _heading_said(head: Said, asked: Question) -> float:
    """Return how much of a heading, or of an answered question, the question says."""
    words = head.terms - asked.known.stop
    topics = head.concepts - asked.known.facets
    total = len(words) + len(topics)
    both = len(words & asked.said.terms) + len(topics & asked.said.concepts)
    return both / total if total else 0.0
