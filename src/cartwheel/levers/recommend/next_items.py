"""What comes next, learned from a shop's sequences and tried on its own last part.

Sources are learned on the earlier part and the ranker on what came after; a part of
that is kept to see whether the ranker beats the sources' plain blend. Then the sources
are learned again on everything. Where the ranker does not surely win, the blend stays.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cartwheel.levers.recommend.hitrate import paired_interval
from cartwheel.levers.recommend.pool import (
    IN_HISTORY,
    IN_VISIT,
    NEW_IN_HISTORY,
    Choosing,
)
from cartwheel.levers.recommend.ranker import (
    Cases,
    Lesson,
    Ranker,
    bounded,
    every_step,
    learn_trees,
    make_lesson,
    steps_after,
)
from cartwheel.levers.recommend.sequences import Sequences
from cartwheel.levers.recommend.similarity import Neighbours
from cartwheel.levers.recommend.sources import Sources, learn_sources

Array = np.ndarray[Any, Any]

LESSON_CASES = 10_000
"""Cases a ranker learns from; twice as many changed little."""

LEAST_PART, MOST_PART = 0.04, 0.2
"""Share of the latest visits the ranker learns from: as few as give cases enough."""

FEWEST_CASES = 200
"""Cases below which no ranker is tried."""

TESTED = 0.25
"""Share of the cases on which ranker and blend are compared first."""

TOP = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class NextItems:
    """What was learned.

    Attributes:
        sources: Learned on everything.
        ranker: Orders their candidates.
        test: Figures of the inner test, JSON values.
    """

    sources: Sources
    ranker: Ranker
    test: dict[str, Any]


def learn_visits(
    data: Sequences,
    *,
    seed: int,
    weight: Array | None = None,
    content: Neighbours | None = None,
    largest_ease: int = 5000,
) -> NextItems:
    """Learn what is met next within a visit; what was met may come again.

    Args:
        data: Visits, the earliest first; every entry is a step.
        seed: Seed of the draws.
        weight: How much each entry counts as an answer, shape (n,).
        content: Neighbours by what products are.
        largest_ease: Most products for EASE.
    """
    steps = np.r_[0, np.cumsum(data.step > 0)][data.start]
    count = len(data)
    enough = int(np.searchsorted(steps, steps[-1] - LESSON_CASES, side="right")) - 1
    first = min(max(enough, round(count * (1 - MOST_PART))), count)
    first = min(first, round(count * (1 - LEAST_PART)))
    late = data.take(np.arange(first, count))
    late_weight = None if weight is None else weight[data.start[first] :]
    earlier = data.take(np.arange(first))
    sources = learn_sources(earlier, content=content, largest_ease=largest_ease)
    return _learn(
        data,
        [(sources, every_step(late, late_weight))],
        choosing=IN_VISIT,
        content=content,
        largest_ease=largest_ease,
        seed=seed,
    )


def learn_last(
    data: Sequences,
    *,
    seed: int,
    content: Neighbours | None = None,
    largest_ease: int = 5000,
) -> NextItems:
    """Learn what is new at the end of whole histories, where no days are known.

    Args:
        data: Histories; the last entry of each is what is to be told.
        seed: Seed of the draws.
        content: Neighbours by what products are.
        largest_ease: Most products for EASE.
    """
    cut = data.start[1:] - 1
    known = data.where(np.arange(len(data.item)) < cut[data.owner])
    sources = learn_sources(known, content=content, largest_ease=largest_ease)
    cases = steps_after(data, cut, np.full(len(data), data.end))
    return _learn(
        data,
        [(sources, cases)],
        choosing=NEW_IN_HISTORY,
        content=content,
        largest_ease=largest_ease,
        seed=seed,
    )


def learn_windows(
    data: Sequences,
    *,
    days: float,
    windows: int,
    repeats: bool,
    seed: int,
    content: Neighbours | None = None,
    largest_ease: int = 5000,
) -> NextItems:
    """Learn what a customer takes within some days of a moment.

    Args:
        data: Purchases by customer; lines of an order share a step.
        days: Length of the window.
        windows: Length of what the ranker learns from, in windows, the latest ending
            with the data; half of each window lies in the next, and those with fewer
            days before them than they are long are left out.
        repeats: Whether what was taken before is a candidate.
        seed: Seed of the draws.
        content: Neighbours by what products are.
        largest_ease: Most products for EASE.
    """
    parts: list[tuple[Sources, Cases]] = []
    begin = float(data.at.min()) if len(data.at) else 0.0
    for half in range(2, 2 * windows + 1):
        now = data.end - half * days / 2
        if now - begin < days:
            break
        earlier = data.where(data.at < now)
        sources = learn_sources(earlier, content=content, largest_ease=largest_ease)
        parts.append((sources, window_cases(data, now, days, repeats=repeats)))
    return _learn(
        data,
        parts,
        choosing=IN_HISTORY if repeats else NEW_IN_HISTORY,
        content=content,
        largest_ease=largest_ease,
        seed=seed,
    )


def window_cases(
    data: Sequences, now: float, days: float, *, repeats: bool = True
) -> Cases:
    """Return a case for everybody known at a moment who took something soon after.

    Args:
        data: Purchases by customer.
        now: The moment, in days.
        days: Days after it that count.
        repeats: Whether what was taken before is an answer.
    """
    within = data.where(data.at < now + days)
    before = np.bincount(within.owner[within.at < now], minlength=len(within))
    if not repeats:
        earlier = within.at < now
        key = within.owner * within.n_items + within.item
        within = within.where(earlier | ~np.isin(key, key[earlier]))
    cut = within.start[:-1] + before
    return steps_after(within, cut, np.full(len(within), now))


def _learn(
    data: Sequences,
    parts: Sequence[tuple[Sources, Cases]],
    *,
    choosing: Choosing,
    content: Neighbours | None,
    largest_ease: int,
    seed: int,
) -> NextItems:
    rng = np.random.default_rng(seed)
    final = learn_sources(data, content=content, largest_ease=largest_ease)
    share = min(LESSON_CASES / max(sum(len(cases) for _, cases in parts), 1), 1.0)
    every: list[Lesson] = []
    for sources, cases in parts:
        order = rng.permutation(len(cases))[: int(share * len(cases))]
        chosen = cases.take(np.sort(order))
        every.append(make_lesson(sources, chosen, choosing))
    blend = Ranker(trees=None, choosing=choosing)
    if sum(len(one.answers) for one in every) < FEWEST_CASES:
        return NextItems(sources=final, ranker=blend, test={})
    taught, tested = _parted(every, rng)
    trial = learn_trees(taught, seed=seed)
    plain = np.concatenate([one.gains(None, TOP) for one in tested])
    ranked = np.concatenate([one.gains(trial, TOP) for one in tested])
    weight = bounded(np.concatenate([one.weight for one in tested]))
    gain = paired_interval(weight * (ranked - plain), seed)
    test = {
        "cases": len(plain),
        "ndcg": float(np.average(ranked, weights=weight)),
        "blend_ndcg": float(np.average(plain, weights=weight)),
        "ndcg_gain": gain,
    }
    if gain[0] <= 0:
        return NextItems(sources=final, ranker=blend, test=test)
    trees = learn_trees(every, seed=seed)
    return NextItems(
        sources=final, ranker=Ranker(trees=trees, choosing=choosing), test=test
    )


def _parted(
    lessons: Sequence[Lesson], rng: np.random.Generator
) -> tuple[list[Lesson], list[Lesson]]:
    """Return cases to learn from, and those to test on."""
    taught, tested = [], []
    for one in lessons:
        order = rng.permutation(len(one.answers))
        held = int(TESTED * len(order))
        tested.append(one.take(np.sort(order[:held])))
        taught.append(one.take(np.sort(order[held:])))
    return taught, tested
