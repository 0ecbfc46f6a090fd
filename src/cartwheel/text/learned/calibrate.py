"""Scores to probabilities, by scores of labelled texts that were held out.

References:
    Guo and others (2017), "On calibration of modern neural networks", for the one
    number by which scores are multiplied.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

FOLDS = 5
SHARPNESS = np.geomspace(0.5, 30.0, 60)


def probabilities(scores: Array, sharpness: float) -> Array:
    """Return shares that add up to 1, shape of the scores."""
    raised = np.exp(sharpness * (scores - scores.max(axis=1, keepdims=True)))
    shares: Array = raised / raised.sum(axis=1, keepdims=True)
    return shares


def sharpest(scores: Array, classes: Array) -> float:
    """Return the factor under which held-out classes are likeliest.

    One text more is taken as read wrong, an average one: a few texts that were all
    read right do not prove that none ever is read wrong.
    """
    rows = np.arange(len(classes))

    def surprise(factor: float) -> float:
        share = probabilities(scores, factor)[rows, classes].astype(float)
        right = np.log(np.maximum(share, 1e-12))
        wrong = np.log(np.maximum(1 - share, 1e-12))
        return -float(right.sum() + wrong.mean())

    return float(min(SHARPNESS, key=surprise))


def folds(classes: Array, *, seed: int) -> Iterator[tuple[Array, Array]]:
    """Yield places to learn from and places held out, each class spread evenly.

    A class of one text is never held out, since it must be learned from.
    """
    rng = np.random.default_rng(seed)
    fold = np.full(len(classes), -1)
    for one in np.unique(classes):
        places = rng.permutation(np.nonzero(classes == one)[0])
        if len(places) > 1:
            fold[places] = (np.arange(len(places)) + rng.integers(FOLDS)) % FOLDS
    for at in range(FOLDS):
        held = fold == at
        if held.any():
            yield np.nonzero(~held)[0], np.nonzero(held)[0]


def held_out_scores(
    score: Callable[[Array, Array], Array], classes: Array, *, seed: int, enough: int
) -> tuple[Array, Array]:
    """Return scores of held-out texts, and their places.

    Args:
        score: Learns from the first places and scores the second.
        classes: Class of each text.
        seed: Seed of the folds.
        enough: Folds are left out once so many texts have been scored.
    """
    found, places = [], []
    for learned, held in folds(classes, seed=seed):
        found.append(score(learned, held))
        places.append(held)
        if sum(map(len, places)) >= enough:
            break
    return np.concatenate(found), np.concatenate(places)
