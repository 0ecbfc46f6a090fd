"""Words, denied words and two in a row, one row for each time that they are said."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from cartwheel.levers.voice.heard import Heard
from cartwheel.levers.voice.loose import Standpoint

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """Words in sentences; all of shape (rows,).

    Attributes:
        code: Number of the word; of two in a row, a number behind those of the words.
        sentence: Number of the sentence.
        loose: The sentence is a complaint or question that fits no class.
        sure: It is one whatever its words.
        mood: The word, or one of the two, tells a mood or is denied.
    """

    code: Array
    sentence: Array
    loose: Array
    sure: Array
    mood: Array

    @property
    def fair(self) -> Array:
        """Rows in which a word does not prove itself."""
        fair: Array = ~self.mood | self.sure | ~self.loose
        return fair

    def where(self, chosen: Array) -> Rows:
        """Return some of the rows."""
        return Rows(
            code=self.code[chosen],
            sentence=self.sentence[chosen],
            loose=self.loose[chosen],
            sure=self.sure[chosen],
            mood=self.mood[chosen],
        )


def rows_of(heard: Heard) -> Rows:
    """Return a row for each word, each denied word and each two in a row."""
    terms = len(heard.mood)
    first, second = heard.term[:-1], heard.term[1:]
    two = (heard.sentence[:-1] == heard.sentence[1:]) & (first != second)
    pair = terms + first[two] * terms + second[two]
    sentence = np.concatenate(
        [heard.sentence, heard.denied_in, heard.sentence[:-1][two]]
    )
    stand = heard.stand[sentence]
    return Rows(
        code=np.concatenate([heard.term, heard.denied, pair]),
        sentence=sentence,
        loose=(stand == Standpoint.LOOSE) | (stand == Standpoint.SURE),
        sure=stand == Standpoint.SURE,
        mood=np.concatenate(
            [
                heard.mood[heard.term],
                heard.mood[heard.denied],
                (heard.mood[first] | heard.mood[second])[two],
            ]
        ),
    )


def first_of_writers(rows: Rows, heard: Heard, writer: Array) -> Rows:
    """Return each word of a writer once, in a complaint where it is in one.

    Args:
        rows: The rows.
        heard: The sentences.
        writer: Number of the writer of each text.
    """
    who = writer[heard.text[rows.sentence]]
    order = np.lexsort((rows.sentence, ~rows.sure, ~rows.loose, who, rows.code))
    code, who = rows.code[order], who[order]
    first = np.ones(len(order), bool)
    first[1:] = (code[1:] != code[:-1]) | (who[1:] != who[:-1])
    return rows.where(order[first])
