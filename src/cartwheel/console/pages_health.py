"""Health: broken and weak spokes by money, calibration, drift, over-reliance."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from starlette.responses import HTMLResponse, Response

from cartwheel.api.security import User, viewer
from cartwheel.console.csv_files import csv_answer
from cartwheel.console.published import latest_turn, read_page
from cartwheel.console.view import page, shop_of

FAULT_COLUMNS = (
    *("rank", "spoke", "part", "check", "state", "explained_by", "says"),
    *("value_minor", "low_minor", "high_minor", "basis", "p_value", "adjusted"),
    *("rows", "next_step"),
)
MOST_ERRORS = 60
PARTS = ("faults", "well", "unknown", "calibration", "errors", "drift", "reliance")

router = APIRouter()


@router.get("/health")
def health(request: Request, user: Annotated[User, Depends(viewer)]) -> HTMLResponse:
    """Show faults first, ranked, then how far predictions can be trusted."""
    body = _read(request)
    values: dict[str, Any] = {name: body.get(name) or [] for name in PARTS}
    values["errors"] = values["errors"][-MOST_ERRORS:]
    values["says"] = body.get("says") or ""
    values["failed"] = body.get("failed") or ""
    values["known"] = bool(body)
    values["recent_days"] = body.get("as_of_recent_days")
    values["before_days"] = body.get("as_of_before_days")
    values["alpha"] = body.get("alpha")
    return page(request, "health.html", values)


@router.get("/health/faults.csv")
def faults_csv(request: Request, user: Annotated[User, Depends(viewer)]) -> Response:
    """Return every finding as a CSV file, faults first."""
    body = _read(request)
    found = [one for part in PARTS[:3] for one in body.get(part) or []]
    rows = [_row(place, one) for place, one in enumerate(found, 1)]
    return csv_answer([FAULT_COLUMNS, *rows], "health.csv")


def _row(place: int, one: Mapping[str, Any]) -> list[Any]:
    stake = one.get("stake") or {}
    flat = {
        **one,
        "rank": place,
        "value_minor": _whole(stake.get("value")),
        "low_minor": _whole(stake.get("low")),
        "high_minor": _whole(stake.get("high")),
        "basis": stake.get("basis"),
        "rows": " ".join(str(row) for row in one.get("rows") or []),
    }
    return [flat.get(name) for name in FAULT_COLUMNS]


def _whole(value: float | None) -> int | None:
    return None if value is None else round(value)


def _read(request: Request) -> dict[str, Any]:
    engine = shop_of(request).database
    return read_page(engine, latest_turn(engine), "health") or {}
