"""The storefront's web application: its own small server beside the API."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from cartwheel.errors import Misuse
from cartwheel.storefront.pages import FOLDER, ROUTES, not_found, say
from cartwheel.storefront.shelf import Shelf

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from cartwheel.shop import Shop

BODY_LIMIT = 10_000
"""Largest accepted form in bytes; ours have some dozens."""

WILDCARDS = ("0.0.0.0", "::", "")
HOST = re.compile(r"[A-Za-z0-9.-]{1,253}|\[[0-9a-fA-F:.]{2,45}\]")
HEADERS: Mapping[str, str] = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    """Where a shopper's browser finds the API.

    Attributes:
        scheme: "http" or "https".
        host: Host name or address; "" for the one the page was asked of.
        port: Port, None for the scheme's own.
    """

    scheme: str
    host: str
    port: int | None

    @classmethod
    def read(cls, address: str) -> Api:
        """Return the API at an address; one that means any host means the page's.

        Raises:
            Misuse: If it is no http or https address of a host.
        """
        try:
            parts = urlsplit(address)
            port = parts.port
        except ValueError:
            parts, port = urlsplit(""), None
        host = parts.hostname or ""
        named = f"[{host}]" if ":" in host else host
        if parts.scheme not in ("http", "https") or not HOST.fullmatch(named):
            raise Misuse(
                f"--api is {address!r}; expected an address such as "
                "http://127.0.0.1:8642.",
                "Give the address at which a shopper's browser reaches the API.",
            )
        wanted = "" if host in WILDCARDS else named
        return cls(scheme=parts.scheme, host=wanted, port=port)

    def origin(self, page_host: str) -> str:
        """Return the API's origin.

        Args:
            page_host: The request's `Host` header; it is a stranger's word.
        """
        host = self.host
        if not host:
            asked = re.sub(r":\d{1,5}$", "", page_host)
            host = asked if HOST.fullmatch(asked) else "127.0.0.1"
        return f"{self.scheme}://{host}" + (f":{self.port}" if self.port else "")


def create_app(shop: Shop, *, api: str, key: str) -> Starlette:
    """Return the storefront of a demo shop.

    Args:
        shop: A demo shop.
        api: Address at which a shopper's browser reaches the API.
        key: API key that stands in the pages, so of narrow scope.

    Raises:
        Misuse: If the shop is a real one, or the address is none.
    """
    check_demo(shop)
    app = Starlette(
        routes=[
            *ROUTES,
            Mount("/static", StaticFiles(directory=FOLDER / "static"), name="static"),
        ],
        middleware=[Middleware(Guard, api=Api.read(api))],
        exception_handlers={HTTPException: _refused, Exception: _failed},
    )
    app.state.shop = shop
    app.state.api = Api.read(api)
    app.state.key = key
    app.state.shelf = Shelf(shop)
    return app


def check_demo(shop: Shop) -> None:
    """Refuse a real shop: it has a storefront of its own.

    Raises:
        Misuse: If the shop is no demo shop.
    """
    if not shop.settings.demo:
        raise Misuse(
            f"{shop.settings.name} is a real shop; the storefront is for demo shops.",
            "Put storefront.js into your own shop's pages: docs/storefront.md.",
        )


class Guard:
    """Puts security headers on every answer; refuses what no page of ours sends."""

    def __init__(self, app: ASGIApp, api: Api) -> None:
        self.app = app
        self.api = api

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        origin = self.api.origin(headers.get("host", ""))

        async def secure_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                found = MutableHeaders(scope=message)
                found.update(HEADERS)
                found["Content-Security-Policy"] = policy(origin)
            await send(message)

        if scope["method"] == "POST" and (refusal := _refusal(headers)):
            await refusal(scope, receive, secure_send)
            return
        await self.app(scope, receive, secure_send)


def policy(api: str) -> str:
    """Return the content security policy: this shop and the API, nothing else."""
    return (
        "default-src 'none'; img-src 'self'; style-src 'self'; form-action 'self'; "
        f"script-src {api}; connect-src {api}; base-uri 'none'; frame-ancestors 'none'"
    )


def _refusal(headers: Headers) -> Response | None:
    site = headers.get("sec-fetch-site", "same-origin")
    if site not in ("same-origin", "none"):
        return PlainTextResponse("This form came from another site.", 403)
    length = headers.get("content-length", "")
    if not length.isdigit() or int(length) > BODY_LIMIT:
        return PlainTextResponse("The form is too large.", 413)
    return None


async def _refused(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    if status == 404:
        return not_found(request)
    return say(request, status, "That does not work", "Please go back and try again.")


async def _failed(_request: Request, _error: Exception) -> Response:
    return PlainTextResponse("Something went wrong. Please try again.", 500)
