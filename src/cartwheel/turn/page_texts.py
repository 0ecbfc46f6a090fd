"""What a turn read of the pages that are to be changed, are changed, or were."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from cartwheel.channels.pages import KIND, shown_beside
from cartwheel.operations import decisions, reading
from cartwheel.shop import Shop
from cartwheel.turn.stage import Stage
from cartwheel.turn.steps import TurnRow

if TYPE_CHECKING:
    import pyarrow as pa

KEPT = (
    "title",
    "description",
    "page_html",
    "category",
    "brand",
    "url",
    "image_url",
    "attributes",
    "active",
)


def page_texts(
    shop: Shop, row: TurnRow, stage: Stage, tables: Mapping[str, pa.Table]
) -> dict[str, dict[str, Any]]:
    """Return texts, prices and stock of products whose page has or had a fix.

    So are those of products that stand beside them in a table.

    Args:
        shop: The shop.
        row: The turn.
        stage: Its folder, with what passed the gate.
        tables: Its signals.
    """
    wanted = _changed_before(shop)
    for line in stage.read_lines("gate", "rows"):
        item = json.loads(line)
        if item["kind"] == KIND:
            wanted.add(item["subject"].partition(":")[2])
            wanted.update(shown_beside(json.loads(item["action"])))
    listing = tables.get("listing")
    if not wanted or listing is None:
        return {}
    offers = _offers(tables, wanted)
    return {
        item["product_id"]: {
            **{name: item[name] for name in KEPT},
            **offers.get(item["product_id"], {}),
            "currency": row.settings.currency,
            "minor_digits": row.settings.minor_digits,
        }
        for item in listing.to_pylist()
        if item["product_id"] in wanted
    }


def _changed_before(shop: Shop) -> set[str]:
    query = select(decisions.c.subject, decisions.c.action).where(
        decisions.c.kind == KIND,
        decisions.c.state.in_(["approved", "applied", "reverted", "expired"]),
    )
    found: set[str] = set()
    with reading(shop.database) as con:
        for row in con.execute(query):
            found.add(row.subject.partition(":")[2])
            found.update(shown_beside(json.loads(row.action)))
    return found


def _offers(
    tables: Mapping[str, pa.Table], wanted: set[str]
) -> dict[str, dict[str, Any]]:
    """Return the span of prices and whether anything is in stock, by product."""
    catalogue, stock = tables.get("catalogue"), tables.get("stock")
    held = {
        item["variant_id"]: item["on_hand_units"]
        for item in ([] if stock is None else stock.to_pylist())
    }
    found: dict[str, dict[str, Any]] = {}
    for item in [] if catalogue is None else catalogue.to_pylist():
        if item["product_id"] not in wanted:
            continue
        one = found.setdefault(
            item["product_id"],
            {"low_minor": None, "high_minor": None, "variants": 0, "in_stock": None},
        )
        one["variants"] += 1
        price, units = item["price_minor"], held.get(item["variant_id"])
        if price is not None:
            low, high = one["low_minor"], one["high_minor"]
            one["low_minor"] = price if low is None else min(low, price)
            one["high_minor"] = price if high is None else max(high, price)
        if units is not None:
            one["in_stock"] = bool(one["in_stock"]) or units > 0
    return found
