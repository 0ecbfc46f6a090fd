"""A shop with a past of orders, from which a plan can be read."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pyarrow as pa

from cartwheel.connectors.intake import append_harvest
from cartwheel.operations import turns
from cartwheel.shop import Shop, make_shop
from cartwheel.simulator.sample import harvest

LAST = datetime(2026, 11, 19, 12)


def selling(folder: Path, days: int = 140, products: int = 24) -> Shop:
    """Make a shop whose products each sell about every third day."""
    shop = make_shop(folder, currency="GBP")
    first = LAST - timedelta(days=days - 1)
    orders, lines = [], []
    for day in range(days):
        for k in range(products):
            if (day * 7 + k * 11) % (3 + k % 3):
                continue
            at = first + timedelta(days=day)
            number = f"O{day}-{k}"
            who = f"C{(day * 5 + k) % 40}"
            orders.append(
                {
                    "order_id": number,
                    "customer_id": who,
                    "placed_at": at,
                    "updated_at": at,
                    "status": "paid",
                    "currency": "GBP",
                }
            )
            lines.append(
                {
                    "order_id": number,
                    "line_id": "1",
                    "placed_at": at,
                    "customer_id": who,
                    "kind": "product",
                    "product_id": f"P{k}",
                    "variant_id": f"V{k}",
                    "quantity_units": 1 + (day + k) % 2,
                    "unit_price_minor": 1_000 + 100 * (k % 5),
                    "discount_minor": 0,
                }
            )
    people = [{"customer_id": f"C{i}", "created_at": first} for i in range(40)]
    goods = [
        {"product_id": f"P{k}", "title": f"P{k}", "created_at": first}
        for k in range(products)
    ]
    variants = [
        {"variant_id": f"V{k}", "product_id": f"P{k}", "created_at": first}
        for k in range(products)
    ]
    facts = {
        "customers": people,
        "products": goods,
        "variants": variants,
        "orders": orders,
        "order_lines": lines,
    }
    made = {name: pa.Table.from_pylist(rows) for name, rows in facts.items()}
    report = append_harvest(shop, harvest(made), "test", Path("t"), LAST)
    assert report.rows_rejected == 0
    with shop.database.begin() as con:
        con.execute(
            turns.insert().values(
                number=1,
                as_of=LAST.date().isoformat(),
                state="published",
                seed=1,
                settings="{}",
                started_at="2026-11-20T00:00:00.000000Z",
            )
        )
    return shop
