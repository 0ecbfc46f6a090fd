"""Off-policy values: coverage on made logs, Open Bandit's two policies, and time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from bench.measure import Figure, Plan
from bench.off_policy_worlds import draw_log, make_shop
from cartwheel.measure.off_policy import cross_fit, evaluate_all, make_log
from cartwheel.measure.off_policy.estimators import ESTIMATORS, Estimator, terms
from cartwheel.measure.off_policy.log import Log
from cartwheel.measure.off_policy.value import PolicyValue

LOGS = 1_000
CUSTOMERS = 1_200
DRAWS = 300
"""Fewer than by default, so that thousands of logs take minutes."""

SHOPS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("clicks", {"rate": 0.2}),
    ("spend", {"rate": 0.2, "spend": True}),
)
SHOP_SEED = 3
ITEMS = 34


def coverage(plan: Plan) -> Iterator[Figure]:
    """Share of 95 % intervals that hold a known truth, by policy and estimator."""
    logs, seed = 20 if plan.quick else LOGS, 0
    for name, kind in SHOPS:
        shop = make_shop(SHOP_SEED, **kind)
        for policy, chances in shop.targets.items():
            truth = shop.truth(chances)
            found = []
            for _ in range(logs):
                log = draw_log(shop, chances, customers=CUSTOMERS, seed=seed)
                found.append(evaluate_all(log, seed=seed, draws=DRAWS))
                seed += 1  # no log is met twice, so that policies do not err alike
            before = shop.truth(shop.logging)
            yield from _figures(f"{name}, {policy}", truth, before, found)


def _figures(
    label: str,
    truth: float,
    before: float,
    found: list[dict[Estimator, PolicyValue]],
) -> Iterator[Figure]:
    def figure(name: str, unit: str, value: float) -> Figure:
        return Figure(
            part="off-policy",
            name=name,
            size=f"{label}, {len(found):,} logs",
            unit=unit,
            values=[value],
        )

    sizes = [one["snips"] for one in found]
    yield figure(
        "effective rows", "rows", float(np.mean([s.effective_rows for s in sizes]))
    )
    yield figure(
        "largest weight", "", float(np.mean([s.largest_weight for s in sizes]))
    )
    yield figure("refused", "%", 100 * float(np.mean([bool(s.refused) for s in sizes])))
    for estimator in found[0]:
        told = [one[estimator] for one in found if not one[estimator].refused]
        if not told:
            continue
        miss = np.array([one.value or 0.0 for one in told]) - truth
        error = 100 * float(np.sqrt((miss**2).mean())) / truth
        yield figure(f"{estimator} bias", "% of truth", 100 * miss.mean() / truth)
        yield figure(f"{estimator} error", "% of truth", error)
        if estimator == "dm":
            continue
        held = [_holds(one.low, truth, one.high) for one in told]
        gain = [_holds(one.gain_low, truth - before, one.gain_high) for one in told]
        yield figure(f"{estimator} held", "%", 100 * float(np.mean(held)))
        yield figure(f"{estimator} gain held", "%", 100 * float(np.mean(gain)))


def _holds(low: float | None, truth: float, high: float | None) -> bool:
    return low is not None and high is not None and low <= truth <= high


def speed(plan: Plan) -> Iterator[Figure]:
    """Measure all estimators with their intervals, model fitted and not."""
    shop = make_shop(SHOP_SEED, rate=0.2)
    target = shop.targets["best"]
    customers = 250 if plan.quick else 25_000
    fitting, telling = [], []
    for seed in range(plan.repeats(3)):
        began = time.perf_counter()
        log = draw_log(shop, target, customers=customers, seed=seed)
        made = time.perf_counter()
        evaluate_all(log)
        fitting.append(made - began)
        telling.append(time.perf_counter() - made)
    size = f"{len(log.reward):,} rows, {log.n_clusters:,} customers"
    for name, values in (("draw and fit", fitting), ("six estimators", telling)):
        yield Figure(part="off-policy", name=name, size=size, unit="s", values=values)


def open_bandit(folder: Path) -> tuple[Log, tuple[int, int]]:
    """Return random impressions with the bts policy as target, and what bts had.

    The protocol is in docs/off-policy.md.

    Args:
        folder: The data set "open-bandit-men".

    Returns:
        The log; clicks and impressions of the bts policy's own.
    """
    import pandas as pd

    columns = ["item_id", "position", "click", "propensity_score"]
    random = pd.read_parquet(folder / "random_men.parquet", columns=columns)
    bts = pd.read_parquet(folder / "bts_men.parquet", columns=columns)
    log = _open_bandit_log(random, bts)
    return log, (int(bts["click"].sum()), len(bts))


def _open_bandit_log(random: Any, bts: Any) -> Log:
    place = bts["position"].to_numpy() - 1
    shown = np.zeros((3, ITEMS))
    np.add.at(shown, (place, bts["item_id"].to_numpy()), 1.0)
    policy = shown / shown.sum(axis=1, keepdims=True)
    position = random["position"].to_numpy() - 1
    action, reward = random["item_id"].to_numpy(), random["click"].to_numpy()
    rows = np.arange(len(random))
    return make_log(
        propensity=random["propensity_score"].to_numpy(),
        target=policy[position],
        action=action,
        reward=reward,
        cluster=rows,
        expected=cross_fit(
            action=action,
            reward=reward,
            cluster=rows,
            group=position,
            n_actions=ITEMS,
        ),
    )


def off_policy(plan: Plan) -> Iterator[Figure]:
    """Measure time, Open Bandit where it is there, and coverage."""
    yield from speed(plan)
    folder = plan.data / "open-bandit-men"
    if folder.is_dir():
        log, (clicks, shown) = open_bandit(folder)
        rates = {
            "bts as logged": clicks / shown,
            "random as logged": float(log.reward.mean()),
            **{name: terms(log, name).value for name in ESTIMATORS},
        }
        for name, rate in rates.items():
            yield Figure(
                part="off-policy",
                name=name,
                size=f"Open Bandit men, {shown:,} impressions",
                unit="% clicked",
                values=[100 * rate],
            )
    yield from coverage(plan)
