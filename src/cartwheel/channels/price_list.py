"""Price lists: the prices in force by decision."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from cartwheel.channels.csv_files import major
from cartwheel.ledger.entry import Entry

HEADER = ("variant_id", "title", "price", "currency", "kind", "decision")


def price_list_rows(
    entries: Iterable[Entry],
    *,
    name: Callable[[Entry], str],
    currency: str,
    minor_digits: int,
) -> list[Sequence[object]]:
    """Return prices with a header, in the order decided."""
    rows: list[Sequence[object]] = [HEADER]
    rows += [
        (
            entry.subject.partition(":")[2],
            name(entry),
            major(entry.action.get("price_minor"), minor_digits),
            currency,
            entry.kind,
            entry.id,
        )
        for entry in entries
    ]
    return rows
