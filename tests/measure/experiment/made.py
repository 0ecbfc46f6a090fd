"""A shop of 300 customers and 12 products with a known lift, and terms to test it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from cartwheel.connectors.intake import append_harvest
from cartwheel.measure.experiment.terms import Terms
from cartwheel.measure.experiment.trial import TREATED
from cartwheel.shop import Shop, make_shop
from cartwheel.simulator.sample import harvest

START, END = date(2026, 3, 2), date(2026, 4, 26)  # 8 weeks from a Monday
CUSTOMERS = [f"C{i:03d}" for i in range(300)]
PRODUCTS = tuple(f"P{i:02d}" for i in range(12))
FEES = {"holdout": {"share_bps": 0}, "holdout.levers": {"recommend": 0}}


def terms(**changes: Any) -> Terms:
    """Return terms of a test on customers, with changes."""
    plain = Terms(
        name="winback-march",
        question="Do offers earn more than they cost?",
        lever="lifecycle",
        unit="customer",
        metric="revenue",
        wanted=0.1,
        stop="fixed",
        starts_on=START,
        ends_on=END,
        mode="production",
    )
    return replace(plain, **changes)


def shop_of(folder: Path, agreed: Terms, *, lift: float = 0.0, seed: int = 1) -> Shop:
    """Return a shop with orders of 16 weeks, half before the test, lifted in its arm.

    Args:
        folder: A new folder.
        agreed: Terms of the test; who is in the arm sells more.
        lift: By how much, as a share.
        seed: Seed of the orders.
    """
    shop = make_shop(folder, currency="EUR", sections=FEES)
    rng = np.random.default_rng(seed)
    trial = agreed.trial()
    orders, lines = [], []
    for back in range(-56, 56):
        day = START + timedelta(days=back)
        at = datetime(day.year, day.month, day.day, 12)
        for number in range(12):
            place = int(rng.integers(0, len(CUSTOMERS)))
            product = int(rng.integers(0, len(PRODUCTS)))
            price = int(rng.gamma(4.0, 500.0 + 10 * place))
            customer, bought = CUSTOMERS[place], PRODUCTS[product]
            arm = trial.arm_of(day, customer=customer, product=bought)
            if arm == TREATED:
                price = round(price * (1 + lift))
            key = {"order_id": f"O{back}-{number}", "placed_at": at}
            who = {"customer_id": customer}
            orders.append(
                {**key, **who, "updated_at": at, "status": "paid", "currency": "EUR"}
            )
            lines.append(
                {
                    **key,
                    **who,
                    "line_id": "1",
                    "kind": "product",
                    "product_id": bought,
                    "variant_id": bought,
                    "quantity_units": 1,
                    "unit_price_minor": price,
                    "discount_minor": 0,
                }
            )
    early = datetime(2026, 1, 1)
    facts = {
        "customers": [{"customer_id": c, "created_at": early} for c in CUSTOMERS],
        "products": [
            {"product_id": p, "title": p, "created_at": early} for p in PRODUCTS
        ],
        "variants": [
            {"variant_id": p, "product_id": p, "created_at": early} for p in PRODUCTS
        ],
        "orders": orders,
        "order_lines": lines,
    }
    tables = {name: pa.Table.from_pylist(rows) for name, rows in facts.items()}
    report = append_harvest(
        shop, harvest(tables), "test", Path("t"), datetime(2026, 6, 1)
    )
    assert report.rows_rejected == 0, report
    return shop
