"""`cartwheel live`: demo shops only, whole weeks, as JSON on request."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from cartwheel.shop import Shop, make_shop
from cartwheel.simulator.living import living
from tests.cli.program import Run, assert_one_line
from tests.simulator.living.conftest import made_demo


def test_a_real_shop_does_not_live(run: Run, empty: Path) -> None:
    done = run("live", "--shop", empty)
    assert_one_line(done, 2, "is a real shop; only a demo shop can live")


def test_a_demo_shop_without_a_world_does_not_live(run: Run, tmp_path: Path) -> None:
    make_shop(tmp_path / "demo", currency="EUR", demo=True)
    done = run("live", "--shop", tmp_path / "demo")
    assert_one_line(done, 2, "no world behind it")


@pytest.mark.parametrize("weeks", ["0", "53", "x"])
def test_weeks_out_of_range_are_refused(run: Run, empty: Path, weeks: str) -> None:
    assert_one_line(run("live", "--shop", empty, "--weeks", weeks), 2, "--weeks")


def test_weeks_are_lived_each_with_a_turn(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = made_demo(tmp_path / "demo")
    shop.database.dispose()
    days: list[str] = []

    def run_turn(_shop: Shop, *, as_of: date, **_: Any) -> None:
        days.append(str(as_of))

    monkeypatch.setattr(living, "run_turn", run_turn)
    given = ("--shop", shop.folder, "--weeks", "2", "--approve-all")
    done = run("live", *given, "--json")
    assert done.code == 0, done.err
    assert done.json() == {
        "weeks": 2,
        "last_day": "2026-10-04",
        "carried": [0, 0],
        "published_turn": None,
    }
    assert days == ["2026-09-27", "2026-10-04"]
    assert "living 21 Sep 2026 to 27 Sep 2026" in done.err
    told = run("live", "--shop", shop.folder)
    assert told.out.startswith("Lived until 2026-10-11: 0 decisions carried out")
