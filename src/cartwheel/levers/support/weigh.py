"""How likely a piece of evidence answers a question: plain features, one logistic sum.

Weights, in `weights.toml`, are fitted by `python -m bench.support_fit` on the
development questions of `bench/labels/support`, and frozen; the held-out ones tell how
well they do.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from typing import NamedTuple

from cartwheel.levers.support.evidence import Passage
from cartwheel.text.asking import Reading, Said, Unit, read_said
from cartwheel.text.asking.said import NOTHING

FEATURES = (
    "said",
    "said_near",
    "open_supposed",
    "met",
    "kind_met",
    "of_product",
    "answered_before",
    "points_nowhere",
    "ahead",
)
"""Names of the features, in the order of `Weighed.features`."""

MEANT = ("meant", "meant_ahead")
"""Further ones where a sentence model is set: the cosine of question and sentence, and
how much nearer it is than the nearest of any other source."""

NEAR = 0.6
"""What counts a unit that the source says, though not in the sentence taken."""

HEADED = 0.5
"""What counts a unit more that the heading says."""

OFTEN = 0.3
"""What counts a unit more that four sentences of the source say."""

MOST_WEIGHED = 12
"""Sources that are weighed as answers, the likeliest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """What each feature counts.

    Attributes:
        bias: What is added.
        by_feature: Weight of each, in the order of the features.
    """

    bias: float
    by_feature: tuple[float, ...]

    def chance(self, features: Sequence[float]) -> float:
        """Return the chance that evidence with these features answers."""
        total = self.bias + math.fsum(
            weight * value
            for weight, value in zip(self.by_feature, features, strict=True)
        )
        return 1.0 / (1.0 + math.exp(-max(min(total, 50.0), -50.0)))


@cache
def weights(*, meant: bool) -> Weights:
    """Return the fitted weights.

    Args:
        meant: Those with the feature `MEANT`.
    """
    file = files("cartwheel.levers.support") / "weights.toml"
    held = tomllib.loads(file.read_text(encoding="utf-8"))
    mine = held["meaning" if meant else "words"]
    names = (*FEATURES, *MEANT) if meant else FEATURES
    return Weights(
        bias=float(mine["bias"]),
        by_feature=tuple(float(mine[name]) for name in names),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """A sentence of a source as an answer.

    Attributes:
        passage: The source.
        at: Number of the sentence taken.
        features: Values of `FEATURES`, and of `MEANT` where that is known.
    """

    passage: Passage
    at: int
    features: tuple[float, ...]

    @property
    def chance(self) -> float:
        """Return the chance that it answers the question."""
        meant = len(self.features) > len(FEATURES)
        return weights(meant=meant).chance(self.features)


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What is understood without being said: the product asked about.

    Attributes:
        known: A product is looked at or named.
        title: Reading of its title.
    """

    known: bool
    title: Said

    @classmethod
    def of(cls, title: str, language: str) -> About:
        """Return it for a product's title, "" for none."""
        known = bool(title)
        return cls(known=known, title=read_said(title, language) if known else NOTHING)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    """A source read: its heading, its sentences, and all of it."""

    passage: Passage
    head: Said
    each: tuple[Said, ...]
    whole: Said


@lru_cache(maxsize=10_000)
def _read(passage: Passage, language: str) -> _Read:
    head = read_said(f"{passage.heading}. {passage.topic}", language)
    each = tuple(read_said(text, language) for text in passage.sentences)
    whole = head
    for one in each:
        whole = whole | one
    return _Read(passage=passage, head=head, each=each, whole=whole)


class _Scored(NamedTuple):
    """How much of a question a sentence says: the source and the sentence by number."""

    score: float
    source: int
    at: int


Meant = Callable[[Sequence[str]], Sequence[float]]
"""Tells how near in meaning sentences are to the question, -1 to 1 each."""


def weigh(
    reading: Reading,
    passages: Iterable[Passage],
    about: About,
    language: str,
    meant: Meant | None = None,
) -> list[Weighed]:
    """Return the best sentence of each source that may answer, likeliest first.

    Args:
        reading: The question.
        passages: The sources.
        about: The product asked about.
        language: Language of the question.
        meant: Tells what is near in meaning, if a sentence model is set.
    """
    units = [u for u in reading.units if not (about.known and u.covered(about.title))]
    read = [_read(one, language) for one in passages if one.sentences]
    rare = [_rarity(unit, read) for unit in units]
    scored = [
        _Scored(_share(units, rare, said, one, reading), source, at)
        for source, one in enumerate(read)
        for at, said in enumerate(one.each)
    ]
    near = None
    if meant is not None and read:
        texts = [spoken(read[one.source].passage, one.at) for one in scored]
        near = dict(zip(scored, meant(texts), strict=True))
    top = max((one.score for one in scored), default=0.0)
    weighed = []
    for one in _picked(scored, near):
        others = [other for other in scored if other.source != one.source]
        ahead = one.score - top
        if one.score == top:
            ahead = top - max((other.score for other in others), default=0.0)
        features = _features(
            reading, units, rare, read[one.source], one.at, about, ahead=ahead
        )
        if near is not None:
            nearest = max((near[other] for other in others), default=0.0)
            features = (*features, near[one], near[one] - nearest)
        passage = read[one.source].passage
        weighed.append(Weighed(passage=passage, at=one.at, features=features))
    weighed.sort(key=lambda one: (-one.chance, one.passage.source))
    return weighed


def spoken(passage: Passage, at: int) -> str:
    """Return what a sentence model reads: what a sentence stands under, and itself."""
    said = passage.sentences[at]
    return f"{passage.heading}. {said}" if passage.heading else said


def _picked(
    scored: Sequence[_Scored], near: Mapping[_Scored, float] | None
) -> list[_Scored]:
    """Return the sentences worth weighing, one a source for each way to find it."""
    ways: list[Callable[[_Scored], float]] = [lambda one: one.score]
    if near is not None:
        ways.append(lambda one: near[one])
    found: dict[_Scored, None] = {}
    for way in ways:
        seen: set[int] = set()
        # Sorting keeps the order of sources and sentences where they are alike.
        for one in sorted(scored, key=way, reverse=True):
            if len(seen) == MOST_WEIGHED:
                break
            if one.source not in seen and way(one) > 0:
                seen.add(one.source)
                found[one] = None
    return list(found)


def _rarity(unit: Unit, read: Sequence[_Read]) -> float:
    """Return how much it tells that a source says a unit: more where few do."""
    count = sum(unit.covered(one.whole) for one in read)
    rare = math.log1p(len(read) / (1 + count)) / math.log1p(max(len(read), 1))
    return (1.5 if unit.specific else 1.0) * (0.2 + rare)


def _share(
    units: Sequence[Unit],
    rare: Sequence[float],
    said: Said,
    source: _Read,
    reading: Reading,
) -> float:
    """Return how much of a question a sentence says, its source counting less."""
    total = 0.0
    for unit, weight in zip(units, rare, strict=True):
        here = unit.strength(said)
        total += weight * max(here, NEAR * unit.strength(source.whole))
        total += HEADED * weight * unit.strength(source.head)
        often = sum(unit.covered(one) for one in source.each)
        total += OFTEN * weight * min(often, 4) / 4
    if total:
        total += 0.5 * len(reading.numbers & said.numbers)
        total += 0.5 * len(reading.kinds & said.kinds)
    return total


def _features(
    reading: Reading,
    units: Sequence[Unit],
    rare: Sequence[float],
    source: _Read,
    at: int,
    about: About,
    *,
    ahead: float,
) -> tuple[float, ...]:
    said, whole = source.each[at] | source.head, source.whole
    total = math.fsum(rare) or 1.0
    pairs = list(zip(units, rare, strict=True))
    met = math.fsum(weight * unit.strength(said) for unit, weight in pairs)
    near = math.fsum(weight * unit.strength(whole) for unit, weight in pairs)
    supposed = [
        unit
        for unit in reading.supposed
        if not unit.covered(whole) and not unit.covered(about.title)
    ]
    wanted = reading.kinds & {"duration", "money"}
    pointing = "points" in reading.signs and not about.known
    return (
        met / total,
        near / total,
        min(len(supposed) + len(reading.supposed_numbers - whole.numbers), 3) / 3,
        math.log1p(met),
        float(bool(wanted & said.kinds)),
        float(bool(source.passage.product_id)),
        float(source.passage.source.startswith("answer:")),
        float(pointing and len(units) < 2),
        max(min(ahead, 2.0), -2.0),
    )
