"""Ranked lists against what came next: metrics, paired intervals, rows of the table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from bench.measure import Figure
from cartwheel.levers.recommend.ranker import Cases

Array = np.ndarray[Any, Any]

LONGEST = 20
DRAWS = 1000
DISCOUNT = 1.0 / np.log2(np.arange(2, LONGEST + 2))


@dataclass(frozen=True, slots=True, kw_only=True)
class Lists:
    """The first products of each case.

    Attributes:
        top: Product numbers, best first, shape (cases, 20).
    """

    top: Array

    def metrics(self, cases: Cases) -> Mapping[str, Array]:
        """Return each metric by case."""
        rows = np.arange(len(cases))[:, None]
        hit = cases.answered(
            np.broadcast_to(rows, self.top.shape).ravel(), self.top.ravel()
        ).reshape(self.top.shape)
        first = np.where(hit.any(axis=1), hit.argmax(axis=1), LONGEST)
        answers = np.bincount(cases.row, minlength=len(cases))
        ideal = np.cumsum(DISCOUNT)[np.minimum(answers, 10) - 1]
        return {
            "HR@20": (first < 20).astype(float),
            "MRR@20": np.where(first < 20, 1.0 / (first + 1.0), 0.0),
            "NDCG@10": (hit[:, :10] * DISCOUNT[:10]).sum(axis=1) / ideal,
            "HR@10": (first < 10).astype(float),
        }

    def coverage(self, n_items: int) -> float:
        """Return the share of the catalogue that is in any list."""
        return len(np.unique(self.top)) / n_items


def top_lists(
    row: Array,
    item: Array,
    score: Array,
    popular: Array,
    rows: int,
    seen: tuple[Array, Array] | None = None,
) -> Array:
    """Return the 20 best of each case, shape (rows, 20).

    Ties go to the more popular product and short lists are filled with popular ones.

    Args:
        row: Case of each scored product; a pair may not come twice.
        item: Product number.
        score: Its score.
        popular: How popular every product is.
        rows: Number of cases.
        seen: Pairs of case and product that may not be listed; None allows all.
    """
    n_items = len(popular)
    if seen is not None:
        kept = ~np.isin(row * n_items + item, seen[0] * n_items + seen[1])
        row, item, score = row[kept], item[kept], score[kept]
    order = np.lexsort((item, -popular[item], -score, row))
    row, item = row[order], item[order]
    rank = np.arange(len(row)) - np.searchsorted(row, row)
    row, item, rank = row[rank < LONGEST], item[rank < LONGEST], rank[rank < LONGEST]
    top = np.full((rows, LONGEST), -1, np.int64)
    top[row, rank] = item
    by_demand = np.argsort(-popular, kind="stable").tolist()
    closed: dict[int, set[int]] = {}
    if seen is not None:
        for one, product in zip(seen[0].tolist(), seen[1].tolist(), strict=True):
            closed.setdefault(one, set()).add(product)
    for one in np.flatnonzero(top[:, -1] < 0).tolist():
        have = set(top[one][top[one] >= 0].tolist())
        taken = have | closed.get(one, set())
        free = (product for product in by_demand if product not in taken)
        for place in range(len(have), LONGEST):
            top[one, place] = next(free, -1)
    return top


def interval(values: Array) -> list[float]:
    """Return the mean and its 95 % bootstrap interval: low, mean, high."""
    rng = np.random.default_rng(1)
    count = len(values)
    means = [values[rng.integers(count, size=count)].mean() for _ in range(DRAWS)]
    low, high = np.quantile(means, [0.025, 0.975])
    mean = float(values.mean())
    return [min(float(low), mean), mean, max(float(high), mean)]


def figures(
    part: str,
    size: str,
    cases: Cases,
    found: Mapping[str, Lists],
    *,
    ours: str,
    metrics: tuple[str, ...],
    targets: Mapping[str, float],
    groups: Mapping[str, Array],
) -> Iterator[Figure]:
    """Yield a row per model and metric, then our lead over the best peer.

    The spread printed is the 95 % interval; of a lead, the paired one on the same
    cases.

    Args:
        part: Part of the bench.
        size: What it was measured on.
        cases: With answers.
        found: Lists by model.
        ours: Which of them is ours.
        metrics: What to print.
        targets: Least value of ours by metric.
        groups: Cases by name, for rows of their own.
    """
    by_model = {name: lists.metrics(cases) for name, lists in found.items()}
    for name, values in by_model.items():
        for metric in metrics:
            yield Figure(
                part=part,
                name=f"{name}, {metric}",
                size=size,
                unit="",
                values=interval(values[metric]),
                least=targets.get(metric) if name == ours else None,
                floor=name != ours,
            )
        yield Figure(
            part=part,
            name=f"{name}, coverage@20",
            size=size,
            unit="",
            values=[found[name].coverage(cases.data.n_items)],
            floor=name != ours,
        )
    peers = [name for name in by_model if name != ours]
    for metric in metrics:
        best = max(peers, key=lambda name: float(by_model[name][metric].mean()))
        lead = by_model[ours][metric] - by_model[best][metric]
        yield Figure(
            part=part,
            name=f"lead over {best}, {metric}",
            size=size,
            unit="",
            values=interval(lead),
        )
        for group, chosen in groups.items():
            if not chosen.any():  # a set may have no prefix of one click
                continue
            for name in (ours, best):
                yield Figure(
                    part=part,
                    name=f"{name}, {metric}, {group}",
                    size=f"{int(chosen.sum()):,} cases",
                    unit="",
                    values=interval(by_model[name][metric][chosen]),
                    floor=name != ours,
                )
