"""How cost grows with the number of orders."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from bench.measure import Figure, Plan, cartwheel, run, steps
from cartwheel.shop import make_shop

START = date(2025, 1, 1)
SCALES = (1, 2, 4)
CUSTOMERS = 5000
QUICK_CUSTOMERS = 150


def growth(plan: Plan) -> Iterator[Figure]:
    """Measure import, signals and turn of sample shops of 1, 2 and 4 times the size."""
    each = QUICK_CUSTOMERS if plan.quick else CUSTOMERS
    for scale in SCALES:
        yield from _measured(plan, f"grown-{scale}", scale * each)


def _measured(plan: Plan, name: str, customers: int) -> Iterator[Figure]:
    folder, orders = sample_folder(plan, name, customers)
    size = f"{orders:,} orders"
    shop = plan.work / f"{name}-shop"
    make_shop(shop, currency="EUR", timezone="Europe/Berlin").database.dispose()
    brought = run(cartwheel("import", "csv", str(folder), "--shop", str(shop)))
    turned = run(cartwheel("turn", "--shop", str(shop)))
    by_step = steps(turned.progress, turned.seconds)
    for what, seconds in (
        ("import of CSV", brought.seconds),
        ("signals", by_step["signals"]),
        ("turn", turned.seconds),
    ):
        yield Figure(part="growth", name=what, size=size, unit="s", values=[seconds])
    for what, peak in (("import", brought.peak_mb), ("turn", turned.peak_mb)):
        yield Figure(
            part="growth", name=f"{what}, peak", size=size, unit="MB", values=[peak]
        )
    shutil.rmtree(folder)
    shutil.rmtree(shop)


def sample_folder(plan: Plan, name: str, customers: int) -> tuple[Path, int]:
    """Write a sample shop as CSV; return its folder and its number of orders."""
    from cartwheel.simulator.sample import make_sample, write_folder

    small = {"days": 120, "products": 40} if plan.quick else {}
    tables = make_sample(seed=1, start=START, customers=customers, **small)
    folder = plan.work / name
    write_folder(tables, folder)
    return folder, len(tables["orders"].column("order_id").unique())
