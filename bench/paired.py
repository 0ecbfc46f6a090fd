"""Readers of the same texts: each one's figure, and differences, by bootstrap."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from bench.measure import Figure

Array = np.ndarray[Any, Any]
Measure = Callable[[Any, Array], float]

BOOTSTRAPS = 1_000


def paired(
    part: str,
    name: str,
    size: str,
    measure: Measure,
    readers: Mapping[str, Any],
    groups: Array,
    *,
    goal: float | None = None,
) -> Iterator[Figure]:
    """Yield each reader's figure, then what the first has more than each other.

    Args:
        part: Part of the bench.
        name: What is measured.
        size: On how much data.
        measure: The figure of a reader's answers on the places drawn.
        readers: Answers of each by name, ours first.
        groups: What is drawn together, such as a product; a number a text.
        goal: The least that ours should have.
    """
    n_groups = int(groups.max()) + 1
    order = np.argsort(groups, kind="stable")
    ends = np.searchsorted(groups[order], np.arange(n_groups + 1))
    rng = np.random.default_rng(1)
    drawn: dict[str, list[float]] = {reader: [] for reader in readers}
    for _ in range(BOOTSTRAPS):
        chosen = rng.integers(0, n_groups, n_groups)
        places = np.concatenate([order[ends[at] : ends[at + 1]] for at in chosen])
        for reader, answers in readers.items():
            drawn[reader].append(measure(answers, places))
    every = np.arange(len(groups))
    points = {reader: measure(answers, every) for reader, answers in readers.items()}
    ours = next(iter(readers))
    for reader in readers:
        least = goal if reader == ours else None
        yield _figure(
            part, f"{name}, {reader}", size, points[reader], drawn[reader], least
        )
    for reader in list(readers)[1:]:
        more = np.array(drawn[ours]) - np.array(drawn[reader])
        gap = points[ours] - points[reader]
        yield _figure(part, f"{name}, {ours} less {reader}", size, gap, more, None)


def _figure(
    part: str, name: str, size: str, point: float, drawn: Any, least: float | None
) -> Figure:
    low, high = (float(end) for end in np.quantile(drawn, [0.025, 0.975]))
    # A skewed figure may lie outside its interval; the table shows the middle one.
    values = [min(low, point), point, max(high, point)]
    return Figure(part=part, name=name, size=size, unit="", values=values, least=least)


def coverage(sure: Array, right: Array, accuracy: float) -> float:
    """Return the largest share answered, surest first, that is right so often."""
    order = np.argsort(-sure, kind="stable")
    share = np.cumsum(right[order]) / np.arange(1, len(order) + 1)
    enough = np.nonzero(share >= accuracy)[0]
    return float(enough[-1] + 1) / len(order) if len(enough) else 0.0


def area(score: Array, positive: Array) -> float:
    """Return the area under the ROC curve; ties count half."""
    _, place, count = np.unique(score, return_inverse=True, return_counts=True)
    rank = np.cumsum(count) - (count - 1) / 2
    n = int(positive.sum())
    above = float(rank[place][positive].sum()) - n * (n + 1) / 2
    return above / (n * (len(score) - n))
