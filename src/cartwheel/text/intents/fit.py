"""Learning intents from labelled texts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from cartwheel.text.intents.model import Intents
from cartwheel.text.learned.calibrate import held_out_scores, probabilities, sharpest
from cartwheel.text.learned.grams import VIEWS
from cartwheel.text.learned.linear import (
    Said,
    cut,
    fingerprint_of,
    learn_views,
    part,
    score_views,
)

if TYPE_CHECKING:
    from cartwheel.text.meaning.port import Embedder

Array = np.ndarray[Any, Any]

FLOOR = 5
"""Texts a label needs: fewer cannot be held out in turn."""

COST = 2.0

ENOUGH_HELD = 1_000
"""Held-out texts after which probabilities are no longer bettered by more."""


class TooFewTexts(ValueError):
    """Fewer than two labels have enough texts; the message says what there is."""


def fit(
    texts: Sequence[str],
    labels: Sequence[str],
    *,
    seed: int,
    meaning: Embedder | None = None,
) -> Intents:
    """Return a classifier; the order of the texts changes nothing.

    A label below the floor is left out and named in `meta["thin"]`.

    Args:
        texts: What customers wrote, as it will be when it is read.
        labels: The label of each.
        seed: Seed of folds and of the order of learning.
        meaning: A sentence model, whose view of the texts is one more.

    Raises:
        TooFewTexts: If fewer than two labels have `FLOOR` texts.
        ValueError: If there are not as many labels as texts.
    """
    pairs = sorted(zip(labels, texts, strict=True))
    counts = Counter(label for label, _ in pairs)
    known = sorted(label for label, count in counts.items() if count >= FLOOR)
    if len(known) < 2:
        raise TooFewTexts(
            f"{len(known)} labels have {FLOOR} texts or more; at least two must."
        )
    place = {label: at for at, label in enumerate(known)}
    kept = [(place[label], text) for label, text in pairs if label in place]
    classes = np.array([at for at, _ in kept])
    said = cut([text for _, text in kept], VIEWS, meaning)
    held, places = _held_out(said, classes, seed)
    truth = classes[places]
    sharpness = sharpest(held, truth)
    arrays = learn_views(said, classes, cost=COST, seed=seed) | {
        "held_probability": probabilities(held, sharpness).max(axis=1),
        "held_right": held.argmax(axis=1) == truth,
        "held_scope": held.max(axis=1),
    }
    thin = {label: count for label, count in counts.items() if label not in place}
    meta = {
        "labels": known,
        "sharpness": sharpness,
        "texts": len(kept),
        "thin": dict(sorted(thin.items())),
        "meaning": fingerprint_of(meaning),
    }
    return Intents(arrays=arrays, meta=meta, meaning=meaning)


def _held_out(said: Said, classes: Array, seed: int) -> tuple[Array, Array]:
    """Return scores of held-out texts, and their places."""

    def score(learned: Array, held: Array) -> Array:
        arrays = learn_views(
            part(said, learned), classes[learned], cost=COST, seed=seed
        )
        return score_views(arrays, part(said, held))

    return held_out_scores(score, classes, seed=seed, enough=ENOUGH_HELD)
