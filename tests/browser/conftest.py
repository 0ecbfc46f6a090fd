from __future__ import annotations

import shutil
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from cartwheel.api.app import create_app
from cartwheel.shop import Shop, open_shop
from tests.console.seed import HOSTILE, insert, link_for, make_published, reorder

ARGUMENTS = [
    "--no-sandbox",
    "--headless",
    "--disable-gpu",
    "--disable-background-networking",
    "--no-first-run",
    "--disable-component-update",
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    # Not kept for the session: its event loop would run on under later tests.
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        pytest.skip("no Chromium is installed; get one with: apt-get install chromium")
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as play:
        opened = play.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def made_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A shop made once, with one hostile decision; each module serves a copy."""
    shop = make_published(tmp_path_factory.mktemp("browser") / "shop")
    insert(shop, [("replenish", "proposed", reorder(0, HOSTILE))], first=500)
    shop.database.dispose()
    return shop.folder


@pytest.fixture
def shop(tmp_path: Path, made_folder: Path) -> Shop:
    shutil.copytree(made_folder, tmp_path / "shop")
    return open_shop(tmp_path / "shop")


@contextmanager
def serving(app: Any) -> Iterator[str]:
    """Serve an application on a free port of the loopback; gives its address."""
    import uvicorn

    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    listening.listen()
    # A browser keeps connections open, which nobody waits for.
    config = uvicorn.Config(app, log_config=None, timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    thread = threading.Thread(
        target=server.run, kwargs={"sockets": [listening]}, daemon=True
    )
    thread.start()
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    server.should_exit = True
    thread.join(10)
    listening.close()


@pytest.fixture
def address(shop: Shop) -> Iterator[str]:
    """Serve the shop on a free port of the loopback and return its address."""
    with serving(create_app(shop)) as found:
        yield found


class Watched:
    """A page whose complaints and foreign requests are kept."""

    def __init__(self, page: Any, address: str) -> None:
        self.page = page
        self.complaints: list[str] = []
        self.foreign: list[str] = []
        page.on("console", self._on_console)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

        def on_request(request: Any) -> None:
            if not request.url.startswith(address):
                self.foreign.append(request.url)

        page.on("request", on_request)

    def _on_console(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)


@pytest.fixture
def open_page(
    browser: Any, shop: Shop, address: str
) -> Iterator[Callable[..., Watched]]:
    contexts: list[Any] = []

    def opening(role: str = "owner", **options: Any) -> Watched:
        options.setdefault("viewport", {"width": 1280, "height": 800})
        context = browser.new_context(base_url=address, **options)
        context.set_default_timeout(15_000)
        contexts.append(context)
        watched = Watched(context.new_page(), address)
        watched.page.goto(link_for(shop, f"{role}{len(contexts)}", role))
        watched.page.get_by_role("button", name="Continue").click()
        watched.page.wait_for_url("**/")
        return watched

    yield opening
    for context in contexts:
        context.close()
