"""kill -9 of a turn, of the API under load and of an import, many times each.

    python scripts/crash.py --times 20

Prints one line per part: kills, acknowledged items lost, items doubled, failed starts.
Exit code 1 when anything was lost, doubled or did not start again.
"""

from __future__ import annotations

import argparse
import http.client
import json
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections import Counter
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from cartwheel.connectors.intake import import_source
from cartwheel.shop import Shop, make_shop
from cartwheel.simulator.sample import make_sample, write_folder

CLI = [sys.executable, "-m", "cartwheel.cli"]


@dataclass
class Result:
    """What one part of the run found."""

    part: str
    kills: int = 0
    checked: int = 0
    lost: int = 0
    doubled: int = 0
    failed_starts: int = 0

    def line(self) -> str:
        """Return the result in one line."""
        return (
            f"{self.part:8} {self.kills:3} kills  {self.checked:7,} checked  "
            f"{self.lost} lost  {self.doubled} doubled  "
            f"{self.failed_starts} failed starts"
        )

    @property
    def good(self) -> bool:
        """Nothing was lost or doubled and every start worked."""
        return self.lost == self.doubled == self.failed_starts == 0


def run(*arguments: str) -> subprocess.Popen[bytes]:
    """Start the command line as another process."""
    return subprocess.Popen(
        [*CLI, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


def kill_after(process: subprocess.Popen[bytes], seconds: float) -> bool:
    """Kill a process after some time; tell whether it was still running."""
    try:
        process.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        process.wait()
        return True
    return False


def sample_folder(work: Path) -> Path:
    """Write a small sample shop as a folder of CSV files."""
    tables = make_sample(
        seed=7, start=date(2025, 1, 1), days=150, products=60, customers=500
    )
    folder = work / "sample"
    write_folder(tables, folder)
    return folder


def new_shop(work: Path, name: str) -> Shop:
    """Make an empty shop."""
    return make_shop(work / name, currency="EUR", timezone="Europe/Amsterdam")


def facts(shop: Shop) -> dict[str, tuple[int, int]]:
    """Return rows and distinct rows of every fact table."""
    with shop.lake.attached(read_only=True) as con:
        names = [
            r[0]
            for r in con.execute(
                "SELECT table_name FROM duckdb_tables() WHERE database_name = 'lake'"
            ).fetchall()
        ]
        counted = {}
        for name in names:
            if name in ("imports", "watermarks"):
                continue
            key = "content_hash" if name != "rejects" else "file || line || field"
            row = con.execute(
                f"SELECT count(*), count(DISTINCT {key}) FROM lake.{name}"
            ).fetchone()
            counted[name] = (int(row[0]), int(row[1])) if row else (0, 0)
    return counted


def crash_import(work: Path, source: Path, times: int, rng: random.Random) -> Result:
    """Kill imports: each leaves all of its batch or nothing."""
    result = Result("import")
    whole = new_shop(work, "whole")
    began = time.monotonic()
    import_source(whole, "csv", source)
    seconds = time.monotonic() - began + 1.0
    reference = facts(whole)
    empty = facts(new_shop(work, "empty"))
    attempt = 0
    while result.kills < times:
        attempt += 1
        shop = new_shop(work, f"import-{attempt}")
        process = run("import", "csv", str(source), "--shop", str(shop.folder))
        result.kills += kill_after(process, rng.uniform(0.1, 0.9) * seconds)
        found = facts(shop)
        if found not in (empty, reference):
            result.lost += 1
        if run("import", "csv", str(source), "--shop", str(shop.folder)).wait() != 0:
            result.failed_starts += 1
        after = facts(shop)
        result.checked += sum(rows for rows, _ in after.values())
        for name, (rows, _) in after.items():
            result.lost += max(0, reference[name][0] - rows)
            result.doubled += max(0, rows - reference[name][0])
    return result


def crash_turn(work: Path, source: Path, times: int, rng: random.Random) -> Result:
    """Kill turns: a published turn is complete or absent, the next start resumes."""
    result = Result("turn")
    shop = new_shop(work, "turns")
    import_source(shop, "csv", source)
    began = time.monotonic()
    if run("turn", "--shop", str(shop.folder)).wait() != 0:
        result.failed_starts += 1
    seconds = time.monotonic() - began
    while result.kills < times:
        process = run("turn", "--shop", str(shop.folder))
        if kill_after(process, rng.uniform(0.2, 1.0) * seconds):
            result.kills += 1
        elif process.returncode != 0:
            result.failed_starts += 1
        check_turns(shop, result)
    if run("turn", "--shop", str(shop.folder)).wait() != 0:
        result.failed_starts += 1
    check_turns(shop, result)
    return result


def check_turns(shop: Shop, result: Result) -> None:
    """Compare every published turn's decisions with what its levers counted."""
    with sqlite3.connect(shop.folder / "operations.sqlite") as con:
        rows = con.execute("SELECT number, state, levers FROM turns").fetchall()
        counted = Counter(t for (t,) in con.execute("SELECT turn FROM decisions"))
    for number, state, levers in rows:
        said = sum(run["decisions"] for run in json.loads(levers).values())
        wanted = said if state == "published" else 0
        result.checked += counted[number]
        result.lost += max(0, wanted - counted[number])
        result.doubled += max(0, counted[number] - wanted)


def crash_api(work: Path, times: int, rng: random.Random) -> Result:
    """Kill the API under event load: what it acknowledged is in the lake once."""
    from cartwheel.api.keys import make_key
    from cartwheel.lake.inbox import drain

    result = Result("api")
    shop = new_shop(work, "api")
    key = make_key(shop.database, "load", ["events:write"])
    acknowledged: set[str] = set()
    for attempt in range(times):
        process, port = start_server(shop)
        if process is None:
            result.failed_starts += 1
            continue
        until = time.monotonic() + rng.uniform(0.2, 1.5)
        batch = 0
        while time.monotonic() < until:
            ids = [f"{attempt}-{batch}-{i}" for i in range(50)]
            # Every fourth batch is sent again, as a client does that saw no answer.
            for _ in range(2 if batch % 4 == 0 else 1):
                if send(port, key, ids):
                    acknowledged.update(ids)
            batch += 1
        flying = subprocess.Popen(
            [sys.executable, __file__, "--flood", str(port), key, f"f{attempt}"],
            stdout=subprocess.PIPE,
            text=True,
        )
        time.sleep(rng.uniform(0.3, 0.8))
        process.send_signal(signal.SIGKILL)
        process.wait()
        said, _ = flying.communicate()
        acknowledged.update(said.split())
        result.kills += 1
        if rng.random() < 0.5:
            while drain(shop):
                pass
    while drain(shop):
        pass
    with shop.lake.attached(read_only=True) as con:
        held = Counter(
            r[0] for r in con.execute("SELECT event_id FROM lake.events").fetchall()
        )
    result.checked = len(acknowledged)
    result.lost = sum(held[i] == 0 for i in acknowledged)
    result.doubled = sum(n > 1 for n in held.values())
    return result


def start_server(shop: Shop) -> tuple[subprocess.Popen[bytes] | None, int]:
    """Start the API on a free port and wait until it answers."""
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = run(
        "serve", "--shop", str(shop.folder), "--port", str(port), "--no-worker"
    )
    for _ in range(200):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=1)
            return process, port
        except urllib.error.HTTPError:
            return process, port
        except OSError:
            if process.poll() is not None:
                return None, port
            time.sleep(0.05)
    process.kill()
    return None, port


def send(port: int, key: str, ids: list[str]) -> bool:
    """Send a batch of events; tell whether all were acknowledged."""
    events = [
        {
            "event_id": i,
            "kind": "view",
            "occurred_at": "2026-01-01T12:00:00Z",
            "visitor_id": "v",
            "product_id": "p",
        }
        for i in ids
    ]
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/v1/events",
        data=json.dumps({"events": events}).encode(),
        headers={"Authorization": f"Bearer {key}", "Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            said = json.load(answer)
    except (OSError, http.client.HTTPException):
        return False  # also an answer cut off by the kill
    return bool(said["accepted"] + said["duplicates"] == len(ids))


def flood(port: int, key: str, name: str) -> None:
    """Send batches until the server is gone; print what was acknowledged."""
    for batch in range(10_000):
        ids = [f"{name}-{batch}-{i}" for i in range(50)]
        if not send(port, key, ids):
            return
        print(*ids, flush=True)


def main() -> int:
    """Run every part."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--part", choices=["import", "turn", "api"])
    parser.add_argument("--flood", nargs=3, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.flood:
        flood(int(chosen.flood[0]), chosen.flood[1], chosen.flood[2])
        return 0
    rng = random.Random(chosen.seed)
    results = []
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        source = sample_folder(work)
        parts = {
            "import": lambda: crash_import(work, source, chosen.times, rng),
            "turn": lambda: crash_turn(work, source, chosen.times, rng),
            "api": lambda: crash_api(work, chosen.times, rng),
        }
        for name, part in parts.items():
            if chosen.part in (None, name):
                results.append(part())
                print(results[-1].line(), flush=True)
    return 0 if all(result.good for result in results) else 1


if __name__ == "__main__":
    sys.exit(main())
