"""A decision of the lever `content` as the lines it says, each with its source's text.

Structured data of a page is no decision: it is made as for the file beside the page.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bench.drafts_sources import Line, Manual
from cartwheel.channels.structured import structured_data
from cartwheel.ledger.entry import DecisionState, Entry
from cartwheel.levers.base import Decision
from cartwheel.text.claims import Brand, Source, check_draft
from cartwheel.text.claims.facts import ShopFacts
from cartwheel.text.claims.tables import table_faults
from cartwheel.text.page_table import Comparison

BRAND = Brand(quoted_terms=True)
"""As shops have it unless they say otherwise."""
PHOTOS, STRUCTURED, OUTLINE = "photo list", "structured data", "buying guide outline"


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A draft with its sources.

    Attributes:
        shop: Shop.
        form: What the lever calls it.
        about: The product's or category's name.
        heading: Heading, "" for none.
        lines: What it says.
        sources: What the sources of each line say, in the same order.
        read: Lines and cells that the claim check read.
        blocked: What it blocked of these, with why.
    """

    shop: str
    form: str
    about: str
    heading: str
    lines: tuple[Line, ...]
    sources: tuple[str, ...]
    read: int = 0
    blocked: tuple[str, ...] = ()


def draft_of(shop: str, one: Decision, manual: Manual, facts: ShopFacts) -> Draft:
    product = one.subject.partition(":")[2]
    lines = tuple(_lines(one))
    read, blocked = _checked(one, facts.of(product), facts)
    names = {"page_task": PHOTOS, "guide_outline": OUTLINE}
    return Draft(
        shop=shop,
        form=names.get(one.kind) or str(one.action["form"]),
        about=str(facts.listing(product).get("title") or product),
        heading=str(one.action.get("heading", "")),
        lines=lines,
        sources=tuple(manual.text(product, line.sources) for line in lines),
        read=read,
        blocked=blocked,
    )


def _lines(one: Decision) -> Iterator[Line]:
    """Yield what a decision says: lines, cells, values to choose by, photographs."""
    for said in one.action.get("said", ()):
        kind = "count" if said["sources"][0].startswith("count:") else ""
        yield Line(
            text=said["text"],
            sources=tuple(said["sources"]),
            kind=kind,
            question=said["question"],
        )
    shown = one.action.get("table", {"products": [], "rows": []})
    for row in shown["rows"]:
        for column, cell in zip(shown["products"], row["cells"], strict=True):
            text = f"{column['title']}, {row['attribute']}: {cell['text']}"
            yield Line(text=text, sources=tuple(cell["sources"]))
    if one.kind == "guide_outline":
        yield from _choices(one.action)
    for text in one.action.get("photos", ()):
        yield Line(text=text)


def _choices(action: Mapping[str, Any]) -> Iterator[Line]:
    """Yield the questions of an outline and how many products have each value."""
    for asked in action["questions"]:
        yield Line(text=asked["question"], sources=tuple(asked["sources"]))
    for attribute in action["attributes"]:
        for value in attribute["values"]:
            named = f"{attribute['name']}: {value['value']}"
            whose = [one["title"] for one in value["first"]]
            cited = [id for one in value["first"] for id in one["sources"]]
            yield Line(
                text=f"{named}, {value['products']} products: {', '.join(whose)}",
                sources=(f"with:{attribute['name']}={value['value']}", *cited),
                kind="outline",
            )


def _checked(
    one: Decision, known: Sequence[Source], facts: ShopFacts
) -> tuple[int, tuple[str, ...]]:
    """Return how many lines and cells the claim check read, and what it blocked."""
    said = [str(line["text"]) for line in one.action.get("said", ())]
    claims = check_draft("\n".join(said), known, BRAND) if said else ()
    blocked = [f"{claim.text} ({claim.blocked})" for claim in claims if claim.blocked]
    read = len(claims)
    if "table" in one.action:
        shown = Comparison.from_json(one.action["table"])
        read += len(shown.products) * len(shown.rows)
        for product, row, why in table_faults(shown, facts.of_product):
            blocked.append(f"{product}, {row and row.attribute} ({why})")
    return read, tuple(blocked)


def machine_read(
    shop: str, row: Mapping[str, Any], fix: Decision, manual: Manual
) -> Draft:
    """Return a page's structured data, with the fix that answers most questions."""
    price = {"low_minor": row["price_minor"], "high_minor": row["price_minor"]}
    known = {
        **row,
        **price,
        "minor_digits": 2,
        "attributes": json.dumps(row["attributes"]),
    }
    made = structured_data(row["product_id"], known, [_entry(fix)])
    product, *pages = made["@graph"]
    offer = product["offers"]
    lines = [
        Line(text=product["name"], sources=("title",)),
        Line(text=product["brand"]["name"], sources=("brand",)),
        Line(text=product["category"], sources=("category",)),
        Line(text=f"{offer['price']} {offer['priceCurrency']}", sources=("price",)),
    ]
    for one in product.get("additionalProperty", ()):
        text, source = f"{one['name']}: {one['value']}", f"attribute:{one['name']}"
        lines.append(Line(text=text, sources=(source,)))
    cited = {
        (line["question"], line["text"]): tuple(line["sources"])
        for line in fix.action["said"]
    }
    for one in (one for page in pages for one in page["mainEntity"]):
        asked, answer = one["name"], one["acceptedAnswer"]["text"]
        lines.append(Line(text=answer, sources=cited[asked, answer], question=asked))
    return Draft(
        shop=shop,
        form=STRUCTURED,
        about=row["title"],
        heading="",
        lines=tuple(lines),
        sources=tuple(manual.text(row["product_id"], one.sources) for one in lines),
    )


def _entry(fix: Decision) -> Entry:
    return Entry(
        id="1",
        turn=1,
        lever="content",
        kind=fix.kind,
        subject=fix.subject,
        state=DecisionState.APPLIED,
        body={},
        action=fix.action,
        edited=False,
        model="-",
        refusal=None,
        expires_on=None,
    )
