"""A lever's page, drawn from its report; orders get a grid and a CSV file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from starlette.responses import HTMLResponse, Response

from cartwheel.api.security import User, viewer
from cartwheel.channels.purchase_order import order_cost, purchase_order_rows
from cartwheel.console.charts import Interval, bar_chart, interval_chart, line_chart
from cartwheel.console.citations import cited
from cartwheel.console.csv_files import csv_answer
from cartwheel.console.experiment_words import OUTCOME_WORDS
from cartwheel.console.formatting import Formatter
from cartwheel.console.published import read_page, read_published
from cartwheel.console.view import formatter_of, page, shop_of, titled
from cartwheel.errors import NotFound
from cartwheel.ledger.entry import Entry
from cartwheel.ledger.store import count_decisions, list_decisions

FULL, WIDE, NARROW = 860, 440, 318
"""Widths of charts in pixels: alone in a row, two in a row, on a phone."""
MOST_ORDERS, MOST_ROWS = 200, 25
OPEN_LINES = 4

router = APIRouter()


@router.get("/levers/{name}")
def lever(
    request: Request, name: str, user: Annotated[User, Depends(viewer)]
) -> HTMLResponse:
    """Show what a lever did this turn, how sure it is, and what it proposes."""
    engine = shop_of(request).database
    published = read_published(engine)
    found = published.lever(name)
    if found is None:
        raise NotFound(
            f"There is no lever {name[:100]!r} in the published turn.",
            "Choose one from the menu, or turn the wheel.",
        )
    fmt = formatter_of(request)
    report = read_page(engine, published.turn, f"lever:{name}") or {}
    orders = _entries(request, name, published.turn, MOST_ORDERS, "reorder")
    shown = orders or _entries(request, name, published.turn, MOST_ROWS)
    values = {
        "lever": found,
        "report": report,
        "figures": report.get("figures") or [],
        "lines": [line_parts(x, fmt) for x in report.get("lines") or []],
        "open_lines": OPEN_LINES,
        "bars": [bar_parts(x, fmt) for x in report.get("bars") or []],
        "grids": report.get("grids") or [],
        "entries": shown,
        "is_order": bool(orders),
        "orders_total": sum(_cost(entry) for entry in orders),
        "approved": sum(entry.state in ("approved", "applied") for entry in orders),
        "elasticities": elasticity_chart(shown, titled(request)),
        "total": count_decisions(engine, lever=name, turn=published.turn),
        "tried": cited(engine, name, fmt),
        "outcome_words": OUTCOME_WORDS,
    }
    return page(request, "lever.html", values, published=published)


@router.get("/levers/{name}/purchase-order.csv")
def purchase_order(
    request: Request, name: str, user: Annotated[User, Depends(viewer)]
) -> Response:
    """Return the approved orders of the published turn as a CSV file."""
    engine = shop_of(request).database
    published = read_published(engine)
    settings = shop_of(request).settings
    entries = [
        entry
        for state in ("approved", "applied")
        for entry in list_decisions(
            engine,
            kind="reorder",
            lever=name,
            turn=published.turn,
            state=state,
            limit=None,
            order="position",
        )
    ]
    rows = purchase_order_rows(
        entries,
        name=titled(request),
        currency=settings.currency,
        minor_digits=settings.minor_digits,
    )
    return csv_answer(rows, f"purchase-order-turn-{published.turn or 0}.csv")


def line_parts(line: Mapping[str, Any], fmt: Formatter) -> dict[str, Any]:
    """Return one line chart at two widths, with its values as a table."""
    unit = str(line.get("unit") or "")
    axis = "" if unit in ("units", "days") else unit
    x = [str(day) for day in line.get("x") or []]
    series: dict[str, Any] = {
        name: list(line.get(name) or [])
        for name in ("actual", "predicted", "low", "high")
    }

    def chart(width: int, height: int) -> str:
        return line_chart(
            title=str(line.get("title") or ""),
            x=x,
            format_value=lambda v: fmt.value(v, axis),
            width=width,
            height=height,
            **series,
        )

    rows = [
        [fmt.day(day)]
        + [
            fmt.cell(values[i] if i < len(values) else None, axis)
            for values in series.values()
        ]
        for i, day in enumerate(x)
    ]
    return {
        "title": str(line.get("title") or ""),
        "subject": str(line.get("subject") or ""),
        "unit": unit,
        "note": str(line.get("note") or ""),
        "wide": chart(WIDE, 210),
        "narrow": chart(NARROW, 200),
        "rows": rows,
        "has_band": any(v is not None for v in series["low"]),
        "has_prediction": any(v is not None for v in series["predicted"]),
    }


def bar_parts(bars: Mapping[str, Any], fmt: Formatter) -> dict[str, Any]:
    """Return one bar chart at two widths, with its values as a table."""
    unit = str(bars.get("unit") or "")
    axis = "" if unit in ("units", "days") else unit
    labels = [str(label) for label in bars.get("labels") or []]
    values = [float(value) for value in bars.get("values") or []]

    def chart(width: int) -> str:
        return bar_chart(
            title=str(bars.get("title") or ""),
            labels=labels,
            values=values,
            format_value=lambda v: fmt.value(v, axis),
            width=width,
        )

    return {
        "title": str(bars.get("title") or ""),
        "unit": unit,
        "note": str(bars.get("note") or ""),
        "wide": chart(WIDE),
        "narrow": chart(NARROW),
        "rows": [
            [label, fmt.cell(value, axis)]
            for label, value in zip(labels, values, strict=True)
        ],
    }


def elasticity_chart(
    entries: list[Entry], name: Callable[[Entry], str]
) -> dict[str, str] | None:
    """Return the elasticities behind price proposals, when decisions carry them.

    Args:
        entries: Decisions.
        name: Names a decision's subject.
    """
    rows = []
    for entry in entries:
        found = _elasticity(entry.evidence)
        if found is not None:
            value, low, high = found
            rows.append(Interval(label=name(entry), value=value, low=low, high=high))
    rows = rows[:20]
    if not rows:
        return None

    def chart(width: int) -> str:
        return interval_chart(
            title="Elasticity behind each proposal",
            rows=rows,
            format_value=lambda v: f"{v:.1f}".replace("-", "−"),
            reference=-1.0,
            width=width,
        )

    return {"wide": chart(FULL), "narrow": chart(NARROW)}


def _elasticity(evidence: Mapping[str, Any]) -> tuple[float, float, float] | None:
    nested = evidence.get("elasticity")
    if isinstance(nested, Mapping):
        values = [nested.get(name) for name in ("value", "low", "high")]
    else:
        names = ("elasticity", "elasticity_low", "elasticity_high")
        values = [evidence.get(name) for name in names]
    numbers = [float(v) for v in values if isinstance(v, int | float)]
    return (numbers[0], numbers[1], numbers[2]) if len(numbers) == 3 else None


def _entries(
    request: Request, name: str, turn: int | None, limit: int, kind: str | None = None
) -> list[Entry]:
    return list_decisions(
        shop_of(request).database, lever=name, turn=turn, kind=kind, limit=limit
    )


def _cost(entry: Entry) -> float:
    open_states = ("proposed", "approved")
    return (order_cost(entry) or 0) if entry.state in open_states else 0
