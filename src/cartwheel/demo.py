"""The demo: a seeded sample shop that has already turned twice."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cartwheel.errors import Misuse
from cartwheel.settings import FILE_NAME
from cartwheel.shop import Shop, make_shop, open_shop

SEED = 20260101
DAYS = 365
EARLIER_DAYS = 28
"""The first turn looks from this many days before the last day, so that the second
turn already knows what became of the first one's decisions."""


def make_demo(folder: Path, *, say: Callable[[str], None]) -> Shop:
    """Make the demo shop, or open it when it was made before.

    Raises:
        Misuse: If the folder holds a real shop or something else.
    """
    from cartwheel.signals.engine import pin
    from cartwheel.turn.publish import published_turn
    from cartwheel.turn.workflow import run_turn

    shop = _open_or_make(folder, say)
    last = pin(shop)[0].as_of
    for number, as_of in ((1, last - timedelta(days=EARLIER_DAYS)), (2, last)):
        done = published_turn(shop) or 0
        if done >= number:
            continue
        say(f"[{number + 2}/4] turning the wheel as of {as_of}")
        began = time.monotonic()
        run_turn(shop, as_of=as_of, progress=lambda line: say(f"      {line}"))
        say(f"      done in {time.monotonic() - began:.0f} s")
    return shop


def _open_or_make(folder: Path, say: Callable[[str], None]) -> Shop:
    from cartwheel.connectors.intake import append_harvest
    from cartwheel.simulator.sample import harvest, make_sample
    from cartwheel.turn.pages import publish_imports

    if (folder / FILE_NAME).exists():
        shop = open_shop(folder)
        if not shop.settings.demo:
            raise Misuse(
                f"{folder} holds a real shop.", "Choose another folder with --folder."
            )
        say(f"[1/4] using the sample shop in {folder}")
    else:
        say(f"[1/4] making a sample shop in {folder} (seed {SEED})")
        shop = make_shop(
            folder,
            currency="EUR",
            timezone="Europe/Amsterdam",
            name="Harbour & Loom (sample shop)",
            demo=True,
        )
    if _imported(shop):
        return shop
    # It ends yesterday, so that what a visitor does in the demo comes right after.
    start = _now().date() - timedelta(days=DAYS)
    say(f"[2/4] making a year of trade, {DAYS} days from {start}")
    tables = make_sample(seed=SEED, start=start, days=DAYS)
    report = append_harvest(shop, harvest(tables), "sample", Path("sample"), _now())
    publish_imports(shop)
    say(f"      {report.facts_added:,} facts in {report.seconds:.0f} s")
    return shop


def _imported(shop: Shop) -> bool:
    with shop.lake.attached(read_only=True) as con:
        row = con.execute(
            "SELECT count(*) FROM lake.imports WHERE kind = 'sample'"
        ).fetchone()
    return bool(row and row[0])


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)
