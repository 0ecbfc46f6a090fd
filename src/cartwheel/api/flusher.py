"""Flushes of the disk, in a thread of their own, for all who wait for one.

While a turn writes, a disk can take a tenth of a second to confirm. Who was promised
that a power cut loses nothing waits for that here; whoever was not is answered
meanwhile, and what it left is flushed within a second.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable

import structlog

MOST_SECONDS = 1.0
"""Longest that what nobody waits for stays unflushed."""

log = structlog.get_logger("cartwheel.api")

Done = Callable[[bool], None]
"""Told whether the disk has it."""


class Flusher:
    """Flushes after commits.

    Args:
        flush: Returns when the disk has all commits so far; may raise OSError.
    """

    def __init__(self, flush: Callable[[], None]) -> None:
        self._flush = flush
        self._queue: queue.SimpleQueue[Done | bool] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start the thread, unless it runs."""
        if self._thread is not None:
            return
        self._thread = threading.Thread(target=self._run, name="flush", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Flush what waits and end the thread."""
        thread, self._thread = self._thread, None
        if thread is not None:
            self._queue.put(False)
            thread.join()

    def put(self, done: Done | None) -> None:
        """Say that something was committed.

        Args:
            done: Told after the flush; None when nobody waits for it.
        """
        self._queue.put(True if done is None else done)

    def _run(self) -> None:
        going = True
        while going:
            waiting, going = self._next()
            kept = True
            try:
                self._flush()
            except OSError as error:
                kept = False
                log.error("commits not flushed", error=str(error)[:300])
            for done in waiting:
                done(kept)

    def _next(self) -> tuple[list[Done], bool]:
        """Return who waits for the next flush, and whether others will follow."""
        waiting: list[Done] = []
        until: float | None = None
        while True:
            try:
                one = self._queue.get(timeout=_left(until, bool(waiting)))
            except queue.Empty:
                return waiting, True
            if one is False:
                return waiting, False
            until = time.monotonic() + MOST_SECONDS if until is None else until
            if not isinstance(one, bool):
                waiting.append(one)


def _left(until: float | None, waited_for: bool) -> float | None:
    """Return how long more may be gathered; None for ever."""
    if waited_for:
        return 0.0
    return None if until is None else max(until - time.monotonic(), 0.0)
