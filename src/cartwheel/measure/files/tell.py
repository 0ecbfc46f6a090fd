"""Small helpers to count rows and to name the first of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb


def count_of(con: duckdb.DuckDBPyConnection, query: str) -> int:
    """Return the one whole number a query gives."""
    row = con.execute(query).fetchone()
    return int(row[0] or 0) if row else 0


def examples(con: duckdb.DuckDBPyConnection, where: str, most: int = 3) -> str:
    """Return the first rows for which a condition holds, as words."""
    rows = con.execute(
        f"SELECT number FROM units WHERE {where} ORDER BY number LIMIT {most}"
    ).fetchall()
    numbers = ", ".join(f"{int(row[0]):,}" for row in rows)
    return f"row {numbers}" if len(rows) == 1 else f"rows {numbers}"
