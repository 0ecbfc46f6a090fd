"""Rows of the inbox, stored inside a transaction: each id once, whoever sends it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from sqlalchemy import Connection, select, text

from cartwheel.operations import inbox, now_text

Outcome = Literal["stored", "duplicate", "conflict"]

WRITER_LOCK = 0x63617274
"""PostgreSQL advisory lock: one commit at a time over all replicas, so that rows
become visible in the order of `seq` and the drain's watermark skips none."""

INSERTS = {
    name: "INSERT INTO inbox (kind, id, body, received_at) "
    f"VALUES ({', '.join([mark] * 4)}) ON CONFLICT (kind, id) DO NOTHING"
    for name, mark in (("sqlite", "?"), ("postgresql", "%s"))
}
"""The driver's own statement: it runs for every commit, and building one with
SQLAlchemy takes more processor time than the commit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row for the inbox.

    Attributes:
        kind: Fact table it is for.
        id: Id within the kind; a second row of the same id is never stored.
        body: Canonical JSON of the columns.
    """

    kind: str
    id: str
    body: str


def store_rows(connection: Connection, rows: Sequence[Row]) -> list[Outcome]:
    """Store rows inside the caller's transaction; return the outcome of each."""
    if not rows:
        return []
    bodies: dict[tuple[str, str], str] = {}
    for row in rows:
        bodies.setdefault((row.kind, row.id), row.body)
    count = _insert_new(connection, bodies)
    if count == len(rows):
        return ["stored"] * count
    known = _read_known(connection, list(bodies))
    # Numbers only rise, and one writer commits at a time: what this transaction
    # inserted are the highest.
    by_number = sorted(known, key=lambda key: known[key].number, reverse=True)
    fresh = set(by_number[:count])
    outcomes: list[Outcome] = []
    for row in rows:
        key = (row.kind, row.id)
        if known[key].body != row.body:
            outcomes.append("conflict")
        elif key in fresh:
            fresh.discard(key)
            outcomes.append("stored")
        else:
            outcomes.append("duplicate")
    return outcomes


def _insert_new(connection: Connection, bodies: dict[tuple[str, str], str]) -> int:
    """Insert the rows of unknown ids; return how many those were."""
    dialect = connection.dialect.name
    if dialect == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:k)"), {"k": WRITER_LOCK})
    at = now_text()
    values = [(kind, key, body, at) for (kind, key), body in bodies.items()]
    return connection.exec_driver_sql(INSERTS[dialect], values).rowcount


class _Known(NamedTuple):
    number: int
    body: str


def _read_known(
    connection: Connection, keys: Sequence[tuple[str, str]]
) -> dict[tuple[str, str], _Known]:
    found: dict[tuple[str, str], _Known] = {}
    for start in range(0, len(keys), 500):
        part = keys[start : start + 500]
        for kind in sorted({kind for kind, _ in part}):
            query = select(inbox.c.id, inbox.c.seq, inbox.c.body).where(
                inbox.c.kind == kind,
                inbox.c.id.in_([key for other, key in part if other == kind]),
            )
            for row in connection.execute(query):
                found[kind, row.id] = _Known(row.seq, row.body)
    return found
