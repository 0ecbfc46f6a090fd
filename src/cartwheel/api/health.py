"""`/healthz` for whoever restarts the service, `/metrics` for whoever watches it."""

from __future__ import annotations

import asyncio
import json
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Engine, delete, select
from sqlalchemy.exc import SQLAlchemyError
from starlette.responses import JSONResponse, Response

from cartwheel.api.access import by_key
from cartwheel.api.inbox_writer import InboxWriter, count_after
from cartwheel.api.serving import Serving
from cartwheel.lake.inbox import DRAIN_PAGE
from cartwheel.operations import inbox, pages, reading

router = APIRouter(tags=["service"])


class Health(BaseModel):
    """State of the service."""

    model_config = ConfigDict(extra="forbid")

    status: str = Field(description="ok, degraded (still answers) or down.")
    database: str = Field(description="writable, or what is wrong.")
    published_turn: int | None = Field(description="Turn that answers now.")
    recommendations: str = Field(description="ok, or why the fallback answers.")
    search: str = Field(description="ok, or why an older model or none answers.")
    support: str = Field(description="ok, or why a person answers all.")
    inbox_backlog: int | None = Field(description="Rows not yet in the lake.")


class ServiceMetrics:
    """Metrics of the inbox and the published turn."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry
        self.commit_seconds = Histogram(
            "cartwheel_inbox_commit_seconds",
            "Time of one group commit.",
            buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 2, 10),
            registry=registry,
        )
        self.commit_rows = Counter(
            "cartwheel_inbox_rows_total", "Rows given to commits.", registry=registry
        )
        self.backlog = Gauge(
            "cartwheel_inbox_backlog_rows",
            "Rows not yet in the lake.",
            ("kind",),
            registry=registry,
        )
        self.waiting = Gauge(
            "cartwheel_inbox_waiting_rows", "Rows not yet committed.", registry=registry
        )
        self.turn = Gauge(
            "cartwheel_published_turn", "Turn that answers; 0: none.", registry=registry
        )
        self.degraded = Gauge(
            "cartwheel_recommendations_degraded",
            "1 while an older model or the fallback answers.",
            registry=registry,
        )
        self.search_degraded = Gauge(
            "cartwheel_search_degraded",
            "1 while an older model, or none, searches.",
            registry=registry,
        )

    def on_commit(self, rows: int, seconds: float) -> None:
        """Count one group commit."""
        self.commit_rows.inc(rows)
        self.commit_seconds.observe(seconds)


@router.get("/healthz", summary="Health", responses={503: {"model": Health}})
async def healthz(request: Request) -> Response:
    """Answer 200 while the service can keep what it is sent, 503 otherwise."""
    serving: Serving = request.app.state.serving
    searching: Serving = request.app.state.search_serving
    serving.check_soon()
    searching.check_soon()
    helping: Serving = request.app.state.support_serving
    helping.check_soon()
    engine: Engine = request.app.state.shop.database
    problem, backlog = await asyncio.to_thread(_check_database, engine)
    rows = None if backlog is None else sum(backlog.values())
    weak = serving.problem or searching.problem or helping.problem
    status = "down" if problem else "degraded" if weak else "ok"
    health = Health(
        status=status,
        database=problem or "writable",
        published_turn=serving.turn,
        recommendations=serving.problem or "ok",
        search=searching.problem or "ok",
        support=helping.problem or "ok",
        inbox_backlog=rows,
    )
    return JSONResponse(health.model_dump(), status_code=503 if problem else 200)


@router.get(
    "/metrics",
    summary="Metrics",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
)
async def metrics(
    request: Request, _key: Annotated[Any, Depends(by_key("metrics:read"))]
) -> Response:
    """Metrics in the Prometheus text format."""
    found: ServiceMetrics = request.app.state.metrics
    serving: Serving = request.app.state.serving
    writer: InboxWriter = request.app.state.inbox
    _, backlog = await asyncio.to_thread(
        _check_database, request.app.state.shop.database
    )
    for kind, rows in (backlog or {}).items():
        found.backlog.labels(kind).set(rows)
    found.waiting.set(writer.waiting_rows)
    found.turn.set(serving.turn or 0)
    found.degraded.set(1 if serving.problem else 0)
    searching: Serving = request.app.state.search_serving
    found.search_degraded.set(1 if searching.problem else 0)
    return Response(generate_latest(found.registry), media_type=CONTENT_TYPE_LATEST)


def _check_database(engine: Engine) -> tuple[str, dict[str, int] | None]:
    """Return what is wrong with the database, and the rows waiting in its inbox."""
    try:
        with engine.begin() as connection:
            # Takes the write lock and touches no row.
            connection.execute(delete(inbox).where(inbox.c.seq < 0))
        with reading(engine) as connection:
            page = connection.execute(
                select(pages.c.body).where(
                    pages.c.turn == 0, pages.c.name == DRAIN_PAGE
                )
            ).scalar_one_or_none()
            # A copy for this check only; the lake holds the truth.
            mark = int(json.loads(page)["watermark"]) if page else 0
            return "", count_after(connection, mark)
    except SQLAlchemyError as error:
        return f"not writable ({type(error).__name__})", None
