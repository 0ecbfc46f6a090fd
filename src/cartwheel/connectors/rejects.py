"""The ledger of rejected rows: what was kept aside, where it stands and why."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cartwheel.connectors.base import Harvest, SourceFile
from cartwheel.lake.store import REJECT_COLUMNS
from cartwheel.shop import Shop

if TYPE_CHECKING:
    import duckdb

NAMES = tuple(name for name, _ in REJECT_COLUMNS)


def write_rejects(
    con: duckdb.DuckDBPyConnection,
    harvest: Harvest,
    found: Iterable[tuple[int, str, str, str]],
    *,
    batch: str,
    path: Path,
) -> None:
    """Append rejects (source row, field, value, reason) that are not listed yet.

    The same fault on the same line of a file of the same name is listed once, however
    often the file is imported.
    """
    import pyarrow as pa

    rows = [
        (*place, field, value, reason)
        for place, (field, value, reason) in _placed(harvest, found, path)
    ]
    if not rows:
        return
    names = NAMES[1:]
    columns = list(zip(*rows, strict=True))
    con.register(
        "new_rejects",
        pa.table({name: pa.array(columns[i]) for i, name in enumerate(names)}),
    )
    con.execute(
        f"""
        INSERT INTO lake.rejects
        SELECT ?, {", ".join(names)} FROM (
            SELECT DISTINCT {", ".join(names)} FROM new_rejects
            EXCEPT SELECT {", ".join(names)} FROM lake.rejects)
        ORDER BY {", ".join(names)}
        """,
        [batch],
    )


def read_rejects(shop: Shop, limit: int | None = None) -> list[dict[str, Any]]:
    """Return rejected rows as batch, file, line, field, value and reason.

    Args:
        shop: The shop.
        limit: Most rows to return, the newest imports first; None for all.
    """
    order = "ORDER BY batch DESC, file, line, field, value, reason"
    cut = "" if limit is None else f" LIMIT {max(0, int(limit))}"
    with shop.lake.attached(read_only=True) as con:
        rows = con.execute(
            f"SELECT {', '.join(NAMES)} FROM lake.rejects {order}{cut}"
        ).fetchall()
    return [dict(zip(NAMES, row, strict=True)) for row in rows]


def _placed(
    harvest: Harvest, found: Iterable[tuple[int, str, str, str]], path: Path
) -> Iterator[tuple[tuple[str, int], tuple[str, str, str]]]:
    files = [file for file in harvest.files if file.rows > 0]
    starts = [file.first_row for file in files]
    whole = harvest.files[0].name if len(harvest.files) == 1 else path.name
    for source_row, *rest in found:
        field, value, reason = rest
        yield _place(files, starts, source_row, whole), (field, value, reason)


def _place(
    files: list[SourceFile], starts: list[int], source_row: int, whole: str
) -> tuple[str, int]:
    """File and line of a source row; line 0 stands for a whole file."""
    if source_row < 0:
        return whole, 0
    file = files[bisect_right(starts, source_row) - 1]
    return file.name, file.line(source_row)
