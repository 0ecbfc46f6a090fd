"""Weights of the support lever, fitted on the development questions and tried apart.

`python -m bench.support_fit` prints the weights, and how they do in folds by source (a
policy or product that a question is about is never in both the fitted part and the one
it is tried on) and on each shop by weights of the others. The words and topics of
`text/asking` are the same in all folds, written after reading these questions (of the
sets in `UNKNOWING` one half): that memory no fold takes out, which is why held-out sets
are counted.

Fitted is a conditional logit: of each question the chance that some right sentence is
taken, or nothing where nothing answers it, with a small penalty on large weights.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bench.support import installed
from bench.support_sets import Part, Row, made_model, parts, request_of, says_it
from cartwheel.levers.support.answer import candidates, quoted
from cartwheel.levers.support.compare import FEATURES
from cartwheel.levers.support.weigh import MEANT, Weighed
from cartwheel.text.asking import read_question

Array = np.ndarray[Any, Any]

FOLDS = 10
PENALTY = 2.0
"""Of squared weights, each in the spread of its feature."""

UNKNOWING = ("support/development-2", "support-kitchenware/development")
"""Sets by writers who knew neither lever nor words: once held out, since released."""

WARNED = {"urgent", "safety", "person", "modality", "greeting", "order"}
"""Signs of a message that is not weighed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A development question and what could answer it.

    Attributes:
        row: The question.
        features: Of each candidate, shape (n_candidates, n_features).
        right: Whether each answers, shape (n_candidates,).
        beside: Which are quoted with which, shape (n_candidates, n_candidates).
    """

    row: Row
    features: Array
    right: Array
    beside: Array

    @property
    def teaches(self) -> bool:
        """Whether anything can be learned from it: it is refused, or found."""
        return not self.row["answerable"] or bool(self.right.any())

    def chances(self, weights: Array) -> Array:
        """Return the chance of what is quoted around each candidate."""
        strong = np.exp(np.clip(self.features @ weights[1:] + weights[0], -50, 50))
        return self.beside @ strong / (1.0 + strong.sum())


def asked(part: Part, folder: str) -> list[Asked]:
    """Return the questions that are weighed, with their candidates.

    Args:
        part: The questions.
        folder: The sentence model, "" for none.
    """
    model = made_model(part.manual(), folder)
    width = len(FEATURES) + (len(MEANT) if folder else 0)
    found = []
    for row in part.rows():
        reading = read_question(row["text"], "en")
        if reading.signs & WARNED:
            continue
        some, _ = candidates(model, request_of(row), row["text"], reading, "en")
        right = [
            says_it(row, [text["text"] for text in quoted(one)]) and _cites(row, one)
            for one in some
        ]
        beside = [[float(_beside(one, other)) for other in some] for one in some]
        found.append(
            Asked(
                row=row,
                features=np.array([one.features for one in some]).reshape(-1, width),
                right=np.array(right, bool),
                beside=np.array(beside).reshape(len(some), len(some)),
            )
        )
    return found


def _cites(row: Row, one: Weighed) -> bool:
    """Tell whether a source is the label's; of a product's facts any is."""
    source = one.passage.source.partition(":")[2]
    return row["source"] in (source, one.passage.product_id) or bool(
        one.passage.product_id and one.passage.product_id == row["product_id"]
    )


def _beside(one: Weighed, other: Weighed) -> bool:
    """Tell whether the one is quoted with the other."""
    same = one.passage == other.passage
    return same and abs(one.at - other.at) <= 1


def learned(questions: Sequence[Asked]) -> Array:
    """Return the bias and the weights that fit questions best.

    Args:
        questions: Questions with candidates.
    """
    from scipy.optimize import minimize

    some = [one for one in questions if one.teaches]
    spread = np.vstack([one.features for one in some]).std(axis=0)
    spread = np.where(spread > 0, spread, 1.0)

    def loss(inner: Array) -> tuple[float, Array]:
        weights = np.concatenate([inner[:1], inner[1:] / spread])
        total = 0.5 * PENALTY * float(inner[1:] @ inner[1:])
        slope = np.concatenate([[0.0], PENALTY * inner[1:]])
        for one in some:
            strong = np.exp(np.clip(one.features @ weights[1:] + weights[0], -50, 50))
            every = 1.0 + strong.sum()
            good = strong[one.right].sum() if one.row["answerable"] else 1.0
            total -= float(np.log(max(good, 1e-300)) - np.log(every))
            pull = strong / every
            if one.row["answerable"]:
                pull = pull - np.where(one.right, strong / max(good, 1e-300), 0.0)
            slope += np.concatenate([[pull.sum()], pull @ one.features / spread])
        return total, slope

    start = np.zeros(len(spread) + 1)
    found = minimize(loss, start, jac=True, method="L-BFGS-B").x
    return np.concatenate([found[:1], found[1:] / spread])


def fold_of(row: Row) -> int:
    """Return the fold of a question: one for all about the same source."""
    about = row["source"] or row["product_id"] or row["id"]
    return zlib.crc32(str(about).encode()) % FOLDS


def fit(folder: str) -> None:
    """Print weights fitted on development, and what they do on what was left out.

    Args:
        folder: The sentence model, "" for none.
    """
    some = [part for part in parts() if not part.held_out]
    found = [(part.folder.name, asked(part, folder)) for part in some]
    rows = [row for part in some for row in part.rows()]
    questions = [one for _, held in found for one in held]
    names = ("bias", *FEATURES, *MEANT)
    print("[meaning]" if folder else "[words]")
    for name, weight in zip(names, learned(questions), strict=False):
        print(f"{name} = {weight:.3f}")
    print("# folds by source, of all shops")
    _tell(rows, _left_out(questions, [fold_of(one.row) for one in questions]))
    print("# each shop by weights of the others")
    best = _left_out(questions, [shop for shop, held in found for _ in held])
    _tell(rows, best)
    print("# of these, the two sets of writers who did not know the lever")
    _tell(*_of(best, [part for part in some if part.label in UNKNOWING]))


Best = Sequence[tuple[Asked, float, bool]]
"""Questions, the chance of the likeliest candidate, and whether that is right."""


def _left_out(questions: Sequence[Asked], group: Sequence[str | int]) -> Best:
    """Return what each question gets by weights learned without its group."""
    found: list[tuple[Asked, float, bool]] = []
    for name in dict.fromkeys(group):
        pairs = list(zip(questions, group, strict=True))
        weights = learned([one for one, mine in pairs if mine != name])
        found += [(one, *_best(one, weights)) for one, mine in pairs if mine == name]
    return found


def _of(best: Best, some: Sequence[Part]) -> tuple[list[Row], Best]:
    """Return the questions of some parts, and what they get."""
    rows = [row for part in some for row in part.rows()]
    names = {(row["id"], row["text"]) for row in rows}
    mine = [one for one in best if (one[0].row["id"], one[0].row["text"]) in names]
    return rows, mine


def _tell(rows: Sequence[Row], best: Best) -> None:
    for line in np.arange(0.1, 0.65, 0.05):
        print(_told(float(line), rows, best))


def _best(one: Asked, weights: Array) -> tuple[float, bool]:
    """Return the chance of the likeliest candidate, and whether it is right."""
    if not len(one.features):
        return 0.0, False
    chances = one.chances(weights)
    first = int(np.argmax(chances))
    return float(chances[first]), bool(one.right[first])


def _told(line: float, rows: Sequence[Row], best: Best) -> str:
    """Return what a line would do, of all questions, in words."""
    can = sum(bool(row["answerable"]) for row in rows)
    told = {
        known: [
            right
            for one, chance, right in best
            if chance >= line and bool(one.row["answerable"]) is known
        ]
        for known in (True, False)
    }
    cannot = len(rows) - can
    good = sum(told[True]) / max(len(told[True]), 1)
    return (
        f"# line {line:.2f}: refused {1 - len(told[False]) / cannot:.1%} of {cannot} "
        f"that have no answer, {1 - len(told[True]) / can:.1%} of {can} that have "
        f"one; right {good:.1%} of those answered"
    )


if __name__ == "__main__":
    for where in installed().values():
        fit(where)
