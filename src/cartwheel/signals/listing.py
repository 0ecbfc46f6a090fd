"""What a product's page says: the texts that are searched, shown and improved."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from cartwheel.signals.base import Field, Signal, When
from cartwheel.signals.facts import look_up

if TYPE_CHECKING:
    import ibis.expr.types as ir

TEXTS = ("description", "page_html", "tags", "url", "image_url", "attributes")


def make_listing(
    facts: Mapping[str, ir.Table], signals: Mapping[str, ir.Table], when: When
) -> ir.Table:
    """Return one row per product, known from its own record or sold without one."""
    import ibis

    variants = signals["catalogue"].filter(lambda row: row.product_id.notnull())
    rows = variants.group_by("product_id").aggregate(
        line_title=variants.title.min(),
        category=variants.category.min(),
        brand=variants.brand.min(),
        first_on=variants.first_on.min(),
        active=variants.active.any(),
    )
    products = facts["products"]
    shown = products.select("product_id", *TEXTS, own_title="title")
    rows = look_up(rows, shown, "product_id")
    return rows.mutate(title=ibis.coalesce(rows.own_title, rows.line_title))


def _said(name: str, doc: str) -> Field:
    return Field(name=name, type="text", unit="", doc=doc, neutral=None)


LISTING = Signal(
    name="listing",
    keys=(Field(name="product_id", type="text", unit="", doc="Product."),),
    fields=(
        _said("title", "Name shown to shoppers."),
        _said("description", "Text shown to shoppers, without mark-up."),
        _said(
            "page_html",
            "The same text as the platform holds it, mark-up and all, if it has any.",
        ),
        _said("category", "Category path, levels joined by ' > '."),
        _said("brand", "Brand or vendor."),
        _said("tags", "Tags joined by ', '."),
        _said("url", "Address of its page."),
        _said("image_url", "Address of its first picture."),
        _said("attributes", "JSON object of attributes, texts or lists of texts."),
        Field(
            name="active",
            type="bool",
            unit="",
            doc="One of its variants is shown to shoppers.",
            neutral=True,
        ),
        Field(
            name="first_on",
            type="date",
            unit="",
            doc="First sold or listed on.",
            neutral=None,
        ),
    ),
    writer="lake",
    doc="What a product's page says.",
    facts=("products",),
    reads=("catalogue",),
    lagged=False,
    freshness_days=1,
    make=make_listing,
)
