"""What is kept of a living shop between weeks: three worlds and what became of them.

SHOP/world/
  2026-11-19/         after that day; the newest folder counts
    living.json       what was carried out, the weeks so far, what is still to do
    people.npz        what each person truly earned the shop, by world
    wheel/ alone/ plain/   the worlds, see `world/keep.py`
    facts/            what became known in the days just lived, until it is in the lake

A folder is written beside its place and renamed, so a week has happened or it has not.
What follows it (facts into the lake, marks in the ledger, the turn) is done from the
folder and can be done again after a kill.
"""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import asdict, dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cartwheel.errors import Failure
from cartwheel.shop import WORLD
from cartwheel.simulator.world.keep import load_world, save_world
from cartwheel.simulator.world.world import World

if TYPE_CHECKING:
    import pyarrow as pa

    from cartwheel.shop import Shop

Array = np.ndarray[Any, Any]

WHEEL, ALONE, PLAIN = "wheel", "alone", "plain"
NAMES = (WHEEL, ALONE, PLAIN)


@dataclass(slots=True, kw_only=True)
class Record:
    """What a living shop remembers besides its worlds.

    Attributes:
        began: Day from which the wheel ran the shop.
        carried: Ids of decisions that were carried out, oldest first.
        marks: Those among them still to be marked in the ledger: why the world
            refused one, "" when it was carried out, by id.
        request: Number of the request that asked for the newest week, or None.
        turn_due: The newest days are to be followed by a turn.
        weeks: Figures of each stretch lived, oldest first.
    """

    began: int
    carried: list[str] = field(default_factory=list)
    marks: dict[str, str] = field(default_factory=dict)
    request: int | None = None
    turn_due: bool = False
    weeks: list[dict[str, Any]] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Kept:
    """A living shop's worlds and record, in memory.

    Attributes:
        worlds: The wheel and its twins by name.
        record: What it remembers.
        people: The people followed, as numbers, shape (n,).
        earned: What everybody earned the shop since the wheel began, in minor units,
            by world, shape (N,).
    """

    worlds: dict[str, World]
    record: Record
    people: Array
    earned: dict[str, Array]

    @property
    def day(self) -> int:
        """Days lived."""
        return self.worlds[WHEEL].day

    @property
    def last_day(self) -> date:
        """The last day lived; for the shop it is today."""
        return self.worlds[WHEEL].state.today - timedelta(days=1)


def write_kept(shop: Shop, kept: Kept, facts: dict[str, pa.Table]) -> None:
    """Write what was lived, with the facts it brought; whole or not at all."""
    import pyarrow.parquet as pq

    place = shop.folder / WORLD / kept.last_day.isoformat()
    beside = place.with_suffix(".part")
    shutil.rmtree(beside, ignore_errors=True)
    (beside / "facts").mkdir(parents=True)
    for name, table in facts.items():
        pq.write_table(table, beside / "facts" / f"{name}.parquet")
    for name, world in kept.worlds.items():
        save_world(world, beside / name)
    arrays: dict[str, Any] = {"people": kept.people, **kept.earned}
    np.savez(beside / "people.npz", **arrays)
    _write_record(beside, kept.record)
    _flush(beside)
    with shop.lake.lock():  # not while a backup reads
        os.replace(beside, place)
        for old in shop.worlds[:-1]:
            shutil.rmtree(old, ignore_errors=True)


def read_kept(shop: Shop) -> Kept | None:
    """Return the newest whole state, or None when the shop has no world.

    Raises:
        Failure: If it is damaged or of another version.
    """
    place = newest(shop)
    if place is None:
        return None
    try:
        worlds = {name: load_world(place / name) for name in NAMES}
        with np.load(place / "people.npz", allow_pickle=False) as arrays:
            found = {name: arrays[name] for name in arrays.files}
        record = Record(**json.loads((place / "living.json").read_text("utf-8")))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Failure(
            f"The world of this demo shop cannot be read: {error}.",
            "Make a new demo shop in another folder: cartwheel demo --folder FOLDER",
        ) from error
    people = found.pop("people")
    return Kept(worlds=worlds, record=record, people=people, earned=found)


def write_record(shop: Shop, record: Record) -> None:
    """Write the record of the newest state anew."""
    place = newest(shop)
    if place is None:
        raise ValueError("the shop has no world")
    _write_record(place, record)


def read_facts(shop: Shop) -> dict[str, pa.Table] | None:
    """Return facts that may not be in the lake yet, None when all of them are."""
    import pyarrow.parquet as pq

    place = newest(shop)
    if place is None or not (place / "facts").is_dir():
        return None
    return {
        path.stem: pq.read_table(path)
        for path in sorted((place / "facts").glob("*.parquet"))
    }


def forget_facts(shop: Shop) -> None:
    """Remove facts that are in the lake."""
    place = newest(shop)
    if place is not None and (place / "facts").is_dir():
        # Renamed first: half of the facts must not be taken for all of them.
        gone = place / "facts.gone"
        with shop.lake.lock():
            os.replace(place / "facts", gone)
            shutil.rmtree(gone, ignore_errors=True)


def newest(shop: Shop) -> Path | None:
    """Return the folder that counts, or None when the shop has no world."""
    return shop.worlds[-1] if shop.worlds else None


def _write_record(place: Path, record: Record) -> None:
    beside = place / "living.part"
    beside.write_text(json.dumps(asdict(record)), encoding="utf-8")
    with open(beside, "rb") as handle:
        os.fsync(handle.fileno())
    os.replace(beside, place / "living.json")


def _flush(folder: Path) -> None:
    for path in folder.rglob("*"):
        if path.is_file():
            with open(path, "rb") as handle:
                os.fsync(handle.fileno())
