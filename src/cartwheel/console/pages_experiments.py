"""Experiments: the list, one experiment while it runs and after, and its record."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request
from starlette.responses import HTMLResponse, Response

from cartwheel.api.security import User, owner, viewer
from cartwheel.console.charts.spans import Span, span_chart
from cartwheel.console.citations import Tried, tried
from cartwheel.console.csv_files import csv_answer
from cartwheel.console.experiment_words import (
    OUTCOME_WORDS,
    PER,
    STATE_WORDS,
    effect_rows,
    holdout_words,
    span_text,
    term_rows,
    told,
    unit_counts,
    writer,
)
from cartwheel.console.formatting import Formatter, percent
from cartwheel.console.view import back, formatter_of, page, shop_of
from cartwheel.errors import Conflict
from cartwheel.measure.experiment.lessons import in_their_light, page_of
from cartwheel.measure.experiment.rounds import outlay
from cartwheel.measure.experiment.store import (
    Record,
    close,
    find,
    list_experiments,
    looks,
)

WIDE, NARROW = 860, 318
MOST_WHY = 1000
LIST_COLUMNS = (
    *("name", "state", "outcome", "lever", "unit", "metric", "wanted", "mode", "stop"),
    *("starts_on", "ends_on", "day", "days", "sentence", "question", "fingerprint"),
    *("agreed_at", "agreed_by", "closed_at", "closed_by", "why"),
)
LOOK_COLUMNS = (
    *("name", "day", "day_of", "days", "metric", "low", "high", "relative_low"),
    *("relative_high", "effect", "p_adjusted", "method", "n", "sentence", "checks"),
)

router = APIRouter()
Look = tuple[date, dict[str, Any]]


@router.get("/experiments")
def experiments(
    request: Request, user: Annotated[User, Depends(viewer)]
) -> HTMLResponse:
    """List running experiments, then those that are over, failures first."""
    shop, fmt = shop_of(request), formatter_of(request)
    records = list_experiments(shop.database)
    values = {
        "running": [
            {"record": one, "sentence": told(one, fmt), "day": day_of(one)}
            for one in records
            if one.state == "running"
        ],
        "over": tried(records, fmt),
        "holdouts": holdout_words(shop.settings.holdout),
        "outcome_words": OUTCOME_WORDS,
    }
    return page(request, "experiments.html", values)


@router.get("/experiments/list.csv")
def list_csv(request: Request, user: Annotated[User, Depends(viewer)]) -> Response:
    """Return the list as a CSV file, in the order of the page."""
    fmt = formatter_of(request)
    records = list_experiments(shop_of(request).database)
    running = [
        Tried(record=one, outcome="", sentence=told(one, fmt))
        for one in records
        if one.state == "running"
    ]
    rows = [_list_row(one) for one in [*running, *tried(records, fmt)]]
    return csv_answer([LIST_COLUMNS, *rows], "experiments.csv")


@router.get("/experiments/looks.csv")
def looks_csv(request: Request, user: Annotated[User, Depends(viewer)]) -> Response:
    """Return every look at every experiment as a CSV file."""
    engine = shop_of(request).database
    rows = [
        row
        for record in list_experiments(engine)
        for row in _look_rows(record, looks(engine, record.terms.name))
    ]
    return csv_answer([LOOK_COLUMNS, *rows], "looks.csv")


@router.get("/experiments/{name}")
def experiment(
    request: Request, name: str, user: Annotated[User, Depends(viewer)]
) -> HTMLResponse:
    """Show an experiment: what was agreed, its checks, what may be told of it."""
    return _experiment_page(request, name)


@router.get("/experiments/{name}/looks.csv")
def one_looks_csv(
    request: Request, name: str, user: Annotated[User, Depends(viewer)]
) -> Response:
    """Return every look at one experiment as a CSV file."""
    engine = shop_of(request).database
    rows = _look_rows(find(engine, name), looks(engine, name))
    return csv_answer([LOOK_COLUMNS, *rows], "looks.csv")


@router.get("/experiments/{name}/record.txt")
def record_text(
    request: Request, name: str, user: Annotated[User, Depends(viewer)]
) -> Response:
    """Return the learning record of an experiment that is over, as plain text."""
    engine = shop_of(request).database
    record = find(engine, name)
    if record.state == "running":
        raise Conflict(
            "This experiment still runs; what it taught is written when it is over.",
            f"Its last day is {record.terms.ends_on}.",
        )
    return Response(
        page_of(record, list_experiments(engine)) + "\n",
        media_type="text/plain; charset=utf-8",
        headers={
            "Content-Disposition": 'attachment; filename="learning-record.txt"',
            "Cache-Control": "no-store",
        },
    )


@router.post("/experiments/{name}/stop")
def stop(
    request: Request,
    name: str,
    user: Annotated[User, Depends(owner)],
    why: Annotated[str, Form()] = "",
) -> Response:
    """Stop an experiment before its time, with the reason for the record."""
    reason = why.strip()
    if not 1 <= len(reason) <= MOST_WHY:
        problem = (
            f"The reason has {len(reason):,} letters; expected 1 to {MOST_WHY:,}. "
            "A stopped experiment teaches only with its reason."
        )
        return _experiment_page(request, name, why=why, problem=problem, status=400)
    close(shop_of(request).database, name, "stopped", actor=user.name, why=reason)
    return back(f"/experiments/{name}", "stop")


def day_of(record: Record) -> int:
    """Return the days that counted at the last look."""
    return int((record.standing or {}).get("days_over") or 0)


def refuses(record: Record) -> bool:
    """Tell whether a check forbids every figure."""
    checks = (record.standing or {}).get("checks") or []
    return any(check["level"] == "refusal" for check in checks)


def _experiment_page(
    request: Request, name: str, *, why: str = "", problem: str = "", status: int = 200
) -> HTMLResponse:
    shop, fmt = shop_of(request), formatter_of(request)
    record = find(shop.database, name)
    terms, standing = record.terms, record.standing
    over = record.state != "running"
    hidden = refuses(record)
    found = [] if hidden else looks(shop.database, name)
    records = list_experiments(shop.database) if over else []
    values = {
        "record": record,
        "terms": terms,
        "term_rows": term_rows(terms, fmt),
        "standing": standing,
        "day": day_of(record),
        "sentence": told(record, fmt),
        "over": over,
        "hidden": hidden,
        "state_title": STATE_WORDS[record.state],
        "checks": (standing or {}).get("checks") or [],
        "units": "" if hidden else unit_counts((standing or {}).get("units") or {}),
        "reach": "" if hidden or over else _reach_text(record),
        "spent": outlay(shop, terms) if terms.budget_minor is not None else None,
        "per": PER[terms.unit],
        "chart": _chart(record, found, fmt),
        "effects": effect_rows(standing["metrics"], fmt)
        if over and standing and not hidden
        else [],
        "light": None if hidden or not over else _light(record, records),
        "page_text": page_of(record, records) if over else "",
        "why": why,
        "problem": problem,
    }
    return page(request, "experiment.html", values, status=status)


def _chart(
    record: Record, found: Sequence[Look], fmt: Formatter
) -> dict[str, Any] | None:
    """Return the interval of the primary metric over looks, with its values."""
    if not found:
        return None
    terms, write = record.terms, writer(record.terms.metric, fmt)
    spans, rows = [], []
    for day, standing in found:
        primary = next(iter(standing["metrics"]), None) or {}
        low, high = primary.get("low"), primary.get("high")
        spans.append(Span(day=day, low=low, high=high))
        rows.append(
            [
                fmt.day(day.isoformat()),
                f"{standing['days_over']} of {standing['days']}",
                span_text(low, high, write),
                span_text(
                    primary.get("relative_low"),
                    primary.get("relative_high"),
                    lambda share, _: f"{'+' if share > 0 else ''}{percent(share)}",
                ),
            ]
        )

    def chart(width: int) -> str:
        return span_chart(
            title=f"Interval of the effect on {terms.metric}, by look",
            spans=spans,
            first=terms.starts_on,
            last=terms.ends_on,
            format_value=lambda value: write(value, False),
            width=width,
        )

    return {"wide": chart(WIDE), "narrow": chart(NARROW), "rows": rows}


def _reach_text(record: Record) -> str:
    """Return what can be seen by now; it rests on the spread, not on the effect."""
    reach = (record.standing or {}).get("reach")
    if not reach or reach["detectable"] is None:
        return ""
    text = (
        f"By now a change of {percent(reach['detectable'])} or more would be found "
        f"four times in five. The {percent(reach['wanted'])} wanted needs "
    )
    if reach["days_needed"] is None or reach["days_needed"] > 3650:
        return f"{text}more than ten years: this test is too small for it."
    return f"{text}about {reach['days_needed']:,} days."


def _light(record: Record, records: Sequence[Record]) -> dict[str, str] | None:
    found = in_their_light(record, records)
    if found is None:
        return None
    drawn, past = found
    if past:
        title = f"In the light of {past} earlier experiment{'' if past == 1 else 's'}"
        source = "Earlier experiments on this lever and metric weigh"
    else:
        title = "In the light of what is usual"
        source = "No earlier experiment is known; that large effects are rare weighs"
    return {
        "title": title,
        "effect": _signed(drawn.effect),
        "span": f"{_signed(drawn.low)} to {_signed(drawn.high)}",
        "source": source,
        "weight": percent(drawn.weight),
        "above": percent(drawn.above),
        "raw": _signed(drawn.raw),
    }


def _signed(share: float) -> str:
    return f"{'+' if share > 0 else ''}{percent(share)}"


def _list_row(one: Tried) -> list[Any]:
    record, terms = one.record, one.record.terms
    return [
        *(terms.name, record.state, one.outcome, terms.lever, terms.unit),
        *(terms.metric, terms.wanted, terms.mode, terms.stop),
        *(terms.starts_on, terms.ends_on, day_of(record), terms.days),
        *(one.sentence, terms.question, terms.fingerprint),
        *(record.created_at, record.actor, record.closed_at, record.closed_by),
        record.why,
    ]


def _look_rows(record: Record, found: Sequence[Look]) -> Iterator[list[Any]]:
    over = record.state != "running"
    for day, standing in found:
        head = [record.terms.name, day, standing["days_over"], standing["days"]]
        tail = [
            standing["sentence"],
            "; ".join(check["message"] for check in standing["checks"]),
        ]
        for one in standing["metrics"] or [{}]:
            # While it runs only intervals that hold at every look leave this page.
            estimate = [one.get("effect"), one.get("p_adjusted")] if over else ["", ""]
            yield [
                *head,
                one.get("metric"),
                *(one.get("low"), one.get("high")),
                *(one.get("relative_low"), one.get("relative_high")),
                *estimate,
                *(one.get("method"), one.get("n")),
                *tail,
            ]
