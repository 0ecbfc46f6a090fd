"""Which prices were paid and how many units sold at each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from cartwheel.signals.base import Field, Signal, When
from cartwheel.signals.days import day_of
from cartwheel.signals.facts import look_up

if TYPE_CHECKING:
    import ibis.expr.types as ir


def make_price_history(
    facts: Mapping[str, ir.Table], signals: Mapping[str, ir.Table], when: When
) -> ir.Table:
    """Return price paid, list price and units by variant and week with a sale."""
    import ibis

    sold = facts["sold_lines"]
    sold = sold.mutate(week=sold.day.truncate("W").cast("date"))
    weeks = sold.group_by("variant_id", "week").aggregate(
        units=sold.quantity_units.sum().cast("int64"),
        paid=sold.paid_minor.sum().cast("int64"),
    )
    demand = signals["demand"]
    out = demand.filter(demand.stocked_out)
    out = out.mutate(week=out.day.truncate("W").cast("date"))
    out = out.group_by("variant_id", "week").aggregate(out_days=out.count())
    rows = look_up(weeks, out, ["variant_id", "week"])
    rows = look_up(
        rows, _list_prices(weeks, facts["prices"], when), ["variant_id", "week"]
    )
    return rows.mutate(
        price_minor=(rows.paid * 2 + rows.units) // (rows.units * 2),
        days_in_stock=7 - ibis.coalesce(rows.out_days, 0),
    )


def _list_prices(weeks: ir.Table, prices: ir.Table, when: When) -> ir.Table:
    """Return list_minor by variant and week: the last price valid on that Monday."""
    import ibis

    prices = prices.select(
        "valid_from_at",
        list_minor="price_minor",
        priced="variant_id",
        valid_on=day_of(prices.valid_from_at, when),
    )
    asked = weeks.select("variant_id", "week")
    valid = asked.join(
        prices,
        [asked.variant_id == prices.priced, prices.valid_on <= asked.week],
    )
    newest = ibis.window(
        group_by=["variant_id", "week"], order_by=ibis.desc("valid_from_at")
    )
    valid = valid.mutate(back=ibis.row_number().over(newest))
    return valid.filter(valid.back == 0).select("variant_id", "week", "list_minor")


PRICE_HISTORY = Signal(
    name="price_history",
    keys=(
        Field(name="variant_id", type="text", unit="", doc="Variant."),
        Field(name="week", type="date", unit="", doc="Monday of the week."),
    ),
    fields=(
        Field(
            name="price_minor",
            type="int",
            unit="minor",
            doc="Mean unit price paid that week, weighted by units.",
            neutral=None,
        ),
        Field(
            name="list_minor",
            type="int",
            unit="minor",
            doc="List price in force on that Monday, if known.",
            neutral=None,
        ),
        Field(
            name="units",
            type="int",
            unit="units",
            doc="Units sold that week.",
            neutral=0,
        ),
        Field(
            name="days_in_stock",
            type="int",
            unit="days",
            doc="Days of the week not flagged as stocked out.",
            neutral=7,
        ),
    ),
    writer="lake",
    doc="Weekly price and units by variant, weeks with a sale only.",
    facts=("order_lines", "orders", "refunds", "prices"),
    reads=("demand",),
    lagged=False,
    freshness_days=1,
    make=make_price_history,
)
