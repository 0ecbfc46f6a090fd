"""Voice: what customers object to, in their words, and how it is to be read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from cartwheel.api.security import User, owner, viewer
from cartwheel.channels.pages import KIND as PAGE_FIX
from cartwheel.console.published import read_page, read_published
from cartwheel.console.view import back, page, shop_of
from cartwheel.errors import CartwheelError
from cartwheel.ledger.entry import DecisionState
from cartwheel.ledger.store import list_decisions
from cartwheel.text.objections.classes import CLASSES
from cartwheel.text.objections.corrections import (
    LONGEST_TITLE,
    LONGEST_WORDS,
    MOST_WORDS,
    standing,
)
from cartwheel.voice_desk import (
    MOST_OWN,
    MOST_SPLITS,
    Place,
    Shown,
    add_correction,
    describe_record,
    find_fresh,
    find_own,
    find_place,
    read_record,
    take_back,
)

NAME, PATH = "voice", "/voice"
SHOWN_BACK = 50
LONGEST_TYPED = 2_000
FIX_STATES = (DecisionState.PROPOSED, DecisionState.APPROVED, DecisionState.APPLIED)
SOURCE_WORDS = {
    "review": "Review",
    "message": "Message",
    "question": "Question",
    "survey": "Survey",
}

router = APIRouter()


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """What did not fit of a form, and what was typed."""

    message: str = ""
    typed: Mapping[str, str] = field(default_factory=dict)


@router.get(PATH)
def voice(request: Request, user: Annotated[User, Depends(viewer)]) -> HTMLResponse:
    """Show themes by money at stake, what was corrected and what was learned."""
    found = _published(request)
    rows = read_record(shop_of(request).database)
    in_force, ended = describe_record(rows, found)
    stands = standing(rows)
    values = {
        "found": found,
        "classes": CLASSES,
        "judged": {
            one["key"]
            for one in found.get("fresh", ())
            if stands.told_of(one["words"]) is not None
        },
        "in_force": in_force,
        "ended": ended[:SHOWN_BACK],
    }
    return page(request, "voice.html", values)


@router.get(PATH + "/new/{key}")
def fresh(
    request: Request, key: str, user: Annotated[User, Depends(viewer)]
) -> HTMLResponse:
    """Show a new theme, which fits no class, with what was said."""
    return _fresh_page(request, find_fresh(_published(request), key), Trouble())


@router.post(PATH + "/new/{key}")
async def judge(
    request: Request, key: str, user: Annotated[User, Depends(owner)]
) -> Response:
    """Keep what is said of a new theme, or say beside the form what does not fit."""
    typed = await _typed(request)
    found = find_fresh(_published(request), key)
    try:
        add_correction(shop_of(request).database, typed, Shown(fresh=found), user.name)
    except CartwheelError as wrong:
        trouble = Trouble(message=str(wrong), typed=typed)
        return _fresh_page(request, found, trouble)
    return back(PATH + "#new", "correct")


@router.get(PATH + "/own/{name}")
def own(
    request: Request, name: str, user: Annotated[User, Depends(viewer)]
) -> HTMLResponse:
    """Show a theme of the shop's own that stands beneath no class."""
    values = {
        "theme": find_own(_published(request), name),
        "sources": SOURCE_WORDS,
        "corrected": {},
    }
    return page(request, "voice_own.html", values)


@router.get(PATH + "/{objection}")
def theme(
    request: Request,
    objection: str,
    user: Annotated[User, Depends(viewer)],
    product: str | None = None,
    split: str | None = None,
) -> HTMLResponse:
    """Show a theme's products, or what was said of one product or a split."""
    return _theme_page(request, _place(request, objection, product, split), Trouble())


@router.post(PATH + "/{objection}")
async def correct(
    request: Request, objection: str, user: Annotated[User, Depends(owner)]
) -> Response:
    """Keep a correction, or say beside the form what does not fit."""
    typed = await _typed(request)
    place = _place(request, objection, typed.get("product"), typed.get("split"))
    try:
        add_correction(shop_of(request).database, typed, place.shown, user.name)
    except CartwheelError as wrong:
        return _theme_page(request, place, Trouble(message=str(wrong), typed=typed))
    return back(typed.get("next", PATH), "correct")


@router.post(PATH + "/corrections/{name}/take-back")
def take_correction_back(
    request: Request, name: str, user: Annotated[User, Depends(owner)]
) -> RedirectResponse:
    """Take a correction back."""
    take_back(shop_of(request).database, name, user.name)
    return back(PATH + "#corrections", "uncorrect")


async def _typed(request: Request) -> dict[str, str]:
    form = await request.form(max_fields=20)
    return {
        name: value[:LONGEST_TYPED]
        for name, value in form.items()
        if isinstance(value, str)
    }


def _published(request: Request) -> dict[str, Any]:
    engine = shop_of(request).database
    return read_page(engine, read_published(engine).turn, NAME) or {}


def _place(
    request: Request, objection: str, product: str | None, split: str | None
) -> Place:
    return find_place(_published(request), objection, product, split)


def _theme_page(request: Request, place: Place, trouble: Trouble) -> HTMLResponse:
    engine = shop_of(request).database
    stands = standing(read_record(engine))
    name = str(place.theme["objection"])
    corrected = {
        key: CLASSES.get(instead, "")
        for (key, objection), instead in stands.sentences.items()
        if objection == name
    }
    beneath = [one for one in stands.splits if one.objection == name]
    values = {
        "place": place,
        "theme": place.theme,
        "fixes": {} if place.product is None else _fixes(request, place.product),
        "others": {code: title for code, title in CLASSES.items() if code != name},
        "corrected": corrected,
        "merged": CLASSES.get(stands.merged.get(name, ""), ""),
        "new_splits": [
            one
            for one in beneath
            if one.correction_id
            not in {split["correction_id"] for split in place.theme["splits"]}
        ],
        "may_split": len(beneath) < MOST_SPLITS,
        "limits": (LONGEST_TITLE, MOST_WORDS, LONGEST_WORDS),
        "sources": SOURCE_WORDS,
        "trouble": trouble,
    }
    status = 422 if trouble.message else 200
    return page(request, "voice_theme.html", values, status=status)


def _fresh_page(
    request: Request, found: Mapping[str, Any], trouble: Trouble
) -> HTMLResponse:
    stands = standing(read_record(shop_of(request).database))
    values = {
        "theme": found,
        "said_already": stands.told_of(found["words"]) is not None,
        "classes": CLASSES,
        "may_own": len(stands.own) < MOST_OWN,
        "longest_title": LONGEST_TITLE,
        "sources": SOURCE_WORDS,
        "corrected": {},
        "trouble": trouble,
    }
    status = 422 if trouble.message else 200
    return page(request, "voice_new.html", values, status=status)


def _fixes(request: Request, product: Mapping[str, Any]) -> list[Any]:
    """Return page fixes of a product that are proposed or in force."""
    engine = shop_of(request).database
    subject = f"product:{product['product_id']}"
    return [
        entry
        for state in FIX_STATES
        for entry in list_decisions(
            engine, kind=PAGE_FIX, state=state.value, subject=subject, limit=5
        )
    ]
