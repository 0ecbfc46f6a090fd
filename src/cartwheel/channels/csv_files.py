"""CSV text for spreadsheets; no cell can become a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def safe_cell(value: object) -> object:
    """Return a cell a spreadsheet shows as text; numbers stay numbers."""
    if isinstance(value, str) and value.startswith(FORMULA_STARTS):
        return f"'{value}"
    return "" if value is None else value


def csv_text(rows: Iterable[Sequence[object]]) -> str:
    """Return rows as CSV, every cell made safe."""
    target = io.StringIO()
    writer = csv.writer(target, lineterminator="\r\n")
    writer.writerows([safe_cell(cell) for cell in row] for row in rows)
    return target.getvalue()


def major(minor: float | None, digits: int) -> str | None:
    """Return an amount of at least 0 in major units, as a spreadsheet's number."""
    return None if minor is None else f"{max(minor, 0) / 10**digits:.{digits}f}"
