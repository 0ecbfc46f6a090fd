"""CSV exports of review apps: Judge.me, Yotpo and others with the like columns.

The columns are found by name, since every app, and every year of it, names them
otherwise. What nobody needs to know of a writer, such as their internet address, is not
read.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cartwheel.connectors.base import Harvest, ImportContext, SourceFile
from cartwheel.connectors.cells import Sheet, read_csv
from cartwheel.connectors.detect import normalise, read_stated
from cartwheel.connectors.gathered import Gathered
from cartwheel.connectors.shopify_csv.customers import customer_id
from cartwheel.connectors.values import Parsed, parse_instant, parse_text
from cartwheel.errors import Misuse
from cartwheel.text.masking import mask

ALIASES: Mapping[str, tuple[str, ...]] = {
    "id": ("review_id", "id"),
    "rating": ("rating", "score", "review_score", "stars"),
    "title": ("title", "review_title"),
    "body": ("body", "content", "review", "review_content", "text", "review_body"),
    "date": ("review_date", "date", "created_at", "reviewed_at", "submitted_at"),
    "product": (
        *("product_handle", "handle", "product_id", "product_external_id", "sku"),
        "product_url",
    ),
    "email": ("reviewer_email", "email", "email_address", "customer_email"),
    "state": ("curated", "status"),
}
"""Accepted headers (normalised), in order of preference, by what they are."""

SPAM = frozenset({"spam", "rejected", "deleted", "trash", "hidden"})
"""States of a review that somebody took for no review."""

SUFFIXES = (".csv", ".csv.gz", ".tsv")
_HANDLE = re.compile(r"/products/([^/?#]+)")
_STARS = re.compile(r"([1-5])(?:[.,]0+)?(?:\s*/\s*5|\s*(?:stars?|sterne?))?", re.I)


class ReviewExports:
    """Reads reviews from the CSV exports of review apps."""

    kind = "reviews"
    accepts = "A CSV export of reviews (Judge.me, Yotpo, ...), or a folder of them."

    def read(self, path: Path, context: ImportContext) -> Harvest:
        """Read every review; personal data in texts is masked.

        Raises:
            Misuse: If the path is missing, or a file is empty, broken or has no
                columns of a date and of stars or text.
        """
        files: list[SourceFile] = []
        notes: list[str] = []
        book = _Book()
        base = path if path.is_dir() else path.parent
        stated = read_stated(base)
        known = frozenset(name for names in ALIASES.values() for name in names)
        first = 0
        for file in _files(path):
            name = str(file.relative_to(base))
            sheet = read_csv(file, name=name, known=known, stated=stated)
            found = _Columns.of(sheet)
            sheet = sheet.decided(numbers=(), dates=found.labels("date"))
            book.add(sheet, found, first, context)
            files.append(
                SourceFile(
                    name=name,
                    first_row=first,
                    rows=sheet.rows,
                    note=sheet.layout.note,
                    lines=sheet.lines,
                )
            )
            notes.append(f"{name}: {found.note}")
            first += sheet.rows
        refused = book.gathered.rejects
        return Harvest(
            files=tuple(files),
            facts=book.gathered.tables(),
            rejects=tuple(refused[row] for row in sorted(refused)),
            duplicates=tuple(book.repeated),
            notes=(
                *notes,
                "E-mail addresses, telephone, card and account numbers in texts are "
                "masked; a writer is a customer by the fingerprint of their address, "
                "as in Shopify's exports.",
            ),
        )


def _files(path: Path) -> Iterable[Path]:
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise Misuse(
            f"{path} is neither a file nor a folder.", "Check the path, with its name."
        )
    found = sorted(
        one
        for one in path.rglob("*")
        if one.is_file() and one.name.lower().endswith(SUFFIXES)
    )
    if not found:
        raise Misuse(
            f"{path} holds no export; expected {', '.join(SUFFIXES)}.",
            "Export the reviews from the app as CSV.",
        )
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class _Columns:
    """Which columns of a file hold what.

    Attributes:
        by_name: Headers as written, best first, by our name.
    """

    by_name: Mapping[str, tuple[str, ...]]

    @classmethod
    def of(cls, sheet: Sheet) -> _Columns:
        """Find the columns of a file.

        Raises:
            Misuse: If there is no date, or neither stars nor a text.
        """
        labels: dict[str, str] = {}
        for label in sheet.header:
            labels.setdefault(normalise(label), label)
        found = {
            name: tuple(labels[one] for one in accepted if one in labels)
            for name, accepted in ALIASES.items()
        }
        for needed in (("date",), ("rating", "body")):
            if not any(found[name] for name in needed):
                accepted = (one for name in needed for one in ALIASES[name])
                raise Misuse(
                    f"{sheet.name} has no column of {' or '.join(needed)}; expected "
                    f"one of {', '.join(accepted)}; found {', '.join(sheet.header)}.",
                    "Rename the column, or choose an export of reviews.",
                )
        return cls(by_name=found)

    def labels(self, name: str) -> tuple[str, ...]:
        """Return the headers of what is asked for, best first."""
        return self.by_name[name]

    @property
    def note(self) -> str:
        """Which column was taken for what."""
        said = ", ".join(
            f"{name} from {labels[0]}"
            for name, labels in self.by_name.items()
            if labels
        )
        return f"reviews, {said}"


class _Book:
    """Reviews as they are gathered over files."""

    def __init__(self) -> None:
        self.gathered = Gathered()
        self.repeated: list[int] = []
        self._known: set[str] = set()

    def add(
        self, sheet: Sheet, columns: _Columns, first: int, context: ImportContext
    ) -> None:
        """Add the reviews of a file whose first row has that number."""
        for reject in sheet.rejects:
            row = reject.source_row + first
            self.gathered.refuse(row, reject.field, reject.value, reject.reason)
        texts = {name: _texts(sheet, columns.labels(name)) for name in ALIASES}
        dates = _dates(sheet, columns.labels("date")[0], context)
        at = dates.values.to_pylist()
        for place, number in enumerate(sheet.source_rows):
            row = first + number
            cells = {name: values[place] for name, values in texts.items()}
            if place in dates.faults or at[place] is None:
                reason = dates.faults.get(place, "no date")
                self.gathered.refuse(
                    row, columns.labels("date")[0], cells["date"], reason
                )
            else:
                self._review(row, cells, at[place], columns)

    def _review(
        self, row: int, cells: Mapping[str, str], at: Any, columns: _Columns
    ) -> None:
        if cells["state"].lower() in SPAM:
            label = columns.labels("state")[0]
            reason = "the app took it for no review"
            self.gathered.refuse(row, label, cells["state"], reason)
            return
        stars = _STARS.fullmatch(cells["rating"])
        if cells["rating"] and stars is None:
            label = columns.labels("rating")[0]
            self.gathered.refuse(row, label, cells["rating"], "expected 1 to 5 stars")
            return
        if stars is None and not cells["body"] and not cells["title"]:
            self.gathered.refuse(row, "", "", "neither stars nor a text")
            return
        product = _product(cells["product"])
        email = cells["email"].lower()
        person = customer_id(email, None, None) if "@" in email else None
        words = (cells["title"], cells["body"], product, person or "", at.isoformat())
        made = hashlib.sha256("\x1f".join(words).encode()).hexdigest()[:24]
        name = cells["id"] or f"r-{made}"
        if name in self._known:
            self.repeated.append(row)
            return
        self._known.add(name)
        self.gathered.add(
            "reviews",
            row,
            review_id=name,
            product_id=product or None,
            customer_id=person,
            created_at=at,
            rating=int(stars.group(1)) if stars else None,
            title=mask(cells["title"]) or None,
            body=mask(cells["body"]) or None,
        )


def _texts(sheet: Sheet, labels: Iterable[str]) -> list[str]:
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


def _product(text: str) -> str:
    """Return a product's handle or id; of an address the handle in it."""
    found = _HANDLE.search(text)
    return found.group(1) if found else text
