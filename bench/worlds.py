"""Simulated worlds: without levers, with the wheel, and how time grows."""

from __future__ import annotations

import time
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace

from bench.measure import Figure, Plan, cartwheel, python, run
from cartwheel.simulator.arms.plain import Plain
from cartwheel.simulator.arms.registry import (
    CONNECTED,
    DAILY,
    ISOLATED,
    NO_AI,
    ORACLE,
    make_arm,
)
from cartwheel.simulator.referee.play import play_out
from cartwheel.simulator.world.spec import SIZES, Size, load_world
from cartwheel.simulator.world.world import World

WORLD = "apparel"
PAIRED = 64
CORES = 2
QUICK = Size(products=30, customers=400, warmup_days=10, days=20)
ALONE = """
import sys
from cartwheel.simulator.arms.plain import Plain
from cartwheel.simulator.referee.play import play_out
from cartwheel.simulator.world.spec import Size, load_world
from cartwheel.simulator.world.world import World
products, customers, warmup, days = map(int, sys.argv[2:])
size = Size(products=products, customers=customers, warmup_days=warmup, days=days)
play_out(World(load_world(sys.argv[1]), size, 1), Plain())
"""


def worlds(plan: Plan) -> Iterator[Figure]:
    """Measure worlds without levers and every arm of a small one."""
    standard = QUICK if plan.quick else SIZES["standard"]
    yield from _alone(plan, standard, chief=not plan.quick)
    for changed in ("products", "customers", "days"):
        half = max(getattr(standard, changed) // 2, standard.warmup_days)
        yield from _alone(plan, replace(standard, **{changed: half}), chief=False)
    yield from _arms(plan)


def _alone(plan: Plan, size: Size, *, chief: bool) -> Iterator[Figure]:
    numbers = (size.products, size.customers, size.warmup_days, size.days)
    label = f"{size.products:,} products, {size.customers:,} people, {size.days} days"
    found = [
        run(python("-c", ALONE, WORLD, *map(str, numbers)))
        for _ in range(plan.repeats(3 if chief else 1))
    ]
    yield Figure(
        part="worlds",
        name="without levers",
        size=label,
        unit="s",
        values=[one.seconds for one in found],
        most=20.0 if chief else None,
    )
    yield Figure(
        part="worlds",
        name="without levers, peak",
        size=label,
        unit="MB",
        values=[one.peak_mb for one in found],
        most=1_000.0 if chief else None,
    )


def _arms(plan: Plan) -> Iterator[Figure]:
    """Measure every arm of one world, as they are played one after the other."""
    size = QUICK if plan.quick else SIZES["small"]
    shared = World(load_world(WORLD), size, 1)
    warm = Plain()
    while shared.day < size.warmup_days:
        shared.play_day(warm)
    total = 0.0
    for name in (NO_AI, ISOLATED, CONNECTED, ORACLE):
        own = deepcopy(shared)
        began = time.perf_counter()
        play_out(own, make_arm(name, own, 1))
        own.facts.close()
        seconds = time.perf_counter() - began
        total += seconds
        yield Figure(
            part="worlds",
            name=f"arm {name}, after the warm-up",
            size="small" if not plan.quick else "quick",
            unit="s",
            values=[seconds],
        )
    yield Figure(
        part="worlds",
        name=f"{PAIRED} paired worlds on {CORES} cores, from one of them",
        size="small, four arms" if not plan.quick else "quick, four arms",
        unit="min",
        values=[total * PAIRED / CORES / 60],
        most=None if plan.quick else 60.0,
    )


def connected(plan: Plan) -> Iterator[Figure]:
    """Measure the connected arms of a whole standard world, warm-up included.

    One decides and learns weekly, the other decides daily and learns weekly.
    """
    size = "small" if plan.quick else "standard"
    for arm in (CONNECTED, DAILY):
        folder = plan.work / arm.replace(" ", "-")
        command = ["simulate", "run", "--world", WORLD, "--size", size, "--worlds", "1"]
        command += ["--arm", arm, "--workers", "1", "--out", str(folder)]
        found = run(cartwheel(*command))
        yield Figure(
            part="connected",
            name=f"arm {arm} of a world",
            size=size,
            unit="s",
            values=[found.seconds],
            most=None if plan.quick else 360.0,
        )
        yield Figure(
            part="connected",
            name=f"arm {arm} of a world, peak",
            size=size,
            unit="MB",
            values=[found.peak_mb],
        )
