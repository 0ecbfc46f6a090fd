"""Opening a file that comes from outside, with DuckDB, as one table of known types.

Numbers are read from text by our own rule, so that one bad cell is counted and named
instead of stopping the reader or turning a whole column into text.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cartwheel.errors import Failure, Misuse
from cartwheel.measure.files.question import Question

if TYPE_CHECKING:
    import duckdb

MISSING = ("", "NA", "N/A", "n/a", "null", "NULL", "None", "nan", "NaN")
"""Cells of a CSV file that say that there is no value."""

MEMORY = "1500MB"
PARQUET = frozenset([".parquet", ".pq"])


@dataclass(frozen=True, slots=True)
class Columns:
    """Columns of a file with their types in DuckDB's words; text in a CSV file."""

    types: dict[str, str]

    @property
    def names(self) -> list[str]:
        """Their names, in the file's order."""
        return list(self.types)


def connect() -> duckdb.DuckDBPyConnection:
    """Return a database in memory, bounded."""
    import duckdb

    con = duckdb.connect()
    con.execute(f"SET memory_limit = '{MEMORY}'")
    con.execute("SET threads = 2")
    con.execute("SET preserve_insertion_order = true")  # rows are read back in order
    con.execute("SET TimeZone = 'UTC'")
    return con


def open_file(con: duckdb.DuckDBPyConnection, path: Path) -> Columns:
    """Make the view `file` of a CSV or Parquet file and return its columns.

    Raises:
        Misuse: If there is no such file, or it is neither.
    """
    import duckdb

    if not path.is_file():
        raise Misuse(
            f"There is no file {path}.", "Name a CSV or Parquet file with a row a unit."
        )
    name = _quoted(str(path), "'")
    if path.suffix.lower() in PARQUET:
        source = f"read_parquet({name})"
    else:
        empty = ", ".join(_quoted(text, "'") for text in MISSING)
        source = (
            f"read_csv({name}, header = true, all_varchar = true, nullstr = [{empty}], "
            "strict_mode = true, ignore_errors = false)"
        )
    try:
        con.execute(f"CREATE VIEW file AS SELECT * FROM {source}")
        rows = con.execute("DESCRIBE file").fetchall()
    except duckdb.Error as error:
        raise _unreadable(path, error) from error
    return Columns({str(row[0]): str(row[1]) for row in rows})


def check_columns(columns: Columns, wanted: Sequence[str]) -> None:
    """Refuse a column that the file does not have.

    Raises:
        Misuse: Naming it, what there is, and the nearest name.
    """
    for name in wanted:
        if name in columns.types:
            continue
        near = difflib.get_close_matches(name, columns.names, n=1)
        shown = ", ".join(columns.names[:40])
        raise Misuse(
            f"There is no column {name!r}; the file has {shown}.",
            f"Did you mean {near[0]!r}?" if near else "Name one of these.",
        )


def load(con: duckdb.DuckDBPyConnection, asked: Question, columns: Columns) -> None:
    """Make the table `units`: number, unit, arm, shown, happened and every value.

    Values stand under their own names behind a "v:"; a cell that is no number is null
    there and true under "bad:". Numbers count the file's rows from 1.

    Raises:
        Misuse: If a row cannot be read.
    """
    import duckdb

    parts = [
        "row_number() OVER () AS number",
        f"{_text(asked.unit)} AS unit",
        f"{_text(asked.arm)} AS arm",
        f"{_text(asked.shown) if asked.shown else 'NULL::VARCHAR'} AS shown",
        f"{_text(asked.time) if asked.time else 'NULL::VARCHAR'} AS happened",
    ]
    values = dict.fromkeys(c for m in asked.metrics for c in m.columns)
    for column in values:
        number, bad = _number(column, columns.types[column])
        parts.append(f"{number} AS {_quoted('v:' + column)}")
        parts.append(f"{bad} AS {_quoted('bad:' + column)}")
    try:
        con.execute(f"CREATE TABLE units AS SELECT {', '.join(parts)} FROM file")
    except duckdb.OutOfMemoryException as error:
        raise Failure(
            f"{asked.path} does not fit into {MEMORY} with the columns asked for.",
            "Ask for fewer metrics at once.",
        ) from error
    except duckdb.Error as error:
        raise _unreadable(asked.path, error) from error


def value_of(column: str) -> str:
    """Return SQL of a column's number in `units`."""
    return _quoted("v:" + column)


def bad_of(column: str) -> str:
    """Return SQL that tells whether a column's cell is no number."""
    return _quoted("bad:" + column)


def cell_of(column: str) -> str:
    """Return SQL of a column's cell as text in `file`."""
    return _text(column)


def _text(column: str) -> str:
    return f"nullif(trim(CAST({_quoted(column)} AS VARCHAR)), '')"


def _number(column: str, type_: str) -> tuple[str, str]:
    """Return SQL of a number and of whether a cell is none though it says something."""
    name = _quoted(column)
    if type_ == "BOOLEAN":
        return f"CAST({name} AS DOUBLE)", "false"
    if type_ != "VARCHAR":
        number = f"TRY_CAST({name} AS DOUBLE)"
        return f"CASE WHEN isnan({number}) THEN NULL ELSE {number} END", (
            f"({name} IS NOT NULL AND {number} IS NULL)"
        )
    text = _text(column)
    number = (
        f"coalesce(TRY_CAST({text} AS DOUBLE), "
        f"CASE lower({text}) WHEN 'true' THEN 1.0 WHEN 'false' THEN 0.0 "
        "WHEN 'yes' THEN 1.0 WHEN 'no' THEN 0.0 END)"
    )
    return f"CASE WHEN isnan({number}) THEN NULL ELSE {number} END", (
        f"({text} IS NOT NULL AND {number} IS NULL)"
    )


def _quoted(text: str, mark: str = '"') -> str:
    return f"{mark}{text.replace(mark, mark * 2)}{mark}"


def _unreadable(path: Path, error: Exception) -> Misuse:
    said = " ".join(str(error).split())[:300].rstrip(".")
    return Misuse(
        f"{path} cannot be read: {said}.",
        "Save it as CSV in UTF-8 with a header line, or as Parquet.",
    )
