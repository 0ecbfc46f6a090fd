"""At which hours of the day each customer orders and is on the storefront.

People who object to personalisation are left out here, at the source, so that no reader
can forget to: of them there is no row, and a reader takes the shop's habit.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from cartwheel.signals.base import Field, Signal, When
from cartwheel.signals.customers import objecting
from cartwheel.signals.days import days_ago, local_time

if TYPE_CHECKING:
    import ibis.expr.types as ir

HABIT_DAYS = 365
"""Days looked back; when somebody has time changes with work and family."""


def make_active_hours(
    facts: Mapping[str, ir.Table], signals: Mapping[str, ir.Table], when: When
) -> ir.Table:
    """Return on how many days each customer was active in each hour of the day.

    An hour counts once a day: who looks at forty pages in one is not forty times as
    likely to read a message then.
    """
    sold, events = facts["sold_lines"], facts["events"]
    ordered = _moments(sold, sold.placed_at, when)
    # A source that names the day alone is read as its midnight, which is no habit.
    ordered = ordered.filter(~ordered.midnight)
    seen = _moments(events, events.occurred_at, when)
    active = ordered.union(seen).select("customer_id", "day", "hour").distinct()
    active = active.anti_join(objecting(facts["consents"]), "customer_id")
    return active.group_by("customer_id", "hour").aggregate(days=active.count())


def _moments(table: ir.Table, instant: ir.TimestampValue, when: When) -> ir.Table:
    """Return customer, day and hour of what a known customer did in the last year."""
    named = table.mutate(local=local_time(instant, when)).filter(
        table.customer_id.notnull()
    )
    at = named.local
    rows = named.select(
        "customer_id",
        day=at.date(),
        hour=at.hour().cast("int64"),
        midnight=(at.hour() + at.minute() + at.second()) == 0,
    )
    return rows.filter(rows.day >= days_ago(when, HABIT_DAYS))


ACTIVE_HOURS = Signal(
    name="active_hours",
    keys=(
        Field(name="customer_id", type="text", unit="", doc="Customer."),
        Field(
            name="hour",
            type="int",
            unit="",
            doc="Hour of the day in the shop's time zone, 0 to 23.",
        ),
    ),
    fields=(
        Field(
            name="days",
            type="int",
            unit="days",
            doc="Days of the last 365 on which the customer was active in that hour.",
            neutral=0,
        ),
    ),
    writer="lake",
    doc="At which hours of the day each customer is active.",
    facts=("order_lines", "orders", "refunds", "events", "consents"),
    reads=(),
    lagged=False,
    freshness_days=1,
    make=make_active_hours,
)
