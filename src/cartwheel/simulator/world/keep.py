"""A world on disk, to go on with in another process exactly where it stopped.

FOLDER/
  world.json      parameters, size, seed, day and everything due later
  arrays.npz      what changes from day to day
  later/          what the world has drawn and nobody can know yet, by table

What never changes (catalogue, people's traits, suppliers' closures) is drawn again from
parameters and seed, and compared with the fingerprint of what was there before.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cartwheel.simulator.world.spec import Size, WorldSpec
from cartwheel.simulator.world.supply import Delivery
from cartwheel.simulator.world.world import World

if TYPE_CHECKING:
    from cartwheel.simulator.world.facts import Facts

Array = np.ndarray[Any, Any]

STATE = (
    "price_minor",
    "rival_minor",
    "stock",
    "inbound",
    "sold",
    "rating_sum",
    "rating_count",
)
PEOPLE = (
    "alive",
    "left",
    "bought",
    "good",
    "orders",
    "known",
    "remembered",
    "mails",
    "mail_effect",
    "subscribed",
    "offer",
    "offer_until",
)
TRAITS = ("activity", "price", "taste", "size", "returns", "mail_lift", "double")
"""What people are; enough of it to tell another draw."""


def save_world(world: World, folder: Path) -> None:
    """Write a world into a new folder; its facts must have been taken or be closed.

    Raises:
        ValueError: If days wait that no reader of the facts has seen.
    """
    facts = world.facts
    if facts._waiting:
        raise ValueError(f"{len(facts._waiting)} days of facts were not taken yet")
    folder.mkdir(parents=True)
    written = {
        "spec": world.spec.model_dump(mode="json"),
        "size": asdict(world.size),
        "seed": world.seed,
        "day": world.state.day,
        "orders": world._order_count,
        "due": {kind: _plain(days) for kind, days in world._due.items()},
        "facts": None if facts._closed else sorted(facts._profiles),
        "drawn": fingerprint(world),
    }
    text = json.dumps(written, ensure_ascii=False)
    (folder / "world.json").write_text(text, encoding="utf-8")
    arrays: dict[str, Any] = dict(_arrays(world))
    np.savez(folder / "arrays.npz", **arrays)
    if not facts._closed:
        _save_later(facts, folder / "later")


def load_world(folder: Path) -> World:
    """Return a world as it was saved.

    Raises:
        OSError: If a file is missing.
        ValueError: If a file is damaged, or the world is drawn otherwise today than
            when it was saved.
    """
    value = json.loads((folder / "world.json").read_text(encoding="utf-8"))
    world = World(
        WorldSpec.model_validate(value["spec"]), Size(**value["size"]), value["seed"]
    )
    if fingerprint(world) != value["drawn"]:
        raise ValueError("this version draws another world from the same seed")
    with np.load(folder / "arrays.npz", allow_pickle=False) as arrays:
        _restore(world, {name: arrays[name] for name in arrays.files})
    world.state.day = value["day"]
    world._order_count = value["orders"]
    for kind, days in value["due"].items():
        world._due[kind] = defaultdict(list, _due(kind, days))
    if value["facts"] is None:
        world.facts.close()
    else:
        world.facts._begun = True
        world.facts._profiles = set(value["facts"])
        _load_later(world.facts, folder / "later")
    return world


def fingerprint(world: World) -> str:
    """Return a digest of what is drawn once when a world begins."""
    digest = hashlib.blake2b(digest_size=16)
    goods = world.state.goods
    for field in fields(goods):
        _add(digest, getattr(goods, field.name))
    for name in TRAITS:
        _add(digest, getattr(world.state.people, name))
    digest.update(json.dumps(world._suppliers.closed).encode())
    return digest.hexdigest()


def _add(digest: Any, array: Array) -> None:
    digest.update(str((array.dtype.str, array.shape)).encode())
    digest.update(np.ascontiguousarray(array).tobytes())


def _places(world: World) -> Iterator[tuple[str, Any, str]]:
    """Yield (name on disk, object, attribute) of every array that changes."""
    for name in STATE:
        yield f"state.{name}", world.state, name
    for name in PEOPLE:
        yield f"people.{name}", world.state.people, name
    yield "shelf", world, "_shelf"
    yield "yesterday", world, "_yesterday"
    yield "level", world.facts, "_level"


def _books(world: World) -> Iterator[tuple[str, dict[str, Array], str]]:
    for part, held in (("parts", world.books.parts), ("counts", world.books.counts)):
        for name in held:
            yield f"{part}.{name}", held, name


def _arrays(world: World) -> Iterator[tuple[str, Array]]:
    for name, owner, attribute in _places(world):
        yield name, getattr(owner, attribute)
    for name, held, key in _books(world):
        yield name, held[key]


def _restore(world: World, arrays: dict[str, Array]) -> None:
    missing = {name for name, _ in _arrays(world)} - set(arrays)
    if missing:
        raise ValueError(f"arrays {sorted(missing)} are missing")
    for name, owner, attribute in _places(world):
        setattr(owner, attribute, arrays[name])
    for name, held, key in _books(world):
        held[key] = arrays[name]


def _plain(days: dict[int, list[Any]]) -> dict[str, list[Any]]:
    return {
        str(day): [asdict(x) if isinstance(x, Delivery) else x for x in due]
        for day, due in days.items()
        if due
    }


def _due(kind: str, days: dict[str, list[Any]]) -> dict[int, list[Any]]:
    def item(value: Any) -> Any:
        if kind == "arrival":
            return Delivery(**value)
        return tuple(value) if isinstance(value, list) else value

    return {int(day): [item(value) for value in due] for day, due in days.items()}


def _save_later(facts: Facts, folder: Path) -> None:
    import pyarrow.parquet as pq

    folder.mkdir()
    for name, rows in facts._later.items():
        pq.write_table(rows, folder / f"{name}.parquet")


def _load_later(facts: Facts, folder: Path) -> None:
    import pyarrow.parquet as pq

    for path in sorted(folder.glob("*.parquet")):
        facts._later[path.stem] = pq.read_table(path)
