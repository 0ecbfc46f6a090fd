"""The bench runs at toy size and prints its table; speeds are never asserted."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from bench.__main__ import PARTS, main
from bench.measure import Figure, Skipped, python, run, steps, tree


def test_quick_run_prints_figures_floors_and_machine(tmp_path, capsys):
    file = tmp_path / "figures.json"
    code = main(["help", "segments", "events", "--quick", "--json", str(file)])
    printed = capsys.readouterr().out
    assert code == 0
    assert "cores" in printed
    assert "load before" in printed
    for name in ("cartwheel --help", "score and segment", "events acknowledged"):
        assert name in printed
    assert "floor: SQLite alone" in printed
    written = json.loads(file.read_text())
    assert {f["part"] for f in written["figures"]} == {"help", "segments", "events"}
    assert all(value > 0 for f in written["figures"] for value in f["values"])


def test_part_without_data_says_so(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("CARTWHEEL_DATA", str(tmp_path))
    assert main(["import", "--quick"]) == 0
    assert "import: not measured: online-retail is not in" in capsys.readouterr().out


def test_unknown_part_is_refused(capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["speed"])
    assert stopped.value.code == 2
    printed = capsys.readouterr().err
    assert all(part in printed for part in PARTS)


@pytest.mark.parametrize(
    ("target", "met"),
    [
        ({"most": 2.0}, True),
        ({"most": 1.0}, False),
        ({"least": 3.0}, False),
        ({}, None),
    ],
)
def test_figure_compares_its_median_with_the_target(target, met):
    values = [1.0, 2.0, 9.0]
    figure = Figure(part="p", name="n", size="", unit="s", values=values, **target)
    assert figure.met is met
    assert ("MISSED" in figure.cells()) is (met is False)


def test_run_measures_memory_of_a_child_process():
    # It works on for a while, so that a sample falls while all of it is held.
    child = (
        "import hashlib; held = bytearray(120_000_000); held[::4096] = b'x' * 29297; "
        "hashlib.pbkdf2_hmac('sha256', held, b'', 1_000_000)"
    )
    parent = (
        f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    )
    # The parent alone has 20 MB.
    assert run(python("-c", parent)).peak_mb > 60


def test_a_process_that_ends_while_it_is_looked_at_has_no_children(monkeypatch):
    def gone(path: Path, pattern: str) -> None:
        raise FileNotFoundError(path)

    monkeypatch.setattr(Path, "glob", gone)
    assert tree(1) == [1]


def test_run_that_fails_is_skipped_with_its_last_line():
    with pytest.raises(Skipped, match="no such thing"):
        run(python("-c", "raise SystemExit('no such thing')"))


def test_steps_take_the_time_to_the_next_line():
    printed = [(1.0, "turn 1: sense"), (3.0, "noise"), (4.0, "turn 1: lever price")]
    assert steps(printed, 9.0) == {"sense": 3.0, "lever price": 5.0}


def test_work_folder_is_removed(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    main(["segments", "--quick"])
    assert list(Path(tmp_path).iterdir()) == []
