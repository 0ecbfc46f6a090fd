"""Cards: what a page shows of a product, packed into arrays and read back."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from cartwheel.channels.storefront import LONGEST, TEXTS, Cards, make_cards
from cartwheel.signals.catalogue import CATALOGUE
from cartwheel.signals.listing import LISTING
from cartwheel.signals.stock import STOCK

TEXT = st.none() | st.text(
    st.characters(exclude_categories=("Cs",)), min_size=1, max_size=30
)
PRODUCT = st.fixed_dictionaries({name: TEXT for name in TEXTS})


def signals(
    products: list[dict[str, object]], prices: dict[str, list[int | None]]
) -> dict[str, pa.Table]:
    def table(signal: object, rows: list[dict[str, object]]) -> pa.Table:
        schema = signal.schema()  # type: ignore[attr-defined]
        empty = dict.fromkeys(schema.names)
        return pa.Table.from_pylist([{**empty, **row} for row in rows], schema=schema)

    variants: list[dict[str, object]] = [
        {
            "variant_id": f"{product}-{n}",
            "product_id": product,
            "price_minor": price,
            "active": True,
        }
        for product, several in prices.items()
        for n, price in enumerate(several)
    ]
    return {
        "listing": table(LISTING, [{"active": True, **row} for row in products]),
        "catalogue": table(CATALOGUE, variants),
        "stock": table(
            STOCK,
            [
                {"variant_id": row["variant_id"], "on_hand_units": 0}
                for row in variants
                if row["product_id"] == "sold-out"
            ],
        ),
    }


@given(st.dictionaries(st.text("abc", min_size=1, max_size=4), PRODUCT, max_size=6))
def test_every_text_comes_back_as_it_was(products: dict[str, dict[str, str]]) -> None:
    rows: list[dict[str, object]] = [
        {"product_id": name, **texts} for name, texts in products.items()
    ]
    cards = Cards(make_cards(signals(rows, {})))
    for name, texts in products.items():
        card = cards.find(name)
        assert card is not None
        for column in TEXTS:
            assert (getattr(card, column) or None) == texts[column]
    assert cards.find("zzz") is None


def test_price_stock_and_length(tmp_path: Path) -> None:
    rows: list[dict[str, object]] = [
        {"product_id": name, "title": "x" * 5_000}
        for name in ("one", "several", "sold-out", "unknown")
    ]
    prices: dict[str, list[int | None]] = {
        "one": [500, 500],
        "several": [900, 700, None],
        "sold-out": [100],
        "unknown": [None],
    }
    make_cards(signals(rows, prices)).save(tmp_path / "cards")
    cards = Cards.load(tmp_path)
    assert cards is not None
    found = {str(row["product_id"]): cards.find(str(row["product_id"])) for row in rows}
    assert {
        name: (card.price_minor, card.from_price, card.available)
        for name, card in found.items()
        if card is not None
    } == {
        "one": (500, False, True),
        "several": (700, True, True),
        "sold-out": (100, False, False),
        "unknown": (None, False, True),
    }
    assert found["one"] is not None
    assert len(found["one"].title) == LONGEST


def test_a_turn_without_cards_has_none(tmp_path: Path) -> None:
    assert Cards.load(tmp_path) is None
