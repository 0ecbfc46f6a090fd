"""A world kept on disk goes on as if it had never stopped."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cartwheel.simulator.arms.base import Actions, Mail, Page, Purchase, ShopView
from cartwheel.simulator.world.keep import load_world, save_world
from cartwheel.simulator.world.spec import Size
from cartwheel.simulator.world.spec import load_world as load_spec
from cartwheel.simulator.world.world import World

SIZE = Size(products=30, customers=200, warmup_days=7, days=60)


class Busy:
    """Does everything a policy may do, by the day and the page alone."""

    name = "busy"

    def morning(self, shop: ShopView) -> Actions:
        articles = shop.articles()
        some = articles[shop.day % 5 :: 5]
        return Actions(
            prices_minor={
                a.variant_id: max(a.price_minor + 10 * (shop.day % 3 - 1), 1)
                for a in some
            },
            purchases=[
                Purchase(
                    variant_id=a.variant_id,
                    location_id=next(iter(a.on_hand)),
                    units=20 * a.pack_units * a.minimum_order_units,
                )
                for a in some
            ],
            mails=[
                Mail(customer_id=name, offer_bps=500 * (shop.day % 2))
                for name in shop.mailable()[:: 1 + shop.day % 3]
            ],
        )

    def slates(self, pages: Sequence[Page]) -> list[list[str]]:
        return [
            [f"P{(page.key * 7 + i) % SIZE.products + 1:05d}" for i in range(4)]
            for page in pages
        ]


def made(seed: int, days: int) -> World:
    # Eager people, so that something is always on its way or due.
    spec = load_spec("apparel").model_copy(update={"visitors": 6.0})
    world = World(spec, SIZE, seed)
    play(world, days)
    return world


def play(world: World, days: int) -> World:
    policy = Busy()
    for _ in range(days):
        world.play_day(policy)
    return world


def kept(world: World) -> World:
    """Return the world as another process would find it."""
    with TemporaryDirectory() as folder:
        save_world(world, Path(folder) / "world")
        return load_world(Path(folder) / "world")


def in_order(parts: Sequence[Mapping[str, pa.Table]]) -> dict[str, pa.Table]:
    """Return the rows of several takings as one table each, sorted by every column."""
    names = {name for part in parts for name in part}
    joined = {
        name: pa.concat_tables([part[name] for part in parts if name in part])
        for name in names
    }
    return {
        name: table.sort_by([(column, "ascending") for column in table.column_names])
        for name, table in joined.items()
        if table.num_rows
    }


def same(one: Mapping[str, pa.Table], other: Mapping[str, pa.Table]) -> bool:
    return one.keys() == other.keys() and all(one[n].equals(other[n]) for n in one)


@settings(max_examples=8, deadline=None)
@given(st.integers(1, 500), st.integers(0, 20), st.integers(1, 6), st.data())
def test_living_in_two_processes_is_living_in_one(
    seed: int, before: int, first: int, data: Any
) -> None:
    second = data.draw(st.integers(1, 7))
    straight = made(seed, before)
    halting = made(seed, before)
    whole = straight.facts.take()
    assert same(whole, halting.facts.take())
    play(straight, first + second)
    play(halting, first)
    early = halting.facts.take()
    halting = play(kept(halting), second)
    late = halting.facts.take()
    assert same(in_order([straight.facts.take()]), in_order([early, late]))
    for name, days in straight.books.parts.items():
        assert np.array_equal(days, halting.books.parts[name]), name
    for name, days in straight.books.counts.items():
        assert np.array_equal(days, halting.books.counts[name]), name
    # What nobody can know yet is the same too.
    play(straight, 14)
    play(halting, 14)
    assert same(in_order([straight.facts.take()]), in_order([halting.facts.take()]))


def test_facts_taken_are_those_a_policy_would_have_seen():
    taken, seen = made(3, 12), made(3, 12)
    rows = taken.facts.take()
    for name, table in rows.items():
        own = seen.facts.table(name).select(table.column_names)
        assert own.num_rows == table.num_rows, name
    assert taken.facts.take().get("events", pa.table({})).num_rows == 0


def test_nothing_is_taken_before_it_is_known():
    world = made(3, 20)
    morning = np.datetime64(world.state.today.isoformat(), "us")
    for name, table in world.facts.take().items():
        known = table["known_at"].to_numpy()
        assert (known < morning).all(), name
    assert world.facts._later, "something is drawn for later"


def test_a_world_kept_before_a_column_was_there_goes_on(tmp_path: Path):
    world = made(1, 4)
    world.facts.take()
    straight = play(kept(world), 6).facts.take()
    folder = tmp_path / "world"
    save_world(world, folder)
    older = {"messages": "address", "returns": "grade", "receipts": "note"}
    dropped = 0
    for path in folder.rglob("*.parquet"):
        rows = pq.read_table(path)
        if older.get(path.stem) in rows.column_names:
            pq.write_table(rows.drop_columns(older[path.stem]), path)
            dropped += 1
    assert dropped
    later = play(load_world(folder), 6).facts.take()
    assert later.keys() == straight.keys()
    for name, table in later.items():
        assert table.schema == straight[name].schema
        gone = older.get(name)
        kept_columns = [one for one in table.column_names if one != gone]
        assert table.select(kept_columns).equals(straight[name].select(kept_columns))


def test_a_world_whose_facts_wait_is_not_saved(tmp_path: Path):
    with pytest.raises(ValueError, match="2 days of facts"):
        save_world(made(1, 2), tmp_path / "world")


def test_closed_facts_stay_closed_and_keep_nothing():
    world = made(1, 3)
    world.facts.close()
    again = play(kept(world), 5)
    assert again.facts._waiting == []
    with pytest.raises(ValueError, match="closed"):
        again.facts.take()


@pytest.mark.parametrize("spoil", ["arrays", "drawn", "missing", "spec"])
def test_a_damaged_or_foreign_world_is_refused(tmp_path: Path, spoil: str):
    world = made(1, 3)
    world.facts.take()
    folder = tmp_path / "world"
    save_world(world, folder)
    path = folder / "world.json"
    value = json.loads(path.read_text())
    if spoil == "arrays":
        np.savez(folder / "arrays.npz", shelf=np.zeros(3))
    elif spoil == "missing":
        (folder / "arrays.npz").unlink()
    elif spoil == "drawn":
        path.write_text(json.dumps({**value, "seed": 2}))
    else:
        path.write_text(json.dumps({**value, "spec": {}}))
    with pytest.raises((ValueError, OSError)):
        load_world(folder)
