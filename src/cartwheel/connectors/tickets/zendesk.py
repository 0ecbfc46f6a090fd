"""Zendesk: tickets with their comments as JSON or NDJSON, and views as CSV."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cartwheel.connectors import named_rows
from cartwheel.connectors.base import Harvest, ImportContext
from cartwheel.connectors.json_records import (
    SUFFIXES,
    Body,
    id_at,
    instant_at,
    list_at,
    part_at,
    read_records,
    text_at,
)
from cartwheel.connectors.named_rows import export_files
from cartwheel.connectors.tickets.json_export import JsonExport, People, harvest_of
from cartwheel.connectors.tickets.said import Said, SaidBook, Speaker, medium_of
from cartwheel.connectors.tickets.zendesk_view import read_views

DELETED = "a ticket that was deleted"
MERGED = "a note that tickets were merged; what it repeats stands in the other ticket"
FIRST = "first"
"""Id of a ticket's first comment, which without comments is its description."""

_MERGED = re.compile(
    r"\s*(this request was|request #\d{1,20}\b.{0,300}? was) closed and merged into",
    re.IGNORECASE | re.DOTALL,
)


class Zendesk(JsonExport):
    """Reads tickets of Zendesk."""

    kind = "zendesk"
    accepts = "Zendesk tickets as JSON, NDJSON or a view's CSV, or a folder of them."
    lists = ("tickets", "users")
    fields = ("requester_id", "description", "comments")

    def read(self, path: Path, context: ImportContext) -> Harvest:
        """Read tickets of JSON files, then those of CSV files.

        Raises:
            Misuse: If the path is missing, or a file is empty or no such export.
        """
        base = path if path.is_dir() else path.parent
        paths = export_files(path, "tickets", SUFFIXES + named_rows.SUFFIXES)
        views = [one for one in paths if one.name.lower().endswith(named_rows.SUFFIXES)]
        book = SaidBook(self.kind)
        files = self.read_files([one for one in paths if one not in views], base, book)
        first = sum(file.rows for file in files)
        more, notes = read_views(views, base, first, book, context)
        return harvest_of(book, files + more, tuple(notes))

    def people_in(self, paths: list[Path]) -> People:
        """Return the users that files list, by id."""
        return {
            id_at(record.body, "id"): record.body
            for path in paths
            for record in read_records(path, self.lists)
            if record.body is not None and self.is_person(record.body)
        }

    def is_person(self, body: Body) -> bool:
        """Tell whether a record is a user."""
        return "role" in body and not any(name in body for name in self.fields)

    def said_in(self, body: Body, people: People) -> Iterator[Said]:
        """Yield a ticket's comments, or its description where it comes without."""
        ticket = _Ticket(body=body, people=people)
        comments = list_at(body, "comments")
        if comments:
            for at, comment in enumerate(comments):
                yield ticket.comment(comment, FIRST if at == 0 else "")
        elif text_at(body, "description", "subject", "raw_subject"):
            yield ticket.description()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ticket:
    """A ticket and the people of the export."""

    body: Body
    people: People

    @property
    def requester(self) -> str:
        """Id of who asked, of the record itself where it is written out."""
        return id_at(self.body, "requester_id") or id_at(
            part_at(self.body, "requester"), "id"
        )

    def description(self) -> Said:
        """Return the first thing said, of a ticket without its comments."""
        author = id_at(self.body, "submitter_id") or self.requester
        hidden = self.body.get("is_public") is False
        return self._said(
            self.body,
            FIRST,
            author=author,
            hidden=hidden,
            text=text_at(self.body, "description"),
        )

    def comment(self, comment: Body, name: str) -> Said:
        """Return a comment.

        Args:
            comment: The comment.
            name: Its id; "" for the one it brings.
        """
        text = text_at(comment, "plain_body", "body")
        marked = not text and bool(text_at(comment, "html_body"))
        return self._said(
            comment,
            name or id_at(comment, "id"),
            author=id_at(comment, "author_id")
            or id_at(part_at(comment, "author"), "id"),
            hidden=comment.get("public") is False,
            text=text or text_at(comment, "html_body"),
            markup=marked,
        )

    def _said(
        self,
        part: Body,
        name: str,
        *,
        author: str,
        hidden: bool,
        text: str,
        markup: bool = False,
    ) -> Said:
        via = part_at(part, "via") or part_at(self.body, "via")
        merged = text_at(part_at(via, "source"), "rel") == "merge"
        left_out = ""
        if text_at(self.body, "status") == "deleted":
            left_out = DELETED
        elif merged or _MERGED.match(text[:500]):
            left_out = MERGED
        return Said(
            id=name,
            ticket=id_at(self.body, "id"),
            speaker=Speaker.NOBODY if hidden else self._speaker(author),
            at=instant_at(part, "created_at") or instant_at(self.body, "created_at"),
            text=text,
            markup=markup,
            writer=author,
            address=self._address(),
            medium=medium_of(text_at(part_at(self.body, "via"), "channel")),
            subject=text_at(self.body, "subject", "raw_subject"),
            left_out=left_out,
        )

    def _speaker(self, author: str) -> Speaker:
        """Return whether a person is a customer: by their role, else who asked."""
        role = text_at(self.people.get(author, {}), "role")
        if not role and author == id_at(part_at(self.body, "requester"), "id"):
            role = text_at(part_at(self.body, "requester"), "role")
        if role:
            return Speaker.CUSTOMER if role == "end-user" else Speaker.SHOP
        return Speaker.CUSTOMER if author == self.requester else Speaker.SHOP

    def _address(self) -> str:
        known = text_at(self.people.get(self.requester, {}), "email")
        written = text_at(part_at(self.body, "requester"), "email")
        source = part_at(part_at(part_at(self.body, "via"), "source"), "from")
        return known or written or text_at(source, "address")
