"""What sold, by variant and day, and when nothing could be sold."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING

from cartwheel.signals.base import Field, Signal, When
from cartwheel.signals.days import day_of, days_between
from cartwheel.signals.facts import look_up

if TYPE_CHECKING:
    import ibis.expr.types as ir


def make_demand(
    facts: Mapping[str, ir.Table], signals: Mapping[str, ir.Table], when: When
) -> ir.Table:
    """Return units by variant and day, and days without stock."""
    import ibis

    sold = facts["sold_lines"]
    sales = sold.group_by("variant_id", "day").aggregate(
        units=sold.quantity_units.sum(),
        revenue_minor=sold.paid_minor.sum(),
        orders=sold.order_id.nunique(),
    )
    out = days_out(facts["inventory_levels"], when)
    days = sales.select("variant_id", "day").union(out).distinct()
    rows = look_up(days, sales, ["variant_id", "day"])
    rows = look_up(rows, out.mutate(flag=ibis.literal(True)), ["variant_id", "day"])
    return rows.select(
        "variant_id",
        "day",
        units=ibis.coalesce(rows.units, 0),
        revenue_minor=ibis.coalesce(rows.revenue_minor, 0),
        orders=ibis.coalesce(rows.orders, 0),
        stocked_out=ibis.coalesce(rows.flag, False),
    )


def days_out(levels: ir.Table, when: When) -> ir.Table:
    """Return variant_id, day for every day that ended without stock anywhere.

    A count holds until the variant's next count, the last one up to the cut-off.
    """
    import ibis

    totals = totals_by_day(levels, when)
    window = ibis.window(group_by="variant_id", order_by="day")
    end = ibis.literal(when.as_of + timedelta(days=1), type="date")
    spans = totals.mutate(until=ibis.coalesce(totals.day.lead().over(window), end))
    spans = spans.filter(spans.units <= 0)
    spans = spans.mutate(
        step=ibis.range(0, days_between(spans.day, spans.until)).unnest()
    )
    return spans.select("variant_id", day=spans.day + spans.step.as_interval("D"))


def totals_by_day(levels: ir.Table, when: When) -> ir.Table:
    """Return variant_id, day, units over all places at the end of each counted day.

    Each place keeps its last count, so a day's total adds up the changes so far.
    """
    import ibis

    counts = levels.mutate(day=day_of(levels.counted_at, when))
    place = ["variant_id", "location_id"]
    last = ibis.window(group_by=[*place, "day"], order_by=ibis.desc("counted_at"))
    counts = counts.mutate(back=ibis.row_number().over(last))
    counts = counts.filter(counts.back == 0)
    before = counts.available_units.lag().over(
        ibis.window(group_by=place, order_by="day")
    )
    counts = counts.mutate(change=counts.available_units - ibis.coalesce(before, 0))
    changes = counts.group_by("variant_id", "day").aggregate(
        change=counts.change.sum().cast("int64")
    )
    so_far = ibis.window(group_by="variant_id", order_by="day", rows=(None, 0))
    return changes.select(
        "variant_id", "day", units=changes.change.sum().over(so_far).cast("int64")
    )


DEMAND = Signal(
    name="demand",
    keys=(
        Field(name="variant_id", type="text", unit="", doc="Variant."),
        Field(name="day", type="date", unit="", doc="Day in the shop's time zone."),
    ),
    fields=(
        Field(
            name="units",
            type="int",
            unit="units",
            doc="Units sold, voided orders left out.",
            neutral=0,
        ),
        Field(
            name="revenue_minor",
            type="int",
            unit="minor",
            doc="Paid for them, discounts taken off.",
            neutral=0,
        ),
        Field(
            name="orders",
            type="int",
            unit="orders",
            doc="Orders holding it.",
            neutral=0,
        ),
        Field(
            name="stocked_out",
            type="bool",
            unit="",
            doc="No stock at any place at the last count of the day.",
            neutral=False,
        ),
    ),
    writer="lake",
    doc="Units sold by variant and day with a stock-out flag; days without sale or "
    "stock-out have no row.",
    facts=("order_lines", "orders", "refunds", "inventory_levels"),
    reads=(),
    lagged=False,
    freshness_days=1,
    make=make_demand,
)
