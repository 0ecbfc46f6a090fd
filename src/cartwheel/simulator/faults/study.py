"""How often the broken spoke is named first, and how often a healthy world alarms."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from cartwheel.measure.kpi.intervals import wilson
from cartwheel.simulator.faults.play import Told, pair_of, play_pair


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """What was found over some worlds, each played healthy and with a fault.

    Attributes:
        worlds: Worlds with a fault.
        first: Of these, the broken spoke was named first.
        first_low: Lower end of Wilson's 95 % interval of that share.
        first_high: Upper end.
        named: The broken spoke was named at all.
        alarms: Healthy worlds in which a spoke was called broken.
        alarms_low: Lower end of the interval of that share.
        alarms_high: Upper end.
        drifts: Healthy worlds in which an input was said to drift.
        sick: What health said of each world with its fault.
        healthy: What it said of the same worlds without one.
    """

    worlds: int
    first: int
    first_low: float
    first_high: float
    named: int
    alarms: int
    alarms_low: float
    alarms_high: float
    drifts: int
    sick: tuple[Told, ...]
    healthy: tuple[Told, ...]


def study(
    seeds: Iterable[int], *, say: Callable[[str], None] = lambda _: None
) -> Study:
    """Play the world and the fault of each seed, and the world without it.

    Args:
        seeds: Numbers of the worlds; a seed decides on world and fault.
        say: Told how far it is, one line a world.
    """
    healthy, sick = [], []
    for seed in seeds:
        world, fault = pair_of(seed)
        pair = play_pair(world, seed, fault)
        healthy.append(pair[0])
        sick.append(pair[1])
        said = "first" if pair[1].first else f"not first: {pair[1].named or 'nothing'}"
        alarm = f"; healthy, it alarmed: {pair[0].named}" if pair[0].named else ""
        say(f"{world} {seed}, {fault.kind}: {said}{alarm}")
    first = sum(one.first for one in sick)
    alarms = sum(bool(one.named) for one in healthy)
    ends = wilson(first, len(sick))
    alarm_ends = wilson(alarms, len(healthy))
    return Study(
        worlds=len(sick),
        first=first,
        first_low=ends[0],
        first_high=ends[1],
        named=sum(one.spoke in one.named for one in sick),
        alarms=alarms,
        alarms_low=alarm_ends[0],
        alarms_high=alarm_ends[1],
        drifts=sum(bool(one.drifted) for one in healthy),
        sick=tuple(sick),
        healthy=tuple(healthy),
    )


def text_study(found: Study) -> list[str]:
    """Return a study as lines for a terminal."""
    rows = [("world", "seed", "fault", "began", "named, worst first")]
    rows += [
        (
            one.world,
            str(one.seed),
            one.fault,
            f"-{one.began} d",
            ("* " if one.first else "  ") + (", ".join(one.named) or "nothing"),
        )
        for one in found.sick
    ]
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = [
        "  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    return [
        *lines,
        "",
        f"Named first (*): {found.first} of {found.worlds} "
        f"({found.first_low:.0%} to {found.first_high:.0%}); named at all: "
        f"{found.named}.",
        f"False alarms: {found.alarms} of {found.worlds} healthy worlds "
        f"({found.alarms_low:.0%} to {found.alarms_high:.0%}); said to drift: "
        f"{found.drifts}.",
    ]
