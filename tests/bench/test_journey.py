"""The bench of the journey: a fault that is lost carts and nothing else."""

from __future__ import annotations

from datetime import datetime

import pyarrow as pa
from bench.journey import known_shares, lose_carts


def test_only_recent_carts_of_the_product_are_lost() -> None:
    kinds = ["add_to_cart", "view", "add_to_cart", "add_to_cart", "checkout"]
    events = pa.table(
        {
            "event_id": [f"E{i}" for i in range(5)],
            "kind": kinds,
            "product_id": ["P", "P", "Q", "P", None],
            "occurred_at": pa.array(
                [datetime(2025, month, 15) for month in (5, 5, 5, 3, 5)],
                pa.timestamp("us"),
            ),
        }
    )
    left = lose_carts(events, "P", 4)
    assert left["event_id"].to_pylist() == ["E1", "E2", "E3", "E4"]
    assert lose_carts(events, "P", 0).num_rows == 5


def test_made_counts_tell_some_product_low() -> None:
    wrong, low = (sum(each) for each in zip(*map(known_shares, range(3)), strict=True))
    assert low > 5
    assert wrong <= 1
