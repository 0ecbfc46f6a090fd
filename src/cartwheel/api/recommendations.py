"""`GET /v1/recommendations`: one answer, logged as a decision before it is given."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal

import structlog
from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from cartwheel.api.access import by_key
from cartwheel.api.errors import Refused
from cartwheel.api.events import Id
from cartwheel.api.inbox_writer import InboxWriter, Row
from cartwheel.api.serving import LEVER, Served, Serving, make_decision_id
from cartwheel.levers.base import Request as Question
from cartwheel.measure.assign import in_holdout

if TYPE_CHECKING:
    from cartwheel.shop import Shop

LOG_SECONDS = 0.25
"""Longest an answer waits for its log entry; after that it leaves unlogged."""

log = structlog.get_logger("cartwheel.api")
router = APIRouter(tags=["recommendations"])


class Wanted(BaseModel):
    """What to recommend, for whom."""

    model_config = ConfigDict(extra="forbid")

    placement: Literal["home", "product", "cart", "email"] = Field(
        description="Where on the storefront."
    )
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
    limit: int = Field(10, ge=1, le=50, description="Slots to fill.")
    key: str | None = Field(
        None, description="API key, when no header can be sent.", max_length=200
    )


class Item(BaseModel):
    """One filled slot."""

    model_config = ConfigDict(extra="forbid")

    product_id: str
    position: int = Field(description="Slot, from 1.")
    propensity: float = Field(
        description="Probability of this product here, given the slots before."
    )
    reason: str = Field(description="Why, for people.")


class Recommendations(BaseModel):
    """A slate and the decision behind it."""

    model_config = ConfigDict(extra="forbid")

    decision: str | None = Field(
        description="Send it with exposures and clicks; null when it was not logged."
    )
    logged: bool = Field(description="The decision is on disk.")
    turn: int | None = Field(description="Published turn that answered.")
    placement: str
    arm: Literal["treated", "holdout", "fallback"]
    rule: str = Field(description="Method that answered.")
    items: list[Item]


@router.get(
    "/v1/recommendations",
    summary="Ask for recommendations",
    response_model=Recommendations,
)
async def get_recommendations(
    request: Request,
    wanted: Annotated[Wanted, Query()],
    _key: Annotated[Any, Depends(by_key("recommendations:read", in_query=True))],
) -> Response:
    """Answer from the newest published turn.

    Customers of the holdout get the untouched rule. When there is no model, or it
    fails or is too slow, the fallback answers; when the database is down the answer
    still comes, with logged false.
    """
    question = make_question(wanted, request.app.state.shop)
    decision_id = make_decision_id()
    serving: Serving = request.app.state.serving
    served = await serving.answer(question, decision_id)
    logged = await _log_answer(
        request.app.state.inbox, answer_row(decision_id, question, served)
    )
    return answer_json(wanted.placement, decision_id if logged else None, served)


def answer_json(placement: str, decision: str | None, served: Served) -> Response:
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
        "items": [
            {
                "product_id": slot.product_id,
                "position": number,
                "propensity": slot.propensity,
                "reason": slot.reason,
            }
            for number, slot in enumerate(served.answer.slots, 1)
        ],
    }
    return Response(
        json.dumps(body, ensure_ascii=False, separators=(",", ":")),
        media_type="application/json",
    )


def make_question(wanted: Wanted, shop: Shop) -> Question:
    """Return the lever's request; a customer's arm comes from the stable hash."""
    holdout = shop.settings.holdout
    return Question(
        placement=wanted.placement,
        customer=wanted.customer,
        visitor=wanted.visitor,
        context=_split(wanted.context),
        limit=wanted.limit,
        holdout=wanted.customer is not None
        and in_holdout(wanted.customer, holdout.share_bps / 10_000, holdout.salt),
    )


def answer_row(decision_id: str, question: Question, served: Served) -> Row:
    """Return an answer as a row of the inbox, in the columns of `answers`."""
    slate = [
        {"product_id": slot.product_id, "propensity": slot.propensity}
        for slot in served.answer.slots
    ]
    columns = {
        "decision_id": decision_id,
        "answered_at": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "lever": LEVER,
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


async def _log_answer(writer: InboxWriter, row: Row) -> bool:
    try:
        await asyncio.wait_for(writer.write([row]), LOG_SECONDS)
    except (Refused, TimeoutError):
        log.warning("answer not logged", decision=row.id)
        return False
    return True


def _split(context: list[str]) -> tuple[str, ...]:
    values = context[0].split(",") if len(context) == 1 else context
    return tuple(value.strip() for value in values if value.strip())[-50:]
