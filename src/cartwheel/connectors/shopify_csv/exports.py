"""Which export a file is, and its columns by one name whatever the dialect."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from cartwheel.connectors.base import ImportContext
from cartwheel.connectors.cells import Sheet
from cartwheel.connectors.detect import normalise
from cartwheel.connectors.values import (
    Parsed,
    parse_bool,
    parse_instant,
    parse_integer,
    parse_money,
    parse_text,
)

if TYPE_CHECKING:
    import pyarrow as pa

Kind = Literal["products", "customers", "orders", "inventory"]

_TEXT, _MONEY, _COUNT, _TIME, _FLAG = "text", "money", "count", "time", "flag"

_OPTIONS: dict[str, tuple[str, tuple[str, ...]]] = {
    f"option{n}": (_TEXT, (f"option{n}_value",)) for n in (1, 2, 3)
}

COLUMNS: Mapping[Kind, Mapping[str, tuple[str, tuple[str, ...]]]] = {
    "products": _OPTIONS
    | {
        "handle": (_TEXT, ("handle", "url_handle")),
        "title": (_TEXT, ("title",)),
        "body": (_TEXT, ("body_html", "description")),
        "vendor": (_TEXT, ("vendor",)),
        "category": (_TEXT, ("product_category",)),
        "type": (_TEXT, ("type",)),
        "tags": (_TEXT, ("tags",)),
        "published": (_FLAG, ("published", "published_on_online_store")),
        "status": (_TEXT, ("status",)),
        "created_at": (_TIME, ("created_at",)),
        "sku": (_TEXT, ("variant_sku", "sku")),
        "tracker": (_TEXT, ("variant_inventory_tracker", "inventory_tracker")),
        "available": (_COUNT, ("variant_inventory_qty", "inventory_quantity")),
        "price": (_MONEY, ("variant_price", "price")),
        "compare_at": (_MONEY, ("variant_compare_at_price", "compare_at_price")),
        "cost": (_MONEY, ("cost_per_item",)),
        "gift_card": (_FLAG, ("gift_card",)),
        "image": (_TEXT, ("image_src", "product_image_url")),
        "gender": (_TEXT, ("google_shopping_gender",)),
        "age_group": (_TEXT, ("google_shopping_age_group",)),
    }
    | {f"option{n}_name": (_TEXT, (f"option{n}_name",)) for n in (1, 2, 3)},
    "customers": {
        "source_id": (_TEXT, ("customer_id",)),
        "first_name": (_TEXT, ("first_name",)),
        "last_name": (_TEXT, ("last_name",)),
        "email": (_TEXT, ("email",)),
        "phone": (_TEXT, ("phone", "default_address_phone")),
        "country": (
            _TEXT,
            ("default_address_country_code", "country_code", "country"),
        ),
        "region": (
            _TEXT,
            ("default_address_province_code", "province_code", "province"),
        ),
        "accepts_email": (_FLAG, ("accepts_email_marketing", "accepts_marketing")),
        "accepts_sms": (_FLAG, ("accepts_sms_marketing",)),
    },
    "orders": {
        "name": (_TEXT, ("name",)),
        "source_id": (_TEXT, ("id",)),
        "email": (_TEXT, ("email",)),
        "phone": (_TEXT, ("phone",)),
        "buyer": (_TEXT, ("billing_name", "shipping_name")),
        "country": (_TEXT, ("shipping_country", "billing_country")),
        "region": (_TEXT, ("shipping_province", "billing_province")),
        "financial": (_TEXT, ("financial_status",)),
        "fulfilment": (_TEXT, ("fulfillment_status",)),
        "placed_at": (_TIME, ("created_at",)),
        "paid_at": (_TIME, ("paid_at",)),
        "fulfilled_at": (_TIME, ("fulfilled_at",)),
        "cancelled_at": (_TIME, ("cancelled_at",)),
        "currency": (_TEXT, ("currency",)),
        "subtotal": (_MONEY, ("subtotal",)),
        "shipping": (_MONEY, ("shipping",)),
        "taxes": (_MONEY, ("taxes",)),
        "total": (_MONEY, ("total",)),
        "discount_code": (_TEXT, ("discount_code",)),
        "discount": (_MONEY, ("discount_amount",)),
        "refunded": (_MONEY, ("refunded_amount",)),
        "payment": (_TEXT, ("payment_method",)),
        "test": (_FLAG, ("test",)),
        "location": (_TEXT, ("location",)),
        "channel": (_TEXT, ("source",)),
        "line_name": (_TEXT, ("lineitem_name",)),
        "line_sku": (_TEXT, ("lineitem_sku",)),
        "line_quantity": (_COUNT, ("lineitem_quantity",)),
        "line_price": (_MONEY, ("lineitem_price",)),
        "line_discount": (_MONEY, ("lineitem_discount",)),
        "line_shipped": (_FLAG, ("lineitem_requires_shipping",)),
        "line_taxed": (_FLAG, ("lineitem_taxable",)),
    },
    "inventory": _OPTIONS
    | {
        "handle": (_TEXT, ("handle",)),
        "sku": (_TEXT, ("sku",)),
        "location": (_TEXT, ("location",)),
        "available": (_COUNT, ("available", "available_not_editable")),
        "on_hand": (_COUNT, ("on_hand_current", "on_hand")),
        "incoming": (_COUNT, ("incoming", "incoming_not_editable")),
    },
}
"""Type and accepted headers (normalised, in order of preference) by our name."""

NOT_STOCKED = r"(?i)^\s*not stocked\s*$"
_CODES = frozenset({"sku", "line_sku"})
_APOSTROPHE = frozenset({"source_id", "phone", "sku", "line_sku"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """One export file, its cells read.

    Attributes:
        kind: Which export.
        sheet: The file.
        first_row: Number of its first row over all files.
        exported_at: Time of the file, at most the import's (naive UTC).
        cells: Values by our name, one list of the sheet's length each; None where
            the cell is empty or the dialect has no such column.
        faults: Header, value and reason of the first unreadable cell, by position.
        not_stocked: Positions of inventory rows that say "not stocked".
        notes: Remarks on rounding and the like.
    """

    kind: Kind
    sheet: Sheet
    first_row: int
    exported_at: datetime
    cells: Mapping[str, list[Any]]
    faults: Mapping[int, tuple[str, str, str, str]]
    not_stocked: frozenset[int] = frozenset()
    notes: tuple[str, ...] = field(default_factory=tuple)

    @property
    def size(self) -> int:
        """Readable rows."""
        return len(self.sheet.source_rows)

    def row(self, at: int) -> int:
        """Return the source row over all files of a position."""
        return self.first_row + self.sheet.source_rows[at]


def known_headers() -> frozenset[str]:
    """Return every header understood, normalised."""
    return frozenset(
        header
        for columns in COLUMNS.values()
        for _, headers in columns.values()
        for header in headers
    )


def kind_of(header: tuple[str, ...]) -> Kind | None:
    """Return which export a header belongs to, None when it is none of them."""
    have = {normalise(label) for label in header}
    if "name" in have and {"lineitem_name", "lineitem_quantity"} & have:
        return "orders"
    counts = {"available", "available_not_editable", "on_hand", "on_hand_current"}
    if "location" in have and {"handle", "sku"} & have and counts & have:
        return "inventory"
    if {"handle", "url_handle"} & have and {"variant_price", "price", "title"} & have:
        return "products"
    consent = {"accepts_email_marketing", "accepts_marketing", "total_orders"}
    if {"email", "first_name"} <= have and consent & have:
        return "customers"
    return None


def file_time(path: Path, context: ImportContext) -> datetime:
    """Return when a file was written, at most the instant of the import."""
    written = datetime.fromtimestamp(int(path.stat().st_mtime), UTC)
    return min(written.replace(tzinfo=None), context.now)


def read_cells(
    kind: Kind, sheet: Sheet, first_row: int, path: Path, context: ImportContext
) -> Export:
    """Read the cells of an export into values."""
    labels: dict[str, str] = {}
    for label in sheet.header:
        labels.setdefault(normalise(label), label)
    chosen = {
        name: (parsing, [labels[header] for header in headers if header in labels])
        for name, (parsing, headers) in COLUMNS[kind].items()
    }
    sheet = sheet.decided(
        numbers=[
            x for p, found in chosen.values() if p in (_MONEY, _COUNT) for x in found
        ],
        dates=[x for p, found in chosen.values() if p == _TIME for x in found],
    )
    cells: dict[str, list[Any]] = {}
    faults: dict[int, tuple[str, str, str, str]] = {}
    not_stocked: set[int] = set()
    notes: list[str] = []
    for name, (parsing, found) in chosen.items():
        values: list[Any] = [None] * len(sheet.source_rows)
        for label in found:
            column = sheet.columns[label]
            if parsing == _COUNT:
                column, unstocked = _without_unstocked(column)
                not_stocked.update(unstocked)
            parsed = _parse(name, parsing, label, column, sheet, context)
            notes.extend(f"{sheet.name}: {label}: {note}" for note in parsed.notes)
            for at, reason in parsed.faults.items():
                value = sheet.columns[label][at].as_py() or ""
                faults.setdefault(at, (name, label, value, reason))
            values = [
                new if old is None else old
                for old, new in zip(values, parsed.values.to_pylist(), strict=True)
            ]
        cells[name] = values
    return Export(
        kind=kind,
        sheet=sheet,
        first_row=first_row,
        exported_at=file_time(path, context),
        cells=cells,
        faults=faults,
        not_stocked=frozenset(not_stocked),
        notes=tuple(notes),
    )


def _without_unstocked(
    column: pa.ChunkedArray,
) -> tuple[pa.ChunkedArray, list[int]]:
    import pyarrow.compute as pc

    unstocked = pc.fill_null(pc.match_substring_regex(column, NOT_STOCKED), False)
    return (
        pc.if_else(unstocked, "", column),
        pc.indices_nonzero(unstocked).to_pylist(),
    )


def _parse(
    name: str,
    parsing: str,
    label: str,
    column: pa.ChunkedArray,
    sheet: Sheet,
    context: ImportContext,
) -> Parsed:
    import pyarrow.compute as pc

    layout = sheet.layout
    if parsing == _MONEY:
        return parse_money(
            column,
            sign=layout.decimal,
            minor_digits=context.minor_digits,
            currency=context.currency,
        )
    if parsing == _COUNT:
        return parse_integer(column, sign=layout.decimal)
    if parsing == _FLAG:
        return parse_bool(column)
    if parsing == _TIME:
        zone = layout.stated.timezone or context.timezone
        order = layout.dates.get(label, "none")
        return parse_instant(column, order=order, timezone=zone)
    if name in _APOSTROPHE:  # written so that a spreadsheet keeps leading zeros
        column = pc.replace_substring_regex(column, r"^\s*'+", "")
    if name in _CODES:  # some exports break a code over two lines
        column = pc.replace_substring_regex(column, r"\s*[\r\n]+\s*", "")
    return parse_text(column, trim=True)
