"""Signing in by a one-time link or a password, and signing out."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from cartwheel.api.errors import Refused
from cartwheel.api.security import (
    COOKIE,
    clear_session_cookie,
    current_user,
    set_session_cookie,
    sign_in,
    sign_out,
    use_sign_in_link,
)
from cartwheel.console.view import draw, shop_of

router = APIRouter()


@router.get("/sign-in")
def form(request: Request, token: str = "") -> Response:
    """Show the form; a link's token waits behind a button.

    Opening the page does not use the link up: mail scanners and browsers that fetch
    ahead open addresses too, and would leave the person with a spent link.
    """
    if current_user(request) is not None and not token:
        return RedirectResponse("/", status_code=303)
    return draw(request, "sign_in.html", {"token": token[:200], "problem": None})


@router.post("/sign-in")
def enter(
    request: Request,
    token: Annotated[str, Form(max_length=200)] = "",
    name: Annotated[str, Form(max_length=100)] = "",
    password: Annotated[str, Form(max_length=1000)] = "",
) -> Response:
    """Open a session by link or by name and password."""
    engine = shop_of(request).database
    try:
        if token:
            session = use_sign_in_link(engine, token)
        else:
            session = sign_in(engine, name, password)
    except Refused as refused:
        values = {"token": "", "problem": refused, "name": name}
        return draw(request, "sign_in.html", values, status=refused.status)
    answer = RedirectResponse("/", status_code=303)
    set_session_cookie(request, answer, session)
    return answer


@router.post("/sign-out")
def leave(request: Request) -> Response:
    """End the session."""
    token = request.cookies.get(COOKIE)
    if token:
        sign_out(shop_of(request).database, token)
    answer = RedirectResponse("/sign-in", status_code=303)
    clear_session_cookie(answer)
    return answer
