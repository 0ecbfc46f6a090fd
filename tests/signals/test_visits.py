"""Visits: steps in order, and where one ends."""

from __future__ import annotations

from typing import Any

from tests.contract.tiny_lake import TinyLake


def _met(lake: TinyLake, number: int, kind: str, at: str, **more: Any) -> None:
    values = {"visitor_id": "w1", "product_id": "p", **more}
    lake.add("events", event_id=f"e{number}", kind=kind, occurred_at=at, **values)


def _rows(lake: TinyLake) -> list[tuple[Any, ...]]:
    names = ("visitor_id", "visit", "step", "product_id", "pause_seconds", "cart")
    found = lake.rows("visits", "2026-01-20")
    return [tuple(row[name] for name in names) for row in found]


def test_steps_are_in_order_and_a_pause_begins_a_visit(lake: TinyLake) -> None:
    _met(lake, 2, "view", "2026-01-10 10:01", product_id="q")
    _met(lake, 1, "view", "2026-01-10 10:00")
    _met(lake, 3, "add_to_cart", "2026-01-10 10:02", product_id="q")
    _met(lake, 4, "view", "2026-01-10 10:32")  # exactly thirty minutes
    _met(lake, 5, "failed_add", "2026-01-10 11:03", product_id="q")
    _met(lake, 6, "view", "2026-01-10 10:00", visitor_id="w2")
    assert _rows(lake) == [
        ("w1", 0, 0, "p", 0, False),
        ("w1", 0, 1, "q", 60, False),
        ("w1", 0, 2, "q", 60, True),
        ("w1", 0, 3, "p", 1800, False),
        ("w1", 1, 0, "q", 0, True),
        ("w2", 0, 0, "p", 0, False),
    ]


def test_what_is_no_look_is_left_out(lake: TinyLake) -> None:
    _met(lake, 1, "view", "2025-10-01 10:00")  # too long ago
    _met(lake, 2, "view", "2026-01-10 10:00", visitor_id=None)
    _met(lake, 3, "view", "2026-01-10 10:00", product_id=None)
    _met(lake, 4, "exposure", "2026-01-10 10:00")
    _met(lake, 5, "search", "2026-01-10 10:00", product_id=None, query="red")
    assert _rows(lake) == []


def test_who_objects_leaves_no_visits(lake: TinyLake) -> None:
    _met(lake, 1, "view", "2026-01-01 10:00", customer_id="anna")
    _met(lake, 2, "view", "2026-01-03 10:00", visitor_id="w2")
    lake.add(
        "consents",
        customer_id="anna",
        purpose="personalisation",
        changed_at="2026-01-04 10:00",
        granted=False,
    )
    assert [row[0] for row in _rows(lake)] == ["w2"]
