"""What a visit that goes on is worth, and the money that hangs on those that do not."""

from __future__ import annotations

import math
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from cartwheel.measure.journey.judge import Look

if TYPE_CHECKING:
    import duckdb

DRAWS = 2_000
ALIKE_ORDERS = 20
"""Orders of the shop that count beside those which hold a product."""

LEAST_ORDERS = 20
LEAST_BOUGHT = 10
COSTS_KNOWN = 0.5
"""Share of revenue whose costs must be known for a margin to be told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderWorth:
    """What an order of the 126 days brings.

    Attributes:
        of: "contribution margin" or "revenue".
        orders: Orders it is the mean of.
        mean_minor: Mean of an order, None when nobody can say.
        spread_minor: Standard deviation of an order.
        by_product: Orders that hold a product, and the sum they bring.
        why_not: Why there is no mean, "" when there is one.
    """

    of: str
    orders: int
    mean_minor: float | None
    spread_minor: float
    by_product: Mapping[str, tuple[int, int]]
    why_not: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Onward:
    """Visits that reached what a step goes on to, and those of them that bought."""

    reached: int
    bought: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Money:
    """Visits lost in 28 days and what hangs on them, minor units, 95 % intervals."""

    lost: float
    lost_low: float
    lost_high: float
    value_minor: float | None
    low_minor: float | None
    high_minor: float | None


def order_worth(con: duckdb.DuckDBPyConnection, parcel_minor: int | None) -> OrderWorth:
    """Return what an order brings: its margin where costs are known, else revenue.

    Args:
        con: Connection that holds what `cut_visits` made, and `j_margin` with the
            columns variant_id, cost_minor and return_cost_minor.
        parcel_minor: What sending an order costs, None when unknown.
    """
    con.execute(
        "CREATE OR REPLACE TEMP TABLE j_worth AS SELECT order_id, "
        "sum(paid) AS revenue, bool_and(cost_minor IS NOT NULL) AS known, "
        "sum(paid - units * (cost_minor + "
        f"coalesce(return_cost_minor, 0))) - {parcel_minor or 0} AS margin "
        "FROM j_lines LEFT JOIN j_margin USING (variant_id) GROUP BY order_id"
    )
    paid, known = _row(con, "sum(revenue), sum(revenue) FILTER (known) FROM j_worth")
    margin = paid > 0 and known >= COSTS_KNOWN * paid
    of, column, only = (
        ("contribution margin", "margin", "known")
        if margin
        else ("revenue", "revenue", "TRUE")
    )
    count, total, squares = _row(
        con,
        f"count(*), sum({column}), sum({column} * {column}) FROM j_worth WHERE {only}",
    )
    rows = con.execute(
        f"SELECT product_id, count(*), sum(worth) FROM (SELECT DISTINCT product_id, "
        f"order_id, {column} AS worth FROM j_lines JOIN j_worth USING (order_id) "
        f"WHERE {only} AND product_id IS NOT NULL) GROUP BY product_id "
        "ORDER BY product_id"
    ).fetchall()
    con.execute("DROP TABLE j_worth")
    why = ""
    if count < LEAST_ORDERS:
        why = f"{count} orders are known in the window; {LEAST_ORDERS} are needed"
    elif total <= 0:
        why = f"orders bring no {of}"
    mean = total / count if count else 0.0
    spread = max(squares / count - mean**2, 0.0) if count else 0.0
    return OrderWorth(
        of=of,
        orders=count,
        mean_minor=None if why else mean,
        spread_minor=math.sqrt(spread),
        by_product={str(name): (int(n), int(sum_)) for name, n, sum_ in rows},
        why_not=why,
    )


def onward(con: duckdb.DuckDBPyConnection) -> dict[str, Onward]:
    """Return, by step, the visits that reached what it goes on to, and bought."""
    found = {}
    for step, reached in (
        ("visit", "went"),
        ("find", "found"),
        ("product", "carted"),
        ("cart", "paid"),
        ("checkout", "bought"),
    ):
        seen, bought = _row(
            con, f"count_if({reached}), count_if({reached} AND bought) FROM j_visits"
        )
        found[step] = Onward(reached=seen, bought=bought)
    return found


def money_of(look: Look, after: Onward, worth: OrderWorth, *, seed: int) -> Money:
    """Return the visits a place loses beyond the usual and what hangs on them.

    Visits times the share that buys from there times what an order brings. For a
    product the latter is that of orders which hold it, with 20 orders of the shop
    beside them. The interval draws the place's share, the usual one, the share that
    buys and the order; every place has random numbers of its own.
    """
    tally = look.tally
    name = "|".join((tally.step, tally.kind, tally.place, look.against))
    rng = np.random.default_rng([seed, zlib.crc32(name.encode())])
    visits = tally.recent[0]
    share = rng.beta(look.good, look.bad, DRAWS)
    usual = np.clip(rng.normal(look.usual, look.usual_sd, DRAWS), 0, 1)
    lost = visits * (usual - share)
    low, high = np.quantile(lost, [0.025, 0.975])
    money: tuple[float | None, float | None, float | None] = (None, None, None)
    order = _order_of(tally.place if tally.kind == "product" else None, worth)
    if order is not None and after.bought >= LEAST_BOUGHT:
        buys = rng.beta(after.bought + 0.5, after.reached - after.bought + 0.5, DRAWS)
        mean, error = order
        brings = np.maximum(rng.normal(mean, error, DRAWS), 0.0)
        ends = np.quantile(lost * buys * brings, [0.025, 0.975])
        value = look.lost * after.bought / after.reached * mean
        money = (value, float(ends[0]), float(ends[1]))
    return Money(
        lost=look.lost,
        lost_low=float(low),
        lost_high=float(high),
        value_minor=money[0],
        low_minor=money[1],
        high_minor=money[2],
    )


def _order_of(product: str | None, worth: OrderWorth) -> tuple[float, float] | None:
    """Return what an order brings and its standard error; None when unknown."""
    if worth.mean_minor is None:
        return None
    if product is None:
        return worth.mean_minor, worth.spread_minor / math.sqrt(worth.orders)
    count, total = worth.by_product.get(product, (0, 0))
    weight = count + ALIKE_ORDERS
    mean = (total + ALIKE_ORDERS * worth.mean_minor) / weight
    return (mean, worth.spread_minor / math.sqrt(weight)) if mean > 0 else None


def _row(con: duckdb.DuckDBPyConnection, select: str) -> tuple[int, ...]:
    row = con.execute(f"SELECT {select}").fetchone() or ()
    return tuple(int(value or 0) for value in row)
