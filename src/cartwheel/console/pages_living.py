"""The made world behind a demo shop: live a week; true lift beside measured lift."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request
from starlette.responses import HTMLResponse, RedirectResponse

from cartwheel.api.security import User, owner, viewer
from cartwheel.console.charts import Interval, bar_chart, interval_chart, line_chart
from cartwheel.console.formatting import Formatter
from cartwheel.console.published import (
    IMPORTS_TURN,
    ask_for,
    read_page,
    read_progress,
)
from cartwheel.console.view import back, formatter_of, page, shop_of
from cartwheel.errors import Conflict, NotFound

WIDE, HALF, NARROW = 720, 460, 340
WHEEL, PLAIN = "wheel", "plain"

router = APIRouter()


@router.get("/living")
def living(request: Request, user: Annotated[User, Depends(viewer)]) -> HTMLResponse:
    """Show the world's date, its weeks, and true lift beside measured lift."""
    _check_demo(request)
    world = world_values(request)
    fmt = formatter_of(request)
    weeks = [] if world is None else world["weeks"]
    values = {
        "progress": read_progress(shop_of(request).database),
        "world": world,
        "charts": [] if not weeks else [_lift_chart(weeks, fmt), _profit(weeks, fmt)],
        "estimates": _estimates(world, fmt),
        "rows": [_row(week, fmt) for week in reversed(weeks)],
    }
    return page(request, "living.html", values)


@router.post("/living")
def live(
    request: Request,
    user: Annotated[User, Depends(owner)],
    approve: Annotated[str, Form(pattern="^(agreed|everything)$")],
) -> RedirectResponse:
    """Ask the worker to let a demo shop live a week."""
    _check_demo(request)
    world = world_values(request)
    if world is None or world["over"]:
        raise Conflict(
            "This demo shop cannot live on: it has no world, or its time is over.",
            "Make a new one in another folder: cartwheel demo --folder FOLDER",
        )
    what = "live" if approve == "agreed" else "live-approving"
    if not ask_for(shop_of(request).database, what, actor=user.name):
        raise Conflict(
            "A week or a turn waits or runs already.",
            "Wait for it; the overview shows how far.",
        )
    return back("/", "live")


def world_values(request: Request) -> dict[str, Any] | None:
    """Return how a demo shop's world stands, None for other shops."""
    shop = shop_of(request)
    if not shop.settings.demo:
        return None
    world = read_page(shop.database, IMPORTS_TURN, "world")
    if world is None:
        return None
    weeks = world["weeks"]
    last = weeks[-1] if weeks else None
    return {
        **world,
        "measured": None if last is None else last["measured"],
        "true_minor": None if last is None else last["true_minor"],
        "whole": _whole(weeks),
    }


def _check_demo(request: Request) -> None:
    if not shop_of(request).settings.demo:
        raise NotFound(
            "This is a real shop: its weeks are lived by its customers.",
            "Make a demo shop with: cartwheel demo",
        )


def _whole(weeks: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Return what the whole wheel earned more than no AI, in all and per visit."""

    def total(name: str, what: str) -> float:
        return float(sum(week["worlds"][name][what] for week in weeks))

    visits = [max(total(name, "visits"), 1.0) for name in (WHEEL, PLAIN)]
    profit = [total(name, "profit_minor") for name in (WHEEL, PLAIN)]
    return {
        "total_minor": profit[0] - profit[1],
        "visit_minor": profit[0] / visits[0] - profit[1] / visits[1],
        "wheel_visit_minor": profit[0] / visits[0],
        "plain_visit_minor": profit[1] / visits[1],
    }


def _estimates(
    world: Mapping[str, Any] | None, fmt: Formatter
) -> dict[str, str] | None:
    """Return measured lift, drawn beside the true lift, at two widths."""
    if world is None or not world["measured"] or world["measured"]["value"] is None:
        return None
    found, true = world["measured"], world["true_minor"] or 0.0
    rows = [
        Interval(
            label="Measured", value=found["value"], low=found["low"], high=found["high"]
        ),
        Interval(label="True", value=true, low=true, high=true),
    ]
    drawn = {
        name: interval_chart(
            title="Lift per customer since the wheel began: measured and true",
            rows=rows,
            format_value=lambda v: fmt.value(v, "minor"),
            width=width,
        )
        for name, width in (("wide", WIDE), ("narrow", NARROW))
    }
    return drawn


def _lift_chart(weeks: Sequence[Mapping[str, Any]], fmt: Formatter) -> dict[str, Any]:
    measured = [week["measured"] or {} for week in weeks]
    series = {
        "actual": [week["true_minor"] for week in weeks],
        "predicted": [found.get("value") for found in measured],
        "low": [found.get("low") for found in measured],
        "high": [found.get("high") for found in measured],
    }
    title = "Lift per customer since the wheel began"

    def chart(width: int) -> str:
        return line_chart(
            title=title,
            x=[week["to"] for week in weeks],
            format_value=lambda v: fmt.value(v, "minor"),
            names=("true", "measured"),
            width=width,
            height=220,
            **series,
        )

    return {
        "title": title,
        "keys": ("True", "Measured", "95% interval"),
        "note": "Each point counts from the first week to that day.",
        "wide": chart(HALF),
        "narrow": chart(NARROW),
    }


def _profit(weeks: Sequence[Mapping[str, Any]], fmt: Formatter) -> dict[str, Any]:
    title = "Profit of the shop more than without AI, by week"
    values = [
        week["worlds"][WHEEL]["profit_minor"] - week["worlds"][PLAIN]["profit_minor"]
        for week in weeks
    ]

    def chart(width: int) -> str:
        return bar_chart(
            title=title,
            labels=[f"to {fmt.day(week['to'])[:-5]}" for week in weeks],
            values=[float(value) for value in values],
            format_value=lambda v: fmt.value(v, "minor"),
            width=width,
        )

    return {
        "title": title,
        "keys": (),
        "note": "True, from a twin of the world that lives the same days under simple "
        "rules. Goods ordered in a week are sold in later ones.",
        "wide": chart(HALF),
        "narrow": chart(NARROW),
    }


def _row(week: Mapping[str, Any], fmt: Formatter) -> list[str]:
    worlds, found = week["worlds"], week["measured"] or {}
    measured = "not yet"
    if found.get("value") is not None:
        low, high = fmt.money(found["low"]), fmt.money(found["high"])
        measured = f"{fmt.money(found['value'])} ({low} to {high})"
    return [
        fmt.day(week["to"]),
        fmt.money(worlds[WHEEL]["profit_minor"]),
        fmt.money(worlds[PLAIN]["profit_minor"]),
        measured,
        fmt.money(week["true_minor"]),
    ]
