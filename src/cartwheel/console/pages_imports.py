"""Imports: what each file brought, and every row kept aside with its reason."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from starlette.responses import HTMLResponse, Response

from cartwheel.api.security import User, viewer
from cartwheel.console.csv_files import csv_answer
from cartwheel.console.published import IMPORTS_TURN, read_page
from cartwheel.console.view import page, shop_of

REJECT_COLUMNS = ("batch", "file", "line", "field", "value", "reason")
MOST_SHOWN = 100

router = APIRouter()


@router.get("/imports")
def imports(
    request: Request, user: Annotated[User, Depends(viewer)], batch: str = ""
) -> HTMLResponse:
    """List imports and the rows they kept aside, of one batch if asked."""
    body = _read(request)
    rejects = [
        row
        for row in body.get("rejects") or []
        if not batch or str(row.get("batch")) == batch
    ]
    values: dict[str, Any] = {
        "imports": body.get("imports") or [],
        "rejects": rejects[:MOST_SHOWN],
        "rejects_kept": len(rejects),
        "rejects_total": body.get("rejects_total") or 0,
        "batch": batch,
    }
    return page(request, "imports.html", values)


@router.get("/imports/rejects.csv")
def rejects_csv(request: Request, user: Annotated[User, Depends(viewer)]) -> Response:
    """Return the rows kept aside as a CSV file."""
    rows = _read(request).get("rejects") or []
    table = [[row.get(name) for name in REJECT_COLUMNS] for row in rows]
    return csv_answer([REJECT_COLUMNS, *table], "rejects.csv")


def _read(request: Request) -> dict[str, Any]:
    return read_page(shop_of(request).database, IMPORTS_TURN, "imports") or {}
