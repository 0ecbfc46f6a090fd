"""What visitors look for, by product and day, whether or not they bought."""

from __future__ import annotations

from cartwheel.signals.base import Field, Signal

INTENT = Signal(
    name="intent",
    keys=(
        Field(name="product_id", type="text", unit="", doc="Product."),
        Field(name="day", type="date", unit="", doc="Day in the shop's time zone."),
    ),
    fields=(
        Field(
            name="views",
            type="int",
            unit="events",
            doc="Product page views.",
            neutral=0,
        ),
        Field(name="carts", type="int", unit="events", doc="Added to cart.", neutral=0),
        Field(
            name="failed_carts",
            type="int",
            unit="events",
            doc="Tried to add while sold out.",
            neutral=0,
        ),
        Field(
            name="searches",
            type="int",
            unit="events",
            doc="Searches followed by a view of it within 30 minutes.",
            neutral=0,
        ),
    ),
    writer="lake",
    doc="Views, carts, failed carts and searches by product and day.",
    facts=("events",),
    reads=(),
    lagged=False,
    freshness_days=1,
)

SEARCHES = Signal(
    name="searches",
    keys=(
        Field(
            name="query",
            type="text",
            unit="",
            doc="Search text, lower case, spaces folded.",
        ),
    ),
    fields=(
        Field(
            name="searches",
            type="int",
            unit="events",
            doc="Searches in the last 90 days.",
            neutral=0,
        ),
        Field(
            name="without_result",
            type="int",
            unit="events",
            doc="Of these, with no result.",
            neutral=0,
        ),
    ),
    writer="lake",
    doc="What people searched for and whether anything was found.",
    facts=("events",),
    reads=(),
    lagged=False,
    freshness_days=1,
)
