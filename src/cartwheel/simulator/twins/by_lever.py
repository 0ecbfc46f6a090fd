"""A wheel beside a twin for each holdout: true lifts, and what the ledger measures."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from cartwheel.measure.earnings.figures import WHEEL, Unit
from cartwheel.measure.earnings.measured import Group, Measured, group_of, measure_group
from cartwheel.measure.earnings.record import Record
from cartwheel.measure.earnings.units import Facts, Span
from cartwheel.measure.earnings.window import (
    acted_on,
    first_acts,
    unit_of,
    window_of,
)
from cartwheel.simulator.arms.wheel import ZONE, Wheel
from cartwheel.simulator.twins.everybody import EverybodyHeld
from cartwheel.simulator.twins.journal import Journal
from cartwheel.simulator.twins.truth import earned_by_customer, earned_by_product
from cartwheel.simulator.world.facts import Facts as WorldFacts

if TYPE_CHECKING:
    from cartwheel.simulator.arms.base import Policy
    from cartwheel.simulator.world.world import DayLog, World

Array = np.ndarray[Any, Any]
SCHEMA = "main"
"""Where the facts of a world in process are."""
NAN = float("nan")


@dataclass(slots=True)
class _Twin:
    """A twin, None until a day differs, and what the shop earned more by day."""

    policy: EverybodyHeld
    world: World | None = None
    gaps: dict[Unit, dict[str, list[tuple[date, float]]]] = field(
        default_factory=lambda: {
            "customer": defaultdict(list),
            "product": defaultdict(list),
        }
    )


class LeverTwins:
    """Twins of a world, one for the wheel's holdout and one for each lever's own.

    Args:
        wheel: The wheel; it must not have played before.
    """

    def __init__(self, wheel: Wheel) -> None:
        self.journal = Journal(wheel)
        self._wheel = wheel
        self._twins = {
            lever: _Twin(EverybodyHeld(wheel, lever))
            for lever in (None, *wheel.holdout.levers)
        }

    def play_day(self, world: World, policy: Policy) -> DayLog:
        """Let the wheel play a day, then every twin the same day; return the wheel's.

        Args:
            world: The wheel's world.
            policy: The journal, or what wraps it.
        """
        morning = _copy(world) if self._waiting() else None
        today = world.state.today
        log = world.play_day(policy)
        mine = _earned(world, log)
        for twin in self._twins.values():
            if twin.world is None and morning is not None and self._differs(twin):
                twin.world = deepcopy(morning)
            if twin.world is None:
                continue
            theirs = _earned(twin.world, twin.world.play_day(twin.policy))
            for unit, gaps in twin.gaps.items():
                for name in {**mine[unit], **theirs[unit]}:
                    more = mine[unit].get(name, 0.0) - theirs[unit].get(name, 0.0)
                    if more:
                        gaps[name].append((today, more))
        return log

    def _waiting(self) -> bool:
        return any(twin.world is None for twin in self._twins.values())

    def _differs(self, twin: _Twin) -> bool:
        """Tell whether today is the first day on which the holdout keeps something."""
        if self._wheel.turned_on is None:
            return False
        return twin.policy.answers or any(map(twin.policy.spares, self._wheel.passed))

    def figures(self, world: World) -> dict[str, float]:
        """Return true and measured lifts by lever; see `lever_figures`.

        Args:
            world: The wheel's world, played to its end.
        """
        on = world.state.today - timedelta(days=1)
        facts = Facts(con=world.facts.connection, schema=SCHEMA, timezone=ZONE)
        record, found = self.journal.record, {}
        answers = self.journal.answers
        acted = first_acts(record, answers)
        answering = {lever for lever, _, _ in answers}
        for lever, twin in self._twins.items():
            unit: Unit = (
                "customer" if lever is None else unit_of(record, lever, answering)
            )
            since = acted_on(record, acted, lever, answering)
            entry = _entry(facts, record, since, unit, lever, on)
            found.update(lever_figures(lever or WHEEL, unit, entry, twin.gaps[unit]))
        return found


def _entry(
    facts: Facts,
    record: Record,
    since: date | None,
    unit: Unit,
    lever: str | None,
    on: date,
) -> tuple[Group, Measured] | None:
    """Return whom the ledger compares and what it finds; None where nothing acted."""
    window = None if since is None else window_of(record, since, on, lever)
    if window is None:
        return None
    group = group_of(facts, window, unit, lever)
    return group, measure_group(facts, group, unit, window.before, on)


def lever_figures(
    lever: str,
    unit: Unit,
    entry: tuple[Group, Measured] | None,
    gaps: Mapping[str, list[tuple[date, float]]],
) -> dict[str, float]:
    """Return one lever's figures, their names beginning with the lever's.

    Args:
        lever: Name of the lever, or "wheel".
        unit: What its holdout draws.
        entry: Whom the ledger compared and what it found; None where it never acted.
        gaps: What each unit earned more than in the twin, by day.

    Returns:
        `lift_true_minor`: mean of the units reached of what they earned more than in
        the twin, minor units in the days counted; `held_gap_minor`: the same of those
        left alone, whom nothing reached: what they earn more or less because others
        were reached; `lift_measured_minor`, `lift_low_minor`, `lift_high_minor`: the
        ledger's figure, nan where it says "not yet"; `units_reached`, `units_held_out`;
        `of_products`: 1 where units are products.
    """
    figures = dict.fromkeys(
        (
            *("lift_true_minor", "held_gap_minor", "lift_measured_minor"),
            *("lift_low_minor", "lift_high_minor"),
        ),
        NAN,
    )
    reached = held = 0
    if entry is not None:
        group, seen = entry
        more = np.array([_in(gaps.get(one.unit, ()), one) for one in group.spans])
        reached, held = seen.reached, seen.held_out
        if reached and held:
            figures["lift_true_minor"] = float(more[group.reached].mean())
            figures["held_gap_minor"] = float(more[~group.reached].mean())
        # The truth is margin; a figure in revenue is none of it.
        if seen.effect is not None and seen.basis == "margin":
            figures["lift_measured_minor"] = seen.effect.value
            figures["lift_low_minor"] = seen.effect.low
            figures["lift_high_minor"] = seen.effect.high
    figures |= {
        "units_reached": float(reached),
        "units_held_out": float(held),
        "of_products": float(unit == "product"),
    }
    return {f"{lever}_{name}": value for name, value in figures.items()}


def _in(gaps: list[tuple[date, float]] | tuple[()], span: Span) -> float:
    return sum(more for day, more in gaps if span.after < day <= span.until)


def _earned(world: World, log: DayLog) -> dict[Unit, dict[str, float]]:
    return {
        "customer": earned_by_customer(world.state, log),
        "product": earned_by_product(world.state, log),
    }


def _copy(world: World) -> World:
    """Return a copy of a world that keeps no records: nobody reads a twin's."""
    closed = WorldFacts(world.state)
    closed.close()
    return deepcopy(world, {id(world.facts): closed})
