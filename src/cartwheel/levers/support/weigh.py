"""How likely a piece of evidence answers a question: one sum of plain features.

The sentences worth weighing compete with one another and with "nothing here answers
it": a sentence with the sum `s` of its features has the chance exp(s) / (1 + sum of
exp), a conditional logit. What is quoted is a sentence with its neighbours, so their
chances count together.

Weights, in `weights.toml`, are fitted by `python -m bench.support_fit` on the
development questions under `bench/labels`, and frozen; the held-out ones tell how
well they do.

References:
    McFadden (1974), "Conditional logit analysis of qualitative choice behavior".
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from cartwheel.levers.support.compare import (
    FEATURES,
    About,
    Question,
    features,
    read_passage,
    share,
)
from cartwheel.levers.support.evidence import Passage
from cartwheel.text.asking import Reading, Said

MEANT = ("meant", "meant_ahead", "meant_alone", "meant_heading", "meant_asking")
"""Further ones where a sentence model is set: the cosine of message and sentence under
its heading, how much nearer it is than the nearest of any other source, the cosine of
the sentence alone and of the heading, and that of the sentence of the message that
asks."""

BEFORE, AFTER = 1, 2
"""Sentences of a source that are quoted: from one before to the one behind."""

MOST_WEIGHED = 12
"""Sources that are weighed as answers, the likeliest first."""

EACH = 2
"""Sentences of a source that are weighed."""

STEEPEST = 50.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """What each feature counts.

    Attributes:
        bias: What is added.
        by_feature: Weight of each, in the order of the features.
    """

    bias: float
    by_feature: tuple[float, ...]

    def sum_of(self, values: Sequence[float]) -> float:
        """Return the sum of features, each by its weight."""
        total = self.bias + math.fsum(
            weight * value
            for weight, value in zip(self.by_feature, values, strict=True)
        )
        return max(min(total, STEEPEST), -STEEPEST)


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
        chance: Chance that what is quoted around it answers the question.
    """

    passage: Passage
    at: int
    features: tuple[float, ...]
    chance: float


class _Scored(NamedTuple):
    """How much of a question a sentence says: the source and the sentence by number."""

    score: float
    source: int
    at: int


class Nearness(NamedTuple):
    """How near in meaning a text is, -1 to 1: to the message, and to what it asks."""

    message: float
    asking: float


Meant = Callable[[Sequence[str]], Sequence[Nearness]]
"""Tells how near in meaning texts are to a message."""


def weigh(
    reading: Reading,
    said: Said,
    passages: Iterable[Passage],
    about: About,
    language: str,
    meant: Meant | None = None,
) -> list[Weighed]:
    """Return the sentences that may answer, likeliest first.

    Args:
        reading: The question.
        said: The question read like a text.
        passages: The sources.
        about: The product asked about.
        language: Language of the question.
        meant: Tells what is near in meaning, if a sentence model is set.
    """
    read = [read_passage(one, language) for one in passages if one.sentences]
    asked = Question(reading, said, read, about, language)
    met = [asked.strengths(number, one) for number, one in enumerate(read)]
    scored = [
        _Scored(share(met[source], at), source, at)
        for source, one in enumerate(read)
        if meant is not None or any(met[source].whole)
        for at in range(len(one.each))
    ]
    near = None
    if meant is not None and read:
        texts = [spoken(read[one.source].passage, one.at) for one in scored]
        near = dict(zip(scored, meant(texts), strict=True))
    picked = _picked(scored, near)
    values = [
        features(asked, read[one.source], one.at, met[one.source]) for one in picked
    ]
    if meant is not None and near is not None:
        told = _told(picked, [one.passage for one in read], near, meant)
        values = [(*mine, *more) for mine, more in zip(values, told, strict=True)]
    chances = together(picked, values, weights(meant=near is not None))
    weighed = [
        Weighed(
            passage=read[one.source].passage, at=one.at, features=found, chance=chance
        )
        for one, found, chance in zip(picked, values, chances, strict=True)
    ]
    weighed.sort(key=lambda one: (-one.chance, one.passage.source, one.at))
    return weighed


def _told(
    picked: Sequence[_Scored],
    passages: Sequence[Passage],
    near: Mapping[_Scored, Nearness],
    meant: Meant,
) -> list[tuple[float, ...]]:
    """Return the values of `MEANT` for each sentence worth weighing."""
    nearest: dict[int, float] = {}
    for two, how in near.items():
        nearest[two.source] = max(nearest.get(two.source, -1.0), how.message)
    alone = meant([passages[one.source].sentences[one.at] for one in picked])
    heading = meant([passages[one.source].heading for one in picked])
    found: list[tuple[float, ...]] = []
    for one, mine, under in zip(picked, alone, heading, strict=True):
        others = (much for source, much in nearest.items() if source != one.source)
        here = near[one]
        ahead = here.message - max(others, default=0.0)
        found.append((here.message, ahead, mine.message, under.message, here.asking))
    return found


def together(
    picked: Sequence[_Scored], values: Sequence[Sequence[float]], by: Weights
) -> list[float]:
    """Return for each sentence the chance that it or one quoted with it answers.

    Args:
        picked: The sentences.
        values: Their features.
        by: What each feature counts.
    """
    strong = [math.exp(by.sum_of(one)) for one in values]
    total = 1.0 + math.fsum(strong)
    return [
        math.fsum(
            much
            for two, much in zip(picked, strong, strict=True)
            if two.source == one.source and -BEFORE <= two.at - one.at < AFTER
        )
        / total
        for one in picked
    ]


def spoken(passage: Passage, at: int) -> str:
    """Return what a sentence model reads: what a sentence stands under, and itself."""
    said = passage.sentences[at]
    return f"{passage.heading}. {said}" if passage.heading else said


def _picked(
    scored: Sequence[_Scored], near: Mapping[_Scored, Nearness] | None
) -> list[_Scored]:
    """Return the sentences worth weighing, few a source for each way to find it."""
    ways: list[Callable[[_Scored], float]] = [lambda one: one.score]
    if near is not None:
        ways.append(lambda one: near[one].message)
    found: dict[_Scored, None] = {}
    for way in ways:
        seen: dict[int, int] = {}
        # Sorting keeps the order of sources and sentences where they are alike.
        for one in sorted(scored, key=way, reverse=True):
            count = seen.get(one.source, 0)
            if way(one) <= 0 or (not count and len(seen) == MOST_WEIGHED):
                break
            if count < EACH:
                seen[one.source] = count + 1
                found[one] = None
    return list(found)
