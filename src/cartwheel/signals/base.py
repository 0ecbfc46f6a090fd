"""The signal contract: a named, typed table with a neutral value.

Levers never call each other; they write signals and read signals. A signal written
by one part and read by another is a link, and a link can be cut: the reader then sees
an empty table, and every key it asks for takes the columns' neutral values. A missing
key, a cut link and a writer that is down are therefore one case, handled in one place
(`Signals.align`).
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any, Literal, cast

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pandas as pd
    import pyarrow as pa

SignalType = Literal["text", "int", "float", "bool", "date"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One column of a signal.

    Attributes:
        name: Column name.
        type: Logical type.
        unit: Unit in words, such as "units", "minor", "days", "share", "".
        doc: One sentence for people.
        neutral: Value a reader sees for a key the signal does not hold.
    """

    name: str
    type: SignalType
    unit: str
    doc: str
    neutral: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """Declaration of a signal.

    Attributes:
        name: Unique name, used in links as `name→lever`.
        keys: Key fields; a row is unique in them.
        fields: Value fields.
        writer: "lake" when made from facts, else the name of the writing lever, or what
            the turn asks on a lever's behalf ("text service").
        freshness_days: Age in days after which the console calls it stale.
        doc: One sentence for people.
        reads: Names of signals it is made from (links between signals).
        facts: Fact tables it is made from.
        lagged: Readers see what the previous published turn wrote, which is how two
            levers may inform each other without a circle.
        optional: Nothing writes it until the shop asks for it; that it is empty is no
            fault.
        make: Ibis expression builder for signals made from the lake:
            `make(facts, signals, when) -> ibis table`; None for lever-written ones.
    """

    name: str
    keys: tuple[Field, ...]
    fields: tuple[Field, ...]
    writer: str
    doc: str
    freshness_days: int = 1
    reads: tuple[str, ...] = ()
    facts: tuple[str, ...] = ()
    lagged: bool = False
    optional: bool = False
    make: (
        Callable[[Mapping[str, ir.Table], Mapping[str, ir.Table], When], ir.Table]
        | None
    ) = field(default=None, compare=False, hash=False)

    @property
    def columns(self) -> tuple[Field, ...]:
        """Keys, then values."""
        return self.keys + self.fields

    @property
    def column_names(self) -> tuple[str, ...]:
        """Names of keys, then of values."""
        return tuple(column.name for column in self.columns)

    @property
    def neutral(self) -> dict[str, Any]:
        """Neutral value by value column."""
        return {column.name: column.neutral for column in self.fields}

    def schema(self) -> pa.Schema:
        """Arrow schema of the signal."""
        import pyarrow as pa

        types = {
            "text": pa.string(),
            "int": pa.int64(),
            "float": pa.float64(),
            "bool": pa.bool_(),
            "date": pa.date32(),
        }
        return pa.schema([(c.name, types[c.type]) for c in self.columns])

    def empty(self) -> pa.Table:
        """The neutral table: no rows, so every key reads as neutral."""
        return self.schema().empty_table()

    def conform(self, table: pa.Table) -> pa.Table:
        """Return `table` with the declared columns and types, sorted by key.

        Sorting makes the bytes of a signal independent of the engine's row order.

        Raises:
            ValueError: If a declared column is missing.
        """
        missing = [n for n in self.column_names if n not in table.column_names]
        if missing:
            raise ValueError(
                f"signal {self.name} lacks columns {missing}; "
                f"declared are {list(self.column_names)}"
            )
        table = table.select(list(self.column_names)).cast(self.schema())
        order = [(key.name, "ascending") for key in self.keys]
        return table.sort_by(order).combine_chunks()


@dataclass(frozen=True, slots=True, kw_only=True)
class When:
    """The day a turn looks at the shop from.

    Attributes:
        as_of: Last day whose facts may be used, in the shop's time zone.
        cutoff_at: First instant (naive UTC, ISO text) that may not be used.
        timezone: IANA name of the shop's time zone.
    """

    as_of: date
    cutoff_at: str
    timezone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ShopContext:
    """What a lever may know of the shop besides signals; part of the turn's pin.

    Attributes:
        currency: ISO 4217 code.
        minor_digits: Decimal places of the currency (2 for EUR, 0 for JPY).
        when: The day the turn looks from.
        holdout_share: Share of customers left alone by every lever.
        holdout_salt: Salt of the stable hash that assigns the holdout.
        options: Settings by lever name, from the shop's settings file.
        parcel_minor: What sending one order costs; None where nobody said.
        contact_minor: What answering one message costs; None where nobody said.
    """

    currency: str
    minor_digits: int
    when: When
    holdout_share: float
    holdout_salt: str
    options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    parcel_minor: int | None = None
    contact_minor: int | None = None

    def money(self, minor: float) -> str:
        """Write an amount for people, such as `1,234.50 GBP`."""
        amount = minor / 10**self.minor_digits
        return f"{amount:,.{self.minor_digits}f} {self.currency}"


class Signals:
    """What a lever is handed: exactly the signals it declared, immutable.

    Args:
        tables: Arrow table by signal name; a signal that is not in it reads as empty.
        context: The shop and the day.
        allowed: Names the reader declared; asking for another raises `KeyError`, so
            an undeclared link cannot exist.
        cut: Names that read as empty whatever there is.
    """

    def __init__(
        self,
        tables: Mapping[str, pa.Table],
        context: ShopContext,
        allowed: Iterable[str] | None = None,
        cut: Iterable[str] = (),
    ) -> None:
        # Signals that are made when they are read are not read to be copied.
        self._tables = dict(tables) if isinstance(tables, dict) else tables
        self._allowed = frozenset(tables if allowed is None else allowed)
        self._cut = frozenset(cut)
        self.context = context

    def table(self, signal: Signal) -> pa.Table:
        """Return the signal as an Arrow table sorted by key.

        Raises:
            KeyError: If the reader did not declare the signal.
        """
        if signal.name not in self._allowed:
            raise KeyError(
                f"signal {signal.name} is not among the declared reads "
                f"{sorted(self._allowed)}"
            )
        found = None if signal.name in self._cut else self._tables.get(signal.name)
        return signal.empty() if found is None else found

    def frame(self, signal: Signal) -> pd.DataFrame:
        """Return the signal as a pandas frame sorted by key (a copy)."""
        frame: pd.DataFrame = self.table(signal).to_pandas(date_as_object=False)
        return frame

    def align(self, signal: Signal, keys: Sequence[Any]) -> pd.DataFrame:
        """Return one row per key, in the order given; gaps take neutral values.

        Args:
            signal: A signal with exactly one key column.
            keys: Key values.

        Raises:
            ValueError: If the signal has more than one key column.
        """
        import pandas as pd

        if len(signal.keys) != 1:
            raise ValueError(
                f"signal {signal.name} has {len(signal.keys)} keys; 1 fits"
            )
        key = signal.keys[0].name
        have = self.frame(signal).set_index(key)
        wanted = have.reindex(pd.Index(list(keys), name=key))
        gaps = ~wanted.index.isin(have.index)
        for column in signal.fields:
            if column.neutral is not None:
                filled = wanted[column.name].astype(object)
                filled[gaps] = column.neutral
                wanted[column.name] = filled.infer_objects()
        return wanted.reset_index()

    def restricted(self, names: Iterable[str], cut: Iterable[str] = ()) -> Signals:
        """Return the view of one reader: its declared reads, cut ones emptied."""
        allowed = frozenset(names)
        gone = self._cut.union(cut) | (allowed - self._allowed)
        return Signals(self._tables, self.context, allowed, gone)

    def with_tables(self, more: Mapping[str, pa.Table]) -> Signals:
        """Return a copy that also holds `more`."""
        allowed = self._allowed | frozenset(more)
        gone = self._cut - frozenset(more)
        return Signals(beside(more, self._tables), self.context, allowed, gone)


def beside(
    more: Mapping[str, pa.Table], tables: Mapping[str, pa.Table]
) -> Mapping[str, pa.Table]:
    """Return both as one, `more` first, without reading any of them."""
    return ChainMap(dict(more), cast("dict[str, pa.Table]", tables))
