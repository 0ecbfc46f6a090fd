"""The outbox: files of what is in force, for kinds that act once approved.

A kind whose autonomy is `approve` or `auto` is carried out by standing in its file; a
kind on `suggest` never is. The files are drawn anew from the ledger after every change,
so an undo takes its row out again and a kill between the two is mended by the next
change or turn.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from cartwheel.channels.csv_files import csv_text
from cartwheel.channels.files import put_file
from cartwheel.channels.mail_paragraphs import FILE as MAIL_FILE
from cartwheel.channels.mail_paragraphs import KIND as MAIL_KIND
from cartwheel.channels.mail_paragraphs import mail_rows
from cartwheel.channels.notices import notice_rows
from cartwheel.channels.offers import offer_rows
from cartwheel.channels.pages import FILE as PAGES_FILE
from cartwheel.channels.pages import KIND as PAGE_FIX
from cartwheel.channels.pages import write_pages
from cartwheel.channels.price_list import price_list_rows
from cartwheel.channels.purchase_order import purchase_order_rows
from cartwheel.channels.visitor_fixes import delivered_ids
from cartwheel.ledger.entry import DecisionState, Entry
from cartwheel.ledger.store import list_decisions, move
from cartwheel.levers.base import Autonomy, Kind
from cartwheel.operations import page_data
from cartwheel.shop import Shop

Rows = Callable[..., list[Sequence[object]]]

FILES: Mapping[str, tuple[tuple[str, ...], Rows]] = {
    "purchase-orders.csv": (("reorder",), purchase_order_rows),
    "prices.csv": (("price_change", "markdown", "price_test"), price_list_rows),
    "offers.csv": (("winback",), offer_rows),
    "late-notices.csv": (("late_notice",), notice_rows),
    MAIL_FILE: ((MAIL_KIND,), mail_rows),
}
"""File by name: the kinds it carries and how its rows are written."""

IN_FORCE = (DecisionState.APPROVED.value, DecisionState.APPLIED.value)


def refresh(shop: Shop, kinds: Mapping[str, Kind]) -> None:
    """Draw the outbox anew and mark what stands in it as applied.

    Args:
        shop: The shop.
        kinds: Every kind of decision by name, with its default autonomy.
    """
    titles = _titles(shop)
    settings = shop.settings
    for file, (named, rows_of) in FILES.items():
        acting = [kind for kind in named if _acts(shop, kinds.get(kind))]
        entries = [
            entry
            for kind in acting
            for state in IN_FORCE
            for entry in list_decisions(
                shop.database, kind=kind, state=state, limit=None, order="position"
            )
        ]
        rows = rows_of(
            entries,
            name=lambda entry: titles.get(entry.subject, ""),
            currency=settings.currency,
            minor_digits=settings.minor_digits,
        )
        _write(shop, file, rows if entries else [])
        _mark_applied(shop, entries, file)
    _refresh_pages(shop, kinds)


def _refresh_pages(shop: Shop, kinds: Mapping[str, Kind]) -> None:
    acting = _acts(shop, kinds.get(PAGE_FIX))
    standing = set(write_pages(shop, acting=acting))
    approved = list_decisions(
        shop.database, kind=PAGE_FIX, state=DecisionState.APPROVED.value, limit=None
    )
    done = [entry for entry in approved if entry.id in standing]
    _mark_applied(shop, done, PAGES_FILE)
    if acting:
        apart = delivered_ids(shop.database)
        shown = [entry for entry in approved if entry.id in apart]
        _mark_applied(shop, shown, "the test's arm, by page-fix.js")


def _acts(shop: Shop, kind: Kind | None) -> bool:
    if kind is None:
        return False
    chosen = shop.settings.autonomy.get(kind.name, kind.autonomy.value)
    return Autonomy(chosen) is not Autonomy.SUGGEST


def _mark_applied(shop: Shop, entries: Sequence[Entry], file: str) -> None:
    approved = [e.id for e in entries if e.state is DecisionState.APPROVED]
    if approved:
        move(
            shop.database,
            approved,
            DecisionState.APPLIED.value,
            actor="outbox",
            note=f"stands in {file}",
        )


def _write(shop: Shop, file: str, rows: Sequence[Sequence[object]]) -> None:
    put_file(shop.outbox / file, "\ufeff" + csv_text(rows) if rows else None)


def _titles(shop: Shop) -> dict[str, str]:
    titles: dict[str, str] = page_data(shop.database, "titles") or {}
    return titles
