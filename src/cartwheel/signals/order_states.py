"""How known customers' orders stand: what support may tell whoever placed them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from cartwheel.signals.base import Field, Signal, When
from cartwheel.signals.days import day_of, days_ago
from cartwheel.signals.facts import look_up

if TYPE_CHECKING:
    import ibis.expr.types as ir

TOLD_DAYS = 180
"""Days back to which orders are told of."""


def make_order_states(
    facts: Mapping[str, ir.Table], signals: Mapping[str, ir.Table], when: When
) -> ir.Table:
    """Return the orders of known customers of the last `TOLD_DAYS` days."""
    import ibis

    orders = facts["orders"]
    rows = orders.filter(orders.customer_id.notnull())
    rows = rows.select(
        "order_id",
        "customer_id",
        "status",
        placed_on=day_of(rows.placed_at, when),
        promised_on=day_of(rows.promised_at, when),
        delivered_on=day_of(rows.delivered_at, when),
    )
    rows = rows.filter(rows.placed_on >= days_ago(when, TOLD_DAYS))
    lines = facts["order_lines"]
    lines = lines.filter(lines.kind == "product")
    sold = lines.group_by("order_id").aggregate(
        units=lines.quantity_units.sum().cast("int64")
    )
    refunds = facts["refunds"]
    back = refunds.filter(refunds.order_id.notnull())
    back = back.group_by("order_id").aggregate(
        refunded_minor=back.amount_minor.sum().cast("int64")
    )
    rows = look_up(look_up(rows, sold, "order_id"), back, "order_id")
    return rows.mutate(
        units=ibis.coalesce(rows.units, 0),
        refunded_minor=ibis.coalesce(rows.refunded_minor, 0),
    )


def _day(name: str, doc: str) -> Field:
    return Field(name=name, type="date", unit="", doc=doc, neutral=None)


ORDER_STATES = Signal(
    name="order_states",
    keys=(Field(name="order_id", type="text", unit="", doc="Order."),),
    fields=(
        Field(name="customer_id", type="text", unit="", doc="Buyer.", neutral=None),
        Field(
            name="status",
            type="text",
            unit="",
            doc="open, paid, fulfilled, cancelled or refunded.",
            neutral=None,
        ),
        _day("placed_on", "Placed on, in the shop's time zone."),
        _day("promised_on", "Delivery promised for, if a day was."),
        _day("delivered_on", "Delivered on, if it was."),
        Field(
            name="units", type="int", unit="units", doc="Units of products.", neutral=0
        ),
        Field(
            name="refunded_minor",
            type="int",
            unit="minor",
            doc="Given back so far.",
            neutral=0,
        ),
    ),
    writer="lake",
    doc="How orders of known customers of the last 180 days stand.",
    facts=("orders", "order_lines", "refunds"),
    reads=(),
    lagged=False,
    freshness_days=1,
    make=make_order_states,
)
