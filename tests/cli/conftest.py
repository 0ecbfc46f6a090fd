"""Shops and a runner for the tests of the command line."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from cartwheel import cli
from cartwheel.shop import make_shop
from tests.cli.program import Done, Run
from tests.turned import Turned, copy_of, turned_in


@pytest.fixture(scope="module")
def turned(tmp_path_factory: pytest.TempPathFactory) -> Turned:
    return turned_in(tmp_path_factory.getbasetemp())


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the program's own `main` in this process."""

    def call(*arguments: str | Path) -> Done:
        monkeypatch.setattr(sys, "argv", ["cartwheel", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        said = capsys.readouterr()
        code = ended.value.code
        assert isinstance(code, int)
        return Done(code, said.out, said.err)

    return call


@pytest.fixture
def copied(turned: Turned, tmp_path: Path) -> Path:
    """Return a copy of the turned shop's folder that a test may change."""
    return copy_of(turned.folder, tmp_path / "copy").folder


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    return make_shop(tmp_path / "empty", currency="EUR").folder
