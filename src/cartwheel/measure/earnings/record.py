"""What the operational database tells of turns, acts and people's work, by day.

A shop's day is not the clock's: a demo shop lives a week in a minute, and a history may
be turned on years later. The day of an act is counted from the newest turn published
before it, by the whole days that passed since.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Engine, and_, case, func, or_, select

from cartwheel.operations import decisions, reading, transitions, turns

ACTED = ("approved", "applied")
NOBODY = ("turn", "world")
"""Actors that are no person, besides "turn N"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """A turn that was published, even if it was rolled back later."""

    number: int
    as_of: date
    published_at: str
    states: Mapping[str, str]
    share: float
    lever_shares: Mapping[str, float]
    salt: str
    cuts: frozenset[str]

    @property
    def from_day(self) -> date:
        """First day on which it acts."""
        return self.as_of + timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """Decisions of one lever, kind and turn that took effect at one instant.

    Attributes:
        turn: Turn that made them.
        lever: Lever that made them.
        kind: Kind of decision.
        customers: They are about customers.
        day: Shop's day on which they took effect.
        count: How many.
        worth_minor: What was at stake, None when not said of any.
        cost_minor: What carrying them out costs, as far as it is said.
    """

    turn: int
    lever: str
    kind: str
    customers: bool
    day: date
    count: int
    worth_minor: float | None
    cost_minor: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """Everything the operational database knows by a day.

    Attributes:
        turns: Turns that looked from that day or before, in order of number.
        acts: What was applied or approved by then.
        looked_at: Day and lever of every decision that a person approved, rejected,
            changed or took back, each once.
    """

    turns: tuple[Turn, ...]
    acts: tuple[Act, ...]
    looked_at: tuple[tuple[date, str], ...]


def read_record(engine: Engine, on: date) -> Record:
    """Return what is on record by a day.

    Args:
        engine: Operational database.
        on: Last day that counts.
    """
    clock = _Clock(_read_turns(engine))
    return Record(
        turns=tuple(turn for turn in clock.turns if turn.as_of <= on),
        acts=tuple(act for act in _read_acts(engine, clock) if act.day <= on),
        looked_at=tuple(x for x in _read_looks(engine, clock) if x[0] <= on),
    )


def winback_draws(engine: Engine, kind: str, field: str) -> list[tuple[int, str, bool]]:
    """Return whom a kind's decisions drew to get something, oldest turn first.

    Who was drawn counts, whatever the gate or a person did after: those drawn to get
    nothing promote nothing, so rules and people treat them otherwise.

    Args:
        engine: Operational database.
        kind: Kind of decision that draws some of its subjects to get nothing.
        field: Name of the action's value that is "none" for those.

    Returns:
        Turn, customer, and whether something was drawn.
    """
    query = (
        select(decisions.c.turn, decisions.c.subject, decisions.c.body)
        .join(turns, turns.c.number == decisions.c.turn)
        .where(
            decisions.c.kind == kind,
            decisions.c.state != "held_out",
            turns.c.published_at.is_not(None),
        )
        .order_by(decisions.c.turn, decisions.c.position)
    )
    found = []
    with reading(engine) as con:
        for row in con.execute(query):
            body = json.loads(row.body)
            if body["propensity"] is not None and field in body["action"]:
                drawn = body["action"][field] != "none"
                found.append((row.turn, row.subject.partition(":")[2], drawn))
    return found


class _Clock:
    """Tells a shop's days from the clock's instants."""

    def __init__(self, found: list[Turn]) -> None:
        self.turns = found
        self.by_number = {turn.number: turn for turn in found}
        self._order = sorted(found, key=lambda turn: (turn.published_at, turn.number))
        self._at = [turn.published_at for turn in self._order]

    def day(self, at: str, number: int) -> date | None:
        """Return the day of an act on a turn's decision, None if it was not published.

        Args:
            at: Instant of the act.
            number: The decision's turn.
        """
        own = self.by_number.get(number)
        if own is None:
            return None
        place = bisect_right(self._at, at) - 1
        if place < 0:
            return own.from_day
        turn = self._order[place]
        at_day, published = _date(at), _date(turn.published_at)
        # A turn looks from the day it runs on or the day before; one run later, or by
        # a demo's clock, stands for the morning after the day it looked from.
        lag = min(max((published - turn.as_of).days, 0), 1)
        passed = timedelta(days=lag) + (at_day - published)
        return max(own.from_day, turn.as_of + passed)


def _date(instant: str) -> date:
    return date.fromisoformat(instant[:10])


def _read_turns(engine: Engine) -> list[Turn]:
    query = (
        select(turns)
        .where(
            turns.c.published_at.is_not(None),
            turns.c.state.in_(["published", "rolled_back"]),
        )
        .order_by(turns.c.number)
    )
    with reading(engine) as con:
        rows = con.execute(query).all()
    return [_turn(row) for row in rows]


def _turn(row: Any) -> Turn:
    held = json.loads(row.settings).get("holdout", {})
    levers = json.loads(row.levers)
    return Turn(
        number=row.number,
        as_of=date.fromisoformat(row.as_of),
        published_at=row.published_at,
        states={name: str(one.get("state")) for name, one in levers.items()},
        share=held.get("share_bps", 0) / 10_000,
        # A turn of before levers had holdouts of their own held nobody out by them.
        lever_shares={k: v / 10_000 for k, v in held.get("levers", {}).items()},
        salt=str(held.get("salt", "")),
        cuts=frozenset(json.loads(row.cuts)),
    )


def _read_acts(engine: Engine, clock: _Clock) -> Iterator[Act]:
    first = (
        select(transitions.c.decision_id, func.min(transitions.c.at).label("at"))
        .where(transitions.c.to_state.in_(ACTED))
        .group_by(transitions.c.decision_id)
        .subquery()
    )
    customers = case((decisions.c.subject.like("customer:%"), 1), else_=0)
    by = (decisions.c.turn, decisions.c.lever, decisions.c.kind, customers, first.c.at)
    query = (
        select(
            decisions.c.turn,
            decisions.c.lever,
            decisions.c.kind,
            customers.label("customers"),
            first.c.at,
            func.count().label("count"),
            func.sum(decisions.c.worth_minor).label("worth"),
            func.sum(func.coalesce(decisions.c.cost_minor, 0)).label("cost"),
        )
        .join(first, first.c.decision_id == decisions.c.id)
        .group_by(*by)
        .order_by(*by)
    )
    with reading(engine) as con:
        for row in con.execute(query):
            day = clock.day(row.at, row.turn)
            if day is not None:
                yield Act(
                    turn=row.turn,
                    lever=row.lever,
                    kind=row.kind,
                    customers=bool(row.customers),
                    day=day,
                    count=int(row.count),
                    worth_minor=None if row.worth is None else float(row.worth),
                    cost_minor=float(row.cost),
                )


def _read_looks(engine: Engine, clock: _Clock) -> Iterator[tuple[date, str]]:
    moved, to = transitions.c.from_state, transitions.c.to_state
    query = (
        select(decisions.c.turn, decisions.c.lever, func.min(transitions.c.at))
        .join(decisions, decisions.c.id == transitions.c.decision_id)
        .where(
            moved != "",
            or_(
                to.in_(["approved", "rejected", "reverted"]),
                moved == to,
                and_(moved == "rejected", to == "proposed"),
            ),
            transitions.c.actor.not_in(NOBODY),
            transitions.c.actor.not_like("turn %"),
        )
        .group_by(decisions.c.id, decisions.c.turn, decisions.c.lever)
    )
    with reading(engine) as con:
        for number, lever, at in con.execute(query):
            day = clock.day(at, number)
            if day is not None:
                yield day, lever
