"""How long suppliers take."""

from __future__ import annotations

from cartwheel.signals.base import Field, Signal

LEAD_TIME = Signal(
    name="lead_time",
    keys=(Field(name="supplier_id", type="text", unit="", doc="Supplier."),),
    fields=(
        Field(
            name="receipts",
            type="int",
            unit="receipts",
            doc="Receipts learned from.",
            neutral=0,
        ),
        Field(
            name="mean_days",
            type="float",
            unit="days",
            doc="Mean days from order to receipt, shrunk towards the promise.",
            neutral=None,
        ),
        Field(
            name="sd_days", type="float", unit="days", doc="Spread of it.", neutral=None
        ),
        Field(
            name="promised_days",
            type="int",
            unit="days",
            doc="Promised by the supplier.",
            neutral=None,
        ),
        Field(
            name="minimum_order_minor",
            type="int",
            unit="minor",
            doc="Smallest order value.",
            neutral=0,
        ),
    ),
    writer="lake",
    doc="Lead time by supplier from its own receipts.",
    facts=("suppliers", "purchase_orders", "receipts"),
    reads=(),
    lagged=False,
    freshness_days=1,
)
