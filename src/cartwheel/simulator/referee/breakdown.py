"""Where a difference comes from: day by day, by part of the ledger, by figure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from scipy import stats

from cartwheel.simulator.referee.groups import (
    CONNECTED,
    ISOLATED,
    NO_AI,
    Group,
    groups_of,
    headline_arms,
)
from cartwheel.simulator.referee.paired import LEVEL, Paired, paired
from cartwheel.simulator.referee.results import Run

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Trajectory:
    """Cumulative profit of an arm less a base's by day, minor units a world.

    Attributes:
        world: Name of the world.
        size: Size it was played in.
        currency: Its currency, "" when unknown.
        arm: The arm.
        base: What it is compared with.
        mean: Mean over paired worlds, shape (days,).
        low: Lower end of each day's t interval, nan with one world.
        high: Upper end.
        n: Worlds.
    """

    world: str
    size: str
    currency: str
    arm: str
    base: str
    mean: Array
    low: Array
    high: Array
    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Composition:
    """Means by arm of the ledger's parts or of service figures.

    Attributes:
        world: Name of the world.
        size: Size it was played in.
        currency: Its currency, "" when unknown.
        kind: "parts" in minor units per visit, or "figures" as they are.
        arms: Arms shown.
        names: Parts or figures.
        means: Mean over worlds by (name, arm); a missing value has no entry.
        differences: Connected against isolated by name.
        adds_up: Whether parts add up to the profit in every run shown.
        n: Worlds in which every arm shown is done.
    """

    world: str
    size: str
    currency: str
    kind: Literal["parts", "figures"]
    arms: tuple[str, ...]
    names: tuple[str, ...]
    means: Mapping[tuple[str, str], float]
    differences: Mapping[str, Paired]
    adds_up: bool
    n: int


def trajectories(
    runs: Sequence[Run], *, base: str = NO_AI, level: float = LEVEL
) -> list[Trajectory]:
    """Return how each arm's profit draws away from a base's, day by day.

    Args:
        runs: Runs of any worlds and arms; those without `profit_minor` by day, or with
            another number of days than the first, are left out.
        base: Arm that the others are compared with.
        level: Confidence level of each day by itself.
    """
    found = []
    for group in groups_of(runs):
        for arm in headline_arms(group):
            if arm == base:
                continue
            one = _trajectory(group, arm, base, level)
            if one is not None:
                found.append(one)
    return found


def _trajectory(group: Group, arm: str, base: str, level: float) -> Trajectory | None:
    series: list[Array] = []
    for seed in group.shared(arm, base):
        own, other = (
            np.asarray(group.usable(a)[seed].days.get("profit_minor", ()), float)
            for a in (arm, base)
        )
        length = len(series[0]) if series else len(own)
        if length and len(own) == len(other) == length:
            series.append(np.cumsum(own - other))
    if not series:
        return None
    table = np.stack(series)
    n, mean = len(table), table.mean(axis=0)
    half = np.full_like(mean, np.nan)
    if n > 1:
        spread = table.std(axis=0, ddof=1) / np.sqrt(n)
        half = float(stats.t.ppf((1 + level) / 2, n - 1)) * spread
    return Trajectory(
        world=group.world,
        size=group.size,
        currency=group.currency,
        arm=arm,
        base=base,
        mean=mean,
        low=mean - half,
        high=mean + half,
        n=n,
    )


def compositions(
    runs: Sequence[Run],
    kind: Literal["parts", "figures"],
    *,
    level: float = LEVEL,
    seed: int = 0,
) -> list[Composition]:
    """Return what each arm's result is made of, world by world.

    Args:
        runs: Runs of any worlds and arms.
        kind: "parts" for the ledger per visit, "figures" for service figures.
        level: Confidence level of the differences.
        seed: Seed of the bootstrap.
    """
    found = []
    for group in groups_of(runs):
        arms = [arm for arm in headline_arms(group) if group.usable(arm)]
        seeds = group.shared(*arms) if arms else []
        if seeds:
            found.append(_composition(group, kind, arms, seeds, level, seed))
    return [one for one in found if one.names]


def _composition(
    group: Group,
    kind: Literal["parts", "figures"],
    arms: Sequence[str],
    seeds: Sequence[int],
    level: float,
    seed: int,
) -> Composition:
    shown = {arm: [group.usable(arm)[s] for s in seeds] for arm in arms}
    every = [run for own in shown.values() for run in own]
    take = _part if kind == "parts" else _figure
    names = list(dict.fromkeys(n for run in every for n in getattr(run, kind)))
    means, differences = {}, {}
    for name in names:
        for arm in arms:
            values = _values(shown[arm], take, name)
            if np.isfinite(values).any():
                means[name, arm] = float(np.nanmean(values))
        if ISOLATED in arms and CONNECTED in arms:
            a, b = (_values(shown[x], take, name) for x in (CONNECTED, ISOLATED))
            both = np.isfinite(a) & np.isfinite(b)
            differences[name] = paired(a[both], b[both], level=level, seed=seed)
    return Composition(
        world=group.world,
        size=group.size,
        currency=group.currency,
        kind=kind,
        arms=tuple(arms),
        names=tuple(names),
        means=means,
        differences=differences,
        adds_up=all(sum(run.parts.values()) == run.profit_minor for run in every),
        n=len(seeds),
    )


def _values(runs: Sequence[Run], take: Callable[[Run, str], float], name: str) -> Array:
    return np.array([take(run, name) for run in runs], float)


def _part(run: Run, name: str) -> float:
    # A part nobody booked is nothing spent and nothing earned.
    return run.parts.get(name, 0) / run.visits


def _figure(run: Run, name: str) -> float:
    return run.figures.get(name, float("nan"))
