"""Support: who waits for a person and why, what was answered from where, the record."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from starlette.responses import HTMLResponse, Response

from cartwheel.api.security import User, owner, viewer
from cartwheel.console.csv_files import csv_answer
from cartwheel.console.published import latest_turn, read_page
from cartwheel.console.view import back, page, shop_of
from cartwheel.contacts import OUTCOMES, REASONS, Contact, close, list_contacts
from cartwheel.measure.support_record import NAME

SHOWN = 100
CSV_ROWS = 100_000
HEAD = (
    "at",
    "outcome",
    "why",
    "asked",
    "answer",
    "sources",
    "product_id",
    "customer_id",
    "reply_to",
    "closed_at",
    "closed_by",
)

router = APIRouter()


@router.get("/support")
def support(request: Request, user: Annotated[User, Depends(viewer)]) -> HTMLResponse:
    """Show the queue, what was answered, and the record of the last turn."""
    database = shop_of(request).database
    values = {
        "waiting_contacts": list_contacts(database, waiting=True, limit=SHOWN),
        "others": list_contacts(database, waiting=False, limit=SHOWN),
        "outcomes": OUTCOMES,
        "reasons": REASONS,
        "record": read_page(database, latest_turn(database), NAME) or {},
    }
    return page(request, "support.html", values)


@router.post("/support/{name}/close")
def close_contact(
    request: Request, name: str, user: Annotated[User, Depends(owner)]
) -> Response:
    """Say that a person has dealt with a contact."""
    close(shop_of(request).database, name, user.name)
    return back("/support", "The contact is closed.")


@router.get("/support.csv")
def support_csv(request: Request, user: Annotated[User, Depends(viewer)]) -> Response:
    """Return every contact as CSV."""
    rows = list_contacts(shop_of(request).database, limit=CSV_ROWS)
    return csv_answer([HEAD, *(_row(one) for one in rows)], "support.csv")


def _row(one: Contact) -> tuple[Any, ...]:
    says = one.body.get("says", [])
    return (
        one.at,
        one.outcome,
        one.why,
        one.asked,
        " ".join(said["text"] for said in says),
        " ".join(sorted({said["source"] for said in says})),
        one.product_id or "",
        one.customer_id or "",
        one.reply_to or "",
        one.closed_at or "",
        one.closed_by or "",
    )
