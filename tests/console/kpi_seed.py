"""Facts of a year and the board a turn publishes of them, for tests of the KPI page."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

from cartwheel.measure.kpi import make_board, source_of
from cartwheel.operations import pages
from cartwheel.shop import Shop

PUBLISHED_ON = date(2026, 11, 19)
KNOWN = "TIMESTAMP '2026-12-01' AS imported_at, 'test' AS batch"


def add_facts(shop: Shop) -> None:
    """Add a year of one order and four visits a day; every seventh order a formula."""
    day = "TIMESTAMP '2025-12-01 12:00:00' + to_days(CAST(i AS INT))"
    name = "CASE WHEN i % 7 = 0 THEN '=SUM(' ELSE 'O' END || i"
    with shop.lake.transaction("test", "orders and visits") as con:
        con.execute(
            f"INSERT INTO lake.orders BY NAME SELECT {name} AS order_id, "
            f"'C' || (i % 90) AS customer_id, {day} AS placed_at, {day} AS updated_at, "
            f"'paid' AS status, {day} AS known_at, {KNOWN}, 'o' || i AS content_hash "
            "FROM range(360) AS t(i)"
        )
        con.execute(
            f"INSERT INTO lake.order_lines BY NAME SELECT {name} AS order_id, '1' AS "
            f"line_id, {day} AS placed_at, 'C' || (i % 90) AS customer_id, "
            "'product' AS kind, 'V1' AS product_id, 'V1' AS variant_id, "
            "1 AS quantity_units, 1000 + 10 * (i % 40) AS unit_price_minor, "
            f"{day} AS known_at, {KNOWN}, 'l' || i AS content_hash "
            "FROM range(360) AS t(i)"
        )
        con.execute(
            f"INSERT INTO lake.events BY NAME SELECT 'E' || i || '-' || j AS event_id, "
            f"'view' AS kind, {day} AS occurred_at, 'D' || (i % 50) || '-' || j "
            f"AS visitor_id, {day} AS known_at, {KNOWN}, 'e' AS content_hash "
            "FROM range(360) AS t(i), range(4) AS s(j)"
        )


def publish_board(shop: Shop, turn: int = 2) -> dict[str, Any]:
    """Publish the board of the published turn's day, as a turn does."""
    snapshot = shop.lake.snapshot()
    with source_of(shop, snapshot=snapshot) as source:
        board = {**make_board(source, PUBLISHED_ON), "snapshot": snapshot}
    with shop.database.begin() as con:
        con.execute(
            pages.insert().values(turn=turn, name="kpis", body=json.dumps(board))
        )
    return board
