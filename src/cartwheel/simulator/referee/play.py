"""One world played by several arms from the same morning on."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from cartwheel.simulator.arms.plain import Plain
from cartwheel.simulator.arms.registry import MEASURED, check_arm, make_arm
from cartwheel.simulator.referee.results import Run
from cartwheel.simulator.world.spec import load_world, size_of
from cartwheel.simulator.world.world import World

if TYPE_CHECKING:
    from cartwheel.simulator.arms.base import Policy
    from cartwheel.simulator.arms.wheel import Wheel

Array = np.ndarray[Any, Any]


def play(
    world: str,
    size: str,
    seed: int,
    arms: Sequence[str],
    *,
    on_day: Callable[[int, int], None] = lambda day, days: None,
) -> Iterator[Run]:
    """Play the shared warm-up once, then every arm from its last evening on.

    Args:
        world: Name of the world or path of its settings file.
        size: Name of the size.
        seed: Number of the world among its like.
        arms: Names of the arms.
        on_day: Called with days played and days in all, for progress and as a sign
            of life.

    Raises:
        Misuse: If the world, the size or an arm is unknown.
    """
    for name in arms:
        check_arm(name)
    spec, extent = load_world(world), size_of(size)
    shared = World(spec, extent, seed)
    warm = Plain()
    while shared.day < extent.warmup_days:
        shared.play_day(warm)
        on_day(shared.day, extent.days)
    for name in arms:
        began = time.perf_counter()
        own = deepcopy(shared)
        policy = make_arm(name, own, seed)
        found = play_arm(name, own, policy, on_day)
        own.facts.close()
        run = as_run(own, world=world, size=size, arm=name, began=began)
        yield replace(run, figures={**run.figures, **found})


def play_arm(
    name: str,
    world: World,
    policy: Policy,
    on_day: Callable[[int, int], None] = lambda day, days: None,
) -> dict[str, float]:
    """Let an arm run a world to its last day; return what it found besides profit."""
    if name != MEASURED:
        play_out(world, policy, on_day)
        shown = getattr(policy, "shown", None)
        return {} if not shown else exposure(shown, world.size.products)
    from cartwheel.simulator.twins.by_lever import LeverTwins
    from cartwheel.simulator.twins.measured import play_measured

    wheel = cast("Wheel", policy)
    levers = LeverTwins(wheel)
    return play_measured(
        world,
        levers.journal,
        levers=levers,
        share=wheel.holdout.share_bps / 10_000,
        salt=wheel.holdout.salt,
        on_day=on_day,
    )


def exposure(shown: Mapping[str, int], products: int) -> dict[str, float]:
    """Return how evenly slots went to products.

    Args:
        shown: Slots filled, by product.
        products: Products of the world.
    """
    counts = np.sort(np.array(list(shown.values()), float))[::-1]
    tenth = max(products // 10, 1)
    return {
        "products_shown_share": len(counts) / products,
        "top_tenth_slot_share": float(counts[:tenth].sum() / counts.sum()),
    }


def play_out(
    world: World,
    policy: Policy,
    on_day: Callable[[int, int], None] = lambda day, days: None,
) -> None:
    """Let a policy run a world to its last day."""
    while not world.over:
        world.play_day(policy)
        on_day(world.day, world.size.days)


def as_run(played: World, *, world: str, size: str, arm: str, began: float) -> Run:
    """Return what a played world earned after its warm-up.

    Args:
        played: The world, played to its end.
        world: Name it was asked for by.
        size: Name of the size.
        arm: Name of the arm.
        began: `time.perf_counter` when the arm began.
    """
    start, books = played.size.warmup_days, played.books
    counts = {name: values[start:] for name, values in books.counts.items()}
    profit = books.profit()[start:]
    total = {name: float(values.sum()) for name, values in counts.items()}
    return Run(
        world=world,
        size=size,
        arm=arm,
        seed=played.seed,
        state="done",
        reason="",
        seconds=round(time.perf_counter() - began, 3),
        visits=round(total["visits"]),
        orders=round(total["orders"]),
        profit_minor=round(float(profit.sum())),
        parts={
            name: round(float(values[start:].sum()))
            for name, values in books.parts.items()
        },
        figures=_figures(total),
        days={
            "profit_minor": profit,
            "visits": counts["visits"],
            "orders": counts["orders"],
        },
        currency=played.spec.money.currency,
    )


def _figures(total: dict[str, float]) -> dict[str, float]:
    def ratio(top: str, bottom: str) -> float:
        return total[top] / total[bottom] if total[bottom] else float("nan")

    return {
        "conversion": ratio("orders", "visits"),
        "cart_rate": ratio("carts", "visits"),
        "units_per_order": ratio("units", "orders"),
        "return_rate": ratio("returned_units", "units"),
        "failed_add_share": ratio("failed_adds", "adds"),
        "on_sale_share": ratio("products_on_sale", "products_launched"),
        "late_share": ratio("late_orders", "orders"),
        "contacts_per_order": ratio("contacts", "orders"),
        "mails": total["mails"],
        "price_changes": total["price_changes"],
        "people_lost": total["left"],
    }
