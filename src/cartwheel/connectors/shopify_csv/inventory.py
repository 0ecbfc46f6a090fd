"""The inventory export: places and their stock."""

from __future__ import annotations

from typing import Any

from cartwheel.connectors.shopify_csv.exports import Export
from cartwheel.connectors.shopify_csv.gathered import Gathered
from cartwheel.connectors.shopify_csv.products import (
    Catalogue,
    option_values,
    variant_id,
)


def read_inventory(
    exports: list[Export], gathered: Gathered, catalogue: Catalogue
) -> None:
    """Gather the stock levels of every inventory export.

    A row that says "not stocked" brings no level; it counts as read.
    """
    for export in exports:
        gathered.refuse_faults(export)
        only_on_hand = False
        for at in range(export.size):
            row = export.row(at)
            if at in export.faults:
                continue
            cells = {name: values[at] for name, values in export.cells.items()}
            variant = _variant(cells, catalogue)
            if cells["location"] is None or variant is None:
                column = "Location" if cells["location"] is None else "Handle"
                gathered.refuse(row, column, "", "missing")
                continue
            available = cells["available"]
            if available is None and cells["on_hand"] is not None:
                available, only_on_hand = cells["on_hand"], True
            if available is None:
                if at in export.not_stocked:
                    gathered.support(row)
                else:
                    gathered.refuse(row, "Available", "", "missing")
                continue
            gathered.add(
                "inventory_levels",
                row,
                variant_id=variant,
                location_id=cells["location"],
                counted_at=export.exported_at,
                available_units=available,
                incoming_units=cells["incoming"],
            )
        gathered.notes.append(
            f"{export.sheet.name}: counted at {export.exported_at} UTC, the file's time"
        )
        if only_on_hand:
            gathered.notes.append(f"{export.sheet.name}: on hand taken as available")


def _variant(cells: dict[str, Any], catalogue: Catalogue) -> str | None:
    if cells["handle"] is not None:
        return variant_id(cells["handle"], option_values(cells))
    article = catalogue.find(cells["sku"], None)
    return article.variant_id if article is not None else cells["sku"]


def add_locations(gathered: Gathered) -> None:
    """Add each place named by a level or an order line, once."""
    first: dict[str, int] = {}
    for table in ("inventory_levels", "order_lines"):
        for fact in gathered.facts.get(table, ()):
            place = fact.get("location_id")
            if place is not None:
                first.setdefault(place, fact["_source_row"])
    for place, row in first.items():
        gathered.add("locations", row, location_id=place, name=place)
