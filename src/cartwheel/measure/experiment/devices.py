"""Devices of an experiment by visitor, and on which of them an order was placed."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from cartwheel.measure.assign import held_out_of
from cartwheel.measure.experiment.terms import Terms
from cartwheel.measure.experiment.trial import CONTROL
from cartwheel.measure.holdout_lift import instants

if TYPE_CHECKING:
    import duckdb

    from cartwheel.settings import Settings

Array = np.ndarray[Any, Any]
Seen = Mapping[str, tuple[list[datetime], list[str]]]
"""When each customer was seen signed in, rising, and on which device."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Devices:
    """Devices that take part.

    Attributes:
        names: Their ids, sorted, shape (n,).
        treated: Whether the lever acts on each, bool, shape (n,).
        first: First instant each took part, naive UTC, shape (n,).
    """

    names: tuple[str, ...]
    treated: Array
    first: tuple[datetime, ...]


def devices_of(
    con: duckdb.DuckDBPyConnection,
    terms: Terms,
    settings: Settings,
    *,
    until: date,
    products: Sequence[str],
    schema: str,
) -> Devices:
    """Return the devices that take part.

    Taking part is every device with an event since the start, which no arm can bring
    about, but for those that belonged to a held-out customer before it. Where products
    are named, only those that opened a page of one: a page is opened before it can show
    whose arm it is.

    Args:
        con: A connection to the fact tables.
        terms: The experiment's terms; its unit is "visitor".
        settings: The shop's settings.
        until: Last day that counts.
        products: Products of which a page has to be opened; none for any event.
        schema: Where the tables are.
    """
    start, end = instants(terms.starts_on, until, settings.timezone)
    owners = _owners(con, schema, start)
    opened = "AND kind = 'view' AND list_contains(?, product_id)"
    rows = con.execute(
        f"SELECT visitor_id, min(occurred_at) FROM {schema}.events "
        "WHERE visitor_id IS NOT NULL "
        "AND occurred_at >= ? AND occurred_at < ? AND known_at < ? "
        f"{opened if products else ''} GROUP BY 1 ORDER BY 1",
        [start, end, end, *([list(products)] if products else [])],
    ).fetchall()
    taking = [
        (str(name), at)
        for name, at in rows
        if name not in owners
        or held_out_of(owners[name], terms.lever, settings.holdout) is None
    ]
    trial = terms.trial()
    arms = [trial.arm_of(terms.starts_on, visitor=name) for name, _ in taking]
    return Devices(
        names=tuple(name for name, _ in taking),
        treated=np.array([arm != CONTROL for arm in arms], bool),
        first=tuple(at for _, at in taking),
    )


def _owners(
    con: duckdb.DuckDBPyConnection, schema: str, end: datetime
) -> dict[str, str]:
    """Return who signed in on each device last, as the signal `identity` says."""
    rows = con.execute(
        f"""SELECT visitor_id, arg_max(customer_id, (occurred_at, event_id))
        FROM {schema}.events WHERE visitor_id IS NOT NULL AND customer_id IS NOT NULL
            AND occurred_at < ? AND known_at < ? GROUP BY visitor_id""",
        [end, end],
    ).fetchall()
    return {str(device): str(owner) for device, owner in rows}


def signed_in(con: duckdb.DuckDBPyConnection, schema: str, end: datetime) -> Seen:
    """Return when and where customers were seen signed in before an instant.

    Args:
        con: A connection to the fact tables.
        schema: Where the tables are.
        end: First instant that counts no more.
    """
    rows = con.execute(
        f"""SELECT customer_id, occurred_at, visitor_id FROM {schema}.events
        WHERE visitor_id IS NOT NULL AND customer_id IS NOT NULL
            AND occurred_at < ? AND known_at < ?
        ORDER BY customer_id, occurred_at, event_id""",
        [end, end],
    ).fetchall()
    found: dict[str, tuple[list[datetime], list[str]]] = {}
    for customer, at, device in rows:
        times, devices = found.setdefault(str(customer), ([], []))
        times.append(at)
        devices.append(str(device))
    return found


def device_at(seen: Seen, customer: str, at: datetime) -> str | None:
    """Return the device a customer was last seen on, None for who was never seen.

    Args:
        seen: As `signed_in` returns it.
        customer: Customer.
        at: Instant, naive UTC.
    """
    times, devices = seen.get(customer, ([], []))
    place = bisect_right(times, at) - 1
    return devices[place] if place >= 0 else None
