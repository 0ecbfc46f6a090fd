"""Signals compiled once are the signals the engine makes, day after day."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import duckdb
import ibis
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cartwheel.lake.tables import BOOKKEEPING, SQL_TYPES, TABLES
from cartwheel.signals import prepared
from cartwheel.signals.base import Signal, When
from cartwheel.signals.customers import CONSENT, PURCHASES
from cartwheel.signals.engine import compute, when_of
from cartwheel.signals.prepared import PreparedSignals
from cartwheel.signals.registry import LAKE_SIGNALS
from cartwheel.simulator.sample import make_sample

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pyarrow as pa

START = date(2024, 11, 20)
DAYS = 140  # over a year's end and the start of summer time in Berlin
BERLIN = "Europe/Berlin"


@pytest.fixture(scope="module")
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    """Return a small sample shop in memory, one table per fact table."""
    facts = make_sample(
        seed=3, start=START, days=DAYS, products=25, customers=150, scale=0.2
    )
    with duckdb.connect() as con:
        con.execute("SET threads = 1")
        for declared in TABLES:
            columns = ", ".join(
                f'"{c.name}" {SQL_TYPES[c.type]}'
                for c in declared.columns + BOOKKEEPING
            )
            con.execute(f"CREATE TABLE main.{declared.name} ({columns})")
            if declared.name not in facts:
                continue
            con.register("facts", facts[declared.name])
            names = set(facts[declared.name].column_names)
            picked = ", ".join(
                f'"{c}"' if c in names else "NULL" for c in declared.column_names
            )
            known = declared.dated_by or "TIMESTAMP '1970-01-01'"
            con.execute(
                f"INSERT INTO main.{declared.name} "
                f"SELECT {picked}, {known}, {known}, 'batch', 'hash' FROM facts"
            )
            con.unregister("facts")
        yield con


def anew(
    con: duckdb.DuckDBPyConnection,
    when: When,
    cuts: frozenset[str] = frozenset(),
    only: Iterable[str] | None = None,
) -> dict[str, pa.Table]:
    """Return what the engine makes of the same tables."""
    backend = ibis.duckdb.from_connection(con)
    return compute(
        backend,
        when,
        cuts=cuts,
        only=only,
        source=lambda name: backend.table(name, database="main"),
    )


def assert_same(
    found: Mapping[str, pa.Table], expected: Mapping[str, pa.Table]
) -> None:
    """Assert equal names in order, schemas, rows and order of rows."""
    assert list(found) == list(expected)
    for name, table in expected.items():
        assert found[name].schema == table.schema, name
        assert found[name].equals(table), name


@pytest.mark.parametrize(
    "day",
    [
        date(2024, 12, 31),  # winter, a year's end
        date(2025, 3, 30),  # the clock goes forward
    ],
)
def test_every_signal_is_the_engines(con: duckdb.DuckDBPyConnection, day: date) -> None:
    signals = PreparedSignals(con, BERLIN)
    assert signals.compiled_once
    when = when_of(day, BERLIN)
    found = signals.compute(when)
    assert list(found) == list(LAKE_SIGNALS)
    assert_same(found, anew(con, when))


def test_before_any_fact_only_undated_ones_count(
    con: duckdb.DuckDBPyConnection,
) -> None:
    when = when_of(START - timedelta(days=400), BERLIN)
    found = PreparedSignals(con, BERLIN).compute(when)
    filled = {name for name, table in found.items() if table.num_rows}
    assert filled == {"lead_time", "policies"}
    empty = {name: LAKE_SIGNALS[name].empty() for name in found if name not in filled}
    assert_same({name: found[name] for name in empty}, empty)


def test_the_sample_fills_most_signals(con: duckdb.DuckDBPyConnection) -> None:
    found = PreparedSignals(con, BERLIN).compute(when_of(date(2025, 3, 30), BERLIN))
    empty = {name for name, table in found.items() if table.num_rows == 0}
    assert empty <= {"shown", "outcomes", "theme_corrections", "fix_effects"}


def test_a_cut_link_reads_as_neutral(con: duckdb.DuckDBPyConnection) -> None:
    cuts = frozenset({"demand→stock"})
    only = ["stock"]
    when = when_of(date(2025, 1, 20), BERLIN)
    found = PreparedSignals(con, BERLIN, cuts=cuts, only=only).compute(when)
    assert_same(found, anew(con, when, cuts, only))
    stock = found["stock"]
    assert stock["cover_days"].null_count == stock.num_rows > 0


def test_cuts_that_share_sql_change_only_their_signal(
    con: duckdb.DuckDBPyConnection,
) -> None:
    when = when_of(date(2025, 1, 20), BERLIN)
    only = ["stock", "margin", "demand"]
    for cut in (set(), {"demand→stock"}, {"returns→margin"}, set()):
        cuts = frozenset(cut)
        found = PreparedSignals(con, BERLIN, cuts=cuts, only=only).compute(when)
        assert_same(found, anew(con, when, cuts, only))


def test_the_version_in_force_counts_however_late_it_came(
    con: duckdb.DuckDBPyConnection,
) -> None:
    only = ["catalogue", "margin"]
    when = when_of(date(2025, 2, 1), BERLIN)
    signals = PreparedSignals(con, BERLIN, only=only)
    signals.compute(when)
    assert signals._single["products"].hold()
    con.execute("BEGIN")
    try:
        for known in ("2025-01-31", "2025-03-01"):  # one of them is not known yet
            con.execute(
                "INSERT INTO main.products SELECT * REPLACE ('new' AS title, "
                f"TIMESTAMP '{known}' AS known_at) FROM main.products LIMIT 1"
            )
            after = signals.compute(when)
            assert_same(after, anew(con, when, only=only))
            assert "new" in after["catalogue"]["title"].to_pylist()
            assert not signals._single["products"].hold()
    finally:
        con.execute("ROLLBACK")


@pytest.mark.parametrize("found_by", ["first look", "second look"])
def test_rows_without_a_key_are_one_key(
    con: duckdb.DuckDBPyConnection, found_by: str
) -> None:
    only = ["consent", "identity", "interest"]
    when = when_of(date(2025, 2, 1), BERLIN)
    signals = PreparedSignals(con, BERLIN, only=only)
    con.execute("BEGIN")
    try:
        for granted in (True, False):
            con.execute(
                "INSERT INTO main.consents BY NAME SELECT 'zz-new' AS customer_id, "
                f"{granted} AS granted, TIMESTAMP '2025-01-31' AS changed_at, "
                f"TIMESTAMP '2025-01-{30 + granted}' AS known_at"
            )
            if found_by == "second look":
                assert_same(signals.compute(when), anew(con, when, only=only))
        assert_same(signals.compute(when), anew(con, when, only=only))
        assert not signals._single["consents"].hold()
    finally:
        con.execute("ROLLBACK")


ONLY = ("open_returns", "lead_time")


@settings(max_examples=4, deadline=None)
@example(day=START - timedelta(days=400), zone=BERLIN)  # before any fact
@example(day=date(2025, 1, 1), zone=BERLIN)  # the offsets of another year
@given(
    day=st.dates(START - timedelta(days=5), START + timedelta(days=DAYS + 400)),
    zone=st.sampled_from([BERLIN, "America/Sao_Paulo", "UTC", "Pacific/Apia"]),
)
def test_any_day_in_any_zone_is_the_engines(
    con: duckdb.DuckDBPyConnection, day: date, zone: str
) -> None:
    signals = PreparedSignals(con, zone, only=ONLY)
    assert signals.compiled_once
    when = when_of(day, zone)
    assert_same(signals.compute(when), anew(con, when, only=ONLY))


ZONES = st.sampled_from(
    [
        BERLIN,
        "Africa/Monrovia",  # seconds in the offset
        "America/Sao_Paulo",  # summer time given up
        "Asia/Kathmandu",  # one change
        "Asia/Kolkata",  # no change
        "Australia/Lord_Howe",  # half an hour
        "Pacific/Apia",  # a day left out
        "UTC",
    ]
)


@settings(max_examples=40, deadline=None)
@given(
    zone=ZONES,
    year=st.sampled_from([1975, 2012, 2025]),
    instants=st.lists(
        st.datetimes(datetime(1960, 1, 1), datetime(2045, 1, 1)), max_size=5
    ),
    near=st.data(),
)
def test_local_time_is_that_of_the_zone_and_of_the_engine(
    con: duckdb.DuckDBPyConnection,
    zone: str,
    year: int,
    instants: list[datetime],
    near: st.DataObject,
) -> None:
    when = when_of(date(year, 7, 1), zone)
    held = prepared._offsets(when)
    change = near.draw(st.sampled_from(held))[0]
    instants += [change, change - timedelta(microseconds=1)]
    quick = prepared._quick("t.x", held, when)
    compared = prepared._compared("t.x", held, when)
    asked = ", ".join(f"(TIMESTAMP '{at}')" for at in instants)
    rows = con.execute(
        f"SELECT t.x, {quick}, {compared} FROM (VALUES {asked}, (NULL)) t(x)"
    ).fetchall()
    assert rows.pop() == (None, None, None)
    for at, one, other in rows:
        assert one == other
        if datetime(1970, 1, 2) <= at < datetime(year + 3, 1, 1):
            expected = at.replace(tzinfo=UTC).astimezone(ZoneInfo(zone))
            assert one == expected.replace(tzinfo=None)


def test_rows_that_came_in_meanwhile_are_seen(con: duckdb.DuckDBPyConnection) -> None:
    signals = PreparedSignals(con, BERLIN, only=["consent"])
    when = when_of(date(2025, 2, 1), BERLIN)
    before = signals.compute(when)["consent"].num_rows
    con.execute("BEGIN")
    con.execute(
        "INSERT INTO main.consents BY NAME SELECT 'zz-new' AS customer_id, "
        "'email_marketing' AS purpose, true AS granted, "
        "TIMESTAMP '2025-01-31' AS changed_at, TIMESTAMP '2025-01-31' AS known_at"
    )
    after = signals.compute(when)["consent"]
    con.execute("ROLLBACK")
    assert after.num_rows == before + 1
    assert after["customer_id"][-1].as_py() == "zz-new"


def _temporary(con: duckdb.DuckDBPyConnection) -> list[Any]:
    found = "SELECT table_name FROM duckdb_tables() WHERE temporary"
    return con.execute(found).fetchall()


def test_nothing_is_left_behind(con: duckdb.DuckDBPyConnection) -> None:
    settings_before = con.execute("SELECT * FROM duckdb_settings()").fetchall()
    signals = PreparedSignals(con, BERLIN)
    left_before = _temporary(con)
    signals.compute(when_of(date(2025, 2, 1), BERLIN))
    assert _temporary(con) == left_before
    con.execute("ALTER TABLE main.outcomes RENAME TO elsewhere")
    try:
        with pytest.raises(duckdb.CatalogException):
            signals.compute(when_of(date(2025, 2, 1), BERLIN))
    finally:
        con.execute("ALTER TABLE main.elsewhere RENAME TO outcomes")
    assert _temporary(con) == left_before
    assert con.execute("SELECT * FROM duckdb_settings()").fetchall() == settings_before


def test_a_day_makes_what_is_read_of_it(con: duckdb.DuckDBPyConnection) -> None:
    when = when_of(date(2025, 2, 1), BERLIN)
    signals = PreparedSignals(con, BERLIN)
    with signals.day(when) as tables:
        assert list(tables) == list(LAKE_SIGNALS)
        assert tables["consent"].equals(anew(con, when, only=["consent"])["consent"])
        kept = {name for (name,) in _temporary(con)}
        assert "cartwheel_fact_events" not in kept
        margin = tables["margin"]
    assert margin.equals(anew(con, when, only=["margin"])["margin"])
    with pytest.raises(RuntimeError, match="let go"):
        tables["stock"]


def test_a_signal_that_cannot_be_made_is_told_though_its_reader_goes_on(
    con: duckdb.DuckDBPyConnection,
) -> None:
    signals = PreparedSignals(con, BERLIN)
    con.execute("ALTER TABLE main.outcomes RENAME TO elsewhere")
    try:
        with (
            pytest.raises(duckdb.CatalogException),
            signals.day(when_of(date(2025, 2, 1), BERLIN)) as tables,
            suppress(duckdb.CatalogException),
        ):
            tables["outcomes"]
    finally:
        con.execute("ALTER TABLE main.elsewhere RENAME TO outcomes")
    assert not _temporary(con)


def test_an_unknown_signal_is_refused_as_by_the_engine(
    con: duckdb.DuckDBPyConnection,
) -> None:
    when = when_of(date(2025, 2, 1), BERLIN)
    with pytest.raises(KeyError) as by_engine:
        anew(con, when, only=["stock", "forecast"])
    with pytest.raises(KeyError) as found:
        PreparedSignals(con, BERLIN, only=["stock", "forecast"])
    assert str(found.value) == str(by_engine.value)


def test_another_zone_is_refused(con: duckdb.DuckDBPyConnection) -> None:
    signals = PreparedSignals(con, BERLIN, only=["consent"])
    with pytest.raises(ValueError, match="Europe/Berlin, not for UTC"):
        signals.compute(when_of(date(2025, 2, 1), "UTC"))


Made = Mapping[str, "ir.Table"]


def _month_matters(facts: Made, signals: Made, when: When) -> ir.Table:
    """Make purchases of a month by its number, a literal that is no date."""
    assert PURCHASES.make is not None
    made = PURCHASES.make(facts, signals, when)
    return made.filter(made.last_on.month() == when.as_of.month)


def _few_on_sundays(facts: Made, signals: Made, when: When) -> ir.Table:
    """Make consent, on Sundays of a few only."""
    assert CONSENT.make is not None
    made = CONSENT.make(facts, signals, when)
    return made.limit(3) if when.as_of.weekday() == 6 else made


@pytest.mark.parametrize(
    ("signal", "make"), [(PURCHASES, _month_matters), (CONSENT, _few_on_sundays)]
)
def test_sql_that_follows_no_template_is_compiled_anew(
    con: duckdb.DuckDBPyConnection,
    monkeypatch: pytest.MonkeyPatch,
    signal: Signal,
    make: Any,
) -> None:
    monkeypatch.setitem(LAKE_SIGNALS, signal.name, replace(signal, make=make))
    cuts = frozenset({f"{signal.name}→nobody"})  # prepared for this test alone
    signals = PreparedSignals(con, BERLIN, cuts=cuts, only=[signal.name])
    assert not signals.compiled_once
    when = when_of(date(2025, 1, 31), BERLIN)
    found = signals.compute(when)
    assert found[signal.name].num_rows > 0
    assert_same(found, anew(con, when, only=[signal.name]))
