"""Late parcels: a notice to who waits, before they have to ask."""

from __future__ import annotations

from collections.abc import Iterator
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
LATEST_DAYS = 60
"""Days after which a delivery was rather not recorded than is still to come."""


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
    """Yield a proposal for every parcel that is late; nothing where nobody can tell.

    An order is late when its promised day has passed by the days of the setting, or,
    where none was promised, when it took that much longer than nine in ten do. A shop
    that records no deliveries has no late parcels: it could not tell.

    Args:
        data: The lever's signals.
        options: The lever's options.
    """
    as_of = data.context.when.as_of
    usual = usual_days(data)
    if usual is None:
        return
    wait = timedelta(days=int(options.late_after_days))
    for row in sorted(
        data.table(ORDER_STATES).to_pylist(), key=lambda r: str(r["order_id"])
    ):
        if row["status"] not in ("paid", "fulfilled") or row["delivered_on"]:
            continue
        placed, promised = row["placed_on"], row["promised_on"]
        due = promised or placed + timedelta(days=usual)
        if as_of <= due + wait or (as_of - placed).days > LATEST_DAYS:
            continue
        yield _notice(
            row["order_id"], row["customer_id"], placed, promised, usual, as_of
        )


def _notice(
    order_id: str,
    customer_id: str,
    placed: date,
    promised: date | None,
    usual: int,
    as_of: date,
) -> Decision:
    write = sentences_in(USUAL)
    name = "notice_usual" if promised is None else "notice_promised"
    body = write[name].format(
        order_id=order_id,
        placed=placed,
        promised=promised,
        usual=usual,
        as_of=write["as_of"].format(day=as_of.isoformat()),
    )
    due = promised or placed + timedelta(days=usual)
    return Decision(
        kind=KIND,
        subject=f"customer:{customer_id}",
        action={
            "order_id": order_id,
            "subject": write["notice_subject"].format(order_id=order_id),
            "body": f"{body} {write['notice_end']}",
        },
        reason=(
            f"Order {order_id} was due by {due} and no delivery is on record; "
            "who is told before asking writes less often."
        ),
        evidence={
            "placed_on": placed.isoformat(),
            "promised_on": None if promised is None else promised.isoformat(),
            "usual_days": usual,
            "days_late": (as_of - due).days,
        },
    )
