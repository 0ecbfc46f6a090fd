"""Merchandising: try a page, see why each product is there, pin, boost, exclude.

What is tried here is asked of the published model just as the storefront asks, but it
is neither logged nor counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from cartwheel.api.security import User, owner, viewer
from cartwheel.api.serving import SEARCH, Published, Serving, preview
from cartwheel.channels.storefront import Cards
from cartwheel.console.view import back, page, shop_of
from cartwheel.errors import Misuse
from cartwheel.merchandising import (
    LARGEST_FACTOR,
    LAST_POSITION,
    PLACES,
    SMALLEST_FACTOR,
    ShopRule,
    add_rule,
    check_rule,
    end_rule,
    ended_rules,
    rules_in_force,
    today_in,
)

PATH = "/merchandising"
SLOTS = 10

PLACE_WORDS = {
    "": "Every placement",
    "home": "Home page",
    "category": "Category page",
    "product": "Product page, similar",
    "goes_with": "Product page, goes with",
    "cart": "Cart",
    "thanks": "After the purchase",
    "search": "Search",
}
KIND_WORDS = {"pin": "Pin to a slot", "boost": "Boost", "exclude": "Exclude"}

router = APIRouter()


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """What is tried: a question as typed."""

    placement: str = "home"
    customer: str = ""
    context: str = ""
    category: str = ""
    query: str = ""

    @property
    def seen(self) -> tuple[str, ...]:
        """Products of the visit, oldest first."""
        names = [name.strip() for name in self.context.split(",")]
        return tuple(name for name in names if name)[-50:]


@router.get(PATH)
def merchandising(
    request: Request, user: Annotated[User, Depends(viewer)]
) -> HTMLResponse:
    """Show the rules in force, and a tried page with and without a drafted rule."""
    return _page(request, request.query_params)


@router.post(PATH)
async def add(request: Request, user: Annotated[User, Depends(owner)]) -> Response:
    """Put a rule in force, or say beside the form what does not fit."""
    typed = await request.form(max_fields=40)
    engine = shop_of(request).database
    try:
        draft = read_rule(typed)
        _check_product(draft, _published(request))
        add_rule(engine, draft, user.name)
    except Misuse as wrong:
        return _page(request, typed, problem=str(wrong))
    _act_now(request)
    return back(PATH, "rule")


@router.post(PATH + "/{number}/end")
def end(
    request: Request, number: int, user: Annotated[User, Depends(owner)]
) -> RedirectResponse:
    """End a rule."""
    end_rule(shop_of(request).database, number, user.name)
    _act_now(request)
    return back(PATH, "unrule")


def read_rule(typed: Mapping[str, Any]) -> ShopRule:
    """Return the rule somebody typed, checked.

    Raises:
        Misuse: If a value does not fit.
    """
    kind = _text(typed, "kind")
    return check_rule(
        ShopRule(
            kind=kind,
            product_id=_text(typed, "product"),
            placement=_text(typed, "where"),
            category=_text(typed, "rule_category") or None,
            query=_text(typed, "rule_query") or None,
            position=_number(typed, "position", int) if kind == "pin" else None,
            factor=_number(typed, "factor", float) if kind == "boost" else None,
            until=_text(typed, "until") or None,
        )
    )


def slate_rows(
    published: Published, tried: Tried, rules: Iterable[ShopRule]
) -> list[dict[str, Any]]:
    """Return what a page would show, a row a slot.

    Args:
        published: What answers now.
        tried: The question as typed.
        rules: The merchant's rules.
    """
    served = preview(
        published,
        placement=tried.placement,
        customer=tried.customer or None,
        context=tried.seen,
        category=tried.category or None,
        query=tried.query,
        limit=SLOTS,
        rules=rules,
    )
    rows = []
    for position, slot in enumerate(served.answer.slots, 1):
        card = (
            None if published.cards is None else published.cards.find(slot.product_id)
        )
        rows.append(
            {
                "position": position,
                "product_id": slot.product_id,
                "title": card.title if card else slot.product_id,
                "price_minor": card.price_minor if card else None,
                "reason": slot.reason,
                "chance": slot.propensity,
            }
        )
    return rows


def _page(
    request: Request, typed: Mapping[str, Any], problem: str = ""
) -> HTMLResponse:
    engine = shop_of(request).database
    tried = _read_tried(typed)
    published = _serving(request, tried.placement).published
    today = today_in(shop_of(request).settings.timezone)
    rules = rules_in_force(engine, today)
    draft, problem = _draft(typed, _published(request), problem)
    before: list[dict[str, Any]] = []
    after: list[dict[str, Any]] = []
    failed = ""
    if published is not None:
        try:
            before = slate_rows(published, tried, rules)
            if draft is not None:
                after = slate_rows(published, tried, (*rules, draft))
        except Exception as error:  # a lever may be a third party's
            failed = f"The lever failed on this question: {type(error).__name__}."
    known = _published(request)
    cards = None if known is None else known.cards
    values = {
        "tried": tried,
        "places": {name: PLACE_WORDS[name] for name in _answered(request)},
        "rule_places": PLACE_WORDS,
        "kinds": KIND_WORDS,
        "typed": {name: str(typed.get(name) or "") for name in FIELDS},
        "choices": _choices(typed, cards),
        "before": before,
        "after": after,
        "moves": _moves(before, after),
        "draft": draft,
        "problem": problem or failed,
        "rules": [_rule_row(rule, cards) for rule in reversed(rules)],
        "ended": [_rule_row(rule, cards) for rule in ended_rules(engine)],
        "bounds": (SMALLEST_FACTOR, LARGEST_FACTOR, LAST_POSITION),
        "answers": known is not None,
    }
    return page(request, "merchandising.html", values, status=422 if problem else 200)


FIELDS = (
    *("kind", "product", "where", "rule_category", "rule_query"),
    *("position", "factor", "until"),
)
"""Fields of the form for a rule."""


def _draft(
    typed: Mapping[str, Any], published: Published | None, problem: str
) -> tuple[ShopRule | None, str]:
    """Return the rule being drafted, or what is wrong with it."""
    if problem or not _text(typed, "product") or not _text(typed, "kind"):
        return None, problem
    try:
        draft = read_rule(typed)
        _check_product(draft, published)
    except Misuse as wrong:
        return None, str(wrong)
    return draft, ""


def _check_product(rule: ShopRule, published: Published | None) -> None:
    cards = None if published is None else published.cards
    if cards is not None and cards.find(rule.product_id) is None:
        raise Misuse(
            f"The published turn knows no product {rule.product_id[:80]!r}.",
            "Use a product's id; the ones whose title fits are listed under the field.",
        )


def _choices(typed: Mapping[str, Any], cards: Cards | None) -> list[tuple[str, str]]:
    words = _text(typed, "product")
    if cards is None or not words or cards.find(words) is not None:
        return []
    return cards.like(words)


def _moves(before: list[dict[str, Any]], after: list[dict[str, Any]]) -> dict[str, str]:
    """Return how each product of the drafted page moved, in words."""
    was = {row["product_id"]: row["position"] for row in before}
    moved = {}
    for row in after:
        old = was.get(row["product_id"])
        if old is None:
            moved[row["product_id"]] = "new here"
        elif old != row["position"]:
            moved[row["product_id"]] = f"was {old}"
    return moved


def _rule_row(rule: ShopRule, cards: Cards | None) -> dict[str, Any]:
    card = None if cards is None else cards.find(rule.product_id)
    where = [PLACE_WORDS.get(rule.placement, rule.placement)]
    where += [f"category {rule.category}"] if rule.category else []
    where += [f"search “{rule.query}”"] if rule.query else []
    what = {
        "pin": f"Pinned to slot {rule.position}",
        "boost": f"Score times {rule.factor:g}" if rule.factor else "",
        "exclude": "Not shown",
    }[rule.kind]
    return {
        "number": rule.number,
        "title": card.title if card else rule.product_id,
        "product_id": rule.product_id,
        "what": what,
        "where": ", ".join(where),
        "until": rule.until,
        "made_by": rule.made_by,
        "made_at": rule.made_at,
        "ended_by": rule.ended_by,
        "ended_at": rule.ended_at,
    }


def _read_tried(typed: Mapping[str, Any]) -> Tried:
    named = {name: _text(typed, name) for name in Tried.__dataclass_fields__}
    tried = Tried(**named)
    known = tried.placement in PLACE_WORDS and tried.placement
    return tried if known else replace(tried, placement="home")


def _answered(request: Request) -> list[str]:
    """Return the placements that can be tried."""
    searches = _serving(request, SEARCH).published is not None
    return [name for name in PLACES if name and (name != SEARCH or searches)]


def _text(typed: Mapping[str, Any], name: str) -> str:
    value = typed.get(name)
    return value.strip()[:500] if isinstance(value, str) else ""


def _number(typed: Mapping[str, Any], name: str, kind: type) -> Any:
    text = _text(typed, name)
    try:
        return kind(text)
    except ValueError:
        raise Misuse(
            f"{name.capitalize()} is {text[:50]!r}.", "Give a number, such as 2."
        ) from None


def _serving(request: Request, placement: str = "") -> Serving:
    state = request.app.state
    found: Serving = state.search_serving if placement == SEARCH else state.serving
    return found


def _act_now(request: Request) -> None:
    """Let this process see a changed rule at once; others do within a second."""
    for placement in ("", SEARCH):
        _serving(request, placement).check()


def _published(request: Request) -> Published | None:
    return _serving(request).published
