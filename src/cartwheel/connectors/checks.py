"""Check harvested facts against the tables' declarations, in one pass of DuckDB.

Each fact table of a harvest becomes a temporary table `stage_NAME` with the content
columns cast to the lake's types, the fingerprint `content_hash` and `_fault`: the
number of the first check the row fails, null when it passes all.

Numbers and instants in the fingerprint are written as DuckDB casts them to text.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from cartwheel.connectors.base import CELL_LIMIT, SOURCE_ROW, ImportContext
from cartwheel.errors import Failure
from cartwheel.lake.fingerprint import fingerprint
from cartwheel.lake.tables import SQL_TYPES, TABLE_BY_NAME, Column, FactTable

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

EARLIEST = datetime(1970, 1, 1)
LATEST = datetime(2200, 1, 1)
CLOCK_SKEW = timedelta(hours=24)
"""Instants up to this far after the import are kept: clocks differ."""

PLANNED = frozenset({"promised_at", "expected_at", "ended_at"})
"""Instants that may lie in the future."""

DEFAULTS: Mapping[tuple[str, str], str] = {
    ("orders", "updated_at"): "placed_at",
    ("questions", "updated_at"): "asked_at",
}
"""Columns that take another column's value when the source gives none."""

VALUE_LIMIT = 200
"""Characters of a faulty value that are kept."""

NAMES = {"int": "whole number", "float": "number", "bool": "yes or no"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One check: rows for which the condition holds fail it.

    Attributes:
        field: Column at fault.
        condition: SQL over the cast columns, and `_raw_NAME` for the values as given.
        reason: What is wrong and what is accepted.
    """

    field: str
    condition: str
    reason: str


def stage(
    con: duckdb.DuckDBPyConnection,
    table: FactTable,
    harvested: pa.Table,
    context: ImportContext,
) -> list[Fault]:
    """Make `stage_NAME` of a harvested table; return the checks by their number.

    Raises:
        Failure: If the harvested table has a column the fact table does not have, or
            lacks the number of the source row.
    """
    import numpy as np
    import pyarrow as pa

    _check_columns(table, harvested)
    given = frozenset(harvested.column_names)
    numbered = harvested.append_column(
        "_row", pa.array(np.arange(harvested.num_rows, dtype=np.int64))
    )
    con.register(f"raw_{table.name}", numbered)
    faults = list(_faults(table, given, context))
    cast = ", ".join(_cast(table, column, given) for column in table.columns)
    raw = "".join(f', "{name}" AS _raw_{name}' for name in sorted(given - {SOURCE_ROW}))
    cases = " ".join(f"WHEN {f.condition} THEN {i}" for i, f in enumerate(faults))
    names = ", ".join(table.column_names)
    con.execute(
        f"""
        CREATE TEMP TABLE stage_{table.name} AS
        SELECT _row, _source_row, {names}, {fingerprint(table)} AS content_hash,
               CASE {cases} END AS _fault
        FROM (SELECT _row, CAST({SOURCE_ROW} AS BIGINT) AS _source_row, {cast}{raw}
              FROM raw_{table.name})
        """
    )
    return faults


def collect_faults(
    con: duckdb.DuckDBPyConnection, table: FactTable, faults: list[Fault]
) -> None:
    """Add every failed check of a staged table to the temporary table `faulty`."""
    found = con.execute(
        f"SELECT DISTINCT _fault FROM stage_{table.name} "
        "WHERE _fault IS NOT NULL ORDER BY 1"
    ).fetchall()
    given = frozenset(
        row[0] for row in con.execute(f"DESCRIBE raw_{table.name}").fetchall()
    )
    for (number,) in found:
        fault = faults[number]
        value = f'CAST(r."{fault.field}" AS VARCHAR)' if fault.field in given else "''"
        con.execute(
            f"""
            INSERT INTO faulty
            SELECT s._source_row, ?, left(coalesce({value}, ''), {VALUE_LIMIT}), ?
            FROM stage_{table.name} s JOIN raw_{table.name} r USING (_row)
            WHERE s._fault = {number}
            """,
            [fault.field, fault.reason],
        )


def known_table(name: str) -> FactTable:
    """Return the fact table of a name a connector gave.

    Raises:
        Failure: If there is none.
    """
    if name not in TABLE_BY_NAME:
        raise Failure(
            f"The connector gave facts for a table {name!r} that does not exist.",
            "Report this to the connector's author.",
        )
    return TABLE_BY_NAME[name]


def _check_columns(table: FactTable, harvested: pa.Table) -> None:
    given = set(harvested.column_names)
    strange = sorted(given - {SOURCE_ROW, *table.column_names})
    if strange or SOURCE_ROW not in given:
        wrong = f"unknown columns {', '.join(strange)}" if strange else "no source rows"
        raise Failure(
            f"The connector gave {wrong} for {table.name}.",
            "Report this to the connector's author.",
        )


def _cast(table: FactTable, column: Column, given: frozenset[str]) -> str:
    """SQL of a content column in the lake's type; empty text becomes null."""
    if column.name not in given:
        value = f"CAST(NULL AS {SQL_TYPES[column.type]})"
    elif column.type == "text":
        value = f"nullif(CAST(\"{column.name}\" AS VARCHAR), '')"
    else:
        value = f'TRY_CAST("{column.name}" AS {SQL_TYPES[column.type]})'
    other = DEFAULTS.get((table.name, column.name))
    if other is not None and other in given:
        value = f'coalesce({value}, TRY_CAST("{other}" AS {SQL_TYPES[column.type]}))'
    return f"{value} AS {column.name}"


def _faults(
    table: FactTable, given: frozenset[str], context: ImportContext
) -> Iterator[Fault]:
    for column in table.columns:
        name = column.name
        if name in given and column.type != "text":
            # A fraction cast to a whole number would be rounded without a word.
            rounded = (
                f" OR TRY_CAST(_raw_{name} AS DOUBLE) <> {name}"
                if column.type == "int"
                else ""
            )
            yield Fault(
                field=name,
                condition=f"(_raw_{name} IS NOT NULL AND "
                f"trim(CAST(_raw_{name} AS VARCHAR)) <> '' AND "
                f"(TRY_CAST(_raw_{name} AS {SQL_TYPES[column.type]}) IS NULL"
                f"{rounded}))",
                reason=f"not a {NAMES.get(column.type, column.type)}",
            )
        if column.required:
            blank = f" OR trim({name}) = ''" if column.type == "text" else ""
            yield Fault(
                field=name, condition=f"({name} IS NULL{blank})", reason="missing"
            )
        if name in given:
            yield from _value_faults(column, context)


def _value_faults(column: Column, context: ImportContext) -> Iterator[Fault]:
    name = column.name

    def fault(condition: str, reason: str) -> Fault:
        return Fault(field=name, condition=f"({condition})", reason=reason)

    if column.type == "text":
        # strlen counts bytes without reading the text, so only long cells are counted.
        yield fault(
            f"strlen({name}) > {CELL_LIMIT} AND length({name}) > {CELL_LIMIT}",
            f"longer than {CELL_LIMIT} characters",
        )
    if column.choices:
        listed = ", ".join(f"'{choice}'" for choice in column.choices)
        yield fault(
            f"{name} NOT IN ({listed})", f"expected {', '.join(column.choices)}"
        )
    if column.minimum is not None:
        yield fault(f"{name} < {column.minimum}", f"expected at least {column.minimum}")
    if column.name == "currency":
        yield fault(
            f"{name} <> '{context.currency}'",
            f"another currency than the shop's; expected {context.currency}",
        )
    if column.type == "float":
        yield fault(f"NOT isfinite({name})", "expected a finite number")
    if column.type == "instant":
        last = LATEST if name in PLANNED else context.now + CLOCK_SKEW
        yield fault(
            f"{name} < TIMESTAMP '{EARLIEST}'",
            "before 1970-01-01, the earliest accepted",
        )
        yield fault(
            f"{name} > TIMESTAMP '{last}'",
            f"in the future; expected at most {last:%Y-%m-%d %H:%M} UTC",
        )
