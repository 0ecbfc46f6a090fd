"""A shop with a handful of facts, written directly into its lake."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from cartwheel.lake.tables import BOOKKEEPING, TABLE_BY_NAME, ColumnType
from cartwheel.shop import Shop, make_shop
from cartwheel.signals.engine import compute, when_of

ARROW: dict[ColumnType, pa.DataType] = {
    "text": pa.string(),
    "int": pa.int64(),
    "float": pa.float64(),
    "bool": pa.bool_(),
    "instant": pa.timestamp("us"),
    "date": pa.date32(),
}
UNDATED = datetime(1970, 1, 1)
IMPORTED = datetime(2026, 6, 1)


class TinyLake:
    """Collects fact rows, writes them, and computes signals."""

    def __init__(self, folder: Path, *, timezone: str = "UTC") -> None:
        self.shop: Shop = make_shop(folder / "shop", currency="EUR", timezone=timezone)
        self._waiting: dict[str, list[dict[str, Any]]] = {}
        self._charges = 0

    def add(self, table: str, known_at: str | None = None, **values: Any) -> None:
        """Add one row; texts for instants, `known_at` from the dating column."""
        declared = TABLE_BY_NAME[table]
        row = dict.fromkeys(declared.column_names)
        for name, value in values.items():
            instant = declared.column(name).type == "instant"
            row[name] = datetime.fromisoformat(value) if instant and value else value
        dated = row.get(declared.dated_by) if declared.dated_by else None
        known = datetime.fromisoformat(known_at) if known_at else dated
        row["known_at"] = known or UNDATED
        row["imported_at"] = IMPORTED
        row["batch"] = "test"
        row["content_hash"] = hashlib.md5(
            repr(sorted(values.items())).encode()
        ).hexdigest()
        self._waiting.setdefault(table, []).append(row)

    def sale(
        self,
        order: str,
        variant: str,
        at: str,
        units: int = 1,
        price: int = 1000,
        customer: str | None = None,
        *,
        product: str | None = None,
        status: str = "paid",
        discount: int | None = None,
        order_discount: int | None = None,
        new_order: bool = True,
    ) -> None:
        """Add a line; with its order unless `new_order` is off."""
        if new_order:
            self.add(
                "orders",
                order_id=order,
                customer_id=customer,
                placed_at=at,
                updated_at=at,
                status=status,
                discount_minor=order_discount,
            )
        self._charges += 1
        self.add(
            "order_lines",
            order_id=order,
            line_id=f"{self._charges}",
            placed_at=at,
            customer_id=customer,
            kind="product",
            product_id=product or variant,
            variant_id=variant,
            title=f"Title of {variant}",
            quantity_units=units,
            unit_price_minor=price,
            discount_minor=discount,
        )

    def write(self) -> None:
        """Write what is waiting."""
        if self._waiting:
            with self.shop.lake.transaction("test", "rows") as con:
                for table, rows in self._waiting.items():
                    columns = TABLE_BY_NAME[table].columns + BOOKKEEPING
                    schema = pa.schema([(c.name, ARROW[c.type]) for c in columns])
                    con.register("waiting", pa.Table.from_pylist(rows, schema=schema))
                    con.execute(
                        f"INSERT INTO lake.{table} BY NAME SELECT * FROM waiting"
                    )
                    con.unregister("waiting")
            self._waiting.clear()

    def tables(
        self,
        as_of: str,
        *,
        cuts: Iterable[str] = (),
        only: Iterable[str] | None = None,
    ) -> dict[str, pa.Table]:
        """Return signals as Arrow tables, seen from the end of a day."""
        when = when_of(date.fromisoformat(as_of), self.shop.settings.timezone)
        self.write()
        with self.shop.lake.attached(read_only=True) as con:
            return compute(con, when, cuts=frozenset(cuts), only=only)

    def rows(
        self, signal: str, as_of: str, *, cuts: Iterable[str] = ()
    ) -> list[dict[str, Any]]:
        """Return one signal as rows, sorted by key."""
        found = self.tables(as_of, cuts=cuts, only=[signal])[signal].to_pylist()
        assert isinstance(found, list)
        return found
