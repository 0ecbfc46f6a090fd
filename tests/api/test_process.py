from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from cartwheel.api.keys import make_key
from cartwheel.lake.inbox import drain
from cartwheel.shop import Shop, make_shop

HEAVY = ("pandas", "pyarrow", "lightgbm", "ibis", "sklearn", "scipy", "duckdb")

SERVER = """
import sys
from pathlib import Path
from cartwheel.api.app import serve
from cartwheel.shop import open_shop
serve(open_shop(Path(sys.argv[1])), "127.0.0.1", int(sys.argv[2]), console=False)
"""

ALONE = """
import json, sys
from pathlib import Path
from types import SimpleNamespace
from fastapi.testclient import TestClient
from cartwheel.api.app import create_app
from cartwheel.levers.base import Model
from cartwheel.operations import open_database
folder = Path(sys.argv[1])
shop = SimpleNamespace(
    folder=folder,
    database=open_database(folder / "operations.sqlite"),
    turn_folder=lambda number: folder / str(number),
    settings=SimpleNamespace(timezone="UTC"),
)
with TestClient(create_app(shop, console=False)) as client:
    assert client.get("/healthz").status_code == 200
    assert client.get("/docs").status_code == 200
print(json.dumps(sorted(sys.modules)))
"""


def test_api_process_loads_no_heavy_library(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", ALONE, str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = set(json.loads(done.stdout.splitlines()[-1]))
    assert [name for name in HEAVY if name in loaded] == []


class Sender:
    """Sends batches until it is told to stop; remembers what was acknowledged."""

    def __init__(self, port: int, key: str, name: str) -> None:
        self.address = f"http://127.0.0.1:{port}/v1/events"
        self.key = key
        self.name = name
        self.acknowledged: set[str] = set()
        self.some = threading.Event()
        self.thread = threading.Thread(target=self.run)

    def run(self) -> None:
        for number in range(100_000):
            ids = [f"{self.name}-{number}-{i}" for i in range(20)]
            events = [{"event_id": i, "kind": "view"} for i in ids]
            request = urllib.request.Request(
                self.address,
                data=json.dumps({"events": events}).encode(),
                headers={"Authorization": f"Bearer {self.key}"},
            )
            try:
                with urllib.request.urlopen(request, timeout=10) as answer:
                    if json.load(answer)["accepted"] == 20:
                        self.acknowledged.update(ids)
            except (OSError, http.client.HTTPException, ValueError):
                return
            if number == 5:
                self.some.set()


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return make_shop(tmp_path / "shop", currency="EUR")


def start_server(shop: Shop) -> tuple[subprocess.Popen[bytes], int]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-c", SERVER, str(shop.folder), str(port)],
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5)
            return process, port
        except OSError:
            threading.Event().wait(0.05)
    process.kill()
    raise AssertionError("the server did not start")


def test_killed_under_load_loses_and_doubles_no_acknowledged_event(shop: Shop) -> None:
    key = make_key(shop.database, "page", ["events:write"])
    acknowledged: set[str] = set()
    for life in range(2):
        process, port = start_server(shop)
        senders = [Sender(port, key, f"{life}-{n}") for n in range(3)]
        for sender in senders:
            sender.thread.start()
        for sender in senders:
            assert sender.some.wait(60)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        for sender in senders:
            sender.thread.join()
            acknowledged |= sender.acknowledged
        while drain(shop):
            pass
    with shop.lake.attached(read_only=True) as con:
        kept = [
            row[0] for row in con.execute("SELECT event_id FROM lake.events").fetchall()
        ]
    assert len(kept) == len(set(kept))
    assert acknowledged
    assert acknowledged <= set(kept)


def test_server_ends_cleanly_when_asked(shop: Shop) -> None:
    process, _ = start_server(shop)
    process.terminate()
    assert process.wait(timeout=20) in (0, -signal.SIGTERM)
