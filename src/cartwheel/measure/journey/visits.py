"""Visits cut from events, and what each of them did.

Cut as the signal `visits` is: by visitor id, at a pause of more than half an hour, and
without devices on which somebody signed in who objects to personalisation. Here events
of every kind count, so that a visit begins with whatever came first. Who refuses
measurement sends no visitor id, and is in no visit.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from cartwheel.lake.tables import TABLE_BY_NAME
from cartwheel.measure.journey.steps import BEFORE_DAYS, RECENT_DAYS
from cartwheel.signals.visits import PAUSE_SECONDS

if TYPE_CHECKING:
    import duckdb

TABLES = ("events", "visits", "orders", "lines", "devices")

OPENED = "kind IN ('view', 'click', 'add_to_cart', 'failed_add')"
"""What shows that a product was opened."""


def cut_visits(con: duckdb.DuckDBPyConnection, *, schema: str, end: datetime) -> None:
    """Make the temporary tables `j_events`, `j_visits`, `j_orders` and `j_lines`.

    Args:
        con: Connection to the fact tables, bookkeeping columns included.
        schema: Where they are.
        end: First instant after the day looked from, naive UTC.
    """
    for name, sql in _tables(schema, end).items():
        con.execute(f"CREATE OR REPLACE TEMP TABLE j_{name} AS {sql}")


def drop_visits(con: duckdb.DuckDBPyConnection) -> None:
    """Drop what `cut_visits` made."""
    for name in TABLES:
        con.execute(f"DROP TABLE IF EXISTS j_{name}")


def newest(schema: str, name: str, end: datetime) -> str:
    """Return the rows of a fact table in force at the end of the day, as SQL."""
    key = ", ".join(TABLE_BY_NAME[name].key)
    return (
        f"(SELECT * FROM {schema}.{name} WHERE known_at < TIMESTAMP '{end}' "
        f"QUALIFY row_number() OVER (PARTITION BY {key} ORDER BY known_at DESC, "
        "imported_at DESC, content_hash DESC) = 1)"
    )


def _tables(schema: str, end: datetime) -> dict[str, str]:
    last = f"TIMESTAMP '{end}'"
    first = f"TIMESTAMP '{end - timedelta(days=RECENT_DAYS + BEFORE_DAYS)}'"
    known = f"known_at < {last} AND occurred_at < {last}"
    return {
        "devices": "WITH said AS (SELECT customer_id, granted FROM "
        f"{newest(schema, 'consents', end)} WHERE purpose = 'personalisation' QUALIFY "
        "row_number() OVER (PARTITION BY customer_id ORDER BY changed_at DESC) = 1) "
        f"SELECT DISTINCT visitor_id FROM {schema}.events JOIN said USING "
        f"(customer_id) WHERE {known} AND visitor_id IS NOT NULL AND NOT granted",
        "events": _cut(
            f"SELECT event_id, kind, occurred_at, visitor_id, customer_id, product_id, "
            "decision_id, trim(regexp_replace(lower(query), '\\s+', ' ', 'g')) AS "
            f"query, result_count FROM {schema}.events ANTI JOIN j_devices USING "
            f"(visitor_id) WHERE {known} AND visitor_id IS NOT NULL "
            f"AND occurred_at >= {first}"
        ),
        "visits": _did(last),
        "orders": "SELECT order_id, customer_id, placed_at, delivered_at FROM "
        f"{newest(schema, 'orders', end)} WHERE status <> 'cancelled' AND placed_at >= "
        f"{first} AND placed_at < {last}",
        "lines": "SELECT order_id, line_id, product_id, variant_id, quantity_units AS "
        "units, greatest(quantity_units * unit_price_minor - coalesce(discount_minor, "
        f"0), 0) AS paid FROM {newest(schema, 'order_lines', end)} SEMI JOIN j_orders "
        "USING (order_id) WHERE kind = 'product' AND quantity_units > 0",
    }


def _cut(events: str) -> str:
    """Return the query that numbers each event's visit among its visitor's."""
    order = "PARTITION BY visitor_id ORDER BY occurred_at, event_id"
    pause = f"epoch(occurred_at) - epoch(lag(occurred_at) OVER ({order}))"
    begins = f"SELECT *, coalesce({pause} > {PAUSE_SECONDS}, FALSE) AS begins"
    return (
        f"SELECT * EXCLUDE (begins), count_if(begins) OVER ({order} ROWS UNBOUNDED "
        f"PRECEDING) AS visit FROM ({begins} FROM ({events}))"
    )


def _did(last: str) -> str:
    """Return the query of one row a visit: when it began, and what it reached."""
    looked = "kind IN ('search', 'list')"
    return (
        "SELECT visitor_id, visit, min(occurred_at) AS began_at, "
        "max(occurred_at) AS ended_at, "
        f"CAST(floor(epoch({last} - min(occurred_at)) / 86400.0 - 1e-9) AS BIGINT) "
        "AS ago, "
        "max(customer_id) AS customer_id, "
        "first(CASE kind WHEN 'list' THEN 'category' WHEN 'exposure' THEN 'slot' "
        "WHEN 'click' THEN 'slot' WHEN 'search' THEN 'search' WHEN 'view' THEN "
        "'product' ELSE 'cart' END ORDER BY occurred_at, event_id) AS way_in, "
        f"bool_or(kind <> 'exposure') AS went, bool_or({looked}) AS looked, "
        f"bool_or({OPENED}) AS seen, bool_or(kind = 'add_to_cart') AS carted, "
        "bool_or(kind = 'checkout') AS bought, "
        f"coalesce(max(occurred_at) FILTER ({OPENED}) >= min(occurred_at) FILTER "
        f"({looked}), FALSE) AS found, "
        "coalesce(max(occurred_at) FILTER (kind = 'checkout') >= min(occurred_at) "
        "FILTER (kind = 'add_to_cart'), FALSE) AS paid "
        "FROM j_events GROUP BY visitor_id, visit"
    )
