"""Zendesk's CSV export of a view: a ticket a row, without what was said after it."""

from __future__ import annotations

from pathlib import Path

from cartwheel.connectors.base import ImportContext, SourceFile
from cartwheel.connectors.named_rows import Export, NamedReader
from cartwheel.connectors.tickets.said import Said, SaidBook, Speaker, medium_of

EXPORT = Export(
    what="tickets",
    aliases={
        "id": ("id", "ticket_id", "ticket"),
        "subject": ("subject", "ticket_subject", "raw_subject", "summary"),
        "body": ("description", "comment", "body", "latest_comment"),
        "date": ("created_at", "requested", "created", "request_date", "date"),
        "email": ("requester_email", "requester_e_mail", "email"),
        "writer": ("requester_id", "requester"),
        "channel": ("via_channel", "channel", "via"),
        "state": ("status",),
    },
    needed=(("id",), ("date",), ("subject", "body")),
)


def read_views(
    paths: list[Path], base: Path, first: int, book: SaidBook, context: ImportContext
) -> tuple[list[SourceFile], list[str]]:
    """Gather the tickets of views as what their requesters said first.

    Args:
        paths: CSV files.
        base: Folder that their names are told from.
        first: Number of the first row.
        book: Where they go.
        context: The shop.

    Raises:
        Misuse: If a file is empty, broken, or lacks a column.
    """
    reader = NamedReader(EXPORT, context, book.gathered)
    for row in reader.rows(paths, base, first):
        cells = row.cells
        said = Said(
            id="first",
            ticket=cells["id"].lstrip("#"),
            speaker=Speaker.CUSTOMER,
            at=row.at,
            text=cells["body"],
            writer=cells["email"].lower() or cells["writer"],
            address=cells["email"],
            medium=medium_of(cells["channel"]),
            subject=cells["subject"],
            left_out="a ticket that was deleted"
            if cells["state"].lower() == "deleted"
            else "",
        )
        book.add(row.number, said)
    return reader.files, reader.notes
