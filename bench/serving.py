"""Recommendations and search of a big shop, alone and while a turn runs.

A made shop is imported and turned by the real program, then one API process answers at
steady rates while a second turn runs on the same two cores. FastAPI alone, answering a
constant at the same rate, tells what the machine allows.
"""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import numpy as np

from bench import api
from bench.api import CONSTANT, SERVER, ended, paced, percentile, started
from bench.big_catalogue import COLOURS, MATERIALS, THINGS, write_big_shop
from bench.measure import Figure, Plan, Run, cartwheel, run
from cartwheel.api.keys import make_key
from cartwheel.shop import make_shop, open_shop

PRODUCTS, INTERACTIONS = 100_000, 1_000_000
QUICK_PRODUCTS, QUICK_INTERACTIONS = 400, 20_000
GROWN, GROWN_INTERACTIONS = (1_000, 10_000, 100_000, 1_000_000), 200_000
QUICK_GROWN = (200, 400)
GROWN_RATE = 20
ASKED_A_SECOND = {"recommendations": 300, "search": 100}
MOST_P99_MS = {"recommendations": 15.0, "search": 40.0}
TIMES_THE_FLOOR = 3.0
SECONDS = 20.0
SCOPES = ["recommendations:read", "search:read"]


def serving(plan: Plan) -> Iterator[Figure]:
    """Measure the turn, then answers alone and beside another turn."""
    products = QUICK_PRODUCTS if plan.quick else PRODUCTS
    interactions = QUICK_INTERACTIONS if plan.quick else INTERACTIONS
    folder = plan.work / "big-shop"
    brought, turned = _made(plan, folder, products, interactions)
    size = f"{products:,} products, {interactions:,} views"

    def figure(name: str, unit: str, value: float, most: float | None = None) -> Figure:
        return Figure(
            part="serving",
            name=name,
            size=size,
            unit=unit,
            values=[value],
            most=None if plan.quick else most,
        )

    yield figure("import", "s", brought.seconds)
    yield figure("turn", "s", turned.seconds, 240.0)
    yield figure("turn, peak", "MB", turned.peak_mb, 3_000.0)
    yield from _answers(plan, folder, products)


def serving_growth(plan: Plan) -> Iterator[Figure]:
    """Measure how turn, answers and memory grow with the catalogue."""
    views = QUICK_INTERACTIONS if plan.quick else GROWN_INTERACTIONS
    for products in QUICK_GROWN if plan.quick else GROWN:
        folder = plan.work / f"grown-{products}"
        _, turned = _made(plan, folder, products, views)
        model = sum(
            one.stat().st_size for one in folder.rglob("models/*/*") if one.is_file()
        )
        found = [
            ("turn", "s", turned.seconds),
            ("turn, peak", "MB", turned.peak_mb),
            ("models on disk", "MB", model / 1e6),
            *_steady(plan, folder, products),
        ]
        for name, unit, value in found:
            yield Figure(
                part="serving-growth",
                name=name,
                size=f"{products:,} products, {views:,} views",
                unit=unit,
                values=[value],
            )
        shutil.rmtree(folder)


def _made(
    plan: Plan, folder: Path, products: int, interactions: int
) -> tuple[Run, Run]:
    """Make, import and turn a shop; return how import and turn went."""
    rows = plan.work / "big"
    write_big_shop(rows, products, interactions)
    make_shop(folder, currency="EUR").database.dispose()
    brought = run(cartwheel("import", "csv", str(rows), "--shop", str(folder)))
    shutil.rmtree(rows)
    return brought, run(cartwheel("turn", "--shop", str(folder)))


def _steady(plan: Plan, folder: Path, products: int) -> list[tuple[str, str, float]]:
    """Return latencies at one low rate for every size, and the server's memory."""
    shop = open_shop(folder)
    key = make_key(shop.database, "bench", SCOPES)
    asks = _asks(key, products)
    seconds = api.QUICK_SECONDS if plan.quick else SECONDS
    found: list[tuple[str, str, float]] = []
    with started(SERVER, shop.folder) as server:
        for name, ask in asks.items():
            _load(server.port, ask, api.QUICK_SECONDS, GROWN_RATE)
            before = server.cpu_seconds()
            taken = _load(server.port, ask, seconds, GROWN_RATE)
            cost = (server.cpu_seconds() - before) / len(taken) * 1000
            found += [
                (f"{name}, p50", "ms", percentile(taken, 0.5)),
                (f"{name}, p99", "ms", percentile(taken, 0.99)),
                (f"{name}, processor time", "ms", cost),
            ]
        found.append(("API process, peak", "MB", server.peak_mb()))
    shop.database.dispose()
    return found


def _answers(plan: Plan, folder: Path, products: int) -> Iterator[Figure]:
    shop = open_shop(folder)
    key = make_key(shop.database, "bench", SCOPES)
    asks = _asks(key, products)
    seconds = api.QUICK_SECONDS if plan.quick else SECONDS
    floor: dict[str, list[float]] = {}
    with started(CONSTANT, plan.work) as server:
        for name, ask in asks.items():
            floor[name] = _load(server.port, ask, seconds, ASKED_A_SECOND[name])
    with started(SERVER, shop.folder) as server:
        for name, ask in asks.items():
            _load(server.port, ask, api.QUICK_SECONDS, ASKED_A_SECOND[name])
            alone = _load(server.port, ask, seconds, ASKED_A_SECOND[name])
            yield from _figures(plan, name, "nothing beside", alone, floor[name])
        turn = subprocess.Popen(
            cartwheel("turn", "--shop", str(shop.folder)),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        with ended(turn):
            for name, ask in asks.items():
                beside = _load(server.port, ask, seconds, ASKED_A_SECOND[name])
                running = turn.poll() is None
                said = "a turn beside" if running else "a turn beside that ended first"
                yield from _figures(plan, name, said, beside, floor[name], judged=True)
        yield Figure(
            part="serving",
            name="API process, peak",
            size=f"{products:,} products",
            unit="MB",
            values=[server.peak_mb()],
        )


def _asks(key: str, products: int) -> dict[str, Callable[[], bytes]]:
    """Return a maker of requests of each kind."""
    return {
        "recommendations": api.recommendation_requests(key, products, digits=7),
        "search": search_requests(key),
    }


def _load(
    port: int, ask: Callable[[], bytes], seconds: float, rate: int
) -> list[float]:
    return asyncio.run(paced(port, ask, seconds, rate))


def _figures(
    plan: Plan,
    name: str,
    beside: str,
    taken: list[float],
    bare: list[float],
    *,
    judged: bool = False,
) -> Iterator[Figure]:
    size = f"{ASKED_A_SECOND[name]} requests/s, {beside}"
    most = MOST_P99_MS[name] if judged and not plan.quick else None
    for share, target in ((0.5, None), (0.95, None), (0.99, most)):
        yield Figure(
            part="serving",
            name=f"{name}, p{share * 100:.0f}",
            size=size,
            unit="ms",
            values=[percentile(taken, share)],
            most=target,
        )
    yield Figure(
        part="serving",
        name=f"{name}, p50 against FastAPI alone",
        size=size,
        unit="times",
        values=[percentile(taken, 0.5) / max(percentile(bare, 0.5), 1e-6)],
        most=TIMES_THE_FLOOR if judged and not plan.quick else None,
    )
    yield Figure(
        part="serving",
        name="FastAPI alone, p99",
        size=f"{ASKED_A_SECOND[name]} requests/s, nothing beside",
        unit="ms",
        values=[percentile(bare, 0.99)],
        floor=True,
    )


def search_requests(key: str) -> Callable[[], bytes]:
    """Return a maker of searches: two or three words, one in ten misspelled."""
    rng = np.random.default_rng(2)

    def make() -> bytes:
        words = [
            COLOURS[int(rng.integers(len(COLOURS)))],
            MATERIALS[int(rng.integers(len(MATERIALS)))],
            THINGS[int(rng.integers(len(THINGS)))],
        ][int(rng.integers(2)) :]
        if rng.random() < 0.1:
            words[-1] = words[-1][:-1] or words[-1]
        path = f"/v1/search?q={quote(' '.join(words))}&limit=20"
        head = f"GET {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {key}"
        return f"{head}\r\n\r\n".encode()

    return make
