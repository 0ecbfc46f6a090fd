"""How often products come back and what that costs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from cartwheel.signals.base import Field, Signal, When
from cartwheel.signals.days import day_of, days_ago
from cartwheel.signals.facts import look_up

if TYPE_CHECKING:
    import ibis.expr.types as ir

YEAR_DAYS = 365
"""Days of sales and returns counted."""

PRIOR_UNITS = 20
"""Units' worth of weight given to the category's mean return rate, and to the shop's
in the category's."""

OPEN_DAYS = 60
"""Days a return or refund stays open for what may be promoted."""


def make_returns(
    facts: Mapping[str, ir.Table], signals: Mapping[str, ir.Table], when: When
) -> ir.Table:
    """Return sales, returns and return rate by product over 365 days.

    The rate is (returned + 20 m) / (sold + 20), m being the rate of the product's
    category, itself so drawn to the shop's mean: as if 20 more units had been sold and
    come back as usual for their like. A product whose returns never had a cost recorded
    takes the shop's mean cost.
    """
    import ibis

    since = days_ago(when, YEAR_DAYS)
    sold = facts["sold_lines"]
    sold = sold.filter(sold.day >= since)
    sales = sold.group_by("product_id").aggregate(
        sold_units=sold.quantity_units.sum().cast("int64")
    )
    back = _units_back(facts, when)
    back = back.filter(back.day >= since)
    back = back.group_by("product_id").aggregate(
        returned_units=back.units.sum().cast("int64"),
        costed_units=back.costed_units.sum().cast("int64"),
        cost=back.cost.sum().cast("int64"),
    )
    names = sales.select("product_id").union(back.select("product_id")).distinct()
    rows = look_up(look_up(names, sales, "product_id"), back, "product_id")
    rows = rows.mutate(
        **{
            name: ibis.coalesce(rows[name], 0)
            for name in ("sold_units", "returned_units", "costed_units", "cost")
        }
    )
    categories = facts["products"].select("product_id", "category")
    return _rates(look_up(rows, categories, "product_id"))


def _rates(rows: ir.Table) -> ir.Table:
    """Return `rows` with the shrunk return rate and the mean cost of a return."""
    import ibis

    shop, like = ibis.window(), ibis.window(group_by="category")
    all_sold = rows.sold_units.sum().over(shop).cast("float64")
    all_back = rows.returned_units.sum().over(shop).cast("float64")
    like_sold = rows.sold_units.sum().over(like).cast("float64")
    like_back = rows.returned_units.sum().over(like).cast("float64")
    all_costed = rows.costed_units.sum().over(shop).cast("float64")
    all_cost = rows.cost.sum().over(shop).cast("float64")
    rows = rows.mutate(
        mean=ibis.least(ibis.coalesce(all_back / all_sold.nullif(0), 0.0), 1.0),
        mean_cost=all_cost / all_costed.nullif(0),
    )
    usual = (like_back + PRIOR_UNITS * rows.mean) / (like_sold + PRIOR_UNITS)
    rate = (rows.returned_units + PRIOR_UNITS * usual) / (rows.sold_units + PRIOR_UNITS)
    own = rows.cost.cast("float64") / rows.costed_units.nullif(0)
    cost = ibis.coalesce(own, rows.mean_cost)
    return rows.mutate(
        return_rate=ibis.least(rate, 1.0),
        cost_per_return_minor=(cost + 0.5).floor().cast("int64"),
    )


def _units_back(facts: Mapping[str, ir.Table], when: When) -> ir.Table:
    """Return product_id, day, units, cost and costed_units of what came back.

    A refund counts unless a return of the same product says the same: of the same
    order, or of the same customer where the refund names no order.
    """
    import ibis

    came = facts["returns"]
    costed = came.cost_minor.notnull().ifelse(came.quantity_units, 0)
    returned = came.select(
        "product_id",
        day=day_of(came.returned_at, when),
        units=came.quantity_units,
        cost=ibis.coalesce(came.cost_minor, 0),
        costed_units=costed,
    )
    refunds = facts["kept_refunds"]
    refunds = refunds.filter(
        refunds.product_id.notnull() & (refunds.quantity_units > 0)
    )
    named = refunds.filter(refunds.order_id.notnull())
    named = named.anti_join(came, ["order_id", "product_id"])
    unnamed = refunds.filter(refunds.order_id.isnull())
    unnamed = unnamed.anti_join(came, ["customer_id", "product_id"])
    alone = named.union(unnamed)
    nothing = ibis.literal(0, type="int64")
    refunded = alone.select(
        "product_id", "day", units="quantity_units", cost=nothing, costed_units=nothing
    )
    return returned.union(refunded)


RETURNS = Signal(
    name="returns",
    keys=(Field(name="product_id", type="text", unit="", doc="Product."),),
    fields=(
        Field(
            name="sold_units",
            type="int",
            unit="units",
            doc="Units sold in the last 365 days.",
            neutral=0,
        ),
        Field(
            name="returned_units",
            type="int",
            unit="units",
            doc="Units that came back, or were refunded, in the last 365 days.",
            neutral=0,
        ),
        Field(
            name="return_rate",
            type="float",
            unit="share",
            doc="Share that comes back, drawn to the category's mean and the shop's.",
            neutral=0.0,
        ),
        Field(
            name="cost_per_return_minor",
            type="int",
            unit="minor",
            doc="Mean cost of one returned unit; null when never recorded.",
            neutral=None,
        ),
    ),
    writer="lake",
    doc="Return rate and cost by product.",
    facts=("order_lines", "orders", "refunds", "returns", "products"),
    reads=(),
    lagged=False,
    freshness_days=1,
    make=make_returns,
)


def make_open_returns(
    facts: Mapping[str, ir.Table], signals: Mapping[str, ir.Table], when: When
) -> ir.Table:
    """Return products a customer sent back or was refunded for lately."""
    came = facts["returns"]
    returned = came.select(
        "customer_id", "product_id", day=day_of(came.returned_at, when)
    )
    refunded = facts["kept_refunds"].select("customer_id", "product_id", "day")
    rows = returned.union(refunded)
    rows = rows.filter(
        rows.customer_id.notnull()
        & rows.product_id.notnull()
        & (rows.day >= days_ago(when, OPEN_DAYS))
    )
    return rows.group_by("customer_id", "product_id").aggregate(since_on=rows.day.min())


OPEN_RETURNS = Signal(
    name="open_returns",
    keys=(
        Field(name="customer_id", type="text", unit="", doc="Customer."),
        Field(name="product_id", type="text", unit="", doc="Product."),
    ),
    fields=(
        Field(
            name="since_on",
            type="date",
            unit="",
            doc="Return or refund opened on.",
            neutral=None,
        ),
    ),
    writer="lake",
    doc="Products a customer sent back or was refunded for in the last 60 days.",
    facts=("order_lines", "orders", "refunds", "returns"),
    reads=(),
    lagged=False,
    freshness_days=1,
    make=make_open_returns,
)
