"""What reaching people earned, against the customers who are left alone.

Customers are drawn to the holdout by a stable hash, so the two groups differ by nothing
but what the wheel did to one of them. Only what is done to a person can be seen so:
prices and stock reach both groups alike. A held-out customer who is neither signed in
nor on a device known to be theirs is answered like everybody, which pulls the
difference towards zero; `measure/assign.py` says which devices are known.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from cartwheel.measure.assign import holdout_mask
from cartwheel.measure.standing import standing
from cartwheel.signals.days import midnight_after

if TYPE_CHECKING:
    import duckdb

    from cartwheel.shop import Shop

Array = np.ndarray[Any, Any]

LEVEL = 0.95
KNOWN_COSTS = 0.5
"""Share of what was paid that must have a unit cost for margins to be compared."""

LEAST = 2
"""Customers a group needs for a spread."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lift:
    """Reached less held out, per customer.

    Attributes:
        basis: "margin", or "revenue" where too few costs are known.
        reached: Customers the wheel may reach.
        held_out: Customers left alone.
        value: Difference of means in minor units, or None when it cannot be said.
        low: Lower end of the 95 % interval.
        high: Upper end of the 95 % interval.
        not_yet: Why there is no value, "" when there is one.
    """

    basis: Literal["margin", "revenue"]
    reached: int
    held_out: int
    value: float | None = None
    low: float | None = None
    high: float | None = None
    not_yet: str = ""

    @property
    def holds_zero(self) -> bool:
        """The interval holds zero, or there is none: nothing can be claimed yet."""
        if self.low is None or self.high is None:
            return True
        return self.low <= 0 <= self.high


def holdout_lift(shop: Shop, *, since: date, until: date) -> Lift:
    """Return what customers a shop knew before a day earned it, reached or held out.

    Args:
        shop: The shop.
        since: First day; customers known before it are compared.
        until: Last day.
    """
    settings = shop.settings
    with shop.lake.attached(read_only=True) as con:
        return lift_of(
            con,
            schema="lake",
            share=settings.holdout.share_bps / 10_000,
            salt=settings.holdout.salt,
            timezone=settings.timezone,
            since=since,
            until=until,
        )


def lift_of(
    con: duckdb.DuckDBPyConnection,
    *,
    schema: str,
    share: float,
    salt: str,
    timezone: str,
    since: date,
    until: date,
) -> Lift:
    """Return what customers known before a day earned, reached or held out.

    Counted is what they ordered from `since` to `until`: paid less goods, refunds and
    the cost of returns, as known at the end. A line without a unit cost is taken to
    cost the share of its price that the others cost. Discounts over a whole order, and
    refunds that name no line, are left out of both groups.

    Args:
        con: A DuckDB connection to the fact tables, bookkeeping columns included.
        schema: Where they are.
        share: Share of customers who are held out, 0 to 1.
        salt: Salt of the hash by which they are.
        timezone: Time zone in which days are counted.
        since: First day; customers known before it are compared.
        until: Last day.
    """
    start, end = instants(since, until, timezone)
    names = known_customers(con, schema, start)
    paid, costed, cost = _cost_share(con, schema, start, end)
    enough = paid > 0 and costed >= KNOWN_COSTS * paid
    part = cost / costed if enough and costed else 0.0
    earned = _earned(con, schema, start, end, part if enough else None)
    held = holdout_mask(names, share, salt)
    values = np.array([earned.get(name, 0.0) for name in names])
    basis: Literal["margin", "revenue"] = "margin" if enough else "revenue"
    return compare(values[~held], values[held], basis=basis)


def instants(since: date, until: date, timezone: str) -> tuple[datetime, datetime]:
    """Return the first instant of a day and the first after another, naive UTC."""
    start = midnight_after(since - timedelta(days=1), timezone)
    return start, midnight_after(until, timezone)


def compare(
    reached: Array, held_out: Array, *, basis: Literal["margin", "revenue"]
) -> Lift:
    """Return the difference of two groups' means with its 95 % interval.

    Args:
        reached: Minor units by customer, shape (n,).
        held_out: Minor units by customer, shape (m,).
        basis: What was counted.

    References:
        Welch (1947): unequal variances, degrees of freedom by Satterthwaite.
    """
    n, m = len(reached), len(held_out)
    if min(n, m) < LEAST:
        why = f"Not yet: each group needs {LEAST} customers or more."
        return Lift(basis=basis, reached=n, held_out=m, not_yet=why)
    parts = reached.var(ddof=1) / n, held_out.var(ddof=1) / m
    error = float(np.sqrt(sum(parts)))
    if error == 0.0:
        why = "Not yet: within each group everybody earned the same."
        return Lift(basis=basis, reached=n, held_out=m, not_yet=why)
    from scipy.stats import t

    degrees = sum(parts) ** 2 / (parts[0] ** 2 / (n - 1) + parts[1] ** 2 / (m - 1))
    value = float(reached.mean() - held_out.mean())
    reach = float(t.ppf(0.5 + LEVEL / 2, degrees)) * error
    return Lift(
        basis=basis,
        reached=n,
        held_out=m,
        value=value,
        low=value - reach,
        high=value + reach,
    )


def known_customers(
    con: duckdb.DuckDBPyConnection, schema: str, start: datetime
) -> list[str]:
    """Return who had an account or an order before an instant, sorted."""
    rows = con.execute(
        f"SELECT customer_id FROM {schema}.customers "
        "WHERE created_at < $start AND known_at < $start UNION "
        f"SELECT customer_id FROM {schema}.orders "
        "WHERE placed_at < $start AND known_at < $start AND customer_id IS NOT NULL "
        "ORDER BY 1",
        {"start": start},
    ).fetchall()
    return [str(row[0]) for row in rows]


def _newest(table: str, key: str) -> str:
    """Return SQL of the versions in force before an instant."""
    return (
        f"(SELECT * FROM {table} WHERE known_at < ? QUALIFY row_number() OVER ("
        f"PARTITION BY {key} ORDER BY known_at DESC, imported_at DESC, "
        "content_hash DESC) = 1)"
    )


def _lines(schema: str) -> str:
    """Return SQL of lines of standing orders in a window, and unit costs at its end."""
    return (
        f"{standing(schema)}, "
        "lines AS (SELECT order_id, line_id, standing.customer_id, "
        "line.variant_id, quantity_units AS units, "
        "quantity_units * unit_price_minor - coalesce(discount_minor, 0) AS paid "
        f"FROM {_newest(f'{schema}.order_lines', 'order_id, line_id')} AS line "
        "JOIN standing USING (order_id) WHERE line.kind = 'product' "
        "AND standing.placed_at >= ? AND standing.placed_at < ? "
        "AND standing.customer_id IS NOT NULL), "
        "cost AS (SELECT variant_id, arg_max(cost_minor, (valid_from_at, known_at)) "
        f"AS unit_cost FROM {schema}.costs WHERE known_at < ? AND valid_from_at < ? "
        "GROUP BY variant_id)"
    )


def _window(start: datetime, end: datetime) -> list[datetime]:
    return [end, end, start, end, end, end]


def _cost_share(
    con: duckdb.DuckDBPyConnection, schema: str, start: datetime, end: datetime
) -> tuple[float, float, float]:
    """Return what was paid, what of it has a cost, and that cost."""
    row = con.execute(
        f"{_lines(schema)} SELECT sum(paid), sum(paid) FILTER (unit_cost IS NOT NULL), "
        "sum(units * unit_cost) FROM lines LEFT JOIN cost USING (variant_id)",
        _window(start, end),
    ).fetchone()
    paid, costed, cost = row if row is not None else (0, 0, 0)
    return float(paid or 0), float(costed or 0), float(cost or 0)


def _earned(
    con: duckdb.DuckDBPyConnection,
    schema: str,
    start: datetime,
    end: datetime,
    share: float | None,
) -> dict[str, float]:
    """Return minor units by customer.

    Args:
        con: A connection to the fact tables.
        schema: Where they are.
        start: First instant of the window.
        end: First instant after it.
        share: Cost of a line without one, of its price; None leaves costs out.
    """
    weight, margin = (0.0, 0) if share is None else (share, 1)
    rows = con.execute(
        f"{_lines(schema)}, priced AS (SELECT *, "
        "coalesce(unit_cost, ? * paid / greatest(units, 1)) AS each_cost "
        "FROM lines LEFT JOIN cost USING (variant_id)), "
        "money AS (SELECT order_id, line_id, sum(amount_minor) AS amount "
        f"FROM {_newest(f'{schema}.refunds', 'refund_id, line_id')} "
        "GROUP BY order_id, line_id), "
        "back AS (SELECT order_id, line_id, sum(quantity_units) AS units, "
        "sum(coalesce(cost_minor, 0)) AS loss "
        f"FROM {_newest(f'{schema}.returns', 'return_id, line_id')} "
        "GROUP BY order_id, line_id) "
        "SELECT customer_id, sum(paid - coalesce(amount, 0) - ? * ("
        "each_cost * (priced.units - coalesce(back.units, 0)) + coalesce(loss, 0))) "
        "FROM priced LEFT JOIN money USING (order_id, line_id) "
        "LEFT JOIN back USING (order_id, line_id) GROUP BY customer_id",
        [*_window(start, end), weight, end, end, margin],
    ).fetchall()
    return {str(name): float(value) for name, value in rows}
