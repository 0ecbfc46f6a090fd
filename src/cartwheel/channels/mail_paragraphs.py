"""Paragraphs for the mails that confirm or announce an order, by product.

The shop's own mail program puts a product's paragraph into its mails; a row that an
undo takes out is no longer there to be put.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from cartwheel.ledger.entry import Entry

KIND = "mail_paragraph"
FILE = "mail-paragraphs.csv"
HEADER = ("product_id", "title", "heading", "text", "html", "decision")


def mail_rows(
    entries: Iterable[Entry],
    *,
    name: Callable[[Entry], str],
    currency: str,
    minor_digits: int,
) -> list[Sequence[object]]:
    """Return paragraphs with a header, of each product the newest one."""
    newest: dict[str, Entry] = {}
    for entry in sorted(entries, key=lambda one: (one.turn, one.id)):
        newest[entry.subject.partition(":")[2]] = entry
    rows: list[Sequence[object]] = [HEADER]
    for product, entry in sorted(newest.items()):
        action = entry.action
        rows.append(
            (
                product,
                name(entry),
                action["heading"],
                action["text"],
                action["html"],
                entry.id,
            )
        )
    return rows
