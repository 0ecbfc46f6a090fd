"""How often products come back and what that costs."""

from __future__ import annotations

from cartwheel.signals.base import Field, Signal

RETURNS = Signal(
    name="returns",
    keys=(Field(name="product_id", type="text", unit="", doc="Product."),),
    fields=(
        Field(
            name="sold_units",
            type="int",
            unit="units",
            doc="Units sold in the last 365 days.",
            neutral=0,
        ),
        Field(
            name="returned_units",
            type="int",
            unit="units",
            doc="Units that came back, or were refunded, in the last 365 days.",
            neutral=0,
        ),
        Field(
            name="return_rate",
            type="float",
            unit="share",
            doc="Share that comes back, shrunk towards the shop's mean.",
            neutral=0.0,
        ),
        Field(
            name="cost_per_return_minor",
            type="int",
            unit="minor",
            doc="Mean cost of one returned unit; null when never recorded.",
            neutral=None,
        ),
    ),
    writer="lake",
    doc="Return rate and cost by product.",
    facts=("order_lines", "refunds", "returns"),
    reads=(),
    lagged=False,
    freshness_days=1,
)

OPEN_RETURNS = Signal(
    name="open_returns",
    keys=(
        Field(name="customer_id", type="text", unit="", doc="Customer."),
        Field(name="product_id", type="text", unit="", doc="Product."),
    ),
    fields=(
        Field(
            name="since_on",
            type="date",
            unit="",
            doc="Return or refund opened on.",
            neutral=None,
        ),
    ),
    writer="lake",
    doc="Products a customer sent back or was refunded for in the last 60 days.",
    facts=("returns", "refunds"),
    reads=(),
    lagged=False,
    freshness_days=1,
)
