"""`cartwheel measure` as it is called: exit codes, JSON, and asking for a mapping."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cartwheel.cli import app
from cartwheel.cli_errors import run_guarded
from tests.measure.files.made import shoppers

CALL = ["--unit", "user", "--arm", "arm", "--control", "control"]


def call(*words: str) -> int:
    return run_guarded(lambda: app(list(words), standalone_mode=False))


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "test.csv"
    shoppers(1_000, lift=9.0).to_csv(path, index=False)
    return str(path)


def test_json_has_the_fields_others_rely_on(file: str, capsys) -> None:
    words = [*CALL, "--metric", "spend=spend", "--covariate", "before", "--json"]
    assert call("measure", file, *words) == 0
    value = json.loads(capsys.readouterr().out)
    (metric,) = value["metrics"]
    assert {
        *("control", "arm", "effect", "low", "high", "relative", "p_value"),
        *("method", "n"),
    } <= set(metric)
    assert (metric["control"], metric["arm"]) == ("control", "mail")
    assert metric["low"] < metric["effect"] < metric["high"]
    assert metric["verdict"].startswith("spend with mail against control is higher")
    assert value["checks"] == []
    assert value["refused"] is False


def test_a_refusal_ends_with_1_and_says_why(file: str, tmp_path: Path, capsys) -> None:
    frame = shoppers(1_000)
    frame.loc[1, "spend"] = float("inf")
    path = tmp_path / "bad.csv"
    frame.to_csv(path, index=False)
    words = [*CALL, "--metric", "spend=spend"]
    assert call("measure", str(path), *words, "--json") == 1
    value = json.loads(capsys.readouterr().out)
    assert value["metrics"] == []
    assert value["checks"][0]["level"] == "refusal"
    assert value["checks"][0]["rows"] == 1
    assert call("measure", str(path), *words) == 1
    assert "No verdict." in capsys.readouterr().out


def test_intervals_without_end_are_null_in_json(tmp_path: Path, capsys) -> None:
    path = tmp_path / "small.csv"
    shoppers(60).to_csv(path, index=False)
    words = [*CALL, "--metric", "spend=spend", "--planned", "500", "--json"]
    assert call("measure", str(path), *words) == 0
    assert json.loads(capsys.readouterr().out)["metrics"][0]["low"] is None


def test_a_call_without_a_mapping_is_told_one(file: str, capsys, monkeypatch) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)
    assert call("measure", file) == 2
    said = capsys.readouterr().err
    assert "--unit and --arm and --control and --metric missing" in said
    assert "--unit user --arm arm --control control" in said


def test_a_terminal_is_asked(file: str, capsys, monkeypatch) -> None:
    answers = iter(["user", "arm", "control", "spend, orders/visits"])
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("typer.prompt", lambda *_, **__: next(answers))
    assert call("measure", file, "--json") == 0
    found = json.loads(capsys.readouterr().out)["metrics"]
    assert [one["metric"] for one in found] == ["spend", "orders/visits"]
