"""What the turns published for the console, and how the present turn is going."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import Engine, func, insert, select

from cartwheel.operations import (
    now_text,
    page_data,
    reading,
    requests,
    turns,
)

IMPORTS_TURN = 0
"""Page data that belongs to no turn is kept under this number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """The latest published turn.

    Attributes:
        turn: Its number, None when no turn was published yet.
        overview: Its overview page data, {} when there is none.
        published_at: Instant it was published.
    """

    turn: int | None
    overview: Mapping[str, Any]
    published_at: str | None = None

    @property
    def levers(self) -> list[Mapping[str, Any]]:
        """Its levers, in the order the turn gave."""
        return list(self.overview.get("levers") or [])

    def lever(self, name: str) -> Mapping[str, Any] | None:
        """One of its levers, or None."""
        return next((x for x in self.levers if x.get("name") == name), None)


ASKED: Mapping[str, tuple[str, str]] = {
    "turn": ("A turn is asked for", "The turn asked for did not run"),
    "live": ("A week is asked for", "The week asked for was not lived to its end"),
}
"""How a request that waits, or failed, is told of, by the first word of its kind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """A turn or week that waits or runs, or the last one when it failed.

    Attributes:
        state: "waiting", "running" or "failed".
        text: What is happening, one sentence.
        since: Instant it started or was asked for.
    """

    state: str
    text: str
    since: str


def latest_turn(engine: Engine) -> int | None:
    """Return the number of the latest published turn."""
    query = select(func.max(turns.c.number)).where(turns.c.state == "published")
    with reading(engine) as con:
        number: int | None = con.execute(query).scalar_one_or_none()
    return number


def read_page(engine: Engine, turn: int | None, name: str) -> dict[str, Any] | None:
    """Return page data of a turn, or None when it published none of that name."""
    if turn is None:
        return None
    found: dict[str, Any] | None = page_data(engine, name, turn)
    return found


def read_published(engine: Engine) -> Published:
    """Return the latest published turn with its overview."""
    turn = latest_turn(engine)
    query = select(turns.c.published_at).where(turns.c.number == turn)
    with reading(engine) as con:
        at = None if turn is None else con.execute(query).scalar_one_or_none()
    overview = read_page(engine, turn, "overview") or {}
    return Published(turn=turn, overview=overview, published_at=at)


@lru_cache(maxsize=2)
def read_titles(engine: Engine, turn: int | None) -> Mapping[str, str]:
    """Return titles by subject (`variant:ID`) that a turn published, {} if none.

    A published turn never changes, so its titles are read once.
    """
    return read_page(engine, turn, "titles") or {}


def read_progress(engine: Engine) -> Progress | None:
    """Return what runs or waits, or failed last; None when all is quiet."""
    with reading(engine) as con:
        last = con.execute(
            select(turns).order_by(turns.c.number.desc()).limit(1)
        ).first()
        asked = con.execute(
            select(requests).order_by(requests.c.seq.desc()).limit(1)
        ).first()
    if last is not None and last.state == "running":
        step = f": {last.step}" if last.step else ""
        return Progress(
            state="running",
            text=f"Turn {last.number} is running{step}.",
            since=last.started_at,
        )
    if asked is not None and asked.state == "running":
        said = asked.note or "the shop lives"
        return Progress(
            state="running",
            text=f"{said[:1].upper()}{said[1:].rstrip('.')}.",
            since=asked.asked_at,
        )
    if asked is not None and asked.state == "waiting":
        said, _ = _words(asked.what)
        return Progress(
            state="waiting", text=f"{said} and starts shortly.", since=asked.asked_at
        )
    return _failure(last, asked)


def _words(what: str) -> tuple[str, str]:
    return ASKED.get(what.partition("-")[0], ASKED["turn"])


def _failure(last: Any, asked: Any) -> Progress | None:
    if last is not None and last.state == "failed":
        why = last.error or "the log says why"
        text = f"Turn {last.number} failed: {why}. The turn before it stays published."
        return Progress(state="failed", text=text, since=last.started_at)
    if asked is not None and asked.state == "failed":
        begun = last.started_at if last is not None else ""
        if asked.asked_at >= begun:
            why = asked.note or "the log says why"
            return Progress(
                state="failed",
                text=f"{_words(asked.what)[1]}: {why.rstrip('.')}.",
                since=asked.asked_at,
            )
    return None


def ask_for(engine: Engine, what: str, *, actor: str) -> bool:
    """Ask the worker for something; return False when anything waits or runs already.

    Args:
        engine: Operational database.
        what: "turn", "live" or "live-approving".
        actor: Who asks.
    """
    with engine.begin() as con:
        running = con.execute(
            select(func.count()).select_from(turns).where(turns.c.state == "running")
        ).scalar_one()
        waiting = con.execute(
            select(func.count())
            .select_from(requests)
            .where(requests.c.state.in_(["waiting", "running"]))
        ).scalar_one()
        if running or waiting:
            return False
        con.execute(
            insert(requests).values(
                what=what, asked_at=now_text(), actor=actor, state="waiting", note=""
            )
        )
    return True


def turn_before(engine: Engine, turn: int | None) -> int | None:
    """Return the number of the published turn before one, or None."""
    if turn is None:
        return None
    query = select(func.max(turns.c.number)).where(
        turns.c.state == "published", turns.c.number < turn
    )
    with reading(engine) as con:
        number: int | None = con.execute(query).scalar_one_or_none()
    return number
