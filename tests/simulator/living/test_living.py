"""A demo shop lives: whole weeks, the shop's own decisions, nothing twice."""

from __future__ import annotations

import fcntl
import json
import os
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest

from cartwheel.backup import restore_backup, write_backup
from cartwheel.channels.act import act
from cartwheel.errors import Busy, Conflict, Failure, Misuse
from cartwheel.lake.tables import TABLES
from cartwheel.ledger.store import history, list_decisions
from cartwheel.shop import Shop, open_shop
from cartwheel.signals.engine import pin
from cartwheel.simulator.living import living, store
from cartwheel.simulator.living.living import begin, catch_up, live
from cartwheel.simulator.world.spec import load_world
from cartwheel.turn.publish import published_turn
from tests.simulator.living.conftest import SIZE, WARM_UNTIL
from tests.turned import copy_of


class Killed(BaseException):
    """The process died here."""


def in_lake(shop: Shop) -> dict[str, list[Any]]:
    """Return every fact's content, by table."""
    found = {}
    with shop.lake.attached(read_only=True) as con:
        for table in TABLES:
            columns = ", ".join(table.column_names)
            found[table.name] = con.execute(
                f"SELECT {columns} FROM lake.{table.name} ORDER BY ALL"
            ).fetchall()
    return found


def ordered(shop: Shop) -> list[tuple[str, int]]:
    """Return purchase orders known to the lake, by variant and units."""
    with shop.lake.attached(read_only=True) as con:
        rows = con.execute(
            "SELECT variant_id, ordered_units FROM lake.purchase_orders "
            "WHERE ordered_at > ? ORDER BY ALL",
            [datetime.combine(WARM_UNTIL, time()) + timedelta(days=1)],
        ).fetchall()
    return [(str(name), int(units)) for name, units in rows]


def weeks_of(shop: Shop) -> list[dict[str, Any]]:
    weeks: list[dict[str, Any]] = living.open_world(shop).record.weeks
    return weeks


def test_the_demo_shop_looks_from_the_last_day_of_its_world(begun: Shop):
    assert begun.lived_until == WARM_UNTIL
    live(begun, turn=False)
    last = WARM_UNTIL + timedelta(days=7)
    assert begun.lived_until == last
    assert pin(begun)[0].as_of == last
    with begun.lake.attached(read_only=True) as con:
        for table in TABLES:
            row = con.execute(f"SELECT max(known_at) FROM lake.{table.name}").fetchone()
            newest = row[0] if row else None
            assert newest is None or newest.date() <= last, table.name


def test_three_days_and_four_in_two_processes_are_a_week(turned: Shop, tmp_path: Path):
    approve(turned)
    other = copy_of(turned.folder, tmp_path / "other")
    live(turned, turn=False)
    live(other, days=3, turn=False)
    other.database.dispose()
    live(open_shop(other.folder), days=4, turn=False)
    assert in_lake(turned) == in_lake(other)
    one, two = living.open_world(turned), living.open_world(other)
    for name in store.NAMES:
        first, second = one.worlds[name], two.worlds[name]
        assert list(first.books.profit()) == list(second.books.profit()), name


def approve(shop: Shop) -> None:
    assert living.approve_everything(shop, actor="ann") > 0


STEPS = [
    (store, "_flush"),
    (living, "read_facts"),
    (living, "append_harvest"),
    (living, "forget_facts"),
    (living, "mark"),
    (living, "measured"),
    (living, "publish_world"),
    (living, "run_turn"),
]


@pytest.fixture(scope="module")
def unharmed(turned_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """The shop after a week that nobody interrupted."""
    shop = copy_of(turned_folder, tmp_path_factory.mktemp("unharmed") / "shop")
    live(shop, approve_as="ann", request=5, turn=False)
    return shop


@pytest.mark.parametrize(("module", "step"), STEPS, ids=[name for _, name in STEPS])
def test_a_week_killed_anywhere_is_lived_once(
    turned: Shop,
    unharmed: Shop,
    monkeypatch: pytest.MonkeyPatch,
    module: Any,
    step: str,
):
    turns: list[Any] = []
    calls = {"left": 2 if step in ("read_facts", "publish_world") else 1}
    whole = getattr(module, step)

    def dying(*given: Any, **more: Any) -> Any:
        calls["left"] -= 1
        if calls["left"] == 0:
            raise Killed
        return whole(*given, **more)

    monkeypatch.setattr(living, "run_turn", lambda *_, **more: turns.append(more))
    monkeypatch.setattr(module, step, dying)
    with pytest.raises(Killed):
        live(turned, approve_as="ann", request=5)
    monkeypatch.setattr(module, step, whole)
    monkeypatch.setattr(living, "run_turn", lambda *_, **more: turns.append(more))
    again = open_shop(turned.folder)
    done = live(again, approve_as="ann", request=5)
    assert done.last_day == WARM_UNTIL + timedelta(days=7)
    assert [turn["as_of"] for turn in turns] == [done.last_day]
    assert in_lake(again) == in_lake(unharmed)
    assert weeks_of(again) == weeks_of(unharmed)
    assert states(again) == states(unharmed)
    assert live(again, request=5).weeks == 1, "the same request lives no second week"


def states(shop: Shop) -> dict[str, str]:
    return {e.id: e.state.value for e in list_decisions(shop.database, limit=None)}


def test_what_was_agreed_to_is_carried_out_once(turned: Shop):
    before = ordered(turned)
    reorders = list_decisions(turned.database, kind="reorder", limit=None)
    *wanted, undone, left = reorders
    ids = [entry.id for entry in (*wanted, undone)]
    act(turned, "approve", ids, actor="ann")
    act(turned, "undo", [undone.id], actor="ann")
    assert live(turned, turn=False).carried == len(wanted)
    found = states(turned)
    done = [entry for entry in wanted if found[entry.id] == "applied"]
    assert done
    assert sorted(ordered(turned)) == sorted(
        [*before, *((e.subject.partition(":")[2], e.action["units"]) for e in done)]
    )
    assert found[left.id] == "proposed"
    assert live(turned, turn=False).carried == 0
    assert len(ordered(turned)) == len(before) + len(done)


def test_what_a_supplier_refuses_is_on_record(turned: Shop):
    # One line alone is below what its supplier takes orders from.
    cheapest = min(
        list_decisions(turned.database, kind="reorder", limit=None),
        key=lambda entry: entry.cost_minor or 10**9,
    )
    act(turned, "approve", [cheapest.id], actor="ann")
    live(turned, turn=False)
    last = history(turned.database, cheapest.id)[-1]
    assert (last["to_state"], last["actor"]) == ("reverted", "world")
    assert "takes orders from" in last["note"]
    assert ordered(turned) == []


def test_saying_yes_to_everything_is_on_record(turned: Shop):
    done = live(turned, approve_as="ann", turn=False)
    assert done.carried > 3
    reorders = list_decisions(turned.database, kind="reorder", limit=None)
    actors = [[h["actor"] for h in history(turned.database, e.id)] for e in reorders]
    assert all(names[1:] == ["ann", "world"] for names in actors)
    assert "proposed" not in set(states(turned).values())


def test_a_week_ends_with_a_turn_as_of_its_last_day(turned: Shop):
    done = live(turned)
    assert done.turn == published_turn(turned) == 2
    page = read_world(turned)
    assert page["today"] == str(done.last_day) == str(WARM_UNTIL + timedelta(days=7))
    assert page["weeks"][0]["measured"]["held_out"] > 1


def read_world(shop: Shop) -> dict[str, Any]:
    with shop.database.connect() as con:
        body = con.exec_driver_sql("SELECT body FROM pages WHERE name = 'world'")
        found: dict[str, Any] = json.loads(body.scalar_one())
    return found


def test_twins_without_decisions_live_the_same(begun: Shop):
    # No turn yet, so nobody is shown anything: reaching people changes nothing.
    live(begun, turn=False)
    (week,) = weeks_of(begun)
    assert week["worlds"]["wheel"] == week["worlds"]["alone"]
    assert week["worlds"]["wheel"]["visits"] > 0
    assert week["true_minor"] == 0


def test_the_twin_left_alone_has_the_same_prices_and_purchases(turned: Shop):
    live(turned, approve_as="ann", turn=False)
    kept = living.open_world(turned)
    wheel, alone = (kept.worlds[name].state for name in (store.WHEEL, store.ALONE))
    plain = kept.worlds[store.PLAIN].state
    assert (wheel.price_minor == alone.price_minor).all()
    assert (wheel.inbound == alone.inbound).all()
    assert (wheel.inbound != plain.inbound).any()


def test_a_real_shop_does_not_live(real: Shop):
    with pytest.raises(Misuse, match="Real shop is a real shop"):
        live(real)
    with pytest.raises(Misuse, match="cannot be given a world"):
        begin(real, load_world("apparel"), SIZE, 1, until=WARM_UNTIL)
    (real.folder / "world" / "2030-01-01").mkdir(parents=True)
    assert real.lived_until is None


def test_a_world_is_given_once(begun: Shop):
    with pytest.raises(Misuse, match="cannot be given a world"):
        begin(begun, load_world("apparel"), SIZE, 1, until=WARM_UNTIL)


def test_time_that_is_over_is_said(begun: Shop):
    with pytest.raises(Conflict, match="28 of its 70 days are left"):
        live(begun, days=29)


def test_two_do_not_live_at_once(begun: Shop):
    handle = os.open(begun.folder / "living.lock", os.O_CREAT | os.O_RDWR)
    fcntl.flock(handle, fcntl.LOCK_EX)
    with pytest.raises(Busy, match="living already"):
        live(begun)
    os.close(handle)


def test_a_damaged_world_is_said_and_nothing_changes(begun: Shop):
    (begun.worlds[-1] / "wheel" / "arrays.npz").write_bytes(b"no arrays")
    with pytest.raises(Failure, match="cannot be read"):
        live(begun)
    assert begun.lived_until == WARM_UNTIL


def test_a_lever_that_fails_leaves_the_week_unlived(
    turned: Shop, monkeypatch: pytest.MonkeyPatch
):
    def broken(*_: Any, **__: Any) -> Any:
        raise RuntimeError("no slate today")

    monkeypatch.setattr("cartwheel.simulator.living.policy.answer_page", broken)
    with pytest.raises(Failure, match="no slate today"):
        live(turned)
    assert turned.lived_until == WARM_UNTIL
    assert in_lake(turned)["orders"]
    assert catch_up(turned).record.weeks == []


def test_a_restored_backup_lives_on(begun: Shop, tmp_path: Path):
    write_backup(begun, tmp_path / "shop.tar.gz")
    restored = restore_backup(tmp_path / "shop.tar.gz", tmp_path / "restored")
    live(begun, turn=False)
    live(restored, turn=False)
    assert in_lake(begun) == in_lake(restored)
