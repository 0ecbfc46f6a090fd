"""Visitors of an experiment: devices seen since the start, what their owners bought.

Orders carry customers, not devices. An order belongs to the device on which its
customer was last seen signed in before it was placed; who was never seen so has no
device, and such orders are counted and told. A device is in the arm its id was drawn
to, whoever uses it; a customer with devices in both arms is not moved, but counted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from cartwheel.measure.experiment.devices import (
    Seen,
    device_at,
    devices_of,
    signed_in,
)
from cartwheel.measure.experiment.outcomes import Group, before_of, value_of
from cartwheel.measure.experiment.terms import MetricName, Terms
from cartwheel.measure.holdout_lift import instants
from cartwheel.measure.sales import Sales, sales_by
from cartwheel.measure.standing import standing

if TYPE_CHECKING:
    import duckdb

    from cartwheel.settings import Settings

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitors:
    """Visitors compared.

    Attributes:
        group: Devices with what they brought.
        orders: Standing orders since the start.
        joined: Those that belong to a device, in the experiment or not.
        shared: Devices whose customer used a device of the other arm too.
    """

    group: Group
    orders: int
    joined: int
    shared: int


def read_visitors(
    con: duckdb.DuckDBPyConnection,
    terms: Terms,
    settings: Settings,
    *,
    until: date,
    metrics: Sequence[MetricName],
    schema: str = "lake",
) -> Visitors:
    """Return the devices of an experiment.

    Taking part are those that `devices_of` returns.

    Args:
        con: A connection to the fact tables.
        terms: The experiment's terms; its unit is "visitor".
        settings: The shop's settings.
        until: Last day that counts.
        metrics: Metrics wanted.
        schema: Where the tables are.
    """
    start, end = instants(terms.starts_on, until, settings.timezone)
    earlier = before_of(terms, until, settings.timezone)
    found = devices_of(
        con, terms, settings, until=until, products=terms.products, schema=schema
    )
    names, treated = found.names, found.treated
    place = {name: row for row, name in enumerate(names)}
    seen, known = signed_in(con, schema, end), signed_in(con, schema, start)
    during, orders, joined, costed = _brought(
        con, schema, seen, place, metrics, start, end
    )
    before, _, _, _ = _brought(con, schema, known, place, metrics, earlier, start)
    return Visitors(
        group=Group(
            names=names, treated=treated, during=during, before=before, costed=costed
        ),
        orders=orders,
        joined=joined,
        shared=_shared(seen, place, treated, start),
    )


def _brought(
    con: duckdb.DuckDBPyConnection,
    schema: str,
    seen: Seen,
    place: Mapping[str, int],
    metrics: Sequence[MetricName],
    start: datetime,
    end: datetime,
) -> tuple[dict[MetricName, Array], int, int, bool]:
    """Return what each device brought, orders, those with a device, costs known."""
    sales: Sales = sales_by(con, ("order",), schema=schema, start=start, end=end)
    rows = con.execute(
        f"{standing(schema)} SELECT order_id, customer_id, placed_at FROM standing "
        "WHERE placed_at >= ? AND placed_at < ? ORDER BY order_id",
        [end, start, end],
    ).fetchall()
    found = {metric: np.zeros(len(place)) for metric in metrics}
    joined = 0
    for order, customer, placed_at in rows:
        device = device_at(seen, str(customer), placed_at)
        if device is None:
            continue
        joined += 1
        row = place.get(device)
        if row is None:
            continue
        sold = sales.by.get((str(order),))
        for metric in metrics:
            found[metric][row] += value_of(sold, metric)
    return found, len(rows), joined, sales.costed


def _shared(
    seen: Seen, place: Mapping[str, int], treated: Array, start: datetime
) -> int:
    mixed: set[str] = set()
    for times, devices in seen.values():
        own = {
            device
            for at, device in zip(times, devices, strict=True)
            if at >= start and device in place
        }
        if len({bool(treated[place[device]]) for device in own}) > 1:
            mixed |= own
    return len(mixed)
