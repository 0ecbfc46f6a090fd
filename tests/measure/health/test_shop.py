"""Health of a real shop: published by its turns, read by the command line."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cartwheel.measure.health.command import to_lines
from cartwheel.turn.pages import make_pages
from cartwheel.turn.publish import page_in_force
from tests.measure.published import check_said_without, run
from tests.turned import Turned, turned_in


@pytest.fixture(scope="module")
def turned(tmp_path_factory: pytest.TempPathFactory) -> Turned:
    return turned_in(tmp_path_factory.getbasetemp())


@pytest.fixture(scope="module")
def page(turned: Turned) -> dict[str, Any]:
    number, body = page_in_force(turned.shop, "health")
    assert number == 2
    return body


def test_turn_publishes_health(page: dict[str, Any]) -> None:
    assert "failed" not in page
    looked = {one["check"]: one for one in page["well"] + page["faults"]}
    assert looked["returns_recorded"]["evidence"]["recent_count"] > 0
    assert {one["state"] for one in page["faults"]} <= {"broken", "weak"}
    assert all(one["lacks"] for one in page["unknown"])


def test_outcomes_of_the_first_turn_are_calibrated(page: dict[str, Any]) -> None:
    found = {(one["lever"], one["metric"]): one for one in page["calibration"]}
    assert found["forecast", "units_28d"]["outcomes"] > 20
    assert {one["turn"] for one in page["errors"]} == {1}


def test_every_lever_and_link_is_told(page: dict[str, Any], turned: Turned) -> None:
    told = {one["check"] for part in ("well", "faults") for one in page[part]}
    assert {"lever_forecast", "lever_recommend"} <= told


def test_the_same_turn_publishes_the_same_health(
    page: dict[str, Any], turned: Turned
) -> None:
    again = make_pages(turned.shop, 2)["health"]
    kept = {n: again[n] for n in ("calibration", "errors", "drift")}
    assert json.loads(json.dumps(kept)) == {n: page[n] for n in kept}


def test_broken_records_do_not_lose_the_turn(
    turned: Turned, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*given: object, **named: object) -> None:
        raise RuntimeError("no facts")

    monkeypatch.setattr("cartwheel.turn.pages.shop_health", fail)
    made = make_pages(turned.shop, 2)
    assert made["health"] == {"failed": "RuntimeError: no facts"}
    assert made["overview"]["levers"]


def test_command_prints_what_the_turn_published(
    turned: Turned,
    page: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    words = ("health", "--shop", str(turned.folder))
    assert run(*words, "--json", monkeypatch=monkeypatch) == 0
    assert json.loads(capsys.readouterr().out) == {"turn": 2, **page}
    assert run(*words, monkeypatch=monkeypatch) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0] == page["says"]
    assert "Calibration of 80% intervals:" in said


def test_command_says_what_to_do_without_health(
    turned: Turned,
    tmp_path: Any,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    check_said_without(turned, "health", tmp_path, monkeypatch, capsys)


def test_lines_say_money_and_interval() -> None:
    stake = {"value": 41_200, "low": 6_900, "high": 110_000, "basis": "on the rows"}
    fault = {
        "spoke": "receipts",
        "state": "broken",
        "explained_by": "",
        "says": "None came.",
        "rows": ["V1"],
        "next_step": "Record them.",
        "stake": stake,
    }
    body = {
        "says": "Broken: receipts.",
        "faults": [fault],
        "calibration": [],
        "drift": [],
        "reliance": [],
        "unknown": [],
    }
    lines = to_lines(body, "EUR", 2)
    assert lines[2] == (
        "1. receipts is broken: EUR 412 a month at stake (69 to 1,100; on the rows)"
    )
    assert to_lines({"failed": "x"}, "EUR", 2) == ["Health could not be looked at: x"]
