"""Runs of one world side by side: which arm has a result for which seed.

Arms are told apart by name: `connected`, `isolated`, `no-ai`, `oracle`; those of the
link table are `connected minus LINK`, `isolated plus LINK` and `coalition A+B`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np

from cartwheel.simulator.referee.results import Run
from cartwheel.simulator.world import spec
from cartwheel.simulator.world.variants import split_name

Array = np.ndarray[Any, Any]

NO_AI, ISOLATED, CONNECTED = "no-ai", "isolated", "connected"
ORACLE, CLAIRVOYANT = "oracle", "clairvoyant"
MEASURED = "connected measured"
"""Tells of the product's measurement, see `recovered`, and competes with nobody."""

FROZEN = "connected frozen"
"""Learns once and no more; what learning is worth is told against it."""

ORDER = (NO_AI, ISOLATED, CONNECTED, ORACLE, CLAIRVOYANT)
MINUS, PLUS, COALITION = "connected minus ", "isolated plus ", "coalition "


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Runs of one world and size, by arm and seed."""

    world: str
    size: str
    runs: Sequence[Run]
    by_arm: Mapping[str, Mapping[int, Run]]

    @property
    def currency(self) -> str:
        """The currency its runs were played in, "" when unknown."""
        kept = next((run.currency for run in self.runs if run.currency), "")
        return kept or shipped_currency(self.world)

    def usable(self, arm: str) -> Mapping[int, Run]:
        """Return runs of an arm that reached the end and had visits, by seed."""
        return self.by_arm.get(arm, {})

    def shared(self, *arms: str) -> list[int]:
        """Return the seeds in which every one of these arms is usable."""
        return sorted(set.intersection(*(set(self.usable(arm)) for arm in arms)))

    def seeds(self, arms: Iterable[str]) -> int:
        """Return in how many worlds any of these arms was played, failed or not."""
        wanted = set(arms)
        return len({run.seed for run in self.runs if run.arm in wanted})

    def totals(self, arm: str, seeds: Sequence[int]) -> tuple[Array, Array]:
        """Return profit in minor units and visits, shape (seeds,) each."""
        runs = [self.usable(arm)[seed] for seed in seeds]
        return (
            np.array([run.profit_minor for run in runs], float),
            np.array([run.visits for run in runs], float),
        )

    def per_visit(self, arm: str, seeds: Sequence[int]) -> Array:
        """Return profit per visit in minor units, shape (seeds,)."""
        profit, visits = self.totals(arm, seeds)
        result: Array = profit / visits
        return result


def shipped_currency(world: str) -> str:
    """Return the currency of a shipped world or its variant, "" of any other.

    Failed runs, and results from before it was kept with them, name no currency.
    """
    name, _ = split_name(world)
    return spec.load_world(name).money.currency if name in spec.WORLDS else ""


def groups_of(runs: Sequence[Run]) -> list[Group]:
    """Return runs by world and size, sorted."""
    found = []
    ordered = sorted(runs, key=lambda run: run.key)
    for (world, size), own in groupby(ordered, lambda run: (run.world, run.size)):
        members = list(own)
        by_arm: dict[str, dict[int, Run]] = {}
        for run in members:
            if run.state == "done" and run.visits > 0:
                by_arm.setdefault(run.arm, {})[run.seed] = run
        found.append(Group(world=world, size=size, runs=members, by_arm=by_arm))
    return found


def is_link_arm(arm: str) -> bool:
    """Return whether an arm belongs to the link table and not to the headline."""
    return arm.startswith((MINUS, PLUS, COALITION))


def headline_arms(group: Group) -> list[str]:
    """Return the arms of the headline: the known ones first, then anyone's by name."""
    names = {run.arm for run in group.runs if not is_link_arm(run.arm)} - {
        MEASURED,
        FROZEN,
    }
    known = [arm for arm in ORDER if arm in names]
    return known + sorted(names - set(ORDER))
