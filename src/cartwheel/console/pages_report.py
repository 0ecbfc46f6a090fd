"""The weekly report, shown as the mail would show it, and to take away."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import HTMLResponse, Response

from cartwheel.api.security import User, viewer
from cartwheel.console.view import page, shop_of
from cartwheel.errors import Conflict
from cartwheel.measure.weekly.html import to_html
from cartwheel.measure.weekly.report import weekly

router = APIRouter()


@router.get("/report")
def report(request: Request, user: Annotated[User, Depends(viewer)]) -> HTMLResponse:
    """Show the week on one screen."""
    try:
        found = weekly(shop_of(request))
    except Conflict as nothing:
        return page(request, "report.html", {"report": None, "why": nothing.message})
    return page(request, "report.html", {"report": found})


@router.get("/report.html")
def report_file(request: Request, user: Annotated[User, Depends(viewer)]) -> Response:
    """Return the report as one HTML file for a mail."""
    found = weekly(shop_of(request))
    name = f"week-to-{found.as_of}.html"
    return Response(
        to_html(found),
        media_type="text/html",
        headers={"content-disposition": f'attachment; filename="{name}"'},
    )
