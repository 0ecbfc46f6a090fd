"""Intent, searches, shown and outcomes."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from tests.contract.tiny_lake import TinyLake

Rows = dict[str, list[dict[str, Any]]]


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Rows:
    lake = TinyLake(tmp_path_factory.mktemp("intent"))
    facts: list[tuple[str, str, dict[str, Any]]] = [
        ("search", "2026-01-05 09:59", {"query": " Red  MUG ", "result_count": 0}),
        ("search", "2026-01-05 10:00", {"query": "red mug", "result_count": 3}),
        ("view", "2026-01-05 10:05", {"product_id": "p"}),
        ("view", "2026-01-05 10:06", {"product_id": "p"}),
        ("view", "2026-01-05 10:30", {"product_id": "q"}),
        ("view", "2026-01-05 10:31", {"product_id": "r"}),
        ("add_to_cart", "2026-01-05 10:07", {"product_id": "p"}),
        ("failed_add", "2026-01-06 10:07", {"product_id": "p"}),
        ("view", "2026-01-05 10:05", {"product_id": "s", "visitor_id": "w2"}),
        ("search", "2025-09-05 10:00", {"query": "long ago", "result_count": 0}),
        ("exposure", "2026-01-05 10:00", {"product_id": "p"}),
        ("exposure", "2026-01-05 10:00", {"product_id": "q"}),
        ("click", "2026-01-05 10:01", {"product_id": "p"}),
        ("exposure", "2025-12-01 10:00", {"product_id": "p"}),
    ]
    for number, (kind, at, more) in enumerate(facts):
        given = {"visitor_id": "w1", **more}
        lake.add("events", event_id=f"e{number:02}", kind=kind, occurred_at=at, **given)
    lake.add(
        "outcomes",
        decision_id="d",
        metric="units_28d",
        lever="price",
        kind="price",
        subject="variant:v",
        measured_at="2026-01-05 10:00",
        predicted=2.0,
        actual=3.0,
    )
    names = ["intent", "searches", "shown", "outcomes"]
    found = lake.tables("2026-01-20", only=names)
    return {name: table.to_pylist() for name, table in found.items()}


def test_intent_counts_events_and_searches_that_led(rows: Rows) -> None:
    found = {
        (row["product_id"], row["day"].day): (
            row["views"],
            row["carts"],
            row["failed_carts"],
            row["searches"],
        )
        for row in rows["intent"]
    }
    assert found == {
        ("p", 5): (2, 1, 0, 1),
        ("p", 6): (0, 0, 1, 0),
        ("q", 5): (1, 0, 0, 1),
        ("r", 5): (1, 0, 0, 0),  # 31 minutes after the search
        ("s", 5): (1, 0, 0, 0),  # somebody else's search
    }


def test_searches_fold_text_and_count_the_fruitless(rows: Rows) -> None:
    assert rows["searches"] == [
        {"query": "red mug", "searches": 2, "without_result": 1}
    ]


def test_shown_counts_exposures_and_clicks(rows: Rows) -> None:
    assert rows["shown"] == [
        {"product_id": "p", "exposures": 1, "clicks": 1},
        {"product_id": "q", "exposures": 1, "clicks": 0},
    ]


def test_outcomes_carry_prediction_and_actual(rows: Rows) -> None:
    (row,) = rows["outcomes"]
    assert row["measured_on"] == date(2026, 1, 5)
    assert (row["predicted"], row["low"], row["actual"]) == (2.0, None, 3.0)
