"""The products export: products, variants, prices, costs, stock of a single place."""

from __future__ import annotations

import html
import json
import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from cartwheel.connectors.shopify_csv.exports import Export
from cartwheel.connectors.shopify_csv.gathered import UNDATED, Gathered

SINGLE_LOCATION = "shop"
"""Place of the stock in a products export, which does not name any."""

_MARKUP = re.compile(r"<(script|style)\b.*?</\1\s*>|<!--.*?-->|<[^>]*>", re.S | re.I)
_STATUSES = {
    "active": "active",
    "draft": "draft",
    "archived": "archived",
    "unlisted": "draft",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """What an order line may refer to.

    Attributes:
        product_id: Product.
        variant_id: Variant, None when the product has several and none is named.
        gift_card: Sold as a gift card.
    """

    product_id: str
    variant_id: str | None
    gift_card: bool = False


@dataclass(slots=True, kw_only=True)
class Catalogue:
    """Articles by what exports call them; None where a name has two meanings."""

    by_sku: dict[str, Article | None] = field(default_factory=dict)
    by_name: dict[str, Article | None] = field(default_factory=dict)

    def find(self, sku: str | None, name: str | None) -> Article | None:
        """Return the article of an order line, by SKU or else by its name."""
        if sku is not None and (article := self.by_sku.get(sku)) is not None:
            return article
        return self.by_name.get(fold(name)) if name is not None else None


def fold(name: str) -> str:
    """Return a name for comparing: lower case, single spaces."""
    return " ".join(name.lower().split())


def plain_text(markup: str | None) -> str | None:
    """Return HTML as text without mark-up, None when nothing is left.

    >>> plain_text("<p>Soft &amp; warm</p>")
    'Soft & warm'
    """
    if markup is None:
        return None
    text = html.unescape(_MARKUP.sub(" ", markup))
    return " ".join(text.split()) or None


def option_values(cells: dict[str, Any]) -> tuple[str, ...]:
    """Return a row's option values; none for an article without options."""
    values = tuple(v for n in (1, 2, 3) if (v := cells[f"option{n}"]) is not None)
    return () if values == ("Default Title",) else values


def variant_id(handle: str, options: tuple[str, ...]) -> str:
    """Return a variant's id; exports have none, so it is made of handle and options.

    >>> variant_id("shirt", ("M", "blue")), variant_id("lamp", ())
    ('shirt:M/blue', 'lamp')
    """
    return f"{handle}:{'/'.join(options)}" if options else handle


def read_products(
    exports: list[Export], gathered: Gathered, *, with_stock: bool
) -> Catalogue:
    """Gather the products of every products export.

    Args:
        exports: Products exports.
        gathered: Filled with facts, refusals and supporting rows.
        with_stock: Take the stock column; False when an inventory export says it
            better.
    """
    catalogue = Catalogue()
    for export in exports:
        gathered.refuse_faults(export)
        options = _options_of(export)
        heads: dict[str, dict[str, Any]] = {}
        for at in range(export.size):
            row = export.row(at)
            if at in export.faults:
                continue
            cells = {name: values[at] for name, values in export.cells.items()}
            handle = cells["handle"]
            if handle is None:
                gathered.refuse(
                    row, "Handle", "", "missing; every row needs its handle"
                )
                continue
            is_head = cells["title"] is not None
            if is_head:
                heads[handle] = cells
                _add_product(gathered, row, cells, options[handle])
            head = heads.get(handle)
            if head is None:
                reason = "no row before it names the product of this handle"
                gathered.refuse(row, "Handle", handle, reason)
            elif is_head or _is_variant(cells):
                _add_variant(gathered, export, row, cells, head, with_stock=with_stock)
                _remember(catalogue, cells, head)
            else:
                gathered.support(row)  # one more picture of the product
    return catalogue


def _options_of(export: Export) -> dict[str, dict[str, list[str]]]:
    """Return every option's values by product; the first row of each names them."""
    found: dict[str, dict[str, list[str]]] = {}
    names: dict[str, list[str | None]] = {}
    for at, handle in enumerate(export.cells["handle"]):
        if handle is None or at in export.faults:
            continue
        mine = found.setdefault(handle, {})
        given = [export.cells[f"option{n}_name"][at] for n in (1, 2, 3)]
        if any(given):
            names[handle] = given
        for number, name in enumerate(names.get(handle, ()), 1):
            value = export.cells[f"option{number}"][at]
            if name is None or value is None or value == "Default Title":
                continue
            values = mine.setdefault(name, [])
            if value not in values:
                values.append(value)
    return found


def _attributes(cells: dict[str, Any], options: dict[str, list[str]]) -> str | None:
    """Return what sets a product apart as a JSON object, None for nothing."""
    named = {"Gender": cells["gender"], "Age group": cells["age_group"]}
    found: dict[str, Any] = {name: text for name, text in named.items() if text}
    found |= options
    return json.dumps(found, ensure_ascii=False, sort_keys=True) if found else None


def _is_variant(cells: dict[str, Any]) -> bool:
    named = ("sku", "price", "option1", "option2", "option3")
    return any(cells[name] is not None for name in named)


def _add_product(
    gathered: Gathered,
    row: int,
    cells: dict[str, Any],
    options: dict[str, list[str]],
) -> None:
    status = _STATUSES.get((cells["status"] or "").lower())
    if status is None and cells["published"] is not None:
        status = "active" if cells["published"] else "draft"
    gathered.add(
        "products",
        row,
        product_id=cells["handle"],
        title=cells["title"],
        description=plain_text(cells["body"]),
        page_html=cells["body"],
        category=cells["category"] or cells["type"],
        brand=cells["vendor"],
        tags=cells["tags"],
        url=f"/products/{quote(cells['handle'])}",
        image_url=cells["image"],
        attributes=_attributes(cells, options),
        status=status,
        created_at=cells["created_at"],
    )


def _add_variant(
    gathered: Gathered,
    export: Export,
    row: int,
    cells: dict[str, Any],
    head: dict[str, Any],
    *,
    with_stock: bool,
) -> None:
    options = option_values(cells)
    variant = variant_id(cells["handle"], options)
    created = head["created_at"]
    gathered.add(
        "variants",
        row,
        variant_id=variant,
        product_id=cells["handle"],
        sku=cells["sku"],
        title=" / ".join(options) or None,
        created_at=created,
    )
    since = created or UNDATED
    if cells["price"] is not None:
        gathered.add(
            "prices",
            row,
            variant_id=variant,
            valid_from_at=since,
            price_minor=cells["price"],
            compare_at_minor=cells["compare_at"] or None,  # 0 means none is shown
        )
    if cells["cost"] is not None:
        gathered.add(
            "costs",
            row,
            variant_id=variant,
            valid_from_at=since,
            cost_minor=cells["cost"],
        )
    if with_stock and cells["tracker"] is not None and cells["available"] is not None:
        gathered.add(
            "inventory_levels",
            row,
            variant_id=variant,
            location_id=SINGLE_LOCATION,
            counted_at=export.exported_at,
            available_units=cells["available"],
        )


def _remember(
    catalogue: Catalogue, cells: dict[str, Any], head: dict[str, Any]
) -> None:
    options = option_values(cells)
    product, gift = cells["handle"], bool(head["gift_card"])
    article = Article(
        product_id=product, variant_id=variant_id(product, options), gift_card=gift
    )
    if cells["sku"] is not None:
        known = catalogue.by_sku.setdefault(cells["sku"], article)
        if known != article:
            catalogue.by_sku[cells["sku"]] = None
    title = head["title"]
    full = fold(f"{title} - {' / '.join(options)}" if options else title)
    if catalogue.by_name.setdefault(full, article) != article:
        catalogue.by_name[full] = None
    if not options:
        return
    # The title alone names the product, but none of its variants.
    whole = Article(product_id=product, variant_id=None, gift_card=gift)
    if catalogue.by_name.setdefault(fold(title), whole) != whole:
        catalogue.by_name[fold(title)] = None
