"""Chat transcripts as CSV: a line a row, with who said it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from cartwheel.connectors.base import Harvest, ImportContext
from cartwheel.connectors.named_rows import (
    Export,
    NamedReader,
    NamedRow,
    export_files,
)
from cartwheel.connectors.own import read_own
from cartwheel.connectors.tickets.json_export import harvest_of
from cartwheel.connectors.tickets.said import Said, SaidBook, Speaker

FILE = "chat.toml"
EXPORT = Export(
    what="chats",
    aliases={
        "id": (
            *("chat_id", "conversation_id", "session_id", "thread_id", "ticket_id"),
            *("chat", "conversation", "session", "id"),
        ),
        "line": ("message_id", "line_id"),
        "date": (
            *("time", "timestamp", "sent_at", "created_at", "date", "datetime"),
            *("date_time", "message_time"),
        ),
        "who": (
            *("sender_type", "author_type", "role", "direction", "who", "sender"),
            *("author", "from", "speaker", "name"),
        ),
        "body": ("text", "message", "body", "content", "message_text"),
        "email": ("email", "visitor_email", "customer_email", "email_address"),
    },
    needed=(("id",), ("date",), ("who",), ("body",)),
)

CUSTOMERS = frozenset(
    {"customer", "visitor", "client", "user", "guest", "shopper", "buyer", "lead"}
    | {"end-user", "enduser", "contact", "in", "incoming", "inbound", "kunde", "kundin"}
)
OURS = frozenset(
    {"agent", "staff", "operator", "admin", "support", "shop", "store", "team"}
    | {"bot", "chatbot", "assistant", "system", "out", "outgoing", "outbound"}
    | {"employee", "mitarbeiter", "mitarbeiterin", "trigger", "autoresponder"}
)
NOTES = frozenset({"note", "internal", "internal note", "private"})
UNKNOWN = (
    f"who speaks cannot be told; expected customer, visitor, agent, bot and the like, "
    f'or a file {FILE} with own = ["the shop\'s names"]'
)


class ChatTranscripts:
    """Reads chats from CSV files whose columns are found by name."""

    kind = "chat"
    accepts = "A CSV file of chat lines (id, time, who, text), or a folder of them."

    def read(self, path: Path, context: ImportContext) -> Harvest:
        """Read every line of every chat, personal data masked.

        Raises:
            Misuse: If the path is missing, or a file is empty, broken or lacks a
                column of chat, time, who and text.
        """
        book = SaidBook(self.kind)
        paths = export_files(path, EXPORT.what)
        base = path if path.is_dir() else path.parent
        own = read_own(
            path,
            FILE,
            fits=lambda one: bool(one.strip()),
            example='own = ["Mia", "Helper bot"]',
            each="A name as it stands in the column of who speaks",
        )
        reader = NamedReader(EXPORT, context, book.gathered)
        for row in reader.rows(paths, base, 0):
            speaker = speaker_of(row.cells["who"], own)
            if speaker is None:
                book.gathered.refuse(row.number, row.labels["who"], "", UNKNOWN)
            else:
                book.add(row.number, _said(row, speaker))
        return harvest_of(book, reader.files, tuple(reader.notes))


def speaker_of(who: str, own: tuple[str, ...]) -> Speaker | None:
    """Return who speaks, None where it cannot be told.

    Args:
        who: What the column says: a role, or a name.
        own: The shop's names, lower case; where they are stated, others are customers.
    """
    said = " ".join(who.lower().split())
    roles: Mapping[Speaker, frozenset[str]] = {
        Speaker.CUSTOMER: CUSTOMERS,
        Speaker.SHOP: OURS | set(own),
        Speaker.NOBODY: NOTES,
    }
    for speaker, names in roles.items():
        if said in names:
            return speaker
    return Speaker.CUSTOMER if own and said else None


def _said(row: NamedRow, speaker: Speaker) -> Said:
    cells = row.cells
    words = (cells["who"], cells["body"], row.at.isoformat())
    made = hashlib.sha256("\x1f".join(words).encode("utf-8", "replace")).hexdigest()
    return Said(
        id=cells["line"] or made[:16],
        ticket=cells["id"],
        speaker=speaker,
        at=row.at,
        text=cells["body"],
        markup="</" in cells["body"],
        writer=cells["email"].lower(),
        address=cells["email"],
        medium="chat",
        left_out="" if cells["id"] else "no id of the chat",
    )
