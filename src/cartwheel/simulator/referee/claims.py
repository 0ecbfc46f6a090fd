"""What runs allow to be claimed: who earns more per visit, and how sure that is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cartwheel.simulator.referee.breakdown import (
    Composition,
    Trajectory,
    compositions,
    trajectories,
)
from cartwheel.simulator.referee.groups import (
    CLAIRVOYANT,
    CONNECTED,
    ISOLATED,
    NO_AI,
    ORACLE,
    ORDER,
    Group,
    groups_of,
    headline_arms,
)
from cartwheel.simulator.referee.link_table import (
    LinkRow,
    arm_of,
    link_orders,
    link_table,
)
from cartwheel.simulator.referee.paired import (
    LEVEL,
    Coverage,
    Gap,
    Paired,
    coalitions_of,
    coverage,
    gap_closed,
    orders_of,
    paired,
    ratio_paired,
    shapley,
)
from cartwheel.simulator.referee.results import Run

__all__ = [
    "Composition",
    "Coverage",
    "Gap",
    "Headline",
    "LinkRow",
    "Paired",
    "Trajectory",
    "arm_of",
    "coalitions_of",
    "compositions",
    "coverage",
    "gap_closed",
    "headline",
    "link_orders",
    "link_table",
    "orders_of",
    "paired",
    "ratio_paired",
    "shapley",
    "trajectories",
]

Array = np.ndarray[Any, Any]

PAIRS = (
    (CONNECTED, ISOLATED),
    (ISOLATED, NO_AI),
    (CONNECTED, NO_AI),
    (ORACLE, NO_AI),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmLine:
    """Profit per visit of one arm in minor units; `spread` is over worlds."""

    arm: str
    spread: Paired
    done: int
    failed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PairLine:
    """One arm against another in the same worlds.

    Attributes:
        arm: The arm.
        base: What it is compared with.
        per_visit: Difference of profit per visit in minor units.
        profit: Difference of profit in minor units a world.
        relative: Difference of profit per visit over the base's mean.
        left_out: Worlds of the group in which one of the two has no result.
    """

    arm: str
    base: str
    per_visit: Paired
    profit: Paired
    relative: float
    left_out: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GapLine:
    """Share of the gap from `base` to `mark` that an arm closes, profit per visit."""

    arm: str
    base: str
    mark: str
    gap: Gap
    left_out: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Headline:
    """A world's arms, how they differ and how much of the gap they close.

    Attributes:
        world: Name of the world.
        size: Size it was played in.
        currency: Its currency, "" when unknown.
        worlds: Seeds played with any of these arms.
        failed: Of these, seeds in which at least one of these arms failed.
        arms: One line an arm, the arms of the link table left out.
        pairs: Paired differences.
        gaps: Shares of the gap from no-AI to the oracle (and the clairvoyant bound).
    """

    world: str
    size: str
    currency: str
    worlds: int
    failed: int
    arms: tuple[ArmLine, ...]
    pairs: tuple[PairLine, ...]
    gaps: tuple[GapLine, ...]


def headline(
    runs: Sequence[Run], *, level: float = LEVEL, seed: int = 0
) -> list[Headline]:
    """Return the headline of each world and size.

    A world enters a comparison when each arm compared reached the end in it and had
    visits; the others are counted as left out.

    Args:
        runs: Runs of any worlds and arms.
        level: Confidence level.
        seed: Seed of the bootstrap.
    """
    return [
        _headline(group, level, seed)
        for group in groups_of(runs)
        if headline_arms(group)
    ]


def _headline(group: Group, level: float, seed: int) -> Headline:
    arms = headline_arms(group)
    others = [arm for arm in arms if arm not in ORDER]
    pairs = [*PAIRS, *((arm, NO_AI) for arm in others)]
    marks = [mark for mark in (ORACLE, CLAIRVOYANT) if mark in arms]
    climbers = [arm for arm in arms if arm not in (NO_AI, ORACLE, CLAIRVOYANT)]
    failed = {r.seed for r in group.runs if r.arm in arms and r.state == "failed"}
    return Headline(
        world=group.world,
        size=group.size,
        currency=group.currency,
        worlds=group.seeds(arms),
        failed=len(failed),
        arms=tuple(_arm_line(group, arm, level, seed) for arm in arms),
        pairs=tuple(
            _pair_line(group, arm, base, level, seed)
            for arm, base in pairs
            if arm in arms and base in arms
        ),
        gaps=tuple(
            _gap_line(group, arm, mark, level, seed)
            for mark in marks
            for arm in climbers
            if NO_AI in arms
        ),
    )


def _arm_line(group: Group, arm: str, level: float, seed: int) -> ArmLine:
    seeds = group.shared(arm)
    values = group.per_visit(arm, seeds)
    return ArmLine(
        arm=arm,
        spread=paired(values, np.zeros(len(values)), level=level, seed=seed),
        done=len(seeds),
        failed=sum(run.arm == arm and run.state == "failed" for run in group.runs),
    )


def _pair_line(group: Group, arm: str, base: str, level: float, seed: int) -> PairLine:
    seeds = group.shared(arm, base)
    profit_a, visits_a = group.totals(arm, seeds)
    profit_b, visits_b = group.totals(base, seeds)
    per_visit = ratio_paired(
        profit_a, visits_a, profit_b, visits_b, level=level, seed=seed
    )
    usual = float((profit_b / visits_b).mean()) if seeds else 0.0
    return PairLine(
        arm=arm,
        base=base,
        per_visit=per_visit,
        profit=paired(profit_a, profit_b, level=level, seed=seed),
        # Against a loss a share says nothing.
        relative=per_visit.mean / usual if usual > 0 else float("nan"),
        left_out=group.seeds((arm, base)) - len(seeds),
    )


def _gap_line(group: Group, arm: str, mark: str, level: float, seed: int) -> GapLine:
    seeds = group.shared(NO_AI, arm, mark)
    base, value, top = (group.per_visit(a, seeds) for a in (NO_AI, arm, mark))
    return GapLine(
        arm=arm,
        base=NO_AI,
        mark=mark,
        gap=gap_closed(base, value, top, level=level, seed=seed),
        left_out=group.seeds((NO_AI, arm, mark)) - len(seeds),
    )
