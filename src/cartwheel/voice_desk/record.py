"""Corrections of themes as they are kept: a record, and a row on its way.

What somebody says is written into the record, which is never changed, and in the same
transaction into the inbox, through which it reaches the lake. A turn is pinned to the
lake, so one that is replayed sees the corrections that it saw.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, func, insert, select

from cartwheel.errors import Misuse, NotFound
from cartwheel.inbox_rows import Row, store_rows
from cartwheel.operations import now_text, reading, theme_corrections
from cartwheel.text.objections.corrections import TAKE_BACK, standing
from cartwheel.voice_desk.shown import Shown, check_new, check_said

KIND = "theme_corrections"
MOST_KEPT = 20_000
"""Corrections a shop may ever make; each turn reads them all."""

NOTHING: Mapping[str, None] = dict.fromkeys(
    (
        "objection",
        "into_objection",
        "sentence",
        "beside",
        "words",
        "title",
        "takes_back",
    )
)


def read_record(engine: Engine) -> list[dict[str, Any]]:
    """Return everything that was ever said, in the order in which it was."""
    with reading(engine) as con:
        return _rows(con)


def add_correction(
    engine: Engine, typed: Mapping[str, str], shown: Shown, actor: str
) -> str:
    """Keep what somebody said and return its id; it acts from the next turn on.

    Args:
        engine: Operational database.
        typed: `kind`, and what that kind needs: `sentence`, `into`, `words`, `title`.
        shown: What it is said of.
        actor: Who says it.

    Raises:
        Misuse: If a value does not fit, or the sentence was not shown.
        Conflict: If the same is said already, or would close a circle.
    """
    said = {**NOTHING, **check_said(typed, shown)}
    with engine.begin() as con:
        rows = _rows(con)
        if len(rows) >= MOST_KEPT:
            raise Misuse(
                f"{MOST_KEPT:,} corrections were made.", "No more can be kept."
            )
        check_new(said, standing(rows))
        return _keep(con, said, actor)


def take_back(engine: Engine, name: str, actor: str) -> None:
    """Take a correction back, from the next turn on.

    Raises:
        NotFound: If no such correction stands.
    """
    with engine.begin() as con:
        if name not in standing(_rows(con)).by_id:
            raise NotFound(
                f"No correction {name[:40]!r} stands.",
                "See the page Voice, or: cartwheel voice corrections",
            )
        _keep(con, {**NOTHING, "kind": TAKE_BACK, "takes_back": name}, actor)


def _keep(con: Connection, said: Mapping[str, Any], actor: str) -> str:
    """Write into the record and the inbox what was said, and return its id."""
    newest = con.execute(select(func.max(theme_corrections.c.made_at))).scalar()
    name, at = secrets.token_hex(8), _after(newest)
    body = {**said, "made_by": actor, "made_at": at}
    text = json.dumps(body, ensure_ascii=False, sort_keys=True)
    con.execute(insert(theme_corrections).values(id=name, body=text, made_at=at))
    store_rows(con, [Row(kind=KIND, id=name, body=text)])
    return name


def _after(newest: str | None) -> str:
    """Return the present instant, or one behind the newest where the clock went back.

    The order tells which of two corrections overrules the other.
    """
    now = now_text()
    if newest is None or newest < now:
        return now
    later = datetime.fromisoformat(newest) + timedelta(microseconds=1)
    return later.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _rows(con: Connection) -> list[dict[str, Any]]:
    query = select(theme_corrections).order_by(
        theme_corrections.c.made_at, theme_corrections.c.id
    )
    return [
        {**json.loads(row.body), "correction_id": row.id} for row in con.execute(query)
    ]


def describe_record(
    rows: Iterable[Mapping[str, Any]], published: Mapping[str, Any]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return corrections that stand, newest first, and those taken back.

    Args:
        rows: The record.
        published: What the turn in force published of themes, {} for nothing.
    """
    rows = list(rows)
    stands = standing(rows)
    seen, met = published.get("standing", ()), published.get("corrected", {})
    backs = {row["takes_back"]: row for row in rows if row["kind"] == TAKE_BACK}
    told = [
        {
            **row,
            "said": met.get(row["sentence"] or "", ["", 0]),
            "acts": row["correction_id"] in seen,
            "back": backs.get(row["correction_id"]),
        }
        for row in reversed(rows)
        if row["kind"] != TAKE_BACK
    ]
    return (
        [one for one in told if one["correction_id"] in stands.by_id],
        [one for one in told if one["back"]],
    )
