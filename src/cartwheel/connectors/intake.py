"""Intake: from a source to the lake, every row accounted for, in one transaction.

What becomes of a source row:

- rejected: the connector rejected it, or a fact it carries fails a check
  (`connectors.checks`), uses the id of an immutable fact for other content, or is a
  line of an order of which no version survived. All its facts are left out, except
  facts about things that several rows may describe (`staging.SHARED`: orders,
  customers, products, ...): one of those stays when it passes its own checks and a
  fact of another, surviving row refers to it.
- duplicate: the connector found it to repeat an earlier row, or every fact it carries
  is already in the lake or earlier in the same source.
- kept: everything else. A supporting row (one that only added to facts carried by
  other rows) is kept when the import added any fact, else a duplicate.

Facts, the `imports` row and the `rejects` rows are one lake transaction: an import
that is interrupted leaves nothing.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cartwheel.connectors.base import Harvest, ImportContext, Mark, RemoteConnector
from cartwheel.connectors.dedup import append_fresh, find_fresh
from cartwheel.connectors.registry import find_connector
from cartwheel.connectors.rejects import read_rejects, write_rejects
from cartwheel.connectors.staging import source_rows, stage_harvest, tables_of
from cartwheel.errors import Failure, Misuse
from cartwheel.lake.store import widen
from cartwheel.shop import Shop

if TYPE_CHECKING:
    import duckdb
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["ImportReport", "append_harvest", "import_source", "read_rejects"]

_KEPT, _DUPLICATE, _REJECTED = 1, 2, 3


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportReport:
    """What became of one import.

    Attributes:
        batch: Id of the import, as on its facts and rejects.
        kind: Kind of source.
        rows_read: Source rows; kept, duplicate and rejected ones add up to it.
        rows_kept: Rows that brought something new.
        rows_duplicate: Rows that said what was known already.
        rows_rejected: Rows kept aside; see `read_rejects`.
        facts_added: Fact rows added to the lake.
        by_table: Fact rows added by table, tables without any left out.
        notes: What was detected and assumed, for people.
        seconds: Time it took.
    """

    batch: str
    kind: str
    rows_read: int
    rows_kept: int
    rows_duplicate: int
    rows_rejected: int
    facts_added: int
    by_table: Mapping[str, int]
    notes: tuple[str, ...]
    seconds: float

    def to_json(self) -> dict[str, Any]:
        """Return the report as plain values for JSON."""
        return {
            "batch": self.batch,
            "kind": self.kind,
            "rows_read": self.rows_read,
            "rows_kept": self.rows_kept,
            "rows_duplicate": self.rows_duplicate,
            "rows_rejected": self.rows_rejected,
            "facts_added": self.facts_added,
            "by_table": dict(self.by_table),
            "notes": list(self.notes),
            "seconds": round(self.seconds, 3),
        }


def import_source(
    shop: Shop, kind: str, path: Path | None, *, now: datetime | None = None
) -> ImportReport:
    """Import a source into a shop's lake; importing it again changes nothing.

    Args:
        shop: The shop.
        kind: Kind of source, as listed by `registry.connectors`.
        path: File or folder; None for a source that is no file.
        now: Instant of the import, naive UTC; the clock's when None.

    Raises:
        Misuse: If the kind is unknown or the source cannot be read.
        Failure: If the lake cannot be written, a remote source cannot be reached or
            the connector breaks its contract.
        Busy: If another process keeps writing to the shop.
    """
    began = time.perf_counter()
    context = import_context(shop, now)
    source = find_connector(kind)
    mark: Mark | None = None
    if isinstance(source, RemoteConnector):
        if path is not None:
            raise Misuse(
                f"{kind} reads no file, but {path} is named.",
                f"Leave the path out; its settings stand under connectors.{kind}.",
            )
        options = shop.settings.connectors.model_dump().get(kind, {})
        fetched = source.fetch(options, lambda name: read_mark(shop, name), context)
        harvest, path, mark = fetched.harvest, fetched.origin, fetched.mark
    elif path is None:
        raise Misuse(f"{kind} needs a path: {source.accepts}", "Name the file.")
    else:
        harvest = source.read(path, context)
    report = append_harvest(shop, harvest, kind, path, context.now, mark=mark)
    return replace(report, seconds=time.perf_counter() - began)


def read_mark(shop: Shop, name: str) -> int:
    """Return how far a remote source was read, 0 for not at all.

    Args:
        shop: The shop.
        name: Name of the mark.
    """
    with shop.lake.attached(read_only=True) as con:
        row = con.execute(
            "SELECT max(seq) FROM lake.watermarks WHERE kind = ?", [name]
        ).fetchone()
    return int(row[0] or 0) if row else 0


def import_context(shop: Shop, now: datetime | None = None) -> ImportContext:
    """Return what a connector needs to know of a shop.

    Args:
        shop: The shop.
        now: Instant of the import, UTC; the clock's when None.
    """
    instant = now if now is not None else datetime.now(UTC)
    if instant.tzinfo is not None:
        instant = instant.astimezone(UTC).replace(tzinfo=None)
    return ImportContext(
        currency=shop.settings.currency,
        minor_digits=shop.settings.minor_digits,
        timezone=shop.settings.timezone,
        now=instant,
    )


def append_harvest(
    shop: Shop,
    harvest: Harvest,
    kind: str,
    path: Path,
    now: datetime,
    *,
    mark: Mark | None = None,
) -> ImportReport:
    """Check a harvest, append what is new to the lake and account for every row.

    Args:
        shop: The shop.
        harvest: What a connector, or the sample shop's maker, hands over.
        kind: Kind of source, for the ledger.
        path: Where it came from, for the ledger.
        now: Instant of the import, UTC.
        mark: How far a remote source was read with it.

    Raises:
        Failure: If the lake cannot be written or the harvest breaks its contract.
        Busy: If another process keeps writing to the shop.
    """
    began = time.perf_counter()
    context = import_context(shop, now)
    with shop.lake.transaction("import", f"{kind} {path.name}") as con:
        widen(con)
        batch = _next_batch(con)
        rejected = stage_harvest(con, harvest, context)
        added, notes = _append_all(con, harvest, batch=batch, now=context.now)
        status = _account(con, harvest, rejected, any_added=sum(added.values()) > 0)
        report = ImportReport(
            batch=batch,
            kind=kind,
            rows_read=harvest.rows_read,
            rows_kept=int((status == _KEPT).sum()),
            rows_duplicate=int((status == _DUPLICATE).sum()),
            rows_rejected=int((status == _REJECTED).sum()),
            facts_added=sum(added.values()),
            by_table={name: count for name, count in added.items() if count},
            notes=_file_notes(harvest) + harvest.notes + notes,
            seconds=time.perf_counter() - began,
        )
        _check_sum(report)
        found = con.execute("SELECT * FROM faulty").fetchall()
        write_rejects(con, harvest, found, batch=batch, path=path)
        _write_import(con, report, path, context.now)
        if mark is not None:
            con.execute(
                "INSERT INTO lake.watermarks (kind, seq, batch) VALUES (?, ?, ?)",
                [mark.name, mark.number, batch],
            )
    return replace(report, seconds=time.perf_counter() - began)


def _next_batch(con: duckdb.DuckDBPyConnection) -> str:
    # Numbered under the writer lock, so two imports never share a batch.
    row = con.execute(
        "SELECT max(CAST(substr(batch, 8) AS BIGINT)) FROM lake.imports "
        "WHERE regexp_full_match(batch, 'import-[0-9]+')"
    ).fetchone()
    return f"import-{(row[0] or 0) + 1 if row else 1:06d}"


def _append_all(
    con: duckdb.DuckDBPyConnection, harvest: Harvest, *, batch: str, now: datetime
) -> tuple[dict[str, int], tuple[str, ...]]:
    added: dict[str, int] = {}
    notes = []
    for table in tables_of(harvest):
        added[table.name], repeated = find_fresh(con, table, now)
        append_fresh(con, table, batch=batch, now=now)
        if repeated:
            notes.append(
                f"{table.name}: {repeated} ids came again with different content; "
                "each later one counts as a correction."
            )
    return added, tuple(notes)


def _account(
    con: duckdb.DuckDBPyConnection,
    harvest: Harvest,
    rejected: NDArray[np.int64],
    *,
    any_added: bool,
) -> NDArray[np.int8]:
    """Return what became of each source row, shape (rows_read,).

    Raises:
        Failure: If the connector left a row out or numbered one wrongly.
    """
    import numpy as np

    status = np.zeros(harvest.rows_read, dtype=np.int8)
    carried: list[NDArray[np.int64]] = []
    fresh: list[NDArray[np.int64]] = []
    for name, facts in harvest.facts.items():
        carried.append(facts.column("_source_row").to_numpy().astype(np.int64))
        fresh.append(source_rows(con, f"fresh_{name}"))
    supporting = np.asarray(harvest.supporting, dtype=np.int64)
    repeated = np.asarray(harvest.duplicates, dtype=np.int64)
    try:
        for rows in carried:
            _mark(status, rows, _DUPLICATE)
        _mark(status, supporting, _KEPT if any_added else _DUPLICATE)
        _mark(status, repeated, _DUPLICATE)
        for rows in fresh:
            _mark(status, rows, _KEPT)
        _mark(status, rejected, _REJECTED)
    except IndexError as error:
        raise _broken(f"a source row outside 0 to {harvest.rows_read - 1}") from error
    missing = np.flatnonzero(status == 0)
    if len(missing):
        raise _broken(
            f"no account of {len(missing)} source rows, the first being {missing[0]}"
        )
    return status


def _mark(status: NDArray[np.int8], rows: NDArray[np.int64], value: int) -> None:
    if len(rows) and int(rows.min()) < 0:
        raise IndexError("negative source row")
    status[rows] = value


def _broken(what: str) -> Failure:
    return Failure(
        f"The connector broke its contract: it gave {what}. Nothing was imported.",
        "Report this to the connector's author.",
    )


def _check_sum(report: ImportReport) -> None:
    total = report.rows_kept + report.rows_duplicate + report.rows_rejected
    if total != report.rows_read:
        raise _broken(f"{report.rows_read} rows but an account of {total}")


def _file_notes(harvest: Harvest) -> tuple[str, ...]:
    return tuple(f"{file.name}: {file.note}" for file in harvest.files if file.note)


def _write_import(
    con: duckdb.DuckDBPyConnection, report: ImportReport, path: Path, now: datetime
) -> None:
    con.execute(
        "INSERT INTO lake.imports VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            report.batch,
            report.kind,
            str(path),
            now,
            report.rows_read,
            report.rows_kept,
            report.rows_duplicate,
            report.rows_rejected,
            report.facts_added,
            "\n".join(report.notes),
        ],
    )
