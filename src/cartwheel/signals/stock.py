"""Units on hand and inbound, and how long they last."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING

from cartwheel.signals.base import Field, Signal, When
from cartwheel.signals.days import day_of, days_ago
from cartwheel.signals.facts import look_up

if TYPE_CHECKING:
    import ibis.expr.types as ir

PACE_DAYS = 28
"""Days over which the pace of sales is taken."""

OPEN_DAYS = 365
"""A purchase order line older than this is taken as closed."""


def make_stock(
    facts: Mapping[str, ir.Table], signals: Mapping[str, ir.Table], when: When
) -> ir.Table:
    """Return stock of every variant that was ever counted or ordered."""
    import ibis

    counts = _last_counts(facts["inventory_levels"])
    ordered = _open_orders(facts, when)
    names = counts.select("variant_id").union(ordered.select("variant_id"))
    rows = look_up(names.distinct(), counts, "variant_id")
    rows = look_up(rows, ordered, "variant_id")
    rows = look_up(rows, _pace(signals["demand"], when), "variant_id")
    free = ibis.greatest(rows.on_hand_units, 0).cast("float64")
    return rows.mutate(
        inbound_units=ibis.coalesce(rows.open_units, rows.incoming_units, 0),
        cover_days=free * PACE_DAYS / rows.recent_units.nullif(0),
        sold_28d_units=rows.recent_units,
    )


def _last_counts(levels: ir.Table) -> ir.Table:
    """Return on_hand_units and incoming_units by variant at the last counts."""
    import ibis

    window = ibis.window(
        group_by=["variant_id", "location_id"], order_by=ibis.desc("counted_at")
    )
    ranked = levels.mutate(back=ibis.row_number().over(window))
    last = ranked.filter(ranked.back == 0)
    return last.group_by("variant_id").aggregate(
        on_hand_units=last.available_units.sum().cast("int64"),
        incoming_units=last.incoming_units.sum().cast("int64"),
    )


def _open_orders(facts: Mapping[str, ir.Table], when: When) -> ir.Table:
    """Return open_units and inbound_on by variant that was ever ordered.

    A line older than a year counts as closed. An overdue receipt is expected tomorrow.
    """
    import ibis

    receipts = facts["receipts"].filter(facts["receipts"].purchase_order_id.notnull())
    line = ["purchase_order_id", "variant_id"]
    came = receipts.group_by(line).aggregate(
        came_units=receipts.received_units.sum().cast("int64")
    )
    lines = look_up(facts["purchase_orders"], came, line)
    still = ibis.greatest(lines.ordered_units - ibis.coalesce(lines.came_units, 0), 0)
    young = day_of(lines.ordered_at, when) >= days_ago(when, OPEN_DAYS)
    lines = lines.mutate(
        open_units=young.ifelse(still, 0),
        due=ibis.greatest(
            day_of(lines.expected_at, when),
            ibis.literal(when.as_of + timedelta(days=1), type="date"),
        ),
    )
    counted = (lines.open_units > 0) & lines.expected_at.notnull()
    return lines.group_by("variant_id").aggregate(
        open_units=lines.open_units.sum().cast("int64"),
        inbound_on=lines.due.min(where=counted),
    )


def _pace(demand: ir.Table, when: When) -> ir.Table:
    recent = demand.filter(demand.day >= days_ago(when, PACE_DAYS))
    return recent.group_by("variant_id").aggregate(
        recent_units=recent.units.sum().cast("int64")
    )


STOCK = Signal(
    name="stock",
    keys=(Field(name="variant_id", type="text", unit="", doc="Variant."),),
    fields=(
        Field(
            name="on_hand_units",
            type="int",
            unit="units",
            doc="Free to sell over all places at the last counts.",
            neutral=None,
        ),
        Field(
            name="inbound_units",
            type="int",
            unit="units",
            doc="Ordered from suppliers and not yet received.",
            neutral=0,
        ),
        Field(
            name="inbound_on",
            type="date",
            unit="",
            doc="Day the next receipt is expected.",
            neutral=None,
        ),
        Field(
            name="cover_days",
            type="float",
            unit="days",
            doc="Days the stock on hand lasts at the pace of the last 28 days; null "
            "without sales or count.",
            neutral=None,
        ),
        Field(
            name="sold_28d_units",
            type="int",
            unit="units",
            doc="Units sold in the last 28 days; null without sales.",
            neutral=None,
        ),
    ),
    writer="lake",
    doc="Stock on hand and inbound by variant. Unknown stock is null, never zero.",
    facts=("inventory_levels", "purchase_orders", "receipts"),
    reads=("demand",),
    lagged=False,
    freshness_days=1,
    make=make_stock,
)
