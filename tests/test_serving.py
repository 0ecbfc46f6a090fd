"""The worker beside the API is kept alive and ended with it."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from cartwheel import serving
from cartwheel.shop import Shop, make_shop


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
