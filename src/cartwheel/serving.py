"""Serving a shop: the API and console in this process, others beside it.

Beside it run the worker and, for a demo shop, the storefront; one that dies is started
again.
"""

from __future__ import annotations

import logging
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager

from sqlalchemy import select

from cartwheel.errors import Failure
from cartwheel.operations import reading, users
from cartwheel.shop import Shop

log = logging.getLogger("cartwheel.serving")

OWNER = "owner"
BROWSER_KEY = "demo storefront"
BROWSER_SCOPES = ("events:write", "recommendations:read", "search:read", "support:ask")
LAST_PORT = 65_535
LOOK_SECONDS = 0.2
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 60.0
"""Seconds before a dead worker is started again, doubled each time it dies soon."""


def serve_shop(
    shop: Shop,
    *,
    host: str,
    port: int,
    worker: bool,
    say: Callable[[str], None],
    storefront: Callable[[int], int] | None = None,
) -> None:
    """Serve until stopped, after printing a one-time sign-in link.

    Args:
        shop: The shop.
        host: Address to listen on.
        port: Port of API and console, 0 for a free one.
        worker: Run a worker beside it.
        say: Told where everything is.
        storefront: Gives the demo storefront's port from the API's; None for none.

    Raises:
        Failure: If a port is in use.
    """
    from cartwheel.api.app import serve
    from cartwheel.api.security import make_sign_in_link

    port = _free_port(host, port)
    _ensure_owner(shop)
    token = make_sign_in_link(shop.database, OWNER, 60)
    with ExitStack() as stack:
        stack.enter_context(_worker(shop, worker))
        say(f"Serving {shop.settings.name} on http://{host}:{port}")
        if storefront is not None:
            store = _free_port(host, storefront(port))
            api = f"http://{f'[{host}]' if ':' in host else host}:{port}"
            ensure_browser_key(shop)
            stack.enter_context(_storefront(shop, host, store, api))
            say(f"Its storefront, to shop in: http://{host}:{store}")
        say("Sign in once within the hour with this link:")
        say(f"  http://{host}:{port}/sign-in?token={token}")
        serve(shop, host, port)


def serve_storefront(
    shop: Shop, *, host: str, port: int, api: str, say: Callable[[str], None]
) -> None:
    """Serve a demo shop's storefront until stopped.

    Args:
        shop: A demo shop.
        host: Address to listen on.
        port: Port to listen on, 0 for a free one.
        api: Address at which a shopper's browser reaches the shop's API.
        say: Told where it is.

    Raises:
        Misuse: If the shop is no demo shop, or `api` no address.
        Failure: If the port is in use.
    """
    from cartwheel.storefront.app import check_demo
    from cartwheel.storefront.serve import serve

    check_demo(shop)
    port = _free_port(host, port)
    ensure_browser_key(shop)
    say(f"The storefront of {shop.settings.name} is on http://{host}:{port}")
    serve(shop, host=host, port=port, api=api)


def port_above(host: str) -> Callable[[int], int]:
    """Return what finds the storefront's port: the next one, or a free one."""

    def choose(port: int) -> int:
        try:
            return _free_port(host, port + 1) if port < LAST_PORT else 0
        except Failure:
            return 0

    return choose


def ensure_browser_key(shop: Shop) -> None:
    """See that a key of narrow scope lies ready for the storefront's pages.

    It stands in every page, so it is no secret and may be kept as it is.
    """
    from cartwheel.api.keys import fingerprint, list_keys, make_key, revoke_key
    from cartwheel.storefront.serve import KEY_FILE, read_key

    kept = fingerprint(read_key(shop.folder))
    for key in list_keys(shop.database):
        if key.revoked_at is None and key.fingerprint == kept:
            if key.scopes == frozenset(BROWSER_SCOPES):
                return
            revoke_key(shop.database, key.prefix)
        elif key.revoked_at is None and key.name == BROWSER_KEY:
            revoke_key(shop.database, key.prefix)
    token = make_key(shop.database, BROWSER_KEY, list(BROWSER_SCOPES))
    (shop.folder / KEY_FILE).write_text(f"{token}\n", encoding="utf-8")


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
    with _beside("worker", "cartwheel.worker", [str(shop.folder)]):
        yield


@contextmanager
def _storefront(shop: Shop, host: str, port: int, api: str) -> Iterator[None]:
    """Keep a demo shop's storefront beside the block."""
    arguments = [str(shop.folder), host, str(port), api]
    with _beside("storefront", "cartwheel.storefront.serve", arguments):
        yield


@contextmanager
def _beside(name: str, module: str, arguments: Sequence[str]) -> Iterator[None]:
    """Keep a module running as a process of its own beside the block."""
    command = [sys.executable, "-m", module, *arguments]
    stop = threading.Event()
    # The thread lives as long as its process, which ends when its starter does.
    keeper = threading.Thread(target=_keep, args=(name, command, stop), daemon=True)
    keeper.start()
    try:
        yield
    finally:
        stop.set()
        keeper.join(timeout=15)


def _keep(name: str, command: Sequence[str], stop: threading.Event) -> None:
    pause = FIRST_PAUSE
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
            "The %s ended with code %s; starting it again.", name, process.returncode
        )
        stop.wait(pause)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
