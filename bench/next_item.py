"""The next product of a visit, on two public sets, beside peers of the same run.

All products are ranked, those of the visit included. Peers' settings and the product's
own choices come from the last part of the training visits; the test is read once.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from bench import shopping
from bench.measure import Figure, Plan
from bench.next_item_peers import (
    ALS,
    COSINE,
    COVISITS,
    EASE,
    KNN,
    POPULAR,
    PREFIX,
    STAN,
    Peer,
    Scorer,
    blended,
    installed,
    lists_of,
    popularity,
    tuned,
)
from bench.ranking import Lists, figures
from cartwheel.levers.recommend.next_items import NextItems, learn_visits
from cartwheel.levers.recommend.ranker import Cases, every_step
from cartwheel.levers.recommend.sequences import Prefixes, Sequences

Array = np.ndarray[Any, Any]

PART = "next-item"
OURS = "cartwheel"
BLEND = "blend (STAN, co-visitation, implicit cosine)"
LAST_PART = 0.04
TRIAL_CASES = 3000
LARGEST_EASE = 5000
METRICS = ("HR@20", "MRR@20", "NDCG@10")
TARGETS: Mapping[str, Mapping[str, float]] = {
    "retailrocket": {"HR@20": 0.60, "MRR@20": 0.31},
    "yoochoose": {"HR@20": 0.71, "MRR@20": 0.385},
}
SETS: Mapping[str, Callable[[Plan], tuple[Sequences, Cases]]] = {
    "retailrocket": shopping.retailrocket,
    "yoochoose": shopping.yoochoose,
}


def next_item(plan: Plan) -> Iterator[Figure]:
    """Measure both sets."""
    for name, read in SETS.items():
        data, cases = read(plan)
        yield from _one(plan, name, data, cases)


def _one(plan: Plan, name: str, data: Sequences, cases: Cases) -> Iterator[Figure]:
    cut = round(len(data) * (1 - LAST_PART))
    earlier = data.take(np.arange(cut))
    trial = every_step(data.take(np.arange(cut, len(data))))
    order = np.random.default_rng(1).permutation(len(trial))[:TRIAL_CASES]
    trial = trial.take(np.sort(order))
    popular = popularity(data)
    found: dict[str, Lists] = {}
    model = learn_visits(data, seed=1)
    say(f"{name}: inner test {model.test}")
    found[OURS] = lists_of(_ours(model), cases, popular)
    scorers: dict[str, Scorer] = {}
    for peer in _peers(data):
        settings, scorer = tuned(peer, data, earlier, trial, metric="MRR@20")
        say(f"{name}: {peer.name} with {settings}")
        scorers[peer.name] = scorer
        found[peer.name] = lists_of(scorer, cases, popular)
    three = [STAN.name, COVISITS.name, COSINE.name]
    if all(one in scorers for one in three):
        mixed = blended([scorers[one] for one in three], data.n_items)
        found[BLEND] = lists_of(mixed, cases, popular)
    yield from figures(
        PART,
        f"{name}, {len(cases):,} cases, seen items allowed",
        cases,
        found,
        ours=OURS,
        metrics=METRICS,
        targets={} if plan.quick else TARGETS[name],
        groups=_by_index(cases),
    )


def _ours(model: NextItems) -> Scorer:
    def scorer(asked: Prefixes) -> tuple[Array, Array, Array]:
        return model.ranker.rank(model.sources, asked)

    return scorer


def _by_index(cases: Cases) -> Mapping[str, Array]:
    """Return the cases by how many clicks the visit had so far."""
    size = cases.until - cases.data.start[cases.which]
    return {
        "event 1": size == 1,
        "event 2": size == 2,
        "event 3+": size >= 3,
    }


def _peers(data: Sequences) -> Iterator[Peer]:
    wanted = [POPULAR, PREFIX, STAN, COVISITS, COSINE, KNN, ALS]
    if data.n_items <= LARGEST_EASE:
        wanted.append(EASE)
    yield from available(wanted)


def available(wanted: Iterable[Peer]) -> Iterator[Peer]:
    """Yield the peers whose packages are installed, and name the others."""
    for peer in wanted:
        if lacks := list(installed(*peer.needs)):
            say(f"skipped: not installed: {peer.name} needs {', '.join(lacks)}")
        else:
            yield peer


def say(text: str) -> None:
    """Print how far it got."""
    print(text, file=sys.stderr, flush=True)
