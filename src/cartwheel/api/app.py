"""The web application: routes, middleware in one visible order, and the server."""

from __future__ import annotations

import errno
import logging
import socket
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING

import structlog
from fastapi import FastAPI
from prometheus_client import CollectorRegistry
from starlette.middleware import Middleware

from cartwheel.api import (
    decisions,
    events,
    health,
    page_block,
    recommendations,
    search,
    snippet,
    support,
)
from cartwheel.api.access import Access, Rates
from cartwheel.api.answering import Answering
from cartwheel.api.documentation import install_documentation
from cartwheel.api.errors import register_errors
from cartwheel.api.health import ServiceMetrics
from cartwheel.api.inbox_writer import InboxWriter
from cartwheel.api.keys import KeyRing
from cartwheel.api.middleware import (
    LimitBody,
    Observe,
    RequestMetrics,
    SameOrigin,
    SecureHeaders,
)
from cartwheel.api.page_block import PageBlocks
from cartwheel.api.serving import SEARCH, SUPPORT, Serving
from cartwheel.errors import Failure

if TYPE_CHECKING:
    from cartwheel.levers.base import OnlineLever
    from cartwheel.shop import Shop


ROOMS = (
    *(events, recommendations, search, support, page_block),
    *(decisions, health, snippet),
)
"""Modules with the API's routes, in the order in which they are tried."""


def create_app(
    shop: Shop,
    *,
    console: bool = True,
    rates: Rates | None = None,
    lever: OnlineLever | None = None,
    searcher: OnlineLever | None = None,
) -> FastAPI:
    """Return the web application of a shop.

    Args:
        shop: The shop to serve.
        console: Serve the console's pages too.
        rates: Request rates; None for the defaults.
        lever: The lever that recommends; None to find the installed one.
        searcher: The lever that searches; None to find the installed one.
    """
    registry = CollectorRegistry()
    metrics = ServiceMetrics(registry)
    writer = InboxWriter(shop.database, metrics.on_commit)
    serving = Serving(shop, lever)
    answering = Answering(serving, writer)
    search_serving = Serving(shop, searcher, name=SEARCH)
    search_answering = Answering(search_serving, writer)
    support_serving = Serving(shop, name=SUPPORT)

    servings = (serving, search_serving, support_serving)
    answerings = (answering, search_answering)
    app = FastAPI(
        title="Cartwheel",
        docs_url=None,
        redoc_url=None,
        lifespan=_lifespan(shop, writer, servings, answerings),
        middleware=[  # outermost first
            Middleware(SecureHeaders),
            Middleware(Observe, metrics=RequestMetrics(registry)),
            Middleware(SameOrigin),
            Middleware(LimitBody),
        ],
    )
    app.state.shop = shop
    app.state.console = console
    app.state.inbox = writer
    app.state.serving = serving
    app.state.answering = answering
    app.state.search_serving = search_serving
    app.state.search_answering = search_answering
    app.state.support_serving = support_serving
    app.state.page_blocks = PageBlocks(shop)
    app.state.metrics = metrics
    app.state.access = Access(KeyRing(shop.database), rates or Rates())
    register_errors(app)
    for room in ROOMS:
        app.include_router(room.router)
    install_documentation(app)
    if console:
        from cartwheel.console.routes import mount_static, router

        app.include_router(router, include_in_schema=False)
        mount_static(app)
    return app


def _lifespan(
    shop: Shop,
    writer: InboxWriter,
    servings: Sequence[Serving],
    answerings: Sequence[Answering],
) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    """Return what begins and ends with the application."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        writer.start()
        for serving in servings:
            serving.check()
        try:
            yield
        finally:
            writer.stop()
            for answering in answerings:
                answering.close()
            # FastAPI's routers remember every application they were included in, so
            # nothing else would ever close the database's files.
            shop.database.dispose()

    return lifespan


def serve(shop: Shop, host: str, port: int, *, console: bool = True) -> None:
    """Serve a shop until the process is asked to end.

    Args:
        shop: The shop.
        host: Address to listen on.
        port: Port to listen on.
        console: Serve the console's pages too.

    Raises:
        Failure: If the address cannot be listened on.
    """
    import uvicorn

    configure_logging()
    listening = _listen(host, port)
    config = uvicorn.Config(
        create_app(shop, console=console),
        timeout_graceful_shutdown=3,
        access_log=False,
        log_config=None,
        server_header=False,
    )
    try:
        uvicorn.Server(config).run(sockets=[listening])
    finally:
        listening.close()


def configure_logging() -> None:
    """Write one JSON line per log entry to standard error, the server's own too."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*shared, structlog.processors.JSONRenderer()],
        # Starts and loads are not told: the sign-in link stays the last thing read.
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen(1024)
    except (OSError, OverflowError) as error:
        listening.close()
        if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
            raise Failure(
                f"Port {port} on {host} is in use by another program.",
                "End that program or choose another port with --port.",
            ) from error
        raise Failure(
            f"Cannot listen on {host}, port {port}: {error}.",
            "Choose another address with --host or another port with --port.",
        ) from error
    return listening
