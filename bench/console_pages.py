"""How long the console's pages of measurement take, by the number of orders.

A sample shop's year is imported by the real program and turned twice: as of a day in
the spring, from which all that its levers propose is approved, and as of the last day,
so that the ledger of earnings has units to compare. Then one process serves the
console, and each page is asked for a hundred times, one request after the other, as an
owner would. What a turn needs to read the ledger is measured apart, since the page is
drawn from what the turn published.
"""

from __future__ import annotations

import json
import shutil
import time
import urllib.request
from collections.abc import Iterator, Sequence
from datetime import date, timedelta

from bench.api import CONSTANT, Server, percentile, started
from bench.measure import Figure, Plan, Skipped, cartwheel, run
from cartwheel.api.security import (
    COOKIE,
    create_user,
    make_sign_in_link,
    use_sign_in_link,
)
from cartwheel.shop import Shop, make_shop
from cartwheel.simulator.living.agreed import approve_everything
from cartwheel.simulator.sample import make_sample, write_folder

START, DAYS, QUICK_DAYS = date(2025, 1, 1), 365, 150
FIRST_TURN = 100
"""Days of trade before the first turn."""

CUSTOMERS, QUICK_CUSTOMERS = 16_000, 400
SCALES, QUICK_SCALES = (1.0, 2.2, 5.5), (1.0,)
"""Traffic for each customer: some 25,000, 50,000 and 100,000 orders a year, since who
was shown more does not buy in proportion."""

ASKED, QUICK_ASKED = 100, 3
PAGES = ("/earnings", "/kpis", "/health", "/experiments", "/")
MOST_MS = 300.0
CHIEF = "/earnings"

SERVER = """
import sys
from pathlib import Path
from cartwheel.api.app import serve
from cartwheel.shop import open_shop
serve(open_shop(Path(sys.argv[1])), "127.0.0.1", int(sys.argv[2]))
"""


def pages(plan: Plan) -> Iterator[Figure]:
    """Measure the pages, and the ledger behind Earnings, at each size."""
    scales = QUICK_SCALES if plan.quick else SCALES
    for scale in scales:
        shop, orders = _lived(plan, scale)
        chief = scale == scales[-1] and not plan.quick
        size = f"{orders:,} orders in a year"
        yield Figure(
            part="pages",
            name="ledger of earnings, the whole command",
            size=size,
            unit="s",
            values=[_ledger(shop)],
        )
        with started(SERVER, shop.folder) as server:
            cookie = _signed_in(shop)
            for path in PAGES:
                taken = _asked(server, path, cookie, plan)
                most = MOST_MS if chief and path == CHIEF else None
                yield from _figures(path, size, taken, most)
        shop.database.dispose()
        shutil.rmtree(shop.folder)
    with started(CONSTANT, plan.work) as server:
        yield from _figures(
            "FastAPI alone, a constant", "", _asked(server, "/", "", plan), floor=True
        )


def _lived(plan: Plan, scale: float) -> tuple[Shop, int]:
    """Make a sample shop, import it and turn it twice; return it and its orders."""
    customers, days = (QUICK_CUSTOMERS, QUICK_DAYS) if plan.quick else (CUSTOMERS, DAYS)
    tables = make_sample(
        seed=1,
        start=START,
        customers=customers,
        days=days,
        products=40 if plan.quick else 300,
        scale=scale,
    )
    folder = plan.work / "pages"
    write_folder(tables, folder)
    orders = len(tables["orders"].column("order_id").unique())
    shop = make_shop(
        plan.work / f"pages-{scale:g}", currency="EUR", timezone="Europe/Berlin"
    )
    run(cartwheel("import", "csv", str(folder), "--shop", str(shop.folder)))
    shutil.rmtree(folder)
    for day in (FIRST_TURN, days - 1):
        as_of = (START + timedelta(days=day)).isoformat()
        run(cartwheel("turn", "--as-of", as_of, "--shop", str(shop.folder)))
        approve_everything(shop, actor="bench")
    return shop, orders


def _ledger(shop: Shop) -> float:
    """Return the seconds of `cartwheel earnings`.

    Raises:
        Skipped: If nothing was earned or lost by any group: an empty page is no test.
    """
    found = run(cartwheel("earnings", "--json", "--shop", str(shop.folder)))
    if not any(entry["reached"] for entry in json.loads(found.stdout)["entries"]):
        raise Skipped("the levers of the sample shop reached nobody")
    return found.seconds


def _signed_in(shop: Shop) -> str:
    """Return the cookie of an owner who is signed in."""
    create_user(shop.database, "bench", "owner")
    link = make_sign_in_link(shop.database, "bench")
    return f"{COOKIE}={use_sign_in_link(shop.database, link)}"


def _asked(server: Server, path: str, cookie: str, plan: Plan) -> list[float]:
    """Return the seconds of each request for a page, the first left out."""
    address = f"http://127.0.0.1:{server.port}{path}"
    taken = []
    for _ in range(1 + (QUICK_ASKED if plan.quick else ASKED)):
        request = urllib.request.Request(address, headers={"Cookie": cookie})
        began = time.perf_counter()
        with urllib.request.urlopen(request, timeout=60) as answer:
            answer.read()
        taken.append(time.perf_counter() - began)
    return taken[1:]


def _figures(
    name: str,
    size: str,
    taken: Sequence[float],
    most: float | None = None,
    *,
    floor: bool = False,
) -> Iterator[Figure]:
    for share, target in ((0.5, None), (0.99, most)):
        yield Figure(
            part="pages",
            name=f"{name}, p{share * 100:.0f}",
            size=size,
            unit="ms",
            values=[percentile(list(taken), share)],
            most=target,
            floor=floor,
        )
