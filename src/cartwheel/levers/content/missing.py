"""What a person must find out before a page can answer an objection."""

from __future__ import annotations

from typing import Any

from cartwheel.levers.content.draft import asks_of, page_language
from cartwheel.levers.content.proposal import Proposal
from cartwheel.levers.content.wording import words_of
from cartwheel.text.claims.facts import ShopFacts
from cartwheel.text.masking import mask

MOST_ASKED = 5


def unanswered(one: Proposal, shop: ShopFacts) -> tuple[str, ...]:
    """Return questions that raise an objection and have no answer, newest first."""
    language = page_language(one.page)
    found = []
    for row in shop.questions(one.product_id):
        if (row["answer"] or "").strip():
            continue
        if asks_of(str(row["question"]), one.objection, language):
            found.append(mask(str(row["question"])))
    return tuple(found[:MOST_ASKED])


def gaps(one: Proposal, shop: ShopFacts) -> dict[str, Any]:
    """Return what a person must find out before the page can answer an objection."""
    words = words_of(page_language(one.page))
    return {
        "questions": list(unanswered(one, shop)),
        "attributes": list(words["attributes"].get(one.objection, ()))[:6],
        "photos": list(words["photos"].get(one.objection, ())),
    }
