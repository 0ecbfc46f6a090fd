"""A handful of facts in a DuckDB of its own, and the board counted from them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

import duckdb

from cartwheel.lake.tables import BOOKKEEPING, SQL_TYPES, TABLE_BY_NAME
from cartwheel.measure.kpi import Source, kpi_named, rows_behind, series
from cartwheel.measure.kpi.figure import Value

TODAY = date(2026, 3, 31)
"""The day looked from; its window is 4 to 31 March."""


def at(text: str, hour: int = 12) -> datetime:
    """Return noon of a day of 2026 given as month-day, or of any ISO day."""
    day = date.fromisoformat(text if len(text) > 5 else f"2026-{text}")
    return datetime(day.year, day.month, day.day, hour)


class Facts:
    """Fact tables to add to; tests look at them through `value` and `rows`."""

    def __init__(self, timezone: str = "UTC", parcel_minor: int | None = None) -> None:
        self.con = duckdb.connect(config={"threads": "1"})
        self.con.execute("CREATE SCHEMA made")
        for table in TABLE_BY_NAME.values():
            columns = ", ".join(
                f'"{c.name}" {SQL_TYPES[c.type]}'
                for c in (*table.columns, *BOOKKEEPING)
            )
            self.con.execute(f"CREATE TABLE made.{table.name} ({columns})")
        self.timezone, self.parcel_minor = timezone, parcel_minor
        self._added = 0
        self._waiting: dict[str, list[str]] = {}

    @property
    def source(self) -> Source:
        self.write()
        return Source(
            con=self.con,
            timezone=self.timezone,
            parcel_minor=self.parcel_minor,
            schema="made",
        )

    def add(self, table: str, known_at: datetime | None = None, **values: Any) -> None:
        """Add a fact, known since what dates its table unless said otherwise."""
        declared = TABLE_BY_NAME[table]
        dated = values.get(declared.dated_by or "")
        self._added += 1
        row = {
            **values,
            "known_at": known_at or dated or datetime(1970, 1, 1),
            "imported_at": datetime(2027, 1, 1),
            "batch": "test",
            "content_hash": f"{self._added:06}",
        }
        names = [c.name for c in (*declared.columns, *BOOKKEEPING)]
        cells = ", ".join(_literal(row.get(name)) for name in names)
        self._waiting.setdefault(table, []).append(f"({cells})")

    def write(self) -> None:
        """Write what waits; a statement a table is much faster than one a row."""
        for table, rows in self._waiting.items():
            self.con.execute(f"INSERT INTO made.{table} VALUES {', '.join(rows)}")
        self._waiting.clear()

    def order(
        self,
        name: str,
        day: str,
        customer: str | None,
        price: int = 1_000,
        *,
        variant: str = "V1",
        units: int = 1,
        status: str = "paid",
        known_at: datetime | None = None,
        off: int | None = None,
    ) -> None:
        """Add an order of one line."""
        when = at(day)
        self.add(
            "orders",
            known_at,
            order_id=name,
            customer_id=customer,
            placed_at=when,
            updated_at=when,
            status=status,
            discount_minor=off,
        )
        self.add(
            "order_lines",
            known_at,
            order_id=name,
            line_id="1",
            placed_at=when,
            customer_id=customer,
            kind="product",
            product_id=variant,
            variant_id=variant,
            quantity_units=units,
            unit_price_minor=price,
        )

    def cancel(self, name: str, day: str, placed: str, customer: str | None) -> None:
        """Add a version of an order that says it is cancelled."""
        self.add(
            "orders",
            order_id=name,
            customer_id=customer,
            placed_at=at(placed),
            updated_at=at(day),
            status="cancelled",
        )

    def refund(self, name: str, day: str, order: str | None, **more: Any) -> None:
        """Add a refund of one unit of V1 unless said otherwise."""
        values = {
            "refund_id": name,
            "line_id": "1",
            "order_id": order,
            "product_id": "V1",
            "variant_id": "V1",
            "refunded_at": at(day),
            "quantity_units": 1,
            "amount_minor": 1_000,
        }
        self.add("refunds", **{**values, **more})

    def came_back(self, name: str, day: str, order: str | None, **more: Any) -> None:
        """Add a return of one unit of V1 unless said otherwise."""
        values = {
            "return_id": name,
            "line_id": "1",
            "order_id": order,
            "product_id": "V1",
            "variant_id": "V1",
            "returned_at": at(day),
            "quantity_units": 1,
        }
        self.add("returns", **{**values, **more})

    def view(self, name: str, day: str, customer: str | None = None) -> None:
        """Add a visitor's look at a page."""
        self._added += 1
        self.add(
            "events",
            event_id=f"E{self._added}",
            kind="view",
            occurred_at=at(day),
            visitor_id=name,
            customer_id=customer,
        )

    def open_since(self, day: str = "2024-01-01") -> None:
        """Add an old order, so that every window and cohort is covered."""
        self.order("old", day, "old customer")

    def value(self, kpi: str, day: date = TODAY) -> Value:
        return self.values(kpi, [day])[0]

    def values(self, kpi: str, days: Sequence[date]) -> list[Value]:
        return series(self.source, days, [kpi_named(kpi)])[kpi]

    def rows(self, kpi: str, day: date = TODAY) -> list[dict[str, Any]]:
        names, cursor = rows_behind(self.source, kpi_named(kpi), day)
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _literal(value: Any) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, datetime):
        return f"TIMESTAMP '{value}'"
    return repr(value) if isinstance(value, int | bool) else f"'{value}'"


def days_of_march() -> list[str]:
    """Return the days of the window, as month-day."""
    first = date(2026, 3, 4)
    return [(first + timedelta(days=i)).isoformat()[5:] for i in range(28)]
