"""Counting the KPI board of any day while the console serves, one at a time.

The board of the published day is in the operational database. Any other day is counted
from the lake on a thread of its own: one at a time, a few may wait, each is stopped
after a while. DuckDB is loaded by the first of them, not when the server starts.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from fastapi import Request

from cartwheel.console.view import shop_of
from cartwheel.errors import Busy, Failure, Misuse
from cartwheel.measure.kpi import make_board, source_of

if TYPE_CHECKING:
    from cartwheel.shop import Shop

EARLIEST_YEAR = 1970
LONGEST_SECONDS = 30.0
KEPT_SECONDS = 60.0
"""A counted board is shown this long before it is counted again: imports go on."""
MOST_WAITING, MOST_KEPT = 4, 24


@dataclass(slots=True)
class Job:
    """The counting of one day's board.

    Attributes:
        done: Set when it has ended.
        board: What was counted.
        error: Why it was not.
        ended: When it ended, on the monotonic clock.
    """

    done: threading.Event = field(default_factory=threading.Event)
    board: dict[str, Any] | None = None
    error: Exception | None = None
    ended: float = 0.0


class Desk:
    """Counts boards of days for pages that ask.

    Args:
        count: Counts the board of a day.
    """

    def __init__(self, count: Callable[[date], dict[str, Any]]) -> None:
        self._count = count
        self._jobs: dict[date, Job] = {}
        self._lock = threading.Lock()
        self._one_at_a_time = threading.Lock()

    def board(self, day: date, *, wait_seconds: float) -> dict[str, Any] | None:
        """Return a day's board, None while it is still being counted.

        Args:
            day: Day looked from.
            wait_seconds: How long to wait for it.

        Raises:
            Busy: If too many days wait already, or it took too long.
            Failure: If it cannot be counted.
        """
        job = self._job(day)
        if not job.done.wait(wait_seconds):
            return None
        if job.error is not None:
            with self._lock:
                self._jobs.pop(day, None)
            raise job.error
        return job.board

    def _job(self, day: date) -> Job:
        with self._lock:
            self._forget()
            if day not in self._jobs:
                if sum(not job.done.is_set() for job in self._jobs.values()) >= (
                    MOST_WAITING
                ):
                    raise Busy(
                        f"The boards of {MOST_WAITING} days are being counted.",
                        "Try again in a few seconds.",
                    )
                job = self._jobs[day] = Job()
                threading.Thread(
                    target=self._run, args=(day, job), name="kpis", daemon=True
                ).start()
            return self._jobs[day]

    def _run(self, day: date, job: Job) -> None:
        try:
            with self._one_at_a_time:
                job.board = self._count(day)
        except Exception as error:
            # Whoever waits gets it; a thread that dies would leave them waiting.
            job.error = error
        finally:
            job.ended = time.monotonic()
            job.done.set()

    def _forget(self) -> None:
        ended = [day for day, job in self._jobs.items() if job.done.is_set()]
        old = time.monotonic() - KEPT_SECONDS
        for place, day in enumerate(reversed(ended)):
            if self._jobs[day].ended < old or place >= MOST_KEPT:
                del self._jobs[day]


_making = threading.Lock()


def desk_of(request: Request) -> Desk:
    """Return the desk of the served shop, made on first use."""
    state = request.app.state
    with _making:
        if not hasattr(state, "kpi_desk"):
            shop = shop_of(request)
            state.kpi_desk = Desk(lambda day: _count(shop, day))
    desk: Desk = state.kpi_desk
    return desk


def asked_day(shop: Shop, text: str, published: str | None) -> date:
    """Return the day a page is asked for; the published one, or today, without any.

    Raises:
        Misuse: If the text is no day, lies before 1970 or after today.
    """
    last = today(shop)
    if not text:
        return last if published is None else date.fromisoformat(published)
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise Misuse(
            f"as_of is {text[:40]!r}; expected a day such as 2011-11-09.",
            "Choose a day in the field.",
        ) from None
    if day.year < EARLIEST_YEAR:
        raise Misuse(
            f"as_of is {day}; expected a day from {EARLIEST_YEAR} on.",
            "Choose a day in the field.",
        )
    if day > last:
        raise Misuse(
            f"as_of is {day}, which is after today ({last}).",
            "Choose today or a day before.",
        )
    return day


def today(shop: Shop) -> date:
    """Return a shop's today: a demo shop lives in a world with its own date."""
    now = datetime.now(UTC).astimezone(ZoneInfo(shop.settings.timezone)).date()
    return shop.lived_until or now


def _count(shop: Shop, day: date) -> dict[str, Any]:
    import duckdb

    try:
        with source_of(shop, seconds=LONGEST_SECONDS) as source:
            return make_board(source, day, weeks=1)
    except duckdb.Error as error:
        raise Failure(
            f"The KPIs of {day} could not be counted.",
            "Try again; if it stays so, look at: cartwheel kpis",
        ) from error
