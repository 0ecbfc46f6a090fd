"""Versions, voided sales and the cut-off."""

from __future__ import annotations

from datetime import date

from tests.contract.tiny_lake import TinyLake


def _units(lake: TinyLake, as_of: str) -> dict[date, int]:
    return {row["day"]: row["units"] for row in lake.rows("demand", as_of)}


def _cancel(lake: TinyLake, refund: str, at: str, **values: object) -> None:
    given = {
        "refund_id": refund,
        "line_id": "1",
        "customer_id": "c1",
        "product_id": "a",
        "variant_id": "a",
        "refunded_at": at,
        "quantity_units": 2,
        "amount_minor": 2000,
        "reason": "cancellation",
        **values,
    }
    lake.add("refunds", **given)


def test_latest_takes_the_newest_version_known(lake: TinyLake) -> None:
    lake.sale("o1", "a", "2026-01-05 10:00", units=2, customer="c1")
    lake.add(
        "orders",
        order_id="o1",
        placed_at="2026-01-05 10:00",
        updated_at="2026-01-07 09:00",
        status="cancelled",
    )
    assert _units(lake, "2026-01-06") == {date(2026, 1, 5): 2}
    assert _units(lake, "2026-01-07") == {}


def test_latest_breaks_ties_by_import_and_content(lake: TinyLake) -> None:
    for title in ("first", "second", "third"):
        lake.add("products", product_id="p", title=title)
    once = lake.rows("catalogue", "2026-01-01")
    assert len(once) == 1
    assert once == lake.rows("catalogue", "2026-01-02")


def test_cutoff_is_midnight_in_the_shops_zone(berlin: TinyLake) -> None:
    berlin.sale("o1", "a", "2026-01-05 22:59")  # 23:59 in Berlin
    berlin.sale("o2", "a", "2026-01-05 23:00")  # midnight in Berlin
    assert _units(berlin, "2026-01-05") == {date(2026, 1, 5): 1}
    assert _units(berlin, "2026-01-06") == {
        date(2026, 1, 5): 1,
        date(2026, 1, 6): 1,
    }


def test_days_follow_summer_time(berlin: TinyLake) -> None:
    berlin.sale("o1", "a", "2026-06-30 21:59")  # 23:59 in summer time
    berlin.sale("o2", "a", "2026-06-30 22:00")
    assert set(_units(berlin, "2026-07-02")) == {date(2026, 6, 30), date(2026, 7, 1)}


def test_voided_sale_is_left_out_everywhere(lake: TinyLake) -> None:
    lake.sale("o1", "a", "2026-01-05 10:00", units=2, customer="c1")
    lake.sale("o2", "b", "2026-01-05 10:00", customer="c1")
    _cancel(lake, "r1", "2026-01-07 10:00")
    made = lake.tables("2026-01-10")
    assert made["demand"]["variant_id"].to_pylist() == ["b"]
    assert made["purchases"]["product_id"].to_pylist() == ["b"]
    assert made["rhythm"]["revenue_minor"].to_pylist() == [1000]
    assert made["returns"]["product_id"].to_pylist() == ["b"]
    assert made["open_returns"].num_rows == 0


def test_cancellation_after_three_days_is_a_refund(lake: TinyLake) -> None:
    lake.sale("o1", "a", "2026-01-05 10:00", units=2, customer="c1")
    _cancel(lake, "r1", "2026-01-08 10:00:01")
    made = lake.tables("2026-01-10", only=["demand", "rhythm", "returns"])
    assert made["demand"]["units"].to_pylist() == [2]
    assert made["rhythm"]["revenue_minor"].to_pylist() == [0]
    assert made["returns"]["returned_units"].to_pylist() == [2]


def test_cancellation_voids_only_its_equal(lake: TinyLake) -> None:
    lake.sale("o1", "a", "2026-01-05 10:00", units=2, customer="c1")
    _cancel(lake, "r1", "2026-01-05 11:00", quantity_units=1)
    _cancel(lake, "r2", "2026-01-05 11:00", customer_id="c2")
    _cancel(lake, "r3", "2026-01-05 11:00", variant_id="b")
    _cancel(lake, "r4", "2026-01-05 11:00", order_id="o9")
    _cancel(lake, "r5", "2026-01-05 11:00", reason="damaged")
    _cancel(lake, "r6", "2026-01-05 09:00")
    assert _units(lake, "2026-01-10") == {date(2026, 1, 5): 2}


def test_cancellations_void_one_to_one(lake: TinyLake) -> None:
    lake.sale("o1", "a", "2026-01-01 10:00", units=2)
    lake.sale("o2", "a", "2026-01-05 10:00", units=2)
    lake.sale("o3", "a", "2026-01-05 11:00", units=2)
    _cancel(lake, "r1", "2026-01-05 12:00", customer_id=None)
    assert _units(lake, "2026-01-10") == {date(2026, 1, 1): 2, date(2026, 1, 5): 2}
    _cancel(lake, "r2", "2026-01-05 13:00", customer_id=None)
    assert _units(lake, "2026-01-10") == {date(2026, 1, 1): 2}
    _cancel(lake, "r3", "2026-01-05 14:00", customer_id=None)
    assert _units(lake, "2026-01-10") == {date(2026, 1, 1): 2}


def test_cancellation_not_yet_known_voids_nothing(lake: TinyLake) -> None:
    lake.sale("o1", "a", "2026-01-05 10:00", units=2, customer="c1")
    _cancel(lake, "r1", "2026-01-06 10:00")
    assert _units(lake, "2026-01-05") == {date(2026, 1, 5): 2}
    assert _units(lake, "2026-01-06") == {}
