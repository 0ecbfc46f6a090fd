"""`POST /v1/support`: a shopper asks, the shop's own texts answer or a person will.

Two routes, so that what a browser can do is plain to see: `/v1/support` takes a key
that may stand in a page and never tells of an order; `/v1/support/verified` takes a key
that stays on the shop's server, which says who its customer is.
"""

from __future__ import annotations

import asyncio
import json
from typing import Annotated, Any, Literal

import structlog
from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.exc import SQLAlchemyError

from cartwheel.api.access import by_key
from cartwheel.api.errors import Refused
from cartwheel.api.events import Id
from cartwheel.api.inbox_writer import InboxWriter
from cartwheel.api.serving import SUPPORT, Served, Serving, ask, make_decision_id
from cartwheel.contacts import LONGEST, Contact, keep, masked
from cartwheel.inbox_rows import Row
from cartwheel.levers.base import Answer
from cartwheel.levers.base import Request as Question
from cartwheel.measure.assign import looker_held_out
from cartwheel.operations import now_text

router = APIRouter(tags=["support"])
log = structlog.get_logger("cartwheel.api")

ANSWER_SECONDS = 2.0
"""Longest the lever may take before a person is asked."""

NOBODY = "I cannot answer at the moment. A person will read your message and reply."
LEAVE_ADDRESS = (
    "Leave your e-mail address beside your question and send it again, so that the "
    "person can answer you."
)
NOT_KEPT = (
    "I could not pass your message on. Please write to the shop by e-mail or telephone."
)


Address = Annotated[
    str, Field(max_length=254, pattern=r"^[^\s@<>\x00-\x1f]{1,64}@[^\s@<>]{1,189}$")
]


class Asked(BaseModel):
    """What somebody asks."""

    model_config = ConfigDict(extra="forbid", strict=True)

    text: str = Field(min_length=1, max_length=LONGEST, description="The message.")
    product: Id | None = Field(None, description="Product whose page it is asked on.")
    visitor: Id | None = Field(None, description="Device or session id.")
    reply_to: Address | None = Field(
        None, description="E-mail address that a person may answer to."
    )


class AskedBy(Asked):
    """What a customer asks whom the shop has verified."""

    customer: Id = Field(description="The customer, as the shop's server knows it.")


class Cited(BaseModel):
    """One sentence of an answer, and where it stands."""

    model_config = ConfigDict(extra="forbid")

    text: str
    source: str = Field(
        description="policy:ID, attribute:NAME, answer:ID, price, order:ID and such."
    )
    heading: str = Field(description="What the source is called, or the question.")


class Reply(BaseModel):
    """An answer, or what becomes of the question."""

    model_config = ConfigDict(extra="forbid")

    contact: str | None = Field(description="Its id; null when it could not be kept.")
    outcome: Literal["answered", "asked_back", "handed_over"]
    automated: str = Field(description="Says that a program wrote it; show it.")
    notice: str = Field(description="What to tell beside or instead of an answer.")
    says: list[Cited]
    as_of: str | None = Field(description="Day up to which facts are known.")


@router.post("/v1/support", summary="Ask support", response_model=Reply)
async def post_support(
    request: Request,
    asked: Asked,
    _key: Annotated[Any, Depends(by_key("support:ask"))],
) -> Reply:
    """Answer a shopper nobody has verified; nothing is told of any order."""
    return await _answer(request, asked, None)


@router.post(
    "/v1/support/verified",
    summary="Ask support for a verified customer",
    response_model=Reply,
)
async def post_verified(
    request: Request,
    asked: AskedBy,
    _key: Annotated[Any, Depends(by_key("support:verified"))],
) -> Reply:
    """Answer a customer the shop's server has verified, their own orders included."""
    return await _answer(request, asked, asked.customer)


async def _answer(request: Request, asked: Asked, customer: str | None) -> Reply:
    state = request.app.state
    serving: Serving = state.support_serving
    serving.check_soon()
    name = make_decision_id()
    held_out = looker_held_out(
        customer,
        asked.visitor,
        model=state.serving.model,
        holdout=state.shop.settings.holdout,
        trials=serving.trials,
        lever=SUPPORT,
    )
    question = Question(
        placement=SUPPORT,
        query=asked.text,
        customer=customer,
        visitor=asked.visitor,
        context=(asked.product,) if asked.product else (),
        holdout=held_out,
    )
    served = await _asked(serving, question, name)
    contact = _contact(name, asked, customer, served)
    try:
        await asyncio.to_thread(keep, state.shop.database, contact)
    except SQLAlchemyError:
        log.exception("contact not kept")
        return _reply(None, served, reachable=True)
    if contact.waiting:
        await _tell(state.inbox, contact)
    reachable = customer is not None or asked.reply_to is not None
    return _reply(name, served, reachable=reachable)


async def _tell(inbox: InboxWriter, contact: Contact) -> None:
    """Put what a person has to answer among the shop's messages, which levers read."""
    columns = {
        "message_id": contact.id,
        "customer_id": contact.customer_id,
        "direction": "in",
        "medium": "chat",
        "sent_at": contact.at,
        "body": contact.asked,
    }
    known = {name: value for name, value in columns.items() if value is not None}
    body = json.dumps(known, sort_keys=True, separators=(",", ":"))
    try:
        await inbox.write([Row(kind="messages", id=contact.id, body=body)])
    except Refused:
        log.warning("contact not told to the lake", contact=contact.id)


async def _asked(serving: Serving, question: Question, name: str) -> Served:
    """Return the lever's answer; a person's, when there is none in time."""
    published = serving.published
    turn = None if published is None else published.turn
    nobody = Served(
        answer=Answer(
            slots=(),
            eligible_hash="",
            rule="none yet",
            about={
                "outcome": "handed_over",
                "why": "no_model",
                "notice": NOBODY,
                "automated": "",
                "leave_address": LEAVE_ADDRESS,
                "says": [],
                "evidence": None,
                "as_of": None,
            },
        ),
        arm="fallback",
        turn=turn,
    )
    if published is None:
        return nobody
    work = asyncio.to_thread(ask, published, question, name)
    try:
        return await asyncio.wait_for(work, ANSWER_SECONDS)
    except TimeoutError:
        log.warning("lever too slow, a person is asked", lever=SUPPORT)
    except Exception:
        # A lever may be a third party's; whatever it raises, a person answers.
        log.exception("lever failed, a person is asked", lever=SUPPORT)
    return nobody


def _contact(name: str, asked: Asked, customer: str | None, served: Served) -> Contact:
    about = served.answer.about
    return Contact(
        id=name,
        at=now_text(),
        turn=served.turn,
        customer_id=customer,
        visitor_id=asked.visitor,
        product_id=asked.product,
        reply_to=asked.reply_to,
        asked=masked(asked.text),
        outcome=str(about["outcome"]),
        why=str(about["why"]),
        arm=served.arm,
        body={
            "says": about["says"],
            "evidence": about["evidence"],
            "notice": about["notice"],
            "rule": served.answer.rule,
            "knows": served.answer.eligible_hash,
        },
    )


def _reply(name: str | None, served: Served, *, reachable: bool) -> Reply:
    """Return the answer; who cannot be answered by a person is told what it needs."""
    about = served.answer.about
    lost = name is None and about["outcome"] != "answered"
    notice = NOT_KEPT if lost else str(about["notice"])
    if about["outcome"] == "handed_over" and not reachable:
        notice = f"{notice} {about['leave_address']}".strip()
    return Reply(
        contact=name,
        outcome=about["outcome"],
        automated=about["automated"],
        notice=notice,
        says=[
            Cited(text=one["text"], source=one["source"], heading=one["heading"])
            for one in about["says"]
        ],
        as_of=about["as_of"],
    )
