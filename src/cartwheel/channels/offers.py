"""Offers: whom to write to with what, for the shop's own mail program."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from cartwheel.ledger.entry import Entry

HEADER = (
    *("customer_id", "offer", "discount_percent", "products", "decision"),
    "send_hour",  # by the shop's clock, 0 to 23; empty in offers of before it was said
)


def offer_rows(
    entries: Iterable[Entry],
    *,
    name: Callable[[Entry], str],
    currency: str,
    minor_digits: int,
) -> list[Sequence[object]]:
    """Return offers with a header; those drawn to get nothing are not in it."""
    rows: list[Sequence[object]] = [HEADER]
    for entry in entries:
        action = entry.action
        if action.get("offer") == "none":
            continue
        discount = action.get("discount_bps")
        rows.append(
            (
                entry.subject.partition(":")[2],
                action.get("offer"),
                None if discount is None else f"{discount / 100:g}",
                " ".join(str(product) for product in action.get("products") or ()),
                entry.id,
                action.get("send_hour"),
            )
        )
    return rows
