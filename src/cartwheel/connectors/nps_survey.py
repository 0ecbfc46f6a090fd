"""Answers to the net promoter question from CSV exports of survey tools.

A score becomes a message by the medium `nps`, which the net promoter score reads; a
comment becomes one by the medium `survey`, which is read like any other text.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from cartwheel.connectors.base import Harvest, ImportContext
from cartwheel.connectors.named_rows import (
    Export,
    NamedRow,
    RowBook,
    read_export,
)
from cartwheel.connectors.shopify_csv.customers import customer_id
from cartwheel.connectors.written import address_of, plain_id, written_text
from cartwheel.lake.tables import SURVEY_MEDIA
from cartwheel.text.masking import mask

SCORE_MEDIUM, COMMENT_MEDIUM = SURVEY_MEDIA

EXPORT = Export(
    what="answers",
    aliases={
        "id": ("response_id", "survey_response_id", "answer_id", "id"),
        "score": (
            *("score", "nps_score", "nps", "rating", "answer", "likelihood"),
            "how_likely_are_you_to_recommend_us",
        ),
        "comment": (
            *("comment", "comments", "feedback", "reason", "answer_text"),
            *("open_ended_response", "additional_comments"),
        ),
        "date": (
            *("answered_at", "responded_at", "response_date", "response_time"),
            *("survey_response_time", "submitted_at", "completed_at", "created_at"),
            "date",
        ),
        "email": ("email", "email_address", "customer_email", "person_email"),
        "customer": ("customer_id", "customer_ref"),
        "order": ("order_id", "order_ref", "order_number", "order"),
    },
    needed=(("score",), ("date",)),
)

_SCORE = re.compile(r"(10|\d)(?:[.,]0{1,3})?(?:\s?/\s?10)?")


class NpsSurvey:
    """Reads scores from 0 to 10, and what people said beside them."""

    kind = "nps"
    accepts = "A CSV export of answers 0 to 10 (Delighted, ...), or a folder of them."

    def read(self, path: Path, context: ImportContext) -> Harvest:
        """Read every answer; personal data in comments is masked.

        Raises:
            Misuse: If the path is missing, or a file is empty, broken or has no
                columns of a score and a date.
        """
        return read_export(
            EXPORT,
            _Book(),
            path,
            context,
            "Who answered is a customer by their id, else by the fingerprint of "
            "their address, as in Shopify's exports; personal data in comments is "
            "masked.",
        )


class _Book(RowBook):
    """Answers as they are gathered over files."""

    def add(self, row: NamedRow) -> None:
        """Add one answer, or say why it is none."""
        cells = row.cells
        score = _SCORE.fullmatch(cells["score"])
        if score is None:
            reason = "expected a whole number from 0 to 10"
            if not cells["score"]:
                reason = "no score; " + reason
            said = mask(cells["score"])
            self.gathered.refuse(row.number, row.labels["score"], said, reason)
            return
        name = _name(row)
        if not self.is_new(name, row):
            return
        about = {
            "customer_id": _person(cells["customer"], cells["email"]) or None,
            "direction": "in",
            "sent_at": row.at,
            "order_id": plain_id(cells["order"].lstrip("#")) or None,
        }
        self.gathered.add(
            "messages",
            row.number,
            message_id=name,
            medium=SCORE_MEDIUM,
            body=score.group(1),
            **about,
        )
        comment = written_text(cells["comment"], markup="</" in cells["comment"])
        if comment:
            self.gathered.add(
                "messages",
                row.number,
                message_id=f"{name}/comment",
                medium=COMMENT_MEDIUM,
                body=comment,
                **about,
            )


def _person(customer: str, email: str) -> str:
    """Return who answered: the shop's id of them, else a fingerprint of the address."""
    address = address_of(customer) or ("" if customer else address_of(email))
    return customer_id(address, None, None) if address else plain_id(customer)


def _name(row: NamedRow) -> str:
    """Return the answer's id, made of its content where it brings none."""
    given = plain_id(row.cells["id"])
    if given:
        return f"nps-{given}"
    parts = ("score", "comment", "email", "customer", "order")
    words = "\x1f".join((*(row.cells[name] for name in parts), row.at.isoformat()))
    made = hashlib.sha256(words.encode("utf-8", "replace")).hexdigest()
    return f"nps-{made[:24]}"
