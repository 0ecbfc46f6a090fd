"""The connector: finds the exports in a path and reads them in order of need."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from cartwheel.connectors.base import Harvest, ImportContext, SourceFile
from cartwheel.connectors.cells import Sheet, make_reject, read_csv
from cartwheel.connectors.detect import LAYOUT_FILE, normalise, read_stated
from cartwheel.connectors.repeats import settle_repeats
from cartwheel.connectors.shopify_csv.customers import phone_book, read_customers
from cartwheel.connectors.shopify_csv.exports import (
    Export,
    Kind,
    kind_of,
    known_headers,
    read_cells,
)
from cartwheel.connectors.shopify_csv.gathered import Gathered
from cartwheel.connectors.shopify_csv.inventory import add_locations, read_inventory
from cartwheel.connectors.shopify_csv.orders import add_met, read_orders
from cartwheel.connectors.shopify_csv.products import read_products
from cartwheel.errors import Misuse

_SUFFIXES = (".csv", ".csv.gz")
_NEEDED: dict[Kind, tuple[tuple[str, ...], ...]] = {
    "products": (("handle", "url_handle"), ("title",)),
    "customers": (("email",),),
    "orders": (
        ("created_at",),
        ("lineitem_name", "lineitem_sku"),
        ("lineitem_quantity",),
        ("lineitem_price",),
    ),
    "inventory": (("location",), ("handle", "sku")),
}
"""Headers without which an export of a kind says nothing; one of each is needed."""


class ShopifyCsv:
    """Reads the CSV exports of a Shopify shop's admin pages."""

    kind = "shopify-csv"
    accepts = (
        "A folder with any of Shopify's products, customers, orders and inventory "
        "exports (CSV), or one of them."
    )

    def read(self, path: Path, context: ImportContext) -> Harvest:
        """Read every export found.

        Raises:
            Misuse: If the path is missing, holds no export, or a file is empty,
                broken or lacks a needed column.
        """
        exports, notes = _open(path, context)
        gathered = Gathered()
        gathered.notes.extend(notes)
        for export in exports:
            gathered.notes.extend(export.notes)
            for reject in export.sheet.rejects:
                row = reject.source_row + export.first_row
                gathered.rejects[row] = make_reject(
                    row, reject.field, reject.value, reject.reason
                )
        _gather(exports, gathered, context)
        facts, duplicates, conflicts = settle_repeats(gathered.tables())
        carried = {
            row
            for table in facts.values()
            for row in table.column("_source_row").to_pylist()
        }
        refused = {**gathered.rejects, **{r.source_row: r for r in conflicts}}
        spoken_for = carried | set(duplicates) | refused.keys()
        return Harvest(
            files=tuple(_source_file(export) for export in exports),
            facts=facts,
            rejects=tuple(refused[row] for row in sorted(refused)),
            duplicates=duplicates,
            supporting=tuple(sorted(gathered.supporting - spoken_for)),
            notes=tuple(gathered.notes),
        )


def _gather(exports: list[Export], gathered: Gathered, context: ImportContext) -> None:
    def of(kind: Kind) -> list[Export]:
        return [export for export in exports if export.kind == kind]

    with_stock = not of("inventory")
    catalogue = read_products(of("products"), gathered, with_stock=with_stock)
    phones = phone_book(of("customers"))
    buyers = read_orders(of("orders"), gathered, catalogue, phones, context)
    known = read_customers(of("customers"), gathered, buyers.first_orders())
    add_met(gathered, buyers, known)
    read_inventory(of("inventory"), gathered, catalogue)
    add_locations(gathered)


def _open(path: Path, context: ImportContext) -> tuple[list[Export], list[str]]:
    if not path.exists():
        raise Misuse(f"{path} does not exist.", "Check the path.")
    base = path if path.is_dir() else path.parent
    stated = read_stated(base)
    known = known_headers()
    exports: list[Export] = []
    notes: list[str] = []
    first_row = 0
    for file in _files(path):
        name = str(file.relative_to(base))
        sheet = read_csv(file, name=name, known=known, stated=stated)
        kind = kind_of(sheet.header)
        if kind is None:
            notes.append(f"{name}: no Shopify export by its header, not read")
            continue
        _check_needed(kind, sheet)
        export = read_cells(kind, sheet, first_row, file, context)
        notes.append(f"{name}: {kind} export")
        exports.append(export)
        first_row += sheet.rows
    if not exports:
        raise Misuse(
            f"{path} holds no Shopify export; expected CSV files with the headers of "
            "the products, customers, orders or inventory export.",
            f"Export them in the shop's admin pages. {' '.join(notes)}".strip(),
        )
    return exports, notes


def _files(path: Path) -> Iterable[Path]:
    if path.is_file():
        return [path]
    return sorted(
        file
        for file in path.rglob("*")
        if file.name.lower().endswith(_SUFFIXES)
        and file.is_file()
        and file.name != LAYOUT_FILE
    )


def _check_needed(kind: Kind, sheet: Sheet) -> None:
    have = {normalise(label) for label in sheet.header}
    for accepted in _NEEDED[kind]:
        if not have & set(accepted):
            raise Misuse(
                f"{sheet.name} looks like a Shopify {kind} export but lacks the column "
                f"{' or '.join(accepted)}.",
                "Export it again with every column.",
            )


def _source_file(export: Export) -> SourceFile:
    sheet = export.sheet
    return SourceFile(
        name=sheet.name,
        first_row=export.first_row,
        rows=sheet.rows,
        note=f"{export.kind} export, {sheet.layout.note}",
        lines=sheet.lines,
    )
