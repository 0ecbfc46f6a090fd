"""`GET /v1/recommendations`: one answer, logged as a decision before it is given."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

from fastapi import APIRouter, Depends, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.responses import Response

from cartwheel.api.access import by_key
from cartwheel.api.answering import Answering
from cartwheel.api.events import Id
from cartwheel.api.serving import LEVER, Served, make_decision_id
from cartwheel.inbox_rows import Row
from cartwheel.levers.base import Request as Question
from cartwheel.measure.assign import looker_held_out

if TYPE_CHECKING:
    from cartwheel.channels.storefront import Card, Cards
    from cartwheel.levers.base import Model
    from cartwheel.measure.experiment.trial import InForce
    from cartwheel.settings import Holdout

router = APIRouter(tags=["recommendations"])


class Asked(BaseModel):
    """What every question of a storefront page may say."""

    model_config = ConfigDict(extra="forbid")

    customer: Id | None = Field(None, description="Customer id, if signed in.")
    visitor: Id | None = Field(None, description="Device or session id.")
    context: list[Annotated[str, Field(max_length=2000)]] = Field(
        default_factory=list,
        max_length=50,
        description=(
            "Product ids of this visit, oldest first; repeated, or one value with "
            "commas between them."
        ),
    )
    exclude: list[Annotated[str, Field(max_length=8000)]] = Field(
        default_factory=list,
        max_length=200,
        description=(
            "Product ids the page cannot show: sold out a minute ago, or on it "
            "already; in the same form."
        ),
    )
    cards: bool = Field(
        False, description="Give what a page shows of each product with it."
    )
    key: str | None = Field(
        None, description="API key, when no header can be sent.", max_length=200
    )


class Wanted(Asked):
    """What to recommend, for whom."""

    placement: Literal[
        "home", "category", "product", "goes_with", "cart", "thanks", "email"
    ] = Field(description="Where on the storefront.")
    limit: int = Field(10, ge=1, le=50, description="Slots to fill.")
    category: Annotated[str, Field(max_length=500)] | None = Field(
        None, description="Category path, for the placement category."
    )


class CardShape(BaseModel):
    """What a page shows of a product."""

    model_config = ConfigDict(extra="forbid")

    title: str
    url: str | None = Field(description="Address of its page.")
    image_url: str | None = Field(description="Address of its picture.")
    category: str | None
    brand: str | None
    price_minor: int | None = Field(description="Lowest price of its variants.")
    from_price: bool = Field(description="Its variants have several prices.")
    currency: str
    available: bool = Field(description="Not known to be sold out.")


class Item(BaseModel):
    """One filled slot."""

    model_config = ConfigDict(extra="forbid")

    product_id: str
    position: int = Field(description="Slot, from 1.")
    propensity: float = Field(
        description="Probability of this product here, given the slots before."
    )
    reason: str = Field(description="Why, for people.")
    card: CardShape | None = Field(
        None, description="Only when asked for, and the turn knows the product."
    )


class Recommendations(BaseModel):
    """A slate and the decision behind it."""

    model_config = ConfigDict(extra="forbid")

    decision: str | None = Field(
        description="Send it with exposures and clicks; null when it was not logged."
    )
    logged: bool = Field(description="The decision is kept.")
    turn: int | None = Field(description="Published turn that answered.")
    placement: str
    arm: Literal["treated", "holdout", "fallback"]
    rule: str = Field(description="Method that answered.")
    items: list[Item]


Shape = TypeVar("Shape", bound=BaseModel)


def read_wanted(
    request: Request,
    shape: type[Shape],
    lists: tuple[str, ...] = ("context", "exclude"),
) -> Shape:
    """Read and check the query.

    By hand, since FastAPI's own reading of a query into a model takes longer than
    finding the answer.

    Args:
        request: The request.
        shape: What it should hold.
        lists: Parameters that may be repeated.

    Raises:
        RequestValidationError: Naming each parameter that does not fit.
    """
    query = request.query_params
    values: dict[str, Any] = dict(query)
    for name in lists:
        if name in values:
            values[name] = query.getlist(name)
    try:
        return shape.model_validate(values)
    except ValidationError as error:
        found = [
            {**one, "loc": ("query", *one["loc"])}
            for one in error.errors(include_url=False)
        ]
        raise RequestValidationError(found) from None


def describe_wanted(wanted: type[BaseModel]) -> list[dict[str, Any]]:
    """Return the query's parameters as OpenAPI describes them."""
    shape = wanted.model_json_schema()
    return [
        {
            "name": name,
            "in": "query",
            "required": name in shape.get("required", ()),
            "description": schema.get("description", ""),
            "schema": schema,
        }
        for name, schema in shape["properties"].items()
    ]


@router.get(
    "/v1/recommendations",
    summary="Ask for recommendations",
    response_model=Recommendations,
    openapi_extra={"parameters": describe_wanted(Wanted)},
)
async def get_recommendations(
    request: Request,
    _key: Annotated[Any, Depends(by_key("recommendations:read", in_query=True))],
) -> Response:
    """Answer from the newest published turn.

    Customers of the holdout get the untouched rule, signed in or on a device known to
    be theirs. When there is no model, or it fails or is too slow, the fallback answers;
    when the database is down the answer still comes, with logged false.
    """
    wanted = read_wanted(request, Wanted)
    question = make_question(
        wanted,
        model=request.app.state.serving.model,
        trials=request.app.state.serving.trials,
        holdout=request.app.state.shop.settings.holdout,
    )
    decision_id = make_decision_id()
    answering: Answering = request.app.state.answering
    served, logged = await answering.answer(
        question,
        decision_id,
        lambda served: answer_row(decision_id, question, served),
    )
    published = request.app.state.serving.published
    show = wanted.cards and published is not None and published.cards
    return answer_json(
        wanted.placement,
        decision_id if logged else None,
        served,
        cards=show or None,
        currency=request.app.state.shop.settings.currency,
    )


def card_json(card: Card, currency: str) -> dict[str, Any]:
    """Return a card in the shape of `CardShape`."""
    return {
        "title": card.title,
        "url": card.url,
        "image_url": card.image_url,
        "category": card.category,
        "brand": card.brand,
        "price_minor": card.price_minor,
        "from_price": card.from_price,
        "currency": currency,
        "available": card.available,
    }


def answer_json(
    placement: str,
    decision: str | None,
    served: Served,
    *,
    cards: Cards | None = None,
    currency: str = "",
) -> Response:
    """Return the answer in the shape of `Recommendations`.

    It is written out directly: validating our own values again would cost more than
    finding them. A test holds the two shapes equal.
    """
    body = {
        "decision": decision,
        "logged": decision is not None,
        "turn": served.turn,
        "placement": placement,
        "arm": served.arm,
        "rule": served.answer.rule,
        "items": items_json(served, cards=cards, currency=currency),
    }
    return Response(
        json.dumps(body, ensure_ascii=False, separators=(",", ":")),
        media_type="application/json",
    )


def items_json(
    served: Served, *, cards: Cards | None, currency: str, first: int = 1
) -> list[dict[str, Any]]:
    """Return the filled slots in the shape of `Item`.

    Args:
        served: The answer.
        cards: What to show of each product, or None for no cards.
        currency: Currency of the cards' prices.
        first: Position of the first slot.
    """
    items: list[dict[str, Any]] = [
        {
            "product_id": slot.product_id,
            "position": number,
            "propensity": slot.propensity,
            "reason": slot.reason,
            "card": None,
        }
        for number, slot in enumerate(served.answer.slots, first)
    ]
    if cards is not None:
        for item in items:
            found = cards.find(item["product_id"])
            item["card"] = None if found is None else card_json(found, currency)
    return items


def make_question(
    wanted: Wanted,
    *,
    model: Model | None,
    holdout: Holdout,
    trials: InForce | None = None,
) -> Question:
    """Return the lever's request; who looks is assigned by the stable hash."""
    return Question(
        placement=wanted.placement,
        customer=wanted.customer,
        visitor=wanted.visitor,
        context=split_ids(wanted.context)[-50:],
        limit=wanted.limit,
        excluded=frozenset(split_ids(wanted.exclude)),
        category=wanted.category,
        holdout=looker_held_out(
            wanted.customer,
            wanted.visitor,
            model=model,
            holdout=holdout,
            trials=trials,
        ),
    )


def answer_row(
    decision_id: str, question: Question, served: Served, lever: str = LEVER
) -> Row:
    """Return an answer as a row of the inbox, in the columns of `answers`."""
    told = {"arm": served.option_arm} if served.option_arm else {}
    slate: list[dict[str, Any]] = [
        {"product_id": slot.product_id, "propensity": slot.propensity, **told}
        for slot in served.answer.slots
    ]
    for said, team in zip(slate, served.teams, strict=False):  # none where not shared
        said["team"] = team
    columns = {
        "decision_id": decision_id,
        "answered_at": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "lever": lever,
        "turn": served.turn,
        "placement": question.placement,
        "customer_id": question.customer,
        "visitor_id": question.visitor,
        "arm": served.arm,
        "eligible_hash": served.answer.eligible_hash or None,
        "slate": json.dumps(slate, separators=(",", ":")),
    }
    known = {name: value for name, value in columns.items() if value is not None}
    body = json.dumps(known, sort_keys=True, separators=(",", ":"))
    return Row(kind="answers", id=decision_id, body=body)


def split_ids(given: list[str]) -> tuple[str, ...]:
    """Return ids given one by one, or in one value with commas between them."""
    values = given[0].split(",") if len(given) == 1 else given
    return tuple(value.strip() for value in values if value.strip())
