"""What is known of each kind of decision of a lever."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np

from cartwheel.measure.earnings.figures import KindEarned, Range
from cartwheel.measure.earnings.measured import Group, Measured, measure_group
from cartwheel.measure.earnings.record import Record, winback_draws
from cartwheel.measure.earnings.units import Facts, Span
from cartwheel.measure.earnings.window import Window
from cartwheel.measure.earnings.words import Words, not_yet

if TYPE_CHECKING:
    from sqlalchemy import Engine

DRAWN: Mapping[str, str] = {"winback": "offer"}
"""Kinds that draw some of their subjects to get nothing, with the action's value that
is "none" for those; see `levers.offers.left_out`."""
ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """Decisions of one kind that took effect in a window."""

    applied: int
    predicted_minor: float | None


def count_kinds(record: Record, lever: str, window: Window) -> dict[str, Counted]:
    """Return what took effect in a window, by kind.

    Args:
        record: What is on record.
        lever: The lever.
        window: Days that count.
    """
    found: dict[str, Counted] = {}
    for act in record.acts:
        if act.lever != lever or not window.first <= act.day <= window.last:
            continue
        old = found.get(act.kind, Counted(applied=0, predicted_minor=None))
        worth = [x for x in (old.predicted_minor, act.worth_minor) if x is not None]
        found[act.kind] = Counted(
            applied=old.applied + act.count,
            predicted_minor=sum(worth) if worth else None,
        )
    return dict(sorted(found.items()))


def kinds_of(
    counted: Mapping[str, Counted],
    money: Range | None,
    drawn: Mapping[str, Measured],
    write: Words,
    *,
    alone: bool,
) -> tuple[KindEarned, ...]:
    """Return a lever's kinds; only some have earnings of their own.

    Args:
        counted: What took effect, by kind.
        money: What the lever earned more.
        drawn: What kinds with a draw of their own earned.
        write: Writes money.
        alone: The lever does nothing but decisions of one kind.
    """
    found = []
    for kind, one in counted.items():
        own, note = None, "kinds of one lever are not told apart by its holdout"
        if kind in drawn:
            own, note = _of_draw(drawn[kind], write)
        elif alone:
            own = money
            note = (
                "the lever's only kind"
                if money is not None
                else "the lever's only kind, and that cannot be told yet"
            )
        found.append(
            KindEarned(
                kind=kind,
                applied=one.applied,
                predicted_minor=one.predicted_minor,
                incremental=own,
                note=note,
            )
        )
    return tuple(found)


def _of_draw(seen: Measured, write: Words) -> tuple[Range | None, str]:
    groups = f"{seen.reached:,} drawn to get it, {seen.held_out:,} to get nothing"
    if seen.found is None:
        why = f"{seen.why} ({groups})"
        return None, not_yet(seen.needed, "customer", write, why=why, thin=seen.thin)
    if not seen.decided:
        return seen.money, f"{groups}; it cannot be told from luck"
    return seen.money, f"{groups}, up to the quarter's end"


def measure_draws(
    facts: Facts, engine: Engine, record: Record, window: Window, kind: str
) -> Measured:
    """Return what a kind earned by its own draw of who gets nothing.

    A customer stays in one arm for a calendar quarter, so the days from the first
    decision to the quarter's end count, of the first quarter only.

    Args:
        facts: The fact tables.
        engine: Operational database.
        record: What is on record.
        window: Days that count.
        kind: A kind of `DRAWN`.
    """
    days = {turn.number: turn.as_of for turn in record.turns}
    spans: dict[str, Span] = {}
    got: dict[str, bool] = {}
    for turn, customer, something in winback_draws(engine, kind, DRAWN[kind]):
        as_of = days.get(turn)
        if as_of is None or customer in spans or as_of < window.first - ONE_DAY:
            continue
        until = min(quarter_end(as_of), window.last)
        if until > as_of:
            spans[customer] = Span(unit=customer, after=as_of, until=until)
            got[customer] = something
    group = Group(
        spans=list(spans.values()),
        reached=np.array([got[name] for name in spans], bool),
        moved=0,
        share=None,
        new_a_day=len(spans) / window.days,
    )
    return measure_group(facts, group, "customer", window.before, window.last)


def quarter_end(day: date) -> date:
    """Return the last day of a day's calendar quarter."""
    month = 3 * ((day.month - 1) // 3) + 4
    first = date(day.year + month // 13, (month - 1) % 12 + 1, 1)
    return first - ONE_DAY
