"""Returns, open returns and margin."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from tests.contract.tiny_lake import TinyLake

Rows = dict[str, list[dict[str, Any]]]


def _back(lake: TinyLake, name: str, product: str, units: int, **more: Any) -> None:
    lake.add(
        "returns",
        **{
            "return_id": name,
            "line_id": "1",
            "order_id": "o1",
            "customer_id": "c1",
            "product_id": product,
            "returned_at": "2026-01-20 10:00",
            "quantity_units": units,
            **more,
        },
    )


def _refund(lake: TinyLake, name: str, product: str, units: int, **more: Any) -> None:
    lake.add(
        "refunds",
        **{
            "refund_id": name,
            "line_id": "1",
            "order_id": "o1",
            "customer_id": "c1",
            "product_id": product,
            "refunded_at": "2026-01-21 10:00",
            "quantity_units": units,
            "amount_minor": 100,
            **more,
        },
    )


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Rows:
    lake = TinyLake(tmp_path_factory.mktemp("returns"))
    lake.sale("o1", "a", "2026-01-05 10:00", units=60, price=2000, customer="c1")
    lake.sale("o1", "b", "2026-01-05 10:00", units=40, new_order=False)
    _back(lake, "r1", "a", 6, cost_minor=1800)
    _back(lake, "r2", "a", 2)
    _refund(lake, "m1", "a", 8)  # the money for r1 and r2, not more units
    _refund(lake, "m2", "b", 2)
    _refund(lake, "m3", "b", 0)
    _back(lake, "r3", "c", 9, returned_at="2024-01-20 10:00", customer_id="c9")
    lake.add("costs", variant_id="a", valid_from_at="2026-01-01 00:00", cost_minor=700)
    lake.add("costs", variant_id="a", valid_from_at="2026-01-02 00:00", cost_minor=900)
    lake.add("costs", variant_id="x", valid_from_at="2026-01-02 00:00", cost_minor=5)
    found = lake.tables("2026-01-31", only=["returns", "open_returns", "margin"])
    return {name: table.to_pylist() for name, table in found.items()}


def test_returns_are_counted_once_and_shrunk(rows: Rows) -> None:
    first, second = rows["returns"]
    # The shop's mean is 10 of 100; the prior weighs 20 units.
    assert (first["sold_units"], first["returned_units"]) == (60, 8)
    assert first["return_rate"] == pytest.approx((8 + 20 * 0.1) / 80)
    assert first["cost_per_return_minor"] == 300
    assert (second["sold_units"], second["returned_units"]) == (40, 2)
    assert second["return_rate"] == pytest.approx((2 + 20 * 0.1) / 60)
    assert second["cost_per_return_minor"] == 300  # the shop's mean


def test_open_returns_last_sixty_days(rows: Rows) -> None:
    assert rows["open_returns"] == [
        {"customer_id": "c1", "product_id": "a", "since_on": date(2026, 1, 20)},
        {"customer_id": "c1", "product_id": "b", "since_on": date(2026, 1, 21)},
    ]


def test_margin_takes_off_cost_and_returns(rows: Rows) -> None:
    sold, uncosted, unpriced = rows["margin"]
    assert sold == {
        "variant_id": "a",
        "price_minor": 2000,
        "cost_minor": 900,
        "return_cost_minor": 38,  # 300 x 0.125 = 37.5
        # Of eight units sold one comes back: 7/8 of 1100 is 962.5.
        "margin_minor": 963 - 38,
        # All its units were sold in one order of a hundred.
        "parcel_share": pytest.approx(0.01),
    }
    assert (uncosted["cost_minor"], uncosted["margin_minor"]) == (None, None)
    assert (unpriced["price_minor"], unpriced["margin_minor"]) == (None, None)


def test_margin_with_returns_cut(lake: TinyLake) -> None:
    lake.sale("o1", "a", "2026-01-05 10:00", price=2000, customer="c1")
    _back(lake, "r1", "a", 1, cost_minor=1800)
    lake.add("costs", variant_id="a", valid_from_at="2026-01-02 00:00", cost_minor=900)
    (whole,) = lake.rows("margin", "2026-01-31")
    (cut,) = lake.rows("margin", "2026-01-31", cuts=["returns→margin"])
    assert whole["margin_minor"] == -1800  # all of it came back: nothing was earned
    assert cut["margin_minor"] == 1100


def test_a_new_product_comes_back_like_its_kind(lake: TinyLake) -> None:
    for product, category in (("a", "shoes"), ("b", "shoes"), ("c", "hats")):
        lake.add("products", product_id=product, category=category)
    lake.sale("o1", "a", "2026-01-05 10:00", units=80, customer="c1")
    lake.sale("o1", "b", "2026-01-05 10:00", units=1, new_order=False)
    lake.sale("o1", "c", "2026-01-05 10:00", units=19, new_order=False)
    _back(lake, "r1", "a", 40)
    rate = {
        row["product_id"]: row["return_rate"]
        for row in lake.rows("returns", "2026-01-31")
    }
    shoes = (40 + 20 * 0.4) / (81 + 20)
    hats = 20 * 0.4 / (19 + 20)
    assert rate["b"] == pytest.approx(20 * shoes / 21)
    assert rate["c"] == pytest.approx(20 * hats / 39)
    assert rate["c"] < 0.2 < 0.4 < rate["b"] < rate["a"]
