"""What was looked at and wanted in each visit, one after another.

Only events that a visitor agreed to are recorded. Devices on which a customer signed in
who objects to personalisation are left out here, at the source.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from cartwheel.signals.base import Field, Signal, When
from cartwheel.signals.days import day_of, days_ago
from cartwheel.signals.interest import CARTS, objectors_devices

if TYPE_CHECKING:
    import ibis.expr.types as ir

VISIT_DAYS = 90
"""Days of visits kept; what follows what changes with the range."""

PAUSE_SECONDS = 30 * 60
"""A longer pause begins a new visit."""


def make_visits(
    facts: Mapping[str, ir.Table], signals: Mapping[str, ir.Table], when: When
) -> ir.Table:
    """Return views and carts of the last 90 days by visitor, visit and step."""
    import ibis

    events = facts["events"]
    day = day_of(events.occurred_at, when)
    met = events.mutate(day=day, second=events.occurred_at.epoch_seconds()).filter(
        events.visitor_id.notnull()
        & events.product_id.notnull()
        & events.kind.isin([*CARTS, "view"])
        & (day >= days_ago(when, VISIT_DAYS))
    )
    met = met.anti_join(objectors_devices(facts), "visitor_id")
    order = ["occurred_at", "event_id"]
    each = ibis.window(group_by="visitor_id", order_by=order)
    pause = met.second - met.second.lag().over(each)
    begins = (pause > PAUSE_SECONDS).ifelse(1, 0).fill_null(0)
    met = met.mutate(begins=begins)
    so_far = ibis.window(group_by="visitor_id", order_by=order, rows=(None, 0))
    met = met.mutate(visit=met.begins.sum().over(so_far).cast("int64"))
    within = ibis.window(group_by=["visitor_id", "visit"], order_by=order)
    met = met.mutate(
        step=ibis.row_number().over(within),
        pause_seconds=(met.second - met.second.lag().over(within)).fill_null(0),
    )
    return met.select(
        "visitor_id",
        "visit",
        "step",
        "product_id",
        "day",
        "pause_seconds",
        cart=met.kind.isin(CARTS),
    )


VISITS = Signal(
    name="visits",
    keys=(
        Field(name="visitor_id", type="text", unit="", doc="Device or session."),
        Field(
            name="visit",
            type="int",
            unit="",
            doc="Number of the visitor's visit, from 0; 30 minutes' pause begin one.",
        ),
        Field(name="step", type="int", unit="", doc="Place in the visit, from 0."),
    ),
    fields=(
        Field(name="product_id", type="text", unit="", doc="Product."),
        Field(name="day", type="date", unit="", doc="Day in the shop's time zone."),
        Field(
            name="pause_seconds",
            type="int",
            unit="seconds",
            doc="Since the step before; 0 for the first.",
            neutral=0,
        ),
        Field(
            name="cart",
            type="bool",
            unit="",
            doc="Put into the cart, or tried to while sold out; else its page was "
            "looked at.",
            neutral=False,
        ),
    ),
    writer="lake",
    doc="What was looked at and put into the cart in each visit, in order.",
    facts=("events", "consents"),
    reads=(),
    lagged=False,
    freshness_days=1,
    make=make_visits,
)
