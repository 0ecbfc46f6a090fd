"""Serving a shop: the API and console in this process, the worker beside it."""

from __future__ import annotations

import logging
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy import select

from cartwheel.errors import Failure
from cartwheel.operations import reading, users
from cartwheel.shop import Shop

log = logging.getLogger("cartwheel.serving")

OWNER = "owner"
LOOK_SECONDS = 0.2
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 60.0
"""Seconds before a dead worker is started again, doubled each time it dies soon."""


def serve_shop(
    shop: Shop, *, host: str, port: int, worker: bool, say: Callable[[str], None]
) -> None:
    """Serve until stopped, after printing a one-time sign-in link.

    Raises:
        Failure: If the port is in use.
    """
    from cartwheel.api.app import serve
    from cartwheel.api.security import make_sign_in_link

    port = _free_port(host, port)
    _ensure_owner(shop)
    token = make_sign_in_link(shop.database, OWNER, 60)
    with _worker(shop, worker):
        say(f"Serving {shop.settings.name} on http://{host}:{port}")
        say("Sign in once within the hour with this link:")
        say(f"  http://{host}:{port}/sign-in?token={token}")
        serve(shop, host, port)


def _free_port(host: str, port: int) -> int:
    """Return the port, or a free one for 0; fail before anything is promised.

    Raises:
        Failure: If the address cannot be listened on.
    """
    try:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
            found: int = probe.getsockname()[1]
            return found
    except OSError as error:
        raise Failure(
            f"Port {port} on {host} cannot be used: {error.strerror or error}.",
            "Choose another with --port, or --port 0 for any free one.",
        ) from error


def _ensure_owner(shop: Shop) -> None:
    """Make the person who signs in by link; without a password until one is set."""
    from cartwheel.api.security import create_user

    with reading(shop.database) as con:
        known = con.execute(select(users.c.name).where(users.c.name == OWNER)).first()
    if known is None:
        create_user(shop.database, OWNER, "owner", None)


@contextmanager
def _worker(shop: Shop, wanted: bool) -> Iterator[None]:
    """Keep a worker beside the block; one that dies is started again.

    What it was asked for is not lost: a new worker finishes what the old one began.
    """
    if not wanted:
        yield
        return
    stop = threading.Event()
    # The thread lives as long as its worker, which ends when its starter does.
    keeper = threading.Thread(target=_keep, args=(shop, stop), daemon=True)
    keeper.start()
    try:
        yield
    finally:
        stop.set()
        keeper.join(timeout=15)


def _keep(shop: Shop, stop: threading.Event) -> None:
    pause = FIRST_PAUSE
    command = [sys.executable, "-m", "cartwheel.worker", str(shop.folder)]
    while not stop.is_set():
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
        began = time.monotonic()
        while process.poll() is None and not stop.wait(LOOK_SECONDS):
            pass
        if process.poll() is None:
            _end(process)
            return
        # One that dies at once is started ever more rarely.
        lasted = time.monotonic() - began
        pause = FIRST_PAUSE if lasted > LONGEST_PAUSE else min(2 * pause, LONGEST_PAUSE)
        log.warning(
            "The worker ended with code %s; starting it again.", process.returncode
        )
        stop.wait(pause)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
