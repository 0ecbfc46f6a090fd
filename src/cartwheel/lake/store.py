"""The lake: DuckLake with a SQLite (or PostgreSQL) catalogue and Parquet files.

Writers append in one transaction under the shop's writer lock; readers pin a snapshot
and never wait. The DuckDB extension files come from Python packages, so nothing is
downloaded and signature checks stay on.
"""

from __future__ import annotations

import fcntl
import json
import os
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cartwheel.errors import Busy, Failure
from cartwheel.lake.tables import BOOKKEEPING, SQL_TYPES, TABLES, Column

if TYPE_CHECKING:
    import duckdb  # heavy: imported inside functions, the API process goes without

INTAKE_COLUMNS = (
    ("batch", "text"),
    ("kind", "text"),
    ("path", "text"),
    ("started_at", "instant"),
    ("rows_read", "int"),
    ("rows_kept", "int"),
    ("rows_duplicate", "int"),
    ("rows_rejected", "int"),
    ("facts_added", "int"),
    ("notes", "text"),
)
REJECT_COLUMNS = (
    ("batch", "text"),
    ("file", "text"),
    ("line", "int"),
    ("field", "text"),
    ("value", "text"),
    ("reason", "text"),
)
WATERMARK_COLUMNS = (("kind", "text"), ("seq", "int"), ("batch", "text"))


def _columns(named: tuple[tuple[str, str], ...]) -> tuple[Column, ...]:
    return tuple(Column(name=n, type=t, doc="") for n, t in named)  # type: ignore[arg-type]


LEDGERS: dict[str, tuple[Column, ...]] = {
    "imports": _columns(INTAKE_COLUMNS),
    "rejects": _columns(REJECT_COLUMNS),
    "watermarks": _columns(WATERMARK_COLUMNS),
}
"""Tables about the lake itself, written in the same transactions as the facts."""


def extension_path(name: str) -> str:
    """Return the packaged file of a DuckDB extension."""
    import duckdb

    root = files(f"duckdb_extension_{name}")
    return str(
        root / "extensions" / f"v{duckdb.__version__}" / f"{name}.duckdb_extension"
    )


def connect(
    *, threads: int = 2, memory: str = "2GB", postgres: bool = False
) -> duckdb.DuckDBPyConnection:
    """Return an in-memory DuckDB connection with the lake's extensions loaded.

    Args:
        threads: Threads it may use.
        memory: Memory it may use.
        postgres: Whether the catalogue is in PostgreSQL instead of SQLite. Checking
            an extension's signature takes time, so only what is needed is loaded.
    """
    import duckdb

    con = duckdb.connect(
        ":memory:",
        config={
            "threads": threads,
            "memory_limit": memory,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "preserve_insertion_order": True,
        },
    )
    catalogue = "postgres_scanner" if postgres else "sqlite_scanner"
    for name in (catalogue, "ducklake"):
        con.execute(f"LOAD '{extension_path(name)}'")
    con.execute("SET TimeZone = 'UTC'")
    return con


_idle: dict[bool, list[duckdb.DuckDBPyConnection]] = {False: [], True: []}
_IDLE_KEPT = 2


@contextmanager
def _idle_engine(*, postgres: bool) -> Iterator[duckdb.DuckDBPyConnection]:
    """Lend an engine with the extensions loaded to one user at a time.

    Checking the extensions' signatures takes longer than most uses of the lake, so a
    few engines are kept. One whose use ended in an error is thrown away.
    """
    engines = _idle[postgres]
    try:
        engine = engines.pop()
    except IndexError:
        engine = connect(postgres=postgres)
    try:
        yield engine
    except BaseException:
        engine.close()
        raise
    if len(engines) < _IDLE_KEPT:
        engines.append(engine)
    else:
        engine.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Lake:
    """The lake of one shop.

    Attributes:
        folder: Folder of the catalogue file and the Parquet files.
        catalogue_url: PostgreSQL connection string of the catalogue, or None for
            the SQLite file in `folder`.
    """

    folder: Path
    catalogue_url: str | None = None

    def _source(self) -> str:
        if self.catalogue_url is not None:
            return f"ducklake:postgres:{self.catalogue_url}"
        return f"ducklake:sqlite:{self.folder / 'catalogue.sqlite'}"

    @property
    def data_path(self) -> Path:
        """Folder of the Parquet files."""
        return self.folder / "data"

    def create(self) -> None:
        """Create every table that does not exist yet; safe to repeat."""
        self.data_path.mkdir(parents=True, exist_ok=True)
        with self.lock(), self.attached() as con:
            con.execute("BEGIN")
            widen(con)
            con.execute("COMMIT")

    @contextmanager
    def attached(
        self, *, snapshot: int | None = None, read_only: bool = False
    ) -> Iterator[duckdb.DuckDBPyConnection]:
        """Yield a connection with the lake attached as `lake`.

        Args:
            snapshot: Snapshot to pin; implies reading only.
            read_only: Refuse writes.

        Raises:
            Failure: If the lake cannot be opened.
        """
        import duckdb

        # The catalogue remembers where the folder was; a shop may have been moved.
        options = [f"DATA_PATH '{self.data_path}'", "OVERRIDE_DATA_PATH true"]
        if snapshot is not None:
            options += [f"SNAPSHOT_VERSION {int(snapshot)}", "READ_ONLY"]
        elif read_only:
            options += ["READ_ONLY"]
        with _idle_engine(postgres=self.catalogue_url is not None) as engine:
            con = engine.cursor()
            _attach(con, f"ATTACH '{self._source()}' AS lake ({', '.join(options)})")
            try:
                yield con
            except duckdb.IOException as error:
                raise Failure(
                    f"A file of the lake cannot be read or written: "
                    f"{_first_line(error)}",
                    "Check the disk and the shop's folder, or restore a backup.",
                ) from error
            finally:
                con.close()  # ends an open transaction, drops temporary tables
                engine.execute("DETACH lake")

    @contextmanager
    def lock(self, *, wait_seconds: float = 30.0) -> Iterator[None]:
        """Hold the shop's writer lock; the system frees it when the process dies.

        Raises:
            Busy: If another process keeps it for longer than `wait_seconds`.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(self.folder / "writer.lock", os.O_CREAT | os.O_RDWR, 0o600)
        try:
            deadline = time.monotonic() + wait_seconds
            while True:
                try:
                    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() > deadline:
                        raise Busy(
                            "Another import or turn is writing to this shop.",
                            "Try again when it has ended.",
                        ) from None
                    threading.Event().wait(0.05)
            yield
        finally:
            os.close(handle)

    @contextmanager
    def transaction(
        self, author: str, message: str, extra: Mapping[str, Any] | None = None
    ) -> Iterator[duckdb.DuckDBPyConnection]:
        """Yield a connection inside one lake transaction, under the writer lock.

        Everything in it is committed together or not at all.
        """
        import duckdb

        with self.lock(), self.attached() as con:
            con.execute("BEGIN")
            try:
                yield con
                con.execute(
                    "CALL lake.set_commit_message(?, ?, extra_info => ?)",
                    [author, message, json.dumps(dict(extra or {}))],
                )
                con.execute("COMMIT")
            except duckdb.Error as error:
                _roll_back(con)
                raise Failure(
                    f"The lake could not be written: {_first_line(error)}",
                    "Nothing was changed. Check free disk space and try again.",
                ) from error
            except BaseException:
                _roll_back(con)
                raise

    def snapshot(self) -> int:
        """Return the number of the newest snapshot."""
        with self.attached(read_only=True) as con:
            row = con.execute(
                "SELECT max(snapshot_id) FROM lake.snapshots()"
            ).fetchone()
        return int(row[0]) if row else 0

    def compact(self) -> None:
        """Merge small files and write inlined rows out as Parquet."""
        with self.lock(), self.attached() as con:
            con.execute("CALL ducklake_flush_inlined_data('lake')")
            con.execute("CALL ducklake_merge_adjacent_files('lake')")


def all_tables() -> dict[str, tuple[Column, ...]]:
    """Return the columns of every table in the lake, by name."""
    facts = {table.name: table.columns + BOOKKEEPING for table in TABLES}
    return {**facts, **LEDGERS}


def tables_in(con: duckdb.DuckDBPyConnection) -> dict[str, set[str]]:
    """Return the columns of every table that the attached lake has, by name."""
    have: dict[str, set[str]] = {}
    for table, column in con.execute(
        "SELECT table_name, column_name FROM duckdb_columns() "
        "WHERE database_name = 'lake'"
    ).fetchall():
        have.setdefault(table, set()).add(column)
    return have


def widen(con: duckdb.DuckDBPyConnection) -> None:
    """Add the tables and columns that a lake made by an earlier version lacks.

    Args:
        con: A connection with the lake attached for writing, inside a transaction.
    """
    have = tables_in(con)
    for name, columns in all_tables().items():
        if name not in have:
            body = ", ".join(f"{c.name} {SQL_TYPES[c.type]}" for c in columns)
            con.execute(f"CREATE TABLE lake.{name} ({body})")
            continue
        for column in columns:
            if column.name not in have[name]:
                con.execute(
                    f"ALTER TABLE lake.{name} "
                    f"ADD COLUMN {column.name} {SQL_TYPES[column.type]}"
                )


def _attach(con: duckdb.DuckDBPyConnection, statement: str) -> None:
    # Two processes attaching at once can meet "database is locked" on the catalogue.
    import duckdb

    for attempt in range(20):
        try:
            con.execute(statement)
            return
        except duckdb.Error as error:
            if "lock" not in str(error).lower() or attempt == 19:
                raise Failure(
                    f"The lake cannot be opened: {_first_line(error)}.",
                    "Check that the shop's folder is complete, or restore a backup.",
                ) from error
            threading.Event().wait(0.05 * (attempt + 1))


def _roll_back(con: duckdb.DuckDBPyConnection) -> None:
    import duckdb

    try:
        con.execute("ROLLBACK")
    except duckdb.Error:
        return  # the transaction was already over


def _first_line(error: Exception) -> str:
    return (
        str(error).strip().splitlines()[0][:300] if str(error).strip() else repr(error)
    )
