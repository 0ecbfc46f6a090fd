"""Price history."""

from __future__ import annotations

from datetime import date

from tests.contract.tiny_lake import TinyLake


def test_price_history_by_week(lake: TinyLake) -> None:
    lake.sale("o1", "v", "2026-01-05 10:00", units=3, price=1000)  # a Monday
    lake.sale("o2", "v", "2026-01-11 10:00", units=1, price=801)  # its Sunday
    lake.sale("o3", "v", "2026-01-12 10:00", units=1, price=900)
    for at, price in (("2026-01-01 00:00", 1100), ("2026-01-07 00:00", 1200)):
        lake.add("prices", variant_id="v", valid_from_at=at, price_minor=price)
    for at, units in (("2026-01-08 08:00", 0), ("2026-01-10 08:00", 5)):
        lake.add(
            "inventory_levels",
            variant_id="v",
            location_id="l",
            counted_at=at,
            available_units=units,
        )
    first, second = lake.rows("price_history", "2026-01-31")
    assert first == {
        "variant_id": "v",
        "week": date(2026, 1, 5),
        "price_minor": 950,  # 3801 over 4, rounded
        "list_minor": 1100,
        "units": 4,
        "days_in_stock": 5,
    }
    assert second["week"] == date(2026, 1, 12)
    assert (second["list_minor"], second["days_in_stock"]) == (1200, 7)
