"""What followed each search."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.tiny_lake import TinyLake


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], Any]:
    lake = TinyLake(tmp_path_factory.mktemp("clicks"))
    one = {"placement": "search"}
    facts: list[tuple[str, str, dict[str, Any]]] = [
        ("search", "2026-01-05 10:00", {"query": " Red  MUG "}),
        ("exposure", "2026-01-05 10:00:01", {"product_id": "p", "position": 1, **one}),
        ("exposure", "2026-01-05 10:00:01", {"product_id": "q", "position": 2, **one}),
        ("exposure", "2026-01-05 10:00:01", {"product_id": "r", "placement": "home"}),
        ("click", "2026-01-05 10:01", {"product_id": "p", **one}),
        ("view", "2026-01-05 10:01:01", {"product_id": "p"}),
        ("add_to_cart", "2026-01-05 10:02", {"product_id": "p"}),
        ("search", "2026-01-05 11:00", {"query": "blue mug"}),
        ("exposure", "2026-01-05 11:00:01", {"product_id": "q", "position": 1, **one}),
        ("view", "2026-01-05 11:40", {"product_id": "q"}),  # too late
        ("search", "2026-01-05 10:00", {"query": "red mug", "visitor_id": "w2"}),
        ("view", "2026-01-05 10:05", {"product_id": "q", "visitor_id": "w2"}),
        ("view", "2026-01-05 10:05", {"product_id": "s", "visitor_id": "w3"}),
        ("search", "2024-01-05 10:00", {"query": "old", "visitor_id": "w4"}),
        ("view", "2024-01-05 10:01", {"product_id": "q", "visitor_id": "w4"}),
    ]
    for number, (kind, at, more) in enumerate(facts):
        given = {"visitor_id": "w1", **more}
        lake.add("events", event_id=f"e{number:02}", kind=kind, occurred_at=at, **given)
    table = lake.tables("2026-01-20", only=["search_clicks"])["search_clicks"]
    return {(row["query"], row["product_id"]): row for row in table.to_pylist()}


def test_search_clicks_join_what_followed_to_the_search(rows: dict[Any, Any]) -> None:
    found = {
        key: (row["shown"], row["clicks"], row["carts"]) for key, row in rows.items()
    }
    assert found == {
        ("red mug", "p"): (1, 1, 1),
        ("red mug", "q"): (1, 1, 0),
        ("blue mug", "q"): (1, 0, 0),
    }


def test_search_clicks_expect_what_the_position_explains(rows: dict[Any, Any]) -> None:
    # At position 1 one of two exposures was opened, at position 2 none of one.
    assert rows["red mug", "p"]["expected_clicks"] == 0.5
    assert rows["blue mug", "q"]["expected_clicks"] == 0.5
    assert rows["red mug", "q"]["expected_clicks"] == 0.0
