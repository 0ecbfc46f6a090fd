"""Experiments in the operational database: begun, looked at, stopped, learned from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from sqlalchemy import Connection, Engine, func, select, update

from cartwheel.errors import Conflict, NotFound
from cartwheel.measure.experiment.terms import Terms
from cartwheel.measure.experiment.trial import Trial
from cartwheel.operations import (
    experiment_looks,
    experiments,
    link_cuts,
    now_text,
    reading,
    turns,
)

State = Literal["running", "stopped", "ended"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """An experiment on record.

    Attributes:
        terms: What was agreed before the start.
        state: running; stopped before its time; ended by its rule.
        created_at: When it was agreed, ISO 8601.
        actor: Who did.
        closed_at: When it was stopped or ended, None while it runs.
        closed_by: Who or which rule closed it.
        why: Why it was closed.
        standing: The standing at the last look, as JSON values; the verdict once
            closed.
    """

    terms: Terms
    state: State
    created_at: str
    actor: str
    closed_at: str | None
    closed_by: str | None
    why: str
    standing: Mapping[str, Any] | None

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            **self.terms.to_json(),
            "fingerprint": self.terms.fingerprint,
            "state": self.state,
            "created_at": self.created_at,
            "actor": self.actor,
            "closed_at": self.closed_at,
            "closed_by": self.closed_by,
            "why": self.why,
            "standing": self.standing,
        }


def shop_day(engine: Engine) -> date:
    """Return the day a shop stands on: its published turn's, or else the calendar's."""
    query = select(func.max(turns.c.as_of)).where(turns.c.state == "published")
    with reading(engine) as con:
        newest = con.execute(query).scalar_one()
    return date.today() if newest is None else date.fromisoformat(newest)


def create(engine: Engine, terms: Terms, *, actor: str) -> Record:
    """Put an experiment on record; it begins on its first day.

    Args:
        engine: Operational database.
        terms: Checked terms.
        actor: Who agreed to them.

    Raises:
        Conflict: If the name is taken, the lever has an experiment in these days, or
            the link to be cut in the arm is cut for everybody.
    """
    with engine.begin() as con:
        _check_free(con, terms)
        con.execute(
            experiments.insert().values(
                name=terms.name,
                lever=terms.lever,
                state="running",
                terms=json.dumps(terms.to_json(), sort_keys=True, ensure_ascii=False),
                fingerprint=terms.fingerprint,
                created_at=now_text(),
                actor=actor,
                why="",
            )
        )
        return _found(con, terms.name)


def check_free(engine: Engine, terms: Terms) -> None:
    """Check that nothing on record stands in the way of an experiment.

    Raises:
        Conflict: If the name is taken, the lever has an experiment in these days, or
            the link to be cut in the arm is cut for everybody.
    """
    with reading(engine) as con:
        _check_free(con, terms)


def find(engine: Engine, name: str) -> Record:
    """Return an experiment.

    Raises:
        NotFound: If there is none of this name.
    """
    with reading(engine) as con:
        return _found(con, name)


def list_experiments(engine: Engine) -> list[Record]:
    """Return every experiment: running ones first, then the newest."""
    with reading(engine) as con:
        found = _records(con)
    return sorted(found, key=lambda one: one.state != "running")


def running_trials(engine: Engine, day: date) -> tuple[Trial, ...]:
    """Return the experiments that run on a day, by name."""
    with reading(engine) as con:
        found = [one for one in _records(con) if one.state == "running"]
    trials = (one.terms.trial() for one in found)
    return tuple(
        sorted((t for t in trials if t.runs_on(day)), key=lambda trial: trial.name)
    )


def keep_look(
    engine: Engine, name: str, day: date, standing: Mapping[str, Any]
) -> None:
    """Put a look on record; a later look on the same day takes its place."""
    text = json.dumps(standing, sort_keys=True, ensure_ascii=False)
    with engine.begin() as con:
        where = (experiment_looks.c.name == name) & (
            experiment_looks.c.day == day.isoformat()
        )
        con.execute(experiment_looks.delete().where(where))
        con.execute(
            experiment_looks.insert().values(
                name=name, day=day.isoformat(), standing=text
            )
        )


def looks(engine: Engine, name: str) -> list[tuple[date, dict[str, Any]]]:
    """Return the looks at an experiment, oldest first."""
    query = (
        select(experiment_looks.c.day, experiment_looks.c.standing)
        .where(experiment_looks.c.name == name)
        .order_by(experiment_looks.c.day)
    )
    with reading(engine) as con:
        return [
            (date.fromisoformat(row.day), json.loads(row.standing))
            for row in con.execute(query)
        ]


def close(engine: Engine, name: str, state: State, *, actor: str, why: str) -> Record:
    """Stop or end an experiment; its last look becomes its verdict.

    Raises:
        NotFound: If there is none of this name.
        Conflict: If it is closed already.
    """
    with engine.begin() as con:
        record = _found(con, name)
        if record.state != "running":
            raise Conflict(
                f"The experiment {name!r} is {record.state} since {record.closed_at}.",
                "Nothing was changed.",
            )
        con.execute(
            update(experiments)
            .where(experiments.c.name == name)
            .values(state=state, closed_at=now_text(), closed_by=actor, why=why[:2000])
        )
        return _found(con, name)


def _check_free(con: Connection, terms: Terms) -> None:
    cut = select(link_cuts.c.link).where(link_cuts.c.link == terms.link)
    if terms.link and con.execute(cut).first() is not None:
        raise Conflict(
            f"The link {terms.link} is cut for everybody, so there is nothing to "
            "compare with.",
            f"Restore it first: cartwheel wheel --restore '{terms.link}'",
        )
    if _row(con, terms.name) is not None:
        raise Conflict(
            f"There is an experiment {terms.name!r} already.",
            "Choose another name; what was tried before stays on record.",
        )
    for other in _records(con):
        apart = (
            other.terms.ends_on < terms.starts_on
            or other.terms.starts_on > terms.ends_on
        )
        if other.state == "running" and other.terms.lever == terms.lever and not apart:
            raise Conflict(
                f"{terms.lever} has the experiment {other.terms.name!r} until "
                f"{other.terms.ends_on}; two at once would blur each other.",
                f"Start after it, or stop it: cartwheel experiment stop "
                f"{other.terms.name}",
            )


def _row(con: Connection, name: str) -> Any:
    return con.execute(select(experiments).where(experiments.c.name == name)).first()


def _found(con: Connection, name: str) -> Record:
    for record in _records(con, name):
        return record
    raise NotFound(
        f"There is no experiment {name[:80]!r}.",
        "List them with: cartwheel experiment list",
    )


def _records(con: Connection, name: str | None = None) -> list[Record]:
    query = select(experiments).order_by(
        experiments.c.created_at.desc(), experiments.c.name
    )
    days = select(
        experiment_looks.c.name, func.max(experiment_looks.c.day).label("day")
    ).group_by(experiment_looks.c.name)
    if name is not None:
        query = query.where(experiments.c.name == name)
        days = days.where(experiment_looks.c.name == name)
    newest_day = days.subquery()
    last = select(experiment_looks).join(
        newest_day,
        (experiment_looks.c.name == newest_day.c.name)
        & (experiment_looks.c.day == newest_day.c.day),
    )
    newest = {row.name: row.standing for row in con.execute(last)}
    return [
        Record(
            terms=Terms.from_json(json.loads(row.terms)),
            state=row.state,
            created_at=row.created_at,
            actor=row.actor,
            closed_at=row.closed_at,
            closed_by=row.closed_by,
            why=row.why,
            standing=json.loads(newest[row.name]) if row.name in newest else None,
        )
        for row in con.execute(query)
    ]
