"""Orders of known customers, as they stand."""

from __future__ import annotations

from datetime import date

from tests.contract.tiny_lake import TinyLake

TODAY = "2026-01-20"


def test_orders_of_known_customers_are_told(lake: TinyLake) -> None:
    for name, customer, placed in (
        ("o1", "ann", "2026-01-10 10:00"),
        ("o2", None, "2026-01-10 10:00"),
        ("o3", "ann", "2025-01-10 10:00"),
    ):
        lake.add(
            "orders",
            order_id=name,
            customer_id=customer,
            placed_at=placed,
            updated_at=placed,
            status="paid",
            promised_at="2026-01-14 00:00",
        )
        lake.add(
            "order_lines",
            order_id=name,
            line_id="1",
            kind="product",
            placed_at=placed,
            product_id="p",
            variant_id="p",
            quantity_units=3,
            unit_price_minor=100,
        )
        lake.add(
            "order_lines",
            order_id=name,
            line_id="2",
            kind="shipping",
            placed_at=placed,
            quantity_units=1,
            unit_price_minor=490,
        )
    lake.add(
        "refunds",
        refund_id="f",
        line_id="1",
        order_id="o1",
        refunded_at="2026-01-15 10:00",
        amount_minor=250,
    )
    (row,) = lake.rows("order_states", TODAY)
    assert row["order_id"] == "o1"
    assert (row["customer_id"], row["status"], row["units"]) == ("ann", "paid", 3)
    assert row["refunded_minor"] == 250
    assert row["placed_on"] == date(2026, 1, 10)
    assert row["promised_on"] == date(2026, 1, 14)
    assert row["delivered_on"] is None
