"""What the JSON exports of support desks share: files, records, an account of each."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from pathlib import Path

from cartwheel.connectors.base import Harvest, ImportContext, SourceFile
from cartwheel.connectors.json_records import (
    SUFFIXES,
    Body,
    Record,
    read_records,
)
from cartwheel.connectors.named_rows import export_files
from cartwheel.connectors.tickets.said import NOTHING, Said, SaidBook
from cartwheel.connectors.written import MASKED
from cartwheel.errors import Misuse

People = Mapping[str, Body]


class JsonExport(ABC):
    """A desk whose export is JSON; a leaf says what its records hold.

    Attributes:
        lists: Names under which a page of the desk's answers lists its records.
        fields: Fields by which a record is known to be one of a ticket.
    """

    kind: str
    accepts: str
    lists: tuple[str, ...]
    fields: tuple[str, ...]

    def read(self, path: Path, context: ImportContext) -> Harvest:
        """Read everything said, own words only, personal data masked.

        Raises:
            Misuse: If the path is missing, or a file is empty, no JSON, or no export
                of this desk.
        """
        base = path if path.is_dir() else path.parent
        book = SaidBook(self.kind)
        paths = export_files(path, "tickets", SUFFIXES)
        return harvest_of(book, self.read_files(paths, base, book))

    def read_files(
        self, paths: list[Path], base: Path, book: SaidBook
    ) -> list[SourceFile]:
        """Gather what files hold.

        Args:
            paths: The files.
            base: Folder that their names are told from.
            book: Where it goes.
        """
        people = self.people_in(paths)
        files: list[SourceFile] = []
        row = 0
        for path in paths:
            name = str(path.relative_to(base))
            lines: list[int] = []
            known = False
            for record in read_records(path, self.lists):
                known = self._add(record, people, row, lines, book) or known
            if not known:
                raise not_an_export(name, self.kind, self.fields)
            files.append(
                SourceFile(
                    name=name, first_row=row, rows=len(lines), note="JSON", lines=lines
                )
            )
            row += len(lines)
        return files

    @abstractmethod
    def said_in(self, body: Body, people: People) -> Iterator[Said]:
        """Yield what was said in a ticket.

        Args:
            body: The record of a ticket.
            people: What `people_in` found.
        """

    def people_in(self, paths: list[Path]) -> People:
        """Return people by id, where the export lists them apart from tickets."""
        return {}

    def is_person(self, body: Body) -> bool:
        """Tell whether a record is one of a person."""
        return False

    def _add(
        self,
        record: Record,
        people: People,
        first: int,
        lines: list[int],
        book: SaidBook,
    ) -> bool:
        """Gather a record; tell whether it is one that the desk writes."""
        body = record.body
        if body is not None and self.is_person(body):
            book.gathered.support(first + len(lines))
            lines.append(record.line)
            return True
        known = body is not None and any(name in body for name in self.fields)
        said = [] if body is None or not known else list(self.said_in(body, people))
        for one in said:
            book.add(first + len(lines), one)
            lines.append(record.line)
        if not said:
            reason = NOTHING if known else record.fault or "no record of a ticket"
            book.gathered.refuse(first + len(lines), "", "", reason)
            lines.append(record.line)
        return known


def not_an_export(name: str, kind: str, fields: tuple[str, ...]) -> Misuse:
    """Return the error for a file in which no record is one of the desk's."""
    return Misuse(
        f"{name} holds no ticket of {kind}; expected records with one of the fields "
        f"{', '.join(fields)}.",
        "Check that this is the right export, and its kind.",
    )


def harvest_of(
    book: SaidBook, files: list[SourceFile], notes: tuple[str, ...] = ()
) -> Harvest:
    """Return what was gathered."""
    return Harvest(
        files=tuple(files),
        facts=book.gathered.tables(),
        rejects=book.gathered.refused,
        duplicates=tuple(book.repeated),
        supporting=tuple(sorted(book.gathered.supporting)),
        notes=(*notes, MASKED),
    )
