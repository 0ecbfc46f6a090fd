"""Olist: nine files of orders from a Brazilian marketplace.

The set is "Brazilian E-Commerce Public Dataset by Olist", Olist and A. Sionek (2018),
CC BY-NC-SA 4.0. How it is read:

- The person is `customer_unique_id`; `customer_id` is made anew for each order.
- An order gets one version for each state change with a date: placed, approved (paid),
  handed to the carrier (fulfilled), delivered. Each says only what was known then.
  A state without a date (cancelled, unavailable, ...) is known from the latest date on
  the order, the promised delivery included: by then the shop knew, and no earlier day
  sees it.
- Freight stands on the lines and is added up on the order.
- A product is known from its first order; its supplier is the seller of that order.
- A review is dated by its answer: the creation date is when the form was sent out. It
  is about an order; one review id may serve several orders.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from cartwheel.connectors.base import Harvest, ImportContext, Reject, SourceFile
from cartwheel.connectors.local_time import add_utc_table
from cartwheel.connectors.tabular import load_source
from cartwheel.errors import Misuse

if TYPE_CHECKING:
    import duckdb

FILES: dict[str, tuple[str, tuple[str, ...]]] = {
    "orders": (
        "olist_orders_dataset",
        (
            "order_id",
            "customer_id",
            "order_status",
            "order_purchase_timestamp",
            "order_approved_at",
            "order_delivered_carrier_date",
            "order_delivered_customer_date",
            "order_estimated_delivery_date",
        ),
    ),
    "items": (
        "olist_order_items_dataset",
        (
            "order_id",
            "order_item_id",
            "product_id",
            "seller_id",
            "price",
            "freight_value",
        ),
    ),
    "customers": (
        "olist_customers_dataset",
        ("customer_id", "customer_unique_id", "customer_state"),
    ),
    "products": ("olist_products_dataset", ("product_id", "product_category_name")),
    "sellers": ("olist_sellers_dataset", ("seller_id",)),
    "reviews": (
        "olist_order_reviews_dataset",
        (
            "review_id",
            "order_id",
            "review_score",
            "review_comment_title",
            "review_comment_message",
            "review_answer_timestamp",
        ),
    ),
    "payments": ("olist_order_payments_dataset", ("order_id", "payment_value")),
    "geolocation": (
        "olist_geolocation_dataset",
        ("geolocation_zip_code_prefix", "geolocation_state"),
    ),
    "translation": (
        "product_category_name_translation",
        ("product_category_name", "product_category_name_english"),
    ),
}
"""File stem and needed columns by the name used here."""

NEEDED = ("orders", "items")

STATUSES = {
    "created": "open",
    "approved": "paid",
    "invoiced": "paid",
    "processing": "paid",
    "shipped": "fulfilled",
    "delivered": "fulfilled",
    "canceled": "cancelled",
    "unavailable": "cancelled",
}
"""State of an order by the source's status."""

DATES = (
    "order_purchase_timestamp",
    "order_approved_at",
    "order_delivered_carrier_date",
    "order_delivered_customer_date",
    "order_estimated_delivery_date",
)

# (table, column at fault, SQL condition, reason); the first match of a row wins.
REJECTIONS = (
    ("orders", "order_id", "nullif(trim(order_id), '') IS NULL", "missing"),
    *(
        (
            "orders",
            column,
            f"{column} IS NOT NULL AND TRY_CAST({column} AS TIMESTAMP) IS NULL",
            "not a date and time",
        )
        for column in DATES
    ),
    ("orders", "order_purchase_timestamp", f"{DATES[0]} IS NULL", "missing"),
    (
        "orders",
        "order_status",
        "order_status IS NULL OR order_status NOT IN ("
        + ", ".join(f"'{status}'" for status in STATUSES)
        + ")",
        f"expected {', '.join(STATUSES)}",
    ),
    (
        "items",
        "order_id",
        "order_id IS NULL OR order_id NOT IN (SELECT order_id FROM good_orders)",
        "no accepted order of this id in the orders file",
    ),
    *(
        (
            "items",
            column,
            f"TRY_CAST({column} AS DECIMAL(18, 4)) IS NULL "
            f"OR TRY_CAST({column} AS DECIMAL(18, 4)) < 0",
            "not an amount of at least 0",
        )
        for column in ("price", "freight_value")
    ),
    ("customers", "customer_unique_id", "customer_unique_id IS NULL", "missing"),
    (
        "reviews",
        "review_score",
        "TRY_CAST(review_score AS BIGINT) IS NULL "
        "OR TRY_CAST(review_score AS BIGINT) NOT BETWEEN 1 AND 5",
        "expected 1 to 5",
    ),
    (
        "reviews",
        "review_answer_timestamp",
        "TRY_CAST(review_answer_timestamp AS TIMESTAMP) IS NULL",
        "not a date and time",
    ),
)


class Olist:
    """Reads the folder of the Olist files."""

    kind = "olist"
    accepts = (
        "A folder of the Olist files, as Parquet or CSV; orders and order items are "
        "needed."
    )

    def read(self, path: Path, context: ImportContext) -> Harvest:
        """Read the folder.

        Raises:
            Misuse: If the shop does not sell in reais, the folder or a needed file is
                missing, or a file is empty, truncated or lacks a column.
        """
        import duckdb

        if context.currency != "BRL":
            raise Misuse(
                "Amounts in Olist are Brazilian reais; the shop's currency is "
                f"{context.currency}.",
                "Import it into a shop made with --currency BRL.",
            )
        with duckdb.connect(":memory:", config={"threads": 2}) as con:
            files = _load(con, path)
            rejects = _reject(con, set(files))
            _prepare(con, set(files), context)
            return Harvest(
                files=tuple(files.values()),
                facts={
                    name: con.execute(query).to_arrow_table()
                    for name, query in _queries(set(files), context).items()
                },
                rejects=rejects,
                supporting=_supporting(con, set(files)),
                notes=_notes(files, context),
            )


def _load(con: duckdb.DuckDBPyConnection, folder: Path) -> dict[str, SourceFile]:
    if not folder.exists():
        raise Misuse(f"{folder} does not exist.", "Check the path.")
    if not folder.is_dir():
        raise Misuse(
            f"{folder} is not a folder.", "Name the folder that holds the Olist files."
        )
    files: dict[str, SourceFile] = {}
    for name, (stem, columns) in FILES.items():
        found = [
            folder / f"{stem}{suffix}"
            for suffix in (".parquet", ".csv")
            if (folder / f"{stem}{suffix}").exists()
        ]
        if found:
            first_row = sum(file.rows for file in files.values())
            files[name] = load_source(con, found[0], name, columns, first_row=first_row)
        elif name in NEEDED:
            raise Misuse(
                f"{folder} has no {stem}.parquet or {stem}.csv.",
                "Put the orders and order items files in the folder.",
            )
        else:
            listed = ", ".join(f"NULL::VARCHAR AS {column}" for column in columns)
            con.execute(
                f"CREATE TEMP TABLE {name} AS "
                f"SELECT {listed}, NULL::BIGINT AS n WHERE false"
            )
    return files


def _reject(con: duckdb.DuckDBPyConnection, have: set[str]) -> tuple[Reject, ...]:
    """Move faulty rows out of the tables; a row is rejected once."""
    rejects: list[Reject] = []
    for table, column, condition, reason in REJECTIONS:
        if table not in have:
            continue
        if table == "items":
            con.execute(
                "CREATE OR REPLACE TEMP TABLE good_orders AS "
                "SELECT DISTINCT order_id FROM orders"
            )
        rows = con.execute(
            f"SELECT n, coalesce(left(CAST({column} AS VARCHAR), 200), '') "
            f"FROM {table} WHERE {condition} ORDER BY n"
        ).fetchall()
        rejects += [
            Reject(source_row=n, field=column, value=value, reason=reason)
            for n, value in rows
        ]
        if rows:
            con.execute(f"DELETE FROM {table} WHERE {condition}")
    return tuple(rejects)


def _prepare(
    con: duckdb.DuckDBPyConnection, have: set[str], context: ImportContext
) -> None:
    """Make `person`, `placed` (orders with UTC dates) and `line` (their items)."""
    source = "customers" if "customers" in have else "orders"
    person = "customer_unique_id" if source == "customers" else "customer_id"
    state = "customer_state" if source == "customers" else "NULL::VARCHAR"
    con.execute(
        f"CREATE TEMP TABLE person AS SELECT customer_id, {person} AS person, "
        f"{state} AS region, n FROM {source} WHERE {person} IS NOT NULL"
    )
    times = [f"SELECT TRY_CAST({column} AS TIMESTAMP) FROM orders" for column in DATES]
    times.append("SELECT TRY_CAST(review_answer_timestamp AS TIMESTAMP) FROM reviews")
    add_utc_table(con, " UNION ALL ".join(times), zone=context.timezone)
    dates = ", ".join(
        f"(SELECT utc FROM utc WHERE local = TRY_CAST(o.{column} AS TIMESTAMP)) "
        f"AS {name}"
        for column, name in zip(
            DATES,
            ("placed", "approved", "shipped", "delivered", "promised"),
            strict=True,
        )
    )
    con.execute(
        f"""
        CREATE TEMP TABLE placed AS
        SELECT o.order_id, o.order_status, o.n, p.person, {dates}
        FROM orders o
        LEFT JOIN (SELECT customer_id, arg_min(person, n) AS person
                   FROM person GROUP BY customer_id) p USING (customer_id)
        """
    )
    scale = 10**context.minor_digits
    con.execute(
        f"""
        CREATE TEMP TABLE line AS
        SELECT i.order_id, i.order_item_id, i.product_id, i.seller_id, i.n,
               {_minor("i.price", scale)} AS price_minor,
               {_minor("i.freight_value", scale)} AS freight_minor,
               o.placed, o.person
        FROM items i
        JOIN (SELECT order_id, arg_min(placed, n) AS placed,
                     arg_min(person, n) AS person
              FROM placed GROUP BY order_id) o USING (order_id)
        """
    )


def _minor(amount: str, scale: int) -> str:
    return f"CAST(round_even(CAST({amount} AS DECIMAL(18, 4)) * {scale}, 0) AS BIGINT)"


_CUSTOMERS = """
    WITH first_order AS (
        SELECT person, min(placed) AS placed FROM placed GROUP BY person),
    dated AS (
        SELECT p.person, p.region, p.n, o.placed AS own
        FROM person p LEFT JOIN (
            SELECT customer_id, min(utc) AS placed
            FROM orders JOIN utc
                ON local = TRY_CAST(order_purchase_timestamp AS TIMESTAMP)
            GROUP BY customer_id) o USING (customer_id))
    SELECT d.person AS customer_id, 'BR' AS country,
           arg_min(d.region, (coalesce(d.own, TIMESTAMP '9999-01-01'), d.n)) AS region,
           any_value(f.placed) AS created_at,
           arg_min(d.n, (coalesce(d.own, TIMESTAMP '9999-01-01'), d.n)) AS _source_row
    FROM dated d LEFT JOIN first_order f USING (person)
    GROUP BY d.person ORDER BY _source_row
"""

_FIRST_SALE = """
    SELECT product_id, min(placed) AS placed,
           arg_min(seller_id, (placed, order_id, n)) AS seller_id, min(n) AS n
    FROM line WHERE product_id IS NOT NULL GROUP BY product_id
"""

# The state at each instant follows from all dates up to it, because the source's dates
# are not always in order (handed to the carrier before approved).
_ORDERS = """
    WITH freight AS (
        SELECT order_id, sum(freight_minor) AS shipping FROM (
            SELECT order_id, order_item_id, arg_min(freight_minor, n) AS freight_minor
            FROM line GROUP BY order_id, order_item_id)
        GROUP BY order_id),
    final AS (
        SELECT *, greatest(placed, approved, shipped, delivered, promised) AS ended,
               CASE {statuses} END AS state
        FROM placed),
    stated AS (
        SELECT *, CASE WHEN state = 'cancelled'
                         OR (state = 'fulfilled' AND shipped IS NULL
                             AND delivered IS NULL)
                         OR (state = 'paid' AND approved IS NULL)
                       THEN ended END AS stated_at
        FROM final),
    moments AS (
        SELECT DISTINCT n, greatest(t, placed) AS t FROM (
            SELECT n, placed, unnest([placed, approved, shipped, delivered, stated_at])
                AS t
            FROM stated)
        WHERE t IS NOT NULL)
    SELECT s.order_id, s.person AS customer_id, s.placed AS placed_at,
           m.t AS updated_at,
           CASE WHEN s.stated_at <= m.t THEN s.state
                WHEN s.shipped <= m.t OR s.delivered <= m.t THEN 'fulfilled'
                WHEN s.approved <= m.t THEN 'paid'
                ELSE 'open' END AS status,
           'BRL' AS currency, CAST(f.shipping AS BIGINT) AS shipping_minor,
           s.promised AS promised_at,
           CASE WHEN s.delivered <= m.t THEN s.delivered END AS delivered_at,
           s.n AS _source_row
    FROM moments m JOIN stated s USING (n) LEFT JOIN freight f USING (order_id)
    ORDER BY s.n, m.t
"""

_LINES = """
    SELECT order_id, CAST(order_item_id AS VARCHAR) AS line_id, placed AS placed_at,
           person AS customer_id, 'product' AS kind, product_id,
           product_id AS variant_id, 1 AS quantity_units,
           price_minor AS unit_price_minor, n AS _source_row
    FROM line ORDER BY n
"""

_REVIEWS = """
    SELECT r.review_id || ':' || r.order_id AS review_id, r.order_id,
           o.person AS customer_id, utc AS created_at,
           CAST(r.review_score AS BIGINT) AS rating, r.review_comment_title AS title,
           r.review_comment_message AS body, r.n AS _source_row
    FROM reviews r
    JOIN utc ON local = TRY_CAST(r.review_answer_timestamp AS TIMESTAMP)
    LEFT JOIN (SELECT order_id, arg_min(person, n) AS person
               FROM placed GROUP BY order_id) o USING (order_id)
    ORDER BY r.n
"""


def _queries(have: set[str], context: ImportContext) -> dict[str, str]:
    statuses = " ".join(
        f"WHEN order_status = '{given}' THEN '{state}'"
        for given, state in STATUSES.items()
    )
    listed = "SELECT product_id, product_category_name, n FROM products"
    unlisted = (
        "SELECT product_id, NULL, n FROM first_sale "
        "WHERE product_id NOT IN (SELECT product_id FROM products "
        "WHERE product_id IS NOT NULL)"
    )
    known = f"""
        WITH first_sale AS ({_FIRST_SALE}),
        known AS ({listed} UNION ALL {unlisted}),
        english AS (
            SELECT product_category_name AS given,
                   arg_min(product_category_name_english, n) AS english
            FROM translation GROUP BY given)
        SELECT k.product_id, {{columns}} f.placed AS created_at, k.n AS _source_row
        FROM known k LEFT JOIN first_sale f USING (product_id)
        LEFT JOIN english e ON e.given = k.product_category_name
        ORDER BY k.n
    """
    category = "coalesce(e.english, k.product_category_name) AS category,"
    supplier = "k.product_id AS variant_id, f.seller_id AS supplier_id,"
    queries = {
        "customers": _CUSTOMERS,
        "products": known.format(columns=f"{category} 'active' AS status,"),
        "variants": known.format(columns=supplier),
        "orders": _ORDERS.format(statuses=statuses),
        "order_lines": _LINES,
    }
    if "sellers" in have:
        queries["suppliers"] = (
            "SELECT seller_id AS supplier_id, n AS _source_row FROM sellers ORDER BY n"
        )
    if "reviews" in have:
        queries["reviews"] = _REVIEWS
    return queries


def _supporting(con: duckdb.DuckDBPyConnection, have: set[str]) -> tuple[int, ...]:
    """Rows that only add to others: payments, places, names, repeated customers."""
    rows: list[int] = []
    for name in ("customers", "payments", "geolocation", "translation"):
        if name in have:
            found = con.execute(f"SELECT n FROM {name} ORDER BY n").fetchall()
            rows += [row[0] for row in found]
    return tuple(rows)


def _notes(files: dict[str, SourceFile], context: ImportContext) -> tuple[str, ...]:
    absent = [name for name in FILES if name not in files]
    notes = [
        f"Times are read as local time of {context.timezone}; amounts as reais.",
        "Cancellations have no date; they count from the latest date on the order.",
        "The source has no product titles, costs, stock or visits; payments and "
        "places are read but make no facts.",
        "The published 8,135-order subset holds every undelivered order but 5.36 % of "
        "the delivered ones; a delivered order stands for 18.65. No weight is applied.",
    ]
    if absent:
        notes.append(f"Not in the folder: {', '.join(absent)}.")
    return tuple(notes)
