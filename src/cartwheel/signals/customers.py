"""What customers bought, in which rhythm, and what they allow."""

from __future__ import annotations

from cartwheel.signals.base import Field, Signal

RHYTHM = Signal(
    name="rhythm",
    keys=(Field(name="customer_id", type="text", unit="", doc="Customer."),),
    fields=(
        Field(
            name="first_on", type="date", unit="", doc="First order on.", neutral=None
        ),
        Field(name="last_on", type="date", unit="", doc="Last order on.", neutral=None),
        Field(
            name="orders",
            type="int",
            unit="orders",
            doc="Orders, voided ones left out.",
            neutral=0,
        ),
        Field(
            name="order_days",
            type="int",
            unit="days",
            doc="Distinct days with an order.",
            neutral=0,
        ),
        Field(
            name="revenue_minor",
            type="int",
            unit="minor",
            doc="Paid for products, refunds taken off.",
            neutral=0,
        ),
        Field(
            name="gap_days",
            type="float",
            unit="days",
            doc="Own mean days between order days; null with one order day.",
            neutral=None,
        ),
        Field(
            name="recency_days",
            type="int",
            unit="days",
            doc="Days since the last order.",
            neutral=None,
        ),
        Field(
            name="age_days",
            type="int",
            unit="days",
            doc="Days since the first order.",
            neutral=None,
        ),
    ),
    writer="lake",
    doc="Recency, frequency, value and own gap by customer.",
    facts=("orders", "order_lines", "refunds"),
    reads=(),
    lagged=False,
    freshness_days=1,
)

BASKETS = Signal(
    name="baskets",
    keys=(
        Field(
            name="product_a", type="text", unit="", doc="First product, the smaller id."
        ),
        Field(name="product_b", type="text", unit="", doc="Second product."),
    ),
    fields=(
        Field(
            name="orders",
            type="int",
            unit="orders",
            doc="Orders of the last 365 days holding both, at least 2.",
            neutral=0,
        ),
        Field(
            name="orders_a",
            type="int",
            unit="orders",
            doc="Orders holding the first.",
            neutral=0,
        ),
        Field(
            name="orders_b",
            type="int",
            unit="orders",
            doc="Orders holding the second.",
            neutral=0,
        ),
    ),
    writer="lake",
    doc="Basket affinity: which products are bought together.",
    facts=("order_lines", "orders"),
    reads=(),
    lagged=False,
    freshness_days=1,
)

PURCHASES = Signal(
    name="purchases",
    keys=(
        Field(name="customer_id", type="text", unit="", doc="Customer."),
        Field(name="product_id", type="text", unit="", doc="Product."),
    ),
    fields=(
        Field(
            name="orders",
            type="int",
            unit="orders",
            doc="Orders of this customer holding it.",
            neutral=0,
        ),
        Field(name="units", type="int", unit="units", doc="Units bought.", neutral=0),
        Field(
            name="last_on", type="date", unit="", doc="Last bought on.", neutral=None
        ),
    ),
    writer="lake",
    doc="Which customer bought which product.",
    facts=("order_lines", "orders"),
    reads=(),
    lagged=False,
    freshness_days=1,
)

CONSENT = Signal(
    name="consent",
    keys=(Field(name="customer_id", type="text", unit="", doc="Customer."),),
    fields=(
        Field(
            name="email_marketing",
            type="bool",
            unit="",
            doc="A yes to marketing e-mail is on record.",
            neutral=False,
        ),
        Field(
            name="personalisation",
            type="bool",
            unit="",
            doc="No objection to personalisation is on record.",
            neutral=True,
        ),
    ),
    writer="lake",
    doc="What each customer allows now.",
    facts=("consents",),
    reads=(),
    lagged=False,
    freshness_days=1,
)
