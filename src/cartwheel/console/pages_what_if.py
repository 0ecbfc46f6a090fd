"""What if: what policies that did not run would have earned, as the turn published."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from starlette.responses import HTMLResponse, Response

from cartwheel.api.security import User, viewer
from cartwheel.console.csv_files import csv_answer
from cartwheel.console.formatting import Formatter, plain
from cartwheel.console.published import latest_turn, read_page, read_published
from cartwheel.console.view import formatter_of, page, shop_of
from cartwheel.errors import NotFound

NAME = "what-if"
MONEY = ("spent_minor", "paid_minor")

router = APIRouter()


@router.get("/what-if")
def what_if(request: Request, user: Annotated[User, Depends(viewer)]) -> HTMLResponse:
    """Show other policies with intervals and evidence, or why nothing can be said."""
    engine = shop_of(request).database
    published = read_published(engine)
    found = read_page(engine, published.turn, NAME)
    fmt = formatter_of(request)
    parts = [] if found is None else [part_rows(one, fmt) for one in found["parts"]]
    values = {"found": found, "parts_asked": parts}
    return page(request, "what_if.html", values, published=published)


@router.get("/what-if/what-if.csv")
def what_if_csv(request: Request, user: Annotated[User, Depends(viewer)]) -> Response:
    """Return every figure as a CSV file, amounts in minor units."""
    engine = shop_of(request).database
    turn = latest_turn(engine)
    found = read_page(engine, turn, NAME)
    if found is None or not found["csv"]:
        raise NotFound(
            "No turn has asked about other policies yet.",
            "Turn the wheel: cartwheel turn",
        )
    return csv_answer(found["csv"], f"what-if-turn-{turn}.csv")


def part_rows(part: Mapping[str, Any], fmt: Formatter) -> dict[str, Any]:
    """Return one part with its figures as cells."""
    left_out = [f"{n:,} {name}" for name, n in (part["left_out"] or {}).items() if n]
    policies = [
        {
            **policy,
            "rows": [figure_cells(one, fmt) for one in policy["figures"]],
        }
        for policy in part["policies"]
    ]
    return {**part, "policies": policies, "not_counted": ", ".join(left_out)}


def figure_cells(one: Mapping[str, Any], fmt: Formatter) -> dict[str, Any]:
    """Return a figure as it stands in a row; what is unknown says why."""

    def number(value: float | None) -> str:
        if value is None:
            return ""
        return fmt.money(value) if one["reward"] in MONEY else plain(value)

    def span(name: str) -> dict[str, str] | None:
        value, low, high = (
            one["value" if name == "" else name],
            one[f"{name}_low" if name else "low"],
            one[f"{name}_high" if name else "high"],
        )
        if value is None or low is None or high is None:
            return None
        return {"value": number(value), "interval": f"{number(low)} to {number(high)}"}

    state = ""
    if one["decided"]:
        state = "more than what ran" if one["gain"] > 0 else "less than what ran"
    elif one["gain"] is not None:
        state = "not told from what ran"
    return {
        "unit": one["unit"],
        "value": span(""),
        "gain": span("gain"),
        "state": state,
        "refused": one["refused"],
        "logged": number(one["logged"]),
        "worth": (
            f"{one['rows']:,} rows of {one['customers']:,} customers, worth "
            f"{one['effective_rows']:,.0f} and {one['effective_customers']:,.0f}"
            if one["rows"]
            else ""
        ),
    }
