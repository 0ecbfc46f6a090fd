"""Sentences that fit no class: complaints and questions, and what was said of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import IntEnum

from cartwheel.levers.voice.reading import Spoken
from cartwheel.text.objections import Standing
from cartwheel.text.objections.corrections import Correction, words_pattern
from cartwheel.text.tokens import fold

LOW_STARS = 2
"""Stars up to which a sentence that is not glad is a complaint."""

MOST_STARS = 5
"""Stars of a review whose sentences are taken for no complaint."""


class Standpoint(IntEnum):
    """What a sentence is to the search for new themes."""

    OTHER = 0
    LOOSE = 1
    """A complaint that fits no class, as its own words tell."""
    SURE = 2
    """A complaint or question that fits no class, whatever its words."""
    ASIDE = 3
    """One that belongs to a theme of the shop's own, or was dismissed."""


def standpoint_of(one: Spoken, source: str, rating: int | None) -> Standpoint:
    """Return what a sentence without a class is; praise is neither of the two.

    A reason of a return is a complaint, and what asks is a question. With one or two
    stars, what is not glad is a complaint; with five nothing is, since "not" and "but"
    are the turns of somebody who is pleased. Elsewhere the mood of its words tells.

    Args:
        one: The sentence, which raises no class.
        source: review, message, question or return.
        rating: Stars of the review, None where there are none.
    """
    if not one.languages:
        return Standpoint.OTHER
    # A sentence may begin as a question does ("when I tried it on") and be none.
    asks = "?" in one.text or (one.asked and source in ("question", "message"))
    low = rating is not None and rating <= LOW_STARS
    if one.blamed or asks or (low and one.mood <= 0):
        return Standpoint.SURE
    glad = rating is not None and rating >= MOST_STARS
    return Standpoint.LOOSE if one.mood < 0 and not glad else Standpoint.OTHER


def teacher(stands: Standing) -> Callable[[Spoken], tuple[str, ...]]:
    """Return what tells the class that a loose sentence was said to raise.

    Args:
        stands: Corrections that stand.
    """
    rules = [(one.into_objection, words_pattern(one.words)) for one in stands.taught]

    def taught(one: Spoken) -> tuple[str, ...]:
        if not rules:
            return ()
        text = fold(one.text)
        found = (
            stands.counted_as(name)
            for name, pattern in rules
            if pattern.search(text) and stands.sentences.get((one.key, name)) != ""
        )
        return tuple(dict.fromkeys(found))

    return taught


def set_aside(stands: Standing) -> Callable[[Spoken], bool]:
    """Return what tells whether a loose sentence was spoken of already.

    Args:
        stands: Corrections that stand.
    """
    words = _words((*stands.own, *stands.dismissed))
    if not words:
        return lambda one: False
    pattern = words_pattern(words)
    return lambda one: pattern.search(fold(one.text)) is not None


def _words(said: Iterable[Correction]) -> list[str]:
    return sorted({word for one in said for word in one.words})
