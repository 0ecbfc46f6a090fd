"""Who sent a message, and which order it is about, where it does not say.

Mail and tickets often hold an address alone. A sender is the one customer with that
address, or the customer whose id was made of it. A message without an order is about
the one order its sender placed in the `ORDER_DAYS` days before it; with two, nobody can
tell which.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from cartwheel.signals.facts import look_up

if TYPE_CHECKING:
    import ibis.expr.types as ir

ORDER_DAYS = 60
"""Days after an order within which its buyer writes about it: delivery and the usual
time to send a thing back."""

ADDRESS_ID = "c-"
ADDRESS_DIGITS = 16
"""How connectors make a customer's id of an address: this, and so many digits of its
SHA-256."""


def sent_messages(facts: Mapping[str, ir.Table]) -> ir.Table:
    """Return the messages; `customer_id` and `order_id` also where they are inferred.

    Args:
        facts: Tables `messages`, `customers` and `orders`, each key once.
    """
    return _with_order(
        _with_customer(facts["messages"], facts["customers"], facts["orders"]),
        facts["orders"],
    )


def _with_customer(sent: ir.Table, people: ir.Table, orders: ir.Table) -> ir.Table:
    """Return the messages with the customer whose address it is, where there is one."""
    import ibis

    known = people.select("customer_id", sender=_plain(people.email))
    by_address = known.group_by("sender").aggregate(
        people=known.customer_id.nunique(), of_address=known.customer_id.min()
    )
    by_address = by_address.filter((by_address.people == 1) & (by_address.sender != ""))
    ids = people.select("customer_id").union(orders.select("customer_id"))
    by_id = ids.select(made_id="customer_id", of_id="customer_id").distinct()
    address = _plain(sent.address)
    digits = address.hexdigest("sha256").substr(0, ADDRESS_DIGITS)
    sent = sent.mutate(sender=address, made_id=ibis.literal(ADDRESS_ID) + digits)
    sent = look_up(sent, by_address.select("sender", "of_address"), "sender")
    sent = look_up(sent, by_id, "made_id")
    found = ibis.coalesce(sent.customer_id, sent.of_address, sent.of_id)
    return sent.mutate(customer_id=found).drop(
        "sender", "made_id", "of_address", "of_id"
    )


def _with_order(sent: ir.Table, orders: ir.Table) -> ir.Table:
    """Return the messages with their sender's one order of late, where there is one."""
    import ibis

    asked = sent.filter(sent.order_id.isnull() & sent.customer_id.notnull())
    bought = orders.select("customer_id", "placed_at", bought="order_id")
    pairs = asked.select("message_id", "customer_id", "sent_at").inner_join(
        bought, "customer_id"
    )
    since = pairs.sent_at.epoch_seconds() - pairs.placed_at.epoch_seconds()
    late = pairs.filter((since >= 0) & (since <= ORDER_DAYS * 86_400))
    single = late.group_by("message_id").aggregate(
        orders=late.bought.nunique(), only_order=late.bought.min()
    )
    single = single.filter(single.orders == 1).select("message_id", "only_order")
    sent = look_up(sent, single, "message_id")
    return sent.mutate(order_id=ibis.coalesce(sent.order_id, sent.only_order)).drop(
        "only_order"
    )


def _plain(address: ir.StringValue) -> ir.StringValue:
    """Return an address as it is compared; none is the empty text."""
    import ibis

    return ibis.coalesce(address, "").strip().lower()
