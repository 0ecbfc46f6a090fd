"""The comparison table: a product beside others that shoppers choose from with it.

It answers objections of people who do not know which product to take. Shown are
attributes that all of the products have and that are not the same for all, word for
word; nothing is weighed or called better.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from cartwheel.levers.content.draft import (
    page_language,
    shown_on,
    speaks_to,
    stands_in,
)
from cartwheel.levers.content.wording import words_of
from cartwheel.signals.base import Signals
from cartwheel.signals.catalogue import CATALOGUE
from cartwheel.signals.listing import LISTING
from cartwheel.signals.stock import STOCK
from cartwheel.text.claims.facts import ShopFacts, attributes_of
from cartwheel.text.claims.tables import table_faults
from cartwheel.text.claims.words import read
from cartwheel.text.page_table import MOST_PRODUCTS, Comparison, Row

ANSWERED = frozenset(
    {"missing_information", "compatibility", "price", "quality_doubt", "size_fit"}
)
"""Objections that a table can answer; size and fit only where the product comes in one
size, so that another size is another product."""

MOST_ROWS = 8

ALIKE = 0.5
"""Share of the attributes of two products, by name, that both have: what is described
alike is chosen between, a board and a blanket of one category are not."""

LONGEST_VALUE = 80
"""Characters of a value that can still be read in a column."""

MOST_LOOKED_AT = 200
"""Products of a category that are looked at for one table."""


class Shelf:
    """What is on sale now, by category, with its attributes.

    Args:
        data: The lever's signals.
        shop: Facts that they hold.
    """

    def __init__(self, data: Signals, shop: ShopFacts) -> None:
        self._shop = shop
        self._attributes: dict[str, dict[str, str]] = {}
        self._on_sale: dict[str, list[str]] = {}
        gone = {*_sold_out(data), *_blocked(data)}
        listing = data.table(LISTING).select(["product_id", "category", "active"])
        for row in listing.to_pylist():
            product = str(row["product_id"])
            if row["category"] and row["active"] is not False and product not in gone:
                self._on_sale.setdefault(str(row["category"]), []).append(product)

    @property
    def categories(self) -> Mapping[str, Sequence[str]]:
        """Product ids on sale by category."""
        return self._on_sale

    def attributes(self, product: str) -> Mapping[str, str]:
        """Return the attributes of a product by name."""
        if product not in self._attributes:
            self._attributes[product] = dict(attributes_of(self._shop.listing(product)))
        return self._attributes[product]

    def beside(self, product: str, objection: str) -> Comparison | None:
        """Return a product beside others of its category, None where none tells more.

        Args:
            product: Product on whose page it is to stand.
            objection: Class of objections that it should answer.
        """
        page = self._shop.listing(product)
        if (
            objection not in ANSWERED
            or not page
            or not self._one_size(product, objection)
        ):
            return None
        language = page_language(page)
        caption = words_of(language)["headings"]["comparison"]
        if stands_in(caption, shown_on(page)):
            return None  # a table of ours is on the page
        own = {
            name: value
            for name, value in self.attributes(product).items()
            if speaks_to(name, objection, language) and len(value) <= LONGEST_VALUE
        }
        chosen = self._others(product, str(page.get("category") or ""), own)
        if not chosen:
            return None
        products = (product, *chosen)
        made = Comparison(
            caption=caption,
            products=products,
            titles=tuple(self._title(one) for one in products),
            rows=self._rows(products, own),
        )
        return self._checked(made) if made.rows else None

    def _one_size(self, product: str, objection: str) -> bool:
        facts = self._shop.of_product(product)
        return objection != "size_fit" or all(one.kind != "variants" for one in facts)

    def _others(
        self, product: str, category: str, own: Mapping[str, str]
    ) -> tuple[str, ...]:
        """Return products that have most of the attributes, with values of their own.

        The first is the one whose values differ in most; the next must have all the
        attributes that the first has, so that no cell is empty.
        """
        found = []
        for other in self._on_sale.get(category, ())[:MOST_LOOKED_AT]:
            theirs = self._readable(other, own)
            unlike = sum(_unlike(own[name], theirs[name]) for name in theirs)
            if other == product or not self._alike(product, other):
                continue
            if unlike and self._title(other):
                found.append((-unlike, -len(theirs), other, frozenset(theirs)))
        found.sort(key=lambda one: one[:3])
        shared = found[0][3] if found else frozenset()
        fit = [other for _, _, other, names in found if shared <= names]
        return tuple(fit[: MOST_PRODUCTS - 1])

    def _alike(self, product: str, other: str) -> bool:
        own, theirs = set(self.attributes(product)), set(self.attributes(other))
        return len(own & theirs) >= ALIKE * len(own | theirs)

    def _readable(self, product: str, names: Collection[str]) -> dict[str, str]:
        held = self.attributes(product)
        return {
            name: held[name]
            for name in names
            if name in held and len(held[name]) <= LONGEST_VALUE
        }

    def _rows(self, products: Sequence[str], own: Mapping[str, str]) -> tuple[Row, ...]:
        found = []
        for name in own:
            values = [self._readable(one, (name,)).get(name) for one in products]
            told = tuple(value for value in values if value is not None)
            unlike = any(_unlike(own[name], value) for value in told)
            if len(told) == len(products) and unlike:
                found.append(Row(attribute=name, values=told))
        return tuple(found[:MOST_ROWS])

    def _checked(self, made: Comparison) -> Comparison | None:
        """Return a table without what the claim check would block."""
        faults = list(table_faults(made, self._shop.of_product))
        rows = {row for _, row, _ in faults if row is not None}
        names = {product for product, row, _ in faults if row is None}
        if made.products[0] in names:
            return None
        left = tuple(row for row in made.rows if row not in rows)
        kept = Comparison(
            caption=made.caption,
            products=made.products,
            titles=made.titles,
            rows=left,
        )
        return kept.without(names)

    def _title(self, product: str) -> str:
        return str(self._shop.listing(product).get("title") or "")


def _unlike(one: str, other: str) -> bool:
    """Whether two values differ in more than how they are written (1.5 m, 150 cm)."""
    return read(one).terms != read(other).terms


def _sold_out(data: Signals) -> set[str]:
    """Return products of which every variant is known to be gone."""
    held = {
        row["variant_id"]: row["on_hand_units"] for row in data.table(STOCK).to_pylist()
    }
    left: dict[str, bool] = {}
    catalogue = data.table(CATALOGUE).select(["variant_id", "product_id"])
    for row in catalogue.to_pylist():
        units = held.get(row["variant_id"])
        product = str(row["product_id"])
        left[product] = left.get(product, False) or units is None or units > 0
    return {product for product, some in left.items() if not some}


def _blocked(data: Signals) -> set[str]:
    guardrails = data.context.options.get("guardrails", {})
    return {str(one) for one in guardrails.get("blocked_products", ())}
