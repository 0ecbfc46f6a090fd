"""How likely a piece of evidence answers a question: plain features, one logistic sum.

Weights, in `weights.toml`, are fitted by `python -m bench.support --fit` on the
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


@lru_cache(maxsize=50_000)
def _said(text: str, language: str) -> Said:
    return read_said(text, language)


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
        return cls(known=known, title=_said(title, language) if known else NOTHING)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    """A source read: its heading, its sentences, and all of it."""

    passage: Passage
    head: Said
    each: tuple[Said, ...]
    whole: Said

    @classmethod
    def of(cls, passage: Passage, language: str) -> _Read:
        head = _said(f"{passage.heading}. {passage.topic}", language)
        each = tuple(_said(text, language) for text in passage.sentences)
        whole = head
        for one in each:
            whole = whole | one
        return cls(passage=passage, head=head, each=each, whole=whole)


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
    read = [_Read.of(one, language) for one in passages if one.sentences]
    rare = [_rarity(unit, read) for unit in units]
    scored = [
        (_share(units, rare, said, one, reading), -number, -at)
        for number, one in enumerate(read)
        for at, said in enumerate(one.each)
    ]
    near = None
    if meant is not None and read:
        texts = [spoken(one.passage, at) for one in read for at in range(len(one.each))]
        near = dict(zip([key[1:] for key in scored], meant(texts), strict=True))
    picked = _picked(scored, near)
    top = [score for score, *_ in sorted(scored, reverse=True)]
    weighed = []
    for score, number, at in picked:
        one = read[-number]
        best_other = (
            max((x for x, n, _ in scored if n != number), default=0.0)
            if score == top[0]
            else top[0]
        )
        features = _features(
            reading, units, rare, one, -at, about, ahead=score - best_other
        )
        if near is not None:
            other = max((x for (n, _), x in near.items() if n != number), default=0.0)
            features = (*features, near[number, at], near[number, at] - other)
        weighed.append(Weighed(passage=one.passage, at=-at, features=features))
    weighed.sort(key=lambda one: (-one.chance, one.passage.source))
    return weighed


def spoken(passage: Passage, at: int) -> str:
    """Return what a sentence model reads: what a sentence stands under, and itself."""
    said = passage.sentences[at]
    return f"{passage.heading}. {said}" if passage.heading else said


def _picked(
    scored: Sequence[tuple[float, int, int]],
    near: Mapping[tuple[int, int], float] | None,
) -> list[tuple[float, int, int]]:
    """Return the sentences worth weighing, one a source for each way to find it."""
    ways: list[Callable[[tuple[float, int, int]], float]] = [lambda key: key[0]]
    if near is not None:
        ways.append(lambda key: near[key[1:]])
    found: dict[tuple[float, int, int], None] = {}
    for way in ways:
        seen: set[int] = set()
        for key in sorted(scored, key=lambda key: (-way(key), -key[1], -key[2])):
            if len(seen) == MOST_WEIGHED:
                break
            if key[1] not in seen and way(key) > 0:
                seen.add(key[1])
                found[key] = None
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
