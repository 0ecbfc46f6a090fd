"""Is the truth recovered? The product's measured lift against the true one.

In each world the shop measures by its holdout what reaching people earned, with a 95 %
interval; the world knows what it truly earned. Of many worlds some 95 % of intervals
should hold the truth.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from cartwheel.simulator.referee.groups import MEASURED, Group, groups_of
from cartwheel.simulator.referee.paired import LEVEL, Coverage, Paired, coverage, paired
from cartwheel.simulator.referee.results import Run
from cartwheel.simulator.referee.terminal import columns
from cartwheel.simulator.referee.wording import (
    UNKNOWN,
    between,
    cents,
    count_of,
    minor_unit,
    percent,
    place_of,
)

Array = np.ndarray[Any, Any]

ASKED = (0.93, 0.97)
"""Share of worlds in which the interval is to hold the truth."""

ENOUGH = 200
"""Worlds from which 93 can be told from 97 %: at 95 % the share's own interval then
reaches some 3 points to each side."""

FIGURES = ("lift_measured_minor", "lift_low_minor", "lift_high_minor")
TRUE = "lift_true_minor"
HEADS = (
    "world",
    "worlds",
    "held the truth",
    "95 % interval",
    "true lift",
    "measured less true",
    "mean width",
    "answered as anybody",
    "left out",
)
TOO_FEW = (
    f"Fewer than some {ENOUGH} worlds cannot tell {ASKED[0]:.0%} from {ASKED[1]:.0%}."
).replace("%", " %")

Verdict = Literal["inside", "below", "above", "too few worlds"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovered:
    """How often the measured interval held the true lift in one world's seeds.

    Attributes:
        world: Name of the world.
        size: Size it was played in.
        currency: Its currency, "" when unknown.
        coverage: Share of intervals that held the truth; bias in minor units.
        off: Measured less true lift in minor units, mean over worlds with its t
            interval: an interval far wider than the truth holds it, biased or not.
        true_minor: Mean true lift in minor units a reached customer.
        width_minor: Mean width of the intervals in minor units.
        unrecognised: Share of answers to held-out customers' devices that were given
            as to anybody: nobody was signed in and the device was not known.
        customers: Mean number of customers compared, reached and held out.
        verdict: Where the share lies beside what is asked.
    """

    world: str
    size: str
    currency: str
    coverage: Coverage
    off: Paired
    true_minor: float
    width_minor: float
    unrecognised: float
    customers: float
    verdict: Verdict


def recovered(runs: Sequence[Run]) -> list[Recovered]:
    """Return by world and size how well the measured lift recovers the true one.

    A world that failed, had nobody to compare or knew too few costs is left out and
    counted.

    Args:
        runs: Runs of any worlds and arms.
    """
    return [
        _row(group) for group in groups_of([run for run in runs if run.arm == MEASURED])
    ]


def together(runs: Sequence[Run]) -> Coverage:
    """Return the coverage over all worlds; the bias is that of no one currency."""
    return _coverage([run for run in runs if run.arm == MEASURED])


def verdict_of(found: Coverage) -> Verdict:
    """Return where a share lies beside what is asked, as far as it can be told."""
    if found.n and found.high < ASKED[0]:
        return "below"
    if found.n and found.low > ASKED[1]:
        return "above"
    if found.n < ENOUGH:
        return "too few worlds"
    if ASKED[0] <= found.share <= ASKED[1]:
        return "inside"
    return "below" if found.share < ASKED[0] else "above"


def _row(group: Group) -> Recovered:
    runs = list(group.usable(MEASURED).values())
    found = _coverage(group.runs)
    whole = [run for run in runs if np.isfinite(_values([run], *FIGURES, TRUE)).all()]
    value, low, high, truth = _values(whole, *FIGURES, TRUE)
    shown, to_nobody, reached, held = _values(
        whole,
        *("answers_held_out", "answers_unrecognised"),
        *("customers_reached", "customers_held_out"),
    )
    return Recovered(
        world=group.world,
        size=group.size,
        currency=group.currency,
        coverage=found,
        off=paired(value, truth, level=LEVEL, seed=0),
        true_minor=_mean(truth),
        width_minor=_mean(high - low),
        unrecognised=float(to_nobody.sum() / shown.sum())
        if shown.sum()
        else float("nan"),
        customers=_mean(reached + held),
        verdict=verdict_of(found),
    )


def _coverage(runs: Sequence[Run]) -> Coverage:
    # A failed run has no figures, which makes it one that is left out.
    return coverage(*_values(runs, *FIGURES, TRUE), level=LEVEL)


def _values(runs: Iterable[Run], *names: str) -> Array:
    """Return figures by name and run, nan for one that a run lacks, shape (k, n)."""
    own = list(runs)
    rows = [[run.figures.get(name, float("nan")) for run in own] for name in names]
    return np.array(rows, float).reshape(len(names), len(own))


def _mean(values: Array) -> float:
    return float(values.mean()) if len(values) else float("nan")


def cells_of(row: Recovered) -> tuple[str, ...]:
    """Return a row as text: what `HEADS` names, amounts in their currency."""
    unit = minor_unit(row.currency)
    found = row.coverage
    return (
        place_of(row),
        str(found.n),
        percent(found.share),
        between_shares(found),
        f"{cents(row.true_minor)} {unit}",
        f"{cents(row.off.mean)} ({between(row.off.low, row.off.high)}) {unit}",
        f"{cents(row.width_minor, signed=False)} {unit}",
        percent(row.unrecognised),
        str(found.left_out),
    )


def between_shares(found: Coverage) -> str:
    """Return the interval of a share of worlds."""
    return f"{percent(found.low)} to {percent(found.high)}" if found.n else UNKNOWN


def said_of(found: Coverage) -> str:
    """Return one sentence on a share beside what is asked."""
    asked = f"{ASKED[0]:.0%} to {ASKED[1]:.0%}".replace("%", " %")
    if not found.n:
        return f"No world has been measured; {asked} are asked for."
    said = {
        "inside": "as asked",
        "below": "intervals are too narrow or off the mark",
        "above": "intervals are too wide",
        "too few worlds": "too few worlds to tell",
    }[verdict_of(found)]
    text = (
        f"{percent(found.share)} of {count_of(found.n, 'interval')} held the true lift "
        f"({between_shares(found)}); {asked} are asked for: {said}."
    )
    return text if found.n >= ENOUGH else f"{text} {TOO_FEW}"


def text_recovered(rows: Sequence[Recovered], all_: Coverage) -> str:
    """Return the table as plain text for a terminal, amounts a reached customer."""
    if not rows:
        return "There are no results yet."
    lines = columns(HEADS, [cells_of(row) for row in rows])
    return "\n".join([*lines, said_of(all_)])
