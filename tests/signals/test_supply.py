"""Lead time."""

from __future__ import annotations

import math

import pytest

from tests.contract.tiny_lake import TinyLake


def test_lead_time_shrinks_towards_the_promise(lake: TinyLake) -> None:
    lake.add("suppliers", supplier_id="s", lead_time_days=10, minimum_order_minor=5000)
    lake.add("suppliers", supplier_id="silent")
    for number, days in enumerate((12, 18)):
        for variant in ("v", "w"):
            lake.add(
                "purchase_orders",
                purchase_order_id=f"po{number}",
                variant_id=variant,
                supplier_id="s",
                ordered_at="2026-01-01 08:00",
                ordered_units=1,
            )
            lake.add(
                "receipts",
                receipt_id=f"r{number}",
                purchase_order_id=f"po{number}",
                variant_id=variant,
                received_at=f"2026-01-{1 + days} 08:00",
                received_units=1,
            )
    known, silent = lake.rows("lead_time", "2026-01-31")
    mean = (12 + 18 + 3 * 10) / 5
    spread = (18.0 + 3 * (0.3 * mean) ** 2) / (1 + 3)
    assert known["receipts"] == 2
    assert known["mean_days"] == pytest.approx(mean)
    assert known["sd_days"] == pytest.approx(math.sqrt(spread))
    assert (known["promised_days"], known["minimum_order_minor"]) == (10, 5000)
    assert (silent["mean_days"], silent["sd_days"]) == (None, None)
    assert silent["minimum_order_minor"] == 0
    before = lake.rows("lead_time", "2026-01-01")[0]
    assert (before["mean_days"], before["sd_days"]) == (10.0, pytest.approx(3.0))
