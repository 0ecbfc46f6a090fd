"""Some sentences of each theme, in customers' words, as arrays of the voice model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from cartwheel.levers.base import Model
from cartwheel.levers.voice.mentions import Mentions
from cartwheel.text.objections import sentence_key
from cartwheel.text.packed import pack, unpack

Array = np.ndarray[Any, Any]
At = tuple[int, int]
"""Number of product, and of class or split."""

SOURCES = ("review", "message", "question", "survey")
"""What can be quoted; models hold their numbers, so new ones stand last."""

QUOTES_EACH = 3
MOST_QUOTES = 3_000
LONGEST_QUOTE = 240


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """A sentence that somebody said.

    Attributes:
        text: The sentence, masked; a long one is cut.
        source: review, message, question or survey.
        days_ago: Age in days on the turn's day.
        key: Fingerprint of the whole sentence.
    """

    text: str
    source: str
    days_ago: int
    key: str


def newest_quotes(
    mentions: Mentions, place: Array, said: Mapping[At, str]
) -> dict[At, list[Quote]]:
    """Return the newest sentences by number of product and theme, each once.

    Args:
        mentions: The texts.
        place: Number of the product of each text.
        said: Sentence by number of text and of theme.
    """
    newest = np.argsort(mentions.days_ago, kind="stable").tolist()
    rank = {at: number for number, at in enumerate(newest)}
    held: dict[At, list[Quote]] = {}
    for at, theme in sorted(said, key=lambda key: (rank[key[0]], key[1])):
        told = held.setdefault((int(place[at]), theme), [])
        if len(told) >= QUOTES_EACH:
            continue
        key = sentence_key(said[at, theme])
        if all(key != one.key for one in told):
            quote = Quote(
                text=said[at, theme][:LONGEST_QUOTE],
                source=str(mentions.source[at]),
                days_ago=int(mentions.days_ago[at]),
                key=key,
            )
            told.append(quote)
    return held


def pack_quotes(
    name: str, held: Mapping[At, list[Quote]], worth: Mapping[At, float]
) -> dict[str, Array]:
    """Return quotes as arrays of a model, those of most worth where they are many.

    Args:
        name: What their arrays are called.
        held: Quotes by place.
        worth: Worth by place, 0 for others.
    """
    order = sorted(held, key=lambda at: (-worth.get(at, 0.0), at))
    rows = [(at, one) for at in order for one in held[at]][:MOST_QUOTES]
    text, start = pack([one.text for _, one in rows])
    return {
        f"{name}_text": text,
        f"{name}_start": start,
        f"{name}_at": np.array([at for at, _ in rows], np.int64).reshape(-1, 2),
        f"{name}_source": np.array(
            [SOURCES.index(one.source) for _, one in rows], np.int8
        ),
        f"{name}_days": np.array([one.days_ago for _, one in rows], np.int64),
        f"{name}_key": np.array([one.key for _, one in rows], dtype="U16"),
    }


def read_quotes(model: Model, name: str) -> dict[At, list[Quote]]:
    """Return the quotes that `pack_quotes` wrote, newest first, by place."""
    arrays = model.arrays
    held: dict[At, list[Quote]] = {}
    for at, (product, theme) in enumerate(arrays[f"{name}_at"].tolist()):
        quote = Quote(
            text=unpack(arrays[f"{name}_text"], arrays[f"{name}_start"], at),
            source=SOURCES[int(arrays[f"{name}_source"][at])],
            days_ago=int(arrays[f"{name}_days"][at]),
            key=str(arrays[f"{name}_key"][at]),
        )
        held.setdefault((product, theme), []).append(quote)
    return held


def quotes_by_place(model: Model) -> dict[At, list[str]]:
    """Return what was said, newest first, by number of product and of class."""
    arrays = model.arrays
    held: dict[At, list[str]] = {}
    for at, (product, kind) in enumerate(arrays["quote_at"].tolist()):
        said = unpack(arrays["quote_text"], arrays["quote_start"], at)
        held.setdefault((product, kind), []).append(said)
    return held
