"""Decisions: the list with filters and bulk actions, and "why this?" for each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Form, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import HTMLResponse, Response

from cartwheel.api.security import User, owner, viewer
from cartwheel.channels.act import Verb
from cartwheel.channels.act import act as carry_out
from cartwheel.console.charts import Interval, interval_chart
from cartwheel.console.citations import cited
from cartwheel.console.experiment_words import OUTCOME_WORDS
from cartwheel.console.formatting import Formatter, title_of, unit_of
from cartwheel.console.published import read_published
from cartwheel.console.view import (
    DONE_WORDS,
    back,
    draw,
    formatter_of,
    page,
    shop_of,
    wants_partial,
)
from cartwheel.console.words import kind_title, kind_titles, option_table
from cartwheel.errors import Misuse
from cartwheel.ledger.entry import DecisionState, Entry
from cartwheel.ledger.store import (
    count_decisions,
    edit,
    find,
    history,
    list_decisions,
)

PAGE = 50
VERBS: tuple[Verb, ...] = ("approve", "reject", "undo")
MOST_AT_ONCE = 500
ROW_TEMPLATES = {
    "card": "part_card.html",
    "row": "part_row.html",
    "reorder": "part_reorder.html",
}
"""How a page shows one decision: its partial is what a swapped form gets back."""

router = APIRouter()


@router.get("/decisions")
def decisions(
    request: Request,
    user: Annotated[User, Depends(viewer)],
    kind: str = "",
    state: str = "proposed",
    lever: str = "",
    turn: str = "",
    order: Literal["worth", "newest"] = "worth",
    p: Annotated[int, Query(ge=1, le=100_000)] = 1,
) -> HTMLResponse:
    """List decisions by filter, most worth first or newest first."""
    engine = shop_of(request).database
    if turn and not turn.isdecimal():
        raise Misuse(
            f"turn is {turn[:50]!r}; expected a whole number.", "Correct the filter."
        )
    wanted: dict[str, Any] = {
        "kind": kind or None,
        "state": None if state in ("", "all") else state,
        "lever": lever or None,
        "turn": int(turn) if turn else None,
    }
    total = count_decisions(engine, **wanted)
    entries = list_decisions(
        engine, **wanted, order=order, limit=PAGE, offset=(p - 1) * PAGE
    )
    published = read_published(engine)
    values = {
        "entries": entries,
        "total": total,
        "first": (p - 1) * PAGE + 1,
        "p": p,
        "pages": max(1, -(-total // PAGE)),
        "filters": {
            "kind": kind,
            "state": state or "all",
            "lever": lever,
            "turn": turn,
            "order": order,
        },
        "kinds": sorted(kind_titles().items(), key=lambda item: item[1]),
        "states": list(DecisionState),
        "tried": cited(engine, lever, formatter_of(request)),
        "outcome_words": OUTCOME_WORDS,
    }
    return page(request, "decisions.html", values, published=published)


@router.post("/decisions")
async def bulk(request: Request, user: Annotated[User, Depends(owner)]) -> Response:
    """Move every ticked decision, all of them or none."""
    form = await request.form(max_fields=MOST_AT_ONCE + 10)
    ids = [str(value) for value in form.getlist("id")]
    given, to = str(form.get("verb")), str(form.get("next") or "/decisions")
    verb = next((known for known in VERBS if known == given), None)
    if verb is None:
        raise Misuse(
            f"verb is {given[:50]!r}; expected approve, reject or undo.",
            "Use the buttons of the decisions page.",
        )
    if not ids:
        raise Misuse("No decision was ticked.", "Go back and tick at least one.")
    await run_in_threadpool(act, request, user, ids, verb)
    return back(to, done_code(verb, ids))


@router.get("/decisions/{decision_id}")
def why(
    request: Request, decision_id: str, user: Annotated[User, Depends(viewer)]
) -> HTMLResponse:
    """Explain one decision: inputs, options, prediction, gate, history, replay."""
    engine = shop_of(request).database
    entry = find(engine, decision_id)
    fmt = formatter_of(request)
    headings, options = option_table(entry, fmt)
    values = {
        "entry": entry,
        "prediction": prediction_words(entry, fmt),
        "chart": prediction_chart(entry, fmt),
        "headings": headings,
        "options": options,
        "history": history(engine, decision_id),
        "tried": cited(engine, entry.lever, fmt),
        "outcome_words": OUTCOME_WORDS,
        "others": [
            other
            for other in list_decisions(
                engine, subject=entry.subject, limit=10, order="newest"
            )
            if other.id != entry.id
        ],
    }
    return page(request, "why.html", values)


@router.post("/decisions/{decision_id}/{verb}")
def act_on_one(
    request: Request,
    decision_id: str,
    verb: Verb,
    user: Annotated[User, Depends(owner)],
    view: Annotated[str, Form(max_length=20)] = "row",
    next: Annotated[str, Form(max_length=2000)] = "/decisions",
    units: Annotated[str, Form(max_length=20)] = "",
) -> Response:
    """Approve, reject or undo one decision."""
    if units and verb == "approve":
        edit_units(request, decision_id, units, user)
    entry = act(request, user, [decision_id], verb)[0]
    if wants_partial(request):
        return partial_answer(request, entry, view, verb, next)
    return back(next, done_code(verb, [entry.id]))


@router.post("/decisions/{decision_id}/edit/units")
def edit_quantity(
    request: Request,
    decision_id: str,
    user: Annotated[User, Depends(owner)],
    units: Annotated[str, Form(max_length=20)],
    view: Annotated[str, Form(max_length=20)] = "reorder",
    next: Annotated[str, Form(max_length=2000)] = "/decisions",
) -> Response:
    """Change the quantity of a proposed order; the original stays on record."""
    entry = edit_units(request, decision_id, units, user)
    if wants_partial(request):
        return partial_answer(request, entry, view, "edit", next)
    return back(next, done_code("edit", [entry.id]))


def act(request: Request, user: User, ids: Sequence[str], verb: Verb) -> list[Entry]:
    """Move decisions as a button says."""
    if len(ids) > MOST_AT_ONCE:
        raise Misuse(
            f"{len(ids)} decisions were ticked; at most {MOST_AT_ONCE} go at once.",
            "Tick fewer.",
        )
    return carry_out(shop_of(request), verb, ids, actor=user.name)


def edit_units(request: Request, decision_id: str, units: str, user: User) -> Entry:
    """Set the quantity of an order when it differs from the one in force."""
    engine = shop_of(request).database
    entry = find(engine, decision_id)
    text = units.strip().replace(",", "")
    if not text.isdecimal() or len(text) > 9:
        raise Misuse(
            f"The quantity is {units[:20]!r}; expected a whole number of units.",
            "Type digits only, such as 48.",
        )
    wanted: int | float = int(text)
    if isinstance(entry.action.get("units"), float):
        wanted = float(wanted)
    if entry.action.get("units") == wanted:
        return entry
    return edit(engine, decision_id, {"units": wanted}, actor=user.name)


def partial_answer(
    request: Request, entry: Entry, view: str, verb: str, here: str
) -> HTMLResponse:
    """Return the one element a swapped form replaces, with what to announce."""
    template = ROW_TEMPLATES.get(view, "part_row.html")
    values = {"entry": entry, "said": DONE_WORDS[verb][1], "here": here}
    return draw(request, template, values)


def done_code(verb: str, ids: Sequence[str]) -> str:
    """Return what was done, as `view.done_message` reads it back."""
    return f"{verb}.{len(ids)}" + (f".{ids[0]}" if len(ids) == 1 else "")


def prediction_words(entry: Entry, fmt: Formatter) -> dict[str, str] | None:
    """Return a decision's prediction in words, None when there is none."""
    found = entry.predicted
    if found is None:
        return None
    unit = unit_of(str(found["metric"]))
    level = round(float(found.get("level") or 0.8) * 100)
    return {
        "metric": title_of(str(found["metric"])),
        "value": fmt.value(found["value"], unit),
        "low": fmt.value(found["low"], unit),
        "high": fmt.value(found["high"], unit),
        "level": f"{level} in 100",
    }


def prediction_chart(entry: Entry, fmt: Formatter) -> str:
    """Return the prediction as a dot with its interval."""
    found = entry.predicted
    if found is None:
        return ""
    unit = unit_of(str(found["metric"]))
    row = Interval(
        label="",
        value=float(found["value"]),
        low=float(found["low"]),
        high=float(found["high"]),
    )
    return interval_chart(
        title=f"Prediction of {kind_title(entry.kind)} with its interval",
        rows=[row],
        format_value=lambda v: fmt.value(v, unit if unit != "units" else ""),
        width=340,
    )
