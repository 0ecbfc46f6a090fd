"""`POST /v1/events`: what visitors do and meet, kept before it is acknowledged.

The body is read raw, because `navigator.sendBeacon` sends JSON as text/plain. Every
event is judged by itself: good ones go in, bad ones are named with field and reason.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

import pydantic_core
from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from cartwheel.api.access import by_key
from cartwheel.api.errors import Fault, Refused, cut, faults
from cartwheel.api.inbox_writer import InboxWriter
from cartwheel.api.serving import Serving
from cartwheel.inbox_rows import Outcome, Row

MOST_EVENTS = 500
CLOCK_SKEW = timedelta(hours=24)
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
LARGEST = 2**53 - 1
"""Largest whole number every JSON reader keeps exactly."""

router = APIRouter(tags=["events"])


def _read_instant(value: Any) -> Any:
    if not isinstance(value, str):
        raise ValueError("must be text such as 2026-03-01T12:00:00Z")
    try:
        read = datetime.fromisoformat(value)
    except ValueError:
        raise ValueError("must be an instant such as 2026-03-01T12:00:00Z") from None
    if read.tzinfo is None:
        raise ValueError("needs a time zone: end it with Z or an offset like +01:00")
    try:
        return read.astimezone(UTC)
    except OverflowError:
        raise ValueError("is outside the years 1 to 9999") from None


Instant = Annotated[
    datetime,
    BeforeValidator(_read_instant, json_schema_input_type=datetime),
]
Id = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]
Count = Annotated[int, Field(ge=0, le=LARGEST)]


class Event(BaseModel):
    """Something a visitor did or met on the storefront."""

    model_config = ConfigDict(extra="forbid", strict=True)

    event_id: Id = Field(description="Unique id, made by the sender.")
    kind: Literal[
        "view",
        "list",
        "search",
        "add_to_cart",
        "checkout",
        "failed_add",
        "exposure",
        "click",
    ] = Field(description="What happened.")
    occurred_at: Instant | None = Field(
        None,
        description="Happened at, with time zone; left out: when it was received.",
    )
    visitor_id: Id | None = Field(None, description="Device or session id.")
    customer_id: Id | None = Field(None, description="Known customer, if signed in.")
    product_id: Id | None = Field(None, description="Product concerned.")
    variant_id: Id | None = Field(None, description="Variant concerned.")
    query: Annotated[str, Field(max_length=1000)] | None = Field(
        None, description="Search text, for searches."
    )
    result_count: Count | None = Field(None, description="Results shown, for searches.")
    quantity_units: Count | None = Field(None, description="Units, for cart events.")
    position: Annotated[int, Field(ge=1, le=LARGEST)] | None = Field(
        None, description="Slot in the list, from 1."
    )
    decision_id: Id | None = Field(
        None, description="Decision met, for exposures and clicks."
    )
    placement: Id | None = Field(None, description="Where on the storefront.")


class EventBatch(BaseModel):
    """Up to 500 events."""

    model_config = ConfigDict(extra="forbid", strict=True)

    events: list[Event] = Field(min_length=1, max_length=MOST_EVENTS)


class EventsAnswer(BaseModel):
    """What became of a batch; everything counted here is on disk."""

    model_config = ConfigDict(extra="forbid")

    accepted: int = Field(description="Events stored by this request.")
    duplicates: int = Field(description="Events stored before, unchanged.")
    rejected: list[Fault] = Field(description="Events not stored, and why.")
    unknown_products: int | None = Field(
        description=(
            "Accepted events about products the published turn does not know; they "
            "are kept. Null when no turn has been published."
        )
    )


@router.post(
    "/v1/events",
    summary="Send events",
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                media: {
                    "schema": {
                        "anyOf": [
                            {"$ref": "#/components/schemas/EventBatch"},
                            {"$ref": "#/components/schemas/Event"},
                        ]
                    }
                }
                for media in ("application/json", "text/plain")
            },
        }
    },
)
async def post_events(
    request: Request,
    _key: Annotated[Any, Depends(by_key("events:write", in_query=True))],
) -> EventsAnswer:
    """Store a batch of events, or one event; answers after they are on disk.

    Sending an event again with the same event_id and content is acknowledged again
    and stored once. JSON and text/plain bodies are read alike; ?key= may stand in
    for the Authorization header.
    """
    received_at = datetime.now(UTC)
    entries = read_entries(await request.body())
    good, rejected = check_entries(entries, received_at)
    writer: InboxWriter = request.app.state.inbox
    outcomes = await writer.write([event_row(event) for _, event in good])
    rejected += [
        _conflict(index, event)
        for (index, event), outcome in zip(good, outcomes, strict=True)
        if outcome == "conflict"
    ]
    kept = len(outcomes) - outcomes.count("conflict")
    if kept == 0:
        raise _nothing_kept(sorted(rejected, key=lambda fault: fault["index"]))
    serving: Serving = request.app.state.serving
    return EventsAnswer(
        accepted=outcomes.count("stored"),
        duplicates=outcomes.count("duplicate"),
        rejected=[
            Fault(**fault) for fault in sorted(rejected, key=lambda f: f["index"])
        ],
        unknown_products=_count_unknown(serving, good, outcomes),
    )


def read_entries(body: bytes) -> list[Any]:
    """Return the entries of a body: `{"events": [...]}` or a single event.

    Raises:
        Refused: If the body is not JSON, not an object, or holds no or too many events.
    """
    try:
        value = pydantic_core.from_json(body, allow_inf_nan=False)
    except ValueError as error:
        raise Refused(
            400,
            "not_json",
            f"The body is not JSON: {str(error)[:200]}.",
            'Send {"events": [...]} or one event as JSON.',
        ) from None
    if not isinstance(value, dict):
        raise _invalid("", value, "expected an object with events, or one event")
    if "events" not in value:
        return [value]
    strange = sorted(set(value) - {"events"})
    if strange:
        raise _invalid(strange[0], value[strange[0]], "is not a field of this request")
    entries = value["events"]
    if not isinstance(entries, list) or not 1 <= len(entries) <= MOST_EVENTS:
        shown = len(entries) if isinstance(entries, list) else entries
        raise _invalid("events", shown, f"expected a list of 1 to {MOST_EVENTS} events")
    return entries


def check_entries(
    entries: list[Any], received_at: datetime
) -> tuple[list[tuple[int, Event]], list[dict[str, Any]]]:
    """Return the valid events with their index, and the faults of the others."""
    good: list[tuple[int, Event]] = []
    rejected: list[dict[str, Any]] = []
    latest = received_at + CLOCK_SKEW
    for index, entry in enumerate(entries):
        try:
            event = Event.model_validate(entry)
        except ValidationError as error:
            found = faults(error.errors(include_url=False, include_context=False))
            rejected.append({"index": index, **found[0]})
            continue
        at = event.occurred_at
        if at is not None and not EARLIEST <= at <= latest:
            reason = (
                "is more than 24 hours ahead of this server's clock"
                if at > latest
                else "is before the year 2000"
            )
            rejected.append(_fault(index, "occurred_at", entry["occurred_at"], reason))
            continue
        good.append((index, event))
    return good, rejected


def event_row(event: Event) -> Row:
    """Return an event as a row of the inbox.

    A missing `occurred_at` stays missing: the drain takes the instant of receipt, and
    sending the event again later is still the same content.
    """
    columns = event.model_dump(exclude_none=True)
    if event.occurred_at is not None:
        columns["occurred_at"] = event.occurred_at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    body = json.dumps(columns, sort_keys=True, separators=(",", ":"))
    return Row(kind="events", id=event.event_id, body=body)


def _count_unknown(
    serving: Serving, good: list[tuple[int, Event]], outcomes: list[Outcome]
) -> int | None:
    known = serving.known_products
    if known is None:
        return None
    return sum(
        event.product_id is not None and event.product_id not in known
        for (_, event), outcome in zip(good, outcomes, strict=True)
        if outcome == "stored"
    )


def _conflict(index: int, event: Event) -> dict[str, Any]:
    return _fault(
        index,
        "event_id",
        event.event_id,
        "was sent before with other content; give a different event a new id",
    )


def _fault(index: int, field: str, value: Any, reason: str) -> dict[str, Any]:
    return {"index": index, "field": field, "value": cut(value), "reason": reason}


def _invalid(field: str, value: Any, reason: str) -> Refused:
    fault = {"field": field, "value": cut(value), "reason": reason}
    return Refused(
        422,
        "invalid",
        f"{field or 'The body'} is {cut(value)}: {reason}.",
        "Correct the body; it is described at /docs.",
        field=field or "body",
        details=[fault],
    )


def _nothing_kept(rejected: list[dict[str, Any]]) -> Refused:
    first = rejected[0]
    name = f"events[{first['index']}].{first['field']}"
    return Refused(
        422,
        "rejected",
        f"No event was stored; {name} is {first['value'] or 'empty'}: "
        f"{first['reason']}.",
        "Correct the events named in details and send them again.",
        field=name,
        details=rejected,
    )
