"""`csv`: a file per fact table, CSV or Parquet, as in docs/csv-layout.md."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cartwheel.connectors.base import (
    SOURCE_ROW,
    Harvest,
    ImportContext,
    Reject,
    SourceFile,
)
from cartwheel.connectors.cells import Sheet, make_reject, read_csv, read_parquet
from cartwheel.connectors.detect import LAYOUT_FILE, Stated, normalise, read_stated
from cartwheel.connectors.repeats import settle_repeats
from cartwheel.connectors.values import (
    Parsed,
    parse_bool,
    parse_instant,
    parse_integer,
    parse_money,
    parse_text,
)
from cartwheel.errors import Misuse
from cartwheel.lake.tables import TABLE_BY_NAME, TABLES, Column, FactTable

if TYPE_CHECKING:
    import pyarrow as pa

WRITTEN_BY_THE_WHEEL = frozenset(
    {"answers", "outcomes", "theme_corrections", "fix_effects"}
)
"""Tables that only the wheel itself fills."""

ACCEPTED: tuple[FactTable, ...] = tuple(
    table for table in TABLES if table.name not in WRITTEN_BY_THE_WHEEL
)
SUFFIXES = (".csv", ".csv.gz", ".parquet")

SYNONYMS: Mapping[str, str] = {
    "qty": "quantity_units",
    "e_mail": "email",
    "email_address": "email",
    "phone_number": "phone",
    "stars": "rating",
    "comment": "body",
    "order_number": "order_id",
    "line_number": "line_id",
    "order_date": "placed_at",
}
"""Other header names, normalised, that are understood as a column."""

DERIVED: Mapping[tuple[str, str], str] = {
    ("orders", "updated_at"): "placed_at",
    ("questions", "updated_at"): "asked_at",
    ("variants", "product_id"): "variant_id",
}
"""Columns that take another column's values when the file does not have them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Source:
    """One file and what its headers were understood as.

    Attributes:
        table: Fact table it holds.
        sheet: Its cells.
        used: Header name by column of the table.
        amounts: Money columns given as decimal amounts instead of minor units.
        first_row: Number of its first row over all files.
    """

    table: FactTable
    sheet: Sheet
    used: Mapping[str, str]
    amounts: frozenset[str]
    first_row: int


class CsvFolder:
    """Reads a folder of files named after the fact tables, or one such file."""

    kind = "csv"
    accepts = (
        "A folder of files named after the fact tables (orders.csv, products.parquet, "
        "...), or one such file."
    )

    def read(self, path: Path, context: ImportContext) -> Harvest:
        """Read every file that is named after a table.

        Raises:
            Misuse: If the path is missing, holds no such file, or a file is empty,
                broken or lacks a needed column.
        """
        found, notes = find_files(path)
        stated = read_stated(path if path.is_dir() else path.parent)
        sources: list[_Source] = []
        present = {table.name for table, _ in found}
        first_row = 0
        for table, file in found:
            source = _open(table, file, stated, present, first_row)
            sources.append(source)
            first_row += source.sheet.rows
        facts: dict[str, pa.Table] = {}
        rejects: list[Reject] = []
        for source in sources:
            parsed = _parse(source, context, rejects, notes)
            facts[source.table.name] = parsed
        if "order_lines" in facts:
            _fill_products(facts, notes)
            rejects.extend(_fill_from_orders(facts, notes))
        facts, duplicates, conflicts = settle_repeats(facts)
        return Harvest(
            files=tuple(_source_file(source) for source in sources),
            facts=facts,
            rejects=(*rejects, *conflicts),
            duplicates=duplicates,
            notes=tuple(notes),
        )


def find_files(path: Path) -> tuple[list[tuple[FactTable, Path]], list[str]]:
    """Return the files to read in the tables' order, and notes on the others.

    Raises:
        Misuse: If there is none, or two files hold the same table.
    """
    if not path.exists():
        raise Misuse(f"{path} does not exist.", "Check the path.")
    files = sorted(path.iterdir()) if path.is_dir() else [path]
    by_table: dict[str, Path] = {}
    notes: list[str] = []
    for file in files:
        name = _table_name(file)
        if name is None:
            if file.is_file() and file.name != LAYOUT_FILE and file.name[0] != ".":
                notes.append(f"{file.name}: not named after a table, not read")
            continue
        if name in by_table:
            raise Misuse(
                f"{by_table[name].name} and {file.name} both hold {name}.",
                "Keep one of them.",
            )
        by_table[name] = file
    if not by_table:
        names = ", ".join(table.name for table in ACCEPTED)
        raise Misuse(
            f"{path} holds no file named after a table; expected {names} with "
            f"{', '.join(SUFFIXES)}.",
            "Name each file after its table, as in docs/csv-layout.md.",
        )
    return [(t, by_table[t.name]) for t in ACCEPTED if t.name in by_table], notes


def _table_name(file: Path) -> str | None:
    lower = file.name.lower()
    for suffix in sorted(SUFFIXES, key=len, reverse=True):
        name = normalise(lower.removesuffix(suffix))
        known = name in TABLE_BY_NAME and name not in WRITTEN_BY_THE_WHEEL
        if lower.endswith(suffix) and known and file.is_file():
            return name
    return None


def _open(
    table: FactTable, file: Path, stated: Stated, present: set[str], first_row: int
) -> _Source:
    headers = accepted_headers(table)
    if file.stat().st_size == 0:
        raise Misuse(f"{file.name} is empty.", "Export it again, with its header.")
    if file.name.lower().endswith(".parquet"):
        sheet = read_parquet(file, name=file.name, stated=stated)
    else:
        sheet = read_csv(file, name=file.name, known=headers, stated=stated)
    used: dict[str, str] = {}
    amounts: set[str] = set()
    for label in sheet.header:
        if (column := headers.get(normalise(label))) is None:
            continue
        if column in used:
            raise Misuse(
                f"{file.name}: {used[column]!r} and {label!r} both mean {column}.",
                "Remove one of them.",
            )
        used[column] = label
        if column.endswith("_minor") and normalise(label) != column:
            amounts.add(column)
    _check_needed(file.name, table, set(used), present, sheet.header)
    kinds = {name: table.column(name).type for name in used}
    sheet = sheet.decided(
        numbers=[used[name] for name, kind in kinds.items() if kind == "int"],
        dates=[used[name] for name, kind in kinds.items() if kind == "instant"],
    )
    return _Source(
        table=table,
        sheet=sheet,
        used=used,
        amounts=frozenset(amounts),
        first_row=first_row,
    )


def accepted_headers(table: FactTable) -> dict[str, str]:
    """Return the column meant by each accepted header, headers normalised.

    The unit at the end of a name may be left out (`quantity`, `placed`); a money
    column without `_minor` is a decimal amount.
    """
    headers: dict[str, str] = {}
    for column in table.columns:
        name = column.name
        for suffix in ("_minor", "_units", "_at"):
            if name.endswith(suffix):
                headers.setdefault(name.removesuffix(suffix), name)
        if name.endswith("_at"):
            headers.setdefault(name.removesuffix("_at") + "_date", name)
    for synonym, name in SYNONYMS.items():
        if name in table.column_names:
            headers.setdefault(synonym, name)
    if len(table.key) == 1:
        headers.setdefault("id", table.key[0])
    return headers | {name: name for name in table.column_names}


def defaulted(table: FactTable, present: set[str], used: set[str]) -> set[str]:
    """Return the columns that a file of `table` may leave out."""
    free = {column.name for column in table.columns if not column.required}
    if table.name == "variants":
        free |= {"product_id"}
    if table.name == "order_lines":
        free |= {"line_id", "kind"}
        if "orders" in present and "order_id" in used:
            free |= {"placed_at"}
    return free


def _check_needed(
    name: str,
    table: FactTable,
    used: set[str],
    present: set[str],
    header: tuple[str, ...],
) -> None:
    needed = [c.name for c in table.columns if c.name not in used]
    missing = [c for c in needed if c not in defaulted(table, present, used)]
    if not missing:
        return
    headers = accepted_headers(table)
    ways = "; ".join(
        f"{column} (also accepted: "
        + ", ".join(sorted(h for h, c in headers.items() if c == column != h))
        + ")"
        if any(c == column != h for h, c in headers.items())
        else column
        for column in missing
    )
    hint = " or put an orders file beside it" if "placed_at" in missing else ""
    raise Misuse(
        f"{name} lacks {ways}. It has {', '.join(header)[:300]}.",
        f"Add the column{hint}; docs/csv-layout.md lists all of {table.name}.",
    )


def _parse(
    source: _Source, context: ImportContext, rejects: list[Reject], notes: list[str]
) -> pa.Table:
    """Return the facts of one file; refuse rows with a cell that cannot be read."""
    import numpy as np
    import pyarrow as pa

    sheet, table = source.sheet, source.table
    rows = np.asarray(sheet.source_rows, dtype=np.int64)
    good = np.ones(len(rows), dtype=bool)
    columns: dict[str, pa.Array] = {}
    for reject in sheet.rejects:
        rejects.append(_shifted(reject, source.first_row))
    for column in table.columns:
        label = source.used.get(column.name)
        if label is None:
            continue
        parsed = _parse_column(source, column, label, context)
        columns[column.name] = parsed.values
        notes.extend(f"{sheet.name}: {label}: {note}" for note in parsed.notes)
        for at in sorted(parsed.faults):
            if good[at]:
                good[at] = False
                value = sheet.columns[label][at].as_py() or ""
                row = int(rows[at]) + source.first_row
                rejects.append(make_reject(row, label, value, parsed.faults[at]))
    _note_headers(source, notes)
    columns[SOURCE_ROW] = pa.array(rows + source.first_row)
    facts = pa.table(columns).filter(pa.array(good))
    return _derive(facts, source, notes)


def _parse_column(
    source: _Source, column: Column, label: str, context: ImportContext
) -> Parsed:
    cells = source.sheet.columns[label]
    layout = source.sheet.layout
    if column.name in source.amounts:
        return parse_money(
            cells,
            sign=layout.decimal,
            minor_digits=context.minor_digits,
            currency=context.currency,
        )
    if column.type == "int":
        return parse_integer(cells, sign=layout.decimal)
    if column.type == "bool":
        return parse_bool(cells)
    if column.type == "instant":
        zone = layout.stated.timezone or context.timezone
        return parse_instant(
            cells, order=layout.dates.get(label, "none"), timezone=zone
        )
    if column.type == "text":
        code = column.name.endswith("_id") or bool(column.choices)
        code = code or column.name in ("email", "sku", "currency", "phone", "country")
        lower = bool(column.choices) or column.name == "email"
        return parse_text(cells, trim=code, lower=lower)
    raise ValueError(f"{column.name}: a {column.type} column cannot be read from text")


def _note_headers(source: _Source, notes: list[str]) -> None:
    sheet = source.sheet
    taken = set(source.used.values())
    unknown = [repr(label) for label in sheet.header if label not in taken]
    if unknown:
        notes.append(f"{sheet.name}: columns not used: {', '.join(unknown)[:500]}")
    renamed = [
        f"{label!r} as {column}"
        for column, label in source.used.items()
        if label != column
    ]
    if renamed:
        notes.append(f"{sheet.name}: read {', '.join(renamed)}")


def _derive(facts: pa.Table, source: _Source, notes: list[str]) -> pa.Table:
    """Fill columns that follow from others of the same file."""
    import numpy as np
    import pyarrow as pa

    table, have = source.table, set(source.used)
    for (name, column), other in DERIVED.items():
        if name == table.name and column not in have and other in have:
            facts = facts.append_column(column, facts.column(other))
            notes.append(f"{source.sheet.name}: {column} taken from {other}")
    if table.name != "order_lines":
        return facts
    if "kind" not in have:
        facts = facts.append_column(
            "kind", pa.array(np.full(facts.num_rows, "product", dtype=object))
        )
        notes.append(f"{source.sheet.name}: every line taken as a product")
    if "line_id" not in have:
        facts = facts.append_column("line_id", _running_number(facts))
        notes.append(f"{source.sheet.name}: lines numbered within their order")
    return facts


def _running_number(facts: pa.Table) -> pa.Array:
    """Return the number of each line within its order, from 1, as text."""
    import pyarrow as pa

    seen: dict[str | None, int] = {}
    numbers = []
    for order in facts.column("order_id").to_pylist():
        seen[order] = seen.get(order, 0) + 1
        numbers.append(str(seen[order]))
    return pa.array(numbers, pa.string())


def _fill_products(facts: dict[str, pa.Table], notes: list[str]) -> None:
    """Give order lines their product or variant, where one follows from the other.

    Without a variants file every product is its own variant, as `variants` declares.
    """
    import duckdb

    lines, variants = facts["order_lines"], facts.get("variants")
    has_product = "product_id" in lines.column_names
    has_variant = "variant_id" in lines.column_names
    if has_product == has_variant:
        return
    given, other = (
        ("product_id", "variant_id")
        if has_product
        else (
            "variant_id",
            "product_id",
        )
    )
    if variants is None:
        facts["order_lines"] = lines.append_column(other, lines.column(given))
        notes.append(
            f"order_lines: {other} taken from {given}, as there is no variants"
        )
    elif not has_product:
        with duckdb.connect() as con:
            con.register("lines", lines)
            con.register("variants", variants)
            facts["order_lines"] = con.execute(
                "SELECT l.*, v.product_id FROM lines l LEFT JOIN (SELECT variant_id, "
                "max(product_id) AS product_id FROM variants GROUP BY variant_id) v "
                f"USING (variant_id) ORDER BY l.{SOURCE_ROW}"
            ).to_arrow_table()
        notes.append("order_lines: product_id taken from variants")


def _fill_from_orders(facts: dict[str, pa.Table], notes: list[str]) -> list[Reject]:
    """Give order lines the date and buyer of their order; refuse those without one."""
    import duckdb

    if "orders" not in facts:
        return []
    lines, orders = facts["order_lines"], facts["orders"]
    wanted = [
        name
        for name in ("placed_at", "customer_id")
        if name not in lines.column_names and name in orders.column_names
    ]
    if not wanted:
        return []
    since = "coalesce(o.updated_at, o.placed_at)"
    picked = ", ".join(f"arg_max(o.{n}, {since}) AS {n}" for n in wanted)
    with duckdb.connect() as con:
        con.register("lines", lines)
        con.register("orders", orders)
        filled = con.execute(
            f"SELECT l.*, {', '.join(f'p.{n}' for n in wanted)} FROM lines l LEFT JOIN "
            f"(SELECT order_id, {picked} FROM orders o GROUP BY order_id) p "
            f"USING (order_id) ORDER BY l.{SOURCE_ROW}"
        ).to_arrow_table()
    notes.append(f"order_lines: {' and '.join(wanted)} taken from orders")
    facts["order_lines"] = filled
    return _take_out_undated(facts) if "placed_at" in wanted else []


def _take_out_undated(facts: dict[str, pa.Table]) -> list[Reject]:
    import pyarrow.compute as pc

    lines = facts["order_lines"]
    undated = pc.is_null(lines.column("placed_at"))
    lost = lines.filter(undated)
    facts["order_lines"] = lines.filter(pc.invert(undated))
    rows = lost.column(SOURCE_ROW).to_pylist()
    ids = lost.column("order_id").to_pylist()
    reason = "the line has no placed_at, and no order of this id was read from orders"
    return [
        make_reject(row, "order_id", order or "", reason)
        for row, order in zip(rows, ids, strict=True)
    ]


def _shifted(reject: Reject, first_row: int) -> Reject:
    return make_reject(
        reject.source_row + first_row, reject.field, reject.value, reject.reason
    )


def _source_file(source: _Source) -> SourceFile:
    sheet = source.sheet
    return SourceFile(
        name=sheet.name,
        first_row=source.first_row,
        rows=sheet.rows,
        note=sheet.layout.note,
        lines=sheet.lines,
    )
