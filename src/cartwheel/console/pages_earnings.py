"""Earnings: what the wheel and each lever earned more, as the turn published it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from starlette.responses import HTMLResponse, Response

from cartwheel.api.security import User, viewer
from cartwheel.console.charts import Interval, interval_chart
from cartwheel.console.csv_files import csv_answer
from cartwheel.console.formatting import Formatter, title_of
from cartwheel.console.published import latest_turn, read_page, read_published
from cartwheel.console.view import formatter_of, page, shop_of
from cartwheel.errors import NotFound
from cartwheel.measure.experiment.terms import LEVER_UNITS

NAME = "earnings"
WIDE, NARROW = 860, 318
COST_TITLES = {"tools": "Tools", "labour": "Labour"}

router = APIRouter()


@router.get("/earnings")
def earnings(request: Request, user: Annotated[User, Depends(viewer)]) -> HTMLResponse:
    """Show earnings with intervals, costs and net, and what cannot be said yet."""
    engine = shop_of(request).database
    published = read_published(engine)
    found = read_page(engine, published.turn, NAME)
    entries = [] if found is None else list(found["entries"])
    fmt = formatter_of(request)
    values = {
        "ledger": found,
        "chart": money_chart(entries, fmt),
        "entries": [entry_parts(entry, fmt) for entry in entries],
    }
    return page(request, "earnings.html", values, published=published)


@router.get("/earnings/earnings.csv")
def earnings_csv(request: Request, user: Annotated[User, Depends(viewer)]) -> Response:
    """Return the entries as a CSV file, amounts in minor units."""
    engine = shop_of(request).database
    turn = latest_turn(engine)
    found = read_page(engine, turn, NAME)
    if found is None or not found["csv"]:
        raise NotFound(
            "No turn has measured earnings yet.", "Turn the wheel: cartwheel turn"
        )
    return csv_answer(found["csv"], f"earnings-turn-{turn}.csv")


def money_chart(
    entries: Sequence[Mapping[str, Any]], fmt: Formatter
) -> dict[str, Any] | None:
    """Return what each entry earned as dots with intervals; None without a figure."""
    told = [entry for entry in entries if entry["money"] is not None]
    if not told:
        return None
    title = "Earned more than leaving alone"
    rows = [Interval(label=str(entry["title"]), **entry["money"]) for entry in told]

    def chart(width: int) -> str:
        return interval_chart(
            title=title,
            rows=rows,
            format_value=lambda v: fmt.value(v, "minor"),
            width=width,
        )

    return {
        "title": title,
        "wide": chart(WIDE),
        "narrow": chart(NARROW),
        "rows": [
            [row.label, fmt.money(row.value), fmt.money(row.low), fmt.money(row.high)]
            for row in rows
        ],
    }


def entry_parts(entry: Mapping[str, Any], fmt: Formatter) -> dict[str, Any]:
    """Return one entry in words; what is unknown is said to be, never zero."""
    unit = str(entry["unit"])
    return {
        **entry,
        "is_open": bool(entry["not_yet"]),
        "counted": _counted(entry, fmt),
        "money_text": _span(entry["money"], fmt),
        # A turn of an earlier version published none.
        "watched_text": _span(entry.get("money_watched"), fmt),
        "effect_text": _effect(entry["effect"], unit, fmt),
        "cost_rows": [_cost(cost, fmt) for cost in entry["costs"]],
        "offered_text": fmt.money(entry["offered_minor"])
        if entry["offered_minor"]
        else "",
        "net_text": _span(entry["net"], fmt),
        # A link that nothing was done about has nothing of its own to say.
        "link_rows": [_link(link, fmt) for link in entry["links"] if _has_story(link)],
        "can_test": entry["lever"] in LEVER_UNITS,
        "untold": [str(x["link"]) for x in entry["links"] if not _has_story(x)],
        "kind_rows": [_kind(kind, fmt) for kind in entry["kinds"]],
        "pairs": [_pair(pair, fmt) for pair in entry["before_after"]],
    }


def _counted(entry: Mapping[str, Any], fmt: Formatter) -> str:
    if entry["first"] is None:
        return ""
    moved = f", {entry['moved']:,} changed sides" if entry["moved"] else ""
    return (
        f"{fmt.day(entry['first'])}, {entry['days']:,} days: {entry['reached']:,} "
        f"{entry['unit']}s reached, {entry['held_out']:,} left alone{moved}"
    )


def _span(found: Mapping[str, float] | None, fmt: Formatter) -> dict[str, str] | None:
    if found is None:
        return None
    return {
        "value": fmt.money(found["value"]),
        "interval": f"{fmt.money(found['low'])} to {fmt.money(found['high'])}",
    }


def _effect(found: Mapping[str, float] | None, unit: str, fmt: Formatter) -> str:
    if found is None:
        return ""
    low, high = fmt.money(found["low"]), fmt.money(found["high"])
    return f"{fmt.money(found['value'])} a {unit} ({low} to {high})"


def _cost(cost: Mapping[str, Any], fmt: Formatter) -> dict[str, str]:
    known = cost["minor"] is not None
    return {
        "name": COST_TITLES.get(str(cost["name"]), title_of(str(cost["name"]))),
        "amount": fmt.money(cost["minor"]) if known else "not counted",
        "note": str(cost["note"]).removeprefix("not counted: "),
    }


def _kind(kind: Mapping[str, Any], fmt: Formatter) -> list[str]:
    own = kind["incremental"]
    told = "not told"
    if own is not None:
        told = _told(own, fmt)
    worth = kind["predicted_minor"]
    return [
        str(kind["kind"]),
        f"{kind['applied']:,}",
        "not said" if worth is None else fmt.money(worth),
        told,
        str(kind["note"]),
    ]


def _has_story(link: Mapping[str, Any]) -> bool:
    return bool(link.get("experiment") or link["cut_turns"])


def _link(link: Mapping[str, Any], fmt: Formatter) -> dict[str, str]:
    # A turn of an earlier version published links without what tests found.
    worth, money = link.get("worth"), link.get("money")
    return {
        "link": str(link["link"]),
        "worth": _effect(worth, str(link.get("unit")), fmt) or "not told",
        "money": "not told" if money is None else _told(money, fmt),
        "note": str(link["note"]),
        "experiment": str(link.get("experiment") or ""),
    }


def _told(found: Mapping[str, float], fmt: Formatter) -> str:
    low, high = fmt.money(found["low"]), fmt.money(found["high"])
    return f"{fmt.money(found['value'])} ({low} to {high})"


def _pair(pair: Mapping[str, Any], fmt: Formatter) -> dict[str, str]:
    unit = "minor" if str(pair["name"]).endswith("_minor") else ""

    def tell(found: Mapping[str, float]) -> str:
        low, high = fmt.value(found["low"], unit), fmt.value(found["high"], unit)
        return f"{fmt.value(found['value'], unit)} ({low} to {high})"

    return {
        "name": f"{title_of(str(pair['name']))} a day",
        "before": tell(pair["before"]),
        "after": tell(pair["after"]),
    }
