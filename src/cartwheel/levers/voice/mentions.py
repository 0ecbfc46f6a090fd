"""Which texts raise which objection, by the rules and the shop's corrections."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from cartwheel.levers.voice.counting import count_sentences
from cartwheel.levers.voice.learned import Lesson, Lessons, learn_lessons
from cartwheel.levers.voice.mood import Displeased, by_words, learn_mood
from cartwheel.levers.voice.reading import Spoken, Texts, read_texts
from cartwheel.signals.base import Signals
from cartwheel.signals.feedback import FEEDBACK
from cartwheel.signals.theme_corrections import THEME_CORRECTIONS
from cartwheel.text.objections import (
    LANGUAGES,
    Standing,
    phrases_of,
    standing,
)

if TYPE_CHECKING:
    import pandas as pd

Array = np.ndarray[Any, Any]

MOOD_SEED = 1
"""Seed of what stars teach: what a text says is the same whoever asks."""

RECENT_DAYS = 28
"""Days that are compared with as many before, to tell what is rising."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mentions:
    """Texts, and which of them raise which objection.

    Attributes:
        product_id: Product of each text, "" where none is known; shape (texts,).
        source: review, message, survey, question or return, of each.
        days_ago: Age of each in days.
        units: Units that came back with each.
        raised: Whether a text raises an objection; shape (texts, classes), in the
            order of `CLASSES`.
        displeased: Whether a sentence that raises it is displeased; the same shape.
        mood_texts: Texts with stars that displeasure was learned from.
        fit: -1 for a text that finds the size too small, 1 too large, 0 for others.
        language: Language of each text, "" where it is too short to tell.
        quotes: For each text and objection, by (text, class), the sentence that
            raises it, masked; none for a reason of a return, often a code.
        stands: Corrections that stand.
        split: Whether a text has a split's words where it raises the split's class;
            shape (texts, splits).
        split_quotes: The sentence that has them, by (text, split).
        corrected: Sentences that were corrected, as they are met, with the number of
            texts that hold them, by fingerprint.
        lessons: What corrections taught.
        sentences: The sentences of each text.
        standpoints: What each of them is to the search for new themes.
        writer: Number of the writer of each text; where unknown, a text has its own.
    """

    product_id: Array
    source: Array
    days_ago: Array
    units: Array
    raised: Array
    displeased: Array
    mood_texts: int
    fit: Array
    language: Array
    quotes: dict[tuple[int, int], str]
    stands: Standing
    split: Array
    split_quotes: dict[tuple[int, int], str]
    corrected: Mapping[str, tuple[str, int]]
    lessons: tuple[Lesson, ...]
    sentences: list[list[Spoken]]
    standpoints: list[bytes]
    writer: Array

    def __len__(self) -> int:
        """Return the number of texts."""
        return len(self.product_id)

    @property
    def unread(self) -> Array:
        """Texts in a language that there are no rules for."""
        return ~np.isin(self.language, ["", *LANGUAGES])

    @property
    def recent(self) -> Array:
        """Texts of the last 28 days."""
        return self.days_ago < RECENT_DAYS

    @property
    def before(self) -> Array:
        """Texts of the 28 days before those."""
        return (self.days_ago >= RECENT_DAYS) & (self.days_ago < 2 * RECENT_DAYS)


def read_mentions(data: Signals, *, moods: bool = True) -> Mentions:
    """Read every text of the signal `feedback`.

    Args:
        data: The lever's signals.
        moods: Learn from stars who is displeased; else words alone tell it.
    """
    frame = data.frame(FEEDBACK)
    rows = data.table(THEME_CORRECTIONS).sort_by("position").to_pylist()
    stands = standing(rows)
    judged = {key for key, _ in stands.sentences} | {key for key, _ in stands.beside}
    sources = frame["source"].tolist()
    texts = read_texts(frame["text"].tolist(), sources, keyed=bool(judged))
    lessons = learn_lessons(_each(texts) if judged else (), stands)
    stars = frame["rating"].astype(object).where(frame["rating"].notna(), None)
    glum: Displeased = by_words
    mood_texts = 0
    if moods:
        glum, mood_texts = learn_mood(
            texts, frame["text"].tolist(), stars.tolist(), seed=MOOD_SEED
        )
    counts = count_sentences(
        texts,
        stands,
        reader(stands, lessons),
        list(zip(sources, stars, strict=True)),
        glum,
    )
    return Mentions(
        product_id=frame["product_id"].fillna("").to_numpy(str),
        source=frame["source"].to_numpy(str),
        days_ago=_ages(frame, data),
        units=frame["units"].fillna(0).to_numpy("int64"),
        mood_texts=mood_texts,
        language=np.array(texts.language, dtype=str),
        stands=stands,
        corrected=_met(texts, {key for key, _ in stands.sentences}),
        lessons=lessons.told,
        sentences=texts.sentences,
        writer=_writers(frame["writer"]),
        **counts,
    )


def reader(stands: Standing, lessons: Lessons) -> Callable[[Spoken], tuple[str, ...]]:
    """Return what tells the objections of a sentence in this shop.

    First what was said of this very sentence, then what corrections taught of its
    phrases, at last which class counts for which.

    Args:
        stands: Corrections that stand.
        lessons: What they taught.
    """
    by_key: dict[str, dict[str, str]] = {}
    for (key, objection), instead in stands.sentences.items():
        by_key.setdefault(key, {})[objection] = instead
    known: dict[int, tuple[str, ...]] = {}

    def taught(one: Spoken, objection: str) -> str:
        """Return the class that a sentence's phrases mean, "" for none."""
        if objection not in lessons.classes:
            return objection
        found = phrases_of(one.text, one.languages, objection, blamed=one.blamed)
        meant = [lessons.means(phrase) for phrase in found]
        if not meant or None in meant:
            return objection
        return next((name for name in meant if name), "")

    def settled(one: Spoken) -> Iterator[str]:
        said = by_key.get(one.key, {})
        left = dict(said)
        for name in one.objections:
            meant = taught(one, name)
            # A page shows a sentence under the class that counts it, which is what a
            # correction names.
            seen = (name, meant, stands.counted_as(meant))
            named = next((step for step in seen if step in said), None)
            yield meant if named is None else said[named]
            left.pop(named or "", None)
        yield from left.values()

    def read(one: Spoken) -> tuple[str, ...]:
        # A sentence is one object however often it was said, see `read_texts`.
        if id(one) not in known:
            counted = (stands.counted_as(name) for name in settled(one) if name)
            known[id(one)] = tuple(dict.fromkeys(counted))
        return known[id(one)]

    return read


def _writers(writer: pd.Series[Any]) -> Array:
    """Return a number for each writer; a text that nobody is known of has its own."""
    import pandas as pd

    number, known = pd.factorize(writer, sort=True)
    alone = len(known) + np.arange(len(number))
    return np.asarray(np.where(number < 0, alone, number))


def _each(texts: Texts) -> list[Spoken]:
    """Return every sentence once."""
    return list({id(one): one for said in texts.sentences for one in said}.values())


def _met(texts: Texts, keys: set[str]) -> dict[str, tuple[str, int]]:
    """Return corrected sentences as first met, and how many texts hold each."""
    met: dict[str, tuple[str, int]] = {}
    for said in texts.sentences if keys else ():
        here = {one.key: one.text for one in reversed(said) if one.key in keys}
        for key, text in here.items():
            first, times = met.get(key, (text, 0))
            met[key] = (first, times + 1)
    return met


def _ages(frame: pd.DataFrame, data: Signals) -> Array:
    import pandas as pd

    today = pd.Timestamp(data.context.when.as_of)
    days = (today - pd.to_datetime(frame["day"])).dt.days
    return np.asarray(days.to_numpy("int64"))
