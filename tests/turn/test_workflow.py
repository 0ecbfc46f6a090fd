"""The durable turn on a small shop: outcomes, kills, rollback, cuts, no look-ahead."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import time
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cartwheel.errors import Busy, Conflict, Misuse
from cartwheel.lake.tables import TABLES
from cartwheel.ledger.store import history, list_decisions, move
from cartwheel.levers.base import Lever
from cartwheel.operations import reading
from cartwheel.shop import Shop, make_shop, open_shop
from cartwheel.signals.base import ShopContext
from cartwheel.signals.engine import when_of
from cartwheel.signals.stock import STOCK
from cartwheel.turn.core import LeverRun, context_of, run_lever
from cartwheel.turn.publish import published_turn, roll_back
from cartwheel.turn.steps import (
    known_signals,
    last_healthy_model,
    read_turn,
    run_child,
    stage_of,
    turn_lever,
)
from cartwheel.turn.workflow import list_turns, run_turn, summary_of, turn_lock
from cartwheel.wheel import find_levers, order_levers
from tests.turned import (
    FIRST_DAY,
    ODD_LEVERS,
    SECOND_DAY,
    Turned,
    copy_of,
    plugged_in,
)

LEVERS = {
    "forecast",
    "lifecycle",
    "price",
    "recommend",
    "replenish",
    "search",
    "voice",
    "content",
    "support",
}
STATES = {"healthy", "degraded", "fallback", "abstained"}


def bodies(shop: Shop, turn: int) -> dict[str, str]:
    with reading(shop.database) as con:
        rows = con.exec_driver_sql(
            f"SELECT id, body FROM decisions WHERE turn = {turn} ORDER BY id"
        ).all()
    return {row.id: row.body for row in rows}


def seen(shop: Shop, turn: int) -> tuple[dict[str, Any], ShopContext]:
    """Return the signals a turn's levers could see, and their context."""
    row = read_turn(shop, turn)
    when = when_of(date.fromisoformat(row.as_of), row.settings.timezone)
    return known_signals(stage_of(shop, turn)), context_of(row.settings, when)


def again(
    shop: Shop, turn: int, name: str, *, cuts: tuple[str, ...] = (), **tables: Any
) -> LeverRun:
    """Run one lever of a turn again, in this process."""
    known, context = seen(shop, turn)
    row = read_turn(shop, turn)
    return run_lever(
        find_levers()[name],
        {**known, **tables},
        context,
        cuts=cuts,
        previous=last_healthy_model(shop, row.previous, name),
        seed=row.seed,
    )


def lines(run: LeverRun) -> list[str]:
    return [decision.canonical() for decision in run.decisions]


# --- what a turn says of itself


@pytest.mark.parametrize(("number", "day"), [(1, FIRST_DAY), (2, SECOND_DAY)])
def test_summary_has_the_shape_other_programs_rely_on(
    turned: Turned, number: int, day: date
) -> None:
    summary = summary_of(turned.shop, number)
    assert summary["turn"] == number
    assert summary["as_of"] == day.isoformat()
    assert isinstance(summary["snapshot"], int)
    assert summary["seconds"] > 0
    assert set(summary["levers"]) == LEVERS
    for name, run in summary["levers"].items():
        assert set(run) == {"state", "decisions", "reason"}
        assert run["state"] in STATES
        assert run["reason"], name
        made = list_decisions(turned.shop.database, lever=name, turn=number, limit=None)
        assert run["decisions"] == len(made)


def test_both_turns_are_published_and_the_second_is_in_force(turned: Turned) -> None:
    states = {item["turn"]: item["state"] for item in list_turns(turned.shop)}
    assert states == {1: "published", 2: "published"}
    assert published_turn(turned.shop) == 2


def test_a_lever_run_in_this_process_equals_the_one_the_turn_staged(
    turned: Turned,
) -> None:
    staged = stage_of(turned.shop, 2).read_lines("decisions", "replenish")
    assert lines(again(turned.shop, 2, "replenish")) == staged


# --- the second turn learns from the first


def test_first_turn_has_no_outcomes_and_second_measures_the_first(
    turned: Turned,
) -> None:
    first = stage_of(turned.shop, 1).read_tables("signals")["outcomes"]
    second = stage_of(turned.shop, 2).read_tables("signals")["outcomes"]
    assert first.num_rows == 0
    measured = second.filter(
        [metric == "units_28d" for metric in second["metric"].to_pylist()]
    )
    plans = [
        entry.id
        for entry in list_decisions(
            turned.shop.database, lever="forecast", turn=1, limit=None
        )
        if entry.predicted and entry.predicted["metric"] == "units_28d"
    ]
    assert sorted(measured["decision_id"].to_pylist()) == sorted(plans)
    assert set(second["measured_on"].to_pylist()) == {SECOND_DAY}


def test_outcome_is_what_was_sold_in_the_28_days_after(turned: Turned) -> None:
    with turned.shop.lake.attached(read_only=True) as con:
        sold = dict(
            con.execute(
                "SELECT variant_id, sum(quantity_units) FROM lake.order_lines AS l "
                "WHERE kind = 'product' AND NOT EXISTS (SELECT 1 FROM lake.orders AS o "
                "WHERE o.order_id = l.order_id AND status = 'cancelled') AND "
                "CAST(placed_at AT TIME ZONE 'UTC' AT TIME ZONE 'Europe/Berlin' AS "
                "DATE) BETWEEN ? AND ? GROUP BY variant_id",
                [FIRST_DAY + timedelta(days=1), SECOND_DAY],
            ).fetchall()
        )
        measured = con.execute(
            "SELECT subject, actual FROM lake.outcomes WHERE metric = 'units_28d'"
        ).fetchall()
    assert sum(actual for _, actual in measured) > 0
    for subject, actual in measured:
        assert actual == sold.get(subject.removeprefix("variant:"), 0), subject


def test_forecast_of_the_second_turn_uses_the_outcomes(turned: Turned) -> None:
    with_outcomes = again(turned.shop, 2, "forecast")
    without = again(turned.shop, 2, "forecast", cuts=("outcomes→forecast",))
    assert lines(with_outcomes) == stage_of(turned.shop, 2).read_lines(
        "decisions", "forecast"
    )
    assert lines(with_outcomes) != lines(without)


# --- one turn at a time


def test_second_turn_at_once_is_refused(turned: Turned) -> None:
    # The lock belongs to an open file, so a second descriptor stands for a process.
    handle = os.open(turned.folder / "turn.lock", os.O_CREAT | os.O_RDWR)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        with pytest.raises(Busy, match="A turn of this shop is running"):
            run_turn(turned.shop)
    finally:
        os.close(handle)
    assert published_turn(turned.shop) == 2


def test_lock_is_held_by_one_alone(turned: Turned) -> None:
    with turn_lock(turned.shop), pytest.raises(Busy), turn_lock(turned.shop):
        pass


def test_lock_is_free_again_after_a_failure(turned: Turned) -> None:
    with pytest.raises(ZeroDivisionError), turn_lock(turned.shop):
        _ = 1 // 0
    with turn_lock(turned.shop):
        pass


# --- days and settings that do not fit


@pytest.mark.parametrize(
    ("day", "said"),
    [
        (date(9999, 12, 31), "or earlier"),
        (date(3000, 1, 1), "or earlier"),
        (date(1, 1, 1), "1970-01-01 or later"),
    ],
)
def test_day_out_of_reach_is_refused(turned: Turned, day: date, said: str) -> None:
    with pytest.raises(Misuse, match=said):
        run_turn(turned.shop, as_of=day)
    assert len(list_turns(turned.shop)) == 2


def test_empty_shop_is_told_to_import(tmp_path: Path) -> None:
    shop = make_shop(tmp_path / "s", currency="EUR")
    with pytest.raises(Misuse, match=r"knows no fact.*cartwheel import"):
        run_turn(shop)
    assert list_turns(shop) == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[levers.recomend]\nslots = 3\n", "levers.recomend"),
        ('[autonomy]\nreoder = "auto"\n', "autonomy.reoder"),
    ],
)
def test_settings_for_something_not_installed_are_refused(
    tmp_path: Path, text: str, said: str
) -> None:
    shop = make_shop(tmp_path / "s", currency="EUR")
    with open(shop.folder / "cartwheel.toml", "a", encoding="utf-8") as file:
        file.write(text)
    with pytest.raises(Misuse, match=said):
        run_turn(open_shop(shop.folder))


# --- kill -9


def kill_at(shop: Shop, step: str, day: date) -> None:
    """Start `cartwheel turn` and kill it once the turn says it is at a step."""
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "cartwheel.cli", "turn"),
            *("--shop", str(shop.folder), "--as-of", day.isoformat()),
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stderr is not None
    said = []
    for line in process.stderr:
        said.append(line)
        if line.strip().endswith(step):
            break
    else:
        pytest.fail(f"the turn never reached {step}: {said}")
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def test_killed_turn_publishes_nothing_and_resumes_even_in_a_copy(
    turned: Turned, tmp_path: Path
) -> None:
    day = SECOND_DAY - timedelta(days=3)
    shop = copy_of(turned.folder, tmp_path / "killed")
    kill_at(shop, "lever recommend", day)

    assert published_turn(shop) == 2
    assert bodies(shop, 3) == {}
    assert list_turns(shop)[0]["state"] == "running"
    runs = shop.turn_folder(3) / "runs"
    before = {path.name: path.stat().st_mtime_ns for path in runs.glob("*.json")}
    assert {"forecast.json", "lifecycle.json"} <= set(before)
    assert "replenish.json" not in before

    copied = copy_of(shop.folder, tmp_path / "elsewhere")
    said: list[str] = []
    summary = run_turn(copied, as_of=day, progress=said.append)
    assert said[0] == "turn 3 was interrupted and is resumed"
    assert (summary["turn"], summary["state"]) == (3, "published")
    assert set(summary["levers"]) == LEVERS
    runs = copied.turn_folder(3) / "runs"
    for name, changed_at in before.items():
        assert (runs / name).stat().st_mtime_ns == changed_at, f"{name} ran again"

    ids = list(bodies(copied, 3))
    assert len(ids) == sum(run["decisions"] for run in summary["levers"].values())
    assert all(len(history(copied.database, item)) == 1 for item in ids)
    assert [item["turn"] for item in list_turns(copied)] == [3, 2, 1]
    # The shop it was copied from was left alone.
    assert published_turn(shop) == 2
    assert bodies(shop, 3) == {}


def test_lever_that_is_staged_is_not_run_again(turned: Turned, tmp_path: Path) -> None:
    # As after a kill between a lever's last file and the workflow's record of it.
    shop = copy_of(turned.folder, tmp_path / "s")
    run = shop.turn_folder(2) / "runs" / "replenish.json"
    before = run.stat().st_mtime_ns
    assert turn_lever(shop, 2, "replenish")["state"] == "healthy"
    assert run.stat().st_mtime_ns == before


# --- rollback


def test_rollback_restores_the_turn_before(turned: Turned, tmp_path: Path) -> None:
    shop = copy_of(turned.folder, tmp_path / "s")

    def states(turn: int) -> dict[str, str]:
        found = list_decisions(shop.database, turn=turn, limit=None)
        return {entry.id: entry.state.value for entry in found}

    first = states(1)
    superseded = {
        item
        for item, state in first.items()
        if state == "expired"
        and history(shop.database, item)[-1]["note"] == "superseded by turn 2"
    }
    open_second = [i for i, state in states(2).items() if state == "proposed"]
    assert superseded
    assert open_second
    approved = move(shop.database, open_second[:1], "approved", actor="me")[0].id

    assert roll_back(shop, 2, actor="me") == 1
    assert published_turn(shop) == 1
    assert {i for i, state in states(1).items() if state == "proposed"} == superseded
    assert {states(2)[item] for item in open_second} == {"expired"}
    assert states(2)[approved] == "expired"
    for item in open_second[:3]:
        with pytest.raises(Conflict):
            move(shop.database, [item], "approved", actor="me")
    answered = move(shop.database, [sorted(superseded)[0]], "approved", actor="me")
    assert answered[0].state == "approved"
    assert roll_back(shop, 1, actor="me") is None


def test_refused_decision_of_a_rolled_back_turn_cannot_be_reopened(
    turned: Turned, tmp_path: Path
) -> None:
    shop = copy_of(turned.folder, tmp_path / "s")
    (entry, *_) = list_decisions(shop.database, turn=2, state="proposed")
    move(shop.database, [entry.id], "rejected", actor="me")
    roll_back(shop, 2, actor="me")
    with pytest.raises(Conflict, match="rolled back"):
        move(shop.database, [entry.id], "proposed", actor="me")


# --- a cut link


@pytest.mark.parametrize("name", sorted(LEVERS))
def test_cut_stock_to_recommend_acts_through_the_neutral_value_alone(
    turned: Turned, name: str
) -> None:
    link = "stock→recommend"
    cut = again(turned.shop, 2, name, cuts=(link,))
    if name == "recommend":
        neutral = again(turned.shop, 2, name, stock=STOCK.empty())
        assert lines(cut) == lines(neutral)
        assert lines(cut) != lines(again(turned.shop, 2, name))
    else:
        assert lines(cut) == stage_of(turned.shop, 2).read_lines("decisions", name)


# --- no look-ahead


def test_facts_of_later_days_change_no_decision(turned: Turned, tmp_path: Path) -> None:
    shop = copy_of(turned.imported, tmp_path / "s")
    cutoff = datetime.fromisoformat(
        when_of(FIRST_DAY, shop.settings.timezone).cutoff_at
    )
    gone = 0
    with shop.lake.transaction("test", "forget the future") as con:
        for table in TABLES:
            row = con.execute(
                f"DELETE FROM lake.{table.name} WHERE known_at >= ?", [cutoff]
            ).fetchone()
            gone += row[0] if row else 0
    assert gone > 1000
    run_turn(shop, as_of=FIRST_DAY)
    assert bodies(shop, 1) == bodies(turned.shop, 1)


# --- levers that misbehave, found through entry points by the real program


@pytest.fixture(scope="session")
def odd_turn(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return dict(plugged_in(tmp_path_factory.getbasetemp()).summary)


@pytest.mark.parametrize(
    ("name", "state", "said"),
    [
        ("odd-slow", "fallback", "it was stopped: lever ran longer than 8 s"),
        ("odd-raises", "fallback", "learning failed: ZeroDivisionError: by nothing"),
        ("odd-dies", "fallback", "failed: exit code 9"),
        ("odd-garbage", "fallback", "TypeError"),
        ("odd-nan", "abstained", "NaN, which is no JSON value"),
        ("odd-doomed", "abstained", "its stand-in was stopped too"),
    ],
)
def test_misbehaving_lever_does_not_stop_the_turn(
    odd_turn: dict[str, Any], name: str, state: str, said: str
) -> None:
    assert odd_turn["state"] == "published"
    assert set(odd_turn["levers"]) == {*ODD_LEVERS, "search-gaps"} | LEVERS
    run = odd_turn["levers"][name]
    assert run["state"] == state
    assert said in run["reason"]
    assert run["decisions"] == (1 if state == "fallback" else 0)


def test_built_in_levers_say_what_they_lack_beside_misbehaving_ones(
    odd_turn: dict[str, Any],
) -> None:
    # One product with a title is all that search needs.
    assert odd_turn["levers"]["search"]["state"] == "healthy"
    for name in LEVERS - {"search"}:
        run = odd_turn["levers"][name]
        assert run["state"] in {"abstained", "fallback"}
        assert "needs" in run["reason"]


def test_lever_that_ran_over_its_time_keeps_its_last_healthy_model(
    turned: Turned, tmp_path: Path
) -> None:
    shop = copy_of(turned.folder, tmp_path / "s")
    (shop.turn_folder(2) / "runs" / "replenish.json").unlink()
    run_child(shop, 2, "stand-in", "replenish", "it ran over its time", seconds=60)
    run = stage_of(shop, 2).read_json("runs", "replenish")
    assert run is not None
    assert run["state"] == "degraded"
    assert run["reason"] == "it ran over its time; the last healthy model decided"
    assert run["decisions"] > 0


def test_levers_run_after_those_they_read(turned: Turned) -> None:
    order: list[Lever] = order_levers(find_levers())
    names = [lever.name for lever in order]
    assert names.index("forecast") < names.index("price")
    assert names.index("forecast") < names.index("replenish")


def test_children_leave_no_process_behind_after_a_time_limit(
    turned: Turned, tmp_path: Path
) -> None:
    began = time.monotonic()
    with pytest.raises(TimeoutError, match="longer than 0 s"):
        run_child(turned.shop, 2, "signals", seconds=0)
    assert time.monotonic() - began < 60
