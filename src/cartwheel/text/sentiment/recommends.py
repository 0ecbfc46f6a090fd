"""Whether a review recommends what it is about, learned from reviews that say so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cartwheel.text.learned.calibrate import held_out_scores, probabilities, sharpest
from cartwheel.text.learned.linear import cut, learn_views, part, score_views
from cartwheel.text.sentiment.grams import VIEWS

Array = np.ndarray[Any, Any]

FLOOR = 5
COST = 0.2
ENOUGH_HELD = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Recommends:
    """What was learned. It is its arrays and its meta: keep both, build it from them.

    Attributes:
        arrays: Numbers by name; none is of objects.
        meta: JSON values: `sharpness`, and `texts` learned from.
    """

    arrays: Mapping[str, Array]
    meta: Mapping[str, Any]

    def read(self, texts: Sequence[str]) -> Array:
        """Return the probability that each text recommends, shape (n_texts,)."""
        scores = score_views(self.arrays, cut(texts, VIEWS))
        found: Array = probabilities(scores, self.meta["sharpness"])[:, 1]
        return found


def fit(texts: Sequence[str], good: Sequence[bool], *, seed: int) -> Recommends:
    """Return what texts teach; their order changes nothing.

    Args:
        texts: Reviews; a headline stands on a first line of its own.
        good: Whether each recommends.
        seed: Seed of folds and of the order of learning.

    Raises:
        ValueError: If `FLOOR` texts of either kind are not there.
    """
    pairs = sorted(zip(map(bool, good), texts, strict=True))
    classes = np.array([int(mark) for mark, _ in pairs])
    fewest = min(int(classes.sum()), len(classes) - int(classes.sum()))
    if fewest < FLOOR:
        raise ValueError(f"{fewest} texts of one kind; expected {FLOOR} or more.")
    said = cut([text for _, text in pairs], VIEWS)

    def score(learned: Array, held: Array) -> Array:
        arrays = learn_views(
            part(said, learned), classes[learned], cost=COST, seed=seed
        )
        return score_views(arrays, part(said, held))

    held, places = held_out_scores(score, classes, seed=seed, enough=ENOUGH_HELD)
    return Recommends(
        arrays=learn_views(said, classes, cost=COST, seed=seed),
        meta={"sharpness": sharpest(held, classes[places]), "texts": len(pairs)},
    )
