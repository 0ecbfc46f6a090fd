"""Serving a shop: the API and console in this process, the worker beside it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from cartwheel.shop import Shop

OWNER = "owner"


def serve_shop(
    shop: Shop, *, host: str, port: int, worker: bool, say: Callable[[str], None]
) -> None:
    """Serve until stopped, after printing a one-time sign-in link.

    Raises:
        Failure: If the port is in use.
    """
    from cartwheel.api.app import free_port, serve
    from cartwheel.api.security import ensure_owner, make_sign_in_link

    port = free_port(host, port)
    ensure_owner(shop.database, OWNER)
    token = make_sign_in_link(shop.database, OWNER, 60)
    with _worker(shop, worker):
        say(f"Serving {shop.settings.name} on http://{host}:{port}")
        say("Sign in once within the hour with this link:")
        say(f"  http://{host}:{port}/sign-in?token={token}")
        serve(shop, host, port)


@contextmanager
def _worker(shop: Shop, wanted: bool) -> Iterator[None]:
    if not wanted:
        yield
        return
    command = [sys.executable, "-m", "cartwheel.worker", str(shop.folder)]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
