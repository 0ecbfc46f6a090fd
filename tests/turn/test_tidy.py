"""After a turn: the lake's small files are joined, and a crash there harms nothing."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from cartwheel.errors import Failure
from cartwheel.shop import Shop, make_shop
from cartwheel.turn import child, publish


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    monkeypatch.setattr(publish, "read_turn", lambda shop, number: SimpleNamespace())
    monkeypatch.setattr(publish, "oldest_kept", lambda row: 3)
    made = make_shop(tmp_path / "shop", currency="EUR")
    for number in ("1", "2", "3"):
        (made.folder / "turns" / number).mkdir(parents=True)
    return made


def test_old_turns_go_and_the_files_are_joined_by_a_child(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[Any, ...]] = []
    monkeypatch.setattr(
        publish, "run_child", lambda shop, number, step, seconds: asked.append((step,))
    )
    publish.tidy(shop, 4)
    assert asked == [("compact",)]
    assert sorted(p.name for p in (shop.folder / "turns").iterdir()) == ["3"]


def test_a_crash_while_joining_is_told_and_goes_no_further(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def crash(*_given: Any, **_more: Any) -> None:
        raise Failure("exit code -11", "")

    monkeypatch.setattr(publish, "run_child", crash)
    publish.tidy(shop, 4)
    assert "were not joined: exit code -11" in caplog.text


def test_the_child_joins_files(shop: Shop) -> None:
    shop.lake.snapshot()  # makes the lake
    assert child.main([str(shop.folder), "4", "compact"]) == 0
    with pytest.raises(ValueError, match="unknown step"):
        child.main([str(shop.folder), "4", "dance"])
