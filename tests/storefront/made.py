"""A demo shop with a published turn, made by hand: goods, cards and a lever."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from cartwheel.channels.storefront import make_cards
from cartwheel.levers.base import Answer, Model, Request, Slot
from cartwheel.operations import now_text, turns
from cartwheel.settings import check_settings
from cartwheel.shop import Shop
from cartwheel.signals.catalogue import CATALOGUE
from cartwheel.signals.listing import LISTING
from cartwheel.signals.stock import STOCK

KINDS = ("Shirts", "Coats", "Belts")
HOSTILE = '"><img src=x onerror=alert(1)><script>alert(2)</script>\u202emug 😀'
HOSTILE_ID = "a/b ?&#'\"<i>"


def rows_of(count: int = 24) -> list[dict[str, Any]]:
    """Return products: P00 to P23, eight of a kind; P05 is sold out in M."""
    return [
        {
            "product_id": f"P{n:02d}",
            "title": f"{KINDS[n % 3][:-1].lower()} {n}",
            "category": KINDS[n % 3],
            "description": "A fine thing.",
            "units": 0 if n == 5 else 7,
        }
        for n in range(count)
    ]


def make_turn(shop: Shop, rows: list[dict[str, Any]], number: int = 1) -> None:
    """Publish a turn with these goods: M and L of each, at 10.00 and up."""

    def table(signal: Any, values: list[dict[str, Any]]) -> pa.Table:
        empty = dict.fromkeys(signal.schema().names)
        return pa.Table.from_pylist(
            [{**empty, **value} for value in values], schema=signal.schema()
        )

    listing = [
        {
            "active": True,
            **{
                name: row.get(name)
                for name in (
                    "product_id",
                    "title",
                    "category",
                    "description",
                    "url",
                    "image_url",
                )
            },
        }
        for row in rows
    ]
    variants = [
        {
            "variant_id": f"{row['product_id']}-{size}",
            "product_id": row["product_id"],
            "title": f"{row['title']}, {size}",
            "category": row["category"],
            "active": True,
            "price_minor": 1000 + 100 * place,
        }
        for place, row in enumerate(rows)
        for size in ("L", "M")
    ]
    stock = [
        {"variant_id": f"{row['product_id']}-M", "on_hand_units": row.get("units", 7)}
        for row in rows
    ]
    signals = {
        "listing": table(LISTING, listing),
        "catalogue": table(CATALOGUE, variants),
        "stock": table(STOCK, stock),
    }
    folder = shop.turn_folder(number)
    (folder / "signals").mkdir(parents=True)
    for name, signal in signals.items():
        pq.write_table(signal, folder / "signals" / f"{name}.parquet")
    make_cards(signals).save(folder / "cards")
    ids = np.array(sorted(row["product_id"] for row in rows))
    model = Model(rule="shelf", arrays={"product_id": ids})
    model.save(folder / "models" / "recommend")
    with shop.database.begin() as connection:
        connection.execute(
            turns.insert().values(
                number=number,
                as_of="2026-01-01",
                state="published",
                seed=1,
                settings="{}",
                started_at=now_text(),
            )
        )


def make_store(folder: Path, rows: list[dict[str, Any]] | None = None) -> Shop:
    """Return a demo shop with a published turn, without a lake."""
    folder.mkdir(parents=True, exist_ok=True)
    values = {"currency": "EUR", "demo": True, "name": "Made (sample shop)"}
    shop = Shop(folder=folder, settings=check_settings(values, folder))
    make_turn(shop, rows_of() if rows is None else rows)
    return shop


@dataclass
class Follower:
    """Shows what comes after the newest product of the visit; a stand-in lever."""

    name: str = "recommend"

    def answer(
        self, model: Model, request: Request, *, rng: np.random.Generator
    ) -> Answer:
        names = [str(name) for name in model.arrays["product_id"]]
        last = next((c for c in reversed(request.context) if c in names), None)
        start = 0 if last is None or request.holdout else names.index(last) + 1
        slots = tuple(
            Slot(product_id=name, propensity=0.5, reason=f"after {last}")
            for name in names[start:] + names[:start]
            if name not in request.excluded
        )
        return Answer(slots=slots[: request.limit], eligible_hash="e", rule="follow")
