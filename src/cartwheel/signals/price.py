"""Which prices were paid and how many units sold at each."""

from __future__ import annotations

from cartwheel.signals.base import Field, Signal

PRICE_HISTORY = Signal(
    name="price_history",
    keys=(
        Field(name="variant_id", type="text", unit="", doc="Variant."),
        Field(name="week", type="date", unit="", doc="Monday of the week."),
    ),
    fields=(
        Field(
            name="price_minor",
            type="int",
            unit="minor",
            doc="Mean unit price paid that week, weighted by units.",
            neutral=None,
        ),
        Field(
            name="list_minor",
            type="int",
            unit="minor",
            doc="List price in force on that Monday, if known.",
            neutral=None,
        ),
        Field(
            name="units",
            type="int",
            unit="units",
            doc="Units sold that week.",
            neutral=0,
        ),
        Field(
            name="days_in_stock",
            type="int",
            unit="days",
            doc="Days of the week not flagged as stocked out.",
            neutral=7,
        ),
    ),
    writer="lake",
    doc="Weekly price and units by variant, weeks with a sale only.",
    facts=("order_lines", "prices"),
    reads=("demand",),
    lagged=False,
    freshness_days=1,
)
