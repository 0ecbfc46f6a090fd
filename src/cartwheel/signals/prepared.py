"""The lake's signals for many days in a row, compiled once.

Building and compiling the expressions costs seconds whatever the size of the shop,
which is nothing for one turn a night and everything for a simulated year. The SQL of
two days differs in a few literals only. It is therefore compiled for two made-up days
in two zones of fixed offset; a literal that differs stands for the cut-off, for a day
so far from the day looked from, or for an instant moved by the zone's offset. The
template so found must reproduce, letter by letter, what the compiler writes for a third
day in a third zone, and local time as written here must be what the compiler writes for
the shop's own zone. If not, every day is compiled anew: slower, never wrong.

DuckDB's own prepared statements are no help: 1.5 draws conclusions from the rows there
were when the plan was made and keeps them after others came in.

Looking for the version in force of every row, by sorting all of them, would take half
of the time. A fact table in which no key stands twice needs no such look.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from cartwheel.lake.tables import BOOKKEEPING, TABLE_BY_NAME, FactTable
from cartwheel.signals.base import When
from cartwheel.signals.days import YEARS_AHEAD, day_of, offsets
from cartwheel.signals.engine import (
    IBIS_TYPES,
    Workshop,
    closure,
    compute,
    link,
    names_wanted,
    when_of,
)
from cartwheel.signals.read_tables import ReadTables
from cartwheel.signals.registry import LAKE_SIGNALS

if TYPE_CHECKING:
    import duckdb
    import ibis.expr.types as ir
    import pyarrow as pa

    Offsets = Sequence[tuple[datetime, int]]

SCHEMA = "main"
"""Schema of the fact tables on the connection."""

FACT = "cartwheel_fact_"
"""What the name of a fact's rows in force begins with, as the workshop keeps them."""

KEPT_SIGNAL = "cartwheel_signal_"
"""The same of a signal that others read."""

PROBES = (
    (date(2023, 5, 30), "Etc/GMT+12"),
    (date(2021, 11, 3), "Etc/GMT-14"),
)
"""Days and zones compiled to find the template; year, month, weekday, all differ."""

PROOF = (date(2026, 3, 29), "Etc/GMT-5")
"""Day and zone compiled to prove it, unlike both."""

RECENT_YEARS = 1
"""Years before the day looked from whose changes of offset are compared in turn."""

_LOCAL = re.compile(r"""("\w+"\."\w+") \+ INTERVAL '(-?\d+)' SECOND""")
_DATE = re.compile(r"MAKE_DATE\((\d+), (\d+), (\d+)\)")
_LITERAL = re.compile(
    r"""
    "\w+"\."\w+"\ \+\ INTERVAL\ '-?\d+'\ SECOND
    | MAKE_(?:DATE|TIMESTAMP)\([^()]*\)
    | '(?:[^']|'')*'
    | (?<![\w"])\d+(?:\.\d+)?(?![\w"])
    """,
    re.VERBOSE,
)


class PreparedSignals:
    """Signals of the facts on a connection, for one day after another.

    Rows may come in between the days; the tables, and what is in them, must stay.

    Args:
        con: A DuckDB connection with one table per fact table in its schema `main`,
            content columns and bookkeeping columns as in `cartwheel.lake.tables`.
        timezone: IANA name of the shop's time zone.
        cuts: Links between signals that are cut, as for `engine.compute`.
        only: Names wanted; all by default.

    Raises:
        KeyError: If a wanted signal is not made from the lake.
    """

    def __init__(
        self,
        con: duckdb.DuckDBPyConnection,
        timezone: str,
        *,
        cuts: frozenset[str] = frozenset(),
        only: Iterable[str] | None = None,
    ) -> None:
        self._con = con
        self._timezone = timezone
        self._cuts = cuts
        self._wanted = names_wanted(only)
        self._statements = (
            _proven(cuts, self._wanted) if _same_clock(timezone) else None
        )
        self._single: dict[str, _SingleVersions] = {}

    @property
    def compiled_once(self) -> bool:
        """Whether the template holds; otherwise every day is compiled anew."""
        return self._statements is not None

    def compute(self, when: When) -> dict[str, pa.Table]:
        """Return what `engine.compute` returns for the day: signals sorted by key.

        Args:
            when: The day looked from, in the zone prepared for.

        Raises:
            ValueError: If `when` is in another zone.
        """
        with self.day(when) as tables:
            return dict(tables)

    @contextmanager
    def day(self, when: When) -> Iterator[Mapping[str, pa.Table]]:
        """Hold the signals of a day, each made when it is first read.

        Deciding reads much less than learning does, and most of a simulated day would
        be spent on signals that nobody reads. No row may come in while a day is held,
        and nothing can be read from it afterwards.

        Args:
            when: The day looked from, in the zone prepared for.

        Raises:
            ValueError: If `when` is in another zone.
            Exception: What a signal could not be made for, even where its reader went
                on without it.
        """
        if when.timezone != self._timezone:
            raise ValueError(
                f"signals were prepared for {self._timezone}, not for {when.timezone}"
            )
        if self._statements is None:
            yield self._anew(when)
            return
        statements = {one.name: one for one in self._statements}
        kept: dict[str, str] = {}

        def run(name: str) -> pa.Table | None:
            statement = statements[name]
            shown = self._shown(statement, when)
            sql = shown or _filled(statement.template, when, _quick)
            result = self._con.execute(sql)
            if statement.kept:
                kept[name] = "VIEW" if shown else "TABLE"
                return None
            return LAKE_SIGNALS[name].conform(result.to_arrow_table())

        reads = {name: one.reads for name, one in statements.items()}
        names = [name for name in statements if name in self._wanted]
        tables = ReadTables(names, reads, run)
        try:
            yield tables
        finally:
            tables.close()
            for name, kind in kept.items():
                self._con.execute(f'DROP {kind} IF EXISTS temp."{name}"')
        if tables.failed is not None:
            # A lever that fails decides by a rule: a full disk must not pass for that.
            raise tables.failed

    def _shown(self, statement: _Statement, when: When) -> str:
        """Return the SQL that shows a fact's rows as they are, "" when it must not."""
        fact = statement.fact
        if fact is None:
            return ""
        if fact.name not in self._single:
            self._single[fact.name] = _SingleVersions(self._con, fact)
        if not self._single[fact.name].hold():
            return ""
        columns = ", ".join(f'"{name}"' for name in fact.column_names)
        known = _instant(datetime.fromisoformat(when.cutoff_at))
        return (
            f'CREATE TEMP VIEW "{statement.name}" AS SELECT {columns} '
            f'FROM {SCHEMA}."{fact.name}" WHERE "known_at" < {known}'
        )

    def _anew(self, when: When) -> dict[str, pa.Table]:
        import ibis

        backend = ibis.duckdb.from_connection(self._con)
        return compute(
            backend,
            when,
            cuts=self._cuts,
            only=self._wanted,
            source=lambda name: backend.table(name, database=SCHEMA),
        )


@dataclass(frozen=True, slots=True)
class _Cutoff:
    """Stands for the first instant that may not be used."""


@dataclass(frozen=True, slots=True)
class _Day:
    """Stands for the day so many days after the day looked from."""

    shift: int


@dataclass(frozen=True, slots=True)
class _Local:
    """Stands for an instant, given as SQL, moved to the shop's local time."""

    instant: str


Part = str | _Cutoff | _Day | _Local
Template = tuple[Part, ...]
"""SQL with places to fill in for a day."""

LocalTime = Callable[[str, "Offsets", When], str]
"""Writes an instant moved to local time: (instant, offsets, when)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Query:
    """What one fact, step or signal is made by, and which others it reads."""

    sql: str
    reads: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Statement:
    """SQL to run on the connection.

    Attributes:
        name: Temporary table it makes, or signal whose rows it returns.
        kept: It makes a temporary table.
        template: The SQL.
        reads: Temporary tables it reads, so those that must have been made before.
        fact: The fact table whose rows in force it keeps, if it does that.
    """

    name: str
    kept: bool
    template: Template
    reads: frozenset[str]
    fact: FactTable | None = None


class _SingleVersions:
    """Tells whether every key of a fact table stands in it once.

    Only rows that came in since the last look are compared, with each other and with
    those before.

    Args:
        con: The connection.
        fact: The table.
    """

    def __init__(self, con: duckdb.DuckDBPyConnection, fact: FactTable) -> None:
        self._con, self._fact = con, fact
        self._seen = 0
        self._held = True

    def hold(self) -> bool:
        """Look at the rows that came in; once it does not hold, it never does."""
        table, key = f'{SCHEMA}."{self._fact.name}"', self._fact.key
        if not self._held:
            return False
        count, last = self._row(f"SELECT count(*), max(rowid) FROM {table}")
        if count == self._seen:
            return True
        names = ", ".join(f'"{name}"' for name in key)
        # An unknown part of a key is a key too for the engine, so it must not count.
        found, named, apart = self._row(
            f"SELECT count(*), count(*) FILTER ({_all_known(key)}), "
            f"count(DISTINCT ({names})) FROM {table} WHERE rowid >= {self._seen}"
        )
        self._held = last == count - 1 and self._seen + found == count
        self._held = self._held and found == named == apart
        if self._held and self._seen:
            (met,) = self._row(
                f"SELECT count(*) FROM {table} AS old JOIN {table} AS new "
                f"USING ({names}) "
                f"WHERE old.rowid < {self._seen} AND new.rowid >= {self._seen}"
            )
            self._held = met == 0
        self._seen = count
        return self._held

    def _row(self, sql: str) -> tuple[int, ...]:
        found: tuple[int, ...] | None = self._con.execute(sql).fetchone()
        assert found is not None
        return found


def _all_known(names: Iterable[str]) -> str:
    return " AND ".join(f'"{name}" IS NOT NULL' for name in names)


class _Recorder(Workshop):
    """Builds as the engine does, but only notes what the engine would keep."""

    def __init__(self, when: When) -> None:
        super().__init__(_fact_rows, when)
        self.noted: dict[str, ir.Table] = {}

    def keep(self, name: str, rows: ir.Table) -> ir.Table:
        import ibis

        kept = f"cartwheel_{name}"
        self.noted[kept] = rows
        return ibis.table(rows.schema(), name=kept)


def _fact_rows(name: str) -> ir.Table:
    import ibis

    columns = TABLE_BY_NAME[name].columns + BOOKKEEPING
    types = {**IBIS_TYPES, "instant": "timestamp"}
    schema = {column.name: types[column.type] for column in columns}
    return ibis.table(schema, name=name, database=SCHEMA)


def _compiled(
    when: When, cuts: frozenset[str], wanted: frozenset[str]
) -> dict[str, _Query]:
    """Return the queries needed for a day, each after those it reads."""
    from ibis.expr.operations import UnboundTable

    recorder = _Recorder(when)
    made = {name: recorder.make(LAKE_SIGNALS[name], cuts) for name in closure(wanted)}
    rows = recorder.noted | {n: table for n, table in made.items() if n in wanted}
    reads = {
        name: recorder.noted.keys() & {t.name for t in table.op().find(UnboundTable)}
        for name, table in rows.items()
    }
    needed = set(wanted)
    for name in reversed(rows):
        if name in needed:
            needed |= reads[name]
    return {
        name: _query(name, rows[name], frozenset(reads[name]), when, cuts)
        for name in rows
        if name in needed
    }


_WRITTEN: dict[tuple[Any, ...], _Query] = {}
"""Queries written before in this process: few, as days and zones are the probes'."""


def _query(
    name: str, rows: ir.Table, reads: frozenset[str], when: When, cuts: frozenset[str]
) -> _Query:
    """Return a query, written once for all cuts that do not concern its signal.

    What is made for another signal is read by its name, so only cuts between what a
    signal reads and itself change its SQL.
    """
    import ibis

    signal = LAKE_SIGNALS.get(name.removeprefix(KEPT_SIGNAL))
    own = signal and cuts & {link(read, signal.name) for read in signal.reads}
    key = (name, signal and signal.make, own, when)
    if key not in _WRITTEN:
        sql = ibis.to_sql(rows, dialect="duckdb", pretty=False)
        _WRITTEN[key] = _Query(sql=str(sql), reads=reads)
    return _WRITTEN[key]


@lru_cache(maxsize=32)
def _proven(
    cuts: frozenset[str], wanted: frozenset[str]
) -> tuple[_Statement, ...] | None:
    """Return the statements to run, or None when no template holds."""
    first, second, third = (when_of(day, zone) for day, zone in (*PROBES, PROOF))
    one, other, proof = (_compiled(w, cuts, wanted) for w in (first, second, third))
    if not one.keys() == other.keys() == proof.keys():
        return None
    templates = {}
    for name, query in one.items():
        template = _aligned(query.sql, first, other[name].sql, second)
        if template is None or _filled(template, third, _compared) != proof[name].sql:
            return None
        templates[name] = template
    return _statements(templates, one, wanted)


@lru_cache(maxsize=64)
def _same_clock(timezone: str) -> bool:
    """Whether local time as written here is what the compiler writes for the zone."""
    import ibis

    when = when_of(PROOF[0], timezone)
    table = ibis.table({"at": "timestamp"}, name="t")
    sql = ibis.to_sql(
        table.select(day=day_of(table["at"], when)), dialect="duckdb", pretty=False
    )
    local = _compared('"t0"."at"', _offsets(when), when)
    return str(sql) == f'SELECT CAST({local} AS DATE) AS "day" FROM "t" AS "t0"'


def _aligned(one: str, first: When, other: str, second: When) -> Template | None:
    """Return the template two days' SQL are written by, or None when there is none."""
    between = _LITERAL.split(one)
    if between != _LITERAL.split(other):
        return None
    parts: list[Part] = [between[0]]
    pairs = zip(_LITERAL.findall(one), _LITERAL.findall(other), strict=True)
    for (mine, its), text in zip(pairs, between[1:], strict=True):
        if mine == its:
            parts[-1] = f"{parts[-1]}{mine}{text}"
            continue
        role = _role(mine, first)
        if role is None or role != _role(its, second):
            return None
        parts += [role, text]
    return tuple(parts)


def _role(literal: str, when: When) -> _Cutoff | _Day | _Local | None:
    """Return what a literal stands for on a day in a zone of fixed offset."""
    if literal == _instant(datetime.fromisoformat(when.cutoff_at)):
        return _Cutoff()
    if found := _DATE.fullmatch(literal):
        year, month, day = map(int, found.groups())
        return _Day((date(year, month, day) - when.as_of).days)
    if found := _LOCAL.fullmatch(literal):
        (_, seconds), *_ = _offsets(when)
        return _Local(found[1]) if int(found[2]) == seconds else None
    return None


def _statements(
    templates: dict[str, Template],
    queries: dict[str, _Query],
    wanted: frozenset[str],
) -> tuple[_Statement, ...]:
    """Return what to run, in order.

    A query that several statements read becomes a temporary table; one that a single
    statement reads is written into it.
    """
    read_in: dict[str, set[str]] = {name: set() for name in queries}
    inside: dict[str, list[str]] = {}
    reads: dict[str, set[str]] = {}
    for name in reversed(queries):
        if name in wanted or len(read_in[name]) > 1:
            inside[name], reads[name] = [], set()
            home = name
        else:
            (home,) = read_in[name]
            inside[home].insert(0, name)
        for read in queries[name].reads:
            read_in[read].add(home)
            reads[home].add(read)
    return tuple(
        _Statement(
            name=name,
            kept=name not in wanted,
            template=_statement(name, inside[name], templates, name not in wanted),
            reads=frozenset(reads[name] & inside.keys()),
            fact=TABLE_BY_NAME[name.removeprefix(FACT)]
            if name.startswith(FACT)
            else None,
        )
        for name in queries
        if name in inside
    )


def _statement(
    name: str, inside: list[str], templates: dict[str, Template], kept: bool
) -> Template:
    parts: list[Part] = []
    if kept:
        parts.append(f'CREATE TEMP TABLE "{name}" AS ')
    for index, inner in enumerate(inside):
        parts += [", " if index else "WITH ", f'"{inner}" AS (', *templates[inner], ")"]
    return (*parts, " SELECT * FROM (", *templates[name], ")")


def _filled(template: Template, when: When, local_time: LocalTime) -> str:
    """Return the SQL of a day."""
    held = _offsets(when)
    texts = []
    for part in template:
        match part:
            case _Cutoff():
                texts.append(_instant(datetime.fromisoformat(when.cutoff_at)))
            case _Day(shift):
                day = when.as_of + timedelta(days=shift)
                texts.append(f"MAKE_DATE({day.year}, {day.month}, {day.day})")
            case _Local(instant):
                texts.append(local_time(instant, held, when))
            case text:
                texts.append(text)
    return "".join(texts)


def _offsets(when: When) -> Offsets:
    return offsets(when.timezone, when.as_of.year + YEARS_AHEAD)


def _compared(instant: str, held: Offsets, when: When) -> str:
    """Write local time as `days.day_of` does, by halving the list of changes."""
    if len(held) == 1:
        seconds = held[0][1]
        return f"{instant} + INTERVAL '{seconds}' SECOND" if seconds else instant
    middle = len(held) // 2
    later = _compared(instant, held[middle:], when)
    earlier = _compared(instant, held[:middle], when)
    return (
        f"CASE WHEN {instant} >= {_instant(held[middle][0])} "
        f"THEN {later} ELSE {earlier} END"
    )


def _quick(instant: str, held: Offsets, when: When) -> str:
    """Write the same local time in fewer terms: planning them costs more than rows do.

    Changes of late years are compared from the newest back; those before, where few
    rows of a simulated shop are, are looked up in a list.
    """
    if len(held) == 1:
        return _compared(instant, held, when)
    since = when.as_of.year - RECENT_YEARS
    split = next((i for i, (at, _) in enumerate(held) if i and at.year >= since), None)
    old, recent = held[:split], held[len(held) if split is None else split :]
    seconds = ", ".join(str(offset) for _, offset in old)
    changes = ", ".join(str(at) for at, _ in old[1:])
    back = f"len(list_filter('[{changes}]'::TIMESTAMP[], lambda at_: at_ <= {instant}))"
    looked_up = f"('[{seconds}]'::BIGINT[])[1 + {back}]"
    compared = " ".join(
        f"WHEN {instant} >= TIMESTAMP '{at}' THEN {offset}"
        for at, offset in reversed(recent)
    )
    chosen = f"CASE {compared} ELSE {looked_up} END" if compared else looked_up
    return f"{instant} + to_seconds({chosen})"


def _instant(at: datetime) -> str:
    return (
        f"MAKE_TIMESTAMP({at.year}, {at.month}, {at.day}, "
        f"{at.hour}, {at.minute}, {at.second}.0)"
    )
