"""What devices of a test of page fixes bought of its products, and what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

from cartwheel.lake.tables import CONTACT
from cartwheel.measure.experiment.devices import (
    Devices,
    device_at,
    devices_of,
    signed_in,
)
from cartwheel.measure.experiment.terms import Terms
from cartwheel.measure.holdout_lift import instants
from cartwheel.measure.sales import newest, sales_by
from cartwheel.measure.standing import standing
from cartwheel.signals.sent_messages import sent_messages_sql

if TYPE_CHECKING:
    import duckdb

    from cartwheel.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class FixVisits:
    """Devices that opened a page in test; rows below name a device by its place.

    Attributes:
        devices: The devices.
        orders: Device of each order with one of the products, placed once the device
            had opened a page of one.
        sold: Order, units and revenue (minor) of the products.
        back: Order, id of the returned line ("return/line") and units of the products.
        asked: Order and message id of contacts about these orders.
    """

    devices: Devices
    orders: dict[str, int]
    sold: list[tuple[str, float, float]]
    back: list[tuple[str, str, float]]
    asked: list[tuple[str, str]]


def read_fix_visits(
    con: duckdb.DuckDBPyConnection,
    terms: Terms,
    settings: Settings,
    *,
    products: Sequence[str],
    until: date,
    known: datetime,
    schema: str,
) -> FixVisits:
    """Return who opened a page in test and what they bought of it.

    Args:
        con: A DuckDB connection to the fact tables, bookkeeping columns included.
        terms: The test's terms; its unit is "visitor".
        settings: The shop's settings.
        products: Products enrolled, all of them or those of one kind of fix.
        until: Last day whose visits and orders count.
        known: First instant of what is not known yet; returns and messages about those
            orders come in until then.
        schema: Where the tables are.
    """
    devices = devices_of(
        con, terms, settings, until=until, products=products, schema=schema
    )
    place = {name: row for row, name in enumerate(devices.names)}
    start, end = instants(terms.starts_on, until, settings.timezone)
    seen = signed_in(con, schema, end)
    owners: dict[str, int] = {}
    for order, customer, at in con.execute(
        f"{standing(schema)} SELECT order_id, customer_id, placed_at FROM standing "
        "WHERE placed_at >= ? AND placed_at < ? ORDER BY order_id",
        [known, start, end],
    ).fetchall():
        row = place.get(device_at(seen, str(customer), at) or "")
        if row is not None and at >= devices.first[row]:
            owners[str(order)] = row
    sales = sales_by(con, ("order", "product"), schema=schema, start=start, end=end)
    wanted = frozenset(products)
    sold = [
        (order, one.units, one.revenue)
        for (order, product), one in sorted(sales.by.items())
        if product in wanted and order in owners
    ]
    orders = {order: owners[order] for order, _, _ in sold}
    lines = newest(f"{schema}.order_lines", "order_id, line_id")
    back = con.execute(
        f"SELECT r.order_id, r.return_id || '/' || r.line_id, r.quantity_units FROM "
        f"{newest(f'{schema}.returns', 'return_id, line_id')} r JOIN {lines} line "
        "USING (order_id, line_id) WHERE list_contains(?, line.product_id) "
        "ORDER BY ALL",
        [known, known, list(products)],
    ).fetchall()
    asked = con.execute(
        "SELECT DISTINCT order_id, message_id FROM "
        f"({sent_messages_sql(schema, known)}) WHERE direction = 'in' "
        f"AND {CONTACT} AND order_id IS NOT NULL ORDER BY ALL"
    ).fetchall()
    return FixVisits(
        devices=devices,
        orders=orders,
        sold=sold,
        back=[(o, key, float(n)) for o, key, n in back if o in orders],
        asked=[(o, key) for o, key in asked if o in orders],
    )
