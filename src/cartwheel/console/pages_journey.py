"""Journey: where visits do not go on, with money and what stands beside each place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from starlette.responses import HTMLResponse, Response

from cartwheel.api.security import User, viewer
from cartwheel.console.charts import bar_chart
from cartwheel.console.csv_files import csv_answer
from cartwheel.console.formatting import plain
from cartwheel.console.published import latest_turn, read_page
from cartwheel.console.view import page, shop_of
from cartwheel.measure.journey.table import csv_rows

NAME = "journey"
WIDE, NARROW = 720, 318
PARTS = ("steps", "drop_offs", "low", "near")
STATES = {"fell": "stale", "as usual": "live", "not yet": "expired"}
"""How the state of a step is coloured."""

router = APIRouter()


@router.get("/journey")
def journey(request: Request, user: Annotated[User, Depends(viewer)]) -> HTMLResponse:
    """Show the steps of visits, then drop-offs, most money first."""
    body = _read(request)
    values: dict[str, Any] = {name: body.get(name) or [] for name in PARTS}
    values["found"] = body
    values["too_few"] = [one for one in body.get("waiting") or [] if one["waiting"]]
    values["failed"] = body.get("failed") or ""
    values["states"] = STATES
    values["wide"], values["narrow"] = (
        steps_chart(body, width) for width in (WIDE, NARROW)
    )
    return page(request, "journey.html", values)


@router.get("/journey/drop-offs.csv")
def drop_offs_csv(request: Request, user: Annotated[User, Depends(viewer)]) -> Response:
    """Return every place told of as a CSV file, amounts in minor units."""
    engine = shop_of(request).database
    turn = latest_turn(engine)
    return csv_answer(csv_rows(_read(request)), f"journey-turn-{turn or 0}.csv")


def steps_chart(body: Mapping[str, Any], width: int) -> str:
    """Return the visits of each step as bars, "" before there is any."""
    steps = [one for one in body.get("steps") or [] if one["step"] != "checkout"]
    if not body.get("visits"):
        return ""
    return bar_chart(
        title="Visits by step",
        labels=[*(one["title"] for one in steps), "Checkout"],
        values=[*(float(one["visits"]) for one in steps), float(body["checkouts"])],
        format_value=plain,
        width=width,
    )


def _read(request: Request) -> dict[str, Any]:
    engine = shop_of(request).database
    return read_page(engine, latest_turn(engine), NAME) or {}
