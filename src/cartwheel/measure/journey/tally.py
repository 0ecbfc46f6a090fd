"""How many visits were at each place, and how many went on, by week.

A visit counts once at a place, however often it was there: once for the shop, once for
each product it saw.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from cartwheel.measure.journey.steps import BEFORE_DAYS, RECENT_DAYS, Kind
from cartwheel.measure.journey.visits import OPENED

if TYPE_CHECKING:
    import duckdb

Array = np.ndarray[Any, Any]

RECENT_WEEKS = RECENT_DAYS // 7
WEEKS = (RECENT_DAYS + BEFORE_DAYS) // 7

ORDER_SECONDS = 30 * 60
"""An order this soon after a visit's last event belongs to it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """Visits at one place, and those that went on, by week.

    Attributes:
        step: Name of the step.
        kind: Kind of place.
        place: Its id; "" for the whole shop.
        visits: Visits that were there, by weeks ago, shape (WEEKS,).
        on: Of these, those that went on, shape (WEEKS,).
    """

    step: str
    kind: Kind
    place: str
    visits: Array
    on: Array

    @property
    def recent(self) -> tuple[int, int]:
        """Visits of the last 28 days, and those that went on."""
        here, on = self.visits[:RECENT_WEEKS].sum(), self.on[:RECENT_WEEKS].sum()
        return int(here), int(on)

    @property
    def before(self) -> tuple[int, int]:
        """Visits of the 98 days before, and those that went on."""
        here, on = self.visits[RECENT_WEEKS:].sum(), self.on[RECENT_WEEKS:].sum()
        return int(here), int(on)


def count_visits(con: duckdb.DuckDBPyConnection) -> list[Tally]:
    """Return every place with the visits that were there, sorted.

    Args:
        con: Connection that holds what `cut_visits` made, and `j_listing` with the
            columns product_id and category.
    """
    rows: list[tuple[Any, ...]] = []
    for step, kind, query in _QUERIES:
        rows += con.execute(
            f"SELECT '{step}', '{kind}', place, ago // 7 AS week, count(*), "
            f"count_if(on_) FROM ({query}) WHERE ago BETWEEN 0 AND {7 * WEEKS - 1} "
            "GROUP BY place, week ORDER BY place, week"
        ).fetchall()
    return tallies(rows)


def tallies(rows: Sequence[tuple[Any, ...]]) -> list[Tally]:
    """Return tallies from rows of step, kind, place, week, visits and went on."""
    found: dict[tuple[str, Kind, str], tuple[Array, Array]] = {}
    for step, kind, place, week, visits, on in rows:
        empty = np.zeros(WEEKS, np.int64), np.zeros(WEEKS, np.int64)
        here, went = found.setdefault((step, kind, str(place)), empty)
        here[int(week)] += int(visits)
        went[int(week)] += int(on)
    return [
        Tally(step=step, kind=kind, place=place, visits=here, on=went)
        for (step, kind, place), (here, went) in found.items()
    ]


_SHOP = "SELECT '' AS place, ago, {on} AS on_ FROM j_visits WHERE {here}"

_ORDERED = (
    "EXISTS (SELECT 1 FROM j_orders AS o WHERE o.customer_id = v.customer_id AND "
    "o.placed_at >= v.began_at AND o.placed_at <= v.ended_at + "
    f"INTERVAL {ORDER_SECONDS} SECOND)"
)

# Only who is known can be found among the orders, and only before these end.
_CHECKOUT = (
    f"SELECT '' AS place, ago, {_ORDERED} AS on_ FROM j_visits AS v WHERE bought "
    "AND customer_id IS NOT NULL AND ended_at <= (SELECT max(placed_at) FROM j_orders)"
)

_WAY_IN = "SELECT way_in AS place, ago, carted AS on_ FROM j_visits WHERE seen"

# What is opened counts for the visit's last search before it.
_QUERY = (
    "WITH steps AS (SELECT visitor_id, visit, kind, last_value(query IGNORE NULLS) "
    "OVER (PARTITION BY visitor_id, visit ORDER BY occurred_at, event_id ROWS "
    "UNBOUNDED PRECEDING) AS asked FROM (SELECT * REPLACE (CASE WHEN kind = 'search' "
    f"THEN query END AS query) FROM j_events) WHERE kind = 'search' OR {OPENED}) "
    f"SELECT asked AS place, ago, bool_or({OPENED}) AS on_ FROM steps JOIN j_visits "
    "USING (visitor_id, visit) WHERE asked <> '' GROUP BY visitor_id, visit, ago, asked"
)

_PAIRS = (
    "SELECT visitor_id, visit, ago, {place} AS place, "
    f"bool_or({OPENED}) AS seen, bool_or(kind = 'add_to_cart') AS carted, "
    "any_value(paid) AS paid FROM j_events JOIN j_visits USING (visitor_id, visit) "
    "{join}WHERE product_id IS NOT NULL GROUP BY visitor_id, visit, ago, {place}"
)
_PRODUCTS = _PAIRS.format(place="product_id", join="")
_CATEGORIES = _PAIRS.format(place="category", join="JOIN j_listing USING (product_id) ")

_OF_PRODUCTS = (("product", "seen", "carted"), ("cart", "carted", "paid"))
_OF_KINDS: tuple[tuple[Kind, str], ...] = (
    ("category", _CATEGORIES),
    ("product", _PRODUCTS),
)
_QUERIES: tuple[tuple[str, Kind, str], ...] = (
    ("visit", "shop", _SHOP.format(on="went", here="TRUE")),
    ("find", "shop", _SHOP.format(on="found", here="looked")),
    ("product", "shop", _SHOP.format(on="carted", here="seen")),
    ("cart", "shop", _SHOP.format(on="paid", here="carted")),
    ("checkout", "shop", _CHECKOUT),
    ("product", "way_in", _WAY_IN),
    ("find", "query", _QUERY),
    *(
        (step, kind, f"SELECT place, ago, {on} AS on_ FROM ({pairs}) WHERE {here}")
        for step, here, on in _OF_PRODUCTS
        for kind, pairs in _OF_KINDS
    ),
)
