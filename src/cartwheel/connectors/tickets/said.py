"""What was said in tickets and chats, gathered into the table `messages`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

from cartwheel.connectors.gathered import Gathered
from cartwheel.connectors.written import (
    AUTOMATIC,
    address_of,
    is_machine,
    plain_id,
    written_subject,
    written_text,
)

SAME_WORDS = timedelta(days=2)
"""Span in which the same words of one person in two tickets are one contact."""

LEAST_SAME = 20
"""Characters from which words tell that; "thank you" is said again and again."""

MEDIA = {
    "email": "email",
    "chat": "chat",
    "native_messaging": "chat",
    "conversation": "chat",
    "web": "form",
    "contact_form": "form",
    "help-center": "form",
    "phone": "phone",
    "voice": "phone",
    "aircall": "phone",
    "sms": "sms",
    "api": "form",
}
"""Medium by the name that desks give a channel; others are told as `other`."""

NOTE = "an internal note, which no customer saw"
NOTHING = "nothing the writer wrote is in it"


class Speaker(Enum):
    """Who says something."""

    CUSTOMER = "customer"
    SHOP = "shop"  # people and machines of the shop
    NOBODY = "nobody"  # a note among themselves, an event


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One thing said in a ticket or chat.

    Attributes:
        id: Its id, unique in the ticket.
        ticket: Id of the ticket.
        speaker: Who said it.
        at: When, naive UTC; None when no time can be read.
        text: The text as it came.
        markup: It is HTML.
        writer: What tells the writer from others, "" where nothing does.
        address: The customer's e-mail address, "" where none is known.
        medium: How it came.
        subject: Subject of the ticket.
        left_out: Why it does not count, "" when it does.
    """

    id: str
    ticket: str
    speaker: Speaker
    at: datetime | None
    text: str
    markup: bool = False
    writer: str = ""
    address: str = ""
    medium: str = ""
    subject: str = ""
    left_out: str = ""


def medium_of(channel: str) -> str:
    """Return the medium of a desk's channel."""
    return MEDIA.get(channel.strip().lower(), "other") if channel.strip() else ""


class SaidBook:
    """Gathers what was said; each is a message, a repetition or kept aside.

    A ticket's subject is kept with the first thing said in it, or it would count as
    often as somebody writes.

    Attributes:
        gathered: Messages and refusals.
        repeated: Rows that say what another did.
    """

    def __init__(self, source: str) -> None:
        """Begin a book.

        Args:
            source: Kind of source, which begins every id.
        """
        self._source = source
        self.gathered = Gathered()
        self.repeated: list[int] = []
        self._known: set[str] = set()
        self._titled: set[str] = set()
        self._words: dict[tuple[str, str], tuple[str, datetime]] = {}

    def add(self, row: int, said: Said) -> None:
        """Gather one thing said."""
        name = f"{self._source}-{plain_id(said.ticket)}-{plain_id(said.id)}"
        if name in self._known:
            self.repeated.append(row)
            return
        self._known.add(name)
        address = address_of(said.address)
        customers = said.speaker is Speaker.CUSTOMER
        reason = said.left_out
        if not reason and customers and is_machine(address):
            reason = AUTOMATIC
        if not reason and said.speaker is Speaker.NOBODY:
            reason = NOTE
        if not reason and said.at is None:
            reason = "no time that can be read"
        if reason or said.at is None:
            self.gathered.refuse(row, "", name, reason)
            return
        body = written_text(said.text, markup=said.markup)
        titled = said.ticket in self._titled
        subject = "" if titled else written_subject(said.subject)
        if not body and not subject:
            self.gathered.refuse(row, "", name, NOTHING)
            return
        if customers and self._said_elsewhere(said, said.at, body):
            self.repeated.append(row)
            return
        self._titled.add(said.ticket)
        values: dict[str, Any] = {
            "message_id": name,
            "direction": "in" if customers else "out",
            "medium": said.medium or None,
            "sent_at": said.at,
            "address": address or None,
            "subject": subject or None,
            "body": body or None,
        }
        self.gathered.add("messages", row, **values)

    def _said_elsewhere(self, said: Said, at: datetime, body: str) -> bool:
        """Tell whether the writer said the same in another ticket just before or after.

        That is a ticket that was merged into another, or a letter that came twice.
        """
        writer = said.writer or said.address.lower()
        if not writer or len(body) < LEAST_SAME:
            return False
        key = (writer, " ".join(body.lower().split()))
        ticket, before = self._words.get(key, (said.ticket, at))
        if ticket != said.ticket and abs(at - before) <= SAME_WORDS:
            return True
        self._words[key] = (said.ticket, at)
        return False
