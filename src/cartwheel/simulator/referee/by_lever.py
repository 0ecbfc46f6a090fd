"""Is the truth recovered lever by lever? The ledger's lifts against the true ones.

What the ledger of earnings says of the wheel and of each lever, with its interval, is
held against a twin in which everybody is in that holdout. Of many worlds some 95 % of
intervals should hold the truth.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cartwheel.simulator.referee.groups import MEASURED, Group, groups_of
from cartwheel.simulator.referee.paired import LEVEL, Coverage, Paired, coverage, paired
from cartwheel.simulator.referee.recovered import between_shares
from cartwheel.simulator.referee.results import Run
from cartwheel.simulator.referee.terminal import columns
from cartwheel.simulator.referee.wording import (
    between,
    cents,
    minor_unit,
    percent,
    place_of,
    plain,
)

Array = np.ndarray[Any, Any]

FIRST = "wheel"
TRUE = "lift_true_minor"
FIGURES = ("lift_measured_minor", "lift_low_minor", "lift_high_minor")
HEADS = (
    "world",
    "of",
    "told",
    "held the truth",
    "95 % interval",
    "held the contrast",
    "true lift",
    "measured less true",
    "mean width",
    "gap of those left alone",
    "not told",
    "never acted",
    "failed",
)
ALL_HEADS = (
    "all worlds",
    "told",
    "held the truth",
    "95 % interval",
    "held the contrast",
    "measured less true, in widths",
)
MEANING = (
    "True lift: what a unit reached earned more than in a twin with everybody in that "
    "holdout. Contrast: that less what those left alone earned more than in the twin, "
    "though nothing reached them (stock, prices and devices shared): all a holdout can "
    "see."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LeverRecovered:
    """How often the ledger's interval of one lever held its true lift.

    Attributes:
        world: Name of the world.
        size: Size it was played in.
        currency: Its currency, "" when unknown.
        lever: Name of the lever, or "wheel".
        unit: What its holdout draws, "customer" or "product".
        coverage: Share of intervals that held the true lift; bias in minor units.
        contrast: The same of the true lift less what those left alone earned more.
        off: Measured less true lift in minor units, over worlds with its t interval.
        held_gap: What units left alone earned more than in the twin, alike: it is
            what measured and true lift differ by besides luck.
        true_minor: Mean true lift in minor units a unit reached.
        width_minor: Mean width of the intervals in minor units.
        units: Mean number of units compared.
        not_told: Worlds in which the lever acted and the ledger says "not yet".
        never: Worlds in which the lever never acted.
        failed: Worlds without figures.
    """

    world: str
    size: str
    currency: str
    lever: str
    unit: str
    coverage: Coverage
    contrast: Coverage
    off: Paired
    held_gap: Paired
    true_minor: float
    width_minor: float
    units: float
    not_told: int
    never: int
    failed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LeverTogether:
    """One lever over all worlds, whose currencies differ.

    Attributes:
        lever: Name of the lever, or "wheel".
        coverage: Share of intervals that held the true lift; its bias is of no one
            currency.
        contrast: The same of the true lift less what those left alone earned more.
        off_widths: Measured less true lift in widths of the interval, over worlds.
    """

    lever: str
    coverage: Coverage
    contrast: Coverage
    off_widths: Paired


def recovered_levers(runs: Sequence[Run]) -> list[LeverRecovered]:
    """Return by world, size and lever how well the ledger recovers the true lift.

    Args:
        runs: Runs of any worlds and arms.
    """
    own = [run for run in runs if run.arm == MEASURED]
    return [_row(group, one) for group in groups_of(own) for one in levers_of(own)]


def levers_together(runs: Sequence[Run]) -> list[LeverTogether]:
    """Return each lever's coverage over all worlds.

    Args:
        runs: Runs of any worlds and arms.
    """
    own = [run for run in runs if run.arm == MEASURED]
    return [_together(own, lever) for lever in levers_of(own)]


def levers_of(runs: Sequence[Run]) -> list[str]:
    """Return the levers that runs have figures of, the wheel first."""
    ending = f"_{TRUE}"
    found = {
        name.removesuffix(ending)
        for run in runs
        for name in run.figures
        if name.endswith(ending)
    }
    return sorted(found, key=lambda name: (name != FIRST, name))


def _together(runs: Sequence[Run], lever: str) -> LeverTogether:
    told = [run for run in runs if _told(run, lever)]
    value, low, high, truth = _values(told, lever, *FIGURES, TRUE)
    width = high - low
    whole, contrast = _coverages(told, lever)
    return LeverTogether(
        lever=lever,
        coverage=whole,
        contrast=contrast,
        off_widths=paired(value / width, truth / width, level=LEVEL, seed=0),
    )


def _row(group: Group, lever: str) -> LeverRecovered:
    done = [run for run in group.runs if f"{lever}_{TRUE}" in run.figures]
    told = [run for run in done if _told(run, lever)]
    never = sum(run.figures[f"{lever}_units_reached"] == 0 for run in done)
    value, low, high, truth, beside = _values(
        told, lever, *FIGURES, TRUE, "held_gap_minor"
    )
    reached, held = _values(told, lever, "units_reached", "units_held_out")
    products = any(run.figures[f"{lever}_of_products"] for run in done)
    whole, contrast = _coverages(told, lever)
    return LeverRecovered(
        world=group.world,
        size=group.size,
        currency=group.currency,
        lever=lever,
        unit="product" if products else "customer",
        coverage=whole,
        contrast=contrast,
        off=paired(value, truth, level=LEVEL, seed=0),
        held_gap=paired(beside, np.zeros(len(told)), level=LEVEL, seed=0),
        true_minor=_mean(truth),
        width_minor=_mean(high - low),
        units=_mean(reached + held),
        not_told=len(done) - len(told) - never,
        never=never,
        failed=len(group.runs) - len(done),
    )


def _told(run: Run, lever: str) -> bool:
    return bool(np.isfinite(_values([run], lever, *FIGURES, TRUE)).all())


def _coverages(told: Sequence[Run], lever: str) -> tuple[Coverage, Coverage]:
    """Return how often the true lift was held, and the contrast a holdout can see."""
    value, low, high, truth, beside = _values(
        told, lever, *FIGURES, TRUE, "held_gap_minor"
    )
    return (
        coverage(value, low, high, truth, level=LEVEL),
        coverage(value, low, high, truth - beside, level=LEVEL),
    )


def _values(runs: Sequence[Run], lever: str, *names: str) -> Array:
    """Return a lever's figures by name and run, nan for one lacking, shape (k, n)."""
    rows = [
        [run.figures.get(f"{lever}_{name}", float("nan")) for run in runs]
        for name in names
    ]
    return np.array(rows, float).reshape(len(names), len(runs))


def _mean(values: Array) -> float:
    return float(values.mean()) if len(values) else float("nan")


def cells_of(row: LeverRecovered) -> tuple[str, ...]:
    """Return a row as text: what `HEADS` names, amounts a unit in the currency."""
    unit = minor_unit(row.currency)
    return (
        place_of(row),
        plain(row.lever),
        str(row.coverage.n),
        percent(row.coverage.share),
        between_shares(row.coverage),
        percent(row.contrast.share),
        f"{cents(row.true_minor)} {unit}",
        f"{cents(row.off.mean)} ({between(row.off.low, row.off.high)}) {unit}",
        f"{cents(row.width_minor, signed=False)} {unit}",
        f"{cents(row.held_gap.mean)} "
        f"({between(row.held_gap.low, row.held_gap.high)}) {unit}",
        str(row.not_told),
        str(row.never),
        str(row.failed),
    )


def all_cells_of(row: LeverTogether) -> tuple[str, ...]:
    """Return a lever over all worlds as text: what `ALL_HEADS` names."""
    off = row.off_widths
    return (
        plain(row.lever),
        str(row.coverage.n),
        percent(row.coverage.share),
        between_shares(row.coverage),
        percent(row.contrast.share),
        f"{cents(off.mean)} ({between(off.low, off.high)})",
    )


def text_levers(
    rows: Sequence[LeverRecovered], together: Sequence[LeverTogether]
) -> str:
    """Return both tables as plain text for a terminal, "" without a lever."""
    if not rows:
        return ""
    return "\n".join(
        [
            *columns(HEADS, [cells_of(row) for row in rows]),
            "",
            *columns(ALL_HEADS, [all_cells_of(row) for row in together]),
            MEANING,
        ]
    )
