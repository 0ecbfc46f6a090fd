"""What standing orders of a window paid and earned, by customer, product, order or day.

Counted is what was paid for products, less goods, refunds and the cost of returns, as
known at the window's end. A line without a unit cost is taken to cost the share of its
price that the others cost. Discounts over a whole order, and refunds that name no line,
are left out of every group.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from cartwheel.measure.standing import standing

if TYPE_CHECKING:
    import duckdb

Key = Literal["customer", "product", "day", "order"]

KNOWN_COSTS = 0.5
"""Share of what was paid that must have a unit cost for margins to be told."""

_COLUMNS: Mapping[Key, str] = {
    "customer": "customer_id",
    "product": "product_id",
    "order": "order_id",
    "day": "CAST(timezone(?, timezone('UTC', placed_at)) AS DATE)",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sold:
    """What one customer, product, order or day brought.

    Attributes:
        revenue: Paid for products, less refunds, minor units.
        earned: Revenue less goods and the cost of returns; revenue where too few costs
            are known.
        units: Units sold.
        orders: Orders with a product.
    """

    revenue: float
    earned: float
    units: float
    orders: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Sales:
    """Sales of a window.

    Attributes:
        by: What each key brought; keys without a sale are not there. Days are ISO
            texts, in the shop's time zone.
        costed: Enough unit costs are known to tell margins.
    """

    by: Mapping[tuple[str, ...], Sold]
    costed: bool


def sales_by(
    con: duckdb.DuckDBPyConnection,
    keys: Sequence[Key],
    *,
    schema: str,
    start: datetime,
    end: datetime,
    timezone: str = "UTC",
) -> Sales:
    """Return the sales of a window by one or two keys.

    Args:
        con: A DuckDB connection to the fact tables, bookkeeping columns included.
        keys: What they are told by; with "customer", orders of guests are left out.
        schema: Where the tables are.
        start: First instant of the window, naive UTC.
        end: First instant after it; nothing known later counts.
        timezone: Time zone in which days are counted.
    """
    guests = "customer" not in keys
    paid, costed, cost = _cost_share(con, schema, start, end, guests=guests)
    enough = paid > 0 and costed >= KNOWN_COSTS * paid
    part = cost / costed if enough and costed else 0.0
    weight, margin = (part, 1) if enough else (0.0, 0)
    zones = [timezone for key in keys if key == "day"]
    named = [f"{_COLUMNS[key]} AS k{i}" for i, key in enumerate(keys)]
    places = ", ".join(f"k{i}" for i in range(len(keys)))
    rows = con.execute(
        f"{_lines(schema, guests=guests)}, priced AS (SELECT *, "
        "coalesce(unit_cost, ? * paid / greatest(units, 1)) AS each_cost "
        "FROM lines LEFT JOIN cost USING (variant_id)), "
        "money AS (SELECT order_id, line_id, sum(amount_minor) AS amount "
        f"FROM {newest(f'{schema}.refunds', 'refund_id, line_id')} "
        "GROUP BY order_id, line_id), "
        "back AS (SELECT order_id, line_id, sum(quantity_units) AS units, "
        "sum(coalesce(cost_minor, 0)) AS loss "
        f"FROM {newest(f'{schema}.returns', 'return_id, line_id')} "
        "GROUP BY order_id, line_id), "
        f"told AS (SELECT {', '.join(named)}, order_id, priced.units AS units, "
        "paid - coalesce(amount, 0) AS net, ? * (each_cost * (priced.units "
        "- coalesce(back.units, 0)) + coalesce(loss, 0)) AS spent "
        "FROM priced LEFT JOIN money USING (order_id, line_id) "
        "LEFT JOIN back USING (order_id, line_id)) "
        f"SELECT {places}, sum(net), sum(net - spent), sum(units), "
        f"count(DISTINCT order_id) FROM told GROUP BY {places}",
        [*_window(start, end), weight, end, end, *zones, margin],
    ).fetchall()
    count = len(keys)
    return Sales(
        by={
            tuple(str(one) for one in row[:count]): Sold(
                revenue=float(row[count]),
                earned=float(row[count + 1]),
                units=float(row[count + 2]),
                orders=int(row[count + 3]),
            )
            for row in rows
        },
        costed=enough,
    )


def newest(table: str, key: str) -> str:
    """Return SQL of the versions in force before an instant."""
    return (
        f"(SELECT * FROM {table} WHERE known_at < ? QUALIFY row_number() OVER ("
        f"PARTITION BY {key} ORDER BY known_at DESC, imported_at DESC, "
        "content_hash DESC) = 1)"
    )


def _lines(schema: str, *, guests: bool) -> str:
    """Return SQL of lines of standing orders in a window, and unit costs at its end."""
    known = "" if guests else "AND standing.customer_id IS NOT NULL"
    return (
        f"{standing(schema)}, "
        "lines AS (SELECT order_id, line_id, standing.customer_id, "
        "standing.placed_at, line.product_id, line.variant_id, "
        "quantity_units AS units, "
        "quantity_units * unit_price_minor - coalesce(discount_minor, 0) AS paid "
        f"FROM {newest(f'{schema}.order_lines', 'order_id, line_id')} AS line "
        "JOIN standing USING (order_id) WHERE line.kind = 'product' "
        "AND standing.placed_at >= ? AND standing.placed_at < ? "
        f"{known}), "
        "cost AS (SELECT variant_id, arg_max(cost_minor, (valid_from_at, known_at)) "
        f"AS unit_cost FROM {schema}.costs WHERE known_at < ? AND valid_from_at < ? "
        "GROUP BY variant_id)"
    )


def _window(start: datetime, end: datetime) -> list[datetime]:
    return [end, end, start, end, end, end]


def _cost_share(
    con: duckdb.DuckDBPyConnection,
    schema: str,
    start: datetime,
    end: datetime,
    *,
    guests: bool,
) -> tuple[float, float, float]:
    """Return what was paid, what of it has a cost, and that cost."""
    row = con.execute(
        f"{_lines(schema, guests=guests)} SELECT sum(paid), "
        "sum(paid) FILTER (unit_cost IS NOT NULL), "
        "sum(units * unit_cost) FROM lines LEFT JOIN cost USING (variant_id)",
        _window(start, end),
    ).fetchone()
    paid, costed, cost = row if row is not None else (0, 0, 0)
    return float(paid or 0), float(costed or 0), float(cost or 0)
