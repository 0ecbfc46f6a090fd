"""What can be sold: one row per variant, with its current price and terms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from cartwheel.signals.base import Field, Signal, When
from cartwheel.signals.days import day_of, days_ago
from cartwheel.signals.facts import in_force, look_up, product_lines

if TYPE_CHECKING:
    import ibis.expr.types as ir

USUAL_DAYS = 28
"""Days over which the usual price paid is looked up."""


def make_catalogue(
    facts: Mapping[str, ir.Table], signals: Mapping[str, ir.Table], when: When
) -> ir.Table:
    """Return one row per variant: declared ones, sold ones, then bare products.

    The price is the list price in force; without one, the price most units were sold
    at in the last 28 days; without sales there, the last price paid. A price of zero
    is no price.
    """
    import ibis

    rows = _variants(facts, when)
    per_product = rows.group_by("product_id").aggregate(siblings=rows.count())
    products = facts["products"]
    shown = products.select(
        "product_id",
        "category",
        "brand",
        product_title="title",
        active=ibis.coalesce(products.status, "active") == "active",
        product_day=day_of(products.created_at, when),
    )
    rows = look_up(rows, per_product, "product_id")
    rows = look_up(rows, shown, "product_id")
    rows = look_up(rows, _prices(facts, when), "variant_id")
    options = ", " + rows.variant_title
    several = (rows.siblings > 1) & rows.variant_title.notnull()
    return rows.mutate(
        title=ibis.coalesce(
            rows.product_title + several.ifelse(options, ""),
            rows.line_title,
            rows.variant_title,
        ),
        active=ibis.coalesce(rows.active, True),
        pack_units=ibis.coalesce(rows.pack_units, 1),
        minimum_order_units=ibis.coalesce(rows.minimum_order_units, 1),
        first_on=ibis.coalesce(
            ibis.least(rows.sold_day, rows.listed_day),
            rows.sold_day,
            rows.listed_day,
            rows.product_day,
        ),
    )


def _variants(facts: Mapping[str, ir.Table], when: When) -> ir.Table:
    """Return every variant known: declared, else named by a line, else a product."""
    import ibis

    lines = product_lines(facts["order_lines"])
    newest = ibis.window(
        group_by="variant_id",
        order_by=[ibis.desc("placed_at"), ibis.desc("order_id"), ibis.desc("line_id")],
    )
    lines = lines.mutate(
        back=ibis.row_number().over(newest),
        sold_at=lines.placed_at.min().over(ibis.window(group_by="variant_id")),
    )
    lines = lines.filter(lines.back == 0)
    sold = lines.select(
        "variant_id",
        line_product="product_id",
        line_title="title",
        sold_day=day_of(lines.sold_at, when),
    )
    variants = facts["variants"]
    declared = variants.select(
        "variant_id",
        "product_id",
        "supplier_id",
        "pack_units",
        "minimum_order_units",
        variant_title="title",
        listed_day=day_of(variants.created_at, when),
    )
    named = declared.select("variant_id").union(sold.select("variant_id"))
    rows = look_up(named.distinct(), declared, "variant_id")
    rows = look_up(rows, sold, "variant_id")
    rows = rows.mutate(product_id=ibis.coalesce(rows.product_id, rows.line_product))
    bare = facts["products"].anti_join(rows, "product_id").select("product_id")
    bare = bare.mutate(variant_id=bare.product_id).anti_join(rows, "variant_id")
    missing = {
        name: ibis.null(type_)
        for name, type_ in rows.schema().items()
        if name not in bare.columns
    }
    return rows.union(bare.mutate(**missing).select(*rows.columns))


def _prices(facts: Mapping[str, ir.Table], when: When) -> ir.Table:
    """Return `price_minor` by variant: listed, else usual lately, else last paid."""
    import ibis

    listed = in_force(facts["prices"], "price_minor").rename(listed="price_minor")
    sold = facts["sold_lines"]
    sold = sold.mutate(
        price=((sold.paid_minor * 2 + sold.quantity_units) // (sold.quantity_units * 2))
    )
    sold = sold.filter(sold.price > 0)
    last = ibis.window(
        group_by="variant_id",
        order_by=[ibis.desc("placed_at"), ibis.desc("order_id"), ibis.desc("line_id")],
    )
    ranked = sold.mutate(back=ibis.row_number().over(last))
    ranked = ranked.filter(ranked.back == 0)
    last_paid = ranked.select("variant_id", last_paid="price")
    recent = sold.filter(sold.day >= days_ago(when, USUAL_DAYS))
    count = recent.group_by("variant_id", "price").aggregate(
        units=recent.quantity_units.sum()
    )
    most = ibis.window(
        group_by="variant_id", order_by=[ibis.desc("units"), ibis.desc("price")]
    )
    count = count.mutate(back=ibis.row_number().over(most))
    count = count.filter(count.back == 0)
    usual = count.select("variant_id", usual="price")
    names = listed.select("variant_id").union(last_paid.select("variant_id"))
    rows = look_up(names.distinct(), listed, "variant_id")
    rows = look_up(rows, last_paid, "variant_id")
    rows = look_up(rows, usual, "variant_id")
    return rows.select(
        "variant_id",
        price_minor=ibis.coalesce(rows.listed, rows.usual, rows.last_paid),
    )


CATALOGUE = Signal(
    name="catalogue",
    keys=(Field(name="variant_id", type="text", unit="", doc="Variant."),),
    fields=(
        Field(
            name="product_id",
            type="text",
            unit="",
            doc="Product it belongs to.",
            neutral=None,
        ),
        Field(
            name="title",
            type="text",
            unit="",
            doc="Product title, with the option values when there are several.",
            neutral=None,
        ),
        Field(
            name="category", type="text", unit="", doc="Category path.", neutral=None
        ),
        Field(name="brand", type="text", unit="", doc="Brand or vendor.", neutral=None),
        Field(
            name="active", type="bool", unit="", doc="Shown to shoppers.", neutral=True
        ),
        Field(name="supplier_id", type="text", unit="", doc="Supplier.", neutral=None),
        Field(
            name="pack_units",
            type="int",
            unit="units",
            doc="Order in multiples of.",
            neutral=1,
        ),
        Field(
            name="minimum_order_units",
            type="int",
            unit="units",
            doc="Smallest order.",
            neutral=1,
        ),
        Field(
            name="price_minor",
            type="int",
            unit="minor",
            doc="Price in force; last price paid where no list price is known.",
            neutral=None,
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
    doc="What can be sold and on which terms.",
    facts=("products", "variants", "prices", "order_lines", "orders", "refunds"),
    reads=(),
    lagged=False,
    freshness_days=1,
    make=make_catalogue,
)
