"""Pinning a turn and computing for it."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import duckdb

from cartwheel.signals.engine import compute_for, export_facts, pin
from tests.contract.tiny_lake import TinyLake


def test_pin_takes_the_newest_day_in_the_shops_zone(berlin: TinyLake) -> None:
    berlin.sale("o1", "a", "2026-01-05 23:30")  # the 6th in Berlin
    berlin.add("locations", location_id="l")
    berlin.write()
    when, snapshot = pin(berlin.shop)
    assert when.as_of == date(2026, 1, 6)
    assert when.cutoff_at == "2026-01-06T23:00:00"
    assert snapshot == berlin.shop.lake.snapshot()
    assert pin(berlin.shop, date(2026, 7, 1))[0].cutoff_at == "2026-07-01T22:00:00"


def test_compute_for_sees_only_its_snapshot(berlin: TinyLake) -> None:
    berlin.sale("o1", "a", "2026-01-05 10:00")
    berlin.write()
    when, snapshot = pin(berlin.shop)
    berlin.sale("o2", "a", "2026-01-05 11:00")
    berlin.write()
    made = compute_for(berlin.shop, when, snapshot, only=["demand"])
    assert list(made) == ["demand"]
    assert made["demand"]["orders"].to_pylist() == [1]


def test_export_stops_at_the_cutoff(berlin: TinyLake, tmp_path: Path) -> None:
    berlin.sale("o1", "a", "2026-01-05 10:00")
    berlin.sale("o2", "a", "2026-01-06 10:00")
    berlin.write()
    when, snapshot = pin(berlin.shop, date(2026, 1, 5))
    export_facts(berlin.shop, when, snapshot, tmp_path / "facts")
    found = duckdb.sql(f"SELECT order_id FROM '{tmp_path}/facts/orders.parquet'")
    assert found.fetchall() == [("o1",)]
    assert (tmp_path / "facts" / "events.parquet").exists()
