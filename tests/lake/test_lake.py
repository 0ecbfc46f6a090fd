"""The lake: created once, appended to in transactions, read at a snapshot."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from cartwheel.errors import Busy, Failure
from cartwheel.lake.store import Lake, all_tables
from cartwheel.lake.tables import TABLES

INSERT = """
INSERT INTO lake.locations
    (location_id, name, known_at, imported_at, batch, content_hash)
SELECT 'l' || i, 'Place', TIMESTAMP '2026-01-01' + INTERVAL (i) DAY,
       TIMESTAMP '2026-06-01', 'b', 'h' || i
FROM range(?, ?) AS t (i)
"""

CHILD = """
import sys
from pathlib import Path
from cartwheel.lake.store import Lake
lake = Lake(folder=Path(sys.argv[1]), catalogue_url=sys.argv[2] or None)
first, last = int(sys.argv[3]), int(sys.argv[4])
for number in range(first, last):
    with lake.transaction("child", "row") as con:
        con.execute(sys.argv[5], [number, number + 1])
"""


def _append(lake: Lake, first: int, last: int) -> None:
    with lake.transaction("test", "rows", {"first": first}) as con:
        con.execute(INSERT, [first, last])


def _interrupted(lake: Lake, statement: str) -> None:
    with lake.transaction("test", "interrupted") as con:
        con.execute(INSERT, [3, 9])
        con.execute(statement)
        raise ZeroDivisionError


def _count(lake: Lake, snapshot: int | None = None, where: str = "true") -> int:
    with lake.attached(snapshot=snapshot, read_only=True) as con:
        row = con.execute(
            f"SELECT count(*) FROM lake.locations WHERE {where}"
        ).fetchone()
    assert row is not None
    return int(row[0])


def _start(lake: Lake, first: int, last: int) -> subprocess.Popen[bytes]:
    given = [str(lake.folder), lake.catalogue_url or "", str(first), str(last), INSERT]
    return subprocess.Popen([sys.executable, "-c", CHILD, *given])


def test_create_makes_every_table_and_can_be_repeated(lake: Lake) -> None:
    before = lake.snapshot()
    lake.create()
    assert lake.snapshot() == before
    with lake.attached(read_only=True) as con:
        rows = con.execute(
            "SELECT table_name, column_name FROM duckdb_columns() "
            "WHERE database_name = 'lake' ORDER BY table_name, column_index"
        ).fetchall()
    have: dict[str, list[str]] = {}
    for table, column in rows:
        have.setdefault(table, []).append(column)
    declared = {name: [c.name for c in cols] for name, cols in all_tables().items()}
    assert {name: have.get(name) for name in declared} == declared
    assert len(TABLES) <= len(declared)


def test_transaction_appends_and_says_who_and_why(lake: Lake) -> None:
    _append(lake, 0, 3)
    assert _count(lake) == 3
    with lake.attached(read_only=True) as con:
        author, message, extra = con.execute(
            "SELECT author, commit_message, commit_extra_info FROM lake.snapshots() "
            "ORDER BY snapshot_id DESC LIMIT 1"
        ).fetchall()[0]
    assert (author, message) == ("test", "rows")
    assert '"first": 0' in extra


def test_transaction_that_fails_changes_nothing(lake: Lake) -> None:
    _append(lake, 0, 3)
    before = lake.snapshot()
    with pytest.raises(ZeroDivisionError):
        _interrupted(lake, "INSERT INTO lake.watermarks VALUES ('events', 7, 'b')")
    with pytest.raises(Failure, match="could not be written"):
        _interrupted(lake, "INSERT INTO lake.no_such_table VALUES (1)")
    assert _count(lake) == 3
    assert lake.snapshot() == before


def test_transaction_spans_tables(lake: Lake) -> None:
    with pytest.raises(ZeroDivisionError):
        _interrupted(lake, "INSERT INTO lake.watermarks VALUES ('events', 7, 'b')")
    assert _count(lake) == 0
    with lake.attached(read_only=True) as con:
        assert con.execute("SELECT count(*) FROM lake.watermarks").fetchone() == (0,)


def test_snapshot_pins_what_was_there(lake: Lake) -> None:
    _append(lake, 0, 3)
    pinned = lake.snapshot()
    _append(lake, 3, 8)
    assert _count(lake, pinned) == 3
    assert _count(lake) == 8
    assert lake.snapshot() > pinned


def test_snapshot_outlives_compaction(lake: Lake) -> None:
    _append(lake, 0, 3)
    pinned = lake.snapshot()
    _append(lake, 3, 5000)
    lake.compact()
    _append(lake, 5000, 9000)
    lake.compact()
    assert _count(lake, pinned) == 3
    assert _count(lake) == 9000


def test_pinned_reader_cannot_write(lake: Lake) -> None:
    with (
        lake.attached(snapshot=lake.snapshot()) as con,
        pytest.raises(duckdb.Error, match=r"(?i)read.only"),
    ):
        con.execute(INSERT, [0, 1])


def test_as_of_is_a_filter(lake: Lake) -> None:
    _append(lake, 0, 10)
    assert _count(lake, where="known_at < TIMESTAMP '2026-01-05'") == 4


def test_two_processes_write_without_loss(lake: Lake) -> None:
    both = [_start(lake, 0, 6), _start(lake, 100, 106)]
    assert [child.wait(timeout=120) for child in both] == [0, 0]
    with lake.attached(read_only=True) as con:
        row = con.execute(
            "SELECT count(*), count(DISTINCT location_id) FROM lake.locations"
        ).fetchone()
    assert row == (12, 12)


def test_reader_does_not_wait_for_a_writer(lake: Lake) -> None:
    _append(lake, 0, 2)
    with lake.transaction("test", "open") as con:
        con.execute(INSERT, [2, 5])
        assert _count(lake) == 2
    assert _count(lake) == 5


def test_lock_says_busy(lake: Lake) -> None:
    with (
        lake.lock(),
        pytest.raises(Busy, match="writing to this shop"),
        lake.lock(wait_seconds=0.0),
    ):
        pass


def test_attach_without_a_catalogue_fails_with_a_next_step(tmp_path: Path) -> None:
    broken = Lake(folder=tmp_path / "nowhere" / "lake")
    with (
        pytest.raises(Failure, match="cannot be opened"),
        broken.attached(read_only=True),
    ):
        pass


def test_lake_of_an_earlier_version_gains_what_it_lacks(tmp_path: Path) -> None:
    lake = Lake(folder=tmp_path / "lake")
    lake.create()
    with lake.transaction("test", "as it was") as con:
        con.execute("ALTER TABLE lake.products DROP COLUMN image_url")
        con.execute("INSERT INTO lake.products (product_id, title) VALUES ('p', 'Mug')")
        con.execute("DROP TABLE lake.answers")
    lake.create()
    with lake.attached(read_only=True) as con:
        rows = con.execute("SELECT title, image_url FROM lake.products").fetchall()
        assert con.execute("SELECT count(*) FROM lake.answers").fetchall() == [(0,)]
    assert rows == [("Mug", None)]
