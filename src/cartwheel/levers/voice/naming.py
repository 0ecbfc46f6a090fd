"""What a theme is called: the longest phrase that many of its sentences share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from cartwheel.levers.voice.reading import Spoken
from cartwheel.text.objections.idle import DENIED, Word, denied_at, words_of
from cartwheel.text.tokens import fold

LONGEST_NAME = 4
"""Words of a name."""

SHARED = 0.4
"""Share of the sentences that have a longer name."""

FARTHEST = 4
"""Words between which two words of a theme still are one phrase."""


def spans_of(one: Spoken, terms: Sequence[str]) -> set[str]:
    """Return the stretches of a sentence that have the words of a theme, folded.

    Args:
        one: The sentence.
        terms: One word, or two in a row with nothing but small words between.
    """
    words = words_of(one.text, one.languages[0])
    return {
        fold(" ".join(word.written for word in words[start:end]))
        for start, end in _places(words, terms)
        if end - start <= FARTHEST
    }


def name_of(spoken: Sequence[Spoken], terms: Sequence[str]) -> str:
    """Return the name of a theme.

    The longest phrase around its words that two fifths of its sentences share; where
    there is none, its words as most write them. What few say never names it.

    Args:
        spoken: Its sentences.
        terms: Its words.
    """
    phrases: Counter[tuple[str, ...]] = Counter()
    plain: Counter[tuple[str, ...]] = Counter()
    for one in spoken:
        words = words_of(one.text, one.languages[0])
        found = list(_places(words, terms))
        plain.update({_written(words[start:end]) for start, end in found})
        phrases.update({phrase for place in found for phrase in _around(words, *place)})
    shared = [
        phrase for phrase, times in phrases.items() if times >= SHARED * len(spoken)
    ]
    said = phrases + plain
    if shared:
        best = min(shared, key=lambda one: (-len(one), -said[one], one))
    else:
        best = min(plain, key=lambda one: (-said[one], one))
    return " ".join(best)


def _places(words: Sequence[Word], terms: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Yield where a theme's words begin and end among the words of a sentence."""
    if terms[0].startswith(DENIED):
        for denial, place in denied_at(list(words)):
            if DENIED + words[place].term == terms[0]:
                yield denial, place + 1
        return
    telling = [at for at, word in enumerate(words) if word.term]
    for first in range(len(telling) - len(terms) + 1):
        here = telling[first : first + len(terms)]
        if [words[at].term for at in here] == list(terms):
            yield here[0], here[-1] + 1


def _around(words: Sequence[Word], start: int, end: int) -> Iterator[tuple[str, ...]]:
    """Yield longer phrases around a place that begin and end with a telling word."""
    for begin in range(max(0, end - LONGEST_NAME), start + 1):
        for stop in range(end, min(len(words), begin + LONGEST_NAME) + 1):
            longer = (begin, stop) != (start, end)
            if longer and _tells(words[begin]) and words[stop - 1].term:
                yield _written(words[begin:stop])


def _tells(word: Word) -> bool:
    return bool(word.term) or word.denies


def _written(words: Sequence[Word]) -> tuple[str, ...]:
    return tuple(word.written for word in words)
