"""Group commit: one thread, one transaction for everything that waits.

A disk takes some milliseconds to confirm a commit, however small. While it does, new
requests queue up, and the next commit takes them all. An answer leaves only after the
commit that holds its rows: acknowledged means kept.
"""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog
from sqlalchemy import Connection, Engine, func, select
from sqlalchemy.exc import SQLAlchemyError

from cartwheel.api.errors import Refused
from cartwheel.inbox_rows import Outcome, Row, store_rows
from cartwheel.operations import inbox

MOST_ROWS = 5000
"""Rows in one commit, about."""

MOST_WAITING = 100_000
"""Rows waiting in memory before new ones are turned away."""

log = structlog.get_logger("cartwheel.api")


class Ticket:
    """The right to hear what became of rows.

    Attributes:
        loop: Event loop to be told on.
        future: Done after the commit; made on the loop's thread.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.future: asyncio.Future[list[Outcome]] = loop.create_future()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Waiting:
    rows: Sequence[Row]
    ticket: Ticket


class InboxWriter:
    """Writes rows into the inbox from one thread.

    Args:
        engine: Operational database.
        on_commit: Called with rows and seconds of every commit.
    """

    def __init__(
        self,
        engine: Engine,
        on_commit: Callable[[int, float], None] = lambda rows, seconds: None,
    ) -> None:
        self._engine = engine
        self._on_commit = on_commit
        self._queue: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._count_lock = threading.Lock()
        self._waiting_rows = 0
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start the thread, unless it runs."""
        if self._thread is not None:
            return
        self._thread = threading.Thread(target=self._run, name="inbox", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Commit what waits and end the thread."""
        thread, self._thread = self._thread, None
        if thread is not None:
            self._queue.put(None)
            thread.join()

    @property
    def waiting_rows(self) -> int:
        """Rows handed over and not yet committed."""
        return self._waiting_rows

    async def write(self, rows: Sequence[Row]) -> list[Outcome]:
        """Store rows durably and tell what became of each.

        Raises:
            Refused: 503 when the database cannot be written or too much waits;
                nothing of this call is acknowledged then.
        """
        if not rows:
            return []
        ticket = Ticket(asyncio.get_running_loop())
        self.put(rows, ticket)
        return await ticket.future

    def put(self, rows: Sequence[Row], ticket: Ticket) -> None:
        """Hand rows over, from any thread; the ticket tells what became of them."""
        waiting = _Waiting(rows=rows, ticket=ticket)
        if self._thread is None or self._waiting_rows > MOST_WAITING:
            _answer([waiting], None, "Too many events are waiting to be written.")
            return
        self._count(len(rows))
        self._queue.put(waiting)

    def _count(self, change: int) -> None:
        with self._count_lock:
            self._waiting_rows += change

    def _run(self) -> None:
        while True:
            group, ended = self._next_group()
            if group:
                self._commit(group)
            if ended:
                return

    def _next_group(self) -> tuple[list[_Waiting], bool]:
        group: list[_Waiting] = []
        count = 0
        waiting = self._queue.get()
        while waiting is not None:
            group.append(waiting)
            count += len(waiting.rows)
            if count >= MOST_ROWS:
                return group, False
            try:
                waiting = self._queue.get_nowait()
            except queue.Empty:
                return group, False
        return group, True

    def _commit(self, group: list[_Waiting]) -> None:
        began = time.perf_counter()
        rows = [row for waiting in group for row in waiting.rows]
        outcomes: list[Outcome] | None = None
        try:
            with self._engine.begin() as connection:
                outcomes = store_rows(connection, rows)
        except SQLAlchemyError as error:
            outcomes = None
            log.error("inbox not written", rows=len(rows), error=_cause(error))
        finally:
            # Also when something unforeseen ends this thread: nobody waits forever.
            self._count(-len(rows))
            _answer(group, outcomes)
        self._on_commit(len(rows), time.perf_counter() - began)


def count_after(connection: Connection, mark: int) -> dict[str, int]:
    """Return how many rows of each kind lie after a watermark."""
    query = (
        select(inbox.c.kind, func.count())
        .where(inbox.c.seq > mark)
        .group_by(inbox.c.kind)
    )
    counts = {"events": 0, "answers": 0}
    counts.update({kind: int(rows) for kind, rows in connection.execute(query)})
    return counts


def _answer(
    group: list[_Waiting],
    outcomes: list[Outcome] | None,
    trouble: str = "The events could not be written.",
) -> None:
    by_loop: dict[asyncio.AbstractEventLoop, list[Callable[[], None]]] = {}
    start = 0
    for waiting in group:
        end = start + len(waiting.rows)
        part = None if outcomes is None else outcomes[start:end]
        resolver = _resolver(waiting.ticket.future, part, trouble)
        by_loop.setdefault(waiting.ticket.loop, []).append(resolver)
        start = end
    for loop, resolvers in by_loop.items():
        try:
            loop.call_soon_threadsafe(_call_all, resolvers)
        except RuntimeError:
            log.warning("nobody waits for these rows any more", rows=start)


def _resolver(
    future: asyncio.Future[list[Outcome]], outcomes: list[Outcome] | None, trouble: str
) -> Callable[[], None]:
    def resolve() -> None:
        if future.done():
            return
        if outcomes is None:
            future.set_exception(_unavailable(trouble))
            future.exception()  # seen: an answer given without waiting reads it never
        else:
            future.set_result(outcomes)

    return resolve


def _call_all(resolvers: list[Callable[[], None]]) -> None:
    for resolve in resolvers:
        resolve()


def _unavailable(message: str) -> Refused:
    return Refused(
        503,
        "not_stored",
        message,
        "Send the same events again in a few seconds; ids keep them from doubling.",
        headers={"Retry-After": "2"},
    )


def _cause(error: SQLAlchemyError) -> str:
    return str(getattr(error, "orig", None) or error)[:300]
