"""What the worker does with requests from the console."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import select

from cartwheel.console.published import ask_for, read_progress
from cartwheel.errors import Busy, Failure
from cartwheel.operations import now_text, requests
from cartwheel.shop import Shop, make_shop
from cartwheel.worker import JOBS, work_once

LIVED = SimpleNamespace(last_day=date(2026, 11, 26))


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return make_shop(tmp_path / "shop", currency="EUR", demo=True)


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Stand in for living; an entry's "then" is raised or returned."""
    made: list[dict[str, Any]] = []

    def live(shop: Shop, **given: Any) -> Any:
        given["say"]("living 20 Nov 2026 to 26 Nov 2026")
        shown = read_progress(shop.database)
        made.append({**given, "shown": shown and shown.text})
        return LIVED

    monkeypatch.setattr("cartwheel.simulator.living.living.live", live)
    return made


def asked(shop: Shop) -> list[tuple[str, str]]:
    with shop.database.connect() as con:
        rows = con.execute(select(requests).order_by(requests.c.seq)).all()
    return [(row.state, row.note) for row in rows]


def test_a_week_is_lived_when_asked_for_and_its_progress_shown(
    shop: Shop, calls: list[dict[str, Any]]
):
    assert not work_once(shop)
    assert ask_for(shop.database, "live", actor="ann")
    waiting = read_progress(shop.database)
    assert waiting is not None
    assert waiting.text == "A week is asked for and starts shortly."
    assert work_once(shop)
    (call,) = calls
    assert (call["approve_as"], call["request"]) == (None, 1)
    assert call["shown"] == "Living 20 Nov 2026 to 26 Nov 2026."
    assert asked(shop) == [("done", "lived until 2026-11-26")]
    assert read_progress(shop.database) is None
    assert not work_once(shop)


def test_approving_is_done_in_the_name_of_who_asked(
    shop: Shop, calls: list[dict[str, Any]]
):
    ask_for(shop.database, "live-approving", actor="ann")
    work_once(shop)
    assert calls[0]["approve_as"] == "ann"


def test_a_second_request_is_refused_while_one_waits_or_runs(shop: Shop):
    assert ask_for(shop.database, "live", actor="ann")
    assert not ask_for(shop.database, "live", actor="bob")
    assert not ask_for(shop.database, "turn", actor="bob")
    with shop.database.begin() as con:
        con.execute(requests.update().values(state="running"))
    assert not ask_for(shop.database, "live-approving", actor="bob")
    assert len(asked(shop)) == 1


def test_a_request_that_was_interrupted_is_done_first(
    shop: Shop, calls: list[dict[str, Any]]
):
    with shop.database.begin() as con:
        for state in ("running", "waiting"):
            con.execute(
                requests.insert().values(
                    what="live", asked_at=now_text(), actor="ann", state=state, note=""
                )
            )
    assert work_once(shop)
    assert [call["request"] for call in calls] == [1]
    assert work_once(shop)
    assert [call["request"] for call in calls] == [1, 2]


def test_a_week_that_fails_says_why(shop: Shop, monkeypatch: pytest.MonkeyPatch):
    def broken(*_: Any, **__: Any) -> Any:
        raise Failure("The world is gone.", "Make a new one.")

    monkeypatch.setattr("cartwheel.simulator.living.living.live", broken)
    ask_for(shop.database, "live", actor="ann")
    assert work_once(shop)
    assert asked(shop) == [("failed", "The world is gone. Make a new one.")]
    shown = read_progress(shop.database)
    assert shown is not None
    assert shown.text == (
        "The week asked for was not lived to its end: The world is gone. "
        "Make a new one."
    )


def test_a_week_waits_while_somebody_else_holds_the_shop(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
):
    def busy(*_: Any, **__: Any) -> Any:
        raise Busy("Somebody turns.", "Wait.")

    monkeypatch.setattr("cartwheel.simulator.living.living.live", busy)
    ask_for(shop.database, "live", actor="ann")
    assert not work_once(shop)
    assert asked(shop) == [("waiting", "")]


def test_a_real_shop_that_is_asked_to_live_says_no(tmp_path: Path):
    real = make_shop(tmp_path / "real", currency="EUR", name="Real shop")
    ask_for(real.database, "live", actor="ann")
    assert work_once(real)
    ((state, note),) = asked(real)
    assert state == "failed"
    assert "Real shop is a real shop" in note


def test_what_nobody_can_do_is_left_alone(shop: Shop):
    ask_for(shop.database, "dance", actor="ann")
    assert not work_once(shop)
    assert set(JOBS) == {"turn", "live", "live-approving"}
