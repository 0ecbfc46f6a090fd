"""Page fixes: what to add to which page, with its diff and the source of each line."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from starlette.responses import HTMLResponse, Response

from cartwheel.api.security import User, owner, viewer
from cartwheel.channels.act import bring_to_page, show_to_visitors
from cartwheel.channels.mail_paragraphs import FILE as MAIL_FILE
from cartwheel.channels.mail_paragraphs import KIND as MAIL
from cartwheel.channels.pages import FILE, KIND, fix_views
from cartwheel.console.pages_decisions import done_code
from cartwheel.console.published import latest_turn, read_page
from cartwheel.console.view import back, page, shop_of
from cartwheel.errors import Misuse
from cartwheel.ledger.entry import DecisionState
from cartwheel.ledger.store import find, list_decisions
from cartwheel.measure.page_fixes_page import NAME
from cartwheel.shop import Shop

TASK = "page_task"
OUTLINE = "guide_outline"
SHOWN = 50
OPEN = (DecisionState.PROPOSED,)
IN_FORCE = (DecisionState.APPROVED, DecisionState.APPLIED)
ENDED = (DecisionState.REVERTED, DecisionState.REJECTED)
LEFT_OUT = (DecisionState.REFUSED, DecisionState.HELD_OUT)

router = APIRouter()


@router.get("/page-fixes")
def page_fixes(
    request: Request, user: Annotated[User, Depends(viewer)]
) -> HTMLResponse:
    """Show fixes to decide on, in force or taken back, and what is missing."""
    shop = shop_of(request)

    def held(kind: str, *states: DecisionState) -> list[Any]:
        order = "worth" if states == OPEN else "newest"
        return [
            entry
            for state in states
            for entry in list_decisions(
                shop.database, kind=kind, state=state.value, limit=SHOWN, order=order
            )
        ]

    def shown(*states: DecisionState) -> list[dict[str, Any]]:
        entries = held(KIND, *states)
        views = fix_views(shop, entries)
        found = [{**view, "entry": e} for view, e in zip(views, entries, strict=True)]
        if states == OPEN:  # first what takes most back, as far as tests told
            found.sort(key=lambda one: -(one["rank_minor"] or 0))
        return found

    newest = max((e.turn for e in held(KIND, *LEFT_OUT)), default=0)
    path = shop.outbox / FILE
    values = {
        "parts_of_page": [
            ("To decide", "open", shown(*OPEN), "No fix is waiting for an answer."),
            ("On the page", "force", shown(*IN_FORCE), "No fix is in force."),
            ("Taken back or rejected", "ended", shown(*ENDED), ""),
        ],
        "left_out": [e for e in held(KIND, *LEFT_OUT) if e.turn == newest],
        "mails": held(MAIL, *OPEN) + held(MAIL, *IN_FORCE),
        "mail_file": MAIL_FILE if (shop.outbox / MAIL_FILE).exists() else "",
        "tasks": held(TASK, *OPEN),
        "guides": held(OUTLINE, *OPEN),
        "file": path.name if path.exists() else "",
        "score": read_page(shop.database, latest_turn(shop.database), NAME) or {},
    }
    return page(request, "page_fixes.html", values)


@router.post("/page-fixes/{decision_id}/visitors")
def to_visitors(
    request: Request, decision_id: str, user: Annotated[User, Depends(owner)]
) -> Response:
    """Approve a fix for the visitors of a test's arm, on no page."""
    shop = shop_of(request)
    show_to_visitors(shop, [_fix(shop, decision_id)], actor=user.name)
    return back("/page-fixes", done_code("approve", [decision_id]))


@router.post("/page-fixes/{decision_id}/page")
def to_page(
    request: Request, decision_id: str, user: Annotated[User, Depends(owner)]
) -> Response:
    """Have a fix that visitors were shown stand on its page for everybody."""
    shop = shop_of(request)
    bring_to_page(shop, [_fix(shop, decision_id)])
    return back("/page-fixes")


def _fix(shop: Shop, decision_id: str) -> str:
    """Return the id of a decision that is a page fix."""
    kind = find(shop.database, decision_id).kind
    if kind != KIND:
        raise Misuse(
            f"{decision_id} is a decision of the kind {kind}, not a page fix.",
            "Use the buttons of the page Page fixes.",
        )
    return decision_id
