"""What the journey looks at: visits of the window, and signals of the turn beside them.

Visits are temporary tables named `j_*` (see `visits`); signals are views named the
same, empty where the turn has none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from cartwheel.measure.journey.visits import cut_visits, drop_visits
from cartwheel.signals.base import Signal
from cartwheel.signals.catalogue import CATALOGUE
from cartwheel.signals.demand import DEMAND
from cartwheel.signals.feedback import FEEDBACK
from cartwheel.signals.intent import INTENT
from cartwheel.signals.listing import LISTING
from cartwheel.signals.margin import MARGIN
from cartwheel.signals.objections import OBJECTIONS
from cartwheel.signals.weak_searches import WEAK_SEARCHES

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

SIGNALS: tuple[Signal, ...] = (
    CATALOGUE,
    LISTING,
    MARGIN,
    DEMAND,
    INTENT,
    WEAK_SEARCHES,
    OBJECTIONS,
    FEEDBACK,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fix:
    """A page fix of this turn or one still in force: whose it is, and how it stands."""

    decision: str
    product: str
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class JourneyData:
    """Everything the journey may look at.

    Attributes:
        con: DuckDB connection that holds the `j_*` tables.
        on: Last day looked at, in the shop's time zone.
        fixes: Page fixes by product.
        parcel_minor: What sending an order costs, None when unknown.
        seed: Seed of the intervals.
    """

    con: duckdb.DuckDBPyConnection
    on: date
    fixes: Sequence[Fix] = ()
    parcel_minor: int | None = None
    seed: int = 0

    def rows(self, sql: str, given: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Return the rows of a query over the `j_*` tables."""
        return self.con.execute(sql, list(given)).fetchall()

    def close(self) -> None:
        """Drop the temporary tables and views."""
        drop_visits(self.con)
        for signal in SIGNALS:
            self.con.unregister(f"j_{signal.name}")


def gather(
    con: duckdb.DuckDBPyConnection,
    *,
    schema: str,
    on: date,
    end: datetime,
    signals: Mapping[str, pa.Table],
    fixes: Sequence[Fix] = (),
    parcel_minor: int | None = None,
    seed: int = 0,
) -> JourneyData:
    """Cut the visits of the window and return what the journey looks at.

    Args:
        con: DuckDB connection to the fact tables, bookkeeping columns included.
        schema: Where they are.
        on: Last day looked at, in the shop's time zone.
        end: First instant after it, naive UTC.
        signals: Signals of the turn by name; one that is missing is empty.
        fixes: Page fixes of this turn, and those in force.
        parcel_minor: What sending an order costs, None when unknown.
        seed: Seed of the intervals.
    """
    cut_visits(con, schema=schema, end=end)
    for signal in SIGNALS:
        table = signals.get(signal.name)
        con.register(f"j_{signal.name}", _empty(signal) if table is None else table)
    return JourneyData(
        con=con, on=on, fixes=fixes, parcel_minor=parcel_minor, seed=seed
    )


def _empty(signal: Signal) -> pa.Table:
    import pyarrow as pa

    types = {
        "text": pa.string(),
        "int": pa.int64(),
        "float": pa.float64(),
        "bool": pa.bool_(),
        "date": pa.date32(),
    }
    return pa.table(
        {
            column.name: pa.array([], types[column.type])
            for column in (*signal.keys, *signal.fields)
        }
    )
