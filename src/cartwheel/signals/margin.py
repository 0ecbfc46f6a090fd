"""What one unit earns, after cost and expected returns."""

from __future__ import annotations

from cartwheel.signals.base import Field, Signal

MARGIN = Signal(
    name="margin",
    keys=(Field(name="variant_id", type="text", unit="", doc="Variant."),),
    fields=(
        Field(
            name="price_minor",
            type="int",
            unit="minor",
            doc="Price in force.",
            neutral=None,
        ),
        Field(
            name="cost_minor",
            type="int",
            unit="minor",
            doc="Unit cost in force; null when unknown.",
            neutral=None,
        ),
        Field(
            name="return_cost_minor",
            type="int",
            unit="minor",
            doc="Expected cost of returns per unit sold.",
            neutral=0,
        ),
        Field(
            name="margin_minor",
            type="int",
            unit="minor",
            doc="Price less cost less expected return cost; null when the cost is unknown.",
            neutral=None,
        ),
    ),
    writer="lake",
    doc="Unit margin by variant; an unknown cost stays unknown.",
    facts=("costs",),
    reads=("catalogue", "returns"),
    lagged=False,
    freshness_days=1,
)
