"""One comparison of the ledger: groups, checks, effect, money, and what is missing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from typing import Any

import numpy as np

from cartwheel.measure.assign import layer_of, unit_position
from cartwheel.measure.earnings.figures import Basis, Needed, Range, Unit
from cartwheel.measure.earnings.groups import compare_groups, few
from cartwheel.measure.earnings.looks import every_look
from cartwheel.measure.earnings.units import Facts, Span, brought, known_since
from cartwheel.measure.earnings.window import Window
from cartwheel.measure.earnings.words import WANTED
from cartwheel.measure.earnings.words import day as day_text
from cartwheel.measure.experiment.comparison import Comparison
from cartwheel.measure.experiment.power import reach
from cartwheel.measure.experiment.ratio_check import ALARM, sample_ratio

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Units that are compared.

    Attributes:
        spans: Units with the days counted of each.
        reached: Who was reached, bool, shape (n,); the others were left alone.
        moved: Units left out because they changed sides.
        share: Share that should be left alone, None when that is not fixed.
        new_a_day: Units that come a day.
    """

    spans: list[Span]
    reached: Array
    moved: int
    share: float | None
    new_a_day: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What a comparison found.

    Attributes:
        basis: What was counted.
        reached: Units reached.
        held_out: Units left alone.
        moved: Units left out because they changed sides.
        found: The comparison, None when it may not be told.
        why: Why it may not, "" when it may.
        needed: What can be seen and what is missing, None when nothing varies.
        thin: There are too few units.
        watched: The comparison with the interval that holds at every look, None when
            it may not be told or there are too few units for it.
    """

    basis: Basis
    reached: int
    held_out: int
    moved: int
    found: Comparison | None
    why: str
    needed: Needed | None
    thin: bool = False
    watched: Comparison | None = None

    @property
    def effect(self) -> Range | None:
        """Earned more per unit reached."""
        if self.found is None:
            return None
        return Range(value=self.found.effect, low=self.found.low, high=self.found.high)

    @property
    def money(self) -> Range | None:
        """Earned more by all units reached."""
        return None if self.effect is None else self.effect.times(self.reached)

    @property
    def money_watched(self) -> Range | None:
        """The same with the interval that holds at every look."""
        if self.watched is None:
            return None
        one = self.watched
        each = Range(value=one.effect, low=one.low, high=one.high)
        return each.times(self.reached)

    @property
    def decided(self) -> bool:
        """The interval that holds at every look leaves zero out."""
        return self.money_watched is not None and self.money_watched.off_zero


def group_of(facts: Facts, window: Window, unit: Unit, lever: str | None) -> Group:
    """Return who is compared: by a lever's own holdout, or by the wheel's.

    Who changed sides with the settings in the window is left out.

    Args:
        facts: The fact tables.
        window: Days that count.
        unit: Customers or products.
        lever: The lever; None for the wheel.
    """
    known = known_since(facts, unit, window.last)
    low, high = window.shares(lever)
    salt = window.salt if lever is None else layer_of(lever, window.salt)
    outer = (0.0, 0.0)
    if lever is not None and unit == "customer":
        outer = window.shares(None)
    spans, reached, moved = [], [], 0
    day_before = window.first - timedelta(days=1)
    new = 0
    for name, day in known.items():
        if day >= window.last:
            continue  # it counts from tomorrow
        if outer[1] > 0:
            place = unit_position(name, window.salt)
            if place < outer[0]:
                continue
            if place < outer[1]:
                moved += 1
                continue
        place = unit_position(name, salt)
        if low <= place < high:
            moved += 1
            continue
        spans.append(Span(unit=name, after=max(day, day_before), until=window.last))
        reached.append(place >= high)
        new += day >= window.first
    return Group(
        spans=spans,
        reached=np.array(reached, bool),
        moved=moved,
        share=low / (low + 1 - high),
        new_a_day=new / window.days,
    )


def measure_group(
    facts: Facts, group: Group, unit: Unit, before: tuple[date, date], on: date
) -> Measured:
    """Compare a group's units; nothing is told that the data cannot carry.

    Args:
        facts: The fact tables.
        group: Who is compared.
        unit: Customers or products.
        before: First and last day of the stretch before.
        on: Day looked from.
    """
    reached = int(group.reached.sum())
    held = len(group.spans) - reached
    say = partial(Measured, reached=reached, held_out=held, moved=group.moved)
    empty = partial(say, found=None, needed=None)
    if min(reached, held) < 2:
        who = "left alone" if held < 2 else "reached"
        return empty(basis="margin", why=f"fewer than two {unit}s were {who}")
    if group.share is not None and _lopsided(reached, held, group.share):
        why = (
            f"{held:,} of {held + reached:,} {unit}s are left alone where "
            f"{group.share:.1%} should be, which chance does not do"
        )
        return empty(basis="margin", why=why)
    rows = brought(facts, unit, group.spans, before)
    days = int(rows.days.max())
    thin = few(rows, group.reached, days=days, new_a_day=group.new_a_day)
    why = "" if thin is None else thin.why
    if thin is not None and thin.days is not None:
        by = on + timedelta(days=thin.days)
        why += f", about {day_text(by)} at the present pace"
    try:
        found = compare_groups(rows, group.reached)
    except ValueError:
        why = why or f"every {unit} brought the same"
        return empty(basis=rows.basis, why=why, thin=thin is not None)
    needed = needed_of(found, group.new_a_day, on)
    return say(
        basis=rows.basis,
        found=None if thin is not None else found,
        why=why,
        needed=needed,
        thin=thin is not None,
        watched=None
        if thin is not None
        else every_look(found, min(reached, held), days=days),
    )


def _lopsided(reached: int, held: int, share: float) -> bool:
    counts = {"reached": reached, "held": held}
    return sample_ratio(counts, {"reached": 1 - share, "held": share}) < ALARM


def needed_of(found: Comparison, new_a_day: float, on: date) -> Needed | None:
    """Return what can be seen, and what an effect of `WANTED` needs.

    Args:
        found: The comparison.
        new_a_day: Units that come a day.
        on: Day looked from.

    Returns:
        None when the units left alone brought nothing an effect could be a share of.
    """
    if found.control_value <= 0 or found.error <= 0:
        return None
    seen = reach(
        error=found.error,
        units=found.n,
        control_value=found.control_value,
        wanted=WANTED * found.control_value,
        units_a_day=new_a_day,
        today=on,
    )
    return Needed(
        detectable=seen.detectable,
        wanted=seen.wanted,
        units_missing=seen.units_missing,
        by=None if seen.by is None else seen.by.isoformat(),
    )
