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
from datetime import date
from pathlib import Path
from typing import Any

from dbos import DBOS, DBOSConfig, SetWorkflowID
from sqlalchemy import func, select

from cartwheel.errors import Busy, Failure, Misuse
from cartwheel.operations import now_text, reading, turns
from cartwheel.shop import Shop, open_shop
from cartwheel.turn import pages, publish, steps
from cartwheel.wheel import read_cuts

Progress = Callable[[str], None]
SIGNAL_SECONDS = 3600


@DBOS.step()
def _sense(folder: str, number: int) -> None:
    steps.sense(open_shop(Path(folder)), number)


@DBOS.step()
def _pin(folder: str, number: int) -> None:
    steps.pin(open_shop(Path(folder)), number)


@DBOS.step()
def _signals(folder: str, number: int) -> None:
    shop = open_shop(Path(folder))
    steps.mark(shop, number, step="signals")
    steps.run_child(shop, number, "signals", seconds=SIGNAL_SECONDS)


@DBOS.step()
def _lever(folder: str, number: int, name: str) -> dict[str, Any]:
    return steps.turn_lever(open_shop(Path(folder)), number, name)


@DBOS.step()
def _gate(folder: str, number: int) -> None:
    publish.gate(open_shop(Path(folder)), number)


@DBOS.step()
def _publish(folder: str, number: int) -> None:
    shop = open_shop(Path(folder))
    steps.mark(shop, number, step="publish")
    publish.publish(shop, number, pages.make_pages(shop, number))


@DBOS.step()
def _measure(folder: str, number: int) -> None:
    publish.tidy(open_shop(Path(folder)), number)


@DBOS.workflow()
def _revolve(folder: str, number: int) -> None:
    _sense(folder, number)
    _pin(folder, number)
    _signals(folder, number)
    for name in steps.lever_names():
        _lever(folder, number, name)
    _gate(folder, number)
    _publish(folder, number)
    _measure(folder, number)


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
    from cartwheel.lake.inbox import drain
    from cartwheel.signals.engine import pin

    while drain(shop):
        pass
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


def _finish(shop: Shop, number: int, progress: Progress) -> None:
    with SetWorkflowID(f"turn-{number}"):
        handle = DBOS.start_workflow(_revolve, str(shop.folder), number)
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
        "application_version": "turn-1",
        "executor_id": "local",
        "log_level": "CRITICAL",
        "enable_otlp": False,
    }
    logging.getLogger("dbos").setLevel(logging.CRITICAL)
    DBOS(config=config)
    DBOS.launch()
    try:
        yield
    finally:
        DBOS.destroy()


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
