"""What every request passes: `create_app` lists these, outermost first.

Plain ASGI classes: each has the call shape of what it wraps.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

import structlog
from prometheus_client import CollectorRegistry, Counter, Histogram
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cartwheel.api.errors import NEXT_STEPS, answer_error

BODY_LIMIT = 1_000_000
"""Largest accepted body in bytes."""

DISCARD_LIMIT = 64_000_000
"""Bytes of a too large body read and thrown away, so that the sender gets to read
the error; a sender of more is cut off."""

OPEN_PATHS = (
    "/v1/events",
    "/v1/recommendations",
    "/v1/search",
    "/v1/suggest",
    "/v1/support",
    "/v1/page-block",
    "/storefront.js",
    "/support.js",
    "/page-fix.js",
)
"""Routes a storefront page of any origin may call, with a key and no cookies."""

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

PAGE_HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": (
        "default-src 'self'; base-uri 'none'; form-action 'self'; "
        "frame-ancestors 'none'; img-src 'self' data:; object-src 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
_RAW_PAGE_HEADERS = [
    (name.lower().encode(), value.encode()) for name, value in PAGE_HEADERS.items()
]
OPEN_HEADERS: Mapping[str, str] = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "Retry-After, X-Request-Id",
    "Cross-Origin-Resource-Policy": "cross-origin",
}
PREFLIGHT_HEADERS: Mapping[str, str] = {
    "Access-Control-Allow-Methods": "GET, POST",
    "Access-Control-Allow-Headers": "Authorization, Content-Type",
    "Access-Control-Max-Age": "86400",
}

log = structlog.get_logger("cartwheel.api")


class RequestMetrics:
    """Counts and times requests by route template, never by path."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.requests = Counter(
            "cartwheel_http_requests_total",
            "Requests answered.",
            ("method", "route", "status"),
            registry=registry,
        )
        self.seconds = Histogram(
            "cartwheel_http_request_seconds",
            "Time to answer.",
            ("route",),
            buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1, 5),
            registry=registry,
        )

    def observe(self, scope: Scope, status: int, seconds: float) -> None:
        """Count one answered request."""
        route = _template(scope)
        self.requests.labels(_method(scope), route, str(status)).inc()
        self.seconds.labels(route).observe(seconds)


class Observe:
    """Names each request, logs it, counts it, and answers 500 when all else failed."""

    def __init__(self, app: ASGIApp, metrics: RequestMetrics) -> None:
        self.app = app
        self.metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request_id = uuid.uuid4().hex[:16]
        scope.setdefault("state", {})["request_id"] = request_id
        structlog.contextvars.bind_contextvars(request_id=request_id)
        began = time.perf_counter()
        status = 0

        async def named_send(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["X-Request-Id"] = request_id
            await send(message)

        try:
            await self.app(scope, receive, named_send)
        except ClientDisconnect:
            status = 499
        except Exception:
            # The last line of defence: logged in full, answered without internals.
            log.exception("request failed", path=scope["path"])
            if status == 0:
                response = internal_error(scope)
                await response(scope, receive, named_send)
            status = 500
        finally:
            seconds = time.perf_counter() - began
            self.metrics.observe(scope, status, seconds)
            if status >= 400:
                log.info(
                    "request refused",
                    method=scope["method"],
                    route=_template(scope),
                    status=status,
                    seconds=round(seconds, 4),
                )
            structlog.contextvars.unbind_contextvars("request_id")


def internal_error(scope: Scope) -> Response:
    """Return the answer to a request that failed for an unforeseen reason."""
    return answer_error(
        Request(scope),
        500,
        "internal",
        "Something went wrong inside Cartwheel.",
        "Try again; if it stays, look for the request id in the server's log.",
    )


class SecureHeaders:
    """Puts the security headers on every answer and answers CORS preflights."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        is_open = scope["path"] in OPEN_PATHS

        async def secure_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                # No route sets one of these itself, so nothing is looked for.
                headers.raw.extend(_RAW_PAGE_HEADERS)
                if is_open:
                    headers.update(OPEN_HEADERS)
                if not scope["path"].startswith("/static/"):
                    headers.setdefault("Cache-Control", "no-store")
            await send(message)

        if is_open and scope["method"] == "OPTIONS":
            await Response(status_code=204, headers=dict(PREFLIGHT_HEADERS))(
                scope, receive, secure_send
            )
            return
        await self.app(scope, receive, secure_send)


class SameOrigin:
    """Refuses writes that another site's page made a browser send (CSRF)."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] == "http" and not _same_origin(scope):
            response = answer_error(
                Request(scope),
                403,
                "cross_site",
                "This request came from another site's page.",
                "Open the console itself and try again there.",
            )
            await response(scope, receive, send)
            return
        await self.app(scope, receive, send)


def _same_origin(scope: Scope) -> bool:
    headers = Headers(scope=scope)
    if scope["method"] in SAFE_METHODS or scope["path"] in OPEN_PATHS:
        return True
    if headers.get("authorization", "").lower().startswith("bearer "):
        return True  # no page can make a browser send this header by itself
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = headers.get("origin")
    return origin is None or urlsplit(origin).netloc == headers.get("host")


class LimitBody:
    """Refuses bodies over `BODY_LIMIT` without ever holding one in memory."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        declared = headers.get("content-length", "")
        if declared.isdigit() and int(declared) > BODY_LIMIT:
            # With "Expect" the sender waits for leave before it sends the body.
            if "expect" not in headers and int(declared) <= DISCARD_LIMIT:
                await _discard(receive, DISCARD_LIMIT)
            await _too_large(scope)(scope, receive, send)
            return
        seen = 0

        async def counted_receive() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > BODY_LIMIT:
                if message.get("more_body"):
                    await _discard(receive, DISCARD_LIMIT)
                raise HTTPException(413, _TOO_LARGE)
            return message

        await self.app(scope, counted_receive, send)


_TOO_LARGE = f"The body is larger than {BODY_LIMIT:,} bytes."


def _too_large(scope: Scope) -> Response:
    return answer_error(
        Request(scope),
        413,
        "content_too_large",
        _TOO_LARGE,
        NEXT_STEPS[413],
        headers={"Connection": "close"},
    )


async def _discard(receive: Callable[[], Awaitable[Message]], limit: int) -> None:
    seen = 0
    while seen <= limit:
        message: Mapping[str, Any] = await receive()
        seen += len(message.get("body", b""))
        if message["type"] == "http.disconnect" or not message.get("more_body"):
            return


def _template(scope: Scope) -> str:
    route = scope.get("route")
    return str(getattr(route, "path", "unmatched"))


def _method(scope: Scope) -> str:
    known = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
    return scope["method"] if scope["method"] in known else "other"
