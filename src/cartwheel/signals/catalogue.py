"""What can be sold: one row per variant, with its current price and terms."""

from __future__ import annotations

from cartwheel.signals.base import Field, Signal

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
    facts=("products", "variants", "prices", "order_lines"),
    reads=(),
    lagged=False,
    freshness_days=1,
)
