"""Revenue per visitor, conversion and order value: what visits turn into."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from cartwheel.measure.kpi.definition import Kpi
from cartwheel.measure.kpi.workroom import Step, said

if TYPE_CHECKING:
    from cartwheel.measure.kpi.definition import Gaps
    from cartwheel.measure.kpi.looks import Look
    from cartwheel.measure.kpi.workroom import Workroom

MOST_DARK_DAYS = 3
"""Days of a window without any event before visitors count as not recorded."""


def _days(room: Workroom) -> str:
    """Return SQL of visitors by day, with the instant from which they were known.

    Events never change, so the earliest known one of a day decides whether a look
    sees the visitor on that day.
    """
    return (
        "SELECT coalesce(visitor_id, customer_id) AS visitor, customer_id, "
        f"{room.local_day('occurred_at')} AS day, min(known_at) AS known_at "
        f"FROM {room.schema}.events WHERE "
        "occurred_at >= (SELECT min(start_at) FROM kpi_look) AND "
        "occurred_at < (SELECT max(end_at) FROM kpi_look) AND "
        "known_at < (SELECT max(end_at) FROM kpi_look) AND "
        "coalesce(visitor_id, customer_id) IS NOT NULL GROUP BY ALL"
    )


def _visits(room: Workroom) -> str:
    """Return SQL of each look's visitors; a device counts under one customer."""
    return (
        "SELECT look, visitor, coalesce('customer ' || max(customer_id), "
        "'visitor ' || visitor) AS owner, min(day) AS day FROM kpi_visitor_day "
        "JOIN (SELECT look, end_at, unnest(generate_series(first_day, as_of, "
        "INTERVAL 1 DAY))::DATE AS day FROM kpi_look) USING (day) "
        "WHERE known_at < end_at GROUP BY look, visitor"
    )


def _orders(room: Workroom) -> str:
    return (
        "SELECT look, order_id, any_value(owner ORDER BY owner) AS owner, "
        "min(placed_at) AS happened_at, CAST(sum(paid_minor) AS BIGINT) AS paid_minor "
        "FROM kpi_sold GROUP BY look, order_id"
    )


STEPS: dict[str, Step] = {
    "visitor_day": Step(needs=(), sql=_days),
    "visit": Step(needs=("visitor_day",), sql=_visits),
    "order": Step(needs=("sold",), sql=_orders),
}


def _per_visitor(room: Workroom, top: str) -> str:
    room.need("visit", "order")
    return (
        "SELECT look, 'visitor' AS what, visitor AS id, owner, "
        "CAST(day AS TIMESTAMP) AS happened_at, NULL AS about, 0 AS top, 1 AS bottom "
        "FROM kpi_visit UNION ALL "
        f"SELECT look, 'order', order_id, owner, happened_at, NULL, {top}, 0 FROM "
        "kpi_order"
    )


def _visitor_gaps(room: Workroom) -> Gaps:
    room.need("visit", "order")
    dark = _dark_days(room)
    visitors = room.by_look("SELECT look, count(*) FROM kpi_visit GROUP BY look")
    orders = room.by_look("SELECT look, count(*) FROM kpi_order GROUP BY look")
    found = {}
    for look in room.looks:
        number = look.number
        few = dark[number] > MOST_DARK_DAYS or not visitors.get(number)
        if few or _began_inside(room, look):
            found[number] = _dark_sentence(room, look, dark[number])
        elif orders.get(number, 0) > visitors[number]:
            found[number] = (
                f"Not yet: {orders[number]:,} orders stand against "
                f"{visitors[number]:,} seen visitors; events miss a part of them."
            )
    return found


def _began_inside(room: Workroom, look: Look) -> bool:
    """Return whether events began after the first day of a look's window."""
    known = f"known_at < TIMESTAMP '{look.end_at}'"
    seen = room.query(
        f"SELECT 1 FROM kpi_visitor_day WHERE day = DATE '{look.first_day}' "
        f"AND {known} LIMIT 1",
        "visitor_day",
    )
    return not seen and not room.has(
        "events", f"{known} AND occurred_at < TIMESTAMP '{look.start_at}'"
    )


def _dark_days(room: Workroom) -> dict[int, int]:
    return room.by_look(
        "SELECT look, any_value(days) - count(DISTINCT day) FROM kpi_look "
        "LEFT JOIN kpi_visitor_day ON day BETWEEN first_day AND as_of "
        "AND known_at < end_at GROUP BY look"
    )


def _dark_sentence(room: Workroom, look: Look, dark: int) -> str:
    rows = room.query(
        f"SELECT min({room.local_day('occurred_at')}), "
        f"max({room.local_day('occurred_at')}) FROM {room.schema}.events "
        f"WHERE known_at < TIMESTAMP '{look.end_at}' AND "
        f"occurred_at < TIMESTAMP '{look.end_at}'"
    )
    first, last = rows[0]
    if first is None:
        return "Not yet: no visit is known. Send events or import them."
    if first > look.first_day:
        until = first + timedelta(days=look.window_days - 1)
        return (
            f"Not yet: visits are known since {said(first)}; "
            f"the first full {look.window_days} days end on {said(until)}."
        )
    return (
        f"Not yet: {dark} of the {look.window_days} days have no visit; "
        f"the newest is of {said(last)}."
    )


def _order_gaps(room: Workroom) -> Gaps:
    return {}


def _order_rows(room: Workroom) -> str:
    room.need("order")
    return (
        "SELECT look, 'order' AS what, order_id AS id, owner, happened_at, NULL AS "
        "about, "
        "paid_minor AS top, 1 AS bottom FROM kpi_order"
    )


NO_ORDER = "Not yet: no order that stands is known in these days."
VISIT_TABLES = ("orders", "order_lines", "refunds", "events")

REVENUE_PER_VISITOR = Kpi(
    name="revenue_per_visitor",
    label="Revenue per visitor",
    unit="minor",
    definition=(
        "Paid for products of orders placed in the window and not cancelled, "
        "discounts taken off, over the visitors seen in it; a visitor is a device, "
        "else a signed-in customer."
    ),
    tables=VISIT_TABLES,
    better="higher",
    kind="amount",
    top="revenue_minor",
    bottom="visitors",
    rows=lambda room: _per_visitor(room, "paid_minor"),
    gaps=_visitor_gaps,
    nothing="Not yet: no visit is known in these days.",
    owners="visitors",
)
CONVERSION = Kpi(
    name="conversion",
    label="Conversion",
    unit="share",
    definition=(
        "Orders placed in the window and not cancelled over the visitors seen in it; "
        "revenue per visitor is conversion times average order value."
    ),
    tables=VISIT_TABLES,
    better="higher",
    kind="share",
    top="orders",
    bottom="visitors",
    rows=lambda room: _per_visitor(room, "1"),
    gaps=_visitor_gaps,
    nothing="Not yet: no visit is known in these days.",
    owners="visitors",
)
ORDER_VALUE = Kpi(
    name="average_order_value",
    label="Average order value",
    unit="minor",
    definition=(
        "Paid for products of orders placed in the window and not cancelled, "
        "discounts taken off, over the number of these orders."
    ),
    tables=("orders", "order_lines", "refunds"),
    better="higher",
    kind="amount",
    top="revenue_minor",
    bottom="orders",
    rows=_order_rows,
    gaps=_order_gaps,
    nothing=NO_ORDER,
    owners="customers",
)
