"""Every sentence as the words that may name a theme, each writer and copy once.

Sentences are heard from the oldest text on: what is counted once stays counted at its
first place, so that a new text changes nothing of what was counted before.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from cartwheel.levers.voice.loose import Standpoint
from cartwheel.levers.voice.reading import Spoken
from cartwheel.text.objections.idle import DENIED, denied_at, words_of

Array = np.ndarray[Any, Any]

MOST_TERMS = 200_000
"""Different words that are kept; what comes after them is not heard."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """Sentences as numbers; a copy of an earlier sentence is left out.

    Attributes:
        term: Numbers of words, sentence by sentence; shape (words,).
        sentence: Number of the sentence of each word.
        denied: Numbers of denied words, which count beside the words themselves.
        denied_in: Number of the sentence of each.
        text: Number of the text of each sentence; shape (sentences,).
        stand: Standpoint of each sentence.
        spoken: The sentences.
        vocabulary: The words.
        mood: Whether a word tells a mood, or is denied; shape (terms,). Such a word
            may be what made a sentence a complaint, and must not prove itself.
    """

    term: Array
    sentence: Array
    denied: Array
    denied_in: Array
    text: Array
    stand: Array
    spoken: Sequence[Spoken]
    vocabulary: Sequence[str]
    mood: Array

    def words(self, terms: Sequence[int]) -> tuple[str, ...]:
        """Return words by their numbers."""
        return tuple(self.vocabulary[at] for at in terms)

    def dealt(self, stand: Array) -> Heard:
        """Return the same sentences, of which others are complaints.

        Args:
            stand: Standpoint of each sentence, shape (sentences,).
        """
        return replace(self, stand=stand)


def hear(
    sentences: Sequence[Sequence[Spoken]],
    standpoints: Sequence[bytes],
    days_ago: Array,
) -> Heard:
    """Return the sentences of texts as numbers.

    Args:
        sentences: Of each text.
        standpoints: What each sentence of each text is, see `Standpoint`.
        days_ago: Age of each text.
    """
    numbers = _Numbers()
    seen: set[int] = set()
    flat, starts, of_text, stand = array("i"), array("q"), array("i"), array("b")
    denied, denied_in = array("i"), array("i")
    kept: list[Spoken] = []
    for at in np.argsort(-days_ago, kind="stable").tolist():
        for one, standpoint in zip(sentences[at], standpoints[at], strict=True):
            if standpoint == Standpoint.ASIDE or not one.languages:
                continue
            here, denials = numbers.of(one)
            if not here or (not one.blamed and _copied([*here, *denials], seen)):
                continue
            starts.append(len(flat))
            flat.extend(here)
            denied.extend(denials)
            denied_in.extend([len(kept)] * len(denials))
            of_text.append(at)
            stand.append(standpoint)
            kept.append(one)
    begun = np.array([*starts, len(flat)], np.int64)
    return Heard(
        term=np.array(flat, np.int64),
        sentence=np.repeat(np.arange(len(kept)), np.diff(begun)),
        denied=np.array(denied, np.int64),
        denied_in=np.array(denied_in, np.int64),
        text=np.array(of_text, np.int64),
        stand=np.array(stand, np.int8),
        spoken=kept,
        vocabulary=numbers.words,
        mood=np.array(numbers.mood, bool),
    )


class _Numbers:
    """Numbers of words, in the order in which they are met."""

    def __init__(self) -> None:
        self.words: list[str] = []
        self.mood: list[bool] = []
        self._known: dict[tuple[str, str], int] = {}

    def of(self, one: Spoken) -> tuple[list[int], list[int]]:
        """Return the numbers of a sentence's telling words, and of those denied."""
        language = one.languages[0]
        words = words_of(one.text, language)
        told = [self._number(language, word.term, word.mood) for word in words]
        denials = [
            self._number(language, DENIED + words[place].term, True)
            for _, place in denied_at(words)
        ]
        return [at for at in told if at >= 0], [at for at in denials if at >= 0]

    def _number(self, language: str, term: str, mood: bool) -> int:
        """Return the number of a term, -1 for none."""
        if not term:
            return -1
        place = self._known.get((language, term))
        if place is not None:
            return place
        if len(self._known) >= MOST_TERMS:
            return -1
        self._known[language, term] = len(self.words)
        self.words.append(term)
        self.mood.append(mood)
        return len(self.words) - 1


def _copied(numbers: list[int], seen: set[int]) -> bool:
    """Tell whether the same words were heard, and note them.

    Their order, numbers and small words make no difference, so that a text sent fifty
    times with a number changed is one. (Reasons of returns are chosen from a list, and
    each cost a return: there the same words are no copy.)
    """
    key = hash(tuple(sorted(set(numbers))))  # of whole numbers: everywhere the same
    if key in seen:
        return True
    seen.add(key)
    return False
