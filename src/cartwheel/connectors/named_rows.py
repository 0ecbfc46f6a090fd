"""Rows of CSV exports whose columns are found by name, whatever their order.

For exports of apps, which name their columns otherwise in every year and language. What
is refused is masked too: a row that is broken may hold anything.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cartwheel.connectors.base import Harvest, ImportContext, SourceFile
from cartwheel.connectors.cells import Sheet, read_csv
from cartwheel.connectors.detect import normalise, read_stated
from cartwheel.connectors.gathered import Gathered
from cartwheel.connectors.values import Parsed, parse_instant, parse_text
from cartwheel.errors import Misuse
from cartwheel.text.masking import mask

SUFFIXES = (".csv", ".csv.gz", ".tsv")
DATE = "date"
"""Our name of the column that every export must have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """What an export may look like.

    Attributes:
        what: What its rows are, in a word: "reviews".
        aliases: Accepted headers (normalised), best first, by our name; one is `date`.
        needed: Groups of our names, of each of which one column must be there.
    """

    what: str
    aliases: Mapping[str, tuple[str, ...]]
    needed: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedRow:
    """One row.

    Attributes:
        number: Its number over all files.
        at: Its date, UTC.
        cells: Texts by our name, trimmed; the first that is not empty of the columns
            accepted for it, "" for none.
        labels: Header of the best column by our name, "" for none.
    """

    number: int
    at: datetime
    cells: Mapping[str, str]
    labels: Mapping[str, str]


def export_files(
    path: Path, what: str, suffixes: tuple[str, ...] = SUFFIXES
) -> list[Path]:
    """Return the exports of a path, by name.

    Args:
        path: A file, or a folder that is looked through whole.
        what: What is exported, for the message.
        suffixes: Endings of files in a folder.

    Raises:
        Misuse: If there is none.
    """
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise Misuse(
            f"{path} is neither a file nor a folder.", "Check the path, with its name."
        )
    found = sorted(
        one
        for one in path.rglob("*")
        if one.is_file() and one.name.lower().endswith(suffixes)
    )
    if not found:
        raise Misuse(
            f"{path} holds no export; expected {', '.join(suffixes)}.",
            f"Export the {what} from the app as one of these.",
        )
    return found


class NamedReader:
    """Reads exports one after the other; rows that cannot be read are refused.

    Attributes:
        files: Files read so far.
        notes: Which column was taken for what, a line a file.
    """

    def __init__(self, export: Export, context: ImportContext, into: Gathered) -> None:
        self._export, self._context, self._into = export, context, into
        self.files: list[SourceFile] = []
        self.notes: list[str] = []

    def rows(self, paths: Iterable[Path], base: Path, first: int) -> Iterator[NamedRow]:
        """Yield the rows of files that have a date that can be read.

        Args:
            paths: The files.
            base: Folder that their names are told from; its `layout.toml` counts.
            first: Number of the first row.

        Raises:
            Misuse: If a file is empty, broken, or lacks a column.
        """
        stated = read_stated(base)
        aliases = self._export.aliases
        known = frozenset(name for names in aliases.values() for name in names)
        for path in paths:
            name = str(path.relative_to(base))
            sheet = read_csv(path, name=name, known=known, stated=stated)
            columns = _columns(sheet, self._export)
            sheet = sheet.decided(numbers=(), dates=columns[DATE])
            yield from self._rows(sheet, columns, first)
            self.files.append(
                SourceFile(
                    name=name,
                    first_row=first,
                    rows=sheet.rows,
                    note=sheet.layout.note,
                    lines=sheet.lines,
                )
            )
            self.notes.append(f"{name}: {_note(self._export.what, columns)}")
            first += sheet.rows

    def _rows(
        self, sheet: Sheet, columns: Mapping[str, tuple[str, ...]], first: int
    ) -> Iterator[NamedRow]:
        for reject in sheet.rejects:
            row = reject.source_row + first
            self._into.refuse(row, reject.field, mask(reject.value), reject.reason)
        texts = {name: _texts(sheet, labels) for name, labels in columns.items()}
        labels = {name: next(iter(found), "") for name, found in columns.items()}
        dates = _dates(sheet, labels[DATE], self._context)
        at = dates.values.to_pylist()
        for place, number in enumerate(sheet.source_rows):
            row = first + number
            if place in dates.faults or at[place] is None:
                reason = dates.faults.get(place, "no date")
                self._into.refuse(row, labels[DATE], mask(texts[DATE][place]), reason)
                continue
            cells = {name: values[place] for name, values in texts.items()}
            yield NamedRow(number=row, at=at[place], cells=cells, labels=labels)


class RowBook(ABC):
    """Gathers an export's rows as facts; one that came before is a repetition.

    Attributes:
        gathered: Facts and refusals.
        repeated: Numbers of rows that came before.
    """

    def __init__(self) -> None:
        self.gathered = Gathered()
        self.repeated: list[int] = []
        self._known: set[str] = set()

    @abstractmethod
    def add(self, row: NamedRow) -> None:
        """Add one row, or say why it is none."""

    def is_new(self, name: str, row: NamedRow) -> bool:
        """Tell whether a row's fact is met for the first time, and note it.

        Args:
            name: Id of the fact.
            row: The row.
        """
        if name in self._known:
            self.repeated.append(row.number)
            return False
        self._known.add(name)
        return True


def read_export(
    export: Export, book: RowBook, path: Path, context: ImportContext, *notes: str
) -> Harvest:
    """Return what the rows of a file, or of a folder of them, are.

    Args:
        export: What the files may look like.
        book: Gathers the rows; new.
        path: The file or folder.
        context: The import.
        notes: What else to tell of it.

    Raises:
        Misuse: If the path is missing, or a file is empty, broken, or lacks a column.
    """
    reader = NamedReader(export, context, book.gathered)
    paths = export_files(path, export.what)
    base = path if path.is_dir() else path.parent
    for row in reader.rows(paths, base, 0):
        book.add(row)
    return Harvest(
        files=tuple(reader.files),
        facts=book.gathered.tables(),
        rejects=book.gathered.refused,
        duplicates=tuple(book.repeated),
        notes=(*reader.notes, *notes),
    )


def _columns(sheet: Sheet, export: Export) -> dict[str, tuple[str, ...]]:
    """Return headers as written, best first, by our name.

    Raises:
        Misuse: If a column is missing without which nothing can be read.
    """
    labels: dict[str, str] = {}
    for label in sheet.header:
        labels.setdefault(normalise(label), label)
    found = {
        name: tuple(labels[one] for one in accepted if one in labels)
        for name, accepted in export.aliases.items()
    }
    for needed in export.needed:
        if not any(found[name] for name in needed):
            accepted = (one for name in needed for one in export.aliases[name])
            raise Misuse(
                f"{sheet.name} has no column of {' or '.join(needed)}; expected "
                f"one of {', '.join(accepted)}; found {', '.join(sheet.header)}.",
                f"Rename the column, or choose an export of {export.what}.",
            )
    return found


def _note(what: str, columns: Mapping[str, tuple[str, ...]]) -> str:
    said = ", ".join(
        f"{name} from {labels[0]}" for name, labels in columns.items() if labels
    )
    return f"{what}, {said}"


def _texts(sheet: Sheet, labels: Sequence[str]) -> list[str]:
    """Return each row's first cell that is not empty, trimmed; "" where all are."""
    found = [""] * len(sheet.source_rows)
    for label in labels:
        values = parse_text(sheet.columns[label], trim=True).values.to_pylist()
        found = [old or new or "" for old, new in zip(found, values, strict=True)]
    return found


def _dates(sheet: Sheet, label: str, context: ImportContext) -> Parsed:
    layout = sheet.layout
    return parse_instant(
        sheet.columns[label],
        order=layout.dates.get(label, "none"),
        timezone=layout.stated.timezone or context.timezone,
    )
