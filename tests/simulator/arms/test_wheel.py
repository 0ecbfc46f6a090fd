"""The wheel as a policy: when it learns, when it decides."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from cartwheel.simulator.arms import wheel
from cartwheel.simulator.arms.registry import CONNECTED, DAILY, DEFAULT, make_arm
from cartwheel.simulator.world.world import View, World
from tests.simulator.world.made import SIZE, make_spec


class NoSignals:
    """Stands in for the lake, whose signals take seconds to compile."""

    def __init__(self, *_: Any, **__: Any) -> None:
        pass

    @contextmanager
    def day(self, when: Any) -> Iterator[dict[str, Any]]:
        yield {}


def turns(arm: str, days: int, patched: pytest.MonkeyPatch) -> list[tuple[int, bool]]:
    """Return on which days an arm decided, and whether it learned first."""
    world = World(make_spec(), SIZE, 1)
    found = []

    def note(levers: Any, tables: Any, context: Any, **options: Any) -> dict[str, Any]:
        found.append((world.day, options["learn"]))
        assert not options["pages"]
        review = context.options["replenish"]["review_days"]
        assert review == (1 if arm == DAILY else 7)
        return {}

    patched.setattr(wheel, "turn_core", note)
    patched.setattr(wheel, "PreparedSignals", NoSignals)
    policy = make_arm(arm, world, 1)
    for _ in range(days):
        policy.morning(View(world))
        world._evening()
    return found


def test_it_learns_and_decides_weekly(monkeypatch: pytest.MonkeyPatch) -> None:
    assert turns(CONNECTED, 16, monkeypatch) == [(0, True), (7, True), (14, True)]


def test_the_daily_one_decides_daily_and_learns_weekly(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = turns(DAILY, 16, monkeypatch)
    assert [day for day, _ in found] == list(range(16))
    assert [day for day, learns in found if learns] == [0, 7, 14]
    assert DAILY not in DEFAULT
