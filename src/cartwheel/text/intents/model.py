"""A learned classifier of short texts: arrays and JSON values, read with numpy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from cartwheel.text.learned.calibrate import probabilities
from cartwheel.text.learned.grams import VIEWS
from cartwheel.text.learned.linear import check_meaning, cut, score_views

if TYPE_CHECKING:
    from cartwheel.text.meaning.port import Embedder

Array = np.ndarray[Any, Any]


class Read(NamedTuple):
    """What was read of texts, one entry a text.

    Attributes:
        labels: The likeliest label.
        probability: How likely it is that the label is right, given that the text is
            of one of the labels at all.
        scope: How much the text looks like a labelled one: the best label's score
            before it is compared with the others'. Low for what no label is made for.
    """

    labels: list[str]
    probability: Array
    scope: Array


@dataclass(frozen=True, slots=True, kw_only=True)
class Intents:
    """A classifier. It is its arrays and its meta: keep both, and build it from them.

    Attributes:
        arrays: Numbers by name; none is of objects.
        meta: JSON values: `labels`, `sharpness`, `texts` learned from, `thin`, the
            labels with fewer texts than the floor, which are never answered, and
            `meaning`, the fingerprint of the sentence model, "" without one.
        meaning: The sentence model it was learned with; None without one.

    Raises:
        ValueError: If it was learned with another sentence model.
    """

    arrays: Mapping[str, Array]
    meta: Mapping[str, Any]
    meaning: Embedder | None = None

    def __post_init__(self) -> None:
        check_meaning(self.meta, self.meaning)

    @property
    def labels(self) -> list[str]:
        """Labels it can answer, sorted."""
        return list(self.meta["labels"])

    def read(self, texts: Sequence[str]) -> Read:
        """Return label, probability and scope of texts; each is read by itself."""
        scores = self._scores(texts)
        best = scores.argmax(axis=1)
        shares = probabilities(scores, self.meta["sharpness"])
        labels = self.labels
        return Read(
            labels=[labels[at] for at in best],
            probability=shares.max(axis=1, initial=0.0),
            scope=scores.max(axis=1, initial=-np.inf),
        )

    def shares(self, texts: Sequence[str]) -> Array:
        """Return every label's probability, shape (n_texts, n_labels)."""
        return probabilities(self._scores(texts), self.meta["sharpness"])

    def sure_from(self, accuracy: float) -> float | None:
        """Return the probability from which answers were right so often; else None.

        Told by labelled texts while they were held out of learning.
        """
        probability, right = self.arrays["held_probability"], self.arrays["held_right"]
        order = np.argsort(-probability, kind="stable")
        share = np.cumsum(right[order]) / np.arange(1, len(order) + 1)
        # Texts of one probability are answered together or not at all.
        ends = np.append(np.diff(probability[order]) != 0, True)
        enough = np.nonzero(ends & (share >= accuracy))[0]
        return float(probability[order][enough[-1]]) if len(enough) else None

    def scope_from(self, kept: float) -> float:
        """Return the scope that a share of labelled texts had at least, held out."""
        return float(np.quantile(self.arrays["held_scope"], 1 - kept))

    def _scores(self, texts: Sequence[str]) -> Array:
        return score_views(self.arrays, cut(texts, VIEWS, self.meaning))
