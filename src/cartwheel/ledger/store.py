"""Reading and moving decisions in the operational database."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Engine, Select, and_, func, select, update

from cartwheel.errors import Conflict, Misuse, NotFound
from cartwheel.ledger.entry import MOVES, UNDO, DecisionState, Entry, entry_from_row
from cartwheel.operations import decisions, now_text, reading, transitions, turns

ORDERS = ("worth", "newest", "position")


def list_decisions(
    engine: Engine,
    *,
    kind: str | None = None,
    state: str | None = None,
    lever: str | None = None,
    turn: int | None = None,
    subject: str | None = None,
    limit: int | None = 100,
    offset: int = 0,
    order: str = "worth",
) -> list[Entry]:
    """Return decisions, most worth first by default.

    Args:
        engine: Operational database.
        kind: Only this kind.
        state: Only this state.
        lever: Only this lever.
        turn: Only this turn.
        subject: Only this subject.
        limit: Most entries; None for all.
        offset: Entries to skip.
        order: "worth", "newest" or "position" (as the levers made them).

    Raises:
        Misuse: If `state` or `order` is unknown.
    """
    if order not in ORDERS:
        raise Misuse(f"order is {order!r}; expected one of {', '.join(ORDERS)}.", "")
    by = {
        "worth": (decisions.c.worth_minor.desc().nulls_last(), decisions.c.id),
        "newest": (decisions.c.turn.desc(), decisions.c.position),
        "position": (decisions.c.turn, decisions.c.position),
    }[order]
    query = select(decisions).where(
        *_filters(kind=kind, state=state, lever=lever, turn=turn, subject=subject)
    )
    query = query.order_by(*by).offset(offset)
    if limit is not None:
        query = query.limit(limit)
    with reading(engine) as con:
        return [entry_from_row(dict(row._mapping)) for row in con.execute(query)]


def count_decisions(
    engine: Engine,
    *,
    kind: str | None = None,
    state: str | None = None,
    lever: str | None = None,
    turn: int | None = None,
    subject: str | None = None,
) -> int:
    """Return how many decisions `list_decisions` would give without a limit."""
    where = _filters(kind=kind, state=state, lever=lever, turn=turn, subject=subject)
    query: Select[Any] = select(func.count()).select_from(decisions).where(*where)
    with reading(engine) as con:
        return int(con.execute(query).scalar_one())


def find(engine: Engine, decision_id: str) -> Entry:
    """Return one decision.

    Raises:
        NotFound: If there is none with this id.
    """
    with reading(engine) as con:
        return _find(con, decision_id)


def move(
    engine: Engine,
    ids: Iterable[str],
    to_state: str,
    *,
    actor: str,
    note: str = "",
) -> list[Entry]:
    """Move decisions to a state, all of them or none.

    Raises:
        NotFound: If an id is unknown.
        Conflict: If a decision cannot go there from its present state, or its turn
            was rolled back.
    """
    target = DecisionState(to_state)
    with engine.begin() as con:
        return [_move(con, i, target, actor=actor, note=note) for i in _once(ids)]


def undo(
    engine: Engine, ids: Iterable[str], *, actor: str, note: str = ""
) -> list[Entry]:
    """Take back approvals, applications and rejections, all of them or none.

    Raises:
        NotFound: If an id is unknown.
        Conflict: If there is nothing to undo.
    """
    with engine.begin() as con:
        moved = []
        for decision_id in _once(ids):
            entry = _find(con, decision_id)
            target = UNDO.get(entry.state)
            if target is None:
                raise Conflict(
                    f"Decision {entry.id} is {entry.state}; "
                    f"only {', '.join(UNDO)} can be undone.",
                    "Nothing was changed.",
                )
            moved.append(_move(con, decision_id, target, actor=actor, note=note))
        return moved


def edit(
    engine: Engine, decision_id: str, changes: Mapping[str, Any], *, actor: str
) -> Entry:
    """Change values of a proposed decision's action; the original stays on record.

    Raises:
        NotFound: If there is no such decision.
        Conflict: If it is not proposed any more.
        Misuse: If the action has no such value or it has another type.
    """
    with engine.begin() as con:
        entry = _find(con, decision_id)
        if entry.state is not DecisionState.PROPOSED:
            raise Conflict(
                f"Decision {entry.id} is {entry.state}; only a proposed one is edited.",
                "Undo it first.",
            )
        action = dict(entry.action)
        for name, value in changes.items():
            _check_edit(entry, name, value)
            action[name] = value
        con.execute(
            update(decisions)
            .where(decisions.c.id == entry.id)
            .values(
                action=json.dumps(action, sort_keys=True, ensure_ascii=False), edited=1
            )
        )
        note = "edited " + json.dumps(dict(changes), sort_keys=True)
        _record(con, entry.id, entry.state, entry.state, actor, note)
        return _find(con, decision_id)


def history(engine: Engine, decision_id: str) -> list[dict[str, Any]]:
    """Return what happened to a decision, oldest first."""
    query = (
        select(transitions)
        .where(transitions.c.decision_id == decision_id)
        .order_by(transitions.c.seq)
    )
    with reading(engine) as con:
        return [dict(row._mapping) for row in con.execute(query)]


def insert_decisions(
    con: Connection, rows: Sequence[Mapping[str, Any]], *, actor: str
) -> None:
    """Insert a turn's decisions inside the caller's transaction."""
    if not rows:
        return
    con.execute(decisions.insert(), list(rows))
    record_moves(
        con, [(row["id"], "", row["state"]) for row in rows], actor=actor, note=""
    )


def expire(con: Connection, *, turn: int | None = None, on: str | None = None) -> int:
    """Let open decisions lapse, inside the caller's transaction.

    Args:
        con: Open transaction.
        turn: Only decisions of this turn (a rollback).
        on: Only proposals whose last day is before this ISO day.
    """
    open_states = [DecisionState.PROPOSED.value]
    where = []
    if turn is not None:
        open_states += [DecisionState.APPROVED.value, DecisionState.APPLIED.value]
        where.append(decisions.c.turn == turn)
    if on is not None:
        where.append(decisions.c.expires_on < on)
    where.append(decisions.c.state.in_(open_states))
    rows = con.execute(
        select(decisions.c.id, decisions.c.state).where(and_(*where))
    ).all()
    note = "its turn was rolled back" if turn is not None else "nobody answered in time"
    moves = [(row.id, row.state, DecisionState.EXPIRED) for row in rows]
    record_moves(con, moves, actor="turn", note=note)
    con.execute(
        update(decisions).where(and_(*where)).values(state=DecisionState.EXPIRED.value)
    )
    return len(rows)


def _filters(**wanted: Any) -> list[Any]:
    if wanted["state"] is not None and wanted["state"] not in set(DecisionState):
        raise Misuse(
            f"state is {wanted['state']!r}; expected one of "
            f"{', '.join(DecisionState)}.",
            "Choose one of them.",
        )
    return [
        decisions.c[name] == value
        for name, value in wanted.items()
        if value is not None
    ]


def _find(con: Connection, decision_id: str) -> Entry:
    row = con.execute(select(decisions).where(decisions.c.id == decision_id)).first()
    if row is None:
        raise NotFound(
            f"There is no decision {decision_id[:100]!r}.",
            "List them with: cartwheel decisions",
        )
    return entry_from_row(dict(row._mapping))


def _move(
    con: Connection, decision_id: str, target: DecisionState, *, actor: str, note: str
) -> Entry:
    entry = _find(con, decision_id)
    if target not in MOVES[entry.state]:
        possible = ", ".join(sorted(MOVES[entry.state])) or "nothing"
        raise Conflict(
            f"Decision {entry.id} is {entry.state} and cannot become {target}; "
            f"possible is {possible}.",
            "Nothing was changed.",
        )
    if _turn_state(con, entry.turn) == "rolled_back":
        raise Conflict(
            f"Decision {entry.id} belongs to turn {entry.turn}, which was rolled back.",
            "Turn the wheel again.",
        )
    con.execute(
        update(decisions).where(decisions.c.id == entry.id).values(state=target.value)
    )
    _record(con, entry.id, entry.state, target, actor, note)
    return _find(con, decision_id)


def _turn_state(con: Connection, number: int) -> str | None:
    row = con.execute(select(turns.c.state).where(turns.c.number == number)).first()
    return None if row is None else str(row.state)


def _record(
    con: Connection, decision_id: str, before: str, after: str, actor: str, note: str
) -> None:
    record_moves(con, [(decision_id, before, after)], actor=actor, note=note)


def record_moves(
    con: Connection, moves: Iterable[tuple[str, str, str]], *, actor: str, note: str
) -> None:
    """Put on record that decisions changed their state, inside a transaction.

    All at once: shoppers' answers wait while a turn is published.

    Args:
        con: Open transaction.
        moves: Decision, its state before and its state after.
        actor: Who moved them.
        note: Why.
    """
    at = now_text()
    rows = [
        {
            "decision_id": decision_id,
            "from_state": str(before),
            "to_state": str(after),
            "actor": actor,
            "at": at,
            "note": note[:2000],
        }
        for decision_id, before, after in moves
    ]
    if rows:
        con.execute(transitions.insert(), rows)


CHECKED_KINDS = frozenset({"page_fix", "mail_paragraph"})
"""Kinds whose text passed the claim check as it stands: nobody edits it past that."""


def _check_edit(entry: Entry, name: str, value: Any) -> None:
    if entry.kind in CHECKED_KINDS:
        raise Misuse(
            f"Decision {entry.id} is a {entry.kind}: its text was checked against "
            "the facts as it stands and is not edited.",
            "Correct the fact it stands on, and turn the wheel.",
        )
    if name not in entry.action:
        raise Misuse(
            f"The action of {entry.id} has no {name!r}; "
            f"it has {', '.join(sorted(entry.action))}.",
            "Edit one of these.",
        )
    present = entry.action[name]
    if present is not None and type(value) is not type(present):
        raise Misuse(
            f"{name} is {value!r}; expected {type(present).__name__} "
            f"such as {present!r}.",
            "Correct the value.",
        )
    if isinstance(value, int | float) and not isinstance(value, bool) and value < 0:
        raise Misuse(f"{name} is {value}; expected 0 or more.", "Correct the value.")


def _once(ids: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(ids))
