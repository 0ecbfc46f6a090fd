"""What a customer takes next given a whole history, on three public sets.

Beauty and Video Games leave the last item of each history out: all products are ranked,
those bought are removed. With refit everything before the last item is learned from;
without, everything before the last two, as papers do. Online Retail is cut in time, 30
days before its end: known customers, valid product lines; `any` filters nothing, `new`
counts and lists only products the customer never bought.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from bench import shopping
from bench.measure import Figure, Plan
from bench.next_item import OURS, available, say
from bench.next_item_peers import (
    ALS,
    COSINE,
    EASE,
    IN_ORDER,
    KNN,
    OWN,
    POPULAR,
    Scorer,
    blended,
    lists_of,
    popularity,
    tuned,
)
from bench.ranking import Lists, figures
from cartwheel.levers.recommend.next_items import (
    NextItems,
    learn_last,
    learn_windows,
    window_cases,
)
from cartwheel.levers.recommend.ranker import Cases, steps_after
from cartwheel.levers.recommend.sequences import Prefixes, Sequences

Array = np.ndarray[Any, Any]

PART = "full-history"
METRICS = ("NDCG@10", "HR@10", "MRR@20", "HR@20")
TRIAL_CASES = 5000
WINDOWS = 3
DAYS = shopping.ONLINE_RETAIL_DAYS
SETS: Mapping[str, Callable[[Plan], Sequences]] = {
    "beauty": shopping.beauty,
    "video games": shopping.video_games,
}
TARGETS = {
    "beauty, with refit": 0.066,
    "beauty, without refit": 0.057,
    "video games, with refit": 0.074,
    "online retail, any": 0.37,
    "online retail, new": 0.120,
}


def full_history(plan: Plan) -> Iterator[Figure]:
    """Measure all three sets."""
    for name, read in SETS.items():
        data = read(plan)
        for back, how in ((1, "with refit"), (2, "without refit")):
            yield from _left_out(plan, f"{name}, {how}", data, back)
    orders = shopping.online_retail_orders(plan)
    for repeats, what in ((True, "any"), (False, "new")):
        yield from _in_time(plan, f"online retail, {what}", orders, repeats)


def last_of(data: Sequences) -> Cases:
    """Return a case a history: its last entry, given those before."""
    return steps_after(data, data.start[1:] - 1, np.full(len(data), data.end))


def _left_out(plan: Plan, name: str, data: Sequences, back: int) -> Iterator[Figure]:
    cases = shopping.few(plan, last_of(data))
    known, earlier = shopping.upto(data, back), shopping.upto(data, 2)
    trial = last_of(shopping.upto(data, 1))
    order = np.random.default_rng(1).permutation(len(trial))[:TRIAL_CASES]
    model = learn_last(known, seed=1)
    say(f"{name}: inner test {model.test}")
    popular = popularity(known)
    found = {OURS: lists_of(_ours(model), cases, popular, seen=False)}
    for peer in available((IN_ORDER, COSINE, KNN, ALS)):
        settings, scorer = tuned(
            peer,
            known,
            earlier,
            trial.take(np.sort(order)),
            metric="NDCG@10",
            seen=False,
        )
        say(f"{name}: {peer.name} with {settings}")
        found[peer.name] = lists_of(scorer, cases, popular, seen=False)
    yield from _rows(plan, name, cases, found, "seen items removed")


def _in_time(plan: Plan, name: str, data: Sequences, repeats: bool) -> Iterator[Figure]:
    cut = data.end - DAYS
    known = data.where(data.at < cut)
    cases = window_cases(data, cut, DAYS + 1, repeats=repeats)
    earlier = known.where(known.at < cut - DAYS)
    trial = window_cases(known, cut - DAYS, DAYS, repeats=repeats)
    model = learn_windows(known, days=DAYS, windows=WINDOWS, repeats=repeats, seed=1)
    say(f"{name}: inner test {model.test}")
    popular = popularity(known)
    found = {OURS: lists_of(_ours(model), cases, popular, seen=repeats)}
    scorers: dict[str, Scorer] = {}
    for peer in (
        POPULAR,
        *((OWN,) if repeats else ()),
        *available((COSINE, KNN, ALS, EASE)),
    ):
        settings, scorer = tuned(
            peer, known, earlier, trial, metric="NDCG@10", seen=repeats
        )
        say(f"{name}: {peer.name} with {settings}")
        scorers[peer.name] = scorer
        found[peer.name] = lists_of(scorer, cases, popular, seen=repeats)
    mixed = [
        scorers[one] for one in (OWN.name, EASE.name, POPULAR.name) if one in scorers
    ]
    label = "blend (own purchases, EASE, popularity)"
    found[label] = lists_of(blended(mixed, data.n_items), cases, popular, seen=repeats)
    said = "nothing filtered" if repeats else "seen items removed"
    yield from _rows(plan, name, cases, found, said)


def _rows(
    plan: Plan, name: str, cases: Cases, found: Mapping[str, Lists], said: str
) -> Iterator[Figure]:
    targets = {"NDCG@10": TARGETS[name]} if name in TARGETS and not plan.quick else {}
    yield from figures(
        PART,
        f"{name}, {len(cases):,} cases, {said}",
        cases,
        found,
        ours=OURS,
        metrics=METRICS,
        targets=targets,
        groups={},
    )


def _ours(model: NextItems) -> Scorer:
    def scorer(asked: Prefixes) -> tuple[Array, Array, Array]:
        return model.ranker.rank(model.sources, asked)

    return scorer
