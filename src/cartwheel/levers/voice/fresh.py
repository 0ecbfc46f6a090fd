"""New themes: what several customers say that fits no class, in their own words."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cartwheel.levers.voice.heard import Heard, hear
from cartwheel.levers.voice.naming import name_of, spans_of
from cartwheel.levers.voice.reading import Spoken
from cartwheel.levers.voice.recurring import LEAST, PLACES, Recurring, find_recurring
from cartwheel.text.objections.corrections import LONGEST_WORDS, MOST_WORDS

Array = np.ndarray[Any, Any]

MOST_NEW = 6
"""New themes that are shown."""

MOST_WEIGHED = 300
"""What recurs most, among which the themes are chosen."""

APART = 0.5
"""Share of its sentences that no other theme has, from which a theme is one more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fresh:
    """A theme that fits no class.

    Attributes:
        key: What it is known by, from turn to turn.
        title: Its name, in customers' words.
        words: Words or phrases by which its sentences are found, folded.
        place: "shop", "product" or "category": where it comes up beyond its share.
        name: Which product or category, "" for the whole shop.
        texts: Numbers of the texts that raise it, each writer's first.
        spoken: The sentence of each that raises it.
    """

    key: str
    title: str
    words: tuple[str, ...]
    place: str
    name: str
    texts: tuple[int, ...]
    spoken: tuple[Spoken, ...]

    def to_json(self) -> dict[str, Any]:
        """Return what it is, without its texts, as JSON values."""
        return {
            "key": self.key,
            "title": self.title,
            "words": list(self.words),
            "place": self.place,
            "name": self.name,
        }


def find_fresh(
    sentences: Sequence[Sequence[Spoken]],
    standpoints: Sequence[bytes],
    days_ago: Array,
    writer: Array,
    places: Mapping[str, Array],
) -> list[Fresh]:
    """Return the themes that fit no class, those of most texts first.

    Args:
        sentences: Of each text.
        standpoints: What each sentence of each text is, see `loose.Standpoint`.
        days_ago: Age of each text in days.
        writer: Number of the writer of each text.
        places: "product" and "category" of each text, "" where none is known.
    """
    heard = hear(sentences, standpoints, days_ago)
    found = find_recurring(heard, writer, places)
    chosen = _chosen(found, heard)
    themes = [_theme(one, _home(one, found), heard) for one in chosen]
    return sorted(
        (one for one in themes if one.words), key=lambda one: (-len(one.texts), one.key)
    )


def _chosen(found: Iterable[Recurring], heard: Heard) -> list[Recurring]:
    """Return what explains most sentences that nothing before it explains.

    Words that are said together are one theme, and the one that more say leads.
    """
    waiting = sorted(
        found, key=lambda one: (-_weight(one, len(one.sentences)), one.terms)
    )
    waiting = waiting[:MOST_WEIGHED]
    taken = np.zeros(len(heard.spoken), bool)
    chosen: list[Recurring] = []
    while waiting and len(chosen) < MOST_NEW:
        left = [int((~taken[one.sentences]).sum()) for one in waiting]
        weights = [_weight(one, many) for one, many in zip(waiting, left, strict=True)]
        best = waiting[int(np.argmax(weights))]
        chosen.append(best)
        taken[best.sentences] = True
        waiting = [one for one in waiting if _is_apart(one, taken)]
    return chosen


def _weight(one: Recurring, sentences: int) -> float:
    return sentences * one.excess


def _is_apart(one: Recurring, taken: Array) -> bool:
    left = int((~taken[one.sentences]).sum())
    return left >= max(LEAST, APART * len(one.sentences))


def _home(one: Recurring, found: Iterable[Recurring]) -> tuple[str, str]:
    """Return the product or category that most of a theme of the shop is about."""
    if one.place != "shop":
        return one.place, one.name
    homes = [
        other
        for other in found
        if other.terms == one.terms
        and other.place != "shop"
        and 2 * len(other.sentences) > len(one.sentences)
    ]
    homes.sort(key=lambda other: (PLACES.index(other.place), -len(other.sentences)))
    return (homes[0].place, homes[0].name) if homes else ("shop", "")


def _theme(one: Recurring, home: tuple[str, str], heard: Heard) -> Fresh:
    spoken = [heard.spoken[at] for at in one.sentences.tolist()]
    terms = heard.words(one.terms)
    spans = Counter(span for said in spoken for span in spans_of(said, terms))
    words = [
        words
        for words, _ in sorted(spans.items(), key=lambda pair: (-pair[1], pair[0]))
        if len(words) <= LONGEST_WORDS
    ]
    plain = "\n".join((one.place, one.name, *terms))
    return Fresh(
        key=hashlib.blake2b(plain.encode(), digest_size=8).hexdigest(),
        title=name_of(spoken, terms),
        words=tuple(words[:MOST_WORDS]),
        place=home[0],
        name=home[1],
        texts=tuple(heard.text[one.sentences].tolist()),
        spoken=tuple(spoken),
    )
