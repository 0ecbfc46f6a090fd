"""Intercom: conversations with their parts as JSON or NDJSON."""

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
from cartwheel.text.markup import shown_text

CUSTOMERS = frozenset({"user", "lead", "contact"})
FIRST = "first"
REDACTED = "it was redacted"


class Intercom(JsonExport):
    """Reads conversations of Intercom."""

    kind = "intercom"
    accepts = "Intercom conversations as JSON or NDJSON, or a folder of them."
    lists = ("conversations", "data")
    fields = ("source", "conversation_parts")

    def said_in(self, body: Body, people: People) -> Iterator[Said]:
        """Yield what a conversation began with and its parts that say something.

        Parts without a text are events (assigned, closed) and nothing that was said.
        """
        source = part_at(body, "source")
        if text_at(source, "body") or source.get("redacted") is True:
            yield _said(body, source, FIRST)
        for part in _parts(body):
            if text_at(part, "body") or part.get("redacted") is True:
                yield _said(body, part, id_at(part, "id"))


def _parts(body: Body) -> list[Body]:
    held = body.get("conversation_parts")
    if isinstance(held, dict):
        return list_at(held, "conversation_parts")
    return list_at(body, "conversation_parts")


def _said(body: Body, part: Body, name: str) -> Said:
    author = part_at(part, "author")
    role = text_at(author, "type")
    speaker = Speaker.CUSTOMER if role in CUSTOMERS else Speaker.SHOP
    if text_at(part, "part_type") not in ("", "comment", "open"):
        speaker = Speaker.NOBODY
    source = part_at(body, "source")
    channel = text_at(source, "type") or text_at(body, "channel")
    return Said(
        id=name,
        ticket=id_at(body, "id"),
        speaker=speaker,
        at=instant_at(part, "created_at") or instant_at(body, "created_at"),
        text=text_at(part, "body"),
        markup=True,
        writer=id_at(author, "id") or text_at(author, "email").lower(),
        address=_address(body, part),
        medium=medium_of(channel),
        subject=shown_text(text_at(source, "subject") or text_at(body, "title")),
        left_out=REDACTED if part.get("redacted") is True else "",
    )


def _address(body: Body, part: Body) -> str:
    """Return the customer's address: of this part, else of who began, else of those."""
    source = part_at(body, "source")
    people = [part_at(part, "author"), part_at(source, "author")]
    people += [part_at(one, "author") for one in _parts(body)]
    for person in people:
        if text_at(person, "type") in CUSTOMERS and text_at(person, "email"):
            return text_at(person, "email")
    return ""
