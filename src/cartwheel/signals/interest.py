"""What each visitor was shown, looked at and wanted, and whose device it is.

Only events that a visitor agreed to are recorded, so this holds nobody else. What was
done on devices of customers who object to personalisation is left out here, at the
source, so that no reader can forget to. Whose device it is stays known: who objects is
held out as others are, and can only be left alone where they are recognised.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from cartwheel.signals.base import Field, Signal, When
from cartwheel.signals.customers import objecting
from cartwheel.signals.days import day_of, days_ago

if TYPE_CHECKING:
    import ibis.expr.types as ir

INTEREST_DAYS = 180
"""Days of views counted; what somebody looked at before says little of today."""

RECENT_DAYS = 28
"""The last days, counted apart: a reader may learn from the earlier ones what the
recent ones bring."""

CARTS = ["add_to_cart", "failed_add"]


def make_interest(
    facts: Mapping[str, ir.Table], signals: Mapping[str, ir.Table], when: When
) -> ir.Table:
    """Return what was met in the last 180 days by visitor and product."""
    events = facts["events"]
    day = day_of(events.occurred_at, when)
    met = events.mutate(day=day).filter(
        events.visitor_id.notnull()
        & events.product_id.notnull()
        & events.kind.isin([*CARTS, "view", "exposure", "click"])
        & (day >= days_ago(when, INTEREST_DAYS))
    )
    met = met.anti_join(objectors_devices(facts), "visitor_id")
    recent = (met.day >= days_ago(when, RECENT_DAYS)).ifelse(1, 0)
    found = {
        "views": (met.kind == "view").ifelse(1, 0),
        "carts": met.kind.isin(CARTS).ifelse(1, 0),
        "exposures": (met.kind == "exposure").ifelse(1, 0),
        "clicks": (met.kind == "click").ifelse(1, 0),
    }
    return met.group_by("visitor_id", "product_id").aggregate(
        **{name: one.sum() for name, one in found.items()},
        **{f"recent_{name}": (one * recent).sum() for name, one in found.items()},
    )


def objectors_devices(facts: Mapping[str, ir.Table]) -> ir.Table:
    """Return the devices on which somebody signed in who objects."""
    signed = facts["events"].filter(
        facts["events"].visitor_id.notnull() & facts["events"].customer_id.notnull()
    )
    theirs = signed.semi_join(objecting(facts["consents"]), "customer_id")
    return theirs.select("visitor_id").distinct()


INTEREST = Signal(
    name="interest",
    keys=(
        Field(name="visitor_id", type="text", unit="", doc="Device or session."),
        Field(name="product_id", type="text", unit="", doc="Product."),
    ),
    fields=(
        Field(
            name="views",
            type="int",
            unit="events",
            doc="Views of its page in the last 180 days.",
            neutral=0,
        ),
        Field(
            name="carts",
            type="int",
            unit="events",
            doc="Times put into the cart, or tried to while sold out.",
            neutral=0,
        ),
        Field(
            name="exposures",
            type="int",
            unit="events",
            doc="Times it was seen in a slot that was filled for them.",
            neutral=0,
        ),
        Field(
            name="clicks",
            type="int",
            unit="events",
            doc="Times it was opened from such a slot.",
            neutral=0,
        ),
        Field(
            name="recent_views",
            type="int",
            unit="events",
            doc="Of the views, those of the last 28 days.",
            neutral=0,
        ),
        Field(
            name="recent_carts",
            type="int",
            unit="events",
            doc="Of the carts, those of the last 28 days.",
            neutral=0,
        ),
        Field(
            name="recent_exposures",
            type="int",
            unit="events",
            doc="Of the exposures, those of the last 28 days.",
            neutral=0,
        ),
        Field(
            name="recent_clicks",
            type="int",
            unit="events",
            doc="Of the clicks, those of the last 28 days.",
            neutral=0,
        ),
    ),
    writer="lake",
    doc="What each visitor was shown, opened, looked at and put into the cart.",
    facts=("events", "consents"),
    reads=(),
    lagged=False,
    freshness_days=1,
    make=make_interest,
)


def make_identity(
    facts: Mapping[str, ir.Table], signals: Mapping[str, ir.Table], when: When
) -> ir.Table:
    """Return the customer who signed in last on each device."""
    import ibis

    events = facts["events"]
    signed = events.filter(events.visitor_id.notnull() & events.customer_id.notnull())
    newest = ibis.window(
        group_by="visitor_id",
        order_by=[ibis.desc("occurred_at"), ibis.desc("event_id")],
    )
    ranked = signed.mutate(back=ibis.row_number().over(newest))
    return ranked.filter(ranked.back == 0).select("visitor_id", "customer_id")


IDENTITY = Signal(
    name="identity",
    keys=(Field(name="visitor_id", type="text", unit="", doc="Device or session."),),
    fields=(
        Field(
            name="customer_id",
            type="text",
            unit="",
            doc="Customer who signed in on it last.",
            neutral=None,
        ),
    ),
    writer="lake",
    doc="Which customer a device belongs to.",
    facts=("events",),
    reads=(),
    lagged=False,
    freshness_days=1,
    make=make_identity,
)
