"""Commands that print what a turn published, run in this process."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from sqlalchemy import delete

from cartwheel import cli
from cartwheel.operations import pages
from tests.turned import Turned, copy_of


def run(*words: str, monkeypatch: pytest.MonkeyPatch) -> object:
    """Run a command and return its exit code."""
    monkeypatch.setattr(sys, "argv", ["cartwheel", *words])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    return ended.value.code


def check_said_without(
    turned: Turned,
    name: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A command says what to do before any turn, and of a turn without its page."""
    shop = copy_of(turned.folder, tmp_path / "old")
    with shop.database.begin() as con:
        con.execute(delete(pages).where(pages.c.name == name))
    for folder, said in (
        (turned.imported, "No turn is published. Turn the wheel first"),
        (shop.folder, f"Turn 2 published no {name}"),
    ):
        assert run(name, "--shop", str(folder), monkeypatch=monkeypatch) == 2
        assert said in capsys.readouterr().err
