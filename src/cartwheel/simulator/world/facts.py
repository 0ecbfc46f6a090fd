"""What the shop's records say of a world: the fact tables, filled as days pass.

Days are kept as they happened and written out as columns only when somebody asks, so a
policy that looks at nothing costs nothing. Records are dirty where the world is: people
who refuse measurement leave no events, guests no customer, some have two profiles.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from cartwheel.lake.tables import BOOKKEEPING, SQL_TYPES, TABLE_BY_NAME, TABLES
from cartwheel.simulator.world import records
from cartwheel.simulator.world.event_records import events
from cartwheel.simulator.world.goods import LOCATIONS
from cartwheel.simulator.world.records import MORNING, NIGHT, Columns

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

    from cartwheel.simulator.world.state import State
    from cartwheel.simulator.world.world import DayLog

Array = np.ndarray[Any, Any]

ALWAYS = np.datetime64("1970-01-01", "us")


class Facts:
    """The fact tables of a simulated shop.

    Args:
        state: The world; only what a shop records of it is written.
    """

    def __init__(self, state: State) -> None:
        self._state = state
        self._waiting: list[DayLog] = []
        self._connection: duckdb.DuckDBPyConnection | None = None
        self._begun = self._closed = False
        # Units free and units on the way, as last written.
        self._level = np.full((2, *state.stock.shape), -1, np.int64)
        self._profiles: set[str] = set()
        # What the world has drawn but nobody can know yet, by table.
        self._later: dict[str, pa.Table] = {}

    def record(self, log: DayLog) -> None:
        """Keep a day, unless nobody will read it any more."""
        if not self._closed:
            self._waiting.append(log)

    def __deepcopy__(self, memo: dict[int, Any]) -> Facts:
        """Copy for another arm; each writes a database of its own."""
        from copy import copy, deepcopy

        if self._connection is not None:
            raise ValueError("facts are copied before they are first looked at")
        twin = Facts(deepcopy(self._state, memo))
        twin._waiting = copy(self._waiting)  # days that happened never change
        return twin

    @property
    def connection(self) -> duckdb.DuckDBPyConnection:
        """A DuckDB database with every fact table as `main.NAME`, up to last night."""
        if self._closed:
            raise ValueError("the facts are closed")
        if self._connection is None:
            self._connection = _empty_database()
        self._write(self._connection)
        return self._connection

    def table(self, name: str) -> pa.Table:
        """Return a fact table with its bookkeeping columns.

        Raises:
            KeyError: If there is no such table.
        """
        if name not in TABLE_BY_NAME:
            raise KeyError(name)
        return self.connection.table(name).to_arrow_table()

    def take(self) -> dict[str, pa.Table]:
        """Return what became known since it was last taken, by table.

        For a reader that keeps the rows itself; `connection` never shows them.

        Raises:
            ValueError: If the facts are closed.
        """
        if self._closed:
            raise ValueError("the facts are closed")
        return self._fresh()

    def close(self) -> None:
        """Let go of the database; nothing can be read any more."""
        self._closed = True
        self._waiting.clear()
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _write(self, con: duckdb.DuckDBPyConnection) -> None:
        for name, rows in self._fresh().items():
            _append(con, name, rows)

    def _fresh(self) -> dict[str, pa.Table]:
        """Write waiting days as columns; return what is known by this morning."""
        waiting, self._waiting = self._waiting, []
        parts: dict[str, list[Columns]] = {}
        if not self._begun:
            self._begun = True
            for name, columns in records.standing(self._state):
                parts.setdefault(name, []).append(columns)
        for log in waiting:
            for name, columns in self._day(log):
                parts.setdefault(name, []).append(columns)
        morning = records.midnight(self._state, self._state.day)
        found: dict[str, pa.Table] = {}
        for name in sorted({*parts, *self._later}):
            rows = _rows(name, parts.get(name, []), self._later.pop(name, None))
            found[name], later = _split(rows, morning)
            if later.num_rows:
                self._later[name] = later
        return found

    def _day(self, log: DayLog) -> Iterator[tuple[str, Columns]]:
        state, zero = self._state, records.midnight(self._state, log.day)
        yield from records.launches(state, log, zero)
        yield "prices", records.prices(state, log, zero)
        yield from self._people(log, zero)
        yield from records.orders(state, log, zero)
        yield "events", events(state, log, zero)
        yield from records.returns(state, log, zero)
        yield "reviews", records.reviews(state, log, zero)
        yield "messages", records.messages(state, log, zero)
        yield from records.purchases(state, log, zero)
        yield "inventory_levels", self._levels(log, zero)

    def _people(
        self, log: DayLog, zero: np.datetime64
    ) -> Iterator[tuple[str, Columns]]:
        state, at = self._state, zero + np.timedelta64(MORNING, "s")
        fresh = [
            (str(name), int(person))
            for name, person in zip(
                log.customer_ids, log.sales.orders.person, strict=True
            )
            if name and name not in self._profiles
        ]
        self._profiles.update(name for name, _ in fresh)
        yield (
            "customers",
            {
                "customer_id": [name for name, _ in fresh],
                # A second profile is a second address; the ring shares a telephone.
                "email": [f"{name.lower()}@shop.example" for name, _ in fresh],
                "phone": [records.phone(state, person) for _, person in fresh],
                "name": [f"Person {person + 1}" for _, person in fresh],
                "country": ["DE"] * len(fresh),
                "region": [LOCATIONS[state.people.near[person]] for _, person in fresh],
                "created_at": [at] * len(fresh),
            },
        )
        yes = log.joined[state.people.consents[log.joined]]
        who = [state.profile(int(p)) for p in yes]
        no = [state.profile(int(p)) for p in log.left_list]
        count = len(who) + len(no)
        yield (
            "consents",
            {
                "customer_id": who + no,
                "purpose": ["email_marketing"] * count,
                "granted": [True] * len(who) + [False] * len(no),
                "changed_at": [zero + np.timedelta64(NIGHT, "s")] * len(who)
                + [zero + np.timedelta64(9 * 3600, "s")] * len(no),
                "source": ["checkout"] * len(who) + ["unsubscribe"] * len(no),
            },
        )

    def _levels(self, log: DayLog, zero: np.datetime64) -> Columns:
        state = self._state
        launched = state.goods.launched[state.goods.product_of] <= log.day
        now = np.stack([log.stock, log.inbound])
        changed = (now != self._level).any(axis=0) & launched[:, None]
        self._level = np.where(changed, now, self._level)
        variant, place = np.nonzero(changed)
        return {
            "variant_id": state.goods.variant_ids[variant],
            "location_id": np.array(LOCATIONS)[place],
            "counted_at": np.full(len(variant), zero + np.timedelta64(NIGHT, "s")),
            "available_units": log.stock[variant, place],
            "incoming_units": log.inbound[variant, place],
        }


def _empty_database() -> duckdb.DuckDBPyConnection:
    import duckdb

    con = duckdb.connect(config={"threads": "1"})
    con.execute("SET TimeZone = 'UTC'")
    # A slow query would draw its progress where the answer is printed.
    con.execute("SET enable_progress_bar = false")
    for table in TABLES:
        columns = ", ".join(
            f'"{c.name}" {SQL_TYPES[c.type]}' for c in (*table.columns, *BOOKKEEPING)
        )
        con.execute(f"CREATE TABLE {table.name} ({columns})")
    return con


def _rows(name: str, parts: Sequence[Columns], waiting: pa.Table | None) -> pa.Table:
    """Return the rows of some days as one table: every column of `name` and `known_at`.

    A row is known since the instant that dates its table, unless it says otherwise.
    """
    import pyarrow as pa

    types = {
        "text": pa.string(),
        "int": pa.int64(),
        "float": pa.float64(),
        "bool": pa.bool_(),
        "instant": pa.timestamp("us"),
        "date": pa.date32(),
    }
    declared = TABLE_BY_NAME[name]
    schema = pa.schema(
        [
            *((column.name, types[column.type]) for column in declared.columns),
            ("known_at", types["instant"]),
        ]
    )
    tables = [] if waiting is None else [_widened(waiting, schema)]
    for part in parts:
        count = len(next(iter(part.values())))
        dated = part[declared.dated_by] if declared.dated_by else np.full(count, ALWAYS)
        part = {"known_at": dated, **part}
        tables.append(
            pa.table(
                {
                    field.name: pa.array(part[field.name], field.type)
                    if field.name in part
                    else pa.nulls(count, field.type)
                    for field in schema
                },
                schema=schema,
            )
        )
    return pa.concat_tables(tables)


def _widened(rows: pa.Table, schema: pa.Schema) -> pa.Table:
    """Return rows with null columns where an earlier version kept them without."""
    import pyarrow as pa

    for field in schema:
        if field.name not in rows.column_names:
            rows = rows.append_column(field, pa.nulls(rows.num_rows, field.type))
    return rows.select(schema.names)


def _split(rows: pa.Table, morning: np.datetime64) -> tuple[pa.Table, pa.Table]:
    """Return what is known by a morning, and what is not yet."""
    import pyarrow as pa
    import pyarrow.compute as pc

    known = pc.less(rows["known_at"], pa.scalar(morning, pa.timestamp("us")))
    return rows.filter(known), rows.filter(pc.invert(known))


def _append(con: duckdb.DuckDBPyConnection, name: str, rows: pa.Table) -> None:
    if rows.num_rows == 0:
        return
    con.register("fresh", rows)
    con.execute(f"INSERT INTO {name} SELECT *, known_at, 'world', '' FROM fresh")
    con.unregister("fresh")
