"""Facts, refusals and supporting rows as a connector gathers them row by row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cartwheel.connectors.base import SOURCE_ROW, Reject
from cartwheel.connectors.cells import make_reject
from cartwheel.lake.tables import TABLE_BY_NAME, ColumnType

if TYPE_CHECKING:
    import pyarrow as pa


class Gathered:
    """What has been read so far. Filled by one reader after the other."""

    def __init__(self) -> None:
        self.facts: dict[str, list[dict[str, Any]]] = {}
        self.rejects: dict[int, Reject] = {}
        self.supporting: set[int] = set()
        self.notes: list[str] = []

    def add(self, table: str, row: int, **values: Any) -> None:
        """Add a fact carried by a source row."""
        self.facts.setdefault(table, []).append({**values, SOURCE_ROW: row})

    def refuse(self, row: int, column: str, value: str, reason: str) -> None:
        """Keep a source row aside; the first reason stays."""
        self.rejects.setdefault(row, make_reject(row, column, value, reason))

    @property
    def refused(self) -> tuple[Reject, ...]:
        """Rows kept aside, in order."""
        return tuple(self.rejects[row] for row in sorted(self.rejects))

    def support(self, row: int) -> None:
        """Count a row as read although other rows carry what it says."""
        self.supporting.add(row)

    def tables(self) -> dict[str, pa.Table]:
        """Return the facts as Arrow tables."""
        import pyarrow as pa

        kinds: dict[ColumnType, pa.DataType] = {
            "text": pa.string(),
            "int": pa.int64(),
            "float": pa.float64(),
            "bool": pa.bool_(),
            "instant": pa.timestamp("us"),
            "date": pa.date32(),
        }
        tables = {}
        for name in TABLE_BY_NAME:
            if name not in self.facts:
                continue
            columns = TABLE_BY_NAME[name].columns
            schema = pa.schema(
                [(c.name, kinds[c.type]) for c in columns] + [(SOURCE_ROW, pa.int64())]
            )
            facts = sorted(self.facts[name], key=lambda fact: int(fact[SOURCE_ROW]))
            tables[name] = pa.Table.from_pylist(facts, schema=schema)
        return tables
