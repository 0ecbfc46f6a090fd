"""A linear model on each view of texts: learned with scikit-learn, read with numpy.

One class against the rest, squared hinge loss, the weights of a view being one array.
Scores of the views are averaged: words tell what is asked, letters bear how it is
spelled, and where they differ the probability is small. Where a shop has a sentence
model, what a text means is a view more.

References:
    Fan and others (2008), "LIBLINEAR: a library for large linear classification".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from cartwheel.text.learned.grams import Grams
from cartwheel.text.learned.tfidf import Known, Rows, learn_known

if TYPE_CHECKING:
    from cartwheel.text.meaning.port import Embedder

Array = np.ndarray[Any, Any]

TOLERANCE = 1e-3
MOST_ROUNDS = 2_000

MEANING = "meaning"
SCALE = np.float32(3.0)
"""Length given to vectors of length 1: shorter ones are learned from too timidly."""

Said = Mapping[str, Sequence[Sequence[int]] | Array]
"""Grams of texts by view; of `MEANING` vectors, shape (n_texts, dimensions)."""


def cut(
    texts: Sequence[str], views: Mapping[str, Grams], meaning: Embedder | None = None
) -> Said:
    """Return the grams of texts by view, and what they mean where there is a model."""
    said: dict[str, Any] = {
        name: [grams(text) for text in texts] for name, grams in views.items()
    }
    if meaning is not None:
        said[MEANING] = meaning.embed(texts) * SCALE
    return said


def check_meaning(meta: Mapping[str, Any], meaning: Embedder | None) -> None:
    """Refuse a sentence model other than the one that was learned with.

    Args:
        meta: What was kept; `meaning` is the model's fingerprint, "" or absent for
            none.
        meaning: The model at hand.

    Raises:
        ValueError: If they differ.
    """
    learned, given = meta.get("meaning", ""), fingerprint_of(meaning)
    if learned != given:
        raise ValueError(
            f"Learned with the sentence model {learned or 'none'!r}, read with "
            f"{given or 'none'!r}; learn anew, or give the same."
        )


def fingerprint_of(meaning: Embedder | None) -> str:
    """Return a sentence model's fingerprint, "" for none."""
    return "" if meaning is None else meaning.fingerprint


def learn_views(
    said: Said, classes: Array, *, cost: float, seed: int
) -> dict[str, Array]:
    """Return the arrays of a model, four a view.

    Args:
        said: Grams of the texts.
        classes: Class of each text, 0 to k - 1, each there at least once, k >= 2; or
            whether each class holds for it, shape (n_texts, n_classes), booleans.
        cost: What an error costs beside the weights' length.
        seed: Seed of the order in which texts are visited.
    """
    arrays: dict[str, Array] = {}
    for view, grams in said.items():
        if isinstance(grams, np.ndarray):
            weights, bias = _lines(grams, classes, cost, seed)
            arrays |= {f"{view}_weights": weights, f"{view}_bias": bias}
            continue
        known = learn_known(grams)
        weights, bias = _svm(known.rows(grams), len(known.keys), classes, cost, seed)
        arrays |= {
            f"{view}_keys": known.keys,
            f"{view}_rarity": known.rarity,
            f"{view}_weights": weights,
            f"{view}_bias": bias,
        }
    return arrays


def part(said: Said, places: Array) -> Said:
    """Return the grams of some texts."""
    return {
        view: grams[places]
        if isinstance(grams, np.ndarray)
        else [grams[at] for at in places]
        for view, grams in said.items()
    }


def score_views(arrays: Mapping[str, Array], said: Said) -> Array:
    """Return the scores of texts averaged over views, shape (n_texts, n_classes)."""
    total: Array | None = None
    for view, grams in said.items():
        if isinstance(grams, np.ndarray):
            found = grams @ arrays[f"{view}_weights"]
        else:
            known = Known(keys=arrays[f"{view}_keys"], rarity=arrays[f"{view}_rarity"])
            found = known.rows(grams).scores(arrays[f"{view}_weights"])
        found += arrays[f"{view}_bias"]
        total = found if total is None else total + found
    assert total is not None, "a model has a view"
    return total / np.float32(len(said))


def _svm(
    rows: Rows, known: int, classes: Array, cost: float, seed: int
) -> tuple[Array, Array]:
    from scipy.sparse import csr_matrix

    shape = (len(rows.start) - 1, max(known, 1))
    matrix = csr_matrix((rows.value.astype(float), rows.place, rows.start), shape=shape)
    weights, bias = _lines(matrix, classes, cost, seed)
    return np.ascontiguousarray(weights[:known]), bias


def _lines(matrix: Any, classes: Array, cost: float, seed: int) -> tuple[Array, Array]:
    if classes.ndim == 1:
        weights, bias = _fitted(matrix, classes, cost, seed)
        if weights.shape[1] == 1:  # two classes share one line
            weights, bias = np.hstack([-weights, weights]), np.append(-bias, bias)
    else:
        lines = [_line(matrix, holds, cost, seed) for holds in classes.T]
        weights = np.hstack([one for one, _ in lines])
        bias = np.concatenate([one for _, one in lines])
    return np.ascontiguousarray(weights, np.float32), bias.astype(np.float32)


def _line(matrix: Any, holds: Array, cost: float, seed: int) -> tuple[Array, Array]:
    """Return the line of one class; what always or never holds needs no texts."""
    if holds.all() or not holds.any():
        return np.zeros((matrix.shape[1], 1)), np.array([1.0 if holds.all() else -1.0])
    return _fitted(matrix, holds, cost, seed)


def _fitted(matrix: Any, classes: Array, cost: float, seed: int) -> tuple[Array, Array]:
    from sklearn.svm import LinearSVC

    model = LinearSVC(C=cost, tol=TOLERANCE, max_iter=MOST_ROUNDS, random_state=seed)
    model.fit(matrix, classes)
    return model.coef_.T, model.intercept_
