"""Gorgias: tickets with their messages, or messages alone, as JSON or NDJSON."""

from __future__ import annotations

from collections.abc import Iterator

from cartwheel.connectors.json_records import (
    Body,
    id_at,
    instant_at,
    list_at,
    part_at,
    text_at,
)
from cartwheel.connectors.tickets.json_export import JsonExport, People
from cartwheel.connectors.tickets.said import Said, Speaker, medium_of

NOTE_CHANNEL = "internal-note"


class Gorgias(JsonExport):
    """Reads tickets and messages of Gorgias."""

    kind = "gorgias"
    accepts = "Gorgias tickets or messages as JSON or NDJSON, or a folder of them."
    lists = ("data", "tickets")
    fields = ("messages", "ticket_id")

    def said_in(self, body: Body, people: People) -> Iterator[Said]:
        """Yield the messages of a ticket, or the one message that the record is."""
        if "messages" not in body:
            yield _said({}, body)
            return
        for message in list_at(body, "messages"):
            yield _said(body, message)


def _said(ticket: Body, message: Body) -> Said:
    text = text_at(message, "stripped_text", "body_text")
    html = text_at(message, "body_html")
    sender = part_at(message, "sender")
    ours = _is_ours(ticket, message)
    person = part_at(ticket, "customer") or (
        part_at(message, "receiver") if ours else sender
    )
    channel = text_at(message, "channel") or text_at(ticket, "channel")
    hidden = message.get("public") is False or channel == NOTE_CHANNEL
    speaker = Speaker.SHOP if ours else Speaker.CUSTOMER
    return Said(
        id=id_at(message, "id"),
        ticket=id_at(ticket, "id") or id_at(message, "ticket_id"),
        speaker=Speaker.NOBODY if hidden else speaker,
        at=instant_at(message, "sent_datetime", "created_datetime"),
        text=text or html,
        markup=not text,
        writer=id_at(sender, "id") or text_at(sender, "email").lower(),
        address=text_at(person, "email"),
        medium=medium_of(channel),
        subject=text_at(message, "subject") or text_at(ticket, "subject"),
        left_out=_left_out(ticket),
    )


def _is_ours(ticket: Body, message: Body) -> bool:
    """Tell whether the shop wrote: by its flag, else by who the customer is."""
    flag = message.get("from_agent")
    if isinstance(flag, bool):
        return flag
    sender, customer = part_at(message, "sender"), part_at(ticket, "customer")
    for name in ("id", "email"):
        one, other = sender.get(name), customer.get(name)
        if one is not None and other is not None:
            return bool(one != other)
    # Words are a customer's only where something says so.
    return True


def _left_out(ticket: Body) -> str:
    if ticket.get("spam") is True:
        return "the desk took it for spam"
    if ticket.get("trashed_datetime"):
        return "a ticket that was deleted"
    return ""
