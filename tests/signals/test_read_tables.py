"""Tables that are made when they are read, and no sooner."""

from __future__ import annotations

from datetime import date

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cartwheel.signals.base import ShopContext, Signals, beside
from cartwheel.signals.catalogue import CATALOGUE
from cartwheel.signals.engine import when_of
from cartwheel.signals.margin import MARGIN
from cartwheel.signals.read_tables import ReadTables

NAMES = "abcdef"


def rows(name: str) -> pa.Table:
    return pa.table({"of": [name]})


@given(st.data())
def test_what_is_read_is_made_once_after_its_steps_and_nothing_else(
    data: st.DataObject,
) -> None:
    reads = {
        name: data.draw(st.sets(st.sampled_from(NAMES[:place]), max_size=2))
        if place
        else set()
        for place, name in enumerate(NAMES)
    }
    steps = data.draw(st.sets(st.sampled_from(NAMES)))
    wanted = [name for name in NAMES if name not in steps]
    made: list[str] = []

    def run(name: str) -> pa.Table | None:
        assert set(reads[name]) <= set(made)
        made.append(name)
        return None if name in steps else rows(name)

    tables = ReadTables(wanted, reads, run)
    assert (list(tables), len(tables)) == (wanted, len(wanted))
    assert all(name in tables for name in wanted)
    assert made == []
    asked = data.draw(st.lists(st.sampled_from(wanted))) if wanted else []
    for name in asked:
        assert tables[name] is tables[name]
        assert tables[name].equals(rows(name))
    needed = set(asked)
    for name in reversed(NAMES):
        needed |= reads[name] if name in needed else set()
    assert sorted(made) == sorted(needed)


def test_what_is_not_there_is_a_key_error_as_in_any_mapping() -> None:
    tables = ReadTables(["a"], {}, rows)
    assert tables.get("b") is None
    with pytest.raises(KeyError):
        tables["b"]
    assert tables.failed is None


def test_an_error_is_kept_though_its_reader_went_on() -> None:
    def run(name: str) -> pa.Table:
        raise OSError("no space left")

    tables = ReadTables(["a"], {}, run)
    with pytest.raises(OSError, match="no space"):
        tables["a"]
    assert isinstance(tables.failed, OSError)


def test_nothing_is_read_once_they_were_let_go() -> None:
    tables = ReadTables(["a", "b"], {}, rows)
    assert tables["a"].num_rows == 1
    tables.close()
    for name in "ab":
        with pytest.raises(RuntimeError, match="let go"):
            tables[name]


def test_a_readers_view_makes_only_what_it_reads() -> None:
    made: list[str] = []

    def run(name: str) -> pa.Table:
        made.append(name)
        return {"catalogue": CATALOGUE, "margin": MARGIN}[name].empty()

    context = ShopContext(
        currency="EUR",
        minor_digits=2,
        when=when_of(date(2026, 1, 5), "UTC"),
        holdout_share=0.0,
        holdout_salt="",
    )
    tables = beside({"stock": rows("x")}, ReadTables(["catalogue", "margin"], {}, run))
    seen = Signals(tables, context).restricted(["catalogue", "margin"], ["margin"])
    seen = seen.with_tables({"forecast": rows("y")})
    assert made == []
    assert seen.table(MARGIN).num_rows == 0
    assert made == []
    seen.frame(CATALOGUE)
    assert made == ["catalogue"]
