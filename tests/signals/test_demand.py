"""Demand and stock."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from tests.contract.tiny_lake import TinyLake


def _count(lake: TinyLake, at: str, units: int, place: str = "l", **more: Any) -> None:
    lake.add(
        "inventory_levels",
        variant_id="v",
        location_id=place,
        counted_at=at,
        available_units=units,
        **more,
    )


def _out(lake: TinyLake, as_of: str) -> list[int]:
    rows = lake.rows("demand", as_of)
    return [row["day"].day for row in rows if row["stocked_out"]]


def test_demand_adds_units_and_takes_off_discounts(lake: TinyLake) -> None:
    lake.sale(
        "o1", "v", "2026-01-05 10:00", units=3, price=1000, discount=600,
        order_discount=301,
    )  # fmt: skip
    lake.sale("o1", "w", "2026-01-05 10:00", price=600, new_order=False)
    lake.sale("o2", "v", "2026-01-05 12:00", units=2, price=1000)
    first, second = lake.rows("demand", "2026-01-31")
    # 301 over 2400 + 600: 240.8 and 60.2, shares rounded down.
    assert first == {
        "variant_id": "v",
        "day": date(2026, 1, 5),
        "units": 5,
        "revenue_minor": 2400 - 240 + 2000,
        "orders": 2,
        "stocked_out": False,
    }
    assert second["revenue_minor"] == 600 - 60


def test_demand_leaves_out_cancelled_orders_and_charges(lake: TinyLake) -> None:
    lake.sale("o1", "v", "2026-01-05 10:00", status="cancelled")
    lake.add(
        "order_lines",
        order_id="o2",
        line_id="1",
        placed_at="2026-01-05 10:00",
        kind="shipping",
        title="Post",
        quantity_units=1,
        unit_price_minor=500,
    )
    assert lake.rows("demand", "2026-01-31") == []


def test_demand_flags_days_until_the_next_count(lake: TinyLake) -> None:
    _count(lake, "2026-01-05 08:00", 0)
    _count(lake, "2026-01-05 18:00", 4)
    _count(lake, "2026-01-07 18:00", 0)
    _count(lake, "2026-01-10 08:00", 9)
    _count(lake, "2026-01-12 08:00", -1)
    assert _out(lake, "2026-01-13") == [7, 8, 9, 12, 13]


def test_demand_is_out_only_when_every_place_is(lake: TinyLake) -> None:
    _count(lake, "2026-01-05 08:00", 0, "a")
    _count(lake, "2026-01-05 08:00", 3, "b")
    _count(lake, "2026-01-07 08:00", 0, "b")
    _count(lake, "2026-01-09 08:00", 1, "a")
    assert _out(lake, "2026-01-13") == [7, 8]


def test_demand_days_without_sale_carry_no_units(lake: TinyLake) -> None:
    _count(lake, "2026-01-05 08:00", 0)
    (row,) = lake.rows("demand", "2026-01-05")
    assert (row["units"], row["revenue_minor"], row["orders"]) == (0, 0, 0)


def test_stock_adds_places_at_their_last_counts(lake: TinyLake) -> None:
    _count(lake, "2026-01-05 08:00", 9, "a", incoming_units=4)
    _count(lake, "2026-01-06 08:00", 5, "a", incoming_units=3)
    _count(lake, "2026-01-01 08:00", 2, "b")
    lake.sale("o1", "v", "2026-01-06 10:00", units=14)
    (row,) = lake.rows("stock", "2026-01-07")
    assert row["on_hand_units"] == 7
    assert row["inbound_units"] == 3
    assert row["cover_days"] == pytest.approx(14.0)  # 7 units at 14 in 28 days


def test_stock_inbound_is_ordered_less_received(lake: TinyLake) -> None:
    for order, at, expected in (
        ("old", "2024-01-01 00:00", "2024-02-01 00:00"),
        ("po", "2026-01-01 00:00", "2026-01-20 00:00"),
    ):
        lake.add(
            "purchase_orders",
            purchase_order_id=order,
            variant_id="v",
            ordered_at=at,
            expected_at=expected,
            ordered_units=10,
        )
    lake.add(
        "receipts",
        receipt_id="r",
        purchase_order_id="po",
        variant_id="v",
        received_at="2026-01-10 00:00",
        received_units=4,
    )
    before = lake.rows("stock", "2026-01-09")[0]
    assert (before["inbound_units"], before["on_hand_units"]) == (10, None)
    after = lake.rows("stock", "2026-01-15")[0]
    assert (after["inbound_units"], after["inbound_on"]) == (6, date(2026, 1, 20))
    overdue = lake.rows("stock", "2026-02-15")[0]
    assert overdue["inbound_on"] == date(2026, 2, 16)


def test_stock_without_demand_has_no_cover(lake: TinyLake) -> None:
    _count(lake, "2026-01-05 08:00", 9)
    lake.sale("o1", "v", "2026-01-06 10:00", units=14)
    (row,) = lake.rows("stock", "2026-01-07", cuts=["demand→stock"])
    assert (row["on_hand_units"], row["cover_days"]) == (9, None)
