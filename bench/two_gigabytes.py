"""Whether a shop lives in a small machine: API, console, worker and turn together."""

from __future__ import annotations

import http.cookiejar
import json
import re
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import select

from bench.api import (
    CONSTANT,
    ended,
    events,
    free_port,
    started,
)
from bench.growth import sample_folder
from bench.measure import (
    Figure,
    Memory,
    Plan,
    Skipped,
    cartwheel,
    pss_mb,
    run,
    watching,
)
from cartwheel.api.keys import make_key
from cartwheel.operations import reading, requests, turns
from cartwheel.shop import Shop, make_shop

CUSTOMERS = 12_500
QUICK_CUSTOMERS = 150
MOST_MB = 2000.0
PAGES = ("/", "/decisions", "/levers/forecast", "/levers/replenish", "/imports")
MOST_SECONDS = 900


def memory(plan: Plan) -> Iterator[Figure]:
    """Measure all processes of a served shop while it turns and answers."""
    customers = QUICK_CUSTOMERS if plan.quick else CUSTOMERS
    folder, orders = sample_folder(plan, "living", customers)
    shop = make_shop(
        plan.work / "living-shop", currency="EUR", timezone="Europe/Berlin"
    )
    run(cartwheel("import", "csv", str(folder), "--shop", str(shop.folder)))
    size = f"{orders:,} orders"
    found = _lived(shop)
    yield Figure(
        part="memory",
        name="API, console, worker and turn together, peak",
        size=size,
        unit="MB",
        values=[found.peak_mb],
        most=MOST_MB,
    )
    names = {"main": "API and console", "worker": "worker", "turn child": "turn's step"}
    for name, value in sorted(found.parts.items()):
        yield Figure(
            part="memory",
            name=f"of it {names.get(name, name)}",
            size=size,
            unit="MB",
            values=[value],
        )
    with started(CONSTANT, plan.work) as server:
        bare = pss_mb(server.process.pid)
    yield Figure(
        part="memory",
        name="FastAPI alone, a constant",
        size="",
        unit="MB",
        values=[bare],
        floor=True,
    )


def _lived(shop: Shop) -> Memory:
    """Serve a shop, use it as a merchant and a storefront do, and turn it."""
    key = make_key(shop.database, "bench", ["events:write", "recommendations:read"])
    log = shop.folder.parent / "serve.log"
    port = free_port()
    command = cartwheel("serve", "--shop", str(shop.folder), "--port", str(port))
    with log.open("w") as sink:
        process = subprocess.Popen(command, stderr=sink)
    with ended(process), watching(process.pid) as found:
        visitor = _Visitor(f"http://127.0.0.1:{port}", key)
        visitor.sign_in(_link(log))
        visitor.look()
        visitor.post("/turn", {})
        while _waiting(shop):
            # Shoppers come once the turn is pinned: the turn first drains the inbox
            # until it is empty, which under load would measure the load instead.
            if _pinned(shop):
                visitor.use()
            visitor.look()
            time.sleep(0.2)
            if process.poll() is not None or time.monotonic() > visitor.until:
                raise Skipped("the served shop did not finish its turn")
        visitor.look()
        visitor.use()
    with reading(shop.database) as con:
        state, note = con.execute(select(requests.c.state, requests.c.note)).one()
    if state != "done":
        raise Skipped(f"the turn beside the API failed: {note}")
    return found


def _waiting(shop: Shop) -> bool:
    query = select(requests.c.seq).where(requests.c.state == "waiting")
    with reading(shop.database) as con:
        return con.execute(query).first() is not None


def _pinned(shop: Shop) -> bool:
    query = select(turns.c.number).where(turns.c.snapshot.is_not(None))
    with reading(shop.database) as con:
        return con.execute(query).first() is not None


def _link(log: Path) -> str:
    for _ in range(600):
        found = re.search(r"/sign-in\?token=(\S+)", log.read_text())
        if found:
            return found.group(1)
        time.sleep(0.1)
    raise Skipped("the server printed no sign-in link")


class _Visitor:
    """A merchant's browser and a storefront in one."""

    def __init__(self, address: str, key: str) -> None:
        self.address = address
        self.key = key
        self.until = time.monotonic() + MOST_SECONDS
        self._sent = 0
        cookies = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        self._open = urllib.request.build_opener(cookies).open

    def sign_in(self, token: str) -> None:
        for _ in range(600):
            try:
                self._open(f"{self.address}/healthz", timeout=5).read()
                break
            except OSError:
                time.sleep(0.1)
        self.post("/sign-in", {"token": token})

    def post(self, path: str, form: dict[str, str]) -> None:
        body = urllib.parse.urlencode(form).encode()
        self._open(self.address + path, data=body, timeout=60).read()

    def look(self) -> None:
        """Open the console's pages."""
        for path in PAGES:
            try:
                self._open(self.address + path, timeout=60).read()
            except urllib.error.HTTPError as error:
                if error.code != 404:  # a lever's page exists after the first turn
                    raise

    def use(self) -> None:
        """Send events and ask for recommendations for half a second."""
        ends_at = time.monotonic() + 0.5
        head = {"Authorization": f"Bearer {self.key}"}
        asked = f"{self.address}/v1/recommendations?placement=home&customer=C1"
        while time.monotonic() < ends_at:
            body = json.dumps({"events": events(self._sent)}).encode()
            self._sent += 50
            kind = {"Content-Type": "application/json"}
            sent = urllib.request.Request(
                f"{self.address}/v1/events", data=body, headers={**head, **kind}
            )
            self._open(sent, timeout=60).read()
            self._open(urllib.request.Request(asked, headers=head), timeout=60).read()
            time.sleep(0.05)
