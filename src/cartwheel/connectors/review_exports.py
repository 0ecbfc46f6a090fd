"""CSV exports of review apps: Judge.me, Yotpo and others with the like columns.

The columns are found by name, since every app, and every year of it, names them
otherwise. What nobody needs to know of a writer, such as their internet address, is not
read.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path

from cartwheel.connectors.base import Harvest, ImportContext
from cartwheel.connectors.named_rows import (
    Export,
    NamedRow,
    RowBook,
    read_export,
)
from cartwheel.connectors.shopify_csv.customers import customer_id
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

EXPORT = Export(what="reviews", aliases=ALIASES, needed=(("date",), ("rating", "body")))

SPAM = frozenset({"spam", "rejected", "deleted", "trash", "hidden"})
"""States of a review that somebody took for no review."""

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
        return read_export(
            EXPORT,
            _Book(),
            path,
            context,
            "E-mail addresses, telephone, card and account numbers in texts are "
            "masked; a writer is a customer by the fingerprint of their address, "
            "as in Shopify's exports.",
        )


class _Book(RowBook):
    """Reviews as they are gathered over files."""

    def add(self, row: NamedRow) -> None:
        """Add one review, or say why it is none."""
        number, cells, at = row.number, row.cells, row.at
        if cells["state"].lower() in SPAM:
            label = row.labels["state"]
            reason = "the app took it for no review"
            self.gathered.refuse(number, label, cells["state"], reason)
            return
        stars = _STARS.fullmatch(cells["rating"])
        if cells["rating"] and stars is None:
            label = row.labels["rating"]
            said = mask(cells["rating"])
            self.gathered.refuse(number, label, said, "expected 1 to 5 stars")
            return
        if stars is None and not cells["body"] and not cells["title"]:
            self.gathered.refuse(number, "", "", "neither stars nor a text")
            return
        product = _product(cells["product"])
        email = cells["email"].lower()
        person = customer_id(email, None, None) if "@" in email else None
        words = (cells["title"], cells["body"], product, person or "", at.isoformat())
        made = hashlib.sha256("\x1f".join(words).encode()).hexdigest()[:24]
        name = cells["id"] or f"r-{made}"
        if not self.is_new(name, row):
            return
        self.gathered.add(
            "reviews",
            number,
            review_id=name,
            product_id=product or None,
            customer_id=person,
            created_at=at,
            rating=int(stars.group(1)) if stars else None,
            title=mask(cells["title"]) or None,
            body=mask(cells["body"]) or None,
        )


def _product(text: str) -> str:
    """Return a product's handle or id; of an address the handle in it."""
    found = _HANDLE.search(text)
    return found.group(1) if found else text
