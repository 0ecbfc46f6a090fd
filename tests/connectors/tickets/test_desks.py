"""Gorgias and Intercom: who wrote, notes, bots, what is no JSON of theirs."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cartwheel.connectors.base import Connector
from cartwheel.connectors.tickets.gorgias import Gorgias
from cartwheel.connectors.tickets.intercom import Intercom
from cartwheel.connectors.tickets.zendesk import Zendesk
from cartwheel.errors import Misuse
from tests.connectors.tickets.made import (
    ANN,
    CONTEXT,
    as_json,
    as_lines,
    read,
    reasons,
    rows,
    told,
)

CUSTOMER = {"id": 5, "email": ANN, "name": "Ann"}
AT = "2026-03-01T10:00:00.123456+02:00"


def message(name: int, text: str = "", **more: Any) -> dict[str, Any]:
    return {
        "id": name,
        "channel": "email",
        "public": True,
        "from_agent": False,
        "sender": CUSTOMER,
        "stripped_text": text,
        "sent_datetime": AT,
        **more,
    }


def gorgias_ticket(*messages: Any, **more: Any) -> dict[str, Any]:
    return {"id": 1, "customer": CUSTOMER, "messages": list(messages), **more}


def test_messages_of_gorgias(tmp_path: Path) -> None:
    page = {
        "data": [
            gorgias_ticket(
                message(1, "Too wide", body_text="Too wide\n> before", subject="Re: A"),
                message(2, "We are sorry", from_agent=True, sender={"id": 8}),
                message(3, "call her", channel="internal-note"),
                message(4, "hidden", public=False),
                message(5, body_html="<p>And short</p>", from_agent=None),
                message(6, "Ours", from_agent=None, sender={"id": 8}),
                message(7, "Nobody's", from_agent=None, sender={}),
            ),
            gorgias_ticket(message(8, "Buy pills"), id=2, spam=True),
            gorgias_ticket(message(9, "Gone"), id=3, trashed_datetime=AT),
        ],
        "meta": {"next_cursor": None},
    }
    found = read(Gorgias(), as_json(tmp_path / "g.json", page))
    assert told(found) == [
        ("in", "Too wide"),
        ("out", "We are sorry"),
        ("in", "And short"),
        ("out", "Ours"),
        ("out", "Nobody's"),
    ]
    first = rows(found)[0]
    assert first["sent_at"] == datetime(2026, 3, 1, 8, 0, 0, 123456)
    assert (first["subject"], first["address"]) == ("A", "ann@mail.example")
    assert [one[:12] for one in reasons(found)] == [
        *["an internal "] * 2,
        "the desk too",
        "a ticket tha",
    ]


def test_messages_of_gorgias_alone(tmp_path: Path) -> None:
    path = as_lines(
        tmp_path / "g.jsonl",
        message(1, "Too wide", ticket_id=4),
        message(1, "Too wide", ticket_id=4),
        message(2, "Yes?", ticket_id=4, from_agent=True, receiver=CUSTOMER),
    )
    found = read(Gorgias(), path)
    assert told(found) == [("in", "Too wide"), ("out", "Yes?")]
    assert {one["address"] for one in rows(found)} == {"ann@mail.example"}
    assert found.duplicates == (1,)


def part(name: str, text: str | None, role: str = "user", **more: Any) -> Any:
    return {
        "id": name,
        "part_type": "comment",
        "body": text,
        "author": {"type": role, "id": role, "email": f"{role}@mail.example"},
        "created_at": 1772359200,
        **more,
    }


def test_conversations_of_intercom(tmp_path: Path) -> None:
    body = {
        "id": "3",
        "title": None,
        "created_at": 1772359200,
        "source": {
            "type": "conversation",
            "id": "s",
            "subject": "<p>Size</p>",
            "body": "<p>Does it run <b>small</b>?</p>",
            "author": {"type": "lead", "id": "u", "email": ANN},
        },
        "conversation_parts": {
            "conversation_parts": [
                part("1", "<p>A bot asks</p>", "bot"),
                part("2", "<p>It does not</p>", "admin"),
                part("3", "<p>ask Mia</p>", "admin", part_type="note"),
                part("4", None, "admin", part_type="close"),
                part("5", "<p>Thank you</p>", part_type="open"),
                part("6", "", redacted=True),
            ]
        },
    }
    found = read(Intercom(), as_json(tmp_path / "i.json", {"conversations": [body]}))
    assert told(found) == [
        ("in", "Does it run small?"),
        ("out", "A bot asks"),
        ("out", "It does not"),
        ("in", "Thank you"),
    ]
    first = rows(found)[0]
    assert first["sent_at"] == datetime(2026, 3, 1, 10)
    assert (first["subject"], first["medium"]) == ("Size", "chat")
    assert first["address"] == "ann@mail.example"
    assert [one[:12] for one in reasons(found)] == ["an internal ", "it was redac"]


def test_automatic_senders_are_no_contact(tmp_path: Path) -> None:
    robot = {"id": 6, "email": "noreply@carrier.example"}
    one = gorgias_ticket(message(1, "Your parcel", sender=robot), customer=robot)
    found = read(Gorgias(), as_json(tmp_path / "g.json", [one]))
    assert (told(found), reasons(found)) == (
        [],
        ["an automatic message, which is no contact"],
    )


ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from([AT, "2026-03-01", 1772359200, "merge", "end-user", "note"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=6,
)
NAMES = st.sampled_from(
    [
        *("id", "comments", "messages", "source", "conversation_parts", "author"),
        *("via", "users", "role", "requester", "requester_id", "description"),
        *("public", "plain_body", "html_body", "created_at", "sent_datetime", "email"),
        *("customer", "sender", "stripped_text", "body", "part_type", "type", "tags"),
    ]
)
RECORD = st.recursive(
    st.dictionaries(NAMES, ANYTHING, max_size=5),
    lambda inner: st.dictionaries(NAMES, inner | st.lists(inner, max_size=3)),
    max_leaves=8,
)


@pytest.mark.parametrize("connector", [Zendesk(), Gorgias(), Intercom()])
@settings(max_examples=60, deadline=None)
@given(found=st.lists(RECORD, max_size=4))
def test_no_record_breaks_a_reader(connector: Connector, found: list[Any]) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = as_lines(Path(folder) / "t.ndjson", *found)
        try:
            read(connector, path)
            connector.read(as_json(Path(folder) / "t.json", found), CONTEXT)
        except Misuse:
            return
