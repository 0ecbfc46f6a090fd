"""Open one Parquet or CSV file of a published data set with known columns.

For sources whose columns are known by name; `connectors.detect` handles files that
people make.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from cartwheel.connectors.base import SourceFile
from cartwheel.errors import Misuse

if TYPE_CHECKING:
    import duckdb

LINE_LIMIT = 32_000_000
"""Longest line of a CSV file in bytes."""

_MAGIC = b"PAR1"


def load_source(
    con: duckdb.DuckDBPyConnection,
    path: Path,
    name: str,
    columns: Iterable[str],
    *,
    first_row: int = 0,
) -> SourceFile:
    """Load a file into the temporary table `name`; its row number is column `n`.

    Every column is text. Columns that are not asked for are left out.

    Args:
        con: Connection.
        path: The file.
        name: Name of the table.
        columns: Columns needed.
        first_row: Number of its first row.

    Raises:
        Misuse: If the file is missing, empty, truncated, no table, has no rows, or
            lacks a column.
    """
    import duckdb

    scan, note = _scan(path)
    wanted = list(columns)
    try:
        found = con.execute(f"DESCRIBE SELECT * FROM {scan}").fetchall()
        missing = [column for column in wanted if column not in {f[0] for f in found}]
        if missing:
            raise Misuse(
                f"{path.name} has no column {', '.join(missing)}; "
                f"expected {', '.join(wanted)}.",
                "Check that this is the right file, with its header line.",
            )
        # As text, whatever Parquet says: one way to read, and to reject, for both.
        listed = ", ".join(f'CAST("{c}" AS VARCHAR) AS "{c}"' for c in wanted)
        con.execute(
            f"CREATE TEMP TABLE {name} AS SELECT {listed}, "
            f"{first_row} + row_number() OVER () - 1 AS n FROM {scan}"
        )
        row = con.execute(f"SELECT count(*) FROM {name}").fetchone()
    except duckdb.Error as error:
        raise _unreadable(path, str(error).strip().splitlines()[0][:300]) from error
    rows = int(row[0]) if row else 0
    if rows == 0:
        raise Misuse(
            f"{path.name} holds no rows.", "Check that the export is complete."
        )
    # Parquet has no lines: line n stands for the n-th row.
    lines = range(1, rows + 1) if note == "Parquet" else None
    return SourceFile(
        name=path.name, first_row=first_row, rows=rows, note=note, lines=lines
    )


def check_file(path: Path) -> None:
    """Raise `Misuse` unless `path` is a file with something in it."""
    if not path.exists():
        raise Misuse(f"{path} does not exist.", "Check the path.")
    if not path.is_file():
        raise Misuse(f"{path} is not a file.", "Name the file itself.")
    if path.stat().st_size == 0:
        raise Misuse(f"{path.name} is empty.", "Check that the export is complete.")


def _scan(path: Path) -> tuple[str, str]:
    """Return the SQL that reads a file, and a note on what it was found to be."""
    check_file(path)
    quoted = "'" + str(path).replace("'", "''") + "'"
    try:
        with path.open("rb") as handle:
            head = handle.read(4)
            handle.seek(-min(4, path.stat().st_size), 2)
            tail = handle.read(4)
    except OSError as error:
        raise _unreadable(path, str(error.strerror)) from error
    if head == _MAGIC or path.suffix.lower() == ".parquet":
        if head != _MAGIC:
            raise _unreadable(path, "it is no Parquet file")
        if tail != _MAGIC:
            raise _unreadable(path, "the Parquet file is cut off")
        return f"read_parquet({quoted})", "Parquet"
    return _csv_scan(path, quoted)


def _csv_scan(path: Path, quoted: str) -> tuple[str, str]:
    encoding = _encoding(path)
    with path.open(encoding=encoding, errors="replace", newline="") as handle:
        header = handle.readline(100_000)
    if "\x00" in header:
        raise _unreadable(path, "it is neither Parquet nor CSV")
    delimiter = max(",;\t", key=header.count)
    options = (
        f"delim = '{delimiter}', header = true, quote = '\"', escape = '\"', "
        f"all_varchar = true, encoding = '{encoding}', max_line_size = {LINE_LIMIT}, "
        "parallel = false, null_padding = true"
    )
    shown = "tab" if delimiter == "\t" else delimiter
    return f"read_csv({quoted}, {options})", f"CSV, {encoding}, delimiter {shown!r}"


def _encoding(path: Path) -> str:
    """Return utf-8, or latin-1 when some byte is no UTF-8."""
    import codecs

    decoder = codecs.getincrementaldecoder("utf-8")()
    with path.open("rb") as handle:
        while block := handle.read(1 << 20):
            try:
                decoder.decode(block)
            except UnicodeDecodeError:
                return "latin-1"
    return "utf-8"


def _unreadable(path: Path, why: str) -> Misuse:
    return Misuse(
        f"{path.name} cannot be read: {why.rstrip('.')}.",
        "Expected a complete Parquet or CSV file; export or copy it again.",
    )
