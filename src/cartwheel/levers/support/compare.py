"""How a sentence of the shop's compares with a question: plain features.

A sentence is compared with what stands around it: its heading says what it is about, its
source what it may leave unsaid.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from cartwheel.levers.support.evidence import Passage
from cartwheel.text.asking import Group, Reading, Said, Unit, read_said
from cartwheel.text.asking.lexicon import lexicon
from cartwheel.text.asking.said import NOTHING

FEATURES = (
    "topic_here",
    "topic_near",
    "topic_open",
    "word_here",
    "word_near",
    "word_open",
    "word_unknown",
    "specific_here",
    "specific_open",
    "facet_here",
    "kind_here",
    "kind_near",
    "kind_open",
    "measure_here",
    "met",
    "heading_asked",
    "answered_before",
    "alike",
    "of_product",
    "product_fits",
    "not_of_shop",
    "shop_asked",
    "points_nowhere",
    "supposes",
    "open_supposed",
    "numbers",
    "complete_here",
    "complete",
    "denied",
    "policy_topic",
    "guessed",
    "name_open",
)
"""Names of the features, in order; each is told in `features`."""

HEADED = 0.8
"""What counts a unit that the heading says."""

NEAR = 0.5
"""What counts a unit that the source says, though not in the sentence taken."""

AROUND = 0.8
"""What counts a unit that a sentence next to the one taken says."""

ENTITLED = 0.3
"""What a unit weighs that the title of the product says: all its facts are about it."""

SCALE = 3
"""Things unsaid from which more make no difference."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """A source read.

    Attributes:
        passage: The source.
        head: Its heading.
        topic: Its topic, of a policy.
        each: Its sentences.
        whole: All of it.
    """

    passage: Passage
    head: Said
    topic: Said
    each: tuple[Said, ...]
    whole: Said


@lru_cache(maxsize=10_000)
def read_passage(passage: Passage, language: str) -> Read:
    """Return a source read in a language."""
    head = read_said(passage.heading, language)
    topic = read_said(passage.topic, language)
    each = tuple(read_said(text, language) for text in passage.sentences)
    whole = head
    for one in each:
        whole = whole | one
    return Read(passage=passage, head=head, topic=topic, each=each, whole=whole)


def shop_terms(passages: Sequence[Passage], language: str) -> frozenset[str]:
    """Return the terms that sources say."""
    read = [read_passage(one, language).whole.terms for one in passages]
    return frozenset().union(*read)


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
        # The words of a product's title are said of all its facts alike.
        self.units = [
            u
            for u in reading.units
            if u.group is Group.TOPIC or not (about.known and u.covered(about.title))
        ]
        count = [sum(u.covered(one.whole) for one in read) for u in self.units]
        self.weight = [
            _rarity(u, n, len(read)) * (ENTITLED if u.covered(about.title) else 1.0)
            for u, n in zip(self.units, count, strict=True)
        ]
        # Names that are known are compared as what they name.
        self.named = frozenset(
            term
            for u in reading.units
            if u.group is not Group.WORD or u.meanings
            for term in u.terms
        )
        self.unknown = sum(
            not n and u.group is Group.WORD
            for u, n in zip(self.units, count, strict=True)
        )

    def strengths(self, source: Read) -> Strengths:
        """Return how surely a source says each unit."""
        head = [u.strength(source.head) for u in self.units]
        each = [[u.strength(said) for u in self.units] for said in source.each]
        whole = [max(column) for column in zip(head, *each, strict=True)]
        return Strengths(head=head, each=each, whole=whole)

    def share(self, met: Strengths, at: int) -> float:
        """Return how much of the question a sentence says, for a first choice."""
        pairs = zip(self.weight, met.here(at), met.whole, strict=True)
        return math.fsum(w * (here + 0.3 * near) for w, here, near in pairs)


@dataclass(frozen=True, slots=True, kw_only=True)
class Strengths:
    """How surely a source says each unit of a question.

    Attributes:
        head: In its heading.
        each: In each of its sentences.
        whole: Anywhere.
    """

    head: Sequence[float]
    each: Sequence[Sequence[float]]
    whole: Sequence[float]

    def here(self, at: int) -> list[float]:
        """Return it for a sentence under its heading."""
        pairs = zip(self.each[at], self.head, strict=True)
        return [max(said, HEADED * headed) for said, headed in pairs]

    def near(self, at: int) -> list[float]:
        """Return it for a sentence with what stands beside it."""
        begin = max(at - 1, 0)
        beside = self.each[begin : at + 2]
        around = [AROUND * max(column) for column in zip(*beside, strict=True)]
        rows = zip(self.here(at), around, self.whole, strict=True)
        return [max(here, by, NEAR * whole) for here, by, whole in rows]


def _rarity(unit: Unit, count: int, sources: int) -> float:
    """Return how much it tells that a source says a unit: more where few do."""
    if not count:
        return 0.6 if unit.group is Group.WORD else 1.2
    rare = math.log1p(sources / (1 + count)) / math.log1p(max(sources, 1))
    return 0.2 + rare


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
    reading, said = asked.reading, source.each[at]
    here, near = met.here(at), met.near(at)
    topic = _Part(asked, Group.TOPIC)
    word = _Part(asked, Group.WORD)
    specific = _Part(asked, Group.SPECIFIC)
    facet = _Part(asked, Group.FACET)
    window = frozenset().union(
        *(one.kinds for one in source.each[max(at - 1, 0) : at + 2])
    )
    wanted = reading.kinds
    product = bool(source.passage.product_id)
    heading = _topics(source.head, asked)
    nowhere = "points" in reading.signs and not asked.about.known
    open_supposed = [
        unit
        for unit in reading.supposed
        if not unit.covered(source.whole) and not unit.covered(asked.about.title)
    ]
    open_names = len(
        reading.names - source.whole.terms - asked.about.title.terms - asked.named
    )
    open_numbers = len(reading.supposed_numbers - source.whole.numbers)
    told = [w * h for w, h in zip(asked.weight, here, strict=True)]
    shop = [
        u
        for u in asked.units
        if u.group is Group.TOPIC and not u.meanings & asked.known.of_product
    ]
    return (
        topic.share(here),
        topic.share(near),
        min(topic.unmet(met.whole), SCALE) / SCALE,
        word.share(here),
        word.share(near),
        min(word.unmet(met.whole), SCALE) / SCALE,
        min(asked.unknown, SCALE) / SCALE,
        specific.share(here),
        float(specific.unmet(met.whole) > 0),
        facet.share(here),
        float(bool(wanted & said.kinds)),
        float(bool(wanted & window)),
        float(bool(wanted) and not wanted & source.whole.kinds),
        float(bool(wanted & said.kinds - {"duration", "money", "count"})),
        math.log1p(math.fsum(told)),
        float(bool(heading & asked.said.concepts)),
        float(source.passage.source.startswith("answer:")),
        _alike(source, asked),
        float(product),
        float(product and reading.of_product),
        float(not product and reading.of_product),
        float(product and bool(shop)),
        float(nowhere and len(asked.units) < 3),
        float("supposes" in reading.signs),
        min(len(open_supposed) + open_numbers, SCALE) / SCALE,
        float(bool((reading.numbers - reading.supposed_numbers) & said.numbers)),
        float(all(here) and bool(here)),
        float(all(met.whole) and bool(here)),
        float("supposes" in reading.signs and said.denies),
        float(bool(source.topic.concepts & asked.said.concepts)),
        float(product and asked.about.guessed),
        min(open_names, SCALE) / SCALE,
    )


class _Part:
    """The units of one group."""

    def __init__(self, asked: Question, group: Group) -> None:
        self.at = [n for n, unit in enumerate(asked.units) if unit.group is group]
        self.weight = asked.weight

    def share(self, strength: Sequence[float]) -> float:
        total = math.fsum(self.weight[n] for n in self.at)
        if not total:
            return 0.0
        return math.fsum(self.weight[n] * strength[n] for n in self.at) / total

    def unmet(self, strength: Sequence[float]) -> int:
        return sum(not strength[n] for n in self.at)


def _topics(said: Said, asked: Question) -> frozenset[str]:
    return said.concepts - asked.known.facets


def _alike(source: Read, asked: Question) -> float:
    """Return how much of a heading, or of an answered question, the question says."""
    head = source.head
    words = head.terms - asked.known.stop
    topics = head.concepts - asked.known.facets
    total = len(words) + len(topics)
    both = len(words & asked.said.terms) + len(topics & asked.said.concepts)
    return both / total if total else 0.0
