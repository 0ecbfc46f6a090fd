"""The connector contract: read a source, account for every row of it.

A connector turns files into fact rows and says what became of each source row. It
does not touch the lake; `cartwheel.connectors.intake` checks its harvest against the
tables' declarations, removes what the lake already has and appends the rest in one
transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    import pyarrow as pa

SOURCE_ROW = "_source_row"
"""Column on every harvested table: 0-based number of the source row over all files."""

CELL_LIMIT = 100_000
"""Longest accepted cell in characters; a longer one rejects its row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFile:
    """One file read.

    Attributes:
        name: Name shown to people, relative to the path given.
        first_row: Number of its first row in the count over all files.
        rows: Data rows it holds (header excluded).
        lines: Line of each row, shape (rows,), or None when row i stands on line
            i + 2 (CSV with one line a row) or is the i-th row (Parquet).
        note: What was detected: "utf-8, delimiter ';', decimal comma, dates d.m.Y".
    """

    name: str
    first_row: int
    rows: int
    note: str
    lines: Sequence[int] | None = None

    def line(self, source_row: int) -> int:
        """Return the line (CSV: header is line 1) or row number of a source row."""
        offset = source_row - self.first_row
        return self.lines[offset] if self.lines is not None else offset + 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Reject:
    """A source row kept aside.

    Attributes:
        source_row: Number of the row over all files; -1 for a whole file.
        field: Column of the source at fault, "" when it is the row as a whole.
        value: The value received, cut to 200 characters.
        reason: What is wrong and what is accepted.
    """

    source_row: int
    field: str
    value: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Harvest:
    """What a connector read.

    Every source row must be in exactly one of: a fact table (through `_source_row`),
    `duplicates`, or `rejects`. A row may yield facts in several tables; a fact built
    from several rows (an order over its lines) carries the first of them.

    Attributes:
        files: Files read, in order; their rows number 0 to n - 1 without gaps.
        facts: Arrow table by fact-table name: content columns (missing ones become
            null) plus `_source_row` int64. Money already in minor units, instants as
            naive UTC timestamps.
        rejects: Rows kept aside by the connector itself.
        duplicates: Source rows that repeat an earlier one in these files.
        supporting: Source rows that contributed only to facts carried by other rows
            (image rows, repeated order cells); they count as kept.
        notes: Remarks for the report (detections, assumptions).
    """

    files: tuple[SourceFile, ...]
    facts: Mapping[str, pa.Table]
    rejects: tuple[Reject, ...] = ()
    duplicates: tuple[int, ...] = ()
    supporting: tuple[int, ...] = ()
    notes: tuple[str, ...] = field(default_factory=tuple)

    @property
    def rows_read(self) -> int:
        """Source rows over all files."""
        return sum(file.rows for file in self.files)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportContext:
    """What a connector needs to know of the shop.

    Attributes:
        currency: ISO 4217 code of the shop; rows in another are rejected.
        minor_digits: Decimal places of the currency.
        timezone: IANA zone for local times without an offset.
        now: Instant of the import (naive UTC); later facts are rejected as future.
    """

    currency: str
    minor_digits: int
    timezone: str
    now: datetime


@runtime_checkable
class Connector(Protocol):
    """One kind of source. Found through the entry points `cartwheel.connectors`.

    Attributes:
        kind: Name used in `cartwheel import KIND PATH`.
        accepts: What `path` must be, one sentence.
    """

    kind: str
    accepts: str

    def read(self, path: Path, context: ImportContext) -> Harvest:
        """Read the source.

        Raises:
            Misuse: If the path is missing, empty, of the wrong kind, truncated, or
                lacks a column without which nothing can be read.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """How far a remote source was read; kept with its facts, in one transaction.

    Attributes:
        name: What was read, the same at every import of it.
        number: The last thing read of it.
    """

    name: str
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """What a remote connector fetched.

    Attributes:
        harvest: What it read.
        origin: Where from, as the ledger of imports names it.
        mark: How far it read, None where nothing is to be remembered.
    """

    harvest: Harvest
    origin: Path
    mark: Mark | None = None


@runtime_checkable
class RemoteConnector(Protocol):
    """One kind of source that is no file. Found through the same entry points.

    Attributes:
        kind: Name used in `cartwheel import KIND`.
        accepts: What it reads, one sentence.
    """

    kind: str
    accepts: str

    def fetch(
        self,
        options: Mapping[str, Any],
        read_mark: Callable[[str], int],
        context: ImportContext,
    ) -> Fetched:
        """Fetch what is new.

        Args:
            options: Its settings, from `connectors.KIND`; empty where there are none.
            read_mark: Returns the number of the newest mark of a name, 0 for none.
            context: The shop.

        Raises:
            Misuse: If a setting is missing or wrong.
            Failure: If the source cannot be reached, or broke off.
        """
        ...
