"""The journey of a real shop: published by its turns, read by the command line."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cartwheel.turn.pages import make_pages
from cartwheel.turn.publish import page_in_force
from tests.measure.published import check_said_without, run
from tests.turned import Turned, turned_in


@pytest.fixture(scope="module")
def turned(tmp_path_factory: pytest.TempPathFactory) -> Turned:
    return turned_in(tmp_path_factory.getbasetemp())


@pytest.fixture(scope="module")
def page(turned: Turned) -> dict[str, Any]:
    number, body = page_in_force(turned.shop, "journey")
    assert number == 2
    return body


def test_turn_publishes_the_journey_of_a_simulated_shop(page: dict[str, Any]) -> None:
    assert page["failed"] == ""
    steps = {one["step"]: one for one in page["steps"]}
    assert steps["visit"]["visits"] > 100
    assert steps["product"]["went_on"] == steps["cart"]["visits"]
    assert steps["cart"]["went_on"] == page["checkouts"]
    assert steps["checkout"]["share_off"] == 0
    assert page["worth"]["of"] == "contribution margin"


def test_the_same_turn_publishes_the_same_bytes(
    page: dict[str, Any], turned: Turned
) -> None:
    again = make_pages(turned.shop, 2)["journey"]
    assert json.dumps(again, sort_keys=True) == json.dumps(page, sort_keys=True)


def test_broken_records_do_not_lose_the_turn(
    turned: Turned, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*given: object, **named: object) -> None:
        raise RuntimeError("no facts")

    monkeypatch.setattr("cartwheel.measure.journey.shop.journey_page", fail)
    made = make_pages(turned.shop, 2)
    assert made["journey"] == {"failed": "RuntimeError: no facts"}
    assert made["overview"]["levers"]


def test_page_fixes_of_the_turn_and_those_in_force_are_known(
    turned: Turned, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Any] = []

    def keep(data: Any) -> dict[str, Any]:
        seen.extend(data.fixes)
        return {}

    monkeypatch.setattr("cartwheel.measure.journey.shop.journey_page", keep)
    make_pages(turned.shop, 2)
    assert seen
    assert all(one.product and one.decision.startswith("2-") for one in seen)


def test_command_prints_what_the_turn_published(
    turned: Turned,
    page: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    words = ("journey", "--shop", str(turned.folder))
    assert run(*words, "--json", monkeypatch=monkeypatch) == 0
    assert json.loads(capsys.readouterr().out) == {"turn": 2, **page}
    assert run(*words, monkeypatch=monkeypatch) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0] == page["says"]
    assert "Steps, last 28 days:" in said


def test_command_says_what_to_do_without_a_journey(
    turned: Turned,
    tmp_path: Any,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    check_said_without(turned, "journey", tmp_path, monkeypatch, capsys)
