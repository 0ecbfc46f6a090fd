"""The worker beside the API: drains events into the lake and runs asked-for turns.

`python -m cartwheel.worker SHOP`. It is a process of its own, so that the API never
loads the heavy libraries and a turn never delays an answer.
"""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
from pathlib import Path
from types import FrameType

from sqlalchemy import select, update

from cartwheel.errors import Busy, CartwheelError
from cartwheel.operations import reading, requests
from cartwheel.shop import Shop, open_shop
from cartwheel.turn.child import die_with_parent

PAUSE_SECONDS = 2.0


def work_once(shop: Shop) -> bool:
    """Drain what waits and run one asked-for turn; tell whether anything was done."""
    from cartwheel.lake.inbox import drain

    drained = 0
    with contextlib.suppress(Busy):  # an import or a turn holds the lake; next time
        drained = drain(shop)
    return _run_request(shop) or drained > 0


def _run_request(shop: Shop) -> bool:
    query = (
        select(requests.c.seq)
        .where(requests.c.state == "waiting", requests.c.what == "turn")
        .order_by(requests.c.seq)
        .limit(1)
    )
    with reading(shop.database) as con:
        seq = con.execute(query).scalar_one_or_none()
    if seq is None:
        return False
    from cartwheel.turn.workflow import run_turn

    try:
        summary = run_turn(shop)
    except Busy:
        return False
    except CartwheelError as error:
        _close(shop, seq, "failed", str(error))
    else:
        _close(shop, seq, "done", f"turn {summary['turn']}")
    return True


def _close(shop: Shop, seq: int, state: str, note: str) -> None:
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
    sys.exit(main(sys.argv[1]))
