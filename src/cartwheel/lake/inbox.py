"""The drain: from the inbox into the lake, in order, once.

The facts and the watermark (the last row taken) are one lake transaction, so a crash
before it leaves the rows for the next drain and a crash after it makes the next drain
start behind them. Rows stay in the inbox for `RETENTION` after that, so that an event
sent again is recognised there; later the lake itself recognises it. A row that cannot
become a fact is kept in the lake's rejects and blocks nothing.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, func, insert, select

from cartwheel.lake.fingerprint import fingerprint
from cartwheel.lake.tables import SQL_TYPES, TABLE_BY_NAME, Column, FactTable
from cartwheel.operations import inbox, pages, reading

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa
    from sqlalchemy import Engine

    from cartwheel.shop import Shop

KINDS = ("events", "answers", "messages", "theme_corrections")
"""Fact tables that are filled through the inbox."""

SEQUENCE = "inbox"
"""Kind of the watermark: one sequence numbers the rows of every kind."""

RETENTION = timedelta(days=7)
DRAIN_PAGE = "drain"
"""Page of turn 0 that notes how far the drain got, for the health check."""

ALWAYS = "TIMESTAMP '1970-01-01'"
"""Since when a fact of a table without a date is known, as SQL."""

VALUE_LIMIT = 200
MOST_INT = 2**63 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """One row of the inbox."""

    seq: int
    kind: str
    id: str
    body: str
    received_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """A row that cannot become a fact."""

    kind: str
    seq: int
    field: str
    value: str
    reason: str


class _Unfit(ValueError):
    def __init__(self, field: str, value: Any, reason: str) -> None:
        super().__init__(reason)
        self.field = field
        self.value = value
        self.reason = reason


def drain(shop: Shop, *, limit: int = 20_000) -> int:
    """Move rows from the inbox into the lake; return how many were taken.

    `drain_waiting` calls it until all that waited is in the lake. Several processes
    may call it at once; they take turns.

    Args:
        shop: The shop.
        limit: Most rows in one lake transaction.

    Raises:
        Failure: If the lake cannot be written; nothing is lost.
        Busy: If another process keeps writing to the shop.
    """
    newest = _newest(shop.database)
    if newest == 0 or newest <= read_watermark(shop):
        return 0
    with shop.lake.transaction("drain", "inbox") as con:
        mark = _watermark(con)
        rows = _read_waiting(shop.database, mark, limit)
        if rows:
            mark = rows[-1].seq
            append(con, rows, datetime.now(UTC).replace(tzinfo=None))
    tidy(shop.database, mark, datetime.now(UTC))
    return len(rows)


def drain_waiting(shop: Shop) -> int:
    """Move everything that waits now into the lake; return how many were taken.

    What arrives meanwhile is left: under steady traffic a drain until empty would
    never end.
    """
    newest = _newest(shop.database)
    taken = 0
    while read_watermark(shop) < newest:
        took = drain(shop)
        taken += took
        if took == 0:
            break
    return taken


def read_watermark(shop: Shop) -> int:
    """Return the last row of the inbox that is in the lake, 0 for none."""
    with shop.lake.attached(read_only=True) as con:
        return _watermark(con)


def append(
    con: duckdb.DuckDBPyConnection, rows: Sequence[Waiting], now: datetime
) -> None:
    """Append rows and their watermark inside the caller's lake transaction.

    Args:
        con: Connection in a lake transaction.
        rows: Rows in the order of `seq`, not empty.
        now: Instant of the drain, naive UTC.
    """
    first, last = rows[0].seq, rows[-1].seq
    batch = f"drain-{first:012d}-{last:012d}"
    rejected: list[Rejected] = []
    for kind in KINDS:
        rejected += _append_kind(con, kind, rows, batch=batch, now=now)
    rejected += [
        _reject(row, _Unfit("kind", row.kind, f"expected one of {', '.join(KINDS)}"))
        for row in rows
        if row.kind not in KINDS
    ]
    if rejected:
        con.executemany(
            "INSERT INTO lake.rejects (batch, file, line, field, value, reason) "
            "VALUES (?, ?, ?, ?, ?, ?)",
            [
                [batch, f"inbox {r.kind}", r.seq, r.field, r.value, r.reason]
                for r in rejected
            ],
        )
    con.execute(
        "INSERT INTO lake.watermarks (kind, seq, batch) VALUES (?, ?, ?)",
        [SEQUENCE, last, batch],
    )


def tidy(engine: Engine, mark: int, now: datetime) -> None:
    """Delete drained rows older than `RETENTION` and note how far the drain got."""
    oldest = (now - RETENTION).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    # The newest row always stays: SQLite numbers the next row after it, and a number
    # at or below the watermark would never be drained.
    newest = select(func.max(inbox.c.seq)).scalar_subquery()
    note = {"watermark": mark, "at": now.strftime("%Y-%m-%dT%H:%M:%S.%fZ")}
    here = (pages.c.turn == 0, pages.c.name == DRAIN_PAGE)
    with engine.begin() as connection:
        connection.execute(
            delete(inbox).where(
                inbox.c.seq <= mark,
                inbox.c.received_at < oldest,
                inbox.c.seq < newest,
            )
        )
        connection.execute(delete(pages).where(*here))
        connection.execute(
            insert(pages).values(turn=0, name=DRAIN_PAGE, body=json.dumps(note))
        )


def _newest(engine: Engine) -> int:
    with reading(engine) as connection:
        return int(connection.execute(select(func.max(inbox.c.seq))).scalar() or 0)


def _watermark(con: duckdb.DuckDBPyConnection) -> int:
    row = con.execute(
        "SELECT coalesce(max(seq), 0) FROM lake.watermarks WHERE kind = ?", [SEQUENCE]
    ).fetchone()
    return int(row[0]) if row else 0


def _read_waiting(engine: Engine, mark: int, limit: int) -> list[Waiting]:
    query = select(inbox).where(inbox.c.seq > mark).order_by(inbox.c.seq).limit(limit)
    with reading(engine) as connection:
        return [Waiting(**row) for row in connection.execute(query).mappings()]


def _append_kind(
    con: duckdb.DuckDBPyConnection,
    kind: str,
    rows: Sequence[Waiting],
    *,
    batch: str,
    now: datetime,
) -> list[Rejected]:
    table = TABLE_BY_NAME[kind]
    facts: list[tuple[int, dict[str, Any]]] = []
    rejected: list[Rejected] = []
    for row in rows:
        if row.kind != kind:
            continue
        try:
            facts.append((row.seq, to_fact(table, row)))
        except _Unfit as unfit:
            rejected.append(_reject(row, unfit))
    if not facts:
        return rejected
    con.register("drained", _to_arrow(table, facts))
    con.execute(_STAGE.format(**_names(table)))
    reused = con.execute(_REUSED.format(**_names(table))).fetchall()
    con.execute(_INSERT.format(**_names(table)), [now, batch])
    con.execute("DROP TABLE staged")
    con.unregister("drained")
    reason = "id already used with different content"
    return rejected + [
        Rejected(kind=kind, seq=seq, field=table.key[0], value=key[:200], reason=reason)
        for seq, key in reused
    ]


_STAGE = """
    CREATE TEMP TABLE staged AS
    SELECT *, {fingerprint} AS content_hash FROM (SELECT _seq, {cast} FROM drained)
"""
_REUSED = """
    SELECT DISTINCT s._seq, s.{key} FROM staged s JOIN lake.{table} l USING ({key})
    WHERE s.content_hash <> l.content_hash ORDER BY 1
"""
_INSERT = """
    INSERT INTO lake.{table} ({columns}, known_at, imported_at, batch, content_hash)
    SELECT {columns}, {dated_by}, ?, ?, content_hash FROM staged s
    WHERE NOT EXISTS (SELECT 1 FROM lake.{table} l WHERE l.{key} = s.{key})
    ORDER BY _seq
"""


def _names(table: FactTable) -> dict[str, str]:
    return {
        "table": table.name,
        "key": table.key[0],
        "dated_by": table.dated_by or ALWAYS,
        "columns": ", ".join(table.column_names),
        "cast": ", ".join(_cast(column) for column in table.columns),
        "fingerprint": fingerprint(table),
    }


def _cast(column: Column) -> str:
    if column.type == "text":
        return f"nullif({column.name}, '') AS {column.name}"
    return f"CAST({column.name} AS {SQL_TYPES[column.type]}) AS {column.name}"


def _to_arrow(
    table: FactTable, facts: Sequence[tuple[int, dict[str, Any]]]
) -> pa.Table:
    import pyarrow as pa

    types = {
        "text": pa.string(),
        "int": pa.int64(),
        "float": pa.float64(),
        "bool": pa.bool_(),
        "instant": pa.timestamp("us"),
        "date": pa.date32(),
    }
    arrays = {
        column.name: pa.array(
            [fact.get(column.name) for _, fact in facts], types[column.type]
        )
        for column in table.columns
    }
    return pa.table({"_seq": pa.array([seq for seq, _ in facts], pa.int64()), **arrays})


def to_fact(table: FactTable, row: Waiting) -> dict[str, Any]:
    """Return a row of the inbox as values of a fact table.

    Raises:
        ValueError: If it does not fit the table; names field, value and reason.
    """
    try:
        body = json.loads(row.body)
    except (ValueError, RecursionError):
        raise _Unfit("", row.body, "not JSON") from None
    if not isinstance(body, dict):
        raise _Unfit("", row.body, "not a JSON object")
    body[table.key[0]] = row.id
    if table.dated_by is not None and body.get(table.dated_by) is None:
        body[table.dated_by] = row.received_at
    strange = sorted(set(body) - set(table.column_names))
    if strange:
        raise _Unfit(strange[0], body[strange[0]], f"not a column of {table.name}")
    return {
        column.name: _read(column, body.get(column.name)) for column in table.columns
    }


def _read(column: Column, value: Any) -> Any:
    if value is None or value == "":
        if column.required:
            raise _Unfit(column.name, value, "missing")
        return None
    if column.type == "text":
        return _read_text(column, value)
    if column.type == "instant":
        return _read_instant(column, value)
    if column.type == "int":
        if type(value) is not int or abs(value) > MOST_INT:
            raise _Unfit(column.name, value, "not a whole number of 64 bits")
        if column.minimum is not None and value < column.minimum:
            raise _Unfit(column.name, value, f"below {column.minimum}")
        return value
    raise _Unfit(column.name, value, f"columns of type {column.type} are not expected")


def _read_text(column: Column, value: Any) -> str:
    if not isinstance(value, str):
        raise _Unfit(column.name, value, "not text")
    if column.choices and value not in column.choices:
        raise _Unfit(column.name, value, f"expected {', '.join(column.choices)}")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise _Unfit(column.name, ascii(value), "not valid text") from None
    return value


def _read_instant(column: Column, value: Any) -> datetime:
    try:
        read = datetime.fromisoformat(value)
        read = read.replace(tzinfo=read.tzinfo or UTC).astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        raise _Unfit(column.name, value, "not an instant") from None
    return read.replace(tzinfo=None)


def _reject(row: Waiting, unfit: _Unfit) -> Rejected:
    value = unfit.value if isinstance(unfit.value, str) else json.dumps(unfit.value)
    return Rejected(
        kind=row.kind,
        seq=row.seq,
        field=unfit.field,
        value=value[:VALUE_LIMIT],
        reason=unfit.reason,
    )
