"""Units on hand and inbound, and how long they last."""

from __future__ import annotations

from cartwheel.signals.base import Field, Signal

STOCK = Signal(
    name="stock",
    keys=(Field(name="variant_id", type="text", unit="", doc="Variant."),),
    fields=(
        Field(
            name="on_hand_units",
            type="int",
            unit="units",
            doc="Free to sell over all places at the last counts.",
            neutral=None,
        ),
        Field(
            name="inbound_units",
            type="int",
            unit="units",
            doc="Ordered from suppliers and not yet received.",
            neutral=0,
        ),
        Field(
            name="inbound_on",
            type="date",
            unit="",
            doc="Day the next receipt is expected.",
            neutral=None,
        ),
        Field(
            name="cover_days",
            type="float",
            unit="days",
            doc="Days the stock on hand lasts at the pace of the last 28 days; null without sales or count.",
            neutral=None,
        ),
    ),
    writer="lake",
    doc="Stock on hand and inbound by variant. Unknown stock is null, never zero.",
    facts=("inventory_levels", "purchase_orders", "receipts"),
    reads=("demand",),
    lagged=False,
    freshness_days=1,
)
