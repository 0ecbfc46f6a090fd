"""Replay: past decisions come out byte for byte, or it says why they cannot."""

from __future__ import annotations

import shutil
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from cartwheel.connectors.intake import append_harvest
from cartwheel.errors import Failure, Misuse, NotFound
from cartwheel.lake.inbox import drain_waiting
from cartwheel.ledger.replay import drawn, replay
from cartwheel.ledger.store import list_decisions, undo
from cartwheel.shop import Shop, open_shop
from cartwheel.signals.engine import compute_for
from cartwheel.simulator.sample import harvest, make_sample
from cartwheel.turn.steps import read_turn, when_of
from cartwheel.voice_desk import Shown, add_correction
from tests.turned import START, Turned, copy_of, turned_in


@pytest.fixture(scope="module")
def turned(tmp_path_factory: pytest.TempPathFactory) -> Turned:
    return turned_in(tmp_path_factory.getbasetemp())


def one_of(shop: Shop, lever: str, turn: int) -> str:
    return list_decisions(shop.database, lever=lever, turn=turn, limit=1)[0].id


def test_fifty_drawn_decisions_of_both_turns_are_identical(turned: Turned) -> None:
    ids = drawn(turned.shop, 50, seed=3)
    assert len(set(ids)) == 50
    assert {item.partition("-")[0] for item in ids} == {"1", "2"}
    results = replay(turned.shop, ids)
    assert [result.id for result in results] == ids
    assert [result.id for result in results if not result.identical] == []
    assert all(result.remade == result.recorded for result in results)


def test_draw_is_repeatable_and_no_larger_than_the_ledger(turned: Turned) -> None:
    assert drawn(turned.shop, 20, seed=3) == drawn(turned.shop, 20, seed=3)
    assert drawn(turned.shop, 20, seed=3) != drawn(turned.shop, 20, seed=4)
    every = list_decisions(turned.shop.database, limit=None)
    assert sorted(drawn(turned.shop, 10**6, seed=1)) == sorted(e.id for e in every)


def test_replay_survives_new_settings_new_facts_and_lost_stages(
    turned: Turned, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = copy_of(turned.folder, tmp_path / "s")
    with open(shop.folder / "cartwheel.toml", "a", encoding="utf-8") as file:
        file.write(
            "[guardrails]\nminimum_margin_bps = 6000\n[holdout]\nshare_bps = 5000\n"
            "[turn]\nseed = 5\n[levers.recommend]\nslots = 2\n"
        )
    monkeypatch.setenv("CARTWHEEL_HOLDOUT__SALT", "another")
    more = make_sample(seed=9, start=START, days=60, products=15, customers=60)
    append_harvest(shop, harvest(more), "sample", Path("m"), datetime(2026, 2, 1))
    for turn in (1, 2):
        # Signals made from the lake are made again, not read from the stage.
        shutil.rmtree(shop.turn_folder(turn) / "signals")
        shutil.rmtree(shop.turn_folder(turn) / "decisions")
    shop = open_shop(shop.folder)
    assert shop.settings.guardrails.minimum_margin_bps == 6000
    results = replay(shop, drawn(shop, 50, seed=4))
    assert [result.id for result in results if not result.identical] == []


def test_replay_sees_the_corrections_that_the_turn_saw(
    turned: Turned, tmp_path: Path
) -> None:
    shop = copy_of(turned.folder, tmp_path / "s")
    shown = Shown(objection="size_fit", keys=())
    merge = {"kind": "merge", "into": "price"}
    add_correction(shop.database, merge, shown, "ann")
    drain_waiting(shop)
    row = read_turn(shop, 2)
    now = compute_for(shop, when_of(shop, row), shop.lake.snapshot())
    then = compute_for(shop, when_of(shop, row), row.snapshot or 0)
    assert now["theme_corrections"].num_rows == 1
    assert then["theme_corrections"].num_rows == 0
    ids = [one.id for one in list_decisions(shop.database, lever="content", limit=20)]
    results = replay(shop, [*ids, *drawn(shop, 20, seed=6)])
    assert [result.id for result in results if not result.identical] == []


def test_replay_is_about_the_decision_as_made_whatever_people_did_since(
    turned: Turned, tmp_path: Path
) -> None:
    shop = copy_of(turned.folder, tmp_path / "s")
    item = one_of(shop, "forecast", 2)
    undo(shop.database, [item], actor="me")
    assert replay(shop, [item])[0].identical


def spoil_array(folder: Path) -> None:
    path = sorted(folder.glob("*.npy"))[0]
    array = np.load(path)
    np.save(path, array[::-1] if array.dtype.kind == "U" else array + 1)


def spoil_meta(folder: Path) -> None:
    path = folder / "model.json"
    path.write_text(
        path.read_text(encoding="utf-8").replace('"meta": {', '"meta": {"x": 1, ', 1)
    )


def cut_short(folder: Path) -> None:
    path = sorted(folder.glob("*.npy"))[0]
    path.write_bytes(path.read_bytes()[:40])


def no_json(folder: Path) -> None:
    (folder / "model.json").write_text("not JSON", encoding="utf-8")


@pytest.mark.parametrize(
    "spoil", [spoil_array, spoil_meta, cut_short, no_json, shutil.rmtree]
)
def test_changed_model_is_named(turned: Turned, tmp_path: Path, spoil) -> None:  # type: ignore[no-untyped-def]
    shop = copy_of(turned.folder, tmp_path / "s")
    spoil(shop.turn_folder(2) / "models" / "forecast")
    with pytest.raises(
        Failure, match=r"stored model of forecast in turn 2 was changed.*backup"
    ):
        replay(shop, [one_of(shop, "forecast", 2)])


def test_decision_that_the_record_tells_otherwise_is_different(
    turned: Turned, tmp_path: Path
) -> None:
    shop = copy_of(turned.folder, tmp_path / "s")
    item = one_of(shop, "replenish", 2)
    with shop.database.begin() as con:
        con.exec_driver_sql(
            "UPDATE decisions SET body = replace(body, 'units', 'Units') "
            f"WHERE id = '{item}'"
        )
    (result,) = replay(shop, [item])
    assert not result.identical
    assert result.remade is not None


def test_turn_that_is_no_longer_kept_is_said_and_not_drawn(
    turned: Turned, tmp_path: Path
) -> None:
    shop = copy_of(turned.folder, tmp_path / "s")
    shutil.rmtree(shop.turn_folder(1))
    assert {item.partition("-")[0] for item in drawn(shop, 500, seed=1)} == {"2"}
    with pytest.raises(Misuse, match=r"Turn 1 is no longer kept.*keep_turns"):
        replay(shop, [one_of(shop, "forecast", 1)])


def test_unknown_decision_is_not_found(turned: Turned) -> None:
    with pytest.raises(NotFound, match="There is no decision"):
        replay(turned.shop, ["7-nothing"])


def test_hours_of_offers_replay_drawn_or_not(turned: Turned) -> None:
    shop = turned.shop
    offers = [
        entry
        for entry in list_decisions(shop.database, lever="lifecycle", limit=None)
        if "send_hour" in entry.action
    ]
    moved = [e.action["send_hour"] != e.evidence["usual_send_hour"] for e in offers]
    assert any(moved)
    assert not all(moved)
    results = replay(shop, [entry.id for entry in offers])
    assert all(result.identical for result in results)
