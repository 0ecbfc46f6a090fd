"""`/v1/decisions`: read them, and approve, reject or undo them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Engine

from cartwheel.api.access import by_key_or_person
from cartwheel.channels.act import Verb, act
from cartwheel.ledger import store
from cartwheel.ledger.entry import DecisionState, Entry
from cartwheel.shop import Shop

router = APIRouter(tags=["decisions"])

Text = Annotated[str, Field(max_length=200, pattern=r"^[^\x00]*$")]
DecisionId = Annotated[str, Path(max_length=200, pattern=r"^[^\x00]*$")]
Reader = Annotated[str, Depends(by_key_or_person("decisions:read", owner=False))]
Writer = Annotated[str, Depends(by_key_or_person("decisions:write", owner=True))]


class DecisionShape(BaseModel):
    """A decision."""

    id: str
    turn: int
    lever: str
    kind: str
    subject: str
    action: dict[str, Any] = Field(description="In force; a person may have edited it.")
    propensity: float | None = Field(description="Set when it was drawn at random.")
    predicted: dict[str, Any] | None = Field(
        description="metric, value, low, high and level."
    )
    reason: str
    state: DecisionState
    worth_minor: int | None = Field(description="Money at stake, in minor units.")
    cost_minor: int | None = Field(description="Cost of doing it, in minor units.")
    evidence: dict[str, Any]
    options: list[dict[str, Any]]
    refusal: dict[str, Any] | None = Field(description="Rule of the gate that refused.")
    expires_on: str | None
    edited: bool


class DecisionList(BaseModel):
    """A page of decisions."""

    items: list[DecisionShape]
    total: int = Field(description="Decisions that match, over all pages.")
    limit: int
    offset: int


class Transition(BaseModel):
    """One change of a decision's state."""

    from_state: str
    to_state: str
    actor: str
    at: str
    note: str


class DecisionWithHistory(DecisionShape):
    """A decision and what happened to it."""

    history: list[Transition]


class Filters(BaseModel):
    """Which decisions to list."""

    model_config = ConfigDict(extra="forbid")

    kind: Text | None = None
    state: DecisionState | None = None
    lever: Text | None = None
    turn: Annotated[int, Field(ge=0, le=2**31 - 1)] | None = None
    subject: Text | None = None
    order: Literal["worth", "newest", "position"] = "worth"
    limit: int = Field(100, ge=1, le=500)
    offset: int = Field(0, ge=0, le=10_000_000)


class Note(BaseModel):
    """Why, for the record."""

    model_config = ConfigDict(extra="forbid", strict=True)

    note: Text = ""


class Selection(Note):
    """Several decisions."""

    ids: list[Text] = Field(min_length=1, max_length=500)


class Moved(BaseModel):
    """The decisions as they are now."""

    items: list[DecisionShape]
    total: int
    limit: int
    offset: int = 0


@router.get("/v1/decisions", summary="List decisions")
def list_decisions(
    request: Request, filters: Annotated[Filters, Query()], _actor: Reader
) -> DecisionList:
    """List decisions, those with most money at stake first."""
    engine: Engine = request.app.state.shop.database
    where = filters.model_dump(include={"kind", "state", "lever", "turn", "subject"})
    entries = store.list_decisions(
        engine,
        **where,
        limit=filters.limit,
        offset=filters.offset,
        order=filters.order,
    )
    return DecisionList(
        items=[_shape(entry) for entry in entries],
        total=store.count_decisions(engine, **where),
        limit=filters.limit,
        offset=filters.offset,
    )


@router.get("/v1/decisions/{id}", summary="Read one decision")
def get_decision(
    request: Request, id: DecisionId, _actor: Reader
) -> DecisionWithHistory:
    """Return a decision with its evidence, options and history."""
    engine: Engine = request.app.state.shop.database
    entry = store.find(engine, id)
    steps = [
        Transition(**{name: step[name] for name in Transition.model_fields})
        for step in store.history(engine, id)
    ]
    return DecisionWithHistory(**entry.to_json(), history=steps)


@router.post("/v1/decisions/{verb}", summary="Approve, reject or undo several")
def move_several(request: Request, verb: Verb, body: Selection, actor: Writer) -> Moved:
    """Move all the decisions named, or none of them."""
    entries = _move(request, verb, body.ids, actor, body.note)
    items = [_shape(entry) for entry in entries]
    return Moved(items=items, total=len(items), limit=len(items))


@router.post("/v1/decisions/{id}/{verb}", summary="Approve, reject or undo one")
def move_one(
    request: Request,
    id: DecisionId,
    verb: Verb,
    actor: Writer,
    body: Note | None = None,
) -> DecisionShape:
    """Move one decision and return it as it is now."""
    note = body.note if body is not None else ""
    return _shape(_move(request, verb, [id], actor, note)[0])


def _move(
    request: Request, verb: Verb, ids: list[str], actor: str, note: str
) -> list[Entry]:
    shop: Shop = request.app.state.shop
    return act(shop, verb, ids, actor=actor, note=note)


def _shape(entry: Entry) -> DecisionShape:
    return DecisionShape(**entry.to_json())
