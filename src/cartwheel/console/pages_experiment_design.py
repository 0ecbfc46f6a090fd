"""Designing an experiment: what and on whom, its terms, its cost, and the beginning.

Three pages of plain forms; each carries what was typed on. Nothing is on record before
the cost was shown: the last form names the fingerprint of the terms it was shown for.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import HTMLResponse, Response

from cartwheel.api.security import User, owner
from cartwheel.console.citations import cited
from cartwheel.console.experiment_form import (
    Draft,
    Problems,
    choices,
    field_of,
    links_now,
    metrics_for,
    options_now,
    read_draft,
    settled,
    stops_for,
    terms_of,
)
from cartwheel.console.experiment_words import (
    METRIC_WORDS,
    MODE_WORDS,
    OUTCOME_WORDS,
    PER,
    STOP_WORDS,
    UNIT_WORDS,
    plan_rows,
    term_rows,
)
from cartwheel.console.planning import ask_plan
from cartwheel.console.view import back, formatter_of, page, shop_of
from cartwheel.errors import Conflict, NotFound
from cartwheel.measure.experiment.page_tests import is_page_test
from cartwheel.measure.experiment.store import check_free, create, find, shop_day
from cartwheel.measure.experiment.terms import (
    LONGEST_DAYS,
    MODES,
    Terms,
    WrongTerm,
    check_terms,
)
from cartwheel.wheel import read_cuts

MOST_FIELDS = 60

router = APIRouter()


@router.get("/experiments/new")
def new(
    request: Request, user: Annotated[User, Depends(owner)], choose: str = ""
) -> HTMLResponse:
    """Show the choice of lever and unit, or once they are chosen the other terms."""
    draft = read_draft(request.query_params)
    if choose or draft.unit not in choices().get(draft.lever, ()):
        return _choice_page(request, draft)
    return _terms_page(request, draft, {})


@router.post("/experiments/new")
async def cost(request: Request, user: Annotated[User, Depends(owner)]) -> Response:
    """Show what the test would cost and see; nothing is begun."""
    draft = read_draft(await request.form(max_fields=MOST_FIELDS))
    return await run_in_threadpool(_cost, request, draft)


@router.post("/experiments")
async def begin(request: Request, user: Annotated[User, Depends(owner)]) -> Response:
    """Put the experiment on record, when its cost was shown for these very terms."""
    form = await request.form(max_fields=MOST_FIELDS)
    shown = str(form.get("fingerprint") or "")
    return await run_in_threadpool(_begin, request, read_draft(form), shown, user)


def _cost(request: Request, draft: Draft, note: str = "") -> HTMLResponse:
    shop, fmt = shop_of(request), formatter_of(request)
    today = shop_day(shop.database)
    terms, wrong = terms_of(draft, today=today, minor_digits=fmt.minor_digits)
    if terms is None:
        return _terms_page(request, draft, wrong)
    try:
        check_free(shop.database, terms)
        found = ask_plan(shop, terms, today)
    except (WrongTerm, Conflict) as error:
        return _terms_page(request, draft, _problem(request, terms, error))
    assert found.plan is not None
    detectable = found.plan["detectable"]
    values = {
        "draft": settled(draft, found.terms),
        "terms": found.terms,
        "term_rows": term_rows(found.terms, fmt),
        "plan": found.plan,
        "figures": plan_rows(found.terms, found.plan, fmt),
        "enough": detectable is not None and detectable <= found.terms.wanted,
        "asked_days": terms.days,
        "note": note,
        "tried": cited(shop.database, terms.lever, fmt),
        "outcome_words": OUTCOME_WORDS,
    }
    return page(request, "experiment_cost.html", values)


def _begin(request: Request, draft: Draft, shown: str, user: User) -> Response:
    shop, fmt = shop_of(request), formatter_of(request)
    today = shop_day(shop.database)
    terms, wrong = terms_of(draft, today=today, minor_digits=fmt.minor_digits)
    if terms is None:
        return _terms_page(request, draft, wrong)
    try:
        agreed = _as_agreed(request, terms, today)
        if agreed.fingerprint != shown:
            note = "What you are asked to begin is not what was shown; look again."
            return _cost(request, draft, note)
        create(shop.database, agreed, actor=user.name)
    except (WrongTerm, Conflict) as error:
        return _terms_page(request, draft, _problem(request, terms, error))
    return back(f"/experiments/{agreed.name}", "begin")


def _as_agreed(request: Request, terms: Terms, today: date) -> Terms:
    """Return terms fitted, with products enrolled where they take turns."""
    if terms.unit == "product-week" or (
        is_page_test(terms) and terms.unit == "visitor"
    ):
        # Only the lake knows the products, and this process does not open it.
        return ask_plan(shop_of(request), terms, today, plan=False).terms
    return check_terms(terms, levers=choices(), today=today)


def _problem(request: Request, terms: Terms, error: WrongTerm | Conflict) -> Problems:
    """Return an error beside the field it is about."""
    if isinstance(error, WrongTerm):
        return {field_of(error.term): str(error)}
    try:
        find(shop_of(request).database, terms.name)
    except NotFound:
        return {"starts_on": str(error)}
    return {"name": str(error)}


def _choice_page(request: Request, draft: Draft) -> HTMLResponse:
    values: dict[str, Any] = {
        "draft": draft,
        "choices": choices(),
        "unit_words": UNIT_WORDS,
    }
    return page(request, "experiment_choice.html", values)


def _terms_page(request: Request, draft: Draft, wrong: Problems) -> HTMLResponse:
    """Show the form; a lever or unit that does not fit leads back to the choice."""
    if draft.unit not in choices().get(draft.lever, ()):
        return _choice_page(request, draft)
    shop, fmt = shop_of(request), formatter_of(request)
    metrics = metrics_for(draft.unit)
    if draft.metric not in metrics and "metric" not in wrong:
        draft = replace(draft, metric=metrics[0])
    values: dict[str, Any] = {
        "draft": draft,
        "wrong": wrong,
        "options": options_now(draft.lever, shop.settings.levers),
        "links": links_now(draft.lever, read_cuts(shop.database)),
        "unit_words": UNIT_WORDS,
        "metrics": metrics,
        "metric_words": METRIC_WORDS,
        "stops": stops_for(draft.unit),
        "stop_words": STOP_WORDS,
        "modes": MODES,
        "mode_words": MODE_WORDS,
        "per": PER[draft.unit],
        "longest_days": LONGEST_DAYS,
        "today": shop_day(shop.database).isoformat(),
        "tried": cited(shop.database, draft.lever, fmt),
        "outcome_words": OUTCOME_WORDS,
    }
    status = 400 if wrong else 200
    return page(request, "experiment_terms.html", values, status=status)
