"""Sentiment: reviews that recommend, and what sentences hold of what they speak of.

Protocol:

- womens-clothing-reviews (13,389 reviews of 789 products): five folds by product; a
  review, title first, is read by what was learned on the other folds. Area under the
  ROC curve of "recommended". Settings were chosen on a split by product inside the
  training part of two of the folds, whose texts other folds test: a little kind.
  Intervals: bootstrap of products.
- ACOS, laptops and restaurants: learned on train, read on dev, looked at once; settings
  chosen by cross-validation of train. Polarity given category: of every distinct
  (sentence, category, polarity), how many are right. Category and polarity: micro-F1 of
  a sentence's distinct pairs. Sentences come cut into tokens; contractions are joined
  again for all readers. Intervals: bootstrap of sentences.
- With a sentence model, where its package is installed: a view more of the sentences of
  ACOS, tried by cross-validation of train (2026-11-30). dev had been looked at before,
  without it, and was with it once.
- Peers: TF-IDF of one and two words with a linear model (scikit-learn): logistic
  regression on title and text for reviews; for polarity a linear SVM on the words and
  the category; for categories one SVM each at score 0, the best one if none. VADER,
  where the package is there: its compound score; for polarity from .05 and to -.05.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from bench.intents_readers import MODEL, meaning
from bench.measure import Figure, Plan, Skipped
from bench.paired import Measure, area, paired
from cartwheel.text.meaning.port import Embedder
from cartwheel.text.sentiment import Aspects, fit, fit_aspects

Array = np.ndarray[Any, Any]
Judged = tuple[str, str]

REVIEWS, ACOS = "womens-clothing-reviews", "acos-aspect-sentiment"
OURS, LINEAR, VADER = "ours", "TF-IDF linear", "VADER"
MEANT = "ours by meaning too"
FOLDS = 5
PARTS = (
    ("laptops", "Laptop-ACOS/laptop_quad_{}.tsv", 0.82, 0.48),
    ("restaurants", "Restaurant-ACOS/rest16_quad_{}.tsv", 0.84, 0.61),
)


def sentiment(plan: Plan) -> Iterator[Figure]:
    """Measure sentiment on the sets that are there."""
    for name in (REVIEWS, ACOS):
        if not (plan.data / name).is_dir():
            raise Skipped(f"{name} is not in CARTWHEEL_DATA ({plan.data})")
    if find_spec("vaderSentiment") is None:
        print("sentiment: VADER: skipped: not installed (vaderSentiment)")
    model = meaning()
    if model is None:
        print(f"sentiment: {MEANT}: skipped: not installed ({MODEL})")
    yield from _reviews(plan.data / REVIEWS, plan)
    for name, file, polarity, both in PARTS:
        train, dev = (
            _sentences(plan.data / ACOS / file.format(one)) for one in ("train", "dev")
        )
        if plan.quick:
            train = (train[0][::5], train[1][::5])
        yield from _polarity(name, train, dev, polarity, model)
        yield from _both(name, train, dev, both, model)


def _reviews(folder: Path, plan: Plan) -> Iterator[Figure]:
    import pyarrow.parquet as pq
    from sklearn.model_selection import GroupKFold

    rows = pq.read_table(folder / "reviews.parquet").to_pylist()
    texts = np.array([f"{r['Title'] or ''}\n{r['Review Text'] or ''}" for r in rows])
    good = np.array([row["Recommended IND"] == 1 for row in rows])
    product = np.unique([r["Clothing ID"] for r in rows], return_inverse=True)[1]
    said: dict[str, list[Array]] = {OURS: [], LINEAR: []}
    asked = []
    folds = GroupKFold(FOLDS, shuffle=True, random_state=0)
    for train, test in folds.split(texts, good, product):
        model = fit(texts[train].tolist(), good[train].tolist(), seed=1)
        said[OURS].append(model.read(texts[test].tolist()))
        said[LINEAR].append(_logistic(texts[train], good[train], texts[test]))
        asked.append(test)
        if plan.quick:
            break
    order = np.concatenate(asked)
    readers = {name: np.concatenate(each) for name, each in said.items()}
    if (compound := _vader(texts[order])) is not None:
        readers[VADER] = compound
    groups = np.unique(product[order], return_inverse=True)[1]
    size = f"{len(order):,} reviews of {groups.max() + 1} products"
    yield from paired(
        "sentiment",
        "area under the curve, recommended",
        size,
        lambda one, at: area(one[at], good[order][at]),
        readers,
        groups,
        goal=0.955,
    )


def _logistic(texts: Array, good: Array, asked: Array) -> Array:
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    model = make_pipeline(
        TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True),
        LogisticRegression(C=3.0, max_iter=300),
    )
    return np.asarray(model.fit(texts, good).decision_function(asked))


def _vader(texts: Sequence[str] | Array) -> Array | None:
    """Return VADER's compound scores, None where it is not installed."""
    if find_spec("vaderSentiment") is None:
        return None
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

    reader = SentimentIntensityAnalyzer()
    return np.array([reader.polarity_scores(text)["compound"] for text in texts])


def _sentences(file: Path) -> tuple[list[str], list[list[Judged]]]:
    texts, judged = [], []
    for line in file.read_text(encoding="utf-8").splitlines():
        text, *said = line.split("\t")
        texts.append(re.sub(r" n ' t\b", "n't", text).replace(" ' ", "'"))
        pairs = [one.split(" ")[1:3] for one in said]
        judged.append(sorted({(name, held) for name, held in pairs}))
    return texts, judged


Part = tuple[list[str], list[list[Judged]]]


def _cases(part: Part) -> tuple[list[str], list[str], Array, Array]:
    """Return sentence, category, polarity and the sentence's place of every case."""
    rows = [
        (at, text, name, held)
        for at, (text, said) in enumerate(zip(*part, strict=True))
        for name, held in said
    ]
    at, texts, names, held = zip(*rows, strict=True)
    return list(texts), list(names), np.array(held), np.array(at)


def _ours(train: Part, meaning: Embedder | None) -> dict[str, Aspects]:
    """Return what was learned, without a sentence model and with it."""
    learned = {OURS: fit_aspects(*train, seed=1)}
    if meaning is not None:
        learned[MEANT] = fit_aspects(*train, seed=1, meaning=meaning)
    return learned


def _polarity(
    name: str, train: Part, dev: Part, goal: float, meaning: Embedder | None
) -> Iterator[Figure]:
    texts, names, truth, sentence = _cases(dev)
    readers = {
        **{
            who: np.array(model.polarity(texts, names))
            for who, model in _ours(train, meaning).items()
        },
        LINEAR: _linear_polarity(_cases(train), texts, names),
    }
    if (compound := _vader(texts)) is not None:
        readers[VADER] = np.where(
            compound >= 0.05, "2", np.where(compound <= -0.05, "0", "1")
        )
    yield from _compared(
        f"polarity given category, {name}",
        f"{len(truth)} cases",
        lambda one, at: float((one[at] == truth[at]).mean()),
        readers,
        sentence,
        goal,
    )

    neutral = truth == "1"
    yield Figure(
        part="sentiment",
        name=f"polarity given category, {name}, neutral cases found, ours",
        size=f"{int(neutral.sum())} cases",
        unit="",
        values=[float((readers[OURS] == "1")[neutral].mean())],
    )


def _linear_polarity(train: Any, texts: list[str], names: list[str]) -> Array:
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.pipeline import make_pipeline
    from sklearn.svm import LinearSVC

    def joined(said: list[str], about: list[str]) -> list[str]:
        marks = [f"about{re.sub('[^A-Za-z]', '', name)}" for name in about]
        return [f"{text} {mark}" for text, mark in zip(said, marks, strict=True)]

    model = make_pipeline(
        TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True),
        LinearSVC(C=1.0, random_state=0),
    )
    model.fit(joined(train[0], train[1]), train[2])
    return np.asarray(model.predict(joined(texts, names)))


def _both(
    name: str, train: Part, dev: Part, goal: float, meaning: Embedder | None
) -> Iterator[Figure]:
    texts, judged = dev
    found = {
        **{
            who: [set(one) for one in model.read(texts)]
            for who, model in _ours(train, meaning).items()
        },
        LINEAR: _linear_both(train, texts),
    }
    gold = [set(one) for one in judged]
    counts = {
        reader: np.array(
            [
                (len(one & true), len(one) + len(true))
                for one, true in zip(said, gold, strict=True)
            ]
        )
        for reader, said in found.items()
    }
    yield from _compared(
        f"category and polarity, micro-F1, {name}",
        f"{len(texts)} sentences",
        lambda one, at: float(2 * one[at, 0].sum() / one[at, 1].sum()),
        counts,
        np.arange(len(texts)),
        goal,
    )


def _compared(
    name: str,
    size: str,
    measure: Measure,
    readers: Mapping[str, Any],
    groups: Array,
    goal: float,
) -> Iterator[Figure]:
    """Yield ours beside the peers, then by meaning too beside ours."""
    without = {who: one for who, one in readers.items() if who != MEANT}
    yield from paired("sentiment", name, size, measure, without, groups, goal=goal)
    if MEANT in readers:
        pair = {MEANT: readers[MEANT], OURS: readers[OURS]}
        yield from paired("sentiment", name, size, measure, pair, groups, goal=goal)


def _linear_both(train: Part, texts: list[str]) -> list[set[Judged]]:
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.multiclass import OneVsRestClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.svm import LinearSVC

    known = sorted({name for said in train[1] for name, _ in said})
    had = np.array([[n in {c for c, _ in said} for n in known] for said in train[1]])
    model = make_pipeline(
        TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True),
        OneVsRestClassifier(LinearSVC(C=1.0, random_state=0)),
    )
    scores = model.fit(train[0], had).decision_function(texts)
    chosen = scores > 0
    chosen[np.arange(len(texts)), scores.argmax(axis=1)] = True
    at, which = np.nonzero(chosen)
    names = [known[place] for place in which]
    held = _linear_polarity(_cases(train), [texts[place] for place in at], names)
    found: list[set[Judged]] = [set() for _ in texts]
    for place, category, polarity in zip(at, names, held, strict=True):
        found[place].add((category, str(polarity)))
    return found
