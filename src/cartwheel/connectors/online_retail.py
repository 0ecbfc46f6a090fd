"""UCI Online Retail: one file of invoice lines of a British giftware shop.

The set is "Online Retail", D. Chen, S. L. Sain, K. Guo (2012), UCI Machine Learning
Repository, DOI 10.24432/C5BW33. How its peculiarities are read:

- Exact repeats of a row are duplicates.
- An invoice is an order, placed at the earliest time on it; times are local.
- An invoice "C..." gives money back: each row is a refund. It does not say which
  order it refers to.
- Codes that are no product (postage, bank charges, manual entries, ...) become lines
  of another kind without a product; gift vouchers are gift cards.
- Stock write-offs, adjustments and bad debt are not sales: rejected, with the reason.
- A product's title is the description on its sales. Each further description makes
  a version of the product, known from its first appearance, so that no day sees a
  title of a later one.
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
    import pyarrow as pa

COLUMNS = (
    "InvoiceNo",
    "StockCode",
    "Description",
    "Quantity",
    "InvoiceDate",
    "UnitPrice",
    "CustomerID",
    "Country",
)

CODE_KINDS = {
    "POST": "shipping",
    "DOT": "shipping",
    "C2": "shipping",
    "D": "discount",
    "M": "adjustment",
    "S": "adjustment",
    "PADS": "adjustment",
    "B": "adjustment",
    "BANK CHARGES": "fee",
    "AMAZONFEE": "fee",
    "CRUK": "fee",
}
"""Codes that are no product, by the kind of line they make."""

GIFT_CARDS = "GIFT_"

# First matching row wins; the condition is SQL over the columns of `lines`.
REJECTIONS = (
    ("InvoiceNo", "invoice IS NULL", "missing"),
    ("StockCode", "code IS NULL", "missing"),
    ("Quantity", "quantity IS NULL", "not a whole number"),
    ("InvoiceDate", "moment IS NULL", "not a date and time"),
    ("UnitPrice", "price IS NULL OR NOT isfinite(price)", "not a number"),
    ("UnitPrice", "abs(price) > 1e9", "expected at most 1,000,000,000"),
    ("Quantity", "abs(quantity) > 1e9", "expected at most 1,000,000,000"),
    (
        "CustomerID",
        "customer IS NULL AND CustomerID IS NOT NULL",
        "not a whole number",
    ),
    ("StockCode", "code = 'B'", "an accounting entry (bad debt), not a sale"),
    ("UnitPrice", "price < 0", "an accounting entry (negative price), not a sale"),
    ("Quantity", "credit AND quantity > 0", "a cancellation needs a negative quantity"),
    (
        "Quantity",
        "NOT credit AND quantity < 0 AND price = 0",
        "a stock write-off (negative quantity, no price), not a sale",
    ),
    (
        "Quantity",
        "NOT credit AND quantity < 0",
        "negative, but the invoice is not a cancellation",
    ),
    (
        "UnitPrice",
        "price = 0 AND customer IS NULL",
        "a stock adjustment (no price, no customer), not a sale",
    ),
)


class OnlineRetail:
    """Reads the UCI Online Retail file."""

    kind = "online-retail"
    accepts = "The UCI Online Retail file, as Parquet or CSV."

    def read(self, path: Path, context: ImportContext) -> Harvest:
        """Read the file.

        Raises:
            Misuse: If the shop does not sell in pounds, or the file is missing, empty,
                of the wrong kind, truncated, or lacks a column.
        """
        import duckdb

        if context.currency != "GBP":
            raise Misuse(
                "Amounts in Online Retail are pounds sterling; the shop's currency is "
                f"{context.currency}.",
                "Import it into a shop made with --currency GBP.",
            )
        with duckdb.connect(":memory:", config={"threads": 2}) as con:
            source = load_source(con, path, "source", COLUMNS)
            _make_lines(con, context)
            return _harvest(con, source, context)


def _make_lines(con: duckdb.DuckDBPyConnection, context: ImportContext) -> None:
    """Make `sale`: every row typed and judged, times in UTC, money in pence."""
    _make_typed(con)
    add_utc_table(con, "SELECT moment FROM typed", zone=context.timezone)
    cases = " ".join(
        f"WHEN {condition} THEN {number}"
        for number, (_, condition, _) in enumerate(REJECTIONS)
    )
    scale = 10**context.minor_digits
    kinds = " ".join(
        f"WHEN code = '{code}' THEN '{kind}'" for code, kind in CODE_KINDS.items()
    )
    con.execute(
        f"""
        CREATE TEMP TABLE judged AS
        SELECT * EXCLUDE (moment), utc AS moment,
               CASE WHEN n > first_n THEN -1 {cases} END AS verdict,
               CASE {kinds} WHEN starts_with(code, '{GIFT_CARDS}') THEN 'gift_card'
                    ELSE 'product' END AS kind,
               {_pence("price", scale)} AS price_minor,
               {_pence("-quantity * price", scale)} AS refund_minor
        FROM typed LEFT JOIN utc ON typed.moment = utc.local
        """
    )
    con.execute(
        """
        CREATE TEMP TABLE sale AS
        SELECT n, invoice, code, description, quantity, price, customer, country,
               credit, kind, price_minor, refund_minor, moment AS row_moment,
               min(moment) OVER (PARTITION BY invoice) AS moment,
               CAST(row_number() OVER (PARTITION BY invoice ORDER BY n) AS VARCHAR)
                   AS line_id,
               verdict
        FROM judged WHERE verdict IS NULL OR verdict >= 0
        """
    )
    con.execute("DELETE FROM sale WHERE verdict IS NOT NULL")


def _make_typed(con: duckdb.DuckDBPyConnection) -> None:
    listed = ", ".join(f'"{name}"' for name in COLUMNS)
    con.execute(
        f"""
        CREATE TEMP TABLE typed AS
        SELECT n, min(n) OVER (PARTITION BY {listed}) AS first_n,
               nullif(upper(trim(InvoiceNo)), '') AS invoice,
               starts_with(upper(trim(InvoiceNo)), 'C') AS credit,
               nullif(upper(trim(StockCode)), '') AS code,
               nullif(trim(Description), '') AS description,
               {_whole("Quantity")} AS quantity,
               {_instant("InvoiceDate")} AS moment,
               TRY_CAST(UnitPrice AS DOUBLE) AS price,
               CAST({_whole("CustomerID")} AS VARCHAR) AS customer,
               CustomerID,
               nullif(trim(Country), '') AS country
        FROM source
        """
    )


def _whole(name: str) -> str:
    """SQL of a whole number as given, also written "17850.0"."""
    number = f"TRY_CAST({name} AS DOUBLE)"
    return f"CASE WHEN {number} = floor({number}) THEN TRY_CAST({number} AS BIGINT) END"


def _instant(name: str) -> str:
    """SQL of a local time: ISO 8601, or the published month/day/year."""
    return (
        f"coalesce(TRY_CAST({name} AS TIMESTAMP), "
        f"try_strptime({name}, ['%m/%d/%Y %H:%M', '%m/%d/%y %H:%M']))"
    )


def _pence(amount: str, scale: int) -> str:
    # Rounding to 6 places first takes the float's noise off an exact half.
    return f"CAST(round_even(round(({amount}) * {scale}, 6), 0) AS BIGINT)"


def _harvest(
    con: duckdb.DuckDBPyConnection, source: SourceFile, context: ImportContext
) -> Harvest:
    repeated = con.execute(
        "SELECT n FROM judged WHERE verdict = -1 ORDER BY n"
    ).fetchall()
    return Harvest(
        files=(source,),
        facts={name: _arrow(con, query) for name, query in FACTS.items()},
        rejects=_rejects(con),
        duplicates=tuple(row[0] for row in repeated),
        notes=_notes(con, context),
    )


def _arrow(con: duckdb.DuckDBPyConnection, query: str) -> pa.Table:
    return con.execute(query).to_arrow_table()


def _rejects(con: duckdb.DuckDBPyConnection) -> tuple[Reject, ...]:
    rejects: list[Reject] = []
    for number, (field, _, reason) in enumerate(REJECTIONS):
        rows = con.execute(
            f"""
            SELECT n, coalesce(left(s."{field}", 200), '')
            FROM judged JOIN source s USING (n) WHERE verdict = {number} ORDER BY n
            """
        ).fetchall()
        rejects += [
            Reject(source_row=n, field=field, value=value, reason=reason)
            for n, value in rows
        ]
    return tuple(rejects)


def _notes(con: duckdb.DuckDBPyConnection, context: ImportContext) -> tuple[str, ...]:
    fine, moved = _pair(
        con,
        "SELECT count(*) FILTER (abs(price * 100 - price_minor) > 1e-6), "
        "count(DISTINCT invoice) FILTER (row_moment <> moment) FROM sale",
    )
    free, free_units = _pair(
        con,
        "SELECT count(*), coalesce(sum(quantity), 0) FROM sale "
        "WHERE price = 0 AND kind = 'product'",
    )
    return (
        f"Times are read as local time of {context.timezone}; amounts as pounds.",
        f"{fine} prices with fractions of a penny were rounded, halves to even.",
        f"{moved} invoices carry two times; the earlier counts.",
        f"{free} product lines ({free_units} units) were given away at price 0.",
        "Cancellations do not name the order they cancel.",
        "The source has no costs, stock, list prices or visits.",
    )


def _pair(con: duckdb.DuckDBPyConnection, query: str) -> tuple[int, int]:
    row = con.execute(query).fetchone()
    return (int(row[0]), int(row[1])) if row else (0, 0)


# A damage or stock note is no title: titles are mostly capitals, or begin with one on
# a row that somebody paid for ("Dad's Cab Electronic Meter").
_TITLE = """
    CASE WHEN length(regexp_replace(description, '[^A-Z]', '', 'g'))
              > length(regexp_replace(description, '[^a-z]', '', 'g'))
          AND NOT starts_with(description, '?') THEN description
         WHEN price > 0 AND regexp_matches(description, '^[*]?[A-Z]') THEN description
    END
"""

FACTS = {
    "customers": """
        SELECT customer AS customer_id, arg_min(country, (moment, n)) AS country,
               min(moment) AS created_at, arg_min(n, (moment, n)) AS _source_row
        FROM sale WHERE customer IS NOT NULL GROUP BY customer ORDER BY _source_row
    """,
    "products": f"""
        WITH titled AS (
            SELECT code, moment, n, {_TITLE} AS title FROM sale WHERE kind = 'product'),
        first_sale AS (
            SELECT code, arg_min(title, (moment, n)) AS title, min(moment) AS moment,
                   arg_min(n, (moment, n)) AS n,
                   arg_min(title IS NULL, (moment, n)) AS untitled
            FROM titled GROUP BY code),
        first_title AS (
            SELECT code, title, min(moment) AS moment, arg_min(n, (moment, n)) AS n
            FROM titled WHERE title IS NOT NULL GROUP BY code, title)
        SELECT code AS product_id, title, 'active' AS status, moment AS created_at,
               n AS _source_row
        FROM (FROM first_title UNION ALL
              SELECT code, NULL, moment, n FROM first_sale WHERE untitled)
        ORDER BY _source_row
    """,
    "variants": """
        SELECT code AS variant_id, code AS product_id, code AS sku,
               min(moment) AS created_at, arg_min(n, (moment, n)) AS _source_row
        FROM sale WHERE kind = 'product' GROUP BY code ORDER BY _source_row
    """,
    "orders": """
        SELECT invoice AS order_id, arg_min(customer, n) AS customer_id,
               min(moment) AS placed_at, min(moment) AS updated_at, 'paid' AS status,
               'GBP' AS currency, min(n) AS _source_row
        FROM sale WHERE NOT credit GROUP BY invoice ORDER BY _source_row
    """,
    "order_lines": """
        SELECT invoice AS order_id, line_id, moment AS placed_at,
               customer AS customer_id, kind,
               CASE WHEN kind = 'product' THEN code END AS product_id,
               CASE WHEN kind = 'product' THEN code END AS variant_id,
               description AS title, quantity AS quantity_units,
               price_minor AS unit_price_minor, n AS _source_row
        FROM sale WHERE NOT credit ORDER BY n
    """,
    "refunds": """
        SELECT invoice AS refund_id, line_id, customer AS customer_id,
               CASE WHEN kind = 'product' THEN code END AS product_id,
               CASE WHEN kind = 'product' THEN code END AS variant_id,
               moment AS refunded_at, -quantity AS quantity_units,
               refund_minor AS amount_minor,
               CASE WHEN kind IN ('product', 'gift_card') THEN 'cancellation'
                    ELSE kind END AS reason,
               n AS _source_row
        FROM sale WHERE credit ORDER BY n
    """,
}
"""Query of each fact table over `sale`."""
