"""The worker beside the API is kept alive and ended with it."""

from __future__ import annotations

import socket
import threading
from pathlib import Path
from typing import Any

import pytest

from cartwheel import serving
from cartwheel.api.keys import list_keys, make_key
from cartwheel.errors import Misuse
from cartwheel.settings import check_settings
from cartwheel.shop import Shop, make_shop
from cartwheel.storefront.serve import read_key


class Process:
    """A worker that dies at once, the last of them not before it is ended."""

    made: list[Process]
    lasting: int
    up = threading.Event()

    def __init__(self, command: list[str], **_more: Any) -> None:
        assert command[1:3] == ["-m", "cartwheel.worker"]
        Process.made.append(self)
        dies = len(Process.made) < Process.lasting
        self.returncode: int | None = -11 if dies else None
        self.ended = False
        if not dies:
            Process.up.set()

    def poll(self) -> int | None:
        return self.returncode

    def terminate(self) -> None:
        self.ended, self.returncode = True, 0

    def wait(self, timeout: float | None = None) -> int:
        assert self.returncode is not None
        return self.returncode


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    Process.made, Process.lasting, Process.up = [], 1, threading.Event()
    monkeypatch.setattr(serving.subprocess, "Popen", Process)
    monkeypatch.setattr(serving, "LOOK_SECONDS", 0.001)
    monkeypatch.setattr(serving, "FIRST_PAUSE", 0.001)
    monkeypatch.setattr(serving, "LONGEST_PAUSE", 0.002)
    return make_shop(tmp_path / "shop", currency="EUR")


def test_a_worker_that_dies_is_started_again_and_the_last_one_ended(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    Process.lasting = 4
    with serving._worker(shop, True):
        assert Process.up.wait(20)
    assert len(Process.made) == 4
    assert Process.made[-1].ended
    assert caplog.text.count("ended with code -11") == 3


def test_no_worker_when_none_is_wanted(shop: Shop) -> None:
    with serving._worker(shop, False):
        pass
    assert Process.made == []


def in_force(shop: Shop) -> dict[str, frozenset[str]]:
    found = list_keys(shop.database)
    return {key.name: key.scopes for key in found if key.revoked_at is None}


def test_the_storefronts_key_is_narrow_and_made_once(tmp_path: Path) -> None:
    shop = Shop(folder=tmp_path, settings=check_settings({"currency": "EUR"}, tmp_path))
    make_key(shop.database, "other", ["metrics:read"])
    serving.ensure_browser_key(shop)
    first = read_key(tmp_path)
    serving.ensure_browser_key(shop)
    assert read_key(tmp_path) == first
    scopes = in_force(shop).pop(serving.BROWSER_KEY)
    assert {"events:write", "recommendations:read"} <= scopes
    assert scopes <= set(serving.BROWSER_SCOPES)
    # One that was lost, or cannot do all of it, is replaced; others are left alone.
    (tmp_path / "storefront.key").write_text("cw_nonsense")
    serving.ensure_browser_key(shop)
    assert read_key(tmp_path) not in ("", first, "cw_nonsense")
    old = make_key(shop.database, "by hand", ["events:write"])
    (tmp_path / "storefront.key").write_text(old)
    serving.ensure_browser_key(shop)
    assert set(in_force(shop)) == {"other", serving.BROWSER_KEY}


def test_the_storefronts_port_is_the_next_one_or_a_free_one() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert serving.port_above("127.0.0.1")(port - 1) == 0
    assert serving.port_above("127.0.0.1")(port - 1) == port
    assert serving.port_above("127.0.0.1")(serving.LAST_PORT) == 0


def test_a_real_shop_is_given_no_storefront(shop: Shop) -> None:
    with pytest.raises(Misuse, match="real shop"):
        serving.serve_storefront(
            shop, host="127.0.0.1", port=0, api="http://127.0.0.1:1", say=print
        )
    assert read_key(shop.folder) == ""


def test_the_storefront_runs_beside_as_a_process_of_its_own(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands: list[list[str]] = []

    class Store(Process):
        def __init__(self, command: list[str], **_more: Any) -> None:
            commands.append(command)
            self.returncode, self.ended = None, False
            Process.up.set()

    monkeypatch.setattr(serving.subprocess, "Popen", Store)
    with serving._storefront(shop, "127.0.0.1", 8643, "http://127.0.0.1:8642"):
        assert Process.up.wait(20)
    (command,) = commands
    assert command[1:] == [
        *("-m", "cartwheel.storefront.serve", str(shop.folder)),
        *("127.0.0.1", "8643", "http://127.0.0.1:8642"),
    ]
