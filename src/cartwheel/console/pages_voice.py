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
from cartwheel.console.voice_desk import (
    MOST_SPLITS,
    Shown,
    add_correction,
    describe_record,
    read_record,
    take_back,
)
from cartwheel.errors import CartwheelError, NotFound
from cartwheel.ledger.entry import DecisionState
from cartwheel.ledger.store import list_decisions
from cartwheel.text.objections.classes import CLASSES
from cartwheel.text.objections.corrections import (
    LONGEST_TITLE,
    LONGEST_WORDS,
    MOST_WORDS,
    standing,
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
class Place:
    """Where on the page somebody is.

    Attributes:
        theme: What the turn published of the theme.
        product: What it published of one product of it, None for all of them.
        split: The theme of its own beneath it that is looked at, None for none.
    """

    theme: Mapping[str, Any]
    product: Mapping[str, Any] | None = None
    split: Mapping[str, Any] | None = None

    @property
    def quotes(self) -> list[Mapping[str, Any]]:
        """Quotes that are shown here together: of one product."""
        return [] if self.product is None else list(self.product["quotes"])

    @property
    def shown(self) -> Shown:
        """The sentences that can be corrected here."""
        keys = tuple(dict.fromkeys(str(one["key"]) for one in self.quotes))
        return Shown(objection=str(self.theme["objection"]), keys=keys)


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
    values = {
        "found": found,
        "classes": CLASSES,
        "in_force": in_force,
        "ended": ended[:SHOWN_BACK],
    }
    return page(request, "voice.html", values)


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
    form = await request.form(max_fields=20)
    typed = {
        name: value[:LONGEST_TYPED]
        for name, value in form.items()
        if isinstance(value, str)
    }
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


def _published(request: Request) -> dict[str, Any]:
    engine = shop_of(request).database
    return read_page(engine, read_published(engine).turn, NAME) or {}


def _place(
    request: Request, objection: str, product: str | None, split: str | None
) -> Place:
    """Return a place of what the turn in force published.

    Raises:
        NotFound: If nobody said such a thing.
    """

    def named(rows: Any, key: str, name: str) -> Mapping[str, Any]:
        found = next((one for one in rows if one[key] == name), None)
        if found is None:
            raise NotFound(
                f"The published turn tells nothing of {name[:80]!r} here.",
                "See the themes on the page Voice.",
            )
        return dict(found)

    found = named(_published(request).get("themes", ()), "objection", objection)
    beneath = named(found["splits"], "correction_id", split) if split else None
    if product is None:
        return Place(theme=found, split=beneath)
    products = (beneath or found)["products"]
    one = named(products, "product_id", product)
    return Place(theme=found, product=one, split=beneath)


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
