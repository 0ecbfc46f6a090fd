"""`GET /v1/search` and `GET /v1/suggest`: what a shopper looks for, in words."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Annotated, Any, Literal

import structlog
from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from cartwheel.api.access import by_key
from cartwheel.api.answering import ANSWER_SECONDS, Answering
from cartwheel.api.recommendations import (
    Asked,
    CardShape,
    Item,
    answer_row,
    card_json,
    describe_wanted,
    items_json,
    read_wanted,
    split_ids,
)
from cartwheel.api.serving import SEARCH, Served, Serving, make_decision_id
from cartwheel.levers.base import Request as Question
from cartwheel.levers.base import SuggestingLever
from cartwheel.levers.recommend.reader import remembered
from cartwheel.measure.assign import looker_held_out

if TYPE_CHECKING:
    from cartwheel.api.serving import Published
    from cartwheel.channels.storefront import Cards
    from cartwheel.levers.base import Model

router = APIRouter(tags=["search"])
log = structlog.get_logger("cartwheel.api")

LONGEST = 10_000
"""Characters of the longest query that is accepted."""

FARTHEST = 10_000
"""Slots before the last page that can be asked for."""

Pair = Annotated[str, Field(max_length=600, pattern="^[^:]{1,100}:")]
"""A facet and a value, as name:value."""


class Looked(Asked):
    """What is looked for, and by whom."""

    q: str = Field(
        "",
        max_length=LONGEST,
        description="What was typed; empty lists what can be bought, popular first.",
    )
    limit: int = Field(20, ge=1, le=100, description="Slots to fill.")
    offset: int = Field(
        0, ge=0, le=FARTHEST, description="Slots to leave out, for later pages."
    )
    filter: list[Pair] = Field(
        default_factory=list,
        max_length=50,
        description=(
            "Facet and value, as name:value; repeated. Values of one facet are "
            "alternatives. Prices are ranges in minor units: price:1000-2999."
        ),
    )


class Chip(BaseModel):
    """Something that narrows the result, with what to ask to be without it."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(description="Facet: price, category, brand or an attribute.")
    value: str = Field(description="Its value, as a filter writes it.")
    query: str = Field(description="Query to ask instead.")
    filters: list[str] = Field(description="Filters to send instead, as name:value.")


class FacetValue(BaseModel):
    """One value of a facet."""

    model_config = ConfigDict(extra="forbid")

    value: str = Field(description="As a filter writes it.")
    label: str = Field(description="For people; empty for price ranges.")
    count: int = Field(description="Products of the result that have it.")
    selected: bool


class Facet(BaseModel):
    """What the result can be narrowed by."""

    model_config = ConfigDict(extra="forbid")

    name: str
    values: list[FacetValue]


class SearchResult(BaseModel):
    """A page of a search's result and the decision behind it."""

    model_config = ConfigDict(extra="forbid")

    decision: str | None = Field(
        description="Send it with exposures and clicks; null when it was not logged."
    )
    logged: bool = Field(description="The decision is kept.")
    turn: int | None = Field(description="Published turn that answered.")
    arm: Literal["treated", "holdout", "fallback"]
    rule: str = Field(description="Method that answered.")
    query: str = Field(description="The query as it was read.")
    corrected: str | None = Field(description="With its slips mended, if there were.")
    chips: list[Chip]
    relaxed: list[str] = Field(
        description="Words and constraints given up, since no product had them all."
    )
    items: list[Item]
    total: int = Field(description="Products found, on all pages.")
    facets: list[Facet]


class Typed(BaseModel):
    """What was typed so far."""

    model_config = ConfigDict(extra="forbid")

    q: str = Field("", max_length=LONGEST, description="What was typed so far.")
    limit: int = Field(6, ge=1, le=20, description="Suggestions of each kind.")
    cards: bool = Field(False, description="Give cards of the products.")
    key: str | None = Field(
        None, description="API key, when no header can be sent.", max_length=200
    )


class SuggestedProduct(BaseModel):
    """A product that what was typed may mean."""

    model_config = ConfigDict(extra="forbid")

    product_id: str
    title: str
    card: CardShape | None


class SuggestedCategory(BaseModel):
    """A category with products that what was typed may mean."""

    model_config = ConfigDict(extra="forbid")

    category: str = Field(description="Path, as a filter writes it.")
    label: str
    count: int


class Suggestions(BaseModel):
    """What somebody who types may be about to look for."""

    model_config = ConfigDict(extra="forbid")

    queries: list[str]
    products: list[SuggestedProduct]
    categories: list[SuggestedCategory]


@router.get(
    "/v1/search",
    summary="Search",
    response_model=SearchResult,
    openapi_extra={"parameters": describe_wanted(Looked)},
)
async def get_search(
    request: Request,
    _key: Annotated[Any, Depends(by_key("search:read", in_query=True))],
) -> Response:
    """Answer a search from the newest published turn.

    Customers of the holdout get plain keyword order, signed in or on a device known to
    be theirs. When there is no model, or it fails or is too slow, the result is empty
    and says so; when the database is down it still comes, with logged false.
    """
    looked = read_wanted(request, Looked, ("filter", "context", "exclude"))
    question = make_question(looked, request)
    decision_id = make_decision_id()
    answering: Answering = request.app.state.search_answering
    served, logged = await answering.answer(
        question,
        decision_id,
        lambda served: answer_row(decision_id, question, served, SEARCH),
    )
    return search_json(
        question,
        decision_id if logged else None,
        served,
        cards=_cards(request) if looked.cards else None,
        currency=request.app.state.shop.settings.currency,
    )


def make_question(looked: Looked, request: Request) -> Question:
    """Return the lever's request; who looks is assigned by the stable hash."""
    state = request.app.state
    people: Model | None = state.serving.model  # the recommender's knows them
    held_out = looker_held_out(
        looked.customer,
        looked.visitor,
        model=people,
        holdout=state.shop.settings.holdout,
        trials=state.search_serving.trials,
        lever=SEARCH,
    )
    known: tuple[str, ...] = ()
    if people is not None and not held_out:
        known = remembered(people, looked.customer, looked.visitor)
    filters: dict[str, tuple[str, ...]] = {}
    for pair in looked.filter:
        name, _, value = pair.partition(":")
        filters[name] = (*filters.get(name, ()), value)
    return Question(
        placement=SEARCH,
        customer=looked.customer,
        visitor=looked.visitor,
        context=split_ids(looked.context)[-50:],
        remembered=known,
        limit=looked.limit,
        offset=looked.offset,
        query=looked.q,
        filters=filters,
        excluded=frozenset(split_ids(looked.exclude)),
        holdout=held_out,
    )


def search_json(
    question: Question,
    decision: str | None,
    served: Served,
    *,
    cards: Cards | None,
    currency: str,
) -> Response:
    """Return the answer in the shape of `SearchResult`; a test holds them equal."""
    about = served.answer.about
    body = {
        "decision": decision,
        "logged": decision is not None,
        "turn": served.turn,
        "arm": served.arm,
        "rule": served.answer.rule,
        "query": about.get("query", " ".join(question.query.split())),
        "corrected": about.get("corrected"),
        "chips": about.get("chips", []),
        "relaxed": about.get("relaxed", []),
        "items": items_json(
            served, cards=cards, currency=currency, first=question.offset + 1
        ),
        "total": about.get("total", len(served.answer.slots)),
        "facets": about.get("facets", []),
    }
    return _json(body)


@router.get(
    "/v1/suggest",
    summary="Suggest",
    response_model=Suggestions,
    openapi_extra={"parameters": describe_wanted(Typed)},
)
async def get_suggestions(
    request: Request,
    _key: Annotated[Any, Depends(by_key("search:read", in_query=True))],
) -> Response:
    """Suggest queries, products and categories for what was typed so far.

    Nothing is logged and nobody is told apart: every shopper who types the same is
    suggested the same.
    """
    typed = read_wanted(request, Typed, ())
    serving: Serving = request.app.state.search_serving
    serving.check_soon()
    found = await _suggested(serving.published, typed)
    cards = _cards(request) if typed.cards else None
    currency = request.app.state.shop.settings.currency
    for product in found["products"]:
        card = None if cards is None else cards.find(product["product_id"])
        product["card"] = None if card is None else card_json(card, currency)
    return _json(found)


async def _suggested(published: Published | None, typed: Typed) -> dict[str, Any]:
    nothing: dict[str, Any] = {"queries": [], "products": [], "categories": []}
    if published is None or not isinstance(published.lever, SuggestingLever):
        return nothing
    question = Question(
        placement=SEARCH,
        query=typed.q,
        limit=typed.limit,
        excluded=published.excluded,
    )
    work = asyncio.to_thread(published.lever.suggest, published.model, question)
    try:
        found = await asyncio.wait_for(work, ANSWER_SECONDS)
    except TimeoutError:
        log.warning("lever too slow, nothing suggested", lever=SEARCH)
        return nothing
    except Exception:
        # A lever may be a third party's; a page must not break while somebody types.
        log.exception("lever failed, nothing suggested", lever=SEARCH)
        return nothing
    return {**nothing, **found}


def _cards(request: Request) -> Cards | None:
    """Return the cards of the turn that answers searches."""
    published = request.app.state.search_serving.published
    return published.cards if published is not None else None


def _json(body: dict[str, Any]) -> Response:
    return Response(
        # A lone surrogate in a query is replaced: it cannot be written as UTF-8.
        json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode(
            "utf-8", "replace"
        ),
        media_type="application/json",
    )
