"""Cards: what a storefront page needs to draw a product, kept beside a published turn.

One card a product: title, address, picture, price and whether it can be bought. Texts
are kept as one run of UTF-8 bytes with the place where each begins, since numpy's
fixed-width text would give every product the length of the longest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cartwheel.levers.base import Model

if TYPE_CHECKING:
    import pyarrow as pa

FOLDER = "cards"
TEXTS = ("title", "url", "image_url", "category", "brand")
LONGEST = 2_000
"""Characters of a text that are kept; a page of a shop shows fewer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """What a page shows of a product.

    Attributes:
        title: Name, "" when unknown.
        url: Address of its page, None when unknown.
        image_url: Address of its picture, None when unknown.
        category: Category path, None when unknown.
        brand: Brand, None when unknown.
        price_minor: Lowest price of its variants, None when unknown.
        from_price: Its variants have several prices.
        available: It is shown to shoppers and not known to be sold out.
    """

    title: str
    url: str | None
    image_url: str | None
    category: str | None
    brand: str | None
    price_minor: int | None
    from_price: bool
    available: bool


def make_cards(signals: Mapping[str, pa.Table]) -> Model:
    """Return every product's card as arrays, sorted by product id.

    Args:
        signals: The turn's tables `listing`, `catalogue` and `stock`.
    """
    import pandas as pd

    listing = signals["listing"].to_pandas()
    catalogue = signals["catalogue"].to_pandas()
    stock = signals["stock"].to_pandas()
    units = stock.groupby("variant_id")["on_hand_units"].sum(min_count=1)
    variants = catalogue.assign(units=catalogue["variant_id"].map(units))
    sold_out = (variants["units"] <= 0).groupby(variants["product_id"]).all()
    price = variants.groupby("product_id")["price_minor"].agg(["min", "max"])
    rows = listing.set_index("product_id").sort_index()
    low = pd.to_numeric(price["min"].reindex(rows.index)).to_numpy(float)
    high = pd.to_numeric(price["max"].reindex(rows.index)).to_numpy(float)
    out = sold_out.reindex(rows.index, fill_value=False).to_numpy(bool)
    arrays: dict[str, Any] = {
        "product_id": rows.index.to_numpy(str),
        "price_minor": np.where(np.isnan(low), -1, low).astype(np.int64),
        "several_prices": high > low,
        "available": rows["active"].to_numpy(bool) & ~out,
    }
    for name in TEXTS:
        arrays |= _packed(name, rows[name].tolist())
    return Model(rule="cards", arrays=arrays)


def _packed(name: str, texts: Sequence[str | None]) -> dict[str, Any]:
    said = [(text or "")[:LONGEST].encode() for text in texts]
    start = np.concatenate([[0], np.cumsum([len(text) for text in said])])
    return {
        f"{name}_text": np.frombuffer(b"".join(said), np.uint8),
        f"{name}_start": start.astype(np.int64),
    }


class Cards:
    """The cards of a published turn, read one at a time.

    Args:
        model: What `make_cards` made.
    """

    def __init__(self, model: Model) -> None:
        self._arrays = model.arrays

    @classmethod
    def load(cls, turn_folder: Path) -> Cards | None:
        """Return a turn's cards, mapped into memory; None for a turn without."""
        place = turn_folder / FOLDER
        return cls(Model.load(place, mapped=True)) if place.is_dir() else None

    def find(self, product_id: str) -> Card | None:
        """Return a product's card, or None when the turn did not know it."""
        names = self._arrays["product_id"]
        at = int(names.searchsorted(product_id))
        if at == len(names) or names[at] != product_id:
            return None
        price = int(self._arrays["price_minor"][at])
        return Card(
            title=self._said("title", at) or "",
            url=self._said("url", at),
            image_url=self._said("image_url", at),
            category=self._said("category", at),
            brand=self._said("brand", at),
            price_minor=None if price < 0 else price,
            from_price=bool(self._arrays["several_prices"][at]),
            available=bool(self._arrays["available"][at]),
        )

    def like(self, words: str, limit: int = 12) -> list[tuple[str, str]]:
        """Return ids and titles of products whose title or id holds the words.

        Args:
            words: Any part of a title, in any case, or of an id.
            limit: Most products returned.
        """
        wanted = words.lower().strip()
        if not wanted:
            return []
        names = self._arrays["product_id"].tolist()
        text = bytes(self._arrays["title_text"])
        start = self._arrays["title_start"].tolist()
        found = []
        for at, name in enumerate(names):
            title = text[start[at] : start[at + 1]].decode()
            if wanted in title.lower() or wanted in name.lower():
                found.append((name, title))
                if len(found) == limit:
                    break
        return found

    def _said(self, name: str, at: int) -> str | None:
        start, end = self._arrays[f"{name}_start"][at : at + 2].tolist()
        text = bytes(self._arrays[f"{name}_text"][start:end]).decode()
        return text or None
