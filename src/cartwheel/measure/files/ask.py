"""Asking for what a call left out: at a terminal by questions, else by one error."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from cartwheel.errors import Misuse
from cartwheel.measure.files.reading import Columns, cell_of

if TYPE_CHECKING:
    import duckdb

ARM_WORDS = ("arm", "variant", "version", "group", "segment", "treatment", "bucket")
CONTROL_WORDS = ("control", "holdout", "none", "no", "off", "a", "0", "false", "old")
UNIT_WORDS = ("user", "customer", "visitor", "unit", "id", "client", "person")
MOST_LISTED = 10


def guess_unit(con: duckdb.DuckDBPyConnection, columns: Columns) -> str | None:
    """Return the column that names units by its name and by telling rows apart."""
    named = _by_words(columns.names, UNIT_WORDS)
    for name in [*named, *columns.names]:
        cell = cell_of(name)
        row = con.execute(
            f"SELECT count(*), count(DISTINCT {cell}) FROM (SELECT * FROM file "
            "LIMIT 10000)"
        ).fetchone()
        if row is not None and row[0] and row[1] == row[0]:
            return name
    return named[0] if named else None


def guess_arm(con: duckdb.DuckDBPyConnection, columns: Columns) -> str | None:
    """Return the column that holds arms, by its name and its few values."""
    for name in _with_word(columns.names, ARM_WORDS):
        if 2 <= len(arms_of(con, name)) <= MOST_LISTED:
            return name
    return None


def arms_of(con: duckdb.DuckDBPyConnection, column: str) -> list[str]:
    """Return the values of a column, at most one more than are listed."""
    cell = cell_of(column)
    rows = con.execute(
        f"SELECT {cell} AS arm FROM file WHERE {cell} IS NOT NULL GROUP BY arm "
        f"ORDER BY count(*) DESC, arm LIMIT {MOST_LISTED + 1}"
    ).fetchall()
    return [str(row[0]) for row in rows]


def guess_control(arms: list[str]) -> str | None:
    """Return the arm whose name says that nothing was done."""
    lowered = {arm.lower(): arm for arm in arms}
    for word in CONTROL_WORDS:
        if word in lowered:
            return lowered[word]
    for arm in arms:
        if any(word in arm.lower() for word in CONTROL_WORDS[:3]):
            return arm
    return None


def complain(
    path: Path,
    missing: list[str],
    columns: Columns,
    *,
    unit: str | None,
    arm: str | None,
    control: str | None,
) -> Misuse:
    """Return the error of a call that left something out, with a call that would do."""
    call = [
        f"cartwheel measure {path}",
        f"--unit {unit or 'COL'}",
        f"--arm {arm or 'COL'}",
        f"--control {control or 'VALUE'}",
        "--metric NAME=COL",
    ]
    return Misuse(
        f"{' and '.join(missing)} missing; the file has the columns "
        f"{', '.join(columns.names[:40])}.",
        f"Say which is which: {' '.join(call)}",
    )


def _by_words(names: list[str], words: tuple[str, ...]) -> list[str]:
    return [name for word in words for name in names if word in name.lower()]


def _with_word(names: list[str], words: tuple[str, ...]) -> list[str]:
    """As `_by_words`, but the word must stand alone: a conversion is no version."""
    parts = {name: set(re.split(r"[^a-z]+", name.lower())) for name in names}
    return [name for word in words for name in names if word in parts[name]]
