"""Making the lake's signals: pin a snapshot, build each signal once, hand out Arrow.

The expressions are Ibis and run on DuckDB over the lake, or on another engine over the
same Parquet (`export_facts`, `parquet_source`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from cartwheel.lake.tables import BOOKKEEPING, TABLE_BY_NAME, FactTable
from cartwheel.signals.base import Signal, When
from cartwheel.signals.days import midnight_after
from cartwheel.signals.facts import STEPS, latest
from cartwheel.signals.registry import LAKE_SIGNALS

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pyarrow as pa

    from cartwheel.shop import Shop

Source = Callable[[str], "ir.Table"]
"""Returns the rows of a fact table, bookkeeping columns included."""

IBIS_TYPES = {
    "text": "string",
    "int": "int64",
    "float": "float64",
    "bool": "boolean",
    "date": "date",
}

FACT_TYPES = {**IBIS_TYPES, "instant": "timestamp(6)"}

DATING = (
    "orders",
    "order_lines",
    "events",
    "inventory_levels",
    "receipts",
    "refunds",
    "returns",
)
"""Tables whose newest fact says which day a turn looks from by default."""


def link(signal: str, reader: str) -> str:
    """Return the name of a link, as used in cuts."""
    return f"{signal}→{reader}"


def pin(shop: Shop, as_of: date | None = None) -> tuple[When, int]:
    """Return the day to look from and the snapshot of the lake to look at.

    Args:
        shop: The shop.
        as_of: Last day whose facts may be used; by default the day of the newest
            trade or stock count, in the shop's time zone; today when there is none.
            A demo shop with a made world looks from that world's last day.
    """
    snapshot = shop.lake.snapshot()
    timezone = shop.settings.timezone
    if as_of is None:
        as_of = shop.lived_until
    if as_of is None:
        with shop.lake.attached(snapshot=snapshot) as con:
            newest = _newest(con) or datetime.now(UTC).replace(tzinfo=None)
        newest = min(newest, datetime.now(UTC).replace(tzinfo=None))
        as_of = newest.replace(tzinfo=UTC).astimezone(ZoneInfo(timezone)).date()
    return when_of(as_of, timezone), snapshot


def when_of(as_of: date, timezone: str) -> When:
    """Return the view from the end of a day in a time zone."""
    at = midnight_after(as_of, timezone)
    return When(as_of=as_of, cutoff_at=at.isoformat(), timezone=timezone)


def compute_for(
    shop: Shop,
    when: When,
    snapshot: int,
    cuts: frozenset[str] = frozenset(),
    only: Iterable[str] | None = None,
) -> dict[str, pa.Table]:
    """Return the lake's signals of a shop at a pinned snapshot."""
    with shop.lake.attached(snapshot=snapshot) as con:
        return compute(con, when, cuts=cuts, only=only)


def compute(
    engine: Any,
    when: When,
    *,
    cuts: frozenset[str] = frozenset(),
    only: Iterable[str] | None = None,
    source: Source | None = None,
) -> dict[str, pa.Table]:
    """Return signals made from the lake, by name, sorted by key.

    Args:
        engine: A DuckDB connection with the lake attached as `lake`, or any Ibis
            backend together with `source`.
        when: The day looked from.
        cuts: Links between signals that are cut, as `returns→margin`; the reader
            sees the neutral value for every key.
        only: Names wanted; all by default.
        source: Where the rows of a fact table come from; the lake by default.

    Raises:
        KeyError: If a wanted signal is not made from the lake.
    """
    read = source if source is not None else lake_source(_backend(engine))
    wanted = names_wanted(only)
    workshop = Workshop(read, when)
    made: dict[str, pa.Table] = {}
    try:
        for name in closure(wanted):
            signal = LAKE_SIGNALS[name]
            table = workshop.make(signal, cuts)
            if name in wanted:
                made[name] = signal.conform(table.to_pyarrow())
    finally:
        workshop.close()
    return made


def names_wanted(only: Iterable[str] | None) -> frozenset[str]:
    """Return the names asked for; all that are made from the lake for None.

    Raises:
        KeyError: If one of them is not made from the lake.
    """
    wanted = frozenset(LAKE_SIGNALS if only is None else only)
    unknown = wanted - set(LAKE_SIGNALS)
    if unknown:
        raise KeyError(
            f"signals {sorted(unknown)} are not made from the lake; "
            f"made from it are {sorted(LAKE_SIGNALS)}"
        )
    return wanted


def closure(wanted: Iterable[str]) -> list[str]:
    """Return the wanted signals and all they read, in dependency order."""
    needed = set(wanted)
    for name in reversed(LAKE_SIGNALS):
        if name in needed:
            needed.update(LAKE_SIGNALS[name].reads)
    return [name for name in LAKE_SIGNALS if name in needed]


def lake_source(backend: Any) -> Source:
    """Return a source that reads the lake attached to a DuckDB backend."""
    from ibis.common.exceptions import TableNotFound

    def read(name: str) -> ir.Table:
        try:
            return backend.table(name, database=("lake", "main"))
        except TableNotFound:
            # A snapshot from before a table was declared is still read, and replayed.
            return nothing_in(TABLE_BY_NAME[name])

    return read


def nothing_in(table: FactTable) -> ir.Table:
    """Return a fact table without rows, bookkeeping columns included."""
    import ibis

    columns = {
        column.name: FACT_TYPES[column.type]
        for column in (*table.columns, *BOOKKEEPING)
    }
    return ibis.memtable([], schema=ibis.schema(columns))


def parquet_source(backend: Any, folder: Path) -> Source:
    """Return a source that reads the files `export_facts` wrote."""
    return lambda name: backend.read_parquet(
        str(folder / f"{name}.parquet"), table_name=f"fact_{name}"
    )


def export_facts(shop: Shop, when: When, snapshot: int, folder: Path) -> None:
    """Write every fact table, up to the cut-off, as one Parquet file each.

    Another engine computes the same signals from them, see `parquet_source`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with shop.lake.attached(snapshot=snapshot) as con:
        for name in TABLE_BY_NAME:
            rows = con.table(f"lake.main.{name}").filter(
                f"known_at < TIMESTAMP '{datetime.fromisoformat(when.cutoff_at)}'"
            )
            rows.write_parquet(str(folder / f"{name}.parquet"))


class Workshop:
    """Facts, shared steps and signals of one run, each kept once on the engine.

    Args:
        source: Where the rows of a fact table come from.
        when: The day looked from.
    """

    def __init__(self, source: Source, when: When) -> None:
        self._source = source
        self._when = when
        self._facts: dict[str, Any] = {}
        self._signals: dict[str, Any] = {}

    def make(self, signal: Signal, cuts: frozenset[str]) -> ir.Table:
        """Return a signal's rows; the signals it reads must have been made before.

        Raises:
            ValueError: If the signal declares no make function.
        """
        if signal.make is None:
            raise ValueError(f"signal {signal.name} declares no make function")
        upstream = {
            name: self._signals[name].limit(0)
            if link(name, signal.name) in cuts
            else self._signals[name]
            for name in signal.reads
        }
        table = signal.make(self._seen_by(signal), upstream, self._when)
        typed = table.select(
            **{c.name: table[c.name].cast(IBIS_TYPES[c.type]) for c in signal.columns}
        )
        if any(signal.name in other.reads for other in LAKE_SIGNALS.values()):
            typed = self.keep(f"signal_{signal.name}", typed)
            self._signals[signal.name] = typed
        return typed

    def keep(self, name: str, rows: ir.Table) -> ir.Table:
        """Return rows that several readers share, computed once under a name."""
        return rows.cache()

    def close(self) -> None:
        """Release what was kept."""
        for kept in (*self._signals.values(), *self._facts.values()):
            kept.release()
        self._signals.clear()
        self._facts.clear()

    def _seen_by(self, signal: Signal) -> Mapping[str, ir.Table]:
        """Return the declared facts and the shared steps they suffice for."""
        seen = {name: self._fact(name) for name in signal.facts}
        for name, step in STEPS.items():
            if seen.keys() >= set(step.needs):
                seen[name] = self._step(name)
        return seen

    def _fact(self, name: str) -> ir.Table:
        if name not in self._facts:
            rows = latest(self._source(name), TABLE_BY_NAME[name], self._when)
            self._facts[name] = self.keep(f"fact_{name}", rows)
        return self._facts[name]

    def _step(self, name: str) -> ir.Table:
        if name not in self._facts:
            rows = STEPS[name].make(self._facts, self._when)
            self._facts[name] = self.keep(f"step_{name}", rows)
        return self._facts[name]


def _backend(engine: Any) -> Any:
    import duckdb
    import ibis

    if isinstance(engine, duckdb.DuckDBPyConnection):
        return ibis.duckdb.from_connection(engine)
    return engine


def _newest(con: Any) -> datetime | None:
    """Return the newest known instant; rows without a date carry 1970."""
    parts = " UNION ALL ".join(
        f"SELECT max(known_at) AS newest FROM lake.main.{name}" for name in DATING
    )
    row = con.execute(
        f"SELECT max(newest) FROM ({parts}) WHERE newest > TIMESTAMP '1970-01-02'"
    ).fetchone()
    found: datetime | None = row[0] if row else None
    return found
