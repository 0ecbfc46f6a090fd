"""A paragraph for the order's mails, where trouble comes after the purchase.

Who has bought reads the mail that confirms or announces the parcel, not the page. Where
parcels come back or buyers write because they do not know how to use, wear or care for
a product, and the shop's own facts say it, they are said there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from cartwheel.levers.content.draft import (
    Draft,
    Line,
    page_language,
    speaking_answers,
    speaking_attributes,
)
from cartwheel.levers.content.wording import words_of
from cartwheel.text.claims import Source

KIND = "mail_paragraph"

SPEAK_OF: Mapping[str, tuple[str, ...]] = {
    "missing_instructions": ("missing_instructions",),
    "size_fit": ("missing_instructions", "size_fit"),
    "compatibility": ("missing_instructions", "compatibility"),
}
"""Objections that a mail can still answer, and which facts it answers them with: how to
use and care for it first. What shoppers found of a size comes too late and is not
said; the shop's terms would be the same words in mail after mail."""


def comes_after_purchase(row: Mapping[str, Any], least: int) -> bool:
    """Whether enough messages and returned units are told of an objection.

    A message may have been written before the purchase; its sender is not known here.

    Args:
        row: Row of the signal `objections`.
        least: Messages and units together.
    """
    told = int(row["contacts"] or 0) + int(row["returned_units"] or 0)
    return row["objection"] in SPEAK_OF and told >= least


def write_mail(
    objection: str, facts: Sequence[Source], page: Mapping[str, Any]
) -> Draft | None:
    """Return a paragraph for the order's mails, None where no fact speaks.

    What the page says is said again: the buyer has the mail at hand, not the page.

    Args:
        objection: Class of `SPEAK_OF`.
        facts: Facts about the product and the shop.
        page: Row of the signal `listing`.
    """
    language = page_language(page)
    lines: dict[Line, None] = {}
    asked: dict[Line, None] = {}
    for name in SPEAK_OF[objection]:
        lines |= dict.fromkeys(speaking_attributes(name, facts, language))
        asked |= dict.fromkeys(speaking_answers(name, facts, language))
    if not lines and not asked:
        return None
    return Draft(
        form="mail paragraph",
        heading=words_of(language)["headings"]["mail"],
        lines=tuple(lines),
        questions=tuple(asked),
    )


def in_prose(lines: Iterable[Line]) -> list[dict[str, Any]]:
    """Return facts as the sentences of a paragraph, as a decision says them."""
    return [
        {
            "text": line.text
            if line.text.endswith((".", "!", "?"))
            else f"{line.text}.",
            "question": "",
            "sources": list(line.sources),
            "paragraph": True,
        }
        for line in lines
    ]
