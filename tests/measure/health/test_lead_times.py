"""Slow suppliers, from the records a shop has of its orders."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest

from cartwheel.measure.health.finding import Finding
from cartwheel.measure.health.lead_times import LEAST_BEFORE, lead_times
from tests.measure.health.made import END, empty, fill, look

Order = tuple[str, float, float | None]
"""Supplier, days since it was sent, days it took or None while open."""

OTHERS: list[Order] = [
    (name, ago, 10.0 + (i + k) % 5)
    for k, name in enumerate(("S2", "S3"))
    for i, ago in enumerate(range(40, 130, 7))
]
USUAL: list[Order] = [("S1", ago, 6.0 + ago % 3) for ago in range(42, 120, 7)]


def told(orders: Sequence[Order]) -> Finding:
    con = empty()
    sent, came = [], []
    for number, (supplier, ago, took) in enumerate(orders):
        at = END - timedelta(days=ago)
        one = {"purchase_order_id": f"PO{number:03d}", "variant_id": "V1"}
        sent.append(
            {**one, "supplier_id": supplier, "ordered_at": at, "ordered_units": 5}
        )
        if took is not None:
            came.append(
                {
                    **one,
                    "receipt_id": f"G{number:03d}",
                    "received_at": at + timedelta(days=took),
                    "received_units": 5,
                }
            )
    fill(con, "purchase_orders", sent)
    fill(con, "receipts", came)
    (found,) = lead_times(look(con))
    con.close()
    return found


def test_open_orders_long_overdue_are_late() -> None:
    slow: list[Order] = [("S1", 27, None), ("S1", 20, None), ("S1", 14, None)]
    found = told([*OTHERS, *USUAL, *slow])
    assert (found.state, found.spoke) == ("broken", "supplier S1")
    assert found.evidence["recent_days"] == pytest.approx(27)
    assert found.evidence["before_days"] == pytest.approx(7)
    # 4 tests or more; the three are the latest of all, so hardly any choice is later.
    assert found.p_value is not None
    assert found.p_value < 0.001
    assert set(found.rows) == {
        f"PO{len(OTHERS) + len(USUAL) + i:03d}" for i in range(3)
    }


def test_other_suppliers_lend_their_orders_as_a_share_of_their_own_usual() -> None:
    slow: list[Order] = [("S1", 27, None), ("S1", 20, None), ("S1", 14, None)]
    alone = told([*USUAL, *slow])
    beside = told([*OTHERS, *USUAL, *slow])
    assert alone.p_value is not None
    assert beside.p_value is not None
    assert beside.p_value < alone.p_value / 3


def test_orders_sent_before_and_overdue_count_as_well() -> None:
    # Two were sent before the recent days and should have come in them.
    slow: list[Order] = [("S1", 34, None), ("S1", 31, None), ("S1", 15, None)]
    found = told([*OTHERS, *USUAL, *slow])
    assert found.state == "broken"
    assert found.evidence["orders_recent"] == 3


@pytest.mark.parametrize(
    "recent",
    [
        # As ever, and one that is not due yet.
        [("S1", 27, 7.0), ("S1", 20, 8.0), ("S1", 3, None)],
        # A little longer.
        [("S1", 27, 9.0), ("S1", 20, 9.0), ("S1", 9, None)],
    ],
)
def test_as_ever_is_well(recent: list[Order]) -> None:
    found = told([*OTHERS, *USUAL, *recent])
    assert (found.state, found.spoke) == ("well", "supplier")


def test_too_few_orders_say_what_they_lack() -> None:
    few = USUAL[: LEAST_BEFORE - 1]
    found = told([*few, ("S1", 27, None), ("S1", 20, None)])
    assert found.state == "unknown"
    assert "received orders before" in found.lacks
    # Open orders that are not due say nothing either.
    assert told([*USUAL, ("S1", 3, None), ("S1", 2, None)]).state == "unknown"


def test_received_before_it_was_sent_is_no_error() -> None:
    found = told([*OTHERS, *USUAL, ("S1", 50, -2.0), ("S1", 27, 7.0), ("S1", 20, 7.0)])
    assert found.state == "well"
