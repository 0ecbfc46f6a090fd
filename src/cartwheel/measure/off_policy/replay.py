"""What other rankings would have put in the drawn slot of logged answers.

The turn's own model is asked again. Only where it gives the answer that was logged, but
for the drawn slot, is it known what could have been drawn; the draw itself does not
decide which answers these are, so leaving out the others favours no product. Of what
could be drawn each ranking takes its best. The slots before stay as they were: they are
never drawn, so nothing is known of what others would have done there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

import numpy as np

from cartwheel.levers.base import Model
from cartwheel.levers.recommend import slate
from cartwheel.levers.recommend.reader import find_reader, numbers
from cartwheel.levers.recommend.scoring import best_first, scores
from cartwheel.measure.off_policy.questions import Question
from cartwheel.measure.off_policy.slates import SlateLog

Array = np.ndarray[Any, Any]

SALE_ONLY, BESTSELLERS, NEWEST, OLDEST = (
    "sale-only",
    "bestsellers",
    "newest-model",
    "oldest-model",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answering:
    """A turn's model as it answered.

    Attributes:
        model: The model.
        excluded: Products the turn's gate kept out of every slot.
        as_of: Last day whose facts it learned from.
        after: First instant of which it knows nothing, naive UTC.
    """

    model: Model
    excluded: frozenset[str]
    as_of: date
    after: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """What a ranking would have drawn; n answers.

    Attributes:
        answer: Numbers of the answers in the log, rising, shape (n,).
        product: Product in the drawn slot, (n,).
        others: Share of these answers in which it would fill slots before otherwise.
    """

    answer: Array
    product: Array
    others: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """A question whose answer the model gives again."""

    question: Question
    context: tuple[str, ...]
    first: Array
    pool: Array
    score: Array
    candidates: Array
    names: Array


def replay(
    log: SlateLog,
    questions: list[Question],
    turns: Mapping[int, Answering],
    *,
    newest: int | None,
) -> tuple[dict[str, Replayed], dict[str, int]]:
    """Return what each ranking would have drawn, and answers left out by reason.

    Args:
        log: The log.
        questions: Questions of answers with a drawn slot.
        turns: Models that are kept, by turn.
        newest: The published turn, None for none.
    """
    left_out = {"model not kept": 0, "not answered so again": 0}
    found: dict[str, list[tuple[int, str, bool]]] = {
        name: [] for name in (SALE_ONLY, BESTSELLERS, NEWEST, OLDEST)
    }
    oldest = min(turns, default=None)
    for one in questions:
        answering = turns.get(one.turn)
        if answering is None:
            left_out["model not kept"] += 1
            continue
        asked = _ask_again(log, one, answering)
        if asked is None:
            left_out["not answered so again"] += 1
            continue
        for name, rank in (
            (SALE_ONLY, _sale_only(answering.model)),
            (BESTSELLERS, _bestsellers(answering.model)),
            (NEWEST, _of_model(turns, newest)),
            (OLDEST, _of_model(turns, oldest)),
        ):
            score = None if rank is None else rank(asked)
            if score is not None:
                found[name].append((one.answer, *_chosen(asked, score)))
    return {name: _columns(rows) for name, rows in found.items()}, left_out


def _columns(rows: list[tuple[int, str, bool]]) -> Replayed:
    return Replayed(
        answer=np.array([row[0] for row in rows], np.int64),
        product=np.array([row[1] for row in rows], dtype=str),
        others=float(np.mean([row[2] for row in rows])) if rows else 0.0,
    )


def _ask_again(log: SlateLog, one: Question, answering: Answering) -> _Asked | None:
    """Return the question that gives the logged answer, None when none does."""
    model, names = answering.model, answering.model.arrays["product_id"]
    start = int(log.first[one.answer])
    end = int(np.searchsorted(log.answer, one.answer, side="right"))
    shown = log.product[start:end].tolist()
    reader = find_reader(model, one.customer, one.visitor)
    kept_out = numbers(names, sorted(answering.excluded))
    for named in one.contexts:
        context = numbers(names, named)
        excluded = kept_out
        if one.placement in ("cart", "product"):
            excluded = np.concatenate([excluded, context])
        excluded = np.concatenate([excluded, reader.skip])
        if slate.eligible_hash(model, excluded) != one.eligible_hash:
            continue
        free = np.array(model.arrays["eligible"])
        free[excluded] = False
        candidates = np.flatnonzero(free)
        score = scores(model, reader, context, one.placement)
        most = len(shown) - 1 + slate.EXPLORE_AMONG
        ranked = best_first(score, candidates, most)
        first = ranked[: len(shown) - 1]
        if names[first].tolist() == shown[:-1]:
            return _Asked(
                question=one,
                context=named,
                first=first,
                pool=ranked[len(shown) - 1 :],
                score=score,
                candidates=candidates,
                names=names,
            )
    return None


def _chosen(asked: _Asked, score: Array) -> tuple[str, bool]:
    """Return the best of what could be drawn, and whether slots before would differ."""
    best = best_first(score, asked.pool, 1)
    before = best_first(score, asked.candidates, len(asked.first))
    return str(asked.names[best[0]]), before.tolist() != asked.first.tolist()


Rank = Callable[[_Asked], Array | None]
"""Returns a score by product of the answering model, None where it has none."""


def _sale_only(model: Model) -> Rank | None:
    """Rank by the chance of a sale alone: the score without what a sale earns."""
    plain = model.arrays.get("sale_factor")
    if plain is None:  # a turn of an earlier version
        return None
    scale = plain / model.arrays["factor"]
    return lambda asked: np.asarray(asked.score * scale)


def _bestsellers(model: Model) -> Rank:
    order = np.asarray(model.arrays["bestsellers"], np.int64)
    score = np.full(len(model.arrays["product_id"]), -np.inf)
    score[order] = -np.arange(len(order), dtype=float)
    return lambda asked: score


def _of_model(turns: Mapping[int, Answering], turn: int | None) -> Rank | None:
    """Rank by another turn's model, where it cannot have learned from the answer."""
    if turn is None or turn not in turns:
        return None
    other = turns[turn]
    names = other.model.arrays["product_id"]

    def rank(asked: _Asked) -> Array | None:
        one = asked.question
        if one.at < other.after:
            return None
        reader = find_reader(other.model, one.customer, one.visitor)
        context = numbers(names, asked.context)
        own = scores(other.model, reader, context, one.placement)
        result = np.full(len(asked.names), -np.inf)
        at = np.minimum(np.searchsorted(names, asked.names), max(len(names) - 1, 0))
        known = names[at] == asked.names if len(names) else np.zeros(len(at), bool)
        result[known] = own[at[known]]
        return result

    return rank


def filled_by(found: Replayed, log: SlateLog) -> tuple[SlateLog, Array]:
    """Return the answers a ranking was replayed on, and its chance of each slot's own.

    The chance is of the product shown given the slots before, shape (S,) of the log
    returned: what was drawn counts where the ranking would have drawn it.
    """
    part = only(log, found.answer)
    wanted = found.product[part.answer]
    return part, np.where(
        part.drawn, (part.product == wanted).astype(float), part.propensity
    )


def only(log: SlateLog, answers: Array) -> SlateLog:
    """Return a log of some answers.

    Args:
        log: The log.
        answers: Their numbers, rising, shape (n,).
    """
    slots = np.isin(log.answer, answers)
    by_answer = ("decision_id", "placement", "cluster", "customer_known", "spent_minor")
    by_slot = ("position", "product", "propensity", "seen", "clicked", "bought")
    values: dict[str, Any] = {name: getattr(log, name)[answers] for name in by_answer}
    values |= {name: getattr(log, name)[slots] for name in by_slot}
    values["answer"] = np.searchsorted(answers, log.answer[slots])
    return replace(log, **values)
