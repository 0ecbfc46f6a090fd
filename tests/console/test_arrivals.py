"""The line about what came in just now, read from the inbox."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import insert

from cartwheel.console import arrivals
from cartwheel.console.arrivals import read_arrivals, seconds_ago
from cartwheel.operations import inbox
from cartwheel.shop import Shop

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def receive(shop: Shop, *rows: tuple[str, float], kind: str = "events") -> None:
    """Put events into the inbox: what happened, and how many seconds ago."""
    with shop.database.begin() as connection:
        for n, (what, ago) in enumerate(rows):
            at = (NOW - timedelta(seconds=ago)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
            body = json.dumps({"event_id": f"{what}{n}", "kind": what})
            values = {"kind": kind, "id": f"{kind}{n}{ago}", "body": body}
            connection.execute(insert(inbox).values(**values, received_at=at))


def test_the_last_minutes_are_counted_by_kind(empty_shop: Shop) -> None:
    assert read_arrivals(empty_shop.database, NOW).newest_at is None
    receive(empty_shop, ("answers", 5.0), kind="answers")
    old = [("view", 601.0), ("search", 3600.0)]
    new = [("view", 599.0), ("view", 60.0), ("add_to_cart", 9.0), ("search", 3.0)]
    receive(empty_shop, *old, *new)
    found = read_arrivals(empty_shop.database, NOW)
    assert found.counts == {"view": 2, "add_to_cart": 1, "search": 1}
    assert found.text == "2 views, 1 search, 1 cart"
    assert seconds_ago(found.newest_at, NOW) == "3 s ago"
    assert not found.cut


def test_a_busy_inbox_is_read_no_further_and_says_so(
    empty_shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arrivals, "MOST_ROWS", 5)
    receive(empty_shop, *(("view", 100.0 - n) for n in range(5)))
    assert not read_arrivals(empty_shop.database, NOW).cut
    receive(empty_shop, ("click", 1.0))
    found = read_arrivals(empty_shop.database, NOW)
    assert found.counts == {"view": 4, "click": 1}
    assert found.cut
    # The same rows an hour later: what was left out is old, so nothing is missing.
    assert not read_arrivals(empty_shop.database, NOW + timedelta(hours=1)).cut


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0 s ago"), (59, "59 s ago"), (61, "1 min ago")]
)
def test_age_in_words(seconds: int, text: str) -> None:
    at = (NOW - timedelta(seconds=seconds)).isoformat()
    assert seconds_ago(at, NOW) == text
    assert seconds_ago(None, NOW) == ""


def test_the_overview_shows_it_and_its_script_may_ask_again(
    shop: Shop, owner: TestClient
) -> None:
    def texts() -> list[str]:
        return [" ".join(owner.get(path).text.split()) for path in ("/", "/arrivals")]

    for text in texts():
        assert "No events in the last 10 minutes." in text
    body = json.dumps({"event_id": "e", "kind": "checkout"})
    at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    with shop.database.begin() as connection:
        values: dict[str, Any] = {"kind": "events", "id": "e", "body": body}
        connection.execute(insert(inbox).values(**values, received_at=at))
    for text in texts():
        assert "In the last 10 minutes: 1 checkout; newest" in text


def test_a_stranger_is_told_nothing(
    shop: Shop, signed_in: Callable[[Shop, str], TestClient]
) -> None:
    client = signed_in(shop, "viewer")
    client.cookies.clear()
    answer = client.get("/arrivals", follow_redirects=False)
    assert answer.status_code in (303, 401)
