"""Sentence by sentence: which text raises which objection, and what fits none."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from cartwheel.levers.voice.loose import (
    Standpoint,
    set_aside,
    standpoint_of,
    teacher,
)
from cartwheel.levers.voice.reading import Spoken, Texts
from cartwheel.text.objections import CLASSES, Standing
from cartwheel.text.objections.corrections import words_pattern
from cartwheel.text.objections.fit import fit_of
from cartwheel.text.tokens import fold

WORDY = 10
"""Characters from which a sentence is worth quoting."""

Names = tuple[str, ...]
Origin = tuple[str, int | None]
"""Source and stars of a text."""

NO_CLASS = ("",)
"""What a theme of the shop's own beneath no class is beneath."""


def count_sentences(
    texts: Texts,
    stands: Standing,
    read: Callable[[Spoken], Names],
    origins: Sequence[Origin],
    displeased: Callable[[Spoken], bool],
) -> dict[str, Any]:
    """Return what `Mentions` holds by text and class or split.

    Args:
        texts: The texts.
        stands: Corrections that stand.
        read: What tells the objections of a sentence in this shop.
        origins: Source and stars of each text.
        displeased: What tells whether a sentence is displeased.
    """
    number = {name: at for at, name in enumerate(CLASSES)}
    splits = [
        (stands.counted_as(one.objection), words_pattern(one.words))
        for one in stands.splits
    ]
    judge = _judge(stands, read)
    size = len(texts.sentences)
    raised = np.zeros((size, len(number)), bool)
    glum = np.zeros((size, len(number)), bool)
    split = np.zeros((size, len(splits)), bool)
    ways = np.zeros(size, np.int64)
    quotes: dict[tuple[int, int], str] = {}
    split_quotes: dict[tuple[int, int], str] = {}
    standpoints: list[bytes] = []
    for at, said in enumerate(texts.sentences):
        stand = bytearray(len(said))
        for place, one in enumerate(said):
            names, stand[place] = judge(one, origins[at])
            if not names and stand[place] == Standpoint.OTHER:
                continue
            quoted = is_quotable(one)
            for name in names:
                raised[at, number[name]] = True
                glum[at, number[name]] |= displeased(one)
                if name == "size_fit" and "?" not in one.text:
                    ways[at] += fit_of(one.text, one.languages)
                if quoted:
                    quotes.setdefault((at, number[name]), one.text)
            for theme, (name, pattern) in enumerate(splits):
                if name in (names or NO_CLASS) and pattern.search(fold(one.text)):
                    split[at, theme] = True
                    if quoted:
                        split_quotes.setdefault((at, theme), one.text)
        standpoints.append(bytes(stand))
    return {
        "raised": raised,
        "displeased": glum,
        "fit": np.sign(ways),
        "quotes": quotes,
        "split": split,
        "split_quotes": split_quotes,
        "standpoints": standpoints,
    }


def is_quotable(one: Spoken) -> bool:
    """Tell whether a sentence is worth quoting: the reason of a return is often a code.

    Args:
        one: The sentence.
    """
    return len(one.text) >= WORDY and not one.blamed


def _judge(
    stands: Standing, read: Callable[[Spoken], Names]
) -> Callable[[Spoken, Origin], tuple[Names, Standpoint]]:
    """Return what tells the classes of a sentence, and what it is if it has none."""
    taught, aside = teacher(stands), set_aside(stands)

    def judge(one: Spoken, origin: Origin) -> tuple[Names, Standpoint]:
        names = read(one)
        if names:
            return names, Standpoint.OTHER
        stand = standpoint_of(one, *origin)
        if stand == Standpoint.OTHER:
            return (), stand
        names = taught(one)
        if names:
            return names, Standpoint.OTHER
        return (), Standpoint.ASIDE if aside(one) else stand

    return judge
