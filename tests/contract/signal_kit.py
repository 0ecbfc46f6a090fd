"""What every signal must keep, ours and a plugin author's.

`made_facts` fills a lake with seeded random facts of every table; the checks look at a
declaration and at a table computed from such a lake.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa

from cartwheel.lake.tables import TABLES, Column, FactTable
from cartwheel.signals.base import Signal
from tests.contract.tiny_lake import TinyLake

START = datetime(2026, 1, 1)
PYTHON_TYPES = {"text": str, "int": int, "float": float, "bool": bool}
IDS = {  # how many different values an id takes: few, so that facts meet
    "customer_id": 5,
    "visitor_id": 40,
    "product_id": 5,
    "variant_id": 5,
    "supplier_id": 3,
    "location_id": 2,
    "order_id": 12,
    "purchase_order_id": 8,
}


def check_declaration(signal: Signal) -> None:
    """Names are unique, keys exist, neutral values have the declared type."""
    names = signal.column_names
    assert len(set(names)) == len(names)
    assert signal.keys
    assert signal.doc.endswith(".")
    for column in signal.columns:
        assert column.doc.endswith(".")
        assert column not in signal.keys or column.neutral is None
    for field in signal.fields:
        if field.neutral is not None:
            assert type(field.neutral) is PYTHON_TYPES[field.type], field.name


def check_table(signal: Signal, table: pa.Table) -> None:
    """Schema as declared; keys unique, never null, sorted."""
    assert table.schema.equals(signal.schema())
    keys = [key.name for key in signal.keys]
    rows = list(zip(*(table[key].to_pylist() for key in keys), strict=True))
    assert all(value is not None for row in rows for value in row)
    assert len(set(rows)) == len(rows)
    assert rows == sorted(rows)


def made_facts(
    lake: TinyLake, seed: int, *, first_day: int, days: int, rows: int
) -> None:
    """Add seeded random facts of every table, all of them within the span given."""
    rng = np.random.default_rng(seed)
    for declared in TABLES:
        for number in range(rows):
            values = {
                column.name: _value(column, declared, rng, first_day, days)
                for column in declared.columns
            }
            for key in map(declared.column, declared.key):
                if key.type == "text" and key.name not in IDS and not key.choices:
                    values[key.name] = f"{declared.name}{seed}-{number}"
            known = None
            if declared.dated_by is None:
                known = _instant(rng, first_day, days)
            lake.add(declared.name, known_at=known, **values)
    _add_search(lake, seed, first_day)


def _add_search(lake: TinyLake, seed: int, first_day: int) -> None:
    """Add a search and what was opened after it: chance alone seldom brings both."""
    for minutes, kind in ((0, "search"), (5, "view")):
        at = START + timedelta(days=first_day, hours=12, minutes=minutes)
        lake.add(
            "events",
            event_id=f"events{seed}-{kind}",
            kind=kind,
            occurred_at=at.isoformat(" "),
            visitor_id="visitor 0",
            query="query 0" if kind == "search" else None,
            product_id="product 0" if kind == "view" else None,
        )


def _value(
    column: Column,
    declared: FactTable,
    rng: np.random.Generator,
    first_day: int,
    days: int,
) -> Any:
    if column.type == "instant":
        return _instant(rng, first_day, days)
    if not column.required and column.name not in declared.key and rng.random() < 0.15:
        return None
    if column.type == "int":
        return int(rng.integers(-4 if column.minimum is None else column.minimum, 6))
    if column.type == "float":
        return float(rng.integers(0, 100)) / 8
    if column.type == "bool":
        return bool(rng.random() < 0.5)
    if column.choices:
        first = rng.random() < 0.5
        return column.choices[0] if first else str(rng.choice(column.choices))
    if column.name in IDS:
        return f"{column.name[:-3]} {rng.integers(0, IDS[column.name])}"
    if column.name == "reason":
        return str(rng.choice(["cancellation", "damaged"]))
    return f"{column.name} {rng.integers(0, 4)}"


def _instant(rng: np.random.Generator, first_day: int, days: int) -> str:
    minutes = int(rng.integers(0, days * 24 * 60))
    return (START + timedelta(days=first_day, minutes=minutes)).isoformat(" ")
