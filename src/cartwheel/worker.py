"""The worker beside the API: drains events into the lake, does what was asked for.

`python -m cartwheel.worker SHOP`. It is a process of its own, so that the API never
loads the heavy libraries and a turn never delays an answer.
"""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from types import FrameType
from typing import Any

from sqlalchemy import Row, select, update

from cartwheel.child_process import die_with_parent, step_back
from cartwheel.errors import Busy, CartwheelError
from cartwheel.operations import reading, requests
from cartwheel.shop import Shop, open_shop

PAUSE_SECONDS = 2.0


def work_once(shop: Shop) -> bool:
    """Drain what waits and do one asked-for job; tell whether anything was done."""
    from cartwheel.lake.inbox import drain

    drained = 0
    with contextlib.suppress(Busy):  # an import or a turn holds the lake; next time
        drained = drain(shop)
    return _run_request(shop) or drained > 0


def _run_request(shop: Shop) -> bool:
    # One found running was interrupted: each job finishes what it had begun.
    query = (
        select(requests)
        .where(requests.c.state.in_(["waiting", "running"]), requests.c.what.in_(JOBS))
        .order_by(requests.c.seq)
        .limit(1)
    )
    with reading(shop.database) as con:
        asked = con.execute(query).first()
    if asked is None:
        return False
    try:
        note = JOBS[asked.what](shop, asked)
    except Busy:
        return False
    except CartwheelError as error:
        _note(shop, asked.seq, "failed", str(error))
    else:
        _note(shop, asked.seq, "done", note)
    return True


def _turn(shop: Shop, _asked: Row[Any]) -> str:
    from cartwheel.turn.workflow import run_turn

    return f"turn {run_turn(shop)['turn']}"


def _live(shop: Shop, asked: Row[Any]) -> str:
    """Let a demo shop live a week; the simulator is loaded for nothing else."""
    from cartwheel.simulator.living.living import live

    approves = asked.what == "live-approving"
    lived = live(
        shop,
        approve_as=asked.actor if approves else None,
        request=asked.seq,
        say=lambda line: _note(shop, asked.seq, "running", line),
    )
    return f"lived until {lived.last_day}"


JOBS: Mapping[str, Callable[[Shop, Row[Any]], str]] = {
    "turn": _turn,
    "live": _live,
    "live-approving": _live,
}
"""What can be asked for, and who does it; each returns how it went."""


def _note(shop: Shop, seq: int, state: str, note: str) -> None:
    with shop.database.begin() as con:
        con.execute(
            update(requests)
            .where(requests.c.seq == seq)
            .values(state=state, note=note[:500])
        )


def main(folder: str) -> int:
    """Work until asked to stop."""
    stop = threading.Event()

    def end(_signal: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    shop = open_shop(Path(folder))
    while not stop.is_set():
        try:
            busy = work_once(shop)
        except CartwheelError as error:
            print(f"worker: {error}", file=sys.stderr, flush=True)
            busy = False
        if not busy:
            stop.wait(PAUSE_SECONDS)
    return 0


if __name__ == "__main__":
    die_with_parent()
    step_back()
    sys.exit(main(sys.argv[1]))
