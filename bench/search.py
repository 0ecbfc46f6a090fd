"""Search on Home Depot's judged queries, beside peers on the same queries.

Titles only. Gain is relevance - 1, discount 1 / log2(rank + 1), the ideal from all of a
query's judged products; unjudged ones gain nothing. A sixth of the queries, by hash, is
where settings were chosen: it is never reported and teaches in every fold. The others
are in five folds by query: what clicks teach is learned from the judgements of the
other folds, as a shop would from clicks. Where the sentence model is installed the
lever also runs with it, and so does a peer that mixes it with BM25.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bench.measure import Figure, Plan, Skipped
from bench.search_peers import peers
from bench.search_shop import (
    MEANING,
    Judged,
    learned_model,
    meanings_known,
    plain_model,
    read_judged,
    with_meanings,
)
from cartwheel.levers.base import Model, Request
from cartwheel.levers.search import Search
from cartwheel.text.meaning.port import open_embedder

FOLDS = 5
DEVELOPMENT = 6
DRAWS = 2000
DEPTH = 1000
"""Products ranked; a judged one beyond them counts as ranked last, by its id."""

RECALLED = 100
LONG = 6
TARGETS: Mapping[tuple[str, str], float] = {
    ("ndcg", "all"): 0.47,
    ("ndcg", "long"): 0.48,
    ("ndcg", "misspelled"): 0.40,
    ("recall", "all"): 0.84,
}
READ = 1_000
"""Titles from which the sentence model's speed is told."""

QUICK = 60
"""Queries reported by a quick run."""

Ranker = Callable[[str], Sequence[int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What one ranker did for one query."""

    ndcg: float
    judged: float
    random: float
    recall: float
    strict: float


def search(plan: Plan) -> Iterator[Figure]:
    """Measure Home Depot: whole catalogue and judged only, beside every peer."""
    judged = read_judged(plan.data / "homedepot-search" / "pairs.parquet")
    if judged is None:
        raise Skipped("the data set homedepot-search is not there")
    reported = [q for q in judged.queries if part(q, DEVELOPMENT, "part") != 0]
    if plan.quick:
        reported = reported[:QUICK]
    groups = query_groups(judged, reported)
    found: dict[str, dict[str, Row]] = {}
    skipped: list[str] = []
    plain, meaning = plain_model(judged), None
    if meanings_known():
        yield from _reading(judged)
        meaning = with_meanings(plain, judged)
    else:
        skipped.append(f"meaning: the package {MEANING} is not installed")
    vectors = None if meaning is None else meaning.arrays["meaning_of"]
    for name, ranker in peers(judged.titles, vectors):
        if isinstance(ranker, str):
            skipped.append(f"{name}: {ranker}")
            continue
        found[name] = {q: score(judged, q, ranker(q)) for q in reported}
    for model, how in ((plain, ""), (meaning, ", meaning")):
        if model is not None:
            ranker = lever_ranker(model, judged)
            found[f"ours, no click{how}"] = {
                q: score(judged, q, ranker(q)) for q in reported
            }
            found[f"ours, learned{how}"] = _in_folds(judged, reported, plan, model)
    for text in skipped:
        print(f"search: {text}", flush=True)
    yield from figures(found, groups)


def _reading(judged: Judged) -> Iterator[Figure]:
    """Measure what it costs to read titles together and queries one by one."""
    embedder = open_embedder(MEANING)
    for name, texts, together, unit in (
        ("titles", judged.titles[:READ], READ, "texts/s"),
        ("a query", judged.queries[: READ // 10], 1, "ms"),
    ):
        began = time.process_time()
        for at in range(0, len(texts), together):
            embedder.embed(texts[at : at + together])
        seconds = time.process_time() - began
        yield Figure(
            part="search",
            name=f"sentence model reads {name}, processor time",
            size=f"{len(texts):,} texts",
            unit=unit,
            values=[seconds / len(texts) * 1000 if unit == "ms" else READ / seconds],
        )


def _in_folds(
    judged: Judged, reported: Sequence[str], plan: Plan, plain: Model
) -> dict[str, Row]:
    rows: dict[str, Row] = {}
    for fold in range(FOLDS):
        mine = [q for q in reported if part(q, FOLDS, "fold") == fold]
        if not mine:
            continue
        others = [
            q
            for q in judged.queries
            if part(q, DEVELOPMENT, "part") == 0 or part(q, FOLDS, "fold") != fold
        ]
        learned = learned_model(judged, others[:QUICK] if plan.quick else others, plain)
        ranker = lever_ranker(learned, judged)
        rows |= {q: score(judged, q, ranker(q)) for q in mine}
    return rows


def lever_ranker(model: Model, judged: Judged) -> Ranker:
    """Return the lever's own answers as numbers of products."""
    lever = Search()
    place = {name: at for at, name in enumerate(judged.products)}
    rng = np.random.default_rng(0)

    def ranker(query: str) -> list[int]:
        request = Request(placement="search", query=query, limit=DEPTH)
        answer = lever.answer(model, request, rng=rng)
        return [place[slot.product_id] for slot in answer.slots]

    return ranker


def part(query: str, parts: int, salt: str) -> int:
    """Return which part a query is in, the same on every machine."""
    return hashlib.sha1(f"{salt} {query}".encode()).digest()[0] % parts


def score(judged: Judged, query: str, ranked: Sequence[int]) -> Row:
    """Return the figures of one query's ranking, NaN where none is defined."""
    products, gains = judged.of(query)
    gain = dict(zip(products, gains, strict=True))
    whole = [gain.get(at, 0.0) for at in ranked[:10]]
    rank = {at: n for n, at in enumerate(ranked)}
    own = sorted(products, key=lambda at: (rank.get(at, len(ranked)), at))
    grades = len(set(gains)) > 1
    kept = set(ranked[:RECALLED])
    wanted = [at for at in products if gain[at] > 0]
    best = [at for at in products if gain[at] >= 1.5]
    return Row(
        ndcg=ndcg(whole, gains),
        judged=ndcg([gain[at] for at in own][:10], gains) if grades else np.nan,
        random=random_ndcg(gains) if grades else np.nan,
        recall=_share(wanted, kept),
        strict=_share(best, kept),
    )


def _share(wanted: Sequence[int], kept: set[int]) -> float:
    return sum(at in kept for at in wanted) / len(wanted) if wanted else np.nan


def ndcg(ranked: Sequence[float], gains: Sequence[float]) -> float:
    """Return NDCG@10 with the ideal from all gains; NaN when nothing gains."""
    ideal = _dcg(sorted(gains, reverse=True)[:10])
    return _dcg(ranked) / ideal if ideal > 0 else np.nan


def _dcg(gains: Sequence[float]) -> float:
    return float(sum(g / np.log2(n + 2) for n, g in enumerate(gains)))


def random_ndcg(gains: Sequence[float]) -> float:
    """Return the expected NDCG@10 of a random order of the judged products."""
    discount = 1.0 / np.log2(np.arange(2, 12))
    ideal = _dcg(sorted(gains, reverse=True)[:10])
    mean = float(np.mean(gains)) * float(discount[: len(gains)].sum())
    return mean / ideal if ideal > 0 else np.nan


def query_groups(judged: Judged, queries: Sequence[str]) -> dict[str, set[str]]:
    """Return the groups of queries that are reported apart."""
    return {
        "all": set(queries),
        "long": {q for q in queries if len(q.split()) >= LONG},
        "misspelled": {q for q in queries if judged.misspelled(q)},
    }


def figures(
    found: Mapping[str, Mapping[str, Row]],
    groups: Mapping[str, set[str]],
) -> Iterator[Figure]:
    """Yield every ranker's means by group, and our differences to the best peer."""
    for group, queries in groups.items():
        columns = _columns(found, sorted(queries))
        for metric in ("ndcg", "judged", "recall", "strict"):
            means = {
                name: float(np.nanmean(one[metric])) for name, one in columns.items()
            }
            best = max(
                (name for name in means if not name.startswith("ours")),
                key=lambda name: means[name],
                default=None,
            )
            for name, mean in means.items():
                aimed = name.startswith("ours, learned") and (metric, group) in TARGETS
                yield Figure(
                    part="search",
                    name=f"{metric}: {name}",
                    size=f"{group}, {len(queries):,} queries",
                    unit="",
                    values=[mean],
                    least=TARGETS[metric, group] if aimed else None,
                    floor=not name.startswith("ours"),
                )
                if metric == "judged":
                    chance = float(np.nanmean(columns[name]["random"]))
                    yield Figure(
                        part="search",
                        name=f"judged, above random: {name}",
                        size=f"{group}, random is {chance:.4f}",
                        unit="",
                        values=[(mean - chance) / (1 - chance)],
                        floor=not name.startswith("ours"),
                    )
            for name in (name for name in means if name.startswith("ours")):
                if best is not None:
                    yield _difference(columns, name, best, metric, group)


def _difference(
    columns: Mapping[str, Mapping[str, Any]],
    name: str,
    peer: str,
    metric: str,
    group: str,
) -> Figure:
    """Return a paired difference: its mean between the ends of its 95 % interval."""
    gap = columns[name][metric] - columns[peer][metric]
    gap = gap[np.isfinite(gap)]
    draws = np.random.default_rng(1).integers(0, len(gap), (DRAWS, len(gap)))
    low, high = np.quantile(gap[draws].mean(axis=1), [0.025, 0.975])
    return Figure(
        part="search",
        name=f"{metric}: {name}, less {peer}",
        size=f"{group}, {len(gap):,} queries",
        unit="",
        values=[float(low), float(gap.mean()), float(high)],
    )


def _columns(
    found: Mapping[str, Mapping[str, Row]], queries: Sequence[str]
) -> dict[str, dict[str, Any]]:
    columns = {}
    for name, rows in found.items():
        mine = [rows[q] for q in queries]
        judged = np.array([row.judged for row in mine])
        random = np.array([row.random for row in mine])
        columns[name] = {
            "ndcg": np.array([row.ndcg for row in mine]),
            "judged": judged,
            "random": random,
            "recall": np.array([row.recall for row in mine]),
            "strict": np.array([row.strict for row in mine]),
        }
    return columns
