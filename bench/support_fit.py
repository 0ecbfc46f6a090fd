"""Weights of the support lever, fitted on the development questions and tried apart.

`python -m bench.support_fit` prints the weights, and how they do in folds by source: a
policy or product that a question is about is never in both the fitted part and the one
it is tried on, so that the figures are not those of memory.
"""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np

from bench.support import DEVELOPMENT, installed
from bench.support_sets import Row, made_model, parts, request_of, says_it
from cartwheel.levers.support.answer import candidates, quoted
from cartwheel.levers.support.weigh import FEATURES, MEANT, Weighed
from cartwheel.text.asking import read_question

Array = np.ndarray[Any, Any]

FOLDS = 10
WARNED = {"urgent", "safety", "person", "modality", "greeting"}
"""Signs of a message that is not weighed."""


def training(folder: str) -> tuple[Array, Array, Array]:
    """Return features of candidates, whether each answers, and their questions.

    Args:
        folder: The sentence model, "" for none.
    """
    (part,) = parts([DEVELOPMENT])
    model = made_model(part.manual(), folder)
    features, answers, questions = [], [], []
    for number, row in enumerate(part.rows()):
        reading = read_question(row["text"], "en")
        if reading.signs & WARNED:
            continue
        found, _ = candidates(model, request_of(row), row["text"], reading, "en")
        for one in found:
            said = [text["text"] for text in quoted(one)]
            features.append(one.features)
            answers.append(says_it(row, said) and _cites(row, one))
            questions.append(number)
    return np.array(features), np.array(answers), np.array(questions)


def _cites(row: Row, one: Weighed) -> bool:
    """Tell whether a source is the label's; of a product's facts any is."""
    source = one.passage.source.partition(":")[2]
    return row["source"] in (source, one.passage.product_id)


def fold_of(row: Row) -> int:
    """Return the fold of a question: one for all about the same source."""
    about = row["source"] or row["product_id"] or row["id"]
    return zlib.crc32(str(about).encode()) % FOLDS


def fit(folder: str) -> None:
    """Print weights fitted on development, and what they do in folds by source.

    Args:
        folder: The sentence model, "" for none.
    """
    from sklearn.linear_model import LogisticRegression

    features, answers, questions = training(folder)
    rows = parts([DEVELOPMENT])[0].rows()
    fold = np.array([fold_of(row) for row in rows])[questions]
    learner = LogisticRegression(C=1.0, max_iter=5_000)
    chance = np.zeros(len(answers))
    for part in range(FOLDS):
        held = fold == part
        learner.fit(features[~held], answers[~held])
        chance[held] = learner.predict_proba(features[held])[:, 1]
    learner.fit(features, answers)
    names = (*FEATURES, *MEANT)[: features.shape[1]]
    print("[meaning]" if folder else "[words]")
    print(f"bias = {float(learner.intercept_[0]):.3f}")
    for name, weight in zip(names, learner.coef_[0], strict=True):
        print(f"{name} = {weight:.3f}")
    for line in np.arange(0.1, 0.85, 0.05):
        print(_told(float(line), rows, questions, chance, answers))


def _told(
    line: float, rows: list[Row], questions: Array, chance: Array, answers: Array
) -> str:
    """Return what a line would do, of all questions, in words."""
    asked, told, right = ({True: 0, False: 0} for _ in range(3))
    for number, row in enumerate(rows):
        can = bool(row["answerable"])
        asked[can] += 1
        mine = np.flatnonzero(questions == number)
        if len(mine):
            best = mine[np.argmax(chance[mine])]
            told[can] += bool(chance[best] >= line)
            right[can] += bool(chance[best] >= line and answers[best])
    return (
        f"# line {line:.2f}: answered {told[True]} of {asked[True]} that have an "
        f"answer, {right[True]} right; {told[False]} of {asked[False]} that have none"
    )


if __name__ == "__main__":
    for where in installed().values():
        fit(where)
