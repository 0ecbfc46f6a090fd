"""Group commit: one thread, one transaction for everything that waits.

While a commit runs, new requests queue up, and the next one takes them all. Nothing
leaves before the commit that holds its rows, which outlives every process. Events wait
for the disk to confirm it as well: acknowledged means kept, whatever fails. A slate is
shown meanwhile, and the disk has its log entry within a second (`flusher`).
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
from cartwheel.api.flusher import Flusher
from cartwheel.inbox_rows import Outcome, Row, store_rows
from cartwheel.operations import begin_unflushed, flush, inbox

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
    flushed: bool


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
        self._flusher = Flusher(lambda: flush(engine))

    def start(self) -> None:
        """Start the threads, unless they run."""
        if self._thread is not None:
            return
        self._flusher.start()
        self._thread = threading.Thread(target=self._run, name="inbox", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Commit what waits, flush it and end the threads."""
        thread, self._thread = self._thread, None
        if thread is not None:
            self._queue.put(None)
            thread.join()
            self._flusher.stop()

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
        self.put(rows, ticket, flushed=True)
        return await ticket.future

    def put(
        self, rows: Sequence[Row], ticket: Ticket, *, flushed: bool = False
    ) -> None:
        """Hand rows over, from any thread; the ticket tells what became of them.

        Args:
            rows: To be stored.
            ticket: Told after the commit.
            flushed: Told only once the disk has confirmed the commit.
        """
        waiting = _Waiting(rows=rows, ticket=ticket, flushed=flushed)
        if self._thread is None or self._waiting_rows > MOST_WAITING:
            _answer([(waiting, None)], "Too many events are waiting to be written.")
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
            with begin_unflushed(self._engine) as connection:
                outcomes = store_rows(connection, rows)
        except SQLAlchemyError as error:
            outcomes = None
            log.error("inbox not written", rows=len(rows), error=_cause(error))
        finally:
            # Also when something unforeseen ends this thread: nobody waits forever.
            self._count(-len(rows))
            self._tell(group, outcomes)
        self._on_commit(len(rows), time.perf_counter() - began)

    def _tell(self, group: list[_Waiting], outcomes: list[Outcome] | None) -> None:
        """Tell now who waits for the commit alone, the others after a flush."""
        told = _parts(group, outcomes)
        if outcomes is None:
            _answer(told)
            return
        later = [one for one in told if one[0].flushed]
        _answer([one for one in told if not one[0].flushed])
        if later:
            self._flusher.put(lambda kept: _answer(later if kept else _lost(later)))
        else:
            self._flusher.put(None)


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


_Told = tuple[_Waiting, list[Outcome] | None]
"""Rows that waited and what became of them; None when they are not stored."""


def _parts(group: Sequence[_Waiting], outcomes: list[Outcome] | None) -> list[_Told]:
    """Return each one's own part of the outcomes of a group."""
    parts: list[_Told] = []
    start = 0
    for waiting in group:
        end = start + len(waiting.rows)
        parts.append((waiting, None if outcomes is None else outcomes[start:end]))
        start = end
    return parts


def _lost(told: Sequence[_Told]) -> list[_Told]:
    return [(waiting, None) for waiting, _ in told]


def _answer(
    told: Sequence[_Told], trouble: str = "The events could not be written."
) -> None:
    by_loop: dict[asyncio.AbstractEventLoop, list[Callable[[], None]]] = {}
    for waiting, outcomes in told:
        resolver = _resolver(waiting.ticket.future, outcomes, trouble)
        by_loop.setdefault(waiting.ticket.loop, []).append(resolver)
    for loop, resolvers in by_loop.items():
        try:
            loop.call_soon_threadsafe(_call_all, resolvers)
        except RuntimeError:
            log.warning("nobody waits for these rows any more", waiting=len(resolvers))


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
