"""Rows of one source that say the same thing twice, or two things of one id."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cartwheel.connectors.base import SOURCE_ROW, Reject
from cartwheel.connectors.cells import make_reject
from cartwheel.lake.tables import TABLE_BY_NAME, FactTable

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa
    from numpy.typing import NDArray


def settle_repeats(
    facts: dict[str, pa.Table],
) -> tuple[dict[str, pa.Table], tuple[int, ...], list[Reject]]:
    """Drop repeated facts; refuse rows that reuse an id for different content.

    Two facts of one key and one known date (`FactTable.dated_by`) with different
    content contradict each other: the row of the later one is refused and loses all
    its facts. A row of which every fact repeats an earlier one is a duplicate.

    Returns:
        The facts left, the duplicate source rows, and the refusals.
    """
    import duckdb
    import pyarrow as pa

    repeated: dict[str, NDArray[np.bool_]] = {}
    clashing: dict[int, Reject] = {}
    with duckdb.connect() as con:
        con.execute("SET threads = 2")
        for name, table in facts.items():
            marks = _mark(con, table, TABLE_BY_NAME[name])
            if marks is None:
                continue
            repeated[name], clashes = marks
            for reject in clashes:
                clashing.setdefault(reject.source_row, reject)
    if not repeated:
        return facts, (), []
    left: dict[str, pa.Table] = {}
    kept: set[int] = set()
    lost: set[int] = set()
    for name, table in facts.items():
        rows = table.column(SOURCE_ROW).to_numpy()
        out = repeated.get(name, np.zeros(len(rows), dtype=bool))
        out = out | np.isin(rows, list(clashing))
        left[name] = table.filter(pa.array(~out))
        kept.update(rows[~out].tolist())
        lost.update(rows[out].tolist())
    duplicates = tuple(sorted(lost - kept - clashing.keys()))
    return left, duplicates, [clashing[row] for row in sorted(clashing)]


def _mark(
    con: duckdb.DuckDBPyConnection, table: pa.Table, declared: FactTable
) -> tuple[NDArray[np.bool_], list[Reject]] | None:
    """Return which facts repeat an earlier one, and the contradictions; None for none.

    A fact without its full key is never a contradiction: intake says what it lacks.
    """
    key = [name for name in declared.key if name in table.column_names]
    content = [name for name in table.column_names if name != SOURCE_ROW]
    group = list(key)
    if not declared.immutable and declared.dated_by in table.column_names:
        group.append(str(declared.dated_by))
    con.register("facts", table)
    total, different = _one(
        con,
        f"SELECT count(*), count(DISTINCT ({_listed(key)})) FROM facts",
    )
    if total == different:
        return None
    marked = con.execute(
        f"""
        SELECT {SOURCE_ROW}, copy > 1 AS repeats, clash
        FROM (
            SELECT *, copy = 1 AND row_number() OVER (
                PARTITION BY {_listed(group)}, copy = 1 ORDER BY _at) > 1
                AND {" AND ".join(f'"{n}" IS NOT NULL' for n in key)} AS clash
            FROM (SELECT *, row_number() OVER (
                      PARTITION BY {_listed(content)} ORDER BY _at) AS copy
                  FROM (SELECT *, row_number() OVER () AS _at FROM facts)))
        ORDER BY _at
        """
    ).to_arrow_table()
    repeats: NDArray[np.bool_] = marked.column("repeats").to_numpy()
    clash = marked.column("clash").to_numpy()
    rows = table.column(SOURCE_ROW).to_numpy()
    rejects = []
    for at in clash.nonzero()[0].tolist():
        value = ", ".join(str(table.column(name)[at].as_py()) for name in key)
        rejects.append(
            make_reject(
                int(rows[at]),
                ", ".join(key),
                value,
                f"duplicate id with different content in {declared.name}; "
                "the first one was kept",
            )
        )
    return repeats, rejects


def _listed(names: list[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


def _one(con: duckdb.DuckDBPyConnection, query: str) -> tuple[int, int]:
    total, different = con.execute(query).fetchall()[0]
    return int(total), int(different)
