"""Reading a file into columns of text.

A `Sheet` holds every readable row of one file; rows that cannot be read (a cell over
the limit, too few cells, broken bytes) are refused one by one, never the whole file.
"""

from __future__ import annotations

import csv
import re
from array import array
from collections import deque
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from cartwheel.connectors.base import CELL_LIMIT, Reject
from cartwheel.connectors.detect import (
    UNPACKED_LIMIT,
    Layout,
    Stated,
    decide_dates,
    decide_sign,
    detect_text,
    open_text,
)
from cartwheel.connectors.values import CONTROL, MAX_DECIMALS, bare_number
from cartwheel.errors import Misuse

if TYPE_CHECKING:
    import pyarrow as pa

LINE_LIMIT = 16_000_000
"""Longest physical line held in memory, in characters; the rest is skipped."""

FIELD_LIMIT = 2 * LINE_LIMIT
RECOVERY_LIMIT = 128_000_000
"""Most characters read a second time because of unclosed quotes."""

_BATCH_ROWS = 20_000
_BATCH_CHARACTERS = 32_000_000
_OVERSIZE = "\x00line too long\n"
_STRAY = re.compile("[\udc80-\udcff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """One file as columns of text.

    Attributes:
        name: Name shown to people.
        header: Column names as written, in order; repeated ones get " (2)".
        columns: Arrow text column by name; all of equal length.
        source_rows: Row number in the file of each row of `columns`, int64.
        rows: Data rows in the file, refused ones included.
        lines: Line on which each data row begins; None when row i is on line i + 2.
        rejects: Rows that could not be read, numbered within the file.
        layout: What was detected.
    """

    name: str
    header: tuple[str, ...]
    columns: Mapping[str, pa.ChunkedArray]
    source_rows: Sequence[int]
    rows: int
    lines: Sequence[int] | None
    rejects: tuple[Reject, ...]
    layout: Layout

    def decided(self, *, numbers: Collection[str], dates: Collection[str]) -> Sheet:
        """Return the sheet with decimal sign and date orders decided from its cells."""
        if not self.layout.delimiter:
            return self
        stated = self.layout.stated
        texts = (text for name in numbers for text in distinct(self.columns[name]))
        sign = decide_sign(
            (bare for text in texts if (bare := bare_number(text))), stated
        )
        orders = decide_dates(
            {name: _undated_iso(self.columns[name]) for name in dates}, stated
        )
        return replace(self, layout=replace(self.layout, decimal=sign, dates=orders))


class _Lines:
    """Lines of a text file, one at a time, that can be put back."""

    def __init__(self, text: IO[str]) -> None:
        self._text = text
        self._back: deque[str] = deque()
        self.taken: list[str] = []
        self.number = 0
        self.characters = 0
        self.recovered = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._back.popleft() if self._back else self._text.readline(LINE_LIMIT)
        if not line:
            raise StopIteration
        if len(line) >= LINE_LIMIT and not line.endswith(("\n", "\r")):
            while (rest := self._text.readline(LINE_LIMIT)) and rest[-1] not in "\r\n":
                continue
            line = _OVERSIZE
        self.number += 1
        self.characters += len(line)
        self.taken.append(line)
        return line

    def begin(self) -> int:
        """Begin a record; return the number of its first line."""
        self.taken.clear()
        self.characters = 0
        return self.number + 1

    def put_back_all_but_first(self) -> None:
        """Give back every taken line after the first."""
        rest = self.taken[1:]
        self._back.extendleft(reversed(rest))
        self.number -= len(rest)
        self.recovered += sum(map(len, rest))


def read_csv(
    path: Path, *, name: str, known: Collection[str] = (), stated: Stated | None = None
) -> Sheet:
    """Read a CSV file into columns of text.

    Args:
        path: The file, plain or gzip.
        name: Name shown to people.
        known: Normalised header names that help to find the delimiter.
        stated: What the owner says of the layout.

    Raises:
        Misuse: If the file is empty, binary, broken, or its quotes never close.
    """
    layout = detect_text(path, known=known, stated=stated)
    builder = _SheetBuilder(name, layout)
    with _field_limit(), open_text(path, layout) as text:
        lines = _Lines(text)
        for line, cells, reason in _records(lines, layout, path):
            builder.add(line, cells, reason, lines.characters)
    return builder.finish()


class _SheetBuilder:
    """Collects rows into Arrow chunks, so that memory stays near the data's size."""

    def __init__(self, name: str, layout: Layout) -> None:
        self._name, self._layout = name, layout
        self._header: tuple[str, ...] | None = None
        self._batch: list[list[str]] = []
        self._characters = 0
        self._chunks: list[list[Any]] = []
        self._source_rows = array("q")
        self._lines = array("q")
        self._plain = True
        self._rejects: list[Reject] = []

    def add(
        self, line: int, cells: list[str] | None, reason: str, characters: int
    ) -> None:
        if self._header is None:
            self._start(cells, reason)
            return
        row = len(self._lines)
        self._lines.append(line)
        self._plain = self._plain and line == row + 2
        if cells is None or reason:
            value = "" if cells is None else self._layout.delimiter.join(cells)
            self._rejects.append(make_reject(row, "", value[:200], reason))
            return
        self._source_rows.append(row)
        self._batch.append(cells)
        self._characters += characters
        if len(self._batch) >= _BATCH_ROWS or self._characters > _BATCH_CHARACTERS:
            self._flush()

    def _start(self, cells: list[str] | None, reason: str) -> None:
        if cells is None or any(len(cell) > 1000 for cell in cells):
            raise Misuse(
                f"{self._name}: the header cannot be read ({reason or 'too long'}).",
                "Check that the first line names the columns.",
            )
        header: list[str] = []
        for cell in cells:
            label = re.sub(CONTROL, "", cell.replace("\ufeff", "")).strip()
            again = sum(h == label or h.startswith(f"{label} (") for h in header)
            header.append(f"{label} ({again + 1})" if label in header else label)
        self._header = tuple(header)
        self._chunks = [[] for _ in header]

    def _flush(self) -> None:
        import pyarrow as pa

        if self._batch:
            for chunks, cells in zip(
                self._chunks, zip(*self._batch, strict=True), strict=True
            ):
                chunks.append(pa.array(cells, pa.large_string()))
        self._batch, self._characters = [], 0

    def finish(self) -> Sheet:
        import pyarrow as pa

        self._flush()
        header = self._header or ()
        return Sheet(
            name=self._name,
            header=header,
            columns={
                name: pa.chunked_array(chunks, pa.large_string())
                for name, chunks in zip(header, self._chunks, strict=True)
            },
            source_rows=self._source_rows,
            rows=len(self._lines),
            lines=None if self._plain else self._lines,
            rejects=tuple(self._rejects),
            layout=self._layout,
        )


@contextmanager
def _field_limit() -> Iterator[None]:
    before = csv.field_size_limit(FIELD_LIMIT)
    try:
        yield
    finally:
        csv.field_size_limit(before)


def _records(
    lines: _Lines, layout: Layout, path: Path
) -> Iterator[tuple[int, list[str] | None, str]]:
    """Yield first line, cells and reason of refusal of each record, header first."""
    width = 0
    reader = csv.reader(lines, delimiter=layout.delimiter, quotechar=layout.quote)
    while True:
        start = lines.begin()
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            cells = None
        if not cells and cells is not None:
            continue  # a blank line is not a row
        width = width or len(cells or ())
        if len(lines.taken) > 1 and _unclosed(lines.taken, cells, width, layout):
            lines.put_back_all_but_first()
            if lines.recovered > RECOVERY_LIMIT:
                raise Misuse(
                    f"{path.name}: quotes opened and not closed, from line {start}.",
                    "Export it again with cells in double quotes.",
                )
            reader = csv.reader(
                lines, delimiter=layout.delimiter, quotechar=layout.quote
            )
            yield start, None, "a quote is opened and not closed on this line"
        else:
            yield start, cells, _unreadable(lines, cells, width, layout)


def _unclosed(
    taken: list[str], cells: list[str] | None, width: int, layout: Layout
) -> bool:
    """Tell whether a quote left open swallowed the lines after the first."""
    if cells is None:
        return True
    if _OVERSIZE in taken:
        return False
    if sum(line.count(layout.quote) for line in taken) % 2 == 1:
        return True
    if len(cells) == width:
        return False
    alone = csv.reader([taken[1]], delimiter=layout.delimiter, quotechar=layout.quote)
    return width > 1 and len(next(alone, [])) == width


def _unreadable(
    lines: _Lines, cells: list[str] | None, width: int, layout: Layout
) -> str:
    """Return why a record is refused, "" when it is not."""
    if _OVERSIZE in lines.taken:
        return f"the line is longer than {LINE_LIMIT} characters"
    if cells is None:
        return "the cell is too long"
    if len(cells) != width:
        return f"the row has {len(cells)} cells; the header has {width}"
    if lines.characters > CELL_LIMIT:
        longest = max(map(len, cells))
        if longest > CELL_LIMIT:
            return f"a cell has {longest} characters; at most {CELL_LIMIT} are accepted"
    if layout.stray_bytes and any(_STRAY.search(line) for line in lines.taken):
        return f"the row holds bytes that are not {layout.encoding}"
    if not cells[0].strip() and not any(map(str.strip, cells)):
        return "every cell of the row is empty"
    return ""


def read_parquet(path: Path, *, name: str, stated: Stated | None = None) -> Sheet:
    """Read a Parquet file into columns of text.

    Raises:
        Misuse: If it is empty, truncated, or a column has no text form.
    """
    import numpy as np
    import pyarrow as pa

    table = _parquet_table(path, name)
    columns: dict[str, Any] = {}
    rejects: dict[int, Reject] = {}
    for label, column in zip(table.column_names, table.columns, strict=True):
        for row in _overlong(column, name, label):
            reason = f"a cell has more than {CELL_LIMIT} characters"
            rejects.setdefault(row, make_reject(row, label, "", reason))
    good = np.ones(table.num_rows, dtype=bool)
    good[list(rejects)] = False
    if rejects:
        table = table.filter(pa.array(good))
    for label, column in zip(table.column_names, table.columns, strict=True):
        try:
            columns[label] = _as_text(column)
        except pa.ArrowException as error:
            raise Misuse(
                f"{name}: column {label} is {column.type}; expected text, numbers, "
                "true/false or times.",
                "Remove the column or export it as text.",
            ) from error
    layout = Layout(
        encoding="utf-8", delimiter="", decimal=".", stated=stated or Stated()
    )
    return Sheet(
        name=name,
        header=tuple(columns),
        columns=columns,
        source_rows=np.flatnonzero(good).tolist(),
        rows=len(good),
        lines=range(1, len(good) + 1),
        rejects=tuple(rejects[row] for row in sorted(rejects)),
        layout=layout,
    )


def _parquet_table(path: Path, name: str) -> pa.Table:
    """Read a Parquet file with its texts as dictionaries, not yet repeated in full.

    A text that stands a million times in a table takes a few bytes in the file; it
    must be measured before it is written out.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        schema = pq.read_schema(path)
        texts = [
            field.name
            for field in schema
            if pa.types.is_string(field.type) or pa.types.is_large_string(field.type)
        ]
        file = pq.ParquetFile(path, read_dictionary=texts)
        groups = range(file.metadata.num_row_groups)
        size = sum(file.metadata.row_group(n).total_byte_size for n in groups)
        if size <= UNPACKED_LIMIT:
            return file.read()
    except (pa.ArrowException, OSError) as error:
        first = str(error).strip().splitlines()[0][:200]
        raise Misuse(
            f"{name} is not a complete Parquet file: {first}", "Export it again."
        ) from error
    raise _too_large(name)


def _overlong(column: pa.ChunkedArray, name: str, label: str) -> list[int]:
    """Return the rows whose text is longer than a cell may be.

    Raises:
        Misuse: If the column's texts are too much to hold.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    if not pa.types.is_dictionary(column.type):
        return []
    rows: list[int] = []
    size = start = 0
    for chunk in column.chunks:
        kind = chunk.dictionary.type
        if pa.types.is_string(kind) or pa.types.is_large_string(kind):
            lengths = pc.utf8_length(chunk.dictionary).take(chunk.indices)
            too_long = pc.fill_null(pc.greater(lengths, CELL_LIMIT), False)
            rows.extend(start + at for at in pc.indices_nonzero(too_long).to_pylist())
            held = pc.if_else(too_long, 0, lengths)
            size += pc.sum(pc.cast(held, pa.int64())).as_py() or 0
        start += len(chunk)
    if size > UNPACKED_LIMIT:
        raise _too_large(f"{name}: column {label}")
    return rows


def _too_large(what: str) -> Misuse:
    return Misuse(
        f"{what} unpacks to more than {UNPACKED_LIMIT >> 30} GiB.",
        "Split it into several imports.",
    )


def _as_text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_floating(column.type):
        column = pc.if_else(pc.is_finite(column), column, None)
        try:  # ids and counts stored as 3.0 because some cells are empty
            column = pc.cast(column, pa.int64())
        except pa.ArrowInvalid:
            # Not exact in binary; beyond six decimals there is only noise.
            column = pc.cast(pc.round(column, MAX_DECIMALS), pa.float64())
    return pc.cast(column, pa.large_string())


def make_reject(row: int, column: str, value: str, reason: str) -> Reject:
    """Return a refusal with its value cut to 200 characters."""
    clean = re.sub(CONTROL, "", value[:400]).encode("utf-8", "replace").decode()
    return Reject(source_row=row, field=column, value=clean[:200], reason=reason)


def distinct(column: pa.ChunkedArray) -> list[str]:
    """Return the distinct non-empty texts of a column."""
    import pyarrow.compute as pc

    return [text for text in pc.unique(column).to_pylist() if text]


def _undated_iso(column: pa.ChunkedArray) -> list[str]:
    """Return the distinct texts that tell the order of a column's dates."""
    import pyarrow.compute as pc

    unique = pc.unique(column)
    iso = pc.match_substring_regex(unique, r"^\s*\d{4}-\d\d?-\d")
    others = unique.filter(pc.invert(pc.fill_null(iso, True))).to_pylist()
    first = unique.filter(pc.fill_null(iso, False)).slice(0, 1).to_pylist()
    return [text for text in [*first, *others] if text]
