"""Turning and answering: exit codes and one-line errors."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from cartwheel.shop import Shop, open_shop
from cartwheel.turn import workflow
from cartwheel.turn.workflow import summary_of
from tests.cli.program import Run, assert_one_line, program
from tests.turned import SECOND_DAY, Turned


def test_turn_prints_its_summary(
    run: Run, turned: Turned, monkeypatch: pytest.MonkeyPatch
) -> None:
    summary = summary_of(turned.shop, 2)
    asked = []

    def made(shop: Shop, *, as_of: date | None, progress: Any) -> dict[str, Any]:
        asked.append((shop.folder, as_of))
        progress("turn 2: signals")
        return summary

    monkeypatch.setattr(workflow, "run_turn", made)
    shop = ("--shop", turned.folder)
    done = run("turn", *shop, "--as-of", "2025-05-30", "--json")
    assert done.json() == summary
    assert done.err == "turn 2: signals\n"
    people = run("turn", *shop).out.splitlines()
    assert asked == [(turned.folder, SECOND_DAY), (turned.folder, None)]
    assert people[0].startswith("Turn 2 as of 2025-05-30 is published after ")
    assert people[1].split() == ["lever", "state", "decisions", "reason"]
    assert [line.split()[0] for line in people[2:]] == list(summary["levers"])


def test_turn_on_a_shop_without_facts(run: Run, empty: Path) -> None:
    assert_one_line(run("turn", "--shop", empty), 2, "knows no fact.*cartwheel import")


@pytest.mark.parametrize("day", ["yesterday", "2025-13-01", "2025-02-30", "9999-12-31"])
def test_turn_refuses_a_wrong_day(run: Run, turned: Turned, day: str) -> None:
    done = run("turn", "--shop", turned.folder, "--as-of", day)
    assert_one_line(done, 2, day)


def test_second_turn_at_once_fails_and_says_how_to_follow(copied: Path) -> None:
    import fcntl

    with open(copied / "turn.lock", "w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        done = program("turn", "--shop", copied)
    assert_one_line(done, 1, "A turn of this shop is running.*cartwheel status")


def test_approve_undo_and_reject(run: Run, copied: Path) -> None:
    shop = ("--shop", copied)
    rows = run("decisions", *shop, "--state", "proposed", "--json").lines()
    # A page fix is carried out as soon as it is approved.
    rows = [row for row in rows if row["kind"] != "page_fix"]
    first, second = rows[0]["id"], rows[1]["id"]
    moved = run("approve", first, second, *shop, "--json").json()
    assert moved == [
        {"id": first, "state": "approved"},
        {"id": second, "state": "approved"},
    ]
    assert_one_line(run("approve", first, *shop), 2, "is approved and cannot become")
    assert run("undo", first, *shop).out == f"{first} is reverted.\n"
    assert_one_line(run("undo", first, *shop), 2, "is reverted; only")
    third = rows[2]["id"]
    assert run("reject", third, *shop, "--note", "no").out == f"{third} is rejected.\n"
    assert run("undo", third, *shop).out == f"{third} is proposed.\n"


def test_answering_several_is_all_or_nothing(run: Run, copied: Path) -> None:
    shop = ("--shop", copied)
    rows = run("decisions", *shop, "--state", "proposed", "--json").lines()
    good = rows[0]["id"]
    assert_one_line(run("approve", good, "9-none", *shop), 2, "no decision '9-none'")
    state = run("decisions", *shop, "--state", "proposed", "--json").lines()
    assert good in {row["id"] for row in state}


@pytest.mark.parametrize("command", ["approve", "reject", "undo", "replay"])
def test_unknown_decision_is_said(run: Run, turned: Turned, command: str) -> None:
    done = run(command, "9-none", "--shop", turned.folder)
    assert_one_line(done, 2, "There is no decision '9-none'. List them with")


def test_undo_of_nothing_done_is_said(run: Run, turned: Turned) -> None:
    shop = ("--shop", turned.folder)
    rows = run("decisions", *shop, "--state", "proposed", "--json").lines()
    assert_one_line(run("undo", rows[0]["id"], *shop), 2, "is proposed; only approved")


def test_replay_counts_what_is_identical(run: Run, turned: Turned) -> None:
    shop = ("--shop", turned.folder, "--json")
    (row, *_) = run("decisions", *shop, "--turn", "2").lines()
    value = run("replay", row["id"], *shop).json()
    assert value == {"replayed": 1, "identical": 1, "different": []}
    assert_one_line(run("replay", "--shop", turned.folder), 2, "No decision is named")


def test_replay_fails_when_the_record_was_changed(run: Run, copied: Path) -> None:
    shop = ("--shop", copied)
    rows = run("decisions", *shop, "--lever", "replenish", "--json").lines()
    item = rows[0]["id"]
    with open_shop(copied).database.begin() as con:
        con.exec_driver_sql(
            f"UPDATE decisions SET body = replace(body, 'units', 'U') WHERE id='{item}'"
        )
    done = run("replay", item, *shop, "--json")
    assert done.code == 1
    assert json.loads(done.out)["different"] == [item]
    assert done.err.startswith("error: 1 decisions differ from the record. ")


def test_rollback_twice_and_then_nothing_is_left(run: Run, copied: Path) -> None:
    shop = ("--shop", copied)
    assert run("rollback", *shop, "--json").json() == {
        "rolled_back": 2,
        "published_turn": 1,
    }
    done = run("rollback", *shop)
    assert done.out == "Turn 1 is rolled back; in force is turn none.\n"
    assert run("status", *shop, "--json").json()["published_turn"] is None
    assert_one_line(run("rollback", *shop), 2, "No turn is published. Turn the wheel")
    assert_one_line(run("backtest", *shop), 2, "No turn is published. Turn the wheel")


def test_backtest_of_the_first_turn(run: Run, turned: Turned) -> None:
    shop = ("--shop", turned.folder)
    value = run("backtest", *shop, "--turn", "1", "--days", "28", "--json").json()
    assert value
    assert run("backtest", *shop, "--turn", "1", "--days", "28").out
    assert_one_line(run("backtest", *shop, "--turn", "9"), 2, "There is no turn 9")
