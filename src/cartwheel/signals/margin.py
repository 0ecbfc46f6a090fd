"""What one unit earns, after cost and expected returns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from cartwheel.signals.base import Field, Signal, When
from cartwheel.signals.catalogue import CATALOGUE
from cartwheel.signals.days import days_ago
from cartwheel.signals.facts import in_force, look_up, read_signal
from cartwheel.signals.returns import PRIOR_UNITS, RETURNS, YEAR_DAYS

if TYPE_CHECKING:
    import ibis.expr.types as ir


def make_margin(
    facts: Mapping[str, ir.Table], signals: Mapping[str, ir.Table], when: When
) -> ir.Table:
    """Return unit margin of every variant that is listed or has a cost.

    What comes back is paid back: only the share r of units that stay sold earns price
    less cost, and a return costs k besides, so that a unit sold earns
    (1 - r)(price - cost) - r k. Returns whose cost was never recorded cost only the
    sale. Of a parcel a unit takes one over the units of its order; the mean over a
    product's units is drawn to the shop's as if 20 more had sold.
    """
    import ibis

    costs = in_force(facts["costs"], "cost_minor")
    names = signals["catalogue"].select("variant_id").union(costs.select("variant_id"))
    rows = look_up(names.distinct(), costs, "variant_id")
    rows = read_signal(
        rows, CATALOGUE, signals["catalogue"], ["product_id", "price_minor"]
    )
    rows = read_signal(
        rows, RETURNS, signals["returns"], ["return_rate", "cost_per_return_minor"]
    )
    lost = rows.return_rate * ibis.coalesce(rows.cost_per_return_minor, 0)
    rows = rows.mutate(return_cost_minor=(lost + 0.5).floor().cast("int64"))
    kept = (1.0 - rows.return_rate) * (rows.price_minor - rows.cost_minor)
    rows = rows.mutate(
        margin_minor=(kept + 0.5).floor().cast("int64") - rows.return_cost_minor
    )
    return _with_parcels(rows, facts, when)


MILLIONTHS = 1_000_000
"""Shares of a parcel are summed as whole numbers, so that no order of rows shows."""


def _with_parcels(
    rows: ir.Table, facts: Mapping[str, ir.Table], when: When
) -> ir.Table:
    """Return `rows` with the share of a parcel that a unit of their product takes."""
    import ibis

    sold = facts["sold_lines"]
    recent = sold.day >= days_ago(when, YEAR_DAYS)
    sold = sold.filter(recent & (sold.quantity_units > 0))
    size = sold.quantity_units.sum().over(ibis.window(group_by="order_id"))
    sold = sold.mutate(
        millionths=(sold.quantity_units * MILLIONTHS // size).cast("int64")
    )
    by_product = sold.group_by("product_id").aggregate(
        millionths=sold.millionths.sum().cast("int64"),
        units=sold.quantity_units.sum().cast("int64"),
    )
    shop = sold.aggregate(
        usual=ibis.coalesce(sold.order_id.nunique() / sold.quantity_units.sum(), 1.0)
    )
    rows = look_up(rows, by_product, "product_id").cross_join(shop)
    parcels = ibis.coalesce(rows.millionths, 0) / MILLIONTHS
    units = ibis.coalesce(rows.units, 0) + PRIOR_UNITS
    return rows.mutate(parcel_share=(parcels + PRIOR_UNITS * rows.usual) / units)


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
            doc="Expected cost of taking returns back, per unit sold.",
            neutral=0,
        ),
        Field(
            name="margin_minor",
            type="int",
            unit="minor",
            doc="What a unit sold earns: price less cost where it stays sold, less "
            "the expected cost of returns; null when the cost is unknown.",
            neutral=None,
        ),
        Field(
            name="parcel_share",
            type="float",
            unit="parcels",
            doc="Share of a parcel that a unit sold takes; 1 when it is sent alone.",
            neutral=1.0,
        ),
    ),
    writer="lake",
    doc="Unit margin by variant; an unknown cost stays unknown.",
    facts=("costs", "order_lines", "orders", "refunds", "returns"),
    reads=("catalogue", "returns"),
    lagged=False,
    freshness_days=1,
    make=make_margin,
)
