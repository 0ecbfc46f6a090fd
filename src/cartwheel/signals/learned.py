"""What levers write for other levers, and what became of earlier decisions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from cartwheel.signals.base import Field, Signal, When
from cartwheel.signals.days import day_of, days_ago

if TYPE_CHECKING:
    import ibis.expr.types as ir

SHOWN_DAYS = 28
"""Days of exposures and clicks counted."""

FORECAST = Signal(
    name="forecast",
    keys=(
        Field(name="variant_id", type="text", unit="", doc="Variant."),
        Field(
            name="horizon_days",
            type="int",
            unit="",
            doc="Days ahead the total covers: 7, 14, 28 or 56.",
        ),
    ),
    fields=(
        Field(
            name="mean_units",
            type="float",
            unit="units",
            doc="Expected total demand.",
            neutral=0.0,
        ),
        Field(
            name="q10_units",
            type="float",
            unit="units",
            doc="10 % quantile of the total.",
            neutral=None,
        ),
        Field(
            name="q50_units",
            type="float",
            unit="units",
            doc="Median of the total.",
            neutral=None,
        ),
        Field(
            name="q80_units",
            type="float",
            unit="units",
            doc="80 % quantile.",
            neutral=None,
        ),
        Field(
            name="q90_units",
            type="float",
            unit="units",
            doc="90 % quantile.",
            neutral=None,
        ),
        Field(
            name="q95_units",
            type="float",
            unit="units",
            doc="95 % quantile.",
            neutral=None,
        ),
        Field(
            name="q98_units",
            type="float",
            unit="units",
            doc="98 % quantile.",
            neutral=None,
        ),
    ),
    writer="forecast",
    doc="Total demand ahead with quantiles, if it can be sold.",
    facts=(),
    reads=(),
    lagged=False,
    freshness_days=1,
)

PRICE_PLAN = Signal(
    name="price_plan",
    keys=(Field(name="variant_id", type="text", unit="", doc="Variant."),),
    fields=(
        Field(
            name="price_minor",
            type="int",
            unit="minor",
            doc="Price proposed and not refused.",
            neutral=None,
        ),
        Field(
            name="change_share",
            type="float",
            unit="share",
            doc="Relative change against today's price.",
            neutral=0.0,
        ),
        Field(
            name="elasticity",
            type="float",
            unit="",
            doc="Percent change of units per percent change of price.",
            neutral=None,
        ),
        Field(name="from_on", type="date", unit="", doc="From this day.", neutral=None),
    ),
    writer="price",
    doc="Prices proposed in the previous turn.",
    facts=(),
    reads=(),
    lagged=True,
    freshness_days=1,
)

LIFETIME_VALUE = Signal(
    name="lifetime_value",
    keys=(Field(name="customer_id", type="text", unit="", doc="Customer."),),
    fields=(
        Field(
            name="expected_orders",
            type="float",
            unit="orders",
            doc="Expected orders in the next 90 days.",
            neutral=0.0,
        ),
        Field(
            name="value_minor",
            type="int",
            unit="minor",
            doc="Expected revenue in the next 365 days.",
            neutral=0,
        ),
        Field(
            name="alive_share",
            type="float",
            unit="share",
            doc="Probability of being active.",
            neutral=None,
        ),
        Field(
            name="lapse_share",
            type="float",
            unit="share",
            doc="Probability of no order in the next 90 days.",
            neutral=None,
        ),
    ),
    writer="lifecycle",
    doc="Expected orders and value by customer.",
    facts=(),
    reads=(),
    lagged=False,
    freshness_days=1,
)

SEGMENT = Signal(
    name="segment",
    keys=(Field(name="customer_id", type="text", unit="", doc="Customer."),),
    fields=(
        Field(
            name="segment",
            type="text",
            unit="",
            doc="new, loyal, vip, regular, slipping, lapsed, one-time.",
            neutral=None,
        ),
    ),
    writer="lifecycle",
    doc="Segment by customer.",
    facts=(),
    reads=(),
    lagged=False,
    freshness_days=1,
)


def make_outcomes(
    facts: Mapping[str, ir.Table], signals: Mapping[str, ir.Table], when: When
) -> ir.Table:
    """Return every outcome measured by the cut-off."""
    outcomes = facts["outcomes"]
    return outcomes.mutate(measured_on=day_of(outcomes.measured_at, when))


OUTCOMES = Signal(
    name="outcomes",
    keys=(
        Field(name="decision_id", type="text", unit="", doc="Decision."),
        Field(name="metric", type="text", unit="", doc="What was measured."),
    ),
    fields=(
        Field(
            name="lever", type="text", unit="", doc="Lever that decided.", neutral=None
        ),
        Field(name="kind", type="text", unit="", doc="Kind of decision.", neutral=None),
        Field(name="subject", type="text", unit="", doc="Subject.", neutral=None),
        Field(
            name="measured_on", type="date", unit="", doc="Measured on.", neutral=None
        ),
        Field(
            name="predicted",
            type="float",
            unit="",
            doc="Predicted value.",
            neutral=None,
        ),
        Field(
            name="low",
            type="float",
            unit="",
            doc="Lower end of its interval.",
            neutral=None,
        ),
        Field(name="high", type="float", unit="", doc="Upper end.", neutral=None),
        Field(name="actual", type="float", unit="", doc="What happened.", neutral=None),
    ),
    writer="lake",
    doc="What became of earlier turns' decisions.",
    facts=("outcomes",),
    reads=(),
    lagged=False,
    freshness_days=1,
    make=make_outcomes,
)


def make_shown(
    facts: Mapping[str, ir.Table], signals: Mapping[str, ir.Table], when: When
) -> ir.Table:
    """Return exposures and clicks of the last 28 days by product."""
    events = facts["events"]
    met = events.filter(
        events.product_id.notnull()
        & events.kind.isin(["exposure", "click"])
        & (day_of(events.occurred_at, when) >= days_ago(when, SHOWN_DAYS))
    )
    exposed = (met.kind == "exposure").ifelse(1, 0)
    clicked = (met.kind == "click").ifelse(1, 0)
    return met.group_by("product_id").aggregate(
        exposures=exposed.sum(), clicks=clicked.sum()
    )


SHOWN = Signal(
    name="shown",
    keys=(Field(name="product_id", type="text", unit="", doc="Product."),),
    fields=(
        Field(
            name="exposures",
            type="int",
            unit="events",
            doc="Times a slot with it was met in the last 28 days.",
            neutral=0,
        ),
        Field(
            name="clicks",
            type="int",
            unit="events",
            doc="Clicks on it there.",
            neutral=0,
        ),
    ),
    writer="lake",
    doc="How often recommendations were met and clicked.",
    facts=("events",),
    reads=(),
    lagged=False,
    freshness_days=1,
    make=make_shown,
)
