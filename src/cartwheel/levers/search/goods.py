"""The goods as search sees them: texts by field, facets, price, stock, popularity."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from cartwheel.levers.earned import earned
from cartwheel.levers.in_stock import stock_by_product
from cartwheel.signals.base import Signals
from cartwheel.signals.catalogue import CATALOGUE
from cartwheel.signals.demand import DEMAND
from cartwheel.signals.intent import INTENT
from cartwheel.signals.listing import LISTING

if TYPE_CHECKING:
    import pandas as pd

Array = np.ndarray[Any, Any]

FIELDS = ("title", "category", "brand", "attributes", "tags", "description")
HALF_LIFE_DAYS = 14.0
CART_ORDERS = 0.2
VIEW_ORDERS = 0.02
LONGEST_VALUE = 60
"""Letters of the longest attribute value that can be chosen as a facet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Goods:
    """One row per product, sorted by id.

    Attributes:
        product_id: Ids, fixed-width text, shape (n,).
        texts: Texts by field, each of length n.
        values: Facet values of each product: (facet, value) pairs.
        price_low: Lowest price of its variants, minor; -1 where unknown.
        price_high: Highest price, minor; -1 where unknown.
        sellable: Shown to shoppers, and in stock, soon inbound, or of unknown stock.
        popularity: Decayed share of orders, carts and views; sums to 1 or is 0.
        margin_share: Mean known margin as a share of the price, NaN where unknown.
        on_hand_units: Units on hand, NaN where unknown.
        newest: Rank by day of first sale or listing, 0 is the newest.
    """

    product_id: Array
    texts: Mapping[str, list[str]]
    values: list[list[tuple[str, str]]]
    price_low: Array
    price_high: Array
    sellable: Array
    popularity: Array
    margin_share: Array
    on_hand_units: Array
    newest: Array

    def __len__(self) -> int:
        return len(self.product_id)

    def fingerprint(self) -> str:
        """Return a hash of what may be shown."""
        digest = hashlib.blake2b(digest_size=8)
        for name in self.product_id[self.sellable].tolist():
            digest.update(name.encode() + b"\n")
        return digest.hexdigest()


def read_goods(data: Signals) -> Goods:
    """Return the goods as the signals show them; a cut signal leaves its neutral."""
    import pandas as pd

    listing = data.frame(LISTING)
    variants = data.frame(CATALOGUE).dropna(subset=["product_id"])
    known = [*listing["product_id"].tolist(), *variants["product_id"].tolist()]
    products = np.unique(np.array(known, dtype=str)) if known else np.zeros(0, "U1")
    rows = listing.set_index("product_id").reindex(products)
    each = variants.groupby("product_id")
    for name in ("title", "category", "brand"):
        own, lines = rows[name].astype(object), each[name].first().reindex(products)
        rows[name] = own.where(own.notna(), lines.astype(object))
    number = np.searchsorted(products, variants["product_id"].to_numpy().astype(str))
    on_hand, sellable = stock_by_product(data, variants, number, len(products))
    alone = ~np.isin(np.arange(len(products)), number)  # listed, without a variant
    active = np.array([said is not False for said in rows["active"].tolist()], bool)
    price = _floats(variants["price_minor"])
    listed = pd.to_datetime(rows["first_on"])
    first_on = listed.fillna(pd.to_datetime(each["first_on"].max().reindex(products)))
    attributes = [_attributes(text) for text in rows["attributes"]]
    return Goods(
        product_id=products,
        texts={
            **{name: _texts(rows[name]) for name in FIELDS if name != "attributes"},
            "attributes": [
                " ".join(value for _, value in found) for found in attributes
            ],
        },
        values=[
            [*_category(category), *_brand(brand), *found]
            for category, brand, found in zip(
                _texts(rows["category"]), _texts(rows["brand"]), attributes, strict=True
            )
        ],
        price_low=_extreme(np.minimum, number, price, len(products)),
        price_high=_extreme(np.maximum, number, price, len(products)),
        sellable=(sellable | alone) & active,
        popularity=_popularity(data, products),
        margin_share=_margin_share(data, variants, number, len(products)),
        on_hand_units=on_hand,
        newest=_newest(first_on),
    )


def _texts(column: pd.Series[Any]) -> list[str]:
    return [text if isinstance(text, str) else "" for text in column.tolist()]


def _floats(column: pd.Series[Any]) -> Array:
    import pandas as pd

    return pd.to_numeric(column, errors="coerce").to_numpy(float, na_value=np.nan)


def _attributes(text: Any) -> list[tuple[str, str]]:
    """Return (name, value) pairs of a listing's attributes; none if unreadable."""
    if not isinstance(text, str) or not text:
        return []
    try:
        found = json.loads(text)
    except ValueError:
        return []
    if not isinstance(found, dict):
        return []
    pairs = [
        (str(name).strip().lower(), " ".join(value.split()))
        for name, values in found.items()
        for value in (values if isinstance(values, list) else [values])
        if isinstance(value, str)
    ]
    return [
        (n, v) for n, v in pairs if n and 0 < len(v) <= LONGEST_VALUE and ":" not in n
    ]


def _category(path: str) -> Iterator[tuple[str, str]]:
    """Yield a category and every one above it, as paths."""
    levels = [level.strip() for level in path.split(">") if level.strip()]
    for depth in range(1, len(levels) + 1):
        yield "category", " > ".join(levels[:depth])


def _brand(brand: str) -> Iterator[tuple[str, str]]:
    name = " ".join(brand.split())
    if name:
        yield "brand", name


def _extreme(pick: np.ufunc, number: Array, price: Array, n: int) -> Array:
    known = np.isfinite(price)
    start = np.inf if pick is np.minimum else -1.0
    found = np.full(n, start)
    pick.at(found, number[known], price[known])
    return np.where(np.isfinite(found), found, -1).astype(np.int64)


def _popularity(data: Signals, products: Array) -> Array:
    """Return each product's share of decayed orders, carts and views."""
    import pandas as pd

    demand, intent = data.frame(DEMAND), data.frame(INTENT)
    owner = data.frame(CATALOGUE).set_index("variant_id")["product_id"]
    rows = pd.concat(
        [
            pd.DataFrame(
                {
                    "product": demand["variant_id"].map(owner),
                    "day": demand["day"],
                    "value": demand["orders"].astype(float),
                }
            ),
            pd.DataFrame(
                {
                    "product": intent["product_id"],
                    "day": intent["day"],
                    "value": intent["carts"] * CART_ORDERS
                    + intent["views"] * VIEW_ORDERS,
                }
            ),
        ]
    ).dropna(subset=["product"])
    rows = rows[rows["product"].isin(products)]
    if rows.empty:
        return np.zeros(len(products))
    as_of = pd.Timestamp(data.context.when.as_of)
    age = (as_of - pd.to_datetime(rows["day"])).dt.days.to_numpy(float)
    value = rows["value"].to_numpy(float) * 0.5 ** (age / HALF_LIFE_DAYS)
    at = np.searchsorted(products, rows["product"].to_numpy().astype(str))
    total = np.bincount(at, weights=value, minlength=len(products))
    return np.asarray(total / max(total.sum(), 1e-12))


def _margin_share(
    data: Signals, variants: pd.DataFrame, number: Array, n: int
) -> Array:
    found = earned(data, variants["variant_id"].tolist())
    margin, price = _floats(found["margin_minor"]), _floats(found["price_minor"])
    share = np.clip(margin / np.where(price > 0, price, np.nan), -1.0, 1.0)
    known = np.isfinite(share)
    total = np.bincount(number[known], weights=share[known], minlength=n)
    count = np.bincount(number[known], minlength=n)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _newest(first_on: pd.Series[Any]) -> Array:
    import pandas as pd

    days = pd.to_datetime(first_on).fillna(pd.Timestamp("1970-01-01"))
    age = -days.to_numpy().astype("datetime64[D]").astype(np.int64)
    order = np.lexsort((np.arange(len(age)), age))
    rank = np.empty(len(age), np.int32)
    rank[order] = np.arange(len(age))
    return rank
