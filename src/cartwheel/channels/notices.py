"""Notices of late parcels: whom to tell what, for the shop's own mail program."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from cartwheel.ledger.entry import Entry

HEADER = ("customer_id", "orders", "subject", "body", "decision")


def notice_rows(
    entries: Iterable[Entry],
    *,
    name: Callable[[Entry], str],
    currency: str,
    minor_digits: int,
) -> list[Sequence[object]]:
    """Return notices with a header; what several turns say of one order stands once."""
    rows: list[Sequence[object]] = [HEADER]
    told: set[tuple[str, str]] = set()
    for entry in entries:
        customer = entry.subject.partition(":")[2]
        orders = [str(one) for one in entry.action.get("order_ids") or ()]
        if all((customer, one) in told for one in orders):
            continue
        told.update((customer, one) for one in orders)
        rows.append(
            (
                customer,
                " ".join(orders),
                entry.action.get("subject"),
                entry.action.get("body"),
                entry.id,
            )
        )
    return rows
