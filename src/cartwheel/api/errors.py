"""One error shape everywhere: what is wrong, the next step, the field at fault.

    {"error": {"code", "message", "next_step", "field"?, "details"?, "request_id"}}

Errors never carry a traceback, a path or a statement; those go to the log under the
same request id.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, RedirectResponse, Response

from cartwheel.errors import CartwheelError

JSON_PATHS = ("/v1/", "/healthz", "/metrics", "/openapi.json")
"""Paths that always answer in JSON; the others answer a browser with a page."""

log = structlog.get_logger("cartwheel.api")

NEXT_STEPS: dict[int, str] = {
    400: "Correct the request; the API is described at /docs.",
    404: "Check the address; every route is listed at /docs.",
    405: "Use a method the route accepts; they are listed at /docs.",
    413: "Send less at once: at most 500 events and 1 MB a request.",
    415: "Send JSON; the body of every route is described at /docs.",
    429: "Wait as long as the Retry-After header says, then try again.",
    503: "Try again in a few seconds.",
}


class Refused(CartwheelError):
    """A request the API refuses, with its HTTP status.

    Args:
        status: HTTP status.
        code: Stable name of the case, for programs.
        message: What is wrong, with the value received and what is accepted.
        next_step: What to do about it.
        field: Field at fault, if one is.
        details: Further faults, one mapping each.
        headers: Further headers of the answer.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        next_step: str,
        *,
        field: str | None = None,
        details: Sequence[Mapping[str, Any]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message, next_step)
        self.status = status
        self.code = code
        self.field = field
        self.details = [dict(detail) for detail in details]
        self.headers = dict(headers or {})


class SignInNeeded(Refused):
    """Somebody without a session asked for a console page."""

    def __init__(self) -> None:
        super().__init__(
            401,
            "sign_in_needed",
            "This needs a signed-in person.",
            "Sign in at /sign-in, or send an API key as 'Authorization: Bearer KEY'.",
            headers={"WWW-Authenticate": "Bearer"},
        )


class Fault(BaseModel):
    """One of several faults in a request."""

    model_config = ConfigDict(extra="forbid")

    index: int | None = Field(None, description="Number of the entry, from 0.")
    field: str = Field(description="Field at fault, empty for the entry as a whole.")
    value: str = Field(description="Value received, cut to 200 characters.")
    reason: str = Field(description="What is wrong and what is accepted.")


class Problem(BaseModel):
    """What is wrong and what to do about it."""

    model_config = ConfigDict(extra="forbid")

    code: str = Field(description="Stable name of the case, for programs.")
    message: str = Field(description="What is wrong, for people.")
    next_step: str = Field(description="What to do about it.")
    field: str | None = Field(None, description="Field at fault, if one is.")
    details: list[Fault] | None = Field(None, description="Every fault found.")
    request_id: str | None = Field(None, description="Names this request in the log.")


class ErrorAnswer(BaseModel):
    """The body of every error."""

    model_config = ConfigDict(extra="forbid")

    error: Problem


def error_body(
    code: str,
    message: str,
    next_step: str,
    *,
    request_id: str | None = None,
    field: str | None = None,
    details: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """Return the JSON body of an error."""
    error: dict[str, Any] = {"code": code, "message": message, "next_step": next_step}
    if field is not None:
        error["field"] = field
    if details:
        error["details"] = [dict(detail) for detail in details]
    if request_id:
        error["request_id"] = request_id
    return {"error": error}


def wants_page(request: Request) -> bool:
    """Tell whether the caller is a browser asking for a page of the console."""
    path = request.url.path
    if path.startswith(JSON_PATHS) or not getattr(request.app.state, "console", False):
        return False
    return "text/html" in request.headers.get("accept", "")


def answer_error(
    request: Request,
    status: int,
    code: str,
    message: str,
    next_step: str,
    *,
    field: str | None = None,
    details: Sequence[Mapping[str, Any]] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Return an error as JSON, or as a page when a browser asked for one."""
    if wants_page(request):
        from cartwheel.console.routes import render_error

        page: Response = render_error(request, status, message, next_step)
        page.headers.update(headers or {})
        return page
    body = error_body(
        code,
        message,
        next_step,
        request_id=getattr(request.state, "request_id", None),
        field=field,
        details=details,
    )
    return JSONResponse(body, status_code=status, headers=dict(headers or {}))


def cut(value: Any) -> str:
    """Return a received value as text of at most 200 characters."""
    if isinstance(value, str):
        return value[:200]
    try:
        text = json.dumps(value, ensure_ascii=True, default=str)
    except (TypeError, ValueError, RecursionError):
        text = type(value).__name__
    return text[:200]


def faults(errors: Sequence[Any], *, skip: int = 0) -> list[dict[str, Any]]:
    """Return pydantic's errors as faults.

    Args:
        errors: As `ValidationError.errors()` gives them.
        skip: Leading parts of the location to leave out ("body", "query").
    """
    found = []
    for error in errors:
        place = ".".join(str(part) for part in error["loc"][skip:])
        missing = error["type"] == "missing"
        value = "" if missing else cut(error.get("input"))
        found.append({"field": place, "value": value, "reason": _reason(error)})
    return found


def _reason(error: Any) -> str:
    if error["type"] == "missing":
        return "is missing"
    if error["type"] == "extra_forbidden":
        return "is not a field of this request"
    text = str(error["msg"]).removeprefix("Value error, ")
    return text[:1].lower() + text[1:]


def register_errors(app: FastAPI) -> None:
    """Install the handlers that give every error its one shape."""
    app.add_exception_handler(SignInNeeded, _on_sign_in_needed)
    app.add_exception_handler(CartwheelError, _on_cartwheel)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(HTTPException, _on_http)


def _on_sign_in_needed(request: Request, error: Exception) -> Response:
    if wants_page(request):
        return RedirectResponse("/sign-in", status_code=303)
    return _on_cartwheel(request, error)


def _on_cartwheel(request: Request, error: Exception) -> Response:
    assert isinstance(error, CartwheelError)
    if error.status >= 500:
        log.error("request failed", error=error.message, status=error.status)
    return answer_error(
        request,
        error.status,
        error.code,
        error.message,
        error.next_step,
        field=getattr(error, "field", None),
        details=getattr(error, "details", ()),
        headers=getattr(error, "headers", None),
    )


def _on_invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    found = faults(error.errors(), skip=1)
    first = found[0]
    name = first["field"] or "body"
    shown = f" is {first['value']!r}:" if first["value"] else ""
    return answer_error(
        request,
        422,
        "invalid",
        f"{name}{shown} {first['reason']}.",
        "Correct the field; the request is described at /docs.",
        field=name,
        details=found,
    )


def _on_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    status = error.status_code
    phrase = HTTPStatus(status).phrase
    messages = {
        404: f"There is nothing at {request.url.path[:200]}.",
        405: f"{request.method} is not accepted at {request.url.path[:200]}.",
    }
    detail = str(error.detail)
    message = messages.get(status) if detail == phrase else detail
    return answer_error(
        request,
        status,
        phrase.lower().replace(" ", "_").replace("-", "_"),
        message or f"{phrase}.",
        NEXT_STEPS.get(status, "Correct the request; see /docs."),
        headers=error.headers,
    )
