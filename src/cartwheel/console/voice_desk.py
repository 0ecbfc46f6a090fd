"""Corrections of themes as the console keeps them: a record, and a row on its way.

What somebody says is written into the record, which is never changed, and in the same
transaction into the inbox, through which it reaches the lake. A turn is pinned to the
lake, so one that is replayed sees the corrections that it saw.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, func, insert, select

from cartwheel.api.inbox_writer import Row, store_rows
from cartwheel.errors import Conflict, Misuse, NotFound
from cartwheel.operations import now_text, reading, theme_corrections
from cartwheel.text.objections.classes import CLASSES
from cartwheel.text.objections.corrections import (
    MERGE,
    MOVE,
    NOT_THIS,
    OF_A_SENTENCE,
    SPLIT,
    TAKE_BACK,
    Standing,
    read_title,
    read_words,
    standing,
)

KIND = "theme_corrections"
MOST_KEPT = 20_000
"""Corrections a shop may ever make; each turn reads them all."""

MOST_SPLITS = 5
"""Themes of their own beneath one class."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """The sentences that were shown together when somebody corrected one.

    Attributes:
        objection: Class they were shown under.
        keys: Their fingerprints.
    """

    objection: str
    keys: tuple[str, ...]


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
        shown: Where it was said.
        actor: Who says it.

    Raises:
        Misuse: If a value does not fit, or the sentence was not shown.
        Conflict: If the same is said already, or would close a circle.
    """
    said = {**NOTHING, **_checked(typed, shown)}
    with engine.begin() as con:
        rows = _rows(con)
        if len(rows) >= MOST_KEPT:
            raise Misuse(
                f"{MOST_KEPT:,} corrections were made.", "No more can be kept."
            )
        _check_new(said, standing(rows))
        return _keep(con, said, actor)


def take_back(engine: Engine, name: str, actor: str) -> None:
    """Take a correction back, from the next turn on.

    Raises:
        NotFound: If no such correction stands.
    """
    with engine.begin() as con:
        if name not in standing(_rows(con)).by_id:
            raise NotFound(
                f"No correction {name[:40]!r} stands.", "See the page Voice."
            )
        _keep(con, {**NOTHING, "kind": TAKE_BACK, "takes_back": name}, actor)


def _checked(typed: Mapping[str, str], shown: Shown) -> dict[str, str]:
    """Return the columns that a kind of correction has."""
    kind = typed.get("kind", "")
    found = {"kind": kind, "objection": shown.objection}
    if kind not in (NOT_THIS, MOVE, MERGE, SPLIT):
        raise Misuse(
            f"The correction is {kind[:50]!r}.",
            f"Use one of {NOT_THIS}, {MOVE}, {MERGE}, {SPLIT}.",
        )
    if kind in (MOVE, MERGE):
        found["into_objection"] = _other_class(typed.get("into", ""), shown.objection)
    if kind in OF_A_SENTENCE:
        key = typed.get("sentence", "")
        if key not in shown.keys:
            raise Misuse(
                "The published turn quotes no such sentence here.",
                "Open the page again; a turn may have been published meanwhile.",
            )
        found["sentence"] = key
        found["beside"] = " ".join(one for one in shown.keys if one != key)
    if kind == SPLIT:
        found["words"] = "\n".join(read_words(typed.get("words", "")))
        found["title"] = read_title(typed.get("title", ""))
    return found


def _other_class(name: str, objection: str) -> str:
    if name not in CLASSES or name == objection:
        raise Misuse(
            f"The other theme is {name[:50]!r}.",
            f"Choose another of the themes: {', '.join(CLASSES)}.",
        )
    return name


def _check_new(said: Mapping[str, Any], stands: Standing) -> None:
    """Refuse what is said already, and what would have no effect.

    Raises:
        Conflict: Naming what stands.
    """
    kind, objection = said["kind"], said["objection"]
    if kind in OF_A_SENTENCE:
        instead = said["into_objection"] or ""
        if stands.sentences.get((said["sentence"], objection)) == instead:
            raise Conflict(
                "This sentence is corrected so already.", "The next turn reads it so."
            )
    if kind == MERGE:
        if stands.counted_as(said["into_objection"]) == objection:
            raise Conflict(
                f"{CLASSES[said['into_objection']]} is counted under "
                f"{CLASSES[objection]} already.",
                "Take that back first.",
            )
        if stands.counted_as(objection) != objection:
            raise Conflict(
                f"{CLASSES[objection]} is counted under another theme already.",
                "Take that back first.",
            )
    if kind == SPLIT:
        beside = [one for one in stands.splits if one.objection == objection]
        titles = {one.title.casefold() for one in beside}
        if said["title"].casefold() in titles or len(beside) >= MOST_SPLITS:
            raise Conflict(
                f"There are {len(beside)} themes beneath {CLASSES[objection]}, "
                f"at most {MOST_SPLITS} of different names.",
                "Choose another name, or take one back.",
            )


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
