"""What the economics of slots are worth, and what exploration costs, in worlds.

The connected arm against itself with slots ranked by relevance alone, and without
drawing a slot at random, in the same worlds. Each figure is the mean over worlds, its
spread the 95 % interval of the paired difference where it is one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from bench.measure import Figure, Plan, cartwheel, run
from cartwheel.simulator.arms.registry import CONNECTED, VARIED
from cartwheel.simulator.referee.paired import paired
from cartwheel.simulator.referee.results import Run, read_runs

WORLD = "apparel"
WORLDS, FIRST_SEED = 6, 701
FIGURES: dict[str, tuple[str, Callable[[Run], float]]] = {
    "profit per visit": ("minor", lambda run: run.profit_minor / max(run.visits, 1)),
    "tried to add what is sold out": (
        "%",
        lambda run: 100 * run.figures["failed_add_share"],
    ),
    "slots that went to the top tenth": (
        "%",
        lambda run: 100 * run.figures["top_tenth_slot_share"],
    ),
    "products that had a slot": (
        "%",
        lambda run: 100 * run.figures["products_shown_share"],
    ),
}


def economics(plan: Plan) -> Iterator[Figure]:
    """Play the arms and compare them world by world."""
    worlds = 2 if plan.quick else WORLDS
    folder = plan.work / "economics"
    command = ["simulate", "run", "--world", WORLD, "--size", "small"]
    command += ["--worlds", str(worlds), "--seed", str(FIRST_SEED)]
    for arm in (CONNECTED, *VARIED):
        command += ["--arm", arm]
    run(cartwheel(*command, "--out", str(folder)))
    by_arm: dict[str, dict[int, Run]] = {}
    for played in read_runs(folder):
        if played.state == "done":
            by_arm.setdefault(played.arm, {})[played.seed] = played
    seeds = sorted(set.intersection(*(set(runs) for runs in by_arm.values())))
    size = f"{WORLD}, small, {len(seeds)} worlds"
    for name, (unit, value) in FIGURES.items():
        ours = np.array([value(by_arm[CONNECTED][seed]) for seed in seeds])
        yield Figure(
            part="economics",
            name=f"{name}, {CONNECTED}",
            size=size,
            unit=unit,
            values=[float(ours.mean())],
        )
        for arm in VARIED:
            other = np.array([value(by_arm[arm][seed]) for seed in seeds])
            found = paired(ours, other, seed=1)
            yield Figure(
                part="economics",
                name=f"  more than {arm}",
                size=size,
                unit=unit,
                # The median of the three is the mean; the spread its interval.
                values=[found.low, found.mean, found.high],
            )
