"""What customers bought, in which rhythm, and what they allow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from cartwheel.signals.base import Field, Signal, When
from cartwheel.signals.days import days_ago, days_between
from cartwheel.signals.facts import look_up

if TYPE_CHECKING:
    import ibis.expr.types as ir

YEAR_DAYS = 365
"""Days of orders whose baskets are counted."""

LEAST_ORDERS = 2
"""Fewest orders holding both products of a pair."""

LARGEST_BASKET = 100
"""Most products of one order that are paired."""


def make_rhythm(
    facts: Mapping[str, ir.Table], signals: Mapping[str, ir.Table], when: When
) -> ir.Table:
    """Return rhythm of every customer with an order that counts."""
    import ibis

    sold = facts["sold_lines"].filter(facts["sold_lines"].customer_id.notnull())
    bought = sold.group_by("customer_id").aggregate(
        first_on=sold.day.min(),
        last_on=sold.day.max(),
        orders=sold.order_id.nunique(),
        order_days=sold.day.nunique(),
        paid=sold.paid_minor.sum().cast("int64"),
    )
    refunds = facts["kept_refunds"]
    back = refunds.filter(refunds.customer_id.notnull())
    back = back.group_by("customer_id").aggregate(
        back=back.amount_minor.sum().cast("int64")
    )
    rows = look_up(bought, back, "customer_id")
    span = days_between(rows.first_on, rows.last_on)
    today = ibis.literal(when.as_of, type="date")
    return rows.mutate(
        revenue_minor=rows.paid - ibis.coalesce(rows.back, 0),
        gap_days=span.cast("float64") / (rows.order_days - 1).nullif(0),
        recency_days=days_between(rows.last_on, today),
        age_days=days_between(rows.first_on, today),
    )


RHYTHM = Signal(
    name="rhythm",
    keys=(Field(name="customer_id", type="text", unit="", doc="Customer."),),
    fields=(
        Field(
            name="first_on", type="date", unit="", doc="First order on.", neutral=None
        ),
        Field(name="last_on", type="date", unit="", doc="Last order on.", neutral=None),
        Field(
            name="orders",
            type="int",
            unit="orders",
            doc="Orders, voided ones left out.",
            neutral=0,
        ),
        Field(
            name="order_days",
            type="int",
            unit="days",
            doc="Distinct days with an order.",
            neutral=0,
        ),
        Field(
            name="revenue_minor",
            type="int",
            unit="minor",
            doc="Paid for products, refunds taken off.",
            neutral=0,
        ),
        Field(
            name="gap_days",
            type="float",
            unit="days",
            doc="Own mean days between order days; null with one order day.",
            neutral=None,
        ),
        Field(
            name="recency_days",
            type="int",
            unit="days",
            doc="Days since the last order.",
            neutral=None,
        ),
        Field(
            name="age_days",
            type="int",
            unit="days",
            doc="Days since the first order.",
            neutral=None,
        ),
    ),
    writer="lake",
    doc="Recency, frequency, value and own gap by customer.",
    facts=("order_lines", "orders", "refunds"),
    reads=(),
    lagged=False,
    freshness_days=1,
    make=make_rhythm,
)


def make_baskets(
    facts: Mapping[str, ir.Table], signals: Mapping[str, ir.Table], when: When
) -> ir.Table:
    """Return pairs of products bought together.

    An order of more than 100 products counts with its 100 best sold ones, so that
    wholesale orders do not swamp the pairs.
    """
    import ibis

    sold = facts["sold_lines"]
    recent = sold.filter(sold.day >= days_ago(when, YEAR_DAYS))
    baskets = recent.select("order_id", "product_id").distinct()
    held = baskets.group_by("product_id").aggregate(orders=baskets.count())
    held = held.filter(held.orders >= LEAST_ORDERS)
    # Numbers join and group faster than texts; their order is the order of the ids.
    held = held.mutate(number=ibis.row_number().over(order_by="product_id"))
    items = baskets.join(held, "product_id").select("order_id", "orders", "number")
    best = ibis.window(group_by="order_id", order_by=[ibis.desc("orders"), "number"])
    items = items.mutate(rank=ibis.row_number().over(best))
    items = items.filter(items.rank < LARGEST_BASKET).select("order_id", "number")
    other = items.select(order="order_id", second="number")
    both = items.join(
        other, [items.order_id == other.order, items.number < other.second]
    )
    pairs = both.group_by("number", "second").aggregate(orders=both.count())
    pairs = pairs.filter(pairs.orders >= LEAST_ORDERS)
    first = held.select("number", product_a="product_id", orders_a="orders")
    last = held.select(second="number", product_b="product_id", orders_b="orders")
    return look_up(look_up(pairs, first, "number"), last, "second")


BASKETS = Signal(
    name="baskets",
    keys=(
        Field(
            name="product_a", type="text", unit="", doc="First product, the smaller id."
        ),
        Field(name="product_b", type="text", unit="", doc="Second product."),
    ),
    fields=(
        Field(
            name="orders",
            type="int",
            unit="orders",
            doc="Orders of the last 365 days holding both, at least 2.",
            neutral=0,
        ),
        Field(
            name="orders_a",
            type="int",
            unit="orders",
            doc="Orders holding the first.",
            neutral=0,
        ),
        Field(
            name="orders_b",
            type="int",
            unit="orders",
            doc="Orders holding the second.",
            neutral=0,
        ),
    ),
    writer="lake",
    doc="Basket affinity: which products are bought together.",
    facts=("order_lines", "orders", "refunds"),
    reads=(),
    lagged=False,
    freshness_days=1,
    make=make_baskets,
)


def make_purchases(
    facts: Mapping[str, ir.Table], signals: Mapping[str, ir.Table], when: When
) -> ir.Table:
    """Return purchases by customer and product."""
    sold = facts["sold_lines"].filter(facts["sold_lines"].customer_id.notnull())
    return sold.group_by("customer_id", "product_id").aggregate(
        orders=sold.order_id.nunique(),
        units=sold.quantity_units.sum(),
        last_on=sold.day.max(),
    )


PURCHASES = Signal(
    name="purchases",
    keys=(
        Field(name="customer_id", type="text", unit="", doc="Customer."),
        Field(name="product_id", type="text", unit="", doc="Product."),
    ),
    fields=(
        Field(
            name="orders",
            type="int",
            unit="orders",
            doc="Orders of this customer holding it.",
            neutral=0,
        ),
        Field(name="units", type="int", unit="units", doc="Units bought.", neutral=0),
        Field(
            name="last_on", type="date", unit="", doc="Last bought on.", neutral=None
        ),
    ),
    writer="lake",
    doc="Which customer bought which product.",
    facts=("order_lines", "orders", "refunds"),
    reads=(),
    lagged=False,
    freshness_days=1,
    make=make_purchases,
)


def make_consent(
    facts: Mapping[str, ir.Table], signals: Mapping[str, ir.Table], when: When
) -> ir.Table:
    """Return the last word of every customer on each purpose."""
    said = _last_words(facts["consents"])
    mail = (said.purpose == "email_marketing") & said.granted
    objects = (said.purpose == "personalisation") & ~said.granted
    rows = said.group_by("customer_id").aggregate(
        mail=mail.ifelse(1, 0).max(), objects=objects.ifelse(1, 0).max()
    )
    return rows.select(
        "customer_id", email_marketing=rows.mail == 1, personalisation=rows.objects == 0
    )


def objecting(consents: ir.Table) -> ir.Table:
    """Return the customers who object to personalisation: customer_id, unique."""
    said = _last_words(consents)
    objects = said.filter((said.purpose == "personalisation") & ~said.granted)
    return objects.select("customer_id").distinct()


def _last_words(said: ir.Table) -> ir.Table:
    import ibis

    newest = ibis.window(
        group_by=["customer_id", "purpose"], order_by=ibis.desc("changed_at")
    )
    said = said.mutate(back=ibis.row_number().over(newest))
    return said.filter(said.back == 0)


CONSENT = Signal(
    name="consent",
    keys=(Field(name="customer_id", type="text", unit="", doc="Customer."),),
    fields=(
        Field(
            name="email_marketing",
            type="bool",
            unit="",
            doc="A yes to marketing e-mail is on record.",
            neutral=False,
        ),
        Field(
            name="personalisation",
            type="bool",
            unit="",
            doc="No objection to personalisation is on record.",
            neutral=True,
        ),
    ),
    writer="lake",
    doc="What each customer allows now.",
    facts=("consents",),
    reads=(),
    lagged=False,
    freshness_days=1,
    make=make_consent,
)
