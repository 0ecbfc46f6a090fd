"""What the demo storefront sells: the published turn's goods, by product."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Engine, func, select
from sqlalchemy.exc import SQLAlchemyError

from cartwheel.operations import reading, turns

if TYPE_CHECKING:
    from cartwheel.shop import Shop

CHECK_SECONDS = 1.0
TABLES = ("listing", "catalogue", "stock")


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One size or colour of a product.

    Attributes:
        id: Variant.
        label: What tells it from the others, "" when there is one only.
        price_minor: Its price, None when unknown.
        sold_out: Counted, and none left.
    """

    id: str
    label: str
    price_minor: int | None
    sold_out: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """A product as the storefront shows it.

    Attributes:
        id: Product.
        title: Its name; the id where it has none.
        category: Category path, "" when unknown.
        description: Text on its page, "" when unknown.
        first_on: Day first sold or listed, "" when unknown.
        variants: What of it can be bought.
    """

    id: str
    title: str
    category: str
    description: str
    first_on: str
    variants: tuple[Variant, ...]

    @property
    def price_minor(self) -> int | None:
        """Lowest known price of its variants."""
        known = [v.price_minor for v in self.variants if v.price_minor is not None]
        return min(known, default=None)

    @property
    def from_price(self) -> bool:
        """Its variants have several prices."""
        return len({v.price_minor for v in self.variants} - {None}) > 1

    @property
    def says_more(self) -> bool:
        """Its description has words that title and category have not."""
        known = re.findall(r"\w+", f"{self.title} {self.category}".casefold())
        return not set(re.findall(r"\w+", self.description.casefold())) <= set(known)

    @property
    def sold_out(self) -> bool:
        """Nothing of it is left."""
        return all(variant.sold_out for variant in self.variants)


@dataclass(frozen=True, kw_only=True)
class Goods:
    """Everything on sale at a turn, newest first.

    Attributes:
        turn: The turn it was published with, None before the first.
        products: By id.
        by_variant: Product of each variant.
    """

    turn: int | None = None
    products: Mapping[str, Product] = field(default_factory=dict)
    by_variant: Mapping[str, Product] = field(default_factory=dict)

    @property
    def newest(self) -> list[Product]:
        """What can be bought, newest first."""
        return [p for p in self.products.values() if not p.sold_out]

    @property
    def categories(self) -> list[str]:
        """Categories that have products, by name."""
        return sorted({p.category for p in self.products.values() if p.category})

    def of_category(self, category: str) -> list[Product]:
        """Products of a category or of one below it; what is sold out comes last."""
        found = [
            p
            for p in self.products.values()
            if p.category == category or p.category.startswith(f"{category} > ")
        ]
        return sorted(found, key=lambda product: product.sold_out)

    def mixed(self, count: int, *, without: Iterable[str] = ()) -> list[Product]:
        """Some of every category in turn, what a slot shows without an answer."""
        left: dict[str, list[Product]] = {}
        shut_out = set(without)
        for product in self.newest:
            if product.id not in shut_out:
                left.setdefault(product.category, []).append(product)
        rounds = max(map(len, left.values()), default=0)
        found = [row[n] for n in range(rounds) for row in left.values() if n < len(row)]
        return found[:count]

    def search(self, query: str) -> list[Product]:
        """Products whose title and category hold every word; the plain search."""
        words = query.casefold().split()
        found = [
            product
            for product in self.products.values()
            if words
            and all(
                word in f"{product.title} {product.category}".casefold()
                for word in words
            )
        ]
        return sorted(found, key=lambda product: product.sold_out)


class Shelf:
    """Reads the goods of the newest published turn, and again when there is a newer.

    Args:
        shop: The shop.
    """

    def __init__(self, shop: Shop) -> None:
        self._shop = shop
        self._goods = Goods()
        self._looked_at = float("-inf")

    @property
    def goods(self) -> Goods:
        """What is on sale now; the last known while the database cannot be read."""
        if time.monotonic() - self._looked_at > CHECK_SECONDS:
            self._looked_at = time.monotonic()
            try:
                turn = _newest_turn(self._shop.database)
                if turn is not None and turn != self._goods.turn:
                    self._goods = read_goods(self._shop.turn_folder(turn), turn)
            except (SQLAlchemyError, OSError):
                pass  # a turn's folder may have been tidied away just now
        return self._goods


def read_goods(turn_folder: Path, turn: int) -> Goods:
    """Read a turn's goods.

    Raises:
        OSError: If the turn has no such tables.
    """
    import pyarrow.parquet as pq

    rows = {
        name: pq.read_table(turn_folder / "signals" / f"{name}.parquet").to_pylist()
        for name in TABLES
    }
    units = {row["variant_id"]: row["on_hand_units"] for row in rows["stock"]}
    variants: dict[str, list[dict[str, Any]]] = {}
    for row in rows["catalogue"]:
        if row["product_id"] is not None and row["active"]:
            variants.setdefault(row["product_id"], []).append(row)
    products = [
        _product(row, variants[row["product_id"]], units)
        for row in rows["listing"]
        if row["product_id"] in variants
    ]
    products.sort(key=lambda product: (product.first_on, product.id), reverse=True)
    return Goods(
        turn=turn,
        products={product.id: product for product in products},
        by_variant={v.id: product for product in products for v in product.variants},
    )


def _product(
    row: Mapping[str, Any],
    variants: list[dict[str, Any]],
    units: Mapping[str, int | None],
) -> Product:
    title = row["title"] or row["product_id"]
    first = row["first_on"]
    return Product(
        id=row["product_id"],
        title=title,
        category=row["category"] or "",
        description=row["description"] or "",
        first_on="" if first is None else first.isoformat(),
        variants=tuple(
            Variant(
                id=one["variant_id"],
                label=_label(one, title, alone=len(variants) == 1),
                price_minor=one["price_minor"],
                sold_out=_none_left(units.get(one["variant_id"])),
            )
            for one in sorted(variants, key=_by_size)
        ),
    )


def _none_left(units: int | None) -> bool:
    return units is not None and units <= 0


def _label(row: Mapping[str, Any], title: str, *, alone: bool) -> str:
    if alone:
        return ""
    said = str(row["title"] or "").removeprefix(title).strip(" ,")
    return said or str(row["variant_id"])


def _by_size(row: Mapping[str, Any]) -> tuple[int, str]:
    sizes = ("XS", "S", "M", "L", "XL")
    last = str(row["title"] or "").rpartition(", ")[2]
    return (sizes.index(last) if last in sizes else len(sizes), row["variant_id"])


def _newest_turn(engine: Engine) -> int | None:
    query = select(func.max(turns.c.number)).where(turns.c.state == "published")
    with reading(engine) as connection:
        number: int | None = connection.execute(query).scalar_one()
    return number
