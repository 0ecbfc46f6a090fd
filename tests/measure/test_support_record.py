"""Resolved is what nobody came back for, and only once a week has passed."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from cartwheel.contacts import Contact, keep
from cartwheel.measure.support_record import support_page, support_record
from cartwheel.shop import make_shop

UNTIL = datetime(2026, 11, 29)
FIRST = UNTIL - timedelta(days=28)


def contact(days_ago: float, name: str = "a", **changes: object) -> Contact:
    at = (UNTIL - timedelta(days=days_ago)).isoformat(timespec="microseconds")
    made = Contact(
        id=f"{name}{days_ago}",
        at=f"{at}Z",
        turn=1,
        customer_id=None,
        visitor_id=name,
        product_id=None,
        asked="?",
        outcome="answered",
        why="evidence",
        arm="treated",
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def told(contacts: list[Contact], **messages: list[datetime]) -> dict[str, object]:
    return support_record(contacts, messages, first=FIRST, until=UNTIL)


def test_who_writes_again_within_a_week_was_not_helped() -> None:
    rows = [contact(20 - n / 10, f"v{n}") for n in range(10)]
    assert told(rows)["resolved"]["hits"] == 10  # type: ignore[index]
    again = contact(12, "v0", outcome="handed_over", why="no_evidence")
    found = told([*rows, again])
    assert found["resolved"] == {  # type: ignore[comparison-overlap]
        **found["resolved"],  # type: ignore[dict-item]
        "hits": 10,
        "of": 10,
    }, "eight days later is another matter"
    soon = contact(14, "v0", outcome="handed_over", why="no_evidence")
    found = told([*rows, soon])
    assert (found["resolved"]["hits"], found["resolved"]["of"]) == (9, 10)  # type: ignore[index]


def test_a_message_by_another_way_counts_as_coming_back() -> None:
    rows = [contact(20 - n / 10, f"v{n}", customer_id=f"c{n}") for n in range(10)]
    at = UNTIL - timedelta(days=15)
    assert told(rows, c3=[at])["resolved"]["hits"] == 9  # type: ignore[index]
    before = UNTIL - timedelta(days=25)
    assert told(rows, c3=[before])["resolved"]["hits"] == 10  # type: ignore[index]


def test_young_answers_and_unknown_shoppers_count_as_neither() -> None:
    rows = [contact(3, "v1"), contact(20, "", visitor_id=None)]
    found = told(rows)
    assert (found["too_new"], found["unknown"]) == (1, 1)
    assert found["resolved"]["of"] == 0  # type: ignore[index]
    assert found["resolved"]["value"] is None  # type: ignore[index]


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(
            st.floats(0.01, 40),
            st.sampled_from("abc"),
            st.sampled_from(["answered", "handed_over", "asked_back"]),
        ),
        max_size=30,
        unique_by=lambda row: row[0],
    )
)
def test_every_contact_of_the_window_is_counted_once(
    rows: list[tuple[float, str, str]],
) -> None:
    contacts = [contact(days, who, outcome=outcome) for days, who, outcome in rows]
    found = told(contacts)
    inside = [row for row in rows if row[0] <= 28]
    assert found["contacts"] == len(inside)
    answered = found["answered"]["hits"]  # type: ignore[index]
    assert answered + found["handed_over"] + found["asked_back"] == len(inside)
    resolved = found["resolved"]
    assert resolved["hits"] <= resolved["of"] <= answered  # type: ignore[index]
    assert sum(row["contacts"] for row in found["reasons"]) == len(inside)  # type: ignore[attr-defined]


def test_an_answer_to_a_survey_is_no_coming_back(tmp_path: Path) -> None:
    shop = make_shop(tmp_path / "shop", currency="EUR")
    for n in range(10):
        keep(shop.database, contact(20 - n / 10, f"v{n}", customer_id=f"c{n}"))
    known = "TIMESTAMP '2026-11-15', TIMESTAMP '2026-11-15', 'b', 'h' || message_id"
    with shop.lake.transaction("test", "messages") as con:
        con.execute(
            "INSERT INTO lake.messages (message_id, customer_id, direction, medium, "
            "sent_at, address, known_at, imported_at, batch, content_hash) "
            f"SELECT *, {known} "
            "FROM (VALUES ('m1', 'c1', 'in', 'nps', TIMESTAMP '2026-11-14', NULL), "
            "('m2', 'c2', 'in', 'survey', TIMESTAMP '2026-11-14', NULL), "
            "('m3', 'c3', 'in', NULL, TIMESTAMP '2026-11-14', NULL), "
            "('m4', 'c4', 'in', 'email', TIMESTAMP '2026-11-14', NULL), "
            "('m5', NULL, 'in', 'email', TIMESTAMP '2026-11-14', 'five@example.org')) "
            "AS t(message_id, customer_id, direction, medium, sent_at, address)"
        )
    found = support_page(shop, date(2026, 11, 28), None)
    assert (found["resolved"]["hits"], found["resolved"]["of"]) == (8, 10)
    with shop.lake.transaction("test", "customers") as con:
        con.execute(
            "INSERT INTO lake.customers (customer_id, email, known_at, imported_at, "
            "batch, content_hash) VALUES ('c5', 'five@example.org', "
            "TIMESTAMP '2026-01-01', TIMESTAMP '2026-01-01', 'b', 'h')"
        )
    found = support_page(shop, date(2026, 11, 28), None)
    assert (found["resolved"]["hits"], found["resolved"]["of"]) == (7, 10)
