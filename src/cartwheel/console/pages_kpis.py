"""KPIs: figures as of any day, each with definition, interval and rows behind it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Depends, Request
from starlette.responses import HTMLResponse, Response

from cartwheel.api.security import User, viewer
from cartwheel.console.charts import line_chart
from cartwheel.console.csv_files import csv_answer, long_csv_answer
from cartwheel.console.formatting import COUNTED, Formatter
from cartwheel.console.kpi_desk import LONGEST_SECONDS, asked_day, desk_of, today
from cartwheel.console.published import read_page, read_published
from cartwheel.console.view import formatter_of, page, shop_of
from cartwheel.errors import Busy
from cartwheel.measure.kpi import board_table, kpi_named, rows_behind, source_of

if TYPE_CHECKING:
    import duckdb

WAIT_SECONDS = 2.5
"""How long the page of another day waits before it says that it is being counted."""
WIDE, NARROW, HIGH = 440, 318, 160
CHUNK = 5_000

router = APIRouter()


@router.get("/kpis")
def kpis(
    request: Request, user: Annotated[User, Depends(viewer)], as_of: str = ""
) -> HTMLResponse:
    """Show the board of the published day, or of any day asked for."""
    shop, fmt = shop_of(request), formatter_of(request)
    published = read_published(shop.database)
    kept = read_page(shop.database, published.turn, "kpis")
    day = asked_day(shop, as_of, _day_of(kept))
    board = _board(request, kept, day, WAIT_SECONDS)
    values: dict[str, Any] = {
        "day": day.isoformat(),
        "today": today(shop).isoformat(),
        "published_day": _day_of(kept),
        "board": board,
        "said": [],
        "not_yet": [],
    }
    if board is not None:
        cards = [_card(kpi, kept, day, fmt) for kpi in board["kpis"]]
        values["said"] = [card for card in cards if card["value"] is not None]
        values["not_yet"] = [card for card in cards if card["value"] is None]
    answer = page(request, "kpis.html", values, published=published)
    if board is None:
        answer.headers["Refresh"] = "2"  # works without a script
    return answer


@router.get("/kpis.csv")
def board_csv(
    request: Request, user: Annotated[User, Depends(viewer)], as_of: str = ""
) -> Response:
    """Return the whole board of a day as a CSV file."""
    shop = shop_of(request)
    kept = read_page(shop.database, read_published(shop.database).turn, "kpis")
    day = asked_day(shop, as_of, _day_of(kept))
    board = _board(request, kept, day, LONGEST_SECONDS)
    if board is None:
        raise Busy(f"The board of {day} is being counted.", "Try again shortly.")
    return csv_answer(board_table(board), f"kpis-{day}.csv")


@router.get("/kpis/{name}/rows.csv")
def rows_csv(
    request: Request,
    name: str,
    user: Annotated[User, Depends(viewer)],
    as_of: str = "",
) -> Response:
    """Return the rows behind one figure of a day as a CSV file."""
    shop = shop_of(request)
    kpi = kpi_named(name)
    kept = read_page(shop.database, read_published(shop.database).turn, "kpis")
    day = asked_day(shop, as_of, _day_of(kept))
    # The published figure was counted from a pinned snapshot, and so are its rows.
    pinned = kept is not None and kept["as_of"] == day.isoformat()
    snapshot = kept["snapshot"] if kept is not None and pinned else None
    with source_of(shop, snapshot=snapshot, seconds=LONGEST_SECONDS) as source:
        names, cursor = rows_behind(source, kpi, day)
        return long_csv_answer(
            _chunks(names, cursor), f"kpi-{name.replace('_', '-')}-{day}.csv"
        )


def _day_of(kept: Mapping[str, Any] | None) -> str | None:
    return None if kept is None else str(kept["as_of"])


def _board(
    request: Request, kept: Mapping[str, Any] | None, day: date, wait_seconds: float
) -> Mapping[str, Any] | None:
    if kept is not None and kept["as_of"] == day.isoformat():
        return kept
    return desk_of(request).board(day, wait_seconds=wait_seconds)


def _chunks(
    names: tuple[str, ...], cursor: duckdb.DuckDBPyConnection
) -> Iterator[list[tuple[Any, ...]]]:
    yield [names]
    while rows := cursor.fetchmany(CHUNK):
        yield rows


def _card(
    kpi: Mapping[str, Any],
    kept: Mapping[str, Any] | None,
    day: date,
    fmt: Formatter,
) -> dict[str, Any]:
    """Return a KPI with its trend, drawn at two widths, and its values as a table."""
    points = _trend(kpi, kept, day)
    axis = "" if kpi["unit"] in COUNTED else kpi["unit"]
    drawn = [point for point in points if point["value"] is not None]
    stale = [row for row in kpi["freshness"] if row["stale"] and row["newest"]]
    days = [row["newest"] for row in kpi["freshness"] if row["newest"]]

    def chart(width: int) -> str:
        return line_chart(
            title=f"{kpi['label']} by week",
            x=[point["on"] for point in points],
            actual=[point["value"] for point in points],
            low=[point["low"] for point in points],
            high=[point["high"] for point in points],
            format_value=lambda v: fmt.value(v, axis),
            width=width,
            height=HIGH,
        )

    return {
        **kpi,
        "wide": chart(WIDE) if len(drawn) > 1 else "",
        "narrow": chart(NARROW) if len(drawn) > 1 else "",
        "rows_table": [
            [
                fmt.day(p["on"]),
                *(fmt.cell(p[n], axis) for n in ("value", "low", "high")),
            ]
            for p in reversed(points)
        ],
        "newest": max(days, default=None),
        "stale": stale,
    }


def _trend(
    kpi: Mapping[str, Any], kept: Mapping[str, Any] | None, day: date
) -> list[Mapping[str, Any]]:
    """Return the weekly figures up to a day, as the published turn counted them.

    Each point is right as of its own day, so it serves any board of a later day too.
    """
    published = next(
        (one for one in (kept or {}).get("kpis", []) if one["name"] == kpi["name"]),
        None,
    )
    points = [p for p in (published or kpi)["series"] if p["on"] <= day.isoformat()]
    first = next((i for i, p in enumerate(points) if p["value"] is not None), None)
    points = [] if first is None else points[first:]
    if points and points[-1]["on"] < day.isoformat() and kpi["value"] is not None:
        own = {"on": day.isoformat(), **{n: kpi[n] for n in ("value", "low", "high")}}
        points = [*points, own]
    return points
