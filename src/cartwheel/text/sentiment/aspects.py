"""What a sentence speaks of, and whether it likes it: categories, each with a polarity.

Two models: one says which categories a sentence has, the other which polarity it holds
of a category, given both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from cartwheel.text.learned.calibrate import folds
from cartwheel.text.learned.grams import letter_grams
from cartwheel.text.learned.linear import (
    Said,
    check_meaning,
    cut,
    fingerprint_of,
    learn_views,
    part,
    score_views,
)
from cartwheel.text.sentiment.grams import about_grams, stem_grams

if TYPE_CHECKING:
    from cartwheel.text.meaning.port import Embedder

Array = np.ndarray[Any, Any]
Judged = tuple[str, str]
"""A category and a polarity."""

VIEWS = {"stems": stem_grams, "letters": letter_grams}
COST = 1.0
THRESHOLDS = np.linspace(-1.0, 0.5, 31)
FEWEST = 10
"""Sentences from which there is something to hold out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Aspects:
    """What was learned. It is its arrays and its meta: keep both, build it from them.

    Attributes:
        arrays: Numbers by name; none is of objects.
        meta: JSON values: `categories`, `polarities`, the `threshold` from which a
            category's score says that a sentence has it, and `meaning`, the fingerprint
            of the sentence model, "" without one.
        meaning: The sentence model it was learned with; None without one.

    Raises:
        ValueError: If it was learned with another sentence model.
    """

    arrays: Mapping[str, Array]
    meta: Mapping[str, Any]
    meaning: Embedder | None = None

    def __post_init__(self) -> None:
        check_meaning(self.meta, self.meaning)

    def read(self, sentences: Sequence[str]) -> list[list[Judged]]:
        """Return what each sentence holds of what; one category at least."""
        said = cut(sentences, VIEWS, self.meaning)
        scores = score_views(_of("category", self.arrays), said)
        found = _chosen(scores, self.meta["threshold"])
        at, which = (places.tolist() for places in np.nonzero(found))
        names = [self.meta["categories"][place] for place in which]
        polarity = self.polarity([sentences[place] for place in at], names)
        judged: list[list[Judged]] = [[] for _ in sentences]
        for place, name, held in zip(at, names, polarity, strict=True):
            judged[place].append((name, held))
        return judged

    def polarity(
        self, sentences: Sequence[str], categories: Sequence[str]
    ) -> list[str]:
        """Return the polarity that each sentence holds of the category beside it."""
        scores = score_views(
            _of("polarity", self.arrays),
            _about(sentences, categories, self.meaning),
        )
        names = self.meta["polarities"]
        return [names[place] for place in scores.argmax(axis=1)]


def fit_aspects(
    sentences: Sequence[str],
    judged: Sequence[Sequence[Judged]],
    *,
    seed: int,
    meaning: Embedder | None = None,
) -> Aspects:
    """Return what sentences teach; their order changes nothing.

    Args:
        sentences: Sentences of reviews.
        judged: What each holds of what: pairs of a category and a polarity.
        seed: Seed of folds and of the order of learning.
        meaning: A sentence model, whose view of the sentences is one more.

    Raises:
        ValueError: If there are fewer than `FEWEST` sentences, or one polarity alone.
    """
    rows = sorted(
        (text, sorted(set(said))) for text, said in zip(sentences, judged, strict=True)
    )
    cases = [(text, name, held) for text, said in rows for name, held in said]
    categories = sorted({name for _, name, _ in cases})
    polarities = sorted({held for _, _, held in cases})
    if len(rows) < FEWEST or len(polarities) < 2:
        raise ValueError(
            f"{len(rows)} sentences of {len(polarities)} polarities; expected "
            f"{FEWEST} or more of two."
        )
    about = _about(
        [text for text, _, _ in cases], [name for _, name, _ in cases], meaning
    )
    held = np.array([polarities.index(one) for _, _, one in cases])
    had = np.array(
        [[name in {one for one, _ in said} for name in categories] for _, said in rows]
    )
    said = cut([text for text, _ in rows], VIEWS, meaning)
    arrays = {
        **_named("category", learn_views(said, had, cost=COST, seed=seed)),
        **_named("polarity", learn_views(about, held, cost=COST, seed=seed)),
    }
    meta = {
        "categories": categories,
        "polarities": polarities,
        "threshold": _threshold(said, had, seed),
        "meaning": fingerprint_of(meaning),
    }
    return Aspects(arrays=arrays, meta=meta, meaning=meaning)


def _about(
    sentences: Sequence[str], categories: Sequence[str], meaning: Embedder | None
) -> Said:
    pairs = zip(sentences, categories, strict=True)
    about = {"about": [about_grams(text, name) for text, name in pairs]}
    # What a sentence means is the same whatever it is asked of.
    return {**about, **cut(sentences, {}, meaning)}


def _threshold(said: Said, had: Array, seed: int) -> float:
    """Return the score from which held-out categories have the best micro-F1."""
    scores = np.zeros(had.shape, np.float32)
    for learned, held in folds(np.zeros(len(had), int), seed=seed):
        arrays = learn_views(part(said, learned), had[learned], cost=COST, seed=seed)
        scores[held] = score_views(arrays, part(said, held))

    def f1(threshold: float) -> float:
        found = _chosen(scores, threshold)
        return float(2 * (found & had).sum() / (found.sum() + had.sum()))

    return float(max(THRESHOLDS, key=f1))


def _chosen(scores: Array, threshold: float) -> Array:
    """Return which categories a sentence has: the best, and all from the threshold."""
    found: Array = scores >= threshold
    found[np.arange(len(scores)), scores.argmax(axis=1)] = True
    return found


def _named(name: str, arrays: Mapping[str, Array]) -> dict[str, Array]:
    return {f"{name}_{key}": array for key, array in arrays.items()}


def _of(name: str, arrays: Mapping[str, Array]) -> dict[str, Array]:
    start = f"{name}_"
    return {
        key.removeprefix(start): array
        for key, array in arrays.items()
        if key.startswith(start)
    }
