"""Purchase orders: what to order from whom, at the quantities in force."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from cartwheel.channels.csv_files import major
from cartwheel.ledger.entry import Entry

HEADER = (
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


def order_cost(entry: Entry) -> float | None:
    """Return what an order costs at the quantity in force, None when unknown.

    The lever's cost is for its own quantity; a person's quantity is costed alike.
    """
    proposed, units = (
        (entry.body.get("action") or {}).get("units"),
        entry.action.get("units"),
    )
    if entry.cost_minor is None or not isinstance(units, int | float):
        return None
    if not isinstance(proposed, int | float) or proposed <= 0:
        return None
    return entry.cost_minor / proposed * units


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
    rows = [_row(entry, name(entry), currency, minor_digits) for entry in entries]
    return [HEADER, *sorted(rows, key=lambda row: str(row[0]))]


def _row(entry: Entry, title: str, currency: str, digits: int) -> Sequence[object]:
    units, cost = entry.action.get("units"), order_cost(entry)
    each = None if cost is None or not units else cost / units
    return (
        entry.action.get("supplier_id"),
        entry.subject.partition(":")[2],
        title,
        units,
        major(each, digits),
        major(cost, digits),
        currency,
        entry.id,
        entry.state.value,
    )
