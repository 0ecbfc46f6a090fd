"""One answer: asked of the lever, committed, then given.

The lever answers in a thread, since a third party's may hang. That thread hands the
answer straight to the inbox's writer, so the event loop is woken once, when the answer
is committed, or when waiting longer would cost the shopper more than a weaker slate.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import structlog

from cartwheel.api.errors import Refused
from cartwheel.api.inbox_writer import InboxWriter, Ticket
from cartwheel.api.serving import Published, Served, Serving, ask, fallback
from cartwheel.inbox_rows import Row
from cartwheel.levers.base import Request
from cartwheel.merchandising import ShopRule

ANSWER_SECONDS = 0.15
"""Longest a lever may take for an answer before the fallback answers."""

LOG_SECONDS = 0.25
"""Longest an answer waits for its log entry; after that it leaves unlogged."""

THREADS = 2
"""Threads that answer; more of them contend for the interpreter and take longer."""

MOST_RUNNING = 16
"""Answers under way at once; beyond them a lever that hangs costs nobody a wait."""

log = structlog.get_logger("cartwheel.api")


class _Try:
    """One try of the lever; its answer counts unless the loop gave up first."""

    def __init__(self) -> None:
        self._claim = threading.Lock()
        self.served: Served | None = None

    def claim(self) -> bool:
        """Take the right to decide what is given; the first caller gets it."""
        return self._claim.acquire(blocking=False)


class Answering:
    """Answers with one lever and logs each answer before it is given.

    Args:
        serving: The published model.
        writer: Writes the log entries.
    """

    def __init__(self, serving: Serving, writer: InboxWriter) -> None:
        self._serving = serving
        self._writer = writer
        self._slots = threading.BoundedSemaphore(MOST_RUNNING)
        self._pool = ThreadPoolExecutor(
            max_workers=THREADS, thread_name_prefix="answer"
        )

    def close(self) -> None:
        """End the answering threads."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def answer(
        self, request: Request, decision_id: str, entry: Callable[[Served], Row]
    ) -> tuple[Served, bool]:
        """Answer a request; never raises for a lever's or the database's fault.

        Args:
            request: What to answer.
            decision_id: Id of the decision; it is the seed of every draw.
            entry: Makes the log entry of an answer.

        Returns:
            The answer, and whether its log entry is committed.
        """
        self._serving.check_soon()
        published, rules = self._serving.published, self._serving.rules
        if published is None or not self._slots.acquire(blocking=False):
            return await self._give(fallback(published, request, rules), entry)
        attempt = _Try()
        ticket = Ticket(asyncio.get_running_loop())

        def run() -> None:
            served = _ask_safely(published, request, decision_id, rules)
            if attempt.claim():
                attempt.served = served
                self._writer.put([entry(served)], ticket)

        work = self._pool.submit(run)
        work.add_done_callback(lambda _: self._slots.release())
        await asyncio.wait((ticket.future,), timeout=ANSWER_SECONDS)
        if attempt.claim():
            log.warning("lever too slow, fallback answered", lever=self._serving.name)
            return await self._give(fallback(published, request, rules), entry)
        assert attempt.served is not None
        return attempt.served, await _kept(ticket)

    async def _give(
        self, served: Served, entry: Callable[[Served], Row]
    ) -> tuple[Served, bool]:
        ticket = Ticket(asyncio.get_running_loop())
        self._writer.put([entry(served)], ticket)
        return served, await _kept(ticket)


def _ask_safely(
    published: Published,
    request: Request,
    decision_id: str,
    rules: tuple[ShopRule, ...],
) -> Served:
    try:
        return ask(published, request, decision_id, rules)
    except Exception:
        # A lever may be a third party's; whatever it raises, shoppers get a slate.
        log.exception("lever failed, fallback answered", lever=published.lever.name)
        return fallback(published, request, rules)


async def _kept(ticket: Ticket) -> bool:
    """Wait for the commit, but no longer than a shopper should."""
    if not ticket.future.done():
        await asyncio.wait((ticket.future,), timeout=LOG_SECONDS)
    try:
        return ticket.future.done() and bool(ticket.future.result())
    except Refused:
        log.warning("answer not logged")
        return False
