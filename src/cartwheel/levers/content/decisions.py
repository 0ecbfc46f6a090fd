"""Decisions of the lever: a page fix, a paragraph for mails, a task, an outline."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cartwheel.levers.base import Decision
from cartwheel.levers.content.draft import Draft, Line, form_of, in_table
from cartwheel.levers.content.drafting import OFFLINE
from cartwheel.levers.content.mail import KIND as MAIL_KIND
from cartwheel.levers.content.mail import in_prose
from cartwheel.levers.content.missing import gaps
from cartwheel.levers.content.outline import (
    MOST_PRODUCTS,
    Attribute,
    Outline,
)
from cartwheel.levers.content.proposal import Proposal
from cartwheel.signals.base import Signals
from cartwheel.text.claims.facts import ShopFacts
from cartwheel.text.objections import CLASSES
from cartwheel.text.page_block import block_of, digest, mail_of, page_of
from cartwheel.text.page_table import Comparison, source_of

OUTLINE_KIND = "guide_outline"


def fix_of(one: Proposal, data: Signals) -> Decision:
    """Return a fix of a product's page; the proposal must have a draft."""
    draft = one.draft
    assert draft is not None
    held, markup = page_of(one.page)
    lines = [line for line in draft.lines if not in_table(line, draft.table)]
    said = [*_said(draft.paragraph, paragraph=True), *_said(lines)]
    said += _said(draft.questions)
    table = {} if draft.table is None else {"table": draft.table.to_json()}
    return Decision(
        kind="page_fix",
        subject=f"product:{one.product_id}",
        action={
            "form": form_of(draft),
            "objection": one.objection,
            "heading": draft.heading,
            "block": block_of(draft.heading, said, markup, draft.table),
            "markup": markup,
            "before": digest(held),
            "said": said,
            **table,
            "writer": one.written.writer if one.written else OFFLINE,
            "generated": True,
        },
        reason=f"{_reason(one, data)}; {_told(one, form_of(draft), data)}.",
        predicted=one.saved,
        worth_minor=one.stake_minor,
        evidence={
            **_evidence(one),
            **_service(one),
            "rank_minor": one.rank_minor,
            "credit": None if one.credit is None else one.credit.to_json(),
            "sources": _cited(one, draft) | _cells(draft.table),
        },
    )


def mail_decision(one: Proposal, data: Signals) -> Decision:
    """Return a paragraph for order mails; the proposal must have a draft."""
    draft = one.draft
    assert draft is not None
    said = in_prose((*draft.paragraph, *draft.lines)) + _said(draft.questions)
    return Decision(
        kind=MAIL_KIND,
        subject=f"product:{one.product_id}",
        action={
            "form": draft.form,
            "objection": one.objection,
            "heading": draft.heading,
            "text": mail_of(draft.heading, said, "text"),
            "html": mail_of(draft.heading, said, "html"),
            "said": said,
            "writer": one.written.writer if one.written else OFFLINE,
            "generated": True,
        },
        reason=f"{_reason(one, data)}; a mail to the buyer can say how it is answered.",
        worth_minor=one.stake_minor,
        evidence={
            **_evidence(one),
            **_service(one),
            "sources": _cited(one, draft),
        },
    )


def _cited(one: Proposal, draft: Draft) -> dict[str, str]:
    """Return the facts that a draft rests on, by id."""
    cited = {source for line in draft.says for source in line.sources}
    return {
        source.id: f"{source.name}: {source.text}" if source.name else source.text
        for source in one.facts
        if source.id in cited
    }


def _cells(table: Comparison | None) -> dict[str, str]:
    """Return the facts in a table's cells, each with whose it is."""
    if table is None:
        return {}
    return {
        source_of(product, row.attribute): f"{title}, {row.attribute}: {value}"
        for row in table.rows
        for product, title, value in zip(
            table.products, table.titles, row.values, strict=True
        )
    }


def _said(lines: Sequence[Line], *, paragraph: bool = False) -> list[dict[str, Any]]:
    where = {"paragraph": True} if paragraph else {}
    return [
        {
            "text": line.text,
            "question": line.question,
            "sources": list(line.sources),
            **where,
        }
        for line in lines
    ]


def _service(one: Proposal) -> dict[str, Any]:
    """Return what became of the text service's draft, where one was wanted."""
    if one.written is None:
        return {}
    blocked = [{"text": text, "why": why} for text, why in one.written.blocked]
    return {"service": {"failed": one.written.failed, "blocked": blocked}}


def task_of(one: Proposal, data: Signals, shop: ShopFacts) -> Decision:
    """Return what a person must find out before a page can answer an objection."""
    missing = gaps(one, shop)
    return Decision(
        kind="page_task",
        subject=f"product:{one.product_id}",
        action={"objection": one.objection, **missing},
        reason=f"{_reason(one, data)}; no fact on record answers it.",
        worth_minor=one.stake_minor,
        evidence=_evidence(one),
    )


def _reason(one: Proposal, data: Signals) -> str:
    name = CLASSES[one.objection].lower()
    words = f"{one.mentions:,} texts of a year raise an objection ({name})"
    if one.returned_units:
        words += f", {one.returned_units:,} units came back for it"
    if one.stake_minor is not None:
        words += f", {data.context.money(one.stake_minor)} a year at stake"
    return words


def _told(one: Proposal, form: str, data: Signals) -> str:
    """Return what tests told of such a fix, and what it takes back here."""
    words = f"the page can say it: {form}"
    if one.credit is None:
        return (
            f"{words}. Nobody has tested a fix of this kind; what it brings is told by "
            "a test of the fix"
        )
    names = ", ".join(one.credit.experiments)
    words += f". In tests ({names}), {one.credit.sentence(one.objection)}"
    if one.saved is None:
        return f"{words}; what is at stake here is unknown"
    value, low, high = (
        data.context.money(amount)
        for amount in (one.saved.value, one.saved.low, one.saved.high)
    )
    return (
        f"{words}. As those did on average, it takes back {value} of what is at stake "
        f"here ({low} to {high}); one product can differ more"
    )


def _evidence(one: Proposal) -> dict[str, Any]:
    return {
        "mentions": one.mentions,
        "texts": one.texts,
        "returned_units": one.returned_units,
        "stake_minor": one.stake_minor,
        "low_minor": one.low_minor,
        "high_minor": one.high_minor,
        "quotes": list(one.quotes),
    }


def outline_of(guide: Outline, data: Signals) -> Decision:
    """Return the outline of a buying guide, for a person to write up."""
    top = [CLASSES[name].lower() for name in list(guide.objections)[:2]]
    words = (
        f"{guide.texts:,} texts ask or object in {guide.category}, where "
        f"{guide.products:,} products are on sale"
    )
    if top:
        words += f", most about {' and '.join(top)}"
    if guide.stake_minor is not None:
        words += f"; {data.context.money(guide.stake_minor)} a year at stake"
    return Decision(
        kind=OUTLINE_KIND,
        subject=f"category:{guide.category}",
        action={
            "category": guide.category,
            "questions": [
                {
                    "question": one.question,
                    "times": one.times,
                    "products": one.products,
                    "answered": one.answered,
                    "sources": [f"question:{one.source}"],
                }
                for one in guide.questions
            ],
            "attributes": [_choice(one, guide) for one in guide.attributes],
        },
        reason=f"{words}. A person writes the guide from what is listed.",
        worth_minor=guide.stake_minor,
        evidence={
            "texts": guide.texts,
            "products": guide.products,
            "objections": dict(guide.objections),
            "sources": guide.sources(),
        },
    )


def _choice(one: Attribute, guide: Outline) -> dict[str, Any]:
    """Return an attribute as a choice: each value with the products that have it."""
    return {
        "name": one.name,
        "without": one.without,
        "values": [
            {
                "value": value,
                "products": len(products),
                "first": [
                    {
                        "product_id": product,
                        "title": guide.titles[product],
                        "sources": [source_of(product, one.name)],
                    }
                    for product in products[:MOST_PRODUCTS]
                ],
            }
            for value, products in one.values.items()
        ],
    }
