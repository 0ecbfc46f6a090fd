"""CSV files people download; no cell can become a formula in a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Sequence

from starlette.responses import Response

from cartwheel.console.words import order_cost
from cartwheel.ledger.entry import Entry

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
ORDER_HEADER = (
    "supplier_id",
    "variant_id",
    "title",
    "units",
    "unit_cost",
    "cost",
    "currency",
    "decision",
    "state",
)


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


def csv_answer(rows: Iterable[Sequence[object]], name: str) -> Response:
    """Return rows as a file to download; the mark at its start tells Excel UTF-8."""
    return Response(
        ("\ufeff" + csv_text(rows)).encode(),
        media_type="text/csv; charset=utf-8",
        headers={
            "Content-Disposition": f'attachment; filename="{name}"',
            "Cache-Control": "no-store",
        },
    )


def purchase_order_rows(
    entries: Iterable[Entry],
    *,
    name: Callable[[Entry], str],
    currency: str,
    minor_digits: int,
) -> list[Sequence[object]]:
    """Return orders with a header, by supplier and then as the lever ranked them.

    Args:
        entries: Approved reorder decisions.
        name: Names a decision's subject.
        currency: Currency of the costs.
        minor_digits: Decimal places of the currency.
    """
    rows = [_order_row(entry, name(entry), currency, minor_digits) for entry in entries]
    return [ORDER_HEADER, *sorted(rows, key=lambda row: str(row[0]))]


def _order_row(
    entry: Entry, title: str, currency: str, digits: int
) -> Sequence[object]:
    units, cost = entry.action.get("units"), order_cost(entry)
    each = None if cost is None or not units else cost / units
    return (
        entry.action.get("supplier_id"),
        entry.subject.partition(":")[2],
        title,
        units,
        _major(each, digits),
        _major(cost, digits),
        currency,
        entry.id,
        entry.state.value,
    )


def _major(minor: float | None, digits: int) -> str | None:
    # Costs are never negative, so the text stays a number in a spreadsheet.
    return None if minor is None else f"{max(minor, 0) / 10**digits:.{digits}f}"
