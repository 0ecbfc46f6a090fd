"""How long suppliers take."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from cartwheel.signals.base import Field, Signal, When
from cartwheel.signals.facts import look_up

if TYPE_CHECKING:
    import ibis.expr.types as ir

PRIOR_RECEIPTS = 3
"""Receipts' worth of weight given to the promise."""

DAY_MINUTES = 24 * 60

SPREAD_SHARE = 0.3
"""Spread assumed before there are receipts, as a share of the mean."""


def make_lead_time(
    facts: Mapping[str, ir.Table], signals: Mapping[str, ir.Table], when: When
) -> ir.Table:
    """Return lead time by supplier.

    The mean is (sum of own + 3 promise) / (receipts + 3): the promise counts as three
    receipts. The variance is shrunk alike towards a spread of 30 % of the mean.
    Without a promise the own figures stand alone. Orders still open are not learned
    from, so a supplier that grew slower looks too fast until they arrive.
    """
    import ibis

    own = _own_receipts(facts)
    suppliers = facts["suppliers"].select(
        "supplier_id",
        promised_days="lead_time_days",
        minimum_order_minor=ibis.coalesce(facts["suppliers"].minimum_order_minor, 0),
    )
    names = suppliers.select("supplier_id").union(own.select("supplier_id")).distinct()
    rows = look_up(look_up(names, suppliers, "supplier_id"), own, "supplier_id")
    n = ibis.coalesce(rows.receipts, 0)
    total = ibis.coalesce(rows.total_days, 0.0)
    promised = rows.promised_days.cast("float64")
    weight = promised.notnull().ifelse(PRIOR_RECEIPTS, 0)
    rows = rows.mutate(
        receipts=n,
        mean_days=(total + weight * ibis.coalesce(promised, 0.0))
        / (n + weight).nullif(0),
        minimum_order_minor=ibis.coalesce(rows.minimum_order_minor, 0),
    )
    # Sum of squares about the own mean; rounding may leave it a hair below zero.
    about = ibis.greatest(
        rows.squares - rows.total_days * rows.total_days / rows.receipts.nullif(0), 0.0
    )
    prior = SPREAD_SHARE * rows.mean_days
    variance = (ibis.coalesce(about, 0.0) + PRIOR_RECEIPTS * prior * prior) / (
        ibis.greatest(rows.receipts - 1, 0) + PRIOR_RECEIPTS
    )
    return rows.mutate(sd_days=variance.sqrt())


def _own_receipts(facts: Mapping[str, ir.Table]) -> ir.Table:
    """Return receipts, total_days and squares of days by supplier.

    All lines of one purchase order in one delivery are one receipt.
    """
    orders = facts["purchase_orders"]
    orders = orders.filter(orders.supplier_id.notnull())
    sent = orders.group_by("supplier_id", "purchase_order_id").aggregate(
        ordered_at=orders.ordered_at.min()
    )
    came = facts["receipts"]
    came = came.group_by("purchase_order_id", "receipt_id").aggregate(
        received_at=came.received_at.min()
    )
    pairs = sent.join(came, "purchase_order_id")
    seconds = pairs.received_at.epoch_seconds() - pairs.ordered_at.epoch_seconds()
    # Whole minutes: sums of floats would depend on the engine's order of rows.
    pairs = pairs.mutate(minutes=(seconds // 60).cast("int64"))
    pairs = pairs.filter(pairs.minutes >= 0)
    sums = pairs.group_by("supplier_id").aggregate(
        receipts=pairs.count(),
        minutes=pairs.minutes.sum().cast("int64"),
        squares=(pairs.minutes * pairs.minutes).sum().cast("int64"),
    )
    return sums.select(
        "supplier_id",
        "receipts",
        total_days=sums.minutes.cast("float64") / DAY_MINUTES,
        squares=sums.squares.cast("float64") / DAY_MINUTES**2,
    )


LEAD_TIME = Signal(
    name="lead_time",
    keys=(Field(name="supplier_id", type="text", unit="", doc="Supplier."),),
    fields=(
        Field(
            name="receipts",
            type="int",
            unit="receipts",
            doc="Receipts learned from.",
            neutral=0,
        ),
        Field(
            name="mean_days",
            type="float",
            unit="days",
            doc="Mean days from order to receipt, shrunk towards the promise.",
            neutral=None,
        ),
        Field(
            name="sd_days", type="float", unit="days", doc="Spread of it.", neutral=None
        ),
        Field(
            name="promised_days",
            type="int",
            unit="days",
            doc="Promised by the supplier.",
            neutral=None,
        ),
        Field(
            name="minimum_order_minor",
            type="int",
            unit="minor",
            doc="Smallest order value.",
            neutral=0,
        ),
    ),
    writer="lake",
    doc="Lead time by supplier from its own receipts.",
    facts=("suppliers", "purchase_orders", "receipts"),
    reads=(),
    lagged=False,
    freshness_days=1,
    make=make_lead_time,
)
