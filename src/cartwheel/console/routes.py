"""The console's routes, its static files, and how an error looks."""

from __future__ import annotations

from fastapi import APIRouter, FastAPI, Request
from starlette.responses import HTMLResponse
from starlette.staticfiles import StaticFiles

from cartwheel.api.security import current_user
from cartwheel.console import (
    pages_decisions,
    pages_earnings,
    pages_experiment_design,
    pages_experiments,
    pages_health,
    pages_imports,
    pages_journey,
    pages_kpis,
    pages_levers,
    pages_living,
    pages_merchandising,
    pages_overview,
    pages_page_fixes,
    pages_report,
    pages_sign_in,
    pages_support,
    pages_voice,
    pages_what_if,
)
from cartwheel.console.view import FOLDER, draw

router = APIRouter(include_in_schema=False)
for part in (
    pages_overview,
    pages_decisions,
    pages_page_fixes,
    pages_support,
    pages_voice,
    pages_kpis,
    pages_earnings,
    pages_what_if,
    pages_levers,
    pages_living,
    pages_merchandising,
    # The design stands before the experiments: its address looks like a name.
    pages_experiment_design,
    pages_experiments,
    pages_health,
    pages_journey,
    pages_report,
    pages_imports,
    pages_sign_in,
):
    router.include_router(part.router)


def mount_static(app: FastAPI) -> None:
    """Serve the console's style sheet, script and icon under /static."""
    app.mount("/static", StaticFiles(directory=FOLDER / "static"), name="static")


def render_error(
    request: Request, status: int, message: str, next_step: str
) -> HTMLResponse:
    """Return an error as a page; it reads nothing, so it can say that reading failed.

    Args:
        request: The request that failed.
        status: HTTP status.
        message: What is wrong.
        next_step: What to do about it.
    """
    request.state.user = getattr(request.state, "user", None)
    values = {
        "status": status,
        "message": message,
        "next_step": next_step,
        "signed_in": current_user(request) is not None,
    }
    return draw(request, "error.html", values, status=status)
