"""The durable turn: one active per shop, resumed where it died.

The steps run as a DBOS workflow on `workflows.sqlite`. A turn killed at any moment
leaves its row as `running`; the next `turn` of the shop finishes that one first.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import Any

from dbos import DBOS, DBOSConfig, SetWorkflowID
from sqlalchemy import func, select

from cartwheel.channels.outbox import refresh
from cartwheel.errors import Busy, Failure, Misuse
from cartwheel.measure.freshness import table_states
from cartwheel.operations import now_text, reading, turns
from cartwheel.settings import FILE_NAME
from cartwheel.shop import Shop
from cartwheel.turn import pages, publish, steps
from cartwheel.wheel import find_kinds, find_levers, read_cuts

Progress = Callable[[str], None]
SIGNAL_SECONDS = 3600
EARLIEST_YEAR = 1970


class _Turning:
    """The shop this process turns, one at a time.

    Its folder is no argument of the workflow: it would be recorded, and a copy or a
    restored backup would then resume an interrupted turn in the shop it came from.
    """

    shop: Shop | None = None

    @classmethod
    def here(cls) -> Shop:
        if cls.shop is None:
            raise RuntimeError("a step of a turn ran outside `run_turn`")
        return cls.shop


@DBOS.step()
def _sense(number: int) -> None:
    steps.sense(_Turning.here(), number)


@DBOS.step()
def _pin(number: int) -> None:
    steps.pin(_Turning.here(), number)


@DBOS.step()
def _signals(number: int) -> None:
    shop = _Turning.here()
    steps.mark(shop, number, step="signals")
    steps.run_child(shop, number, "signals", seconds=SIGNAL_SECONDS)


@DBOS.step()
def _lever(number: int, name: str) -> dict[str, Any]:
    return steps.turn_lever(_Turning.here(), number, name)


@DBOS.step()
def _gate(number: int) -> None:
    publish.gate(_Turning.here(), number)


@DBOS.step()
def _publish(number: int) -> None:
    shop = _Turning.here()
    steps.mark(shop, number, step="publish")
    publish.publish(shop, number, pages.make_pages(shop, number))


@DBOS.step()
def _measure(number: int) -> None:
    shop = _Turning.here()
    steps.look_at_experiments(shop, number)
    refresh(shop, find_kinds(find_levers()))
    publish.tidy(shop, number)


@DBOS.workflow()
def _revolve(number: int) -> None:
    _sense(number)
    _pin(number)
    _signals(number)
    for name in steps.lever_names():
        _lever(number, name)
    _gate(number)
    _publish(number)
    _measure(number)


@contextmanager
def turn_lock(shop: Shop) -> Iterator[None]:
    """Hold the right to turn this shop.

    Raises:
        Busy: If another process is turning it.
    """
    handle = os.open(shop.folder / "turn.lock", os.O_CREAT | os.O_RDWR, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Busy(
                "A turn of this shop is running.",
                "Wait for it; follow it with: cartwheel status",
            ) from None
        yield
    finally:
        os.close(handle)


def run_turn(
    shop: Shop,
    *,
    as_of: date | None = None,
    progress: Progress = lambda _: None,
) -> dict[str, Any]:
    """Turn the wheel once, finishing an interrupted turn first.

    Args:
        shop: The shop.
        as_of: Last day whose facts may be used; None for the newest fact's day.
        progress: Called with one line per step.

    Returns:
        The turn's summary, see `summary_of`.

    Raises:
        Busy: If another process is turning this shop.
        Misuse: If there are no facts, or none by `as_of`.
        Failure: If the turn fails; the published turn stays in force.
    """
    with turn_lock(shop), _durable(shop):
        interrupted = _running(shop)
        if interrupted is not None:
            progress(f"turn {interrupted} was interrupted and is resumed")
            _finish(shop, interrupted, progress)
            if as_of is None or steps.read_turn(shop, interrupted).as_of == str(as_of):
                return summary_of(shop, interrupted)
        number = _begin(shop, as_of)
        _finish(shop, number, progress)
        return summary_of(shop, number)


def summary_of(shop: Shop, number: int) -> dict[str, Any]:
    """Return a turn's summary in the shape other programs rely on."""
    with reading(shop.database) as con:
        row = con.execute(select(turns).where(turns.c.number == number)).one()
    return {
        "turn": row.number,
        "as_of": row.as_of,
        "snapshot": row.snapshot,
        "seconds": row.seconds,
        "state": row.state,
        "levers": json.loads(row.levers),
    }


def _begin(shop: Shop, as_of: date | None) -> int:
    from cartwheel.lake.inbox import drain_waiting
    from cartwheel.signals.engine import pin

    drain_waiting(shop)
    _check_names(shop)
    _check_day(shop, as_of)
    when, _ = pin(shop, as_of)
    settings = shop.settings.model_dump(mode="json")
    with shop.database.begin() as con:
        last = con.execute(select(func.max(turns.c.number))).scalar_one()
        before = con.execute(
            select(func.max(turns.c.number)).where(turns.c.state == "published")
        ).scalar_one()
        number = int(last or 0) + 1
        con.execute(
            turns.insert().values(
                number=number,
                as_of=when.as_of.isoformat(),
                state="running",
                step="waiting",
                seed=shop.settings.turn.seed,
                settings=json.dumps(settings, sort_keys=True),
                cuts=json.dumps(sorted(read_cuts(shop.database))),
                previous=before,
                started_at=now_text(),
            )
        )
    return number


def _check_names(shop: Shop) -> None:
    """Raise `Misuse` when the settings name a lever or kind that is not installed."""
    levers = find_levers()
    for section, given, known in (
        ("levers", shop.settings.levers, levers),
        ("autonomy", shop.settings.autonomy, find_kinds(levers)),
    ):
        for name in sorted(set(given) - set(known)):
            raise Misuse(
                f"{section}.{name} is in the settings, but installed are only "
                f"{', '.join(sorted(known))}.",
                f"Correct or remove it in {shop.folder / FILE_NAME}.",
            )


def _check_day(shop: Shop, as_of: date | None) -> None:
    """Raise `Misuse` when there is nothing to look at, or the day is yet to come."""
    from cartwheel.signals.engine import pin

    newest = pin(shop)[0].as_of
    last = max(newest, datetime.now(UTC).date())
    if as_of is not None and as_of > last:
        raise Misuse(
            f"The day to look from is {as_of}; expected {last} or earlier.",
            f"The newest fact is of {newest}.",
        )
    if as_of is not None and as_of.year < EARLIEST_YEAR:
        raise Misuse(
            f"The day to look from is {as_of}; "
            f"expected {EARLIEST_YEAR}-01-01 or later.",
            "Correct the day.",
        )
    when, _ = pin(shop, as_of or newest)
    if not any(state.rows for state in table_states(shop, cutoff_at=when.cutoff_at)):
        by = "" if as_of is None else f" by {as_of}"
        raise Misuse(
            f"The shop knows no fact{by}, so there is nothing to turn on.",
            "Import some with: cartwheel import KIND PATH",
        )


def _finish(shop: Shop, number: int, progress: Progress) -> None:
    with SetWorkflowID(f"turn-{number}"):
        handle = DBOS.start_workflow(_revolve, number)
    _follow(shop, number, handle, progress)
    try:
        handle.get_result()
    except Exception as error:
        text = str(error).splitlines()[0][:500] if str(error) else repr(error)
        steps.mark(shop, number, state="failed", error=text)
        if isinstance(error, Misuse | Failure):
            raise
        raise Failure(
            f"Turn {number} failed: {text}",
            "The published turn stays in force. Correct the cause and turn again.",
        ) from error


def _follow(shop: Shop, number: int, handle: Any, progress: Progress) -> None:
    shown = ""
    while True:
        row = steps.read_turn(shop, number)
        if row.step != shown:
            shown = row.step
            progress(f"turn {number}: {shown}")
        if handle.get_status().status not in {"PENDING", "ENQUEUED"}:
            return
        time.sleep(0.1)


def _running(shop: Shop) -> int | None:
    query = select(func.min(turns.c.number)).where(turns.c.state == "running")
    with reading(shop.database) as con:
        value: int | None = con.execute(query).scalar_one()
    return value


@contextmanager
def _durable(shop: Shop) -> Iterator[None]:
    config: DBOSConfig = {
        "name": "cartwheel",
        "system_database_url": f"sqlite:///{shop.folder / 'workflows.sqlite'}",
        # Fixed, so that a turn begun before an upgrade is resumed after it.
        "application_version": "turn-2",
        "executor_id": "local",
        "log_level": "CRITICAL",
        "enable_otlp": False,
    }
    logging.getLogger("dbos").setLevel(logging.CRITICAL)
    _Turning.shop = shop
    DBOS(config=config)
    try:
        DBOS.launch()  # resumes what was interrupted, so the shop must be known
        yield
    finally:
        DBOS.destroy()
        _Turning.shop = None


def list_turns(shop: Shop) -> list[dict[str, Any]]:
    """Return every turn, newest first."""
    with reading(shop.database) as con:
        rows = con.execute(select(turns).order_by(turns.c.number.desc())).all()
    return [
        {
            "turn": row.number,
            "as_of": row.as_of,
            "state": row.state,
            "step": row.step,
            "seconds": row.seconds,
            "error": row.error,
        }
        for row in rows
    ]
