from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine, func, select
from sqlalchemy.pool import StaticPool

from cartwheel.api.events import Event
from cartwheel.api.keys import make_key
from cartwheel.inbox_rows import Row, store_rows
from cartwheel.lake.tables import TABLE_BY_NAME
from cartwheel.operations import inbox, metadata
from cartwheel.shop import Shop
from tests.api.conftest import publish


def view(event_id: str = "e1", **columns: Any) -> dict[str, Any]:
    return {"event_id": event_id, "kind": "view", **columns}


def count_rows(shop: Shop) -> int:
    with shop.database.connect() as connection:
        return connection.execute(select(func.count()).select_from(inbox)).scalar_one()


def error(answer: Any) -> dict[str, Any]:
    body = answer.json()["error"]
    assert body["message"]
    assert body["next_step"]
    assert body["request_id"]
    return body


def test_event_model_has_exactly_the_columns_of_the_table() -> None:
    table = TABLE_BY_NAME["events"]
    assert tuple(Event.model_fields) == table.column_names
    kinds = Event.model_json_schema()["properties"]["kind"]["enum"]
    assert tuple(kinds) == table.column("kind").choices


def test_events_are_on_disk_when_acknowledged(client: TestClient, shop: Shop) -> None:
    batch = {"events": [view(f"e{i}", product_id="p") for i in range(50)]}
    answer = client.post("/v1/events", json=batch)
    assert answer.status_code == 200
    assert answer.json() == {
        "accepted": 50,
        "duplicates": 0,
        "rejected": [],
        "unknown_products": None,
    }
    assert count_rows(shop) == 50


def test_events_sent_again_are_acknowledged_and_stored_once(
    client: TestClient, shop: Shop
) -> None:
    batch = {"events": [view("a"), view("b"), view("a")]}
    assert client.post("/v1/events", json=batch).json()["accepted"] == 2
    again = client.post("/v1/events", json=batch).json()
    assert (again["accepted"], again["duplicates"]) == (0, 3)
    assert count_rows(shop) == 2


def test_events_same_id_other_content_is_named_and_not_stored(
    client: TestClient, shop: Shop
) -> None:
    client.post("/v1/events", json=view("a", product_id="p"))
    batch = {"events": [view("b"), view("a", product_id="q")]}
    answer = client.post("/v1/events", json=batch).json()
    assert answer["accepted"] == 1
    (fault,) = answer["rejected"]
    assert (fault["index"], fault["field"], fault["value"]) == (1, "event_id", "a")
    assert count_rows(shop) == 2


def test_events_beacon_text_and_key_in_the_address(
    anonymous: TestClient, shop: Shop
) -> None:
    key = make_key(shop.database, "page", ["events:write"])
    answer = anonymous.post(
        f"/v1/events?key={key}",
        content=json.dumps({"events": [view()]}),
        headers={
            "Content-Type": "text/plain;charset=UTF-8",
            "Origin": "https://shop.example",
            "Sec-Fetch-Site": "cross-site",
        },
    )
    assert answer.status_code == 200
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


def test_events_preflight_is_answered_for_any_origin(anonymous: TestClient) -> None:
    answer = anonymous.options(
        "/v1/events",
        headers={
            "Origin": "https://shop.example",
            "Access-Control-Request-Method": "POST",
        },
    )
    assert answer.status_code == 204
    assert "Authorization" in answer.headers["Access-Control-Allow-Headers"]
    assert "Access-Control-Allow-Credentials" not in answer.headers


@pytest.mark.parametrize(
    ("columns", "field"),
    [
        ({"kind": "look"}, "kind"),
        ({"colour": "red"}, "colour"),
        ({"quantity_units": False}, "quantity_units"),
        ({"quantity_units": "2"}, "quantity_units"),
        ({"quantity_units": -1}, "quantity_units"),
        ({"position": 0}, "position"),
        ({"product_id": 7}, "product_id"),
        ({"product_id": "x" * 201}, "product_id"),
        ({"event_id": "a\u0000b"}, "event_id"),
        ({"occurred_at": 1700000000}, "occurred_at"),
        ({"occurred_at": "2026-01-01T00:00:00"}, "occurred_at"),
        ({"occurred_at": "0001-01-01T00:00:00+14:00"}, "occurred_at"),
        ({"occurred_at": "1999-12-31T23:59:59Z"}, "occurred_at"),
    ],
)
def test_events_bad_one_is_rejected_with_its_field_and_the_rest_kept(
    client: TestClient, columns: dict[str, Any], field: str
) -> None:
    batch = {"events": [view("good"), {**view("bad"), **columns}]}
    answer = client.post("/v1/events", json=batch)
    assert answer.status_code == 200
    assert answer.json()["accepted"] == 1
    (fault,) = answer.json()["rejected"]
    assert (fault["index"], fault["field"]) == (1, field)
    assert fault["reason"]


def test_events_clock_ahead_is_rejected_and_a_little_ahead_kept(
    client: TestClient,
) -> None:
    now = datetime.now(UTC)
    batch = {
        "events": [
            view("ahead", occurred_at=(now + timedelta(hours=25)).isoformat()),
            view("near", occurred_at=(now + timedelta(hours=23)).isoformat()),
            view("old", occurred_at=(now - timedelta(days=400)).isoformat()),
        ]
    }
    answer = client.post("/v1/events", json=batch).json()
    assert answer["accepted"] == 2
    (fault,) = answer["rejected"]
    assert fault["index"] == 0
    assert "24 hours" in fault["reason"]


def test_events_without_instant_sent_later_are_still_the_same(
    client: TestClient,
) -> None:
    client.post("/v1/events", json=view())
    assert client.post("/v1/events", json=view()).json()["duplicates"] == 1


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"[" * 100_000, 400),
        (b'{"event_id": NaN}', 400),
        (b'"\xff"', 400),
        (b"[]", 422),
        (b"7", 422),
        (b'{"events": []}', 422),
        (b'{"events": 7}', 422),
        (b'{"events": [], "extra": 1}', 422),
        (b"{}", 422),
    ],
)
def test_events_unreadable_body_is_one_clear_error(
    client: TestClient, body: bytes, status: int
) -> None:
    answer = client.post("/v1/events", content=body)
    assert answer.status_code == status
    error(answer)


def test_events_more_than_500_are_refused_whole(client: TestClient, shop: Shop) -> None:
    batch = {"events": [view(str(i)) for i in range(501)]}
    answer = client.post("/v1/events", json=batch)
    assert answer.status_code == 422
    assert "501" in error(answer)["message"]
    assert count_rows(shop) == 0


def test_events_all_bad_is_an_error_that_names_each(client: TestClient) -> None:
    batch = {"events": [view("a", kind="x"), {"kind": "view"}]}
    answer = client.post("/v1/events", json=batch)
    assert answer.status_code == 422
    assert [f["field"] for f in error(answer)["details"]] == ["kind", "event_id"]


def test_events_about_unknown_products_are_kept_and_counted(
    client: TestClient, shop: Shop, app: Any
) -> None:
    publish(shop, 1, ["known"])
    app.state.serving.check()
    batch = {
        "events": [
            view("a", product_id="known"),
            view("b", product_id="strange"),
            view("c"),
        ]
    }
    answer = client.post("/v1/events", json=batch).json()
    assert (answer["accepted"], answer["unknown_products"]) == (3, 1)


def test_events_body_of_50_megabytes_is_refused_unread(client: TestClient) -> None:
    answer = client.post("/v1/events", content=b"x" * 50_000_000)
    assert answer.status_code == 413
    assert "500 events" in error(answer)["next_step"]


def test_events_body_without_declared_length_is_cut_off(client: TestClient) -> None:
    def chunks() -> Iterator[bytes]:
        for _ in range(50):
            yield b"x" * 1_000_000

    answer = client.post("/v1/events", content=chunks())
    assert answer.status_code == 413
    error(answer)


def test_events_when_the_database_is_down_nothing_is_acknowledged(
    client: TestClient, shop: Shop
) -> None:
    client.post("/v1/events", json=view("first"))
    inbox.drop(shop.database)
    answer = client.post("/v1/events", json=view("second"))
    assert answer.status_code == 503
    assert answer.headers["Retry-After"]
    assert "again" in error(answer)["next_step"]


rows = st.lists(
    st.builds(
        Row,
        kind=st.sampled_from(["events", "answers"]),
        id=st.sampled_from("abc"),
        body=st.sampled_from(["{}", '{"kind":"view"}']),
    ),
    max_size=12,
)


@settings(max_examples=60, deadline=None)
@given(batches=st.lists(rows, max_size=5))
def test_store_rows_keeps_the_first_content_of_an_id_whatever_is_sent(
    batches: list[list[Row]],
) -> None:
    engine = create_engine("sqlite://", poolclass=StaticPool)
    metadata.create_all(engine)
    first: dict[tuple[str, str], str] = {}
    for batch in batches:
        with engine.begin() as connection:
            outcomes = store_rows(connection, batch)
        for row, outcome in zip(batch, outcomes, strict=True):
            fresh = (row.kind, row.id) not in first
            kept = first.setdefault((row.kind, row.id), row.body)
            expected = "duplicate" if kept == row.body else "conflict"
            assert outcome == ("stored" if fresh else expected)
    with engine.connect() as connection:
        found = {(r.kind, r.id): r.body for r in connection.execute(select(inbox))}
    assert found == first
