"""Which texts raise which objection: every text read once, sentence by sentence."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from cartwheel.signals.base import Signals
from cartwheel.signals.feedback import FEEDBACK
from cartwheel.text.language import language_of
from cartwheel.text.masking import mask
from cartwheel.text.objections import CLASSES, LANGUAGES, Said, read_sentence
from cartwheel.text.objections.fit import fit_of
from cartwheel.text.sentences import sentences

if TYPE_CHECKING:
    import pandas as pd

Array = np.ndarray[Any, Any]

RECENT_DAYS = 28
"""Days that are compared with as many before, to tell what is rising."""

WORDY = 10
"""Characters from which a sentence is worth quoting."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mentions:
    """Texts, and which of them raise which objection.

    Attributes:
        product_id: Product of each text, "" where none is known; shape (texts,).
        source: review, message, question or return, of each.
        days_ago: Age of each in days.
        units: Units that came back with each.
        raised: Whether a text raises an objection; shape (texts, classes), in the
            order of `CLASSES`.
        fit: -1 for a text that finds the size too small, 1 too large, 0 for others.
        language: Language of each text, "" where it is too short to tell.
        quotes: For each text and objection, by (text, class), the sentence that
            raises it, masked; none for a reason of a return, often a code.
    """

    product_id: Array
    source: Array
    days_ago: Array
    units: Array
    raised: Array
    fit: Array
    language: Array
    quotes: dict[tuple[int, int], str]

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


def read_mentions(data: Signals) -> Mentions:
    """Read every text of the signal `feedback`.

    What is personal is masked before a rule sees it: a text from a folder of CSV files
    was masked by nobody so far.

    Args:
        data: The lever's signals.
    """
    frame = data.frame(FEEDBACK)
    number = {name: at for at, name in enumerate(CLASSES)}
    raised = np.zeros((len(frame), len(number)), bool)
    ways = np.zeros(len(frame), np.int64)
    quotes: dict[tuple[int, int], str] = {}
    known: dict[tuple[str, str, bool], Said] = {}
    language = [language_of(text) for text in frame["text"].tolist()]
    # What is too short to tell is read as most texts are; reasons also as English,
    # which the codes of platforms are in.
    usual = _usual(language)
    rows = zip(frame["text"].tolist(), frame["source"].tolist(), language, strict=True)
    for at, (text, source, told) in enumerate(rows):
        blamed = source == "return"
        spoken = {told or usual, *(["en"] if blamed else [])} & LANGUAGES.keys()
        for sentence in sentences(_readable(text, source)):
            key = (sentence, told, blamed)
            if key not in known:
                known[key] = read_sentence(sentence, sorted(spoken), blamed=blamed)
            said = known[key]
            for name in said.objections:
                raised[at, number[name]] = True
                if name == "size_fit" and "?" not in sentence:
                    ways[at] += fit_of(sentence, spoken)
                if len(sentence) >= WORDY and not blamed:
                    quotes.setdefault((at, number[name]), sentence)
    return Mentions(
        product_id=frame["product_id"].fillna("").to_numpy(str),
        source=frame["source"].to_numpy(str),
        days_ago=_ages(frame, data),
        units=frame["units"].fillna(0).to_numpy("int64"),
        raised=raised,
        fit=np.sign(ways),
        language=np.array(language, dtype=str),
        quotes=quotes,
    )


def _usual(language: list[str]) -> str:
    """Return the language most texts are in, English where none tells."""
    counts = Counter(one for one in language if one in LANGUAGES)
    return min(counts, key=lambda one: (-counts[one], one), default="en")


def _readable(text: str, source: str) -> str:
    """Return a text as it may be read: masked, and a code of a reason as words."""
    if source == "return":
        text = text.replace("_", " ").replace("-", " ")
    return mask(text)


def _ages(frame: pd.DataFrame, data: Signals) -> Array:
    import pandas as pd

    today = pd.Timestamp(data.context.when.as_of)
    days = (today - pd.to_datetime(frame["day"])).dt.days
    return np.asarray(days.to_numpy("int64"))
