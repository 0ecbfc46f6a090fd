"""Load by wrk on a shop of yours: `python -m bench.wrk SHOP`, or `make wrk SHOP=...`.

As many requests as come through, unlike `python -m bench serving`, which asks at a
steady rate and counts time from when each request was due. wrk's latencies leave out
how long a request waited to be sent; read its requests a second instead.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from bench.api import SERVER, started
from bench.machine import this_machine
from cartwheel.api.keys import make_key, revoke_key
from cartwheel.api.serving import newest_turn
from cartwheel.errors import CartwheelError, NotFound
from cartwheel.levers.base import Model
from cartwheel.shop import Shop, open_shop

KINDS = ("recommendations", "search")
SCRIPT = Path(__file__).with_name("wrk.lua")
MOST = 20_000
"""Products whose ids and titles are asked with."""


def main(arguments: Sequence[str]) -> int:
    """Run wrk against each route and print what it says."""
    parser = argparse.ArgumentParser(prog="python -m bench.wrk", description=__doc__)
    parser.add_argument("shop", type=Path)
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--connections", type=int, default=8)
    chosen = parser.parse_args(arguments)
    program = shutil.which("wrk")
    if program is None:
        print("wrk is not installed. On Debian: apt-get install wrk", file=sys.stderr)
        return 2
    try:
        shop = open_shop(chosen.shop)
        lines = asked_with(shop)
    except CartwheelError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    print("\n".join(this_machine().lines()), flush=True)
    name = f"wrk {os.getpid()}"
    key = make_key(shop.database, name, [f"{kind}:read" for kind in KINDS])
    try:
        with tempfile.TemporaryDirectory() as work, started(SERVER, shop.folder) as at:
            told = Path(work) / "products.tsv"
            told.write_text("\n".join(lines), encoding="utf-8")
            for kind in KINDS:
                print(f"\n{kind}, {len(lines):,} products asked with", flush=True)
                subprocess.run(
                    [
                        program,
                        "--threads=1",
                        f"--connections={chosen.connections}",
                        f"--duration={chosen.seconds}s",
                        "--latency",
                        f"--script={SCRIPT}",
                        f"http://127.0.0.1:{at.port}",
                    ],
                    env={
                        **os.environ,
                        "WRK_FILE": str(told),
                        "WRK_KIND": kind,
                        "WRK_KEY": key,
                    },
                    check=True,
                )
    finally:
        revoke_key(shop.database, name)
    return 0


def asked_with(shop: Shop) -> list[str]:
    """Return a line a product: its id, a tab, its title.

    Raises:
        NotFound: If no turn is published.
    """
    turn = newest_turn(shop.database)
    if turn is None:
        raise NotFound(f"{shop.folder} has no published turn.", "Run `cartwheel turn`.")
    model = Model.load(shop.turn_folder(turn) / "models" / "recommend", mapped=True)
    titles = model.arrays["title"][:MOST].tolist()
    ids = model.arrays["product_id"][:MOST].tolist()
    return [
        f"{one}\t{' '.join(title.split())}"
        for one, title in zip(ids, titles, strict=True)
        if title.strip() and "\t" not in one and "\n" not in one
    ]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
