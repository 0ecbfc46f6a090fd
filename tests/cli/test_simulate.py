"""Simulations from the command line: what is asked, what is printed, how it ends."""

from __future__ import annotations

import math
import sys
import types
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cartwheel.errors import Misuse
from cartwheel.simulator import commands, telling
from cartwheel.simulator.referee import batch
from cartwheel.simulator.referee.batch import Job, Playing, Progress, Summary
from cartwheel.simulator.referee.groups import MEASURED
from cartwheel.simulator.referee.results import Run as Result
from cartwheel.simulator.referee.results import read_runs, write_run
from cartwheel.simulator.world import spec
from tests.cli.program import Run, assert_one_line

LINKS = ["price->forecast", "returns->price", "stock->recommend"]
PROFIT = {"no-ai": 100, "isolated": 120, "connected": 150, "oracle": 180}
ARMS = {*PROFIT, MEASURED, "connected minus stock→recommend"}
WORLD = types.SimpleNamespace(money=types.SimpleNamespace(currency="EUR"))


def check_arm(name: str) -> None:
    if name not in ARMS:
        raise Misuse(f"There is no arm {name!r}.", f"Choose from {', '.join(PROFIT)}.")


def load_world(name: str) -> Any:
    if name not in spec.WORLDS:
        raise Misuse(
            f"There is no world {name!r}.", f"Choose one of {', '.join(spec.WORLDS)}."
        )
    return WORLD


@pytest.fixture(autouse=True)
def _fake_referee(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stand in for the worlds and the arms, which take their time."""
    registry: Any = types.ModuleType("registry")
    registry.check_arm = check_arm
    registry.links = lambda: list(LINKS)
    monkeypatch.setitem(sys.modules, "cartwheel.simulator.arms.registry", registry)
    monkeypatch.setattr(spec, "load_world", load_world)


@dataclass
class Batch:
    """Notes what was asked and writes a result for each arm."""

    failing: Iterable[str] = ()
    jobs: Sequence[Job] = ()
    options: dict[str, Any] | None = None

    def __call__(
        self, jobs: Sequence[Job], folder: Path, *, progress: Any, **options: Any
    ) -> Summary:
        self.jobs, self.options = jobs, options
        runs = [self.play(job, arm) for job in jobs for arm in job.arms]
        for run in runs:
            write_run(folder, run)
        failures = tuple(run for run in runs if run.state == "failed")
        for ended in (0, len(runs)):
            for _ in range(2):
                progress(told(len(runs), ended))
        whole = len(jobs) - len({(run.world, run.seed) for run in failures})
        return Summary(
            total=len(runs),
            done=len(runs) - len(failures),
            kept=0,
            failures=failures,
            worlds=len(jobs),
            whole=whole,
            seconds=1.25,
        )

    def play(self, job: Job, arm: str) -> Result:
        names = {"world": job.world, "size": job.size, "seed": job.seed, "arm": arm}
        if arm in self.failing:
            return Result(**names, state="failed", reason="it broke.")
        profit = PROFIT.get(arm, 130) * 100 + job.seed
        figures = lift(job.seed) if arm == MEASURED else {}
        return Result(
            **names,
            state="done",
            visits=100,
            orders=3,
            profit_minor=profit,
            figures=figures,
        )


def lift(seed: int) -> dict[str, float]:
    """Return figures of an interval that holds the truth for even seeds only."""
    value = 100.0 if seed % 2 == 0 else 140.0
    return {
        "lift_true_minor": 100.0,
        "lift_measured_minor": value,
        "lift_low_minor": value - 30,
        "lift_high_minor": value + 30,
        "customers_reached": 80.0,
        "customers_held_out": 20.0,
        "answers_held_out": 40.0,
        "answers_unrecognised": 10.0,
        "recommend_lift_true_minor": 100.0,
        "recommend_held_gap_minor": 35.0,
        "recommend_lift_measured_minor": value,
        "recommend_lift_low_minor": value - 30,
        "recommend_lift_high_minor": value + 30,
        "recommend_units_reached": 60.0,
        "recommend_units_held_out": 20.0,
        "recommend_of_products": 0.0,
    }


def told(total: int, ended: int) -> Progress:
    playing = Playing(world="apparel", seed=3, arm="connected", day=9, days=182)
    left = (playing,) if ended < total else ()
    return Progress(total=total, done=ended, failed=0, running=left, seconds_left=3700)


@pytest.fixture
def played(monkeypatch: pytest.MonkeyPatch) -> Batch:
    fake = Batch()
    monkeypatch.setattr(batch, "run_batch", fake)
    return fake


def simulate(run: Run, command: str, out: Path, *more: str) -> Any:
    return run("simulate", command, "--out", out, *more)


def test_run_plays_every_world_and_prints_the_headline(
    run: Run, played: Batch, tmp_path: Path
) -> None:
    done = simulate(run, "run", tmp_path / "out", "--worlds", "2", "--seed", "5")
    assert done.code == 0, done.err
    asked = {(job.world, job.seed): job for job in played.jobs}
    assert list(asked) == [(world, s) for s in (5, 6) for world in spec.WORLDS]
    assert {job.arms for job in played.jobs} == {commands.ARMS}
    assert {job.size for job in played.jobs} == {"small"}
    assert played.options is not None
    assert played.options["workers"] >= 1
    assert played.options["seconds"] == 3600
    assert played.options["retry_failed"] is False
    assert "connected less isolated" in done.out
    assert done.err.splitlines() == [
        "0 of 32 arms done, about 1 h 02 min left",
        "32 of 32 arms done",
    ]


def test_coverage_plays_one_arm_and_says_how_often_the_truth_was_held(
    run: Run, played: Batch, tmp_path: Path
) -> None:
    options = ["--world", "apparel", "--world", "hostile", "--worlds", "2"]
    done = simulate(run, "coverage", tmp_path / "out", *options, "--seed", "3")
    assert done.code == 0, done.err
    assert {job.arms for job in played.jobs} == {(MEASURED,)}
    assert {(job.world, job.seed) for job in played.jobs} == {
        (world, seed) for world in ("apparel", "hostile") for seed in (3, 4)
    }
    heads, apparel, hostile, said, _, *levers = done.out.splitlines()
    assert "held the truth" in heads
    # Of the two seeds the interval of one holds the truth.
    assert "50.0 %" in apparel
    assert "EUR cents" in hostile
    assert said.startswith("50.0 % of 4 intervals held the true lift")
    assert "Fewer than some 200 worlds cannot tell 93 % from 97 %." in said
    assert [line.split()[:3] for line in levers[1:3]] == [
        ["apparel", "(small)", "recommend"],
        ["hostile", "(small)", "recommend"],
    ]
    assert "measured less true, in widths" in levers[4]
    options += ["--seed", "3", "--json"]
    value = simulate(run, "coverage", tmp_path / "out", *options).json()
    assert [row["world"] for row in value["coverage"]] == ["apparel", "hostile"]
    row = value["coverage"][0]
    assert row["coverage"]["share"] == 0.5
    assert row["coverage"]["bias"] == row["off"]["mean"] == 20
    assert (row["currency"], row["width_minor"]) == ("EUR", 60)
    assert value["together"]["n"] == 4
    each = value["levers"][0]
    assert (each["lever"], each["unit"], each["never"]) == ("recommend", "customer", 0)
    # The contrast of 65 is in no interval: 70 to 130 and 110 to 170.
    assert (each["coverage"]["share"], each["contrast"]["share"]) == (0.5, 0.0)
    assert value["levers_together"][0]["coverage"]["n"] == 4
    again = simulate(run, "report", tmp_path / "out")
    assert "50.0 % of 4 intervals" in again.out
    assert "no results" not in again.out
    value = simulate(run, "report", tmp_path / "out", "--json").json()
    assert (value["headline"], len(value["coverage"])) == ([], 2)


def test_coverage_ends_with_failure_when_no_world_was_measured(
    run: Run, played: Batch, tmp_path: Path
) -> None:
    played.failing = (MEASURED,)
    options = ["--world", "apparel", "--worlds", "2"]
    done = simulate(run, "coverage", tmp_path / "out", *options)
    assert done.code == 1
    assert "No world has been measured" in done.out


def test_robustness_plays_two_arms_in_every_variant(
    run: Run, played: Batch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spec, "load_world", lambda name: WORLD)
    options = ["--world", "apparel", "--worlds", "2", "--seed", "3"]
    done = simulate(run, "robustness", tmp_path / "out", *options)
    assert done.code == 0, done.err
    worlds = {job.world for job in played.jobs}
    assert len(worlds) == 13
    assert {"apparel", "apparel--taste-low", "apparel--visits-high"} <= worlds
    assert {job.arms for job in played.jobs} == {("isolated", "connected")}
    assert {job.seed for job in played.jobs} == {3, 4}
    assert "connection pays in 13 of 13" in done.out
    again = simulate(run, "robustness", tmp_path / "out", *options, "--json").json()
    assert len(again["robustness"]) == 13
    assert again["robustness"][0]["parameter"] == "as it is"


def test_run_takes_its_options_and_prints_json(
    run: Run, played: Batch, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    options = ["--world", "apparel", "--world", "hostile", "--world", "apparel"]
    options += ["--size", "large", "--worlds", "3", "--workers", "3", "--limit", "60"]
    options += ["--arm", "connected", "--arm", "isolated", "--retry-failed", "--json"]
    value = simulate(run, "run", out, *options).json()
    assert {job.world for job in played.jobs} == {"apparel", "hostile"}
    assert {job.arms for job in played.jobs} == {("connected", "isolated")}
    assert {job.size for job in played.jobs} == {"large"}
    expected = {"workers": 3, "seconds": 60, "retry_failed": True}
    assert played.options == expected
    assert value["out"] == str(out)
    assert (value["arms"], value["done"], value["worlds"]) == (12, 12, 6)
    assert value["failures"] == []
    apparel, hostile = value["headline"]
    assert (apparel["world"], hostile["world"]) == ("apparel", "hostile")
    (pair,) = apparel["pairs"]
    assert (pair["arm"], pair["base"]) == ("connected", "isolated")
    assert pair["per_visit"]["mean"] == pytest.approx(30)


def test_arm_may_be_typed_with_a_plain_arrow(
    run: Run, played: Batch, tmp_path: Path
) -> None:
    arm = ("--arm", "connected minus stock->recommend")
    assert simulate(run, "run", tmp_path / "out", *arm).code == 0
    assert {job.arms for job in played.jobs} == {("connected minus stock→recommend",)}


@pytest.mark.parametrize("command", ["run", "report"])
def test_arms_without_a_headline_are_told_to_be_kept(
    run: Run, played: Batch, tmp_path: Path, command: str
) -> None:
    options = ("--world", "apparel", "--worlds", "2")
    arm = ("--arm", "connected minus stock->recommend")
    done = simulate(run, "run", tmp_path / "out", *options, *arm)
    if command == "report":
        done = simulate(run, "report", tmp_path / "out")
    assert done.code == 0, done.err
    assert "no results" not in done.out
    assert done.out.startswith("No headline: it compares arms such as no-ai")
    assert "2 results of connected minus stock→recommend" in done.out


def test_run_tells_what_the_measured_arm_found(
    run: Run, played: Batch, tmp_path: Path
) -> None:
    options = ("--world", "apparel", "--worlds", "2", "--arm", MEASURED)
    done = simulate(run, "run", tmp_path / "out", *options)
    assert "50.0 % of 2 intervals held the true lift" in done.out
    assert "headline" not in done.out
    assert "no results" not in done.out


def test_number_that_is_none_becomes_null(
    run: Run, played: Batch, tmp_path: Path
) -> None:
    one = simulate(run, "run", tmp_path / "out", "--worlds", "1", "--json").json()
    # There is no interval with one world.
    assert one["headline"][0]["pairs"][0]["per_visit"]["low"] is None


def test_failed_arms_are_told_and_the_others_shown(
    run: Run, played: Batch, tmp_path: Path
) -> None:
    played.failing = ["oracle"]
    options = ("--world", "apparel", "--worlds", "6")
    done = simulate(run, "run", tmp_path / "out", *options)
    assert done.code == 1  # no world has all its arms
    assert "connected less isolated" in done.out
    assert "failed: apparel 1 oracle: it broke." in done.err.splitlines()
    assert "and 1 more failed" in done.err.splitlines()
    last = done.err.splitlines()[-1]
    assert last == (
        "error: Every world failed in at least one arm; the first was oracle in "
        "apparel 1: it broke. Correct the cause and play them again with "
        "--retry-failed."
    )


def test_one_whole_world_is_enough(
    run: Run, played: Batch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Partly(Batch):
        def play(self, job: Job, arm: str) -> Result:
            self.failing = ["oracle"] if job.seed == 1 else []
            return super().play(job, arm)

    monkeypatch.setattr(batch, "run_batch", Partly())
    value = simulate(run, "run", tmp_path / "out", "--worlds", "2", "--json").json()
    assert value["whole"] == 4
    assert [one["arm"] for one in value["failures"]] == ["oracle"] * 4
    assert {one["reason"] for one in value["failures"]} == {"it broke."}


def test_links_play_each_link_alone_and_left_out(
    run: Run, played: Batch, tmp_path: Path
) -> None:
    options = ("--world", "apparel", "--worlds", "3")
    done = simulate(run, "links", tmp_path / "out", *options)
    assert done.code == 0, done.err
    expected = {"connected", "isolated"}
    expected |= {f"connected minus {link}" for link in LINKS}
    expected |= {f"isolated plus {link}" for link in LINKS}
    (arms,) = {job.arms for job in played.jobs}
    assert set(arms) == expected
    assert len(arms) == len(expected)
    row, share = [x for x in done.out.splitlines() if "stock->recommend" in x]
    # Alone it adds 130 - 120, left out it costs 150 - 130, in every world alike.
    assert "+10.00 (+10.00 to +10.00)" in row
    assert "+20.00 (+20.00 to +20.00)" in row
    # As shares of 120 and of 150.
    assert "+8.3 % (+8.3 % to +8.3 %)" in share
    assert "+13.3 % (+13.3 % to +13.3 %)" in share


def test_links_with_orders_play_the_coalitions(
    run: Run, played: Batch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = sys.modules["cartwheel.simulator.arms.registry"]
    four = [*LINKS, "people->price"]
    monkeypatch.setattr(registry, "links", lambda: four)
    options = ("--world", "apparel", "--worlds", "2", "--shapley", "2", "--json")
    value = simulate(run, "links", tmp_path / "out", *options).json()
    (arms,) = {job.arms for job in played.jobs}
    # An order of four and its reverse share no set of two links.
    pairs = [arm for arm in arms if arm.startswith("coalition ")]
    assert len(pairs) == 2
    assert len(arms) == len(set(arms)) == 2 + 2 * 4 + 2
    worth = [row["shapley"]["mean"] for row in value["links"]]
    assert len(worth) == 4
    assert sum(worth) == pytest.approx(PROFIT["connected"] - PROFIT["isolated"])


def test_report_writes_page_and_table(run: Run, played: Batch, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert simulate(run, "run", out, "--world", "apparel", "--worlds", "3").code == 0
    said = simulate(run, "report", out)
    assert said.code == 0, said.err
    assert f"Wrote {out / 'report.html'} and {out / 'results.parquet'}" in said.out
    page = tmp_path / "page.html"
    value = simulate(run, "report", out, "--file", str(page), "--json").json()
    assert value["report"] == str(page)
    assert (value["runs"], value["failed"], value["links"]) == (12, 0, [])
    assert "<html" in page.read_text(encoding="utf-8")
    assert len(read_runs(out)) == 12


def test_report_of_nothing_is_said(run: Run, tmp_path: Path) -> None:
    done = simulate(run, "report", tmp_path / "out")
    assert_one_line(done, 2, "holds no results.*cartwheel simulate run --out")


@dataclass(frozen=True)
class Target:
    """As the calibration gives them."""

    name: str
    doc: str
    low: float
    high: float
    value: float
    low_ci: float
    high_ci: float
    inside: bool


@pytest.fixture
def calibrated(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str, list[int]]]:
    """Return the calls; the hostile world has a target out of range."""
    calls: list[tuple[str, str, list[int]]] = []

    def calibrate(world: str, size: str, seeds: Sequence[int]) -> list[Target]:
        calls.append((world, size, list(seeds)))
        share = 0.9 if world == "hostile" else 0.025
        ends = (share - 0.01, share + 0.01)
        first = Target("conversion", "Doc.", 0.019, 0.03, share, *ends, share < 0.1)
        # One world has no interval.
        low, high = (0.4, 0.6) if len(seeds) > 1 else (math.nan, math.nan)
        return [first, Target("repeat", "Doc.", 0, 1, 0.5, low, high, True)]

    module: Any = types.ModuleType("calibrate")
    module.calibrate = calibrate
    name = "cartwheel.simulator.referee.calibrate"
    monkeypatch.setitem(sys.modules, name, module)
    return calls


def test_calibration_prints_every_target(
    run: Run, calibrated: list[tuple[str, str, list[int]]]
) -> None:
    done = run("simulate", "calibrate", "--worlds", "2", "--seed", "7")
    assert done.code == 0, done.err
    verticals = [name for name in spec.WORLDS if name != "hostile"]
    assert calibrated == [(name, "small", [7, 8]) for name in verticals]
    lines = done.out.splitlines()
    assert len(lines) == 1 + 2 * len(verticals)
    cells = " ".join(lines[1].split())
    assert cells == "apparel conversion 0.019 to 0.03 0.025 0.015 to 0.035 in"


def test_calibration_out_of_range_fails(
    run: Run, calibrated: list[tuple[str, str, list[int]]]
) -> None:
    done = run("simulate", "calibrate", "--world", "hostile", "--size", "standard")
    assert (done.code, calibrated) == (1, [("hostile", "standard", [1, 2, 3, 4, 5, 6])])
    assert done.out.splitlines()[1].endswith("OUT")
    assert "1 of 2 targets are out of range: conversion of hostile." in done.err


def test_calibration_shapes_need_real_shops(
    run: Run,
    calibrated: list[tuple[str, str, list[int]]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("CARTWHEEL_DATA", raising=False)
    drawn = tmp_path / "shapes.html"
    for more, said in (((), "--data or CARTWHEEL_DATA"), (("--data", "."), "neither")):
        done = run("simulate", "calibrate", "--shapes", str(drawn), *more)
        assert done.code == 2, done.err
        assert said in done.err
    assert not drawn.exists()
    assert calibrated == []


def test_calibration_has_json(
    run: Run, calibrated: list[tuple[str, str, list[int]]]
) -> None:
    value = run("simulate", "calibrate", "--world", "apparel", "--json").json()
    assert [row["name"] for row in value] == ["conversion", "repeat"]
    assert value[0]["world"] == "apparel"
    assert value[0]["inside"] is True


def test_one_world_has_no_interval(
    run: Run, calibrated: list[tuple[str, str, list[int]]]
) -> None:
    one = ("simulate", "calibrate", "--world", "apparel", "--worlds", "1")
    assert run(*one).out.splitlines()[2].split()[-3:] == ["no", "interval", "in"]
    assert run(*one, "--json").json()[1]["low_ci"] is None


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("run", "--world", "atlantis"), "no world 'atlantis'.*apparel.*hostile"),
        (("run", "--size", "vast"), "no size 'vast'.*small, standard, large"),
        (("run", "--arm", "psychic"), "no arm 'psychic'.*no-ai"),
        (("run", "--worlds", "0"), "--worlds.* greater than or equal to 1"),
        (("run", "--workers", "-1"), "--workers.* greater than or equal to 0"),
        (("run", "--limit", "0"), "--limit.* greater than or equal to 1"),
        (("run", "--limit", "inf"), "--limit.* less than or equal to 2592000"),
        (("run", "--limit", "nan"), "--limit"),
        (("run", "--seed", "-4"), "--seed.* greater than or equal to 0"),
        (("run", "--out", __file__, "--world", "apparel"), "cannot be used"),
        (("links", "--world", "atlantis"), "no world 'atlantis'"),
        (("links", "--shapley", "3"), "--shapley is 3; expected 0 or an even"),
        (("links", "--size", "vast"), "no size 'vast'"),
        (("calibrate", "--world", "atlantis"), "no world 'atlantis'"),
        (("calibrate", "--size", "vast"), "no size 'vast'"),
        (("calibrate", "--worlds", "0"), "--worlds"),
    ],
)
def test_misuse_is_one_line(
    run: Run, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], said: str
) -> None:
    @dataclass
    class Spec:
        name: str

        def model_dump(self, *, mode: str) -> dict[str, str]:
            return {"name": self.name}

    def known(name: str) -> Spec:
        load_world(name)
        return Spec(name)

    monkeypatch.setattr(spec, "load_world", known)
    assert_one_line(run("simulate", *arguments), 2, said)


def test_terminal_gets_a_bar(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "200")
    teller = telling.Teller()
    for ended in (0, 0, 6, 12):
        teller(told(12, ended))
    teller.close()
    drawn = capsys.readouterr().err
    assert drawn.endswith("\n")
    first, half, full = drawn.split("\r")[1:]
    assert first.startswith(f"[{'.' * 24}] 0 of 12 arms done, about 1 h 02 min left")
    assert ": apparel 3 connected 9/182" in first
    assert half.startswith(f"[{'#' * 12}{'.' * 12}] 6 of 12 ")
    assert full.rstrip() == f"[{'#' * 24}] 12 of 12 arms done"
    # Each line covers the one before it.
    assert {len(line.rstrip("\n")) for line in (first, half, full)} == {199}


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        *((0, "0 s"), (0.2, "1 s"), (89.9, "90 s"), (90, "2 min"), (3540, "59 min")),
        *((3541, "1 h 00 min"), (7260, "2 h 01 min")),
    ],
)
def test_time_left_is_said_in_its_unit(seconds: float, said: str) -> None:
    assert telling._duration(seconds) == said
