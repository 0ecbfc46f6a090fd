"""Page fixes as files: the pages that differ from what the platform is known to hold.

What stands in `pages.csv` is the whole text of a page as it should be, for the
platform's importer; beside it, a file a page and its structured data. A page is made
anew each time from what the platform held when the last turn looked, and from the
fixes in force or taken back; nothing else of it is touched, and where somebody else
has edited the page, theirs stands.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import unified_diff
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import select

from cartwheel.channels.csv_files import FORMULA_STARTS, csv_text
from cartwheel.channels.files import put_file
from cartwheel.channels.structured import structured_data
from cartwheel.channels.visitor_fixes import delivered_ids
from cartwheel.ledger.entry import DecisionState, Entry
from cartwheel.ledger.store import list_decisions
from cartwheel.operations import decisions, page_data, reading, transitions
from cartwheel.shop import Shop
from cartwheel.text.page_block import Change, Outcome, carry_out, digest, page_of

KIND = "page_fix"
PAGE_TEXTS = "page_texts"
"""Page of a turn that holds the texts of products whose page is or was changed."""

FILE = "pages.csv"
SHOPIFY_FILE = "pages-shopify.csv"
FOLDER = "pages"
HEADER = ("product_id", "title", "url", "markup", "body")
SHOPIFY_HEADER = ("Handle", "Title", "Body (HTML)")

SUFFIXES = {"html": "html", "text": "txt"}
LONGEST_STEM = 150

REPLACED = "a newer one for the same objection stands in its place"

WANTED = (DecisionState.APPROVED, DecisionState.APPLIED)
GONE = (DecisionState.REVERTED, DecisionState.EXPIRED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A product's page: as the platform holds it, and as it should be.

    Attributes:
        product_id: Product.
        known: What the last turn read of it.
        text: Its text as the platform was last known to hold it.
        outcome: Its text as it should be, with what stands there and what was refused.
        fixes: Its fixes, in the order they were decided.
        replaced: Fixes in whose place a newer one stands.
    """

    product_id: str
    known: Mapping[str, Any]
    text: str
    outcome: Outcome
    fixes: tuple[Entry, ...] = field(default=())
    replaced: frozenset[str] = frozenset()

    @property
    def differs(self) -> bool:
        """The platform must be told."""
        return self.text != self.outcome.text


def planned_pages(shop: Shop, *, acting: bool = True) -> dict[str, Page]:
    """Return the pages with fixes, by product, as they should be.

    Args:
        shop: The shop.
        acting: Approved fixes are carried out; else only taken out.
    """
    texts = known_texts(shop)
    by_product: dict[str, list[Entry]] = {}
    for entry in _carried_out(shop):
        by_product.setdefault(entry.subject.partition(":")[2], []).append(entry)
    found = {}
    for product, entries in sorted(by_product.items()):
        known = texts.get(product)
        if known is None:
            continue
        found[product] = _planned(product, known, entries, texts, acting=acting)
    return found


def _planned(
    product: str,
    known: Mapping[str, Any],
    entries: Sequence[Entry],
    texts: Mapping[str, Mapping[str, Any]],
    *,
    acting: bool = True,
    asked: str = "",
) -> Page:
    """Return a page as it should be.

    Args:
        product: Product.
        known: What the last turn read of it.
        entries: Its fixes.
        texts: What the last turn read of products.
        acting: Approved fixes are carried out; else only taken out.
        asked: Fix that is looked at as if it were approved, "" for none.
    """
    text, _ = page_of(known)
    entries = sorted(entries, key=lambda e: (e.turn, e.id))
    wanted = [e for e in entries if e.state in WANTED or e.id == asked]
    replaced = _replaced(wanted)
    changes = [
        Change(
            id=entry.id,
            block=str(entry.action["block"]),
            before=str(entry.action["before"]),
            wanted=acting
            and entry in wanted
            and entry.id not in replaced
            and not missing_beside(entry, texts),
        )
        for entry in entries
    ]
    # A fix that stands wins over one of the same words that was taken back.
    kept = {one.block for one in changes if one.wanted}
    changes = [one for one in changes if one.wanted or one.block not in kept]
    return Page(
        product_id=product,
        known=known,
        text=text,
        outcome=carry_out(text, changes),
        fixes=tuple(entries),
        replaced=replaced,
    )


def _replaced(wanted: Sequence[Entry]) -> frozenset[str]:
    """Return the fixes in whose place a newer one stands.

    One table is enough, and of two that answer one objection and were written for the
    same page, the newer says all that the older did, as it is now: two counts of the
    same thing would contradict each other.
    """
    newest: dict[tuple[str, str], str] = {}
    tables = [one.id for one in wanted if shown_beside(one.action)]
    found = set(tables[:-1])
    for one in reversed(wanted):
        key = (str(one.action["objection"]), str(one.action["before"]))
        if newest.setdefault(key, one.id) != one.id:
            found.add(one.id)
    return frozenset(found)


def _carried_out(shop: Shop) -> list[Entry]:
    """Return fixes in force, and those that were and are no more.

    What was never carried out is none of ours: whoever copied its words onto a page by
    hand keeps them there.
    """
    query = (
        select(transitions.c.decision_id)
        .join(decisions, decisions.c.id == transitions.c.decision_id)
        .where(
            decisions.c.kind == KIND,
            transitions.c.to_state == DecisionState.APPLIED.value,
        )
    )
    with reading(shop.database) as con:
        applied = set(con.execute(query).scalars())
    # What is delivered to some visitors is on nobody's page.
    apart = delivered_ids(shop.database)
    return [
        entry
        for state in (*WANTED, *GONE)
        for entry in list_decisions(
            shop.database, kind=KIND, state=state.value, limit=None, order="position"
        )
        if entry.id not in apart and (state in WANTED or entry.id in applied)
    ]


def shown_beside(action: Mapping[str, Any]) -> list[str]:
    """Return the products that a page fix shows beside the page's own."""
    table = action.get("table") or {"products": ()}
    return [str(one["product_id"]) for one in table["products"][1:]]


def missing_beside(entry: Entry, texts: Mapping[str, Mapping[str, Any]]) -> str:
    """Return why the table of a page fix cannot be shown now, "" where it can.

    Args:
        entry: A decision of the kind `page_fix`.
        texts: What the last turn read of products, see `known_texts`.
    """
    for product in shown_beside(entry.action):
        known = texts.get(product, {"active": False})
        withdrawn = known.get("active") is False
        if withdrawn or known.get("in_stock") is False:
            what = "withdrawn" if withdrawn else "sold out"
            return (
                f"{known.get('title') or product}, which its table shows, is {what}; "
                "it is left out until that can be had again"
            )
    return ""


def known_texts(shop: Shop) -> dict[str, dict[str, Any]]:
    """Return what the last turn read of the pages that are or were changed."""
    found: dict[str, dict[str, Any]] = page_data(shop.database, PAGE_TEXTS) or {}
    return found


def write_pages(shop: Shop, *, acting: bool) -> list[str]:
    """Write the files of pages anew; return the fixes that stand in a page.

    Args:
        shop: The shop.
        acting: Whether the shop lets page fixes be carried out.
    """
    planned = planned_pages(shop, acting=acting)
    changed = [one for one in planned.values() if one.differs]
    rows = [row for one in changed if (row := _row(one)) is not None]
    html = [(row[0], row[1], row[4]) for row in rows if row[3] == "html"]
    put_file(shop.outbox / FILE, _table(HEADER, rows))
    put_file(shop.outbox / SHOPIFY_FILE, _table(SHOPIFY_HEADER, html))
    wanted: dict[str, str] = {}
    for one in planned.values():
        stem = _stem(one.product_id)
        _, markup = page_of(one.known)
        if one.differs:
            wanted[f"{stem}.{SUFFIXES[markup]}"] = one.outcome.text
        if one.outcome.standing:
            data = structured_data(
                one.product_id,
                one.known,
                [e for e in one.fixes if e.id in one.outcome.standing],
            )
            wanted[f"{stem}.jsonld"] = json.dumps(data, ensure_ascii=False, indent=1)
    _sweep(shop.outbox / FOLDER, wanted)
    return [name for one in planned.values() for name in one.outcome.standing]


def _stem(product_id: str) -> str:
    """Return the name of a product's files; no two products share one."""
    stem = quote(product_id, safe="")
    if len(stem) <= LONGEST_STEM:
        return stem
    return f"{stem[: LONGEST_STEM - 30]}-{digest(product_id)}"


def _row(page: Page) -> tuple[str, ...] | None:
    """Return a page's row; None where a spreadsheet would make a formula of it."""
    _, markup = page_of(page.known)
    text = page.outcome.text
    row = (
        page.product_id,
        str(page.known.get("title") or ""),
        str(page.known.get("url") or ""),
        markup,
        text,
    )
    # Every byte of a page counts, so it is not made harmless but left to its own file.
    return None if any(cell.startswith(FORMULA_STARTS) for cell in row) else row


def _table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str | None:
    return "\ufeff" + csv_text([header, *rows]) if rows else None


def _sweep(folder: Path, wanted: Mapping[str, str]) -> None:
    """Leave exactly the wanted files in a folder."""
    if not wanted and not folder.exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.iterdir():
        if path.name not in wanted:
            path.unlink(missing_ok=True)
    for name, text in wanted.items():
        put_file(folder / name, text)
    if not wanted:
        folder.rmdir()


def fix_views(shop: Shop, entries: Iterable[Entry]) -> list[dict[str, Any]]:
    """Return page fixes as people look at them before they say yes or no.

    Args:
        shop: The shop.
        entries: Decisions of the kind `page_fix`.

    Returns:
        For each its sentences with their sources, the page before and after with a
        unified diff, why it does not stand on the page, "" where nothing is wrong, and
        what tests told that such a fix takes back a year, None before any test, and
        whether it is delivered to visitors instead of on the page.
    """
    texts, planned = known_texts(shop), planned_pages(shop)
    apart = delivered_ids(shop.database)
    return [
        {**_view(entry, texts, planned), "to_visitors": entry.id in apart}
        for entry in entries
    ]


def _view(
    entry: Entry, texts: Mapping[str, Mapping[str, Any]], planned: Mapping[str, Page]
) -> dict[str, Any]:
    product = entry.subject.partition(":")[2]
    known, plan = texts.get(product, {}), planned.get(product)
    before, after, trouble = _before_and_after(entry, known, plan, texts)
    missing = missing_beside(entry, texts)
    if missing and entry.state in WANTED:
        after, trouble = before, trouble or missing
    return {
        "id": entry.id,
        "state": entry.state.value,
        "product_id": product,
        "title": str(known.get("title") or product),
        "objection": entry.action["objection"],
        "form": entry.action["form"],
        "heading": entry.action["heading"],
        "reason": entry.reason,
        "refusal": entry.refusal,
        "said": list(entry.action["said"]),
        "table": entry.action.get("table"),
        "sources": dict(entry.evidence.get("sources", {})),
        "quotes": list(entry.evidence.get("quotes", ())),
        "before": before,
        "after": after,
        "diff": diff_lines(before, after),
        "trouble": trouble,
        "worth_minor": entry.worth_minor,
        "saved": entry.predicted,
        "rank_minor": entry.evidence.get("rank_minor", entry.worth_minor),
        "writer": entry.action["writer"],
        "service": dict(entry.evidence.get("service") or {}),
    }


def _before_and_after(
    entry: Entry,
    known: Mapping[str, Any],
    plan: Page | None,
    texts: Mapping[str, Mapping[str, Any]],
) -> tuple[str, str, str]:
    """Return the page without a fix, with it, and why it cannot stand there."""
    text = plan.outcome.text if plan else page_of(known)[0]
    refused = plan.outcome.refused.get(entry.id, "") if plan else ""
    block, before = str(entry.action["block"]), str(entry.action["before"])
    if plan and entry.id in plan.outcome.standing:
        gone = Change(id=entry.id, block=block, before="", wanted=False)
        return carry_out(text, [gone]).text, text, refused
    if entry.state in GONE:
        return text, text, refused
    if plan and entry.id in plan.replaced:
        return text, text, REPLACED
    if plan and entry.state not in WANTED:
        asked = _planned(
            plan.product_id, known, [*plan.fixes, entry], texts, asked=entry.id
        )
        return text, asked.outcome.text, asked.outcome.refused.get(entry.id, "")
    added = carry_out(
        text, [Change(id=entry.id, block=block, before=before, wanted=True)]
    )
    return text, added.text, refused or added.refused.get(entry.id, "")


def diff_lines(before: str, after: str) -> list[str]:
    """Return a unified diff of two texts, a block of mark-up a line."""
    return [
        line.rstrip("\n")
        for line in unified_diff(
            _lines(before), _lines(after), "page now", "page after", lineterm="", n=2
        )
    ]


def _lines(text: str) -> list[str]:
    return re.sub(
        r"(?<=>)(?=<(?:p|li|dt|ul|dl|h3|table|tr|/section))", "\n", text
    ).split("\n")
