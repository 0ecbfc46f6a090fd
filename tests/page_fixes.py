"""A shop's page fixes for tests: decisions in the ledger, pages as a turn read them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from cartwheel.channels.pages import PAGE_TEXTS
from cartwheel.ledger.store import insert_decisions
from cartwheel.levers.base import Decision
from cartwheel.operations import pages
from cartwheel.shop import Shop
from cartwheel.text.page_block import Entry, block_of, digest, mail_of, write_block
from cartwheel.text.page_table import Comparison, Row

PAGE = "<p>A shirt for <em>summer</em> &amp; holidays.</p>\r\n"
SAID = ({"text": "Chest width: 54 cm", "question": "", "sources": ["attribute:Chest"]},)
ASKED = {"text": "It is.", "question": "Is it <b>lined</b>?", "sources": ["answer:q1"]}


def fix(
    product: str = "P1",
    *,
    page: str = PAGE,
    said: tuple[Mapping[str, Any], ...] = SAID,
    markup: str = "html",
    **changes: Any,
) -> Decision:
    """Return a page fix as the lever makes it."""
    entries = [Entry(text=one["text"], question=one["question"]) for one in said]
    lines = [one for one in entries if not one.question]
    asked = [one for one in entries if one.question]
    block = write_block(
        "Size and fit", lines, asked, "html" if markup == "html" else "text"
    )
    values: dict[str, Any] = {
        "kind": "page_fix",
        "subject": f"product:{product}",
        "action": {
            "form": "size note",
            "objection": "size_fit",
            "heading": "Size and fit",
            "block": block,
            "markup": markup,
            "before": digest(page),
            "said": [dict(one) for one in said],
            "writer": "offline",
            "generated": True,
        },
        "reason": "12 texts of a year raise an objection (size and fit).",
        "worth_minor": 31_500,
        "evidence": {"quotes": ["Runs <i>small</i>."], "sources": {}},
    }
    return Decision(**{**values, **changes})


TABLE = Comparison(
    caption="Side by side",
    products=("P1", "P2"),
    titles=("Shirt P1", "Shirt <P2>"),
    rows=(Row(attribute="Chest", values=("54 cm", "60 cm")),),
)


def fix_with_table(product: str = "P1", **changes: Any) -> Decision:
    """Return a page fix that shows another product beside the page's own."""
    made = fix(product, **changes)
    action = {
        **made.action,
        "table": TABLE.to_json(),
        "block": block_of("Size and fit", made.action["said"], "html", TABLE),
    }
    return replace(made, action=action)


def mail(
    product: str = "P1", *, said: tuple[Mapping[str, Any], ...] = SAID
) -> Decision:
    """Return a paragraph for order mails as the lever makes it."""
    told = [{**one, "paragraph": not one["question"]} for one in said]
    return Decision(
        kind="mail_paragraph",
        subject=f"product:{product}",
        action={
            "form": "mail paragraph",
            "objection": "missing_instructions",
            "heading": "Good to know",
            "text": mail_of("Good to know", told, "text"),
            "html": mail_of("Good to know", told, "html"),
            "said": told,
            "writer": "offline",
            "generated": True,
        },
        reason="12 texts of a year raise an objection (missing instructions).",
        worth_minor=31_500,
        evidence={"sources": {}},
    )


def task(product: str = "P2") -> Decision:
    """Return what a person must find out."""
    return Decision(
        kind="page_task",
        subject=f"product:{product}",
        action={
            "objection": "compatibility",
            "questions": ["Does it fit a <b>UK</b> socket?"],
            "attributes": ["voltage"],
            "photos": ["the plug"],
        },
        reason="5 texts of a year raise an objection (compatibility).",
    )


def outline(category: str = "Shirts <all>") -> Decision:
    """Return the outline of a buying guide as the lever makes it."""
    product = {"product_id": "P1", "title": "Shirt P1", "sources": []}
    value = {"value": "linen", "products": 4, "first": [product]}
    asked = {"question": "Does it <i>shrink</i>?", "times": 3, "products": 2}
    return Decision(
        kind="guide_outline",
        subject=f"category:{category}",
        action={
            "category": category,
            "questions": [{**asked, "answered": False, "sources": ["question:q1"]}],
            "attributes": [{"name": "Material", "without": 1, "values": [value]}],
        },
        reason="30 texts ask or object in Shirts.",
        worth_minor=9_900,
    )


def put(
    shop: Shop, decision: Decision, *, turn: int = 1, state: str = "proposed"
) -> str:
    """Insert a decision of a turn and return its id."""
    name = f"{turn}-{decision.kind}-{decision.subject.partition(':')[2]}"
    row = {
        "id": name,
        "turn": turn,
        "position": 0,
        "lever": "content",
        "kind": decision.kind,
        "subject": decision.subject,
        "state": state,
        "worth_minor": decision.worth_minor,
        "cost_minor": None,
        "body": decision.canonical(),
        "action": json.dumps(dict(decision.action)),
        "model": "",
        "refusal": None,
        "expires_on": None,
    }
    with shop.database.begin() as con:
        insert_decisions(con, [row], actor=f"turn {turn}")
    return name


def read_as(
    shop: Shop,
    turn: int = 1,
    *,
    sold_out: tuple[str, ...] = (),
    withdrawn: tuple[str, ...] = (),
    **texts: str,
) -> None:
    """Publish what a turn read of pages, by product."""
    body = {
        product: {
            "title": f"Shirt {product}",
            "description": text if not text.startswith("<") else "",
            "page_html": text if text.startswith("<") else None,
            "category": "Apparel > Shirts",
            "brand": "Nordlin",
            "url": f"/products/{product}",
            "image_url": None,
            "attributes": '{"Chest": "54 cm"}',
            "low_minor": 4900,
            "high_minor": 4900,
            "variants": 1,
            "in_stock": product not in sold_out,
            "active": product not in withdrawn,
            "currency": shop.settings.currency,
            "minor_digits": 2,
        }
        for product, text in texts.items()
    }
    with shop.database.begin() as con:
        con.execute(
            pages.delete().where(pages.c.turn == turn, pages.c.name == PAGE_TEXTS)
        )
        con.execute(
            pages.insert().values(turn=turn, name=PAGE_TEXTS, body=json.dumps(body))
        )
