"""Zendesk: comments by who wrote them, merged and deleted tickets, views as CSV."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from cartwheel.connectors.intake import append_harvest
from cartwheel.connectors.tickets.zendesk import Zendesk
from cartwheel.errors import Misuse
from cartwheel.shop import make_shop
from tests.connectors.tickets.made import (
    ANN,
    CONTEXT,
    as_csv,
    as_json,
    as_lines,
    read,
    reasons,
    rows,
    told,
)

USERS = [
    {"id": 7, "name": "Ann Lee", "email": ANN, "role": "end-user"},
    {"id": 9, "name": "Mia", "email": "mia@harbour.example", "role": "agent"},
]


def comment(name: int, text: str, *, author: int = 7, **more: Any) -> dict[str, Any]:
    return {
        "id": name,
        "author_id": author,
        "public": True,
        "plain_body": text,
        "created_at": f"2026-03-01T10:{name % 60:02}:00Z",
        **more,
    }


def ticket(name: int, *comments: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "id": name,
        "subject": "Parcel",
        "status": "solved",
        "requester_id": 7,
        "created_at": "2026-03-01T10:00:00Z",
        "via": {"channel": "email"},
        "comments": list(comments),
        **more,
    }


def test_comments_go_by_who_wrote_them(tmp_path: Path) -> None:
    page = {
        "tickets": [
            ticket(
                1,
                comment(11, "Where is it?\n\nOn Tue, 3 Mar 2026 Mia wrote:\n> Hello"),
                comment(12, "On its way.", author=9),
                comment(13, "She is angry", author=9, public=False),
                comment(14, "", html_body="<p>Thank <b>you</b></p><script>x</script>"),
                comment(15, "> all quoted"),
            )
        ],
        "users": USERS,
        "end_of_stream": True,
    }
    found = read(Zendesk(), as_json(tmp_path / "t.json", page))
    assert told(found) == [
        ("in", "Where is it?"),
        ("out", "On its way."),
        ("in", "Thank you"),
    ]
    first, second, _ = rows(found)
    assert first["message_id"] == "zendesk-1-first"
    assert first["sent_at"] == datetime(2026, 3, 1, 10, 11)
    assert (first["medium"], first["address"]) == ("email", "ann@mail.example")
    assert (first["subject"], second["subject"]) == ("Parcel", None)
    assert [one.split(",")[0] for one in reasons(found)] == [
        "an internal note",
        "nothing the writer wrote is in it",
    ]
    assert len(found.supporting) == 2


def test_without_users_the_requester_alone_is_a_customer(tmp_path: Path) -> None:
    page = {"tickets": [ticket(1, comment(1, "Hi"), comment(2, "Yes", author=5))]}
    assert told(read(Zendesk(), as_json(tmp_path / "t.json", page))) == [
        ("in", "Hi"),
        ("out", "Yes"),
    ]


def test_a_ticket_without_comments_is_its_description(tmp_path: Path) -> None:
    plain = {"description": "Too small", "comments": None}
    path = as_lines(
        tmp_path / "t.ndjson",
        ticket(1, **plain),
        ticket(2, **plain, submitter_id=9, requester={"id": 7, "email": ANN}),
        ticket(3, **plain, is_public=False),
        ticket(4, **plain, status="deleted"),
        ticket(5, **plain, created_at="soon"),
        *USERS,
    )
    found = read(Zendesk(), path)
    assert told(found) == [("in", "Too small"), ("out", "Too small")]
    assert [one[:24] for one in reasons(found)] == [
        "an internal note, which ",
        "a ticket that was delete",
        "no time that can be read",
    ]
    assert found.files[0].line(3) == 4


def test_a_merged_ticket_counts_once(tmp_path: Path) -> None:
    words = "My parcel has not come, it is a week late."
    path = as_lines(
        tmp_path / "t.ndjson",
        ticket(1, comment(1, words), comment(2, words)),
        ticket(2, comment(3, words), tags=["closed_by_merge"]),
        ticket(
            3,
            comment(4, f'Request #2 "Parcel" was closed and merged into this. {words}'),
            comment(5, words, via={"source": {"rel": "merge"}}),
            comment(6, words, author=8),
            comment(7, words, created_at="2026-04-01T10:00:00Z"),
        ),
        ticket(4, comment(8, "Thanks")),
        ticket(5, comment(9, "Thanks")),
    )
    found = read(Zendesk(), path)
    assert [one["message_id"] for one in rows(found)] == [
        *("zendesk-1-first", "zendesk-1-2", "zendesk-3-6", "zendesk-3-7"),
        *("zendesk-4-first", "zendesk-5-first"),
    ]
    assert found.duplicates == (2,)
    assert all("merged" in one for one in reasons(found))


def test_it_is_imported_once_with_what_is_personal_masked(tmp_path: Path) -> None:
    shop = make_shop(tmp_path / "shop", currency="EUR")
    path = as_json(
        tmp_path / "t.json",
        [
            ticket(
                1,
                comment(1, "Card 4111 1111 1111 1111, call +49 30 1234567"),
                comment(2, "note to +49 30 1234567", public=False),
                subject="bob@mail.example",
            )
        ],
    )

    def take() -> Any:
        found = read(Zendesk(), path)
        return append_harvest(shop, found, "zendesk", path, CONTEXT.now)

    first, again = take(), take()
    assert (first.rows_kept, first.rows_rejected) == (1, 1)
    assert (again.rows_kept, again.rows_duplicate, again.rows_rejected) == (0, 1, 1)
    with shop.lake.attached(read_only=True) as con:
        said = con.execute("SELECT subject, body FROM lake.messages").fetchall()
        aside = con.execute("SELECT * FROM lake.rejects").fetchall()
    assert said == [("[e-mail]", "Card [card], call [phone]")]
    assert "1234567" not in str(aside)


def test_a_view_is_read_by_its_columns(tmp_path: Path) -> None:
    header = ("ID", "Subject", "Requester", "Requester email", "Requested", "Status")
    as_csv(
        tmp_path / "view.csv",
        header,
        ("#12", "Where is bob@x.example?", "Ann", ANN, "2026-03-01 10:00", "Open"),
        ("13", "", "Ann", ANN, "2026-03-01 10:00", "Open"),
        ("14", "Gone", "Ann", ANN, "2026-03-01 10:00", "Deleted"),
        ("15", "When", "Ann", ANN, "call +49 30 1234567", "Open"),
    )
    as_json(tmp_path / "t.json", [ticket(1, comment(1, "Hi"))])
    found = read(Zendesk(), tmp_path)
    by_id = {one["message_id"]: one for one in rows(found)}
    assert set(by_id) == {"zendesk-1-first", "zendesk-12-first"}
    view = by_id["zendesk-12-first"]
    assert (view["subject"], view["body"]) == ("Where is [e-mail]?", None)
    assert view["sent_at"] == datetime(2026, 3, 1, 9), "the shop's time zone"
    assert [one.source_row for one in found.rejects] == [2, 3, 4]
    assert "1234567" not in str(found.rejects)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty"),
        ("Dear shop", "no JSON"),
        ("[" * 200_000, "nested too deeply"),
        ('{"orders": []}', "holds no ticket"),
        ("3", "a single value"),
        ("[]", "holds no ticket"),
    ],
)
def test_what_is_no_export_is_refused(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "t.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(Misuse, match=said):
        Zendesk().read(path, CONTEXT)


def test_broken_lines_are_kept_aside_one_by_one(tmp_path: Path) -> None:
    path = as_lines(
        tmp_path / "t.ndjson",
        ticket(1, comment(1, "Hi")),
        "{broken",
        "[" * 100_000,
        "[]",
        {"id": 3},
        "",
        {"tickets": [ticket(2, comment(2, "Hello")), 5]},
    )
    found = read(Zendesk(), path)
    assert told(found) == [("in", "Hi"), ("in", "Hello")]
    assert [one[:12] for one in reasons(found)] == [
        *("it is no JSO", "it is nested", "no record; e", "no record of"),
        "no record; e",
    ]
    assert [found.files[0].line(row) for row in range(7)] == [1, 2, 3, 4, 5, 7, 7]
