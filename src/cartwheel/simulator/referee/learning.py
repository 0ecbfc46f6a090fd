"""Does learning pay? The wheel against the same wheel that learns once and no more.

Regret is what an arm earns less than the oracle in the same world. Both arms decide
every week on fresh signals and differ only in whether their models are learned anew, so
what is told is what outcomes of earlier turns were worth.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cartwheel.simulator.referee.groups import (
    CONNECTED,
    FROZEN,
    ORACLE,
    Group,
    groups_of,
)
from cartwheel.simulator.referee.paired import Gap, Paired, gap_closed, paired
from cartwheel.simulator.referee.results import Run
from cartwheel.simulator.referee.terminal import INTERVAL, columns
from cartwheel.simulator.referee.wording import between, cents, minor_unit, percent

Array = np.ndarray[Any, Any]

ARMS = (FROZEN, CONNECTED, ORACLE)
TURN_DAYS = 7
SIXTH = 6
GOAL = 0.30
"""Share by which regret is to be lower from the sixth turn on."""

HEADS = (
    "world",
    "turns",
    "learned once",
    "learning",
    "oracle",
    "difference",
    INTERVAL,
    "regret lower by",
    INTERVAL,
    "worlds",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """What learning was worth in a part of one world's runs, over seeds.

    Attributes:
        world: Name of the world.
        size: Size it was played in.
        currency: Its currency, "" when unknown.
        turns: Which turns, in words.
        frozen_minor: Mean profit a visit of the wheel that learned once, minor units.
        connected_minor: The same of the wheel.
        oracle_minor: The same of the oracle.
        difference: Wheel less the one that learned once, a visit.
        lower: Share of the regret that learning took away.
    """

    world: str
    size: str
    currency: str
    turns: str
    frozen_minor: float
    connected_minor: float
    oracle_minor: float
    difference: Paired
    lower: Gap


def learning(runs: Sequence[Run], *, seed: int = 0) -> list[Learned]:
    """Return what learning was worth in every world, early and late.

    Args:
        runs: Runs of any worlds and arms; worlds without all three arms are left out.
        seed: Seed of the bootstrap.
    """
    return [
        row
        for group in groups_of(runs)
        if len(group.shared(*ARMS)) > 1
        for row in _rows(group, seed)
    ]


def _rows(group: Group, seed: int) -> list[Learned]:
    seeds = group.shared(*ARMS)
    first = (SIXTH - 1) * TURN_DAYS
    parts = (
        (f"1 to {SIXTH - 1}", slice(0, first)),
        (f"{SIXTH}", slice(first, first + TURN_DAYS)),
        (f"{SIXTH} and later", slice(first, None)),
    )
    found = []
    for words, days in parts:
        frozen, connected, oracle = (
            _per_visit(group, arm, seeds, days) for arm in ARMS
        )
        found.append(
            Learned(
                world=group.world,
                size=group.size,
                currency=group.currency,
                turns=words,
                frozen_minor=float(frozen.mean()),
                connected_minor=float(connected.mean()),
                oracle_minor=float(oracle.mean()),
                difference=paired(connected, frozen, seed=seed),
                lower=gap_closed(frozen, connected, oracle, seed=seed),
            )
        )
    return found


def _per_visit(group: Group, arm: str, seeds: Sequence[int], days: slice) -> Array:
    runs = [group.usable(arm)[seed] for seed in seeds]
    return np.array(
        [
            np.sum(run.days["profit_minor"][days]) / np.sum(run.days["visits"][days])
            for run in runs
        ]
    )


def text_learning(rows: Sequence[Learned]) -> str:
    """Return the table as plain text for a terminal."""
    if not rows:
        return "There are no results yet."
    cells = [
        [
            row.world,
            row.turns,
            *(
                cents(one, signed=False)
                for one in (row.frozen_minor, row.connected_minor, row.oracle_minor)
            ),
            cents(row.difference.mean),
            between(row.difference.low, row.difference.high),
            percent(row.lower.share),
            f"{percent(row.lower.low)} to {percent(row.lower.high)}",
            str(row.difference.n),
        ]
        for row in rows
    ]
    units = ", ".join(sorted({minor_unit(row.currency) for row in rows}))
    return "\n".join(
        [*columns(HEADS, cells), f"Profit a visit in {units}; aim {GOAL:.0%} lower."]
    )
