"""Reached less left alone, per unit, with an interval that fits skewed spend."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from cartwheel.measure.earnings.units import Brought
from cartwheel.measure.experiment.comparison import Comparison
from cartwheel.measure.experiment.effect import compare
from cartwheel.measure.experiment.metric import Metric
from cartwheel.measure.experiment.moments import Moments
from cartwheel.measure.experiment.power import LONGEST_DAYS
from cartwheel.measure.experiment.skewed import chance_of

Array = np.ndarray[Any, Any]

FEWEST = 30
"""Units each group needs before a figure is told."""
BUYERS = 10
"""Units of each group that must have brought something."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Thin:
    """Too few units for a figure.

    Attributes:
        why: Which, and how many are needed.
        days: Days until they are there at the present pace; None beyond ten years.
    """

    why: str
    days: int | None


def few(found: Brought, reached: Array, *, days: int, new_a_day: float) -> Thin | None:
    """Return why a comparison would rest on too few units, None when it would not.

    Args:
        found: What units brought.
        reached: Who was reached, bool, shape (n,); the others were left alone.
        days: Days counted.
        new_a_day: Units that come a day, both groups.
    """
    for name, group in (("left alone", ~reached), ("reached", reached)):
        units, buyers = int(group.sum()), int((found.value[group] != 0).sum())
        if units < FEWEST:
            pace = new_a_day * units / len(reached)
            why = f"{units} were {name}; a figure needs {FEWEST} or more"
            return Thin(why=why, days=_days(FEWEST - units, pace))
        if buyers < BUYERS:
            why = (
                f"{buyers} of those {name} brought anything; a figure needs "
                f"{BUYERS} or more"
            )
            return Thin(why=why, days=_days(BUYERS - buyers, buyers / days))
    return None


def _days(missing: int, pace: float) -> int | None:
    return math.ceil(missing / pace) if missing <= pace * LONGEST_DAYS else None


def compare_groups(found: Brought, reached: Array) -> Comparison:
    """Return what reaching units brought more than leaving them alone, per unit.

    What the earnings before and the days counted foretell is taken off first (CUPED);
    both were fixed before anything was done to the unit. The interval allows for the
    skew of spend and a small group, see `experiment.skewed`; Welch's is too sure of
    itself with a holdout of 5 %.

    Args:
        found: What units brought.
        reached: Who was reached, bool, shape (n,).

    Raises:
        ValueError: If a group has fewer than 2 units or everybody brought the same.
    """
    columns = {"earned": found.value}
    known = {"before": found.before, "days": found.days}
    columns |= {name: x for name, x in known.items() if np.ptp(x) > 0}
    names = tuple(columns)
    values = np.column_stack(list(columns.values()))
    held, arm = (Moments.of(names, values[group]) for group in (~reached, reached))
    metric = Metric(name="earned", value="earned", covariates=names[1:])
    told = compare(metric, held, arm, names=("left alone", "reached"))
    rest = found.value.astype(float)
    if len(names) > 1:
        cov = (held + arm).cov
        weights = np.linalg.lstsq(cov[1:, 1:], cov[1:, 0], rcond=None)[0]
        rest = rest - values[:, 1:] @ weights
    chance = chance_of(rest[reached], rest[~reached])
    low, high = chance.interval(told.effect)
    return replace(
        told,
        low=low,
        high=high,
        error=chance.error,
        p_value=chance.p_value(told.effect),
        relative_low=None,
        relative_high=None,
        method=f"{told.method}+skew",
    )
