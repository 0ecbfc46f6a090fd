"""Results on disk: whole files, one a run, told from anything else."""

from __future__ import annotations

import errno
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cartwheel.errors import Failure
from cartwheel.simulator.referee import results
from cartwheel.simulator.referee.groups import groups_of
from cartwheel.simulator.referee.results import (
    RESULTS,
    Run,
    done,
    file_name,
    read_runs,
    to_table,
    write_run,
    write_table,
)
from tests.simulator.referee.made import played, run

WHOLE = st.integers(-(2**53), 2**53)
NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


@st.composite
def some_run(draw: st.DrawFn) -> Run:
    length = draw(st.integers(0, 5))
    series = st.lists(WHOLE.map(float), min_size=length, max_size=length)
    return Run(
        world=draw(NAMES),
        size=draw(NAMES),
        seed=draw(st.integers(-(2**63), 2**63 - 1)),
        arm=draw(NAMES),
        state=draw(st.sampled_from(["done", "failed"])),
        reason=draw(NAMES),
        seconds=draw(st.floats(0, 1e6)),
        visits=draw(st.integers(0, 2**40)),
        orders=draw(st.integers(0, 2**40)),
        profit_minor=draw(WHOLE),
        parts=draw(st.dictionaries(NAMES, WHOLE, max_size=3)),
        figures=draw(st.dictionaries(NAMES, st.floats(allow_nan=False), max_size=3)),
        days={k: np.array(draw(series)) for k in draw(st.sets(NAMES, max_size=2))},
        currency=draw(st.sampled_from(["", "EUR", "CHF"])),
    )


def plain(one: Run) -> dict[str, Any]:
    values = {name: getattr(one, name) for name in one.__dataclass_fields__}
    values["days"] = {name: list(series) for name, series in one.days.items()}
    return values


@settings(max_examples=60, deadline=None)
@given(some_run())
def test_a_run_comes_back_as_it_was(
    tmp_path_factory: pytest.TempPathFactory, one: Run
) -> None:
    folder = tmp_path_factory.mktemp("runs")
    path = write_run(folder, one)
    assert path.parent == folder
    assert [plain(back) for back in read_runs(folder)] == [plain(one)]
    assert done(folder) == ({one.key} if one.state == "done" else set())


def test_runs_are_sorted_and_a_second_writing_replaces_the_first(
    tmp_path: Path,
) -> None:
    for seed in (10, 9):
        write_run(tmp_path, run("isolated", seed, profit_minor=1))
    write_run(tmp_path, run("isolated", 9, profit_minor=2))
    assert [(r.seed, r.profit_minor) for r in read_runs(tmp_path)] == [(9, 2), (10, 1)]


def test_a_failed_run_is_played_again(tmp_path: Path) -> None:
    write_run(tmp_path, run("connected", state="failed", reason="it raised"))
    write_run(tmp_path, run("no-ai"))
    assert done(tmp_path) == {("apparel", "small", 0, "no-ai")}


def test_names_that_look_alike_stay_apart() -> None:
    names = {
        file_name((world, "small", 1, arm))
        for world in ("a/b", "a-b", "A B", "../a-b")
        for arm in ("isolated plus x→y", "isolated plus x-y")
    }
    assert len(names) == 8
    assert all(os.path.basename(name) == name for name in names)
    assert all(name.isascii() and " " not in name for name in names)


def test_a_very_long_name_still_fits_a_file_system(tmp_path: Path) -> None:
    arm = "coalition " + "+".join(f"signal_{i}→lever_{i}" for i in range(40))
    write_run(tmp_path, run(arm))
    assert [r.arm for r in read_runs(tmp_path)] == [arm]


def test_a_kill_leaves_a_temporary_file_that_nobody_reads(tmp_path: Path) -> None:
    path = write_run(tmp_path, run("no-ai"))
    half = path.read_bytes()[:50]
    (tmp_path / "apparel-small-1-no-ai.abc.part").write_bytes(half)
    assert len(read_runs(tmp_path)) == len(done(tmp_path)) == 1


def test_a_kill_while_writing_leaves_the_earlier_file_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_run(tmp_path, run("no-ai", profit_minor=1))

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", killed)
        with pytest.raises(KeyboardInterrupt):
            write_run(tmp_path, run("no-ai", profit_minor=2))
    assert [r.profit_minor for r in read_runs(tmp_path)] == [1]
    assert len(list(tmp_path.iterdir())) == 1


def test_a_full_disk_is_said_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(Failure, match="No space left on device"):
        write_run(tmp_path, run("no-ai"))
    assert list(tmp_path.iterdir()) == []


def test_files_may_be_read_by_whoever_reads_other_files(tmp_path: Path) -> None:
    (tmp_path / "other").touch()
    path = write_run(tmp_path, run("no-ai"))
    assert path.stat().st_mode == (tmp_path / "other").stat().st_mode


@pytest.mark.parametrize("read", [read_runs, done])
@pytest.mark.parametrize(
    "content", [b"", b"PAR1", b"not parquet at all" * 20], ids=["empty", "cut", "other"]
)
def test_a_broken_file_is_named(tmp_path: Path, read: Any, content: bytes) -> None:
    write_run(tmp_path, run("no-ai"))
    (tmp_path / "broken.parquet").write_bytes(content)
    with pytest.raises(Failure, match=r"broken\.parquet cannot be read"):
        read(tmp_path)


@pytest.mark.parametrize("read", [read_runs, done])
def test_a_foreign_table_is_named(tmp_path: Path, read: Any) -> None:
    pq.write_table(pa.table({"world": ["apparel"]}), tmp_path / "theirs.parquet")
    with pytest.raises(Failure, match=r"theirs\.parquet is not a result"):
        read(tmp_path)


def test_a_file_with_two_rows_is_no_run(tmp_path: Path) -> None:
    path = write_run(tmp_path, run("no-ai"))
    table = pq.read_table(path)
    pq.write_table(pa.concat_tables([table, table]), path)
    with pytest.raises(Failure, match="is not a result"):
        read_runs(tmp_path)


def test_a_copied_file_would_count_a_world_twice(tmp_path: Path) -> None:
    path = write_run(tmp_path, run("no-ai"))
    (tmp_path / "copy.parquet").write_bytes(path.read_bytes())
    with pytest.raises(Failure, match=r"copy\.parquet.*hold the same run"):
        read_runs(tmp_path)


def test_a_run_that_does_not_hold_together_is_refused() -> None:
    with pytest.raises(ValueError, match="expected one length"):
        run("no-ai", days={"visits": np.ones(3), "orders": np.ones(2)})
    with pytest.raises(ValueError, match="expected one length"):
        run("no-ai", days={"visits": np.ones((3, 2))})
    with pytest.raises(ValueError, match="state is 'lost'"):
        run("no-ai", state="lost")


def test_a_stored_run_that_does_not_hold_together_is_named(tmp_path: Path) -> None:
    path = write_run(tmp_path, run("no-ai"))
    table = pq.read_table(path)
    place = table.schema.get_field_index("state")
    lost = table.set_column(place, table.schema.field(place), pa.array(["lost"]))
    pq.write_table(lost, path)
    with pytest.raises(Failure, match=rf"{path.name} does not hold together"):
        read_runs(tmp_path)


def test_text_that_no_file_can_hold_does_not_lose_the_run(tmp_path: Path) -> None:
    write_run(tmp_path, run("no-ai", state="failed", reason="bad \ud800 text"))
    assert read_runs(tmp_path)[0].reason == "bad ? text"


def test_the_flat_table_has_a_column_a_part_and_figure(tmp_path: Path) -> None:
    runs = [
        run("no-ai", parts={"revenue": 7}, figures={"fill_rate": 0.5}),
        run("isolated", parts={"goods": -2}),
    ]
    table = to_table(runs)
    assert table["part_revenue_minor"].to_pylist() == [7, None]
    assert table["part_goods_minor"].to_pylist() == [None, -2]
    assert table["figure_fill_rate"].to_pylist() == [0.5, None]
    assert table["arm"].to_pylist() == ["no-ai", "isolated"]
    path = write_table(tmp_path, runs)
    assert path.name == RESULTS
    assert pq.read_table(path).equals(table)


def test_the_flat_table_lies_beside_the_runs_and_is_none(tmp_path: Path) -> None:
    runs = played(worlds=2)
    for one in runs:
        write_run(tmp_path, one)
    write_table(tmp_path, runs)
    assert len(read_runs(tmp_path)) == len(done(tmp_path)) == len(runs) == 8


def test_no_runs_make_an_empty_table_and_an_empty_list(tmp_path: Path) -> None:
    assert to_table([]).num_rows == 0
    assert read_runs(tmp_path / "nowhere") == []
    assert results.done(tmp_path / "nowhere") == set()


def test_the_currency_is_kept_and_older_results_without_one_are_read(
    tmp_path: Path,
) -> None:
    path = write_run(tmp_path, run("connected", 1, currency="CHF"))
    (kept,) = read_runs(tmp_path)
    assert kept.currency == "CHF"
    # As results were written before the currency was kept with them.
    table = pq.read_table(path)
    format_ = {b"cartwheel_referee": b"1"}
    pq.write_table(table.replace_schema_metadata(format_), path)
    (older,) = read_runs(tmp_path)
    assert older.currency == ""
    assert older.key == kept.key
    (group,) = groups_of([older])
    assert group.currency == "EUR", "that of the shipped world of this name"
    (own,) = groups_of([replace(older, world="mine")])
    assert own.currency == ""
