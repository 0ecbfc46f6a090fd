"""Load on the API: events acknowledged a second, recommendations' latency.

The server runs in its own process; the load comes from this one, over loopback, so
both share the machine's cores. SQLite alone commits the same batches, and FastAPI alone
answers a constant, in the same run.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sqlite3
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bench.measure import Figure, Plan, Skipped, python
from cartwheel.api.keys import make_key
from cartwheel.levers.base import Model
from cartwheel.operations import now_text, turns
from cartwheel.shop import Shop, make_shop

BATCH = 50
RATE = 200
CONNECTIONS = 8
KEYS = 4
SECONDS = 5.0
QUICK_SECONDS = 0.5
PRODUCTS = (1_000, 4_000, 16_000)
QUICK_PRODUCTS = (50, 100, 200)
SCOPES = ["events:write", "recommendations:read"]

SERVER = """
import sys
from pathlib import Path
from cartwheel.api.app import serve
from cartwheel.shop import open_shop
serve(open_shop(Path(sys.argv[1])), "127.0.0.1", int(sys.argv[2]), console=False)
"""

CONSTANT = """
import sys
import uvicorn
from fastapi import FastAPI
app = FastAPI()

@app.api_route("/{path:path}", methods=["GET", "POST"])
async def constant(path: str) -> dict[str, bool]:
    return {"ok": True}

uvicorn.run(app, port=int(sys.argv[2]), log_level="error", access_log=False)
"""


@dataclass
class Server:
    """A server process and its port."""

    process: subprocess.Popen[bytes]
    port: int

    def peak_mb(self) -> float:
        text = Path(f"/proc/{self.process.pid}/status").read_text()
        line = next(row for row in text.splitlines() if row.startswith("VmHWM"))
        return int(line.split()[1]) / 1024

    def cpu_seconds(self) -> float:
        """Processor time so far: what an answer costs, whoever else is running."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().split()
        return (int(fields[13]) + int(fields[14])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def ended(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """End a process afterwards, whatever happens."""
    try:
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


@contextmanager
def started(program: str, folder: Path) -> Iterator[Server]:
    """Run a server meanwhile, from the moment it answers."""
    port = free_port()
    process = subprocess.Popen(
        python("-c", program, str(folder), str(port)),
        stderr=subprocess.DEVNULL,
    )
    with ended(process):
        for _ in range(300):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5)
                break
            except OSError:
                time.sleep(0.1)
        else:
            raise Skipped("the server did not start")
        yield Server(process, port)


async def exchange(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes
) -> int:
    """Send one request and return the answer's status."""
    writer.write(request)
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
    await reader.readexactly(length)
    return int(head[9:12])


async def flood(port: int, make: Callable[[], bytes], seconds: float) -> list[float]:
    """Send as fast as answers come; return every answer's seconds."""
    ends_at = time.perf_counter() + seconds
    taken: list[float] = []

    async def one() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while (began := time.perf_counter()) < ends_at:
            status = await exchange(reader, writer, make())
            assert status == 200, status
            taken.append(time.perf_counter() - began)
        writer.close()

    await asyncio.gather(*(one() for _ in range(CONNECTIONS)))
    return taken


async def paced(
    port: int, make: Callable[[], bytes], seconds: float, rate: int = RATE
) -> list[float]:
    """Send `rate` requests a second; time counts from when each was due."""
    idle: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = (
        asyncio.Queue()
    )
    for _ in range(4 * CONNECTIONS):
        idle.put_nowait(await asyncio.open_connection("127.0.0.1", port))
    taken: list[float] = []

    async def one(due: float, request: bytes) -> None:
        streams = await idle.get()
        status = await exchange(*streams, request)
        assert status == 200, status
        taken.append(time.perf_counter() - due)
        idle.put_nowait(streams)

    began = time.perf_counter()
    tasks = []
    for number in range(int(seconds * rate)):
        due = began + number / rate
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        tasks.append(asyncio.create_task(one(due, make())))
    await asyncio.gather(*tasks)
    return taken


def event_requests(keys: Sequence[str]) -> Callable[[], bytes]:
    """Return a maker of requests with `BATCH` new events each, by a key in turn.

    One key may send 1,000 batches a second, which one process can take.
    """
    number = 0

    def make() -> bytes:
        nonlocal number
        body = json.dumps({"events": events(number)}).encode()
        key = keys[number // BATCH % len(keys)]
        number += BATCH
        head = (
            f"POST /v1/events HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {key}"
            f"\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body

    return make


def events(first: int) -> list[dict[str, str]]:
    run = f"{time.time_ns():x}"
    return [
        {
            "event_id": f"{run}-{number}",
            "kind": "view",
            "occurred_at": "2026-03-01T12:00:00Z",
            "visitor_id": f"v{number % 997}",
            "product_id": f"P{number % 4000:05d}",
            "placement": "product",
        }
        for number in range(first, first + BATCH)
    ]


def recommendation_requests(
    key: str, products: int, digits: int = 5
) -> Callable[[], bytes]:
    """Return a maker of requests of ever other customers and visits."""
    rng = np.random.default_rng(1)

    def make() -> bytes:
        seen = ",".join(f"P{n:0{digits}d}" for n in rng.integers(products, size=5))
        path = (
            f"/v1/recommendations?placement=product&limit=10&context={seen}"
            f"&customer=C{int(rng.integers(5000)):05d}"
        )
        head = f"GET {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {key}"
        return f"{head}\r\n\r\n".encode()

    return make


def publish(shop: Shop, products: int) -> None:
    """Publish a model of the shape the lever `recommend` learns."""
    rng = np.random.default_rng(1)
    customers, history, near = 5000, 20, 50
    listed = (products, near)
    arrays = {
        "product_id": np.array([f"P{n:05d}" for n in range(products)]),
        "title": np.array([f"Product {n}" for n in range(products)]),
        "eligible": rng.random(products) < 0.9,
        "factor": rng.uniform(0.8, 1.2, products).astype(np.float32),
        "margin_minor": rng.uniform(100, 900, products),
        "on_hand_units": rng.uniform(0, 90, products),
        "popularity": np.full(products, 1 / products),
        "bestsellers": np.arange(products, dtype=np.int32),
        "base_logit": rng.uniform(-8, -3, products).astype(np.float32),
        "near_index": rng.integers(products, size=listed).astype(np.int32),
        "near_weight": rng.random(listed).astype(np.float32),
        "with_index": rng.integers(products, size=listed).astype(np.int32),
        "with_weight": rng.random(listed).astype(np.float32),
        "customer_id": np.array([f"C{n:05d}" for n in range(customers)]),
        "history_start": np.arange(customers + 1, dtype=np.int64) * history,
        "history_item": rng.integers(products, size=customers * history).astype("i4"),
        "history_weight": rng.random(customers * history).astype(np.float32),
        "history_own": rng.random(customers * history).astype(np.float32) / 50,
        "history_skip": np.zeros(customers * history, bool),
        "history_age": rng.uniform(0, 300, customers * history).astype(np.float32),
    }
    meta = {"eligible_hash": "bench", "explore": 0.1, "score_slope": 0.5}
    Model(rule="ease", arrays=arrays, meta=meta).save(
        shop.turn_folder(1) / "models" / "recommend"
    )
    with shop.database.begin() as connection:
        connection.execute(
            turns.insert().values(
                number=1,
                as_of="2026-01-01",
                state="published",
                seed=1,
                settings="{}",
                started_at=now_text(),
            )
        )


def sqlite_alone(folder: Path, seconds: float) -> float:
    """Return events a second that SQLite commits, one batch a transaction."""
    con = sqlite3.connect(folder / "floor.sqlite", isolation_level=None)
    con.execute("PRAGMA journal_mode=WAL")
    con.execute("PRAGMA synchronous=FULL")
    con.execute(
        "CREATE TABLE IF NOT EXISTS inbox (seq INTEGER PRIMARY KEY, kind TEXT, "
        "id TEXT, body TEXT, received_at TEXT, UNIQUE (kind, id))"
    )
    began = time.perf_counter()
    count = 0
    while time.perf_counter() - began < seconds:
        rows = [
            ("events", event["event_id"], json.dumps(event), now_text())
            for event in events(count)
        ]
        con.execute("BEGIN IMMEDIATE")
        con.executemany(
            "INSERT INTO inbox (kind, id, body, received_at) VALUES (?, ?, ?, ?)", rows
        )
        con.execute("COMMIT")
        count += BATCH
    con.close()
    return count / (time.perf_counter() - began)


def percentile(taken: list[float], share: float) -> float:
    return float(np.quantile(taken, share)) * 1000


def _shop(plan: Plan, name: str, products: int) -> tuple[Shop, str]:
    shop = make_shop(plan.work / name, currency="EUR")
    key = make_key(shop.database, "bench", SCOPES)
    publish(shop, products)
    return shop, key


def _seconds(plan: Plan) -> float:
    return QUICK_SECONDS if plan.quick else SECONDS


def events_part(plan: Plan) -> Iterator[Figure]:
    """Measure events acknowledged by one process, and what one batch costs it."""
    seconds, runs = _seconds(plan), range(plan.repeats(5))
    shop, key = _shop(plan, "events-shop", QUICK_PRODUCTS[0])
    others = [make_key(shop.database, f"bench {n}", SCOPES) for n in range(KEYS - 1)]
    post = event_requests([key, *others])
    with started(SERVER, shop.folder) as server:
        asyncio.run(flood(server.port, post, QUICK_SECONDS))
        before = server.cpu_seconds()
        kept = [asyncio.run(flood(server.port, post, seconds)) for _ in runs]
        cost = (server.cpu_seconds() - before) / sum(map(len, kept))
    alone = [sqlite_alone(plan.work, seconds) for _ in runs]
    with started(CONSTANT, plan.work) as server:
        bare = [asyncio.run(flood(server.port, post, seconds)) for _ in runs]

    def figure(name: str, unit: str, values: list[float], **more: Any) -> Figure:
        size = f"batches of {BATCH}, {CONNECTIONS} connections"
        return Figure(
            part="events", name=name, size=size, unit=unit, values=values, **more
        )

    def rate(found: list[list[float]]) -> list[float]:
        return [len(taken) * BATCH / seconds for taken in found]

    least = None if plan.quick else 5000.0
    yield figure("events acknowledged", "/s", rate(kept), least=least)
    slowest = [percentile(taken, 0.99) for taken in kept]
    yield figure("a batch, p99", "ms", slowest)
    yield figure("processor time of a batch", "ms", [cost * 1000])
    yield figure("SQLite alone, committing the batches", "/s", alone, floor=True)
    yield figure("FastAPI alone, a constant", "/s", rate(bare), floor=True)


def recommendations_part(plan: Plan) -> Iterator[Figure]:
    """Measure latency at a steady rate, by size of the catalogue."""
    sizes = QUICK_PRODUCTS if plan.quick else PRODUCTS
    for products in sizes:
        yield from _answers(plan, products, chief=products == sizes[1])


def _answers(plan: Plan, products: int, *, chief: bool) -> Iterator[Figure]:
    seconds, runs = _seconds(plan), range(plan.repeats(5 if chief else 2))
    shop, key = _shop(plan, f"answers-{products}", products)
    ask = recommendation_requests(key, products)
    with started(SERVER, shop.folder) as server:
        asyncio.run(paced(server.port, ask, QUICK_SECONDS))
        before = server.cpu_seconds()
        served = [asyncio.run(paced(server.port, ask, seconds)) for _ in runs]
        cost = (server.cpu_seconds() - before) / sum(map(len, served))
        peak = server.peak_mb()

    def figure(name: str, unit: str, values: list[float], **more: Any) -> Figure:
        return Figure(
            part="recommendations",
            name=name,
            size=f"{products:,} products, {RATE} requests/s",
            unit=unit,
            values=values,
            **more,
        )

    def at(share: float, found: list[list[float]]) -> list[float]:
        return [percentile(taken, share) for taken in found]

    judged = chief and not plan.quick
    yield figure("answer, p50", "ms", at(0.5, served))
    yield figure("answer, p99", "ms", at(0.99, served), most=20.0 if judged else None)
    yield figure("processor time of an answer", "ms", [cost * 1000])
    yield figure("API process, peak", "MB", [peak], most=350.0 if judged else None)
    if chief:
        with started(CONSTANT, plan.work) as server:
            bare = [asyncio.run(paced(server.port, ask, seconds)) for _ in runs]
            held = server.peak_mb()
        yield figure("FastAPI alone, p50", "ms", at(0.5, bare), floor=True)
        yield figure("FastAPI alone, p99", "ms", at(0.99, bare), floor=True)
        yield figure("FastAPI alone, peak", "MB", [held], floor=True)
