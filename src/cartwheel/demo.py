"""The demo: a made shop that has lived for weeks with the wheel, and lives on."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from cartwheel.errors import Misuse
from cartwheel.settings import FILE_NAME
from cartwheel.shop import Shop, make_shop, open_shop

WORLD, SEED = "apparel", 42
PRODUCTS, PEOPLE = 150, 4_000
WARMUP_DAYS = 70
"""Days without AI at least; some more, so that the world begins on a Monday."""

WEEKS = 8
"""Weeks with the wheel before anybody looks."""

TURNS_AFTER = (0, 3, 6, WEEKS)
"""Weeks after which the wheel is turned while the demo is made."""

DAYS = 420
"""Days in all: how long somebody can go on pressing the button."""

HOLDOUT_BPS = 2_000
"""Larger than the usual 5 %: a small shop's difference would be lost in noise."""

TERMS = "terms"
"""Kind of import by which the shop is given its terms."""

PERSON = "owner"
"""In whose name everything is approved while the demo is made."""

Say = Callable[[str], None]


def make_demo(folder: Path, *, say: Say) -> Shop:
    """Make the demo shop, or open it when it was made before.

    Raises:
        Misuse: If the folder holds a real shop or something else.
    """
    from cartwheel.turn.publish import published_turn
    from cartwheel.turn.workflow import run_turn

    shop = _open_or_make(folder, say)
    if not shop.worlds:
        if _of_earlier_version(shop):
            say("      it was made by an earlier version and cannot live")
            return shop
        _begin(shop, say)
    _tell_terms(shop)
    weeks = _catch_up(shop, say)
    for number, wanted in enumerate(TURNS_AFTER, 1):
        if (published_turn(shop) or 0) >= number:
            continue
        if weeks < wanted:
            say(f"[3/4] living weeks {weeks + 1} to {wanted} of {WEEKS} with the wheel")
        while weeks < wanted:
            weeks = _live_week(shop)
        say(f"[4/4] turn {number} of {len(TURNS_AFTER)}, as of {shop.lived_until}")
        began = time.monotonic()
        run_turn(shop, as_of=shop.lived_until)
        say(f"      done in {time.monotonic() - began:.0f} s")
    return shop


def first_days(yesterday: date) -> tuple[date, int]:
    """Return the last day of the warm-up and how many days it has.

    The world begins on a Monday and ends, when it is made, yesterday.
    """
    last = yesterday - timedelta(days=7 * WEEKS)
    start = last - timedelta(days=WARMUP_DAYS - 1)
    return last, WARMUP_DAYS + start.weekday()


def _open_or_make(folder: Path, say: Say) -> Shop:
    if not (folder / FILE_NAME).exists():
        say(f"[1/4] making a sample shop in {folder} (seed {SEED})")
        return make_shop(
            folder,
            currency="EUR",
            name="Harbour & Loom (sample shop)",
            demo=True,
            sections={
                "holdout": {"share_bps": HOLDOUT_BPS},
                "costs": {"parcel_minor": _parcel_minor()},
            },
        )
    shop = open_shop(folder)
    if not shop.settings.demo:
        raise Misuse(
            f"{folder} holds a real shop.", "Choose another folder with --folder."
        )
    say(f"[1/4] using the sample shop in {folder}")
    return shop


def _parcel_minor() -> int:
    from cartwheel.simulator.world.spec import load_world

    return load_world(WORLD).money.parcel_minor


def _begin(shop: Shop, say: Say) -> None:
    from cartwheel.simulator.living.living import begin
    from cartwheel.simulator.world.spec import Size, load_world

    yesterday = datetime.now(UTC).date() - timedelta(days=1)
    last, days = first_days(yesterday)
    say(f"[2/4] living {days} days without AI, until {last}")
    size = Size(products=PRODUCTS, customers=PEOPLE, warmup_days=days, days=DAYS)
    begin(shop, load_world(WORLD), size, SEED, until=last)


def _tell_terms(shop: Shop) -> None:
    """Give the shop terms, once: the world has none, and support answers from them."""
    import pyarrow as pa

    from cartwheel.connectors.intake import append_harvest
    from cartwheel.simulator.promises import policy_columns
    from cartwheel.simulator.sample import harvest

    with shop.lake.attached(read_only=True) as con:
        row = con.execute("SELECT count(*) FROM lake.policies").fetchone()
    if row and row[0]:
        return
    until = shop.lived_until or datetime.now(UTC).date()
    now = datetime(until.year, until.month, until.day)
    rows = {"policies": pa.table(policy_columns())}
    append_harvest(shop, harvest(rows), TERMS, Path("terms"), now)


def _catch_up(shop: Shop, say: Say) -> int:
    """Finish what was interrupted; return the weeks lived."""
    from cartwheel.simulator.living.living import catch_up

    kept = catch_up(shop, say=lambda line: say(f"      {line}"))
    return len(kept.record.weeks)


def _live_week(shop: Shop) -> int:
    """Live a week as if the owner had said yes to everything; return weeks lived."""
    from cartwheel.simulator.living.living import live

    return live(shop, approve_as=PERSON, turn=False).weeks


def _of_earlier_version(shop: Shop) -> bool:
    with shop.lake.attached(read_only=True) as con:
        row = con.execute(
            "SELECT count(*) FROM lake.imports WHERE kind = 'sample'"
        ).fetchone()
    return bool(row and row[0])
