"""Does connection still pay when a parameter of the world is not what was assumed?

Each world is played as it is and with one influential parameter at a time halved, then
raised by half; connected and isolated levers meet the same people in each.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from cartwheel.simulator.referee.groups import CONNECTED, ISOLATED, Group, groups_of
from cartwheel.simulator.referee.paired import LEVEL, Paired, paired
from cartwheel.simulator.referee.results import Run
from cartwheel.simulator.referee.terminal import INTERVAL, columns
from cartwheel.simulator.referee.wording import between, cents, minor_unit, plain
from cartwheel.simulator.world.variants import PARAMETERS, parameter_of, split_name

ARMS = (ISOLATED, CONNECTED)
AS_IT_IS = "as it is"
HEADS = (
    "parameter",
    "factor",
    "isolated",
    "connected",
    "difference",
    INTERVAL,
    "worlds",
    "",
)
SAYINGS = {
    "above": "",
    "below": "does not pay",
    "includes zero": "not shown to pay",
    "unknown": "not known",
}
"""What is marked, by where the interval of the difference lies."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Robust:
    """Connected against isolated in one variant of a world.

    Attributes:
        world: The world it is a variant of.
        size: Size it was played in.
        currency: Its currency, "" when unknown.
        parameter: What was changed, "as it is" for nothing.
        factor: By how much it was multiplied.
        isolated_minor: Mean profit per visit of the isolated levers, minor units.
        connected_minor: The same of the connected ones.
        difference: Paired difference per visit in minor units.
        says: "" where connection pays, else what is to be said.
        left_out: Worlds in which one of the two has no result.
    """

    world: str
    size: str
    currency: str
    parameter: str
    factor: float
    isolated_minor: float
    connected_minor: float
    difference: Paired
    says: str
    left_out: int


def robustness(
    runs: Sequence[Run], *, level: float = LEVEL, seed: int = 0
) -> list[Robust]:
    """Return how connected does against isolated, by world and parameter.

    Args:
        runs: Runs of worlds and of their variants; other arms are left out.
        level: Confidence level.
        seed: Seed of the bootstrap.

    Raises:
        Misuse: If a run's world is an unknown variant.
    """
    places = {one.title: i for i, one in enumerate(PARAMETERS)}
    rows = [
        _row(group, level, seed)
        for group in groups_of([run for run in runs if run.arm in ARMS])
    ]
    return sorted(
        rows,
        key=lambda r: (r.world, r.size, places.get(r.parameter, -1), r.factor),
    )


def _row(group: Group, level: float, seed: int) -> Robust:
    world, variant = split_name(group.world)
    title, factor = AS_IT_IS, 1.0
    if variant:
        parameter, factor = parameter_of(variant)
        title = parameter.title
    seeds = group.shared(*ARMS)
    isolated, connected = (group.per_visit(arm, seeds) for arm in ARMS)
    found = paired(connected, isolated, level=level, seed=seed)
    return Robust(
        world=world,
        size=group.size,
        currency=group.currency,
        parameter=title,
        factor=factor,
        isolated_minor=float(isolated.mean()) if seeds else math.nan,
        connected_minor=float(connected.mean()) if seeds else math.nan,
        difference=found,
        says=SAYINGS[found.verdict],
        left_out=group.seeds(ARMS) - len(seeds),
    )


def text_robustness(rows: Sequence[Robust]) -> str:
    """Return the table as plain text for a terminal."""
    blocks = []
    for place in dict.fromkeys((row.world, row.size) for row in rows):
        own = [row for row in rows if (row.world, row.size) == place]
        cells = [
            (
                row.parameter,
                f"x {row.factor:g}",
                cents(row.isolated_minor, signed=False),
                cents(row.connected_minor, signed=False),
                cents(row.difference.mean),
                between(row.difference.low, row.difference.high),
                str(row.difference.n),
                row.says,
            )
            for row in own
        ]
        pays = sum(row.says == "" for row in own)
        blocks.append(
            "\n".join(
                [
                    f"{plain(place[0])} ({plain(place[1])}), "
                    f"{minor_unit(own[0].currency)} a visit: connection "
                    f"pays in {pays} of {len(own)}",
                    *columns(HEADS, cells),
                ]
            )
        )
    return "\n\n".join(blocks) or "There are no results yet."
