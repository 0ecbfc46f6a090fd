"""Late parcels: a notice to who waits, before they have to ask."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from cartwheel.levers.base import Decision
from cartwheel.levers.support.options import Options
from cartwheel.levers.support.words import USUAL, sentences_in
from cartwheel.signals.base import Signals
from cartwheel.signals.order_states import ORDER_STATES

KIND = "late_notice"
LEAST_DELIVERED = 20
"""Deliveries from which the usual time is told."""
USUAL_SHARE = 0.9
TOLD_DAYS = 7
"""Days after an order has become late within which it is told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Late:
    """A late order.

    Attributes:
        order_id: The order.
        placed: Placed on.
        promised: Delivery promised for, if a day was.
        due: Day it was to be there by.
    """

    order_id: str
    placed: date
    promised: date | None
    due: date


def usual_days(data: Signals) -> int | None:
    """Return the days within which nine in ten orders were delivered.

    Args:
        data: The lever's signals.

    Returns:
        None from fewer than `LEAST_DELIVERED` deliveries.
    """
    took = [
        (row["delivered_on"] - row["placed_on"]).days
        for row in data.table(ORDER_STATES).to_pylist()
        if row["delivered_on"] is not None and row["placed_on"] is not None
    ]
    if len(took) < LEAST_DELIVERED:
        return None
    return int(np.ceil(np.quantile(np.array(took), USUAL_SHARE)))


def notices(data: Signals, options: Options) -> Iterator[Decision]:
    """Yield a notice to every customer with a parcel that became late of late.

    An order is late when its promised day has passed by the days of the setting, or,
    where none was promised, when it took that much longer than nine in ten do. It is
    told within `TOLD_DAYS` of that: older ones were told by an earlier turn. A shop
    that records no deliveries has no late parcels: it could not tell.

    Args:
        data: The lever's signals.
        options: The lever's options.
    """
    usual = usual_days(data)
    if usual is None:
        return
    as_of = data.context.when.as_of
    wait = timedelta(days=int(options.late_after_days))
    late: dict[str, list[Late]] = {}
    for row in data.table(ORDER_STATES).to_pylist():
        if row["status"] not in ("paid", "fulfilled") or row["delivered_on"]:
            continue
        placed, promised = row["placed_on"], row["promised_on"]
        due = promised or placed + timedelta(days=usual)
        if 0 < (as_of - due - wait).days <= TOLD_DAYS:
            one = Late(
                order_id=str(row["order_id"]), placed=placed, promised=promised, due=due
            )
            late.setdefault(str(row["customer_id"]), []).append(one)
    for customer in sorted(late):
        orders = sorted(late[customer], key=lambda one: (one.placed, one.order_id))
        yield _notice(customer, orders, usual, as_of)


def _notice(customer: str, orders: Sequence[Late], usual: int, as_of: date) -> Decision:
    write = sentences_in(USUAL)
    known = write["as_of"].format(day=as_of.isoformat())
    said = [
        write["notice_usual" if one.promised is None else "notice_promised"].format(
            order_id=one.order_id,
            placed=one.placed,
            promised=one.promised,
            usual=usual,
            as_of=known,
        )
        for one in orders
    ]
    names = [one.order_id for one in orders]
    due = min(one.due for one in orders)
    return Decision(
        kind=KIND,
        subject=f"customer:{customer}",
        action={
            "order_ids": names,
            "subject": write["notice_subject"].format(order_id=", ".join(names)),
            "body": " ".join([*said, write["notice_end"]]),
        },
        reason=(
            f"{'Order' if len(names) == 1 else 'Orders'} {', '.join(names)} "
            f"{'was' if len(names) == 1 else 'were'} due by {due} or later and no "
            "delivery is on record; who is told before asking writes less often."
        ),
        evidence={
            "due_on": due.isoformat(),
            "usual_days": usual,
            "days_late": (as_of - due).days,
        },
    )
