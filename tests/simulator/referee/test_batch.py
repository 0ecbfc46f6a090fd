"""Many worlds at once: what fails is marked, what is finished survives anything."""

from __future__ import annotations

import errno
import functools
import json
import os
import re
import select
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from cartwheel.errors import Failure, Misuse
from cartwheel.simulator.referee import batch, results
from cartwheel.simulator.referee.batch import Job, Progress, Summary, run_batch
from cartwheel.simulator.referee.results import read_runs
from cartwheel.simulator.world import spec
from tests.simulator.referee.fakes import (
    Spec,
    fake_world,
    play,
    play_and_raise,
    play_first,
)

BAD = {
    "raises": r"ZeroDivisionError: division by zero at fakes.py:\d+$",
    "mistaken": "It is wrong. Do it right.",
    "garbage": "ValueError: a str came instead of a result",
    "stranger": r"the result of .*'someone-else'.* came instead of .*'stranger'",
    "no-number": "ValueError: profit_minor is nan; expected a whole number",
    "endless-part": "ValueError: cost is inf",
    "fraction": r"ValueError: profit_minor is 1\.5; expected a whole number",
    "unstorable": "its result cannot be stored: UnicodeEncodeError",
    "unsendable": "PicklingError|AttributeError",
    "out-of-memory": "MemoryError",
    "leaves": "SystemExit: 0",
    "dies": "its process was killed by SIGKILL; memory may have run out",
    "quits": "its process ended with exit code 7",
}


@pytest.fixture(autouse=True)
def _fake_worlds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spec, "load_world", fake_world)


def played(place: Path) -> list[str]:
    path = place / "played.txt"
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []


def jobs(*arms: str, seeds: int = 1, world: str = "dull") -> list[Job]:
    return [
        Job(world=world, size="small", seed=seed, arms=arms) for seed in range(seeds)
    ]


def ignore(_: Progress) -> None:
    """Take no notice of progress."""


def run(asked: Sequence[Job], place: Path, **options: Any) -> Summary:
    given: dict[str, Any] = {"workers": 2, "seconds": 60.0, "progress": ignore}
    given |= {"play": functools.partial(play, place=place), **options}
    return run_batch(asked, place / "out", **given)


def states(place: Path) -> dict[tuple[int, str], str]:
    return {(run.seed, run.arm): run.state for run in read_runs(place / "out")}


def test_every_arm_is_played_once_and_kept(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    told: list[Progress] = []
    asked = [*jobs("a", "b", "a", seeds=3), *jobs("b", "threads")]
    for name in batch.ONE_THREAD:
        monkeypatch.setenv(name, "3")
    done = run(asked, tmp_path, progress=told.append)
    assert (done.total, done.done, done.kept, done.failures) == (7, 7, 0, ())
    assert (done.worlds, done.whole) == (3, 3)
    expected = [f"{seed} {arm}" for seed in range(3) for arm in "ab"]
    assert sorted(played(tmp_path)) == sorted([*expected, "0 threads"])
    found = {run.key: run for run in read_runs(tmp_path / "out")}
    assert len(found) == 7
    assert found["dull", "small", 2, "a"].profit_minor == 100
    # A child computes on one thread; its parent's own settings are left alone.
    assert set(found["dull", "small", 0, "threads"].figures.values()) == {1.0}
    assert {os.environ[name] for name in batch.ONE_THREAD} == {"3"}
    # What policies print does not get between results and progress.
    assert capfd.readouterr() == ("", "")
    assert told[0] == Progress(total=7, done=0, failed=0, running=(), seconds_left=None)
    assert told[-1] == Progress(total=7, done=7, failed=0, running=(), seconds_left=0)
    assert [one.done for one in told] == sorted(one.done for one in told)
    assert max(len(one.running) for one in told) == 2
    assert {(p.day, p.days) for one in told for p in one.running} == {(0, 0), (1, 2)}
    # Every result says 2 s, so what is left is a multiple of it over two processes.
    known = [one for one in told if one.done]
    assert all(one.seconds_left is not None for one in known)
    assert all(0 <= (one.seconds_left or 0) <= 2 * (7 - one.done) for one in known)


def test_world_of_a_file_goes_by_its_name(tmp_path: Path) -> None:
    asked = jobs("by-path", "plain", world="some/folder/dull.toml")
    assert run(asked, tmp_path).done == 2
    assert {run.world for run in read_runs(tmp_path / "out")} == {"dull"}
    assert run(jobs("by-path", "plain"), tmp_path).kept == 2


@pytest.fixture(scope="module")
def troubled(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Summary]:
    """Play two worlds in which every other arm goes wrong in a way of its own."""
    place = tmp_path_factory.mktemp("troubled")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(spec, "load_world", fake_world)
        return place, run([trouble(0), trouble(1)], place)


def trouble(seed: int) -> Job:
    arms = ["good-0"]
    for number, bad in enumerate(list(BAD)[seed::2]):
        arms += [bad, f"good-{number + 1}"]
    return Job(world="dull", size="small", seed=seed, arms=tuple(arms))


@pytest.mark.parametrize(("arm", "said"), BAD.items(), ids=list(BAD))
def test_failure_costs_its_own_arm_only(
    troubled: tuple[Path, Summary], arm: str, said: str
) -> None:
    place, summary = troubled
    assert states(place) == {
        (job.seed, one): "failed" if one in BAD else "done"
        for job in (trouble(0), trouble(1))
        for one in job.arms
    }
    (failed,) = [run for run in read_runs(place / "out") if run.arm == arm]
    assert_said(failed.reason, said)
    assert arm in [run.arm for run in summary.failures]


def assert_said(reason: str, said: str) -> None:
    assert re.search(said, reason), reason
    assert len(reason.splitlines()) == 1


def test_worlds_with_a_failed_arm_are_counted(troubled: tuple[Path, Summary]) -> None:
    _, summary = troubled
    assert (summary.total, len(summary.failures)) == (2 * len(BAD) + 2, len(BAD))
    assert summary.done == summary.total - len(BAD)
    assert (summary.worlds, summary.whole) == (2, 0)


def processes(place: Path, *arms: str) -> set[float]:
    assert run(jobs(*arms, seeds=3), place, workers=1).done == 3 * len(arms)
    return {one.figures["process"] for one in read_runs(place / "out")}


def test_process_goes_on_with_the_next_world_of_our_arms(tmp_path: Path) -> None:
    assert len(processes(tmp_path, "no-ai", "isolated")) == 1


def test_outsiders_policy_stays_in_its_own_process(tmp_path: Path) -> None:
    assert len(processes(tmp_path, "no-ai", "outsider")) == 3


def test_failure_after_the_last_result_costs_nothing(tmp_path: Path) -> None:
    summary = run(jobs("no-ai", seeds=3), tmp_path, workers=1, play=play_and_raise)
    assert (summary.done, summary.failures) == (3, ())


def test_world_that_ends_early_fails_what_is_missing(tmp_path: Path) -> None:
    summary = run(jobs("a", "b"), tmp_path, play=play_first)
    assert (summary.done, [run.arm for run in summary.failures]) == (1, ["b"])
    assert "ended without a result of b" in summary.failures[0].reason


def assert_ended(alive: int) -> None:
    """A hanging arm's process is gone: it held the other end of this pipe."""
    # Not `select`, which refuses file descriptors above 1,023.
    hung_up = select.poll()
    hung_up.register(alive, select.POLLIN)
    assert hung_up.poll(60_000)
    assert os.read(alive, 1) == b""
    os.close(alive)


def test_arm_that_never_ends_is_stopped(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "alive")
    reader = os.open(tmp_path / "alive", os.O_RDONLY | os.O_NONBLOCK)
    summary = run(jobs("before", "hangs", "after"), tmp_path, seconds=1.5)
    (failed,) = summary.failures
    assert (failed.arm, failed.reason) == ("hangs", "it ran longer than 1.5 s")
    assert failed.seconds >= 1.5
    assert summary.done == 2
    assert_ended(reader)


def test_failed_arms_are_played_again_only_when_asked(tmp_path: Path) -> None:
    asked = jobs("before", "raises")
    assert run(asked, tmp_path).done == 1
    (tmp_path / "mended").touch()
    again = run(asked, tmp_path)
    assert (again.done, again.kept, len(again.failures)) == (1, 1, 1)
    assert played(tmp_path) == ["0 before", "0 raises"]
    mended = run(asked, tmp_path, retry_failed=True)
    assert (mended.done, mended.kept, mended.failures) == (2, 1, ())
    assert played(tmp_path) == ["0 before", "0 raises", "0 raises"]
    assert set(states(tmp_path).values()) == {"done"}


def test_killed_batch_goes_on_where_it_stopped(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "alive")
    code = (
        "from pathlib import Path; from tests.simulator.referee import fakes;"
        f"fakes.run_and_tell(Path({str(tmp_path)!r}))"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    with parent.stdout:
        for line in parent.stdout:
            if line == "1\n":
                break
        alive = os.open(tmp_path / "alive", os.O_RDONLY)  # from now on it hangs
        parent.kill()
        parent.wait()
        assert_ended(alive)
    assert states(tmp_path) == {(0, "before"): "done"}
    done = run(jobs("before", "after"), tmp_path)
    assert (done.done, done.kept) == (2, 1)
    assert played(tmp_path) == ["0 before", "0 hangs", "0 after"]


def test_stopped_batch_ends_its_processes_and_keeps_results(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "alive")
    reader = os.open(tmp_path / "alive", os.O_RDONLY | os.O_NONBLOCK)

    def stop(progress: Progress) -> None:
        if any((one.arm, one.day) == ("hangs", 1) for one in progress.running):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(jobs("before", "hangs"), tmp_path, progress=stop)
    assert_ended(reader)
    assert states(tmp_path) == {(0, "before"): "done"}


def test_full_disk_stops_the_batch_and_keeps_results(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[Path] = []
    replace = os.replace

    def full(source: Path, target: Path) -> None:
        if target.suffix == ".parquet":
            calls.append(target)
            if len(calls) > 1:
                raise OSError(errno.ENOSPC, "No space left on device", str(target))
        replace(source, target)

    with monkeypatch.context() as patched:
        patched.setattr(results.os, "replace", full)
        with pytest.raises(Failure, match="No space left on device") as error:
            run(jobs("a", "b", "c"), tmp_path)
    assert str(tmp_path / "out") in error.value.message
    assert "start again" in error.value.next_step
    assert states(tmp_path) == {(0, "a"): "done"}
    assert run(jobs("a", "b", "c"), tmp_path).done == 3


def test_results_of_other_settings_are_not_mixed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(jobs(), tmp_path)
    run(jobs(world="lively"), tmp_path)  # another world may join
    run(jobs(world="some/folder/dull.toml"), tmp_path)  # as may the same settings
    large = [Job(world="dull", size="large", seed=1, arms=("a",))]
    with pytest.raises(Misuse, match=r"dull \(small, .* mixed .* dull \(large, "):
        run(large, tmp_path)
    with monkeypatch.context() as patched:
        patched.setattr(batch, "version", lambda name: "99.1")
        with pytest.raises(Misuse, match=r"mixed with dull .* version 99\.1"):
            run(jobs("a"), tmp_path)
    monkeypatch.setattr(spec, "load_world", lambda name: Spec("dull", 0.5))
    with pytest.raises(Misuse, match=r"settings .* settings "):
        run(jobs("a"), tmp_path)
    assert played(tmp_path) == []


def test_two_worlds_of_one_name_are_told_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spec, "load_world", lambda name: Spec("dull", float(name)))
    with pytest.raises(Misuse, match="Two worlds are called 'dull'"):
        run([*jobs("a", world="1"), *jobs("a", world="2")], tmp_path)
    assert not (tmp_path / "out").exists()


def test_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "accounts.txt").write_text("mine")
    with pytest.raises(Misuse, match="something other than results"):
        run(jobs("a"), tmp_path)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["accounts.txt"]


def test_mark_that_was_cut_off_is_written_again(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "made-with.part").write_text("{")
    run(jobs(), tmp_path)
    mark = json.loads((tmp_path / "out" / batch.MADE_WITH).read_text())
    assert list(mark) == ["dull"]
    assert mark["dull"].startswith("small, settings ")


@pytest.mark.parametrize("text", ["", "[]", "{", "\x00"])
def test_damaged_mark_is_said(tmp_path: Path, text: str) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / batch.MADE_WITH).write_text(text)
    with pytest.raises(Misuse, match=f"{batch.MADE_WITH} is damaged"):
        run(jobs("a"), tmp_path)


def test_folder_that_cannot_be_used_is_said(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file")
    with pytest.raises(Misuse, match=r"out cannot be used: .*\. .* --out"):
        run(jobs("a"), tmp_path)


@pytest.mark.parametrize("wrong", [{"workers": 0}, {"seconds": 0.0}])
def test_senseless_limits_are_refused(tmp_path: Path, wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="above zero"):
        run(jobs("a"), tmp_path, **wrong)
