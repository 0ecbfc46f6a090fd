"""Which staged facts the lake does not have yet, and since when they were known.

Rows of one key that say the same known date (`FactTable.dated_by`; none counts as one
date of its own) form a group. Within a group:

- Content the lake holds already is not added again, whatever version it is, except
  when the harvest ends on content that the lake holds as an older version only: then
  the shop went back to it, and it becomes the newest version.
- Several contents of one group in one harvest become versions in the order in which
  each is last met. In an immutable table they are rejected instead.

A group's first content is known at its date. Content that replaces another one of the
same date was not known then, so it counts from the import on. Without a date, the
first version of a key counts as known since always and each later one from its import.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from cartwheel.lake.tables import FactTable

if TYPE_CHECKING:
    import duckdb

ALWAYS = datetime(1970, 1, 1)
"""Known date of a fact whose source carries none."""


def reject_reused_keys(con: duckdb.DuckDBPyConnection, table: FactTable) -> None:
    """Fault rows of an immutable table whose key already has other content."""
    if not table.immutable:
        return
    keys = ", ".join(table.key)
    shown = " || ' ' || ".join(f"CAST({key} AS VARCHAR)" for key in table.key)
    con.execute(
        f"""
        CREATE TEMP TABLE reused AS
        WITH first_seen AS (
            SELECT {keys}, arg_min(content_hash, place) AS owner FROM (
                SELECT {keys}, content_hash, -1 AS place FROM lake.{table.name}
                UNION ALL
                SELECT {keys}, content_hash, _row FROM stage_{table.name}
                WHERE _fault IS NULL)
            GROUP BY {keys})
        SELECT _row, _source_row, left({shown}, 200) AS shown
        FROM stage_{table.name} JOIN first_seen USING ({keys})
        WHERE _fault IS NULL AND content_hash <> owner
        """
    )
    con.execute(
        "INSERT INTO faulty SELECT _source_row, ?, shown, ? FROM reused",
        [table.key[0], "id already used with different content"],
    )
    con.execute(
        f"UPDATE stage_{table.name} SET _fault = -1 "
        "WHERE _row IN (SELECT _row FROM reused)"
    )
    con.execute("DROP TABLE reused")


def find_fresh(
    con: duckdb.DuckDBPyConnection, table: FactTable, now: datetime
) -> tuple[int, int]:
    """Make `fresh_NAME` (`_row`, `_source_row`, `known_at`) of the facts to add.

    Returns:
        Facts to add, and how many of them replace another content of the same key and
        date within this harvest.
    """
    date = table.dated_by or "CAST(NULL AS TIMESTAMP)"
    keys = ", ".join(table.key)
    first_known = (
        f"CASE WHEN s._dated IS NOT NULL THEN s._dated "
        f"WHEN k.{table.key[0]} IS NULL THEN TIMESTAMP '{ALWAYS}' END"
    )
    con.execute(
        f"""
        CREATE TEMP TABLE fresh_{table.name} AS
        WITH contents AS (
            SELECT {keys}, {date} AS _dated, content_hash AS _hash,
                   min(_row) AS _row, max(_row) AS _last,
                   arg_min(_source_row, _row) AS _source_row
            FROM stage_{table.name} GROUP BY {keys}, _dated, _hash),
        staged AS (
            SELECT *,
                   row_number() OVER (PARTITION BY {keys}, _dated ORDER BY _last)
                       AS _place,
                   count(*) OVER (PARTITION BY {keys}, _dated) AS _contents
            FROM contents),
        held AS (
            SELECT {keys}, {date} AS _dated, list(content_hash) AS _hashes,
                   arg_max(content_hash, (known_at, imported_at)) AS _latest
            FROM lake.{table.name} GROUP BY {keys}, _dated),
        held_keys AS (SELECT DISTINCT {keys} FROM lake.{table.name})
        SELECT s._row, s._source_row, s._place,
               coalesce(
                   CASE WHEN s._place = 1 AND h._hashes IS NULL
                        THEN {first_known} END,
                   TIMESTAMP '{now}' - to_microseconds(s._contents - s._place)
               ) AS known_at
        FROM staged s
        LEFT JOIN held h
            ON {_same(table, "h")} AND h._dated IS NOT DISTINCT FROM s._dated
        LEFT JOIN held_keys k ON {_same(table, "k")}
        WHERE h._hashes IS NULL
            OR NOT list_contains(h._hashes, s._hash)
            OR (s._place = s._contents AND h._latest <> s._hash)
        """
    )
    row = con.execute(
        f"SELECT count(*), count(*) FILTER (_place > 1) FROM fresh_{table.name}"
    ).fetchone()
    return (int(row[0]), int(row[1])) if row else (0, 0)


def append_fresh(
    con: duckdb.DuckDBPyConnection, table: FactTable, *, batch: str, now: datetime
) -> None:
    """Append the facts of `fresh_NAME` to the lake, in the order of the harvest."""
    con.execute(
        f"""
        INSERT INTO lake.{table.name}
        SELECT {", ".join(f"s.{name}" for name in table.column_names)},
               f.known_at, TIMESTAMP '{now}', ?, s.content_hash
        FROM stage_{table.name} s JOIN fresh_{table.name} f USING (_row)
        ORDER BY s._row
        """,
        [batch],
    )


def _same(table: FactTable, other: str) -> str:
    return " AND ".join(f"{other}.{key} = s.{key}" for key in table.key)
