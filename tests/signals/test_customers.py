"""Rhythm, baskets, purchases and consent."""

from __future__ import annotations

from datetime import date

import pyarrow as pa
import pytest

from tests.contract.tiny_lake import TinyLake

Rows = dict[str, list[dict[str, object]]]


def _fill(lake: TinyLake) -> None:
    lake.sale("o1", "a", "2026-01-01 10:00", units=2, customer="c1", price=500)
    lake.sale("o1", "b", "2026-01-01 10:00", customer="c1", new_order=False)
    lake.sale("o2", "a", "2026-01-05 10:00", customer="c1")
    lake.sale("o3", "a", "2026-01-05 15:00", customer="c1")
    lake.sale("o4", "a", "2026-01-11 10:00", customer="c1")
    lake.sale("o5", "b", "2026-01-11 10:00", customer="c2")
    lake.sale("o5", "a", "2026-01-11 10:00", customer="c2", new_order=False)
    lake.sale("o6", "c", "2026-01-11 10:00")
    lake.sale("o7", "c", "2026-01-11 10:00", customer="c3", status="cancelled")
    lake.sale("o8", "c", "2024-01-11 10:00")
    lake.sale("o8", "a", "2024-01-11 10:00", new_order=False)
    lake.sale("o6", "a", "2026-01-11 10:00", new_order=False)
    for number, order in enumerate(("o4", "o7")):
        lake.add(
            "refunds",
            refund_id=f"r{number}",
            line_id="1",
            order_id=order,
            customer_id="c1" if order == "o4" else "c3",
            product_id="a",
            refunded_at="2026-01-12 10:00",
            quantity_units=0,
            amount_minor=400,
        )
    for purpose, granted, at in (
        ("email_marketing", True, "2026-01-02 00:00"),
        ("email_marketing", False, "2026-01-03 00:00"),
        ("personalisation", False, "2026-01-01 00:00"),
        ("personalisation", True, "2026-01-05 00:00"),
    ):
        lake.add(
            "consents",
            customer_id="c1",
            purpose=purpose,
            granted=granted,
            changed_at=at,
        )
    lake.add(
        "consents",
        customer_id="c2",
        purpose="sms_marketing",
        granted=True,
        changed_at="2026-01-01 00:00",
    )


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Rows:
    lake = TinyLake(tmp_path_factory.mktemp("customers"))
    _fill(lake)
    names = ["rhythm", "baskets", "purchases", "consent"]
    found: dict[str, pa.Table] = lake.tables("2026-01-31", only=names)
    return {name: table.to_pylist() for name, table in found.items()}


def test_rhythm_counts_days_and_takes_off_refunds(rows: Rows) -> None:
    first, second = rows["rhythm"]
    assert first == {
        "customer_id": "c1",
        "first_on": date(2026, 1, 1),
        "last_on": date(2026, 1, 11),
        "orders": 4,
        "order_days": 3,
        "revenue_minor": 5000 - 400,
        "gap_days": 5.0,
        "recency_days": 20,
        "age_days": 30,
    }
    assert second["customer_id"] == "c2"
    assert second["gap_days"] is None


def test_baskets_keep_pairs_bought_twice_this_year(rows: Rows) -> None:
    # a with c: once this year, once long ago; so only a with b is left.
    assert rows["baskets"] == [
        {"product_a": "a", "product_b": "b", "orders": 2, "orders_a": 6, "orders_b": 2}
    ]


def test_purchases_by_customer_and_product(rows: Rows) -> None:
    assert rows["purchases"][0] == {
        "customer_id": "c1",
        "product_id": "a",
        "orders": 4,
        "units": 5,
        "last_on": date(2026, 1, 11),
    }
    assert [(r["customer_id"], r["product_id"]) for r in rows["purchases"]] == [
        ("c1", "a"),
        ("c1", "b"),
        ("c2", "a"),
        ("c2", "b"),
    ]


def test_consent_takes_the_last_word(rows: Rows) -> None:
    assert rows["consent"] == [
        {"customer_id": "c1", "email_marketing": False, "personalisation": True},
        {"customer_id": "c2", "email_marketing": False, "personalisation": True},
    ]


def test_baskets_pair_the_best_sold_of_a_large_order(lake: TinyLake) -> None:
    for order in ("o1", "o2"):
        for number in range(102):
            lake.sale(order, f"p{number:03}", "2026-01-01 10:00", new_order=number == 0)
    lake.sale("o3", "p101", "2026-01-01 10:00")
    pairs = lake.rows("baskets", "2026-01-31")
    held = {row["product_a"] for row in pairs} | {row["product_b"] for row in pairs}
    assert len(pairs) == 100 * 99 // 2
    assert "p101" in held  # in three orders, the others in two
    assert "p099" not in held
