"""What sold, by variant and day, and when nothing could be sold."""

from __future__ import annotations

from cartwheel.signals.base import Field, Signal

DEMAND = Signal(
    name="demand",
    keys=(
        Field(name="variant_id", type="text", unit="", doc="Variant."),
        Field(name="day", type="date", unit="", doc="Day in the shop's time zone."),
    ),
    fields=(
        Field(
            name="units",
            type="int",
            unit="units",
            doc="Units sold, voided orders left out.",
            neutral=0,
        ),
        Field(
            name="revenue_minor",
            type="int",
            unit="minor",
            doc="Paid for them, discounts taken off.",
            neutral=0,
        ),
        Field(
            name="orders",
            type="int",
            unit="orders",
            doc="Orders holding it.",
            neutral=0,
        ),
        Field(
            name="stocked_out",
            type="bool",
            unit="",
            doc="No stock at any place at the last count of the day.",
            neutral=False,
        ),
    ),
    writer="lake",
    doc="Units sold by variant and day with a stock-out flag; days without sale or stock-out have no row.",
    facts=("order_lines", "orders", "refunds", "inventory_levels"),
    reads=(),
    lagged=False,
    freshness_days=1,
)
