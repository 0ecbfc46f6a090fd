"""The board: every KPI as of a day, how it went by week, and the rows behind it.

A figure as of a day counts facts known before that day's end and nothing else, so it
never changes when later facts arrive. Points of a series are figures as of their own
days; they come from the same pass.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, date
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from cartwheel.errors import NotFound
from cartwheel.measure.freshness import DAILY, STALE_DAYS
from cartwheel.measure.kpi import (
    cohorts,
    customers,
    goods,
    margin,
    sales,
    since,
    visits,
)
from cartwheel.measure.kpi.definition import ROW_COLUMNS, Kpi
from cartwheel.measure.kpi.figure import Value, values_of
from cartwheel.measure.kpi.limits import limited
from cartwheel.measure.kpi.looks import WEEKS, WINDOW_DAYS, looks_at, weekly
from cartwheel.measure.kpi.workroom import Workroom

if TYPE_CHECKING:
    from collections.abc import Iterator

    import duckdb

    from cartwheel.settings import Settings
    from cartwheel.shop import Shop

LONGEST_SECONDS = 600.0

KPIS: tuple[Kpi, ...] = (
    visits.REVENUE_PER_VISITOR,
    visits.CONVERSION,
    visits.ORDER_VALUE,
    margin.CONTRIBUTION_MARGIN,
    customers.REPEAT_RATE,
    customers.LIFETIME_VALUE,
    customers.CAC_PAYBACK,
    customers.NET_PROMOTER_SCORE,
    goods.RETURN_RATE,
    goods.STOCK_OUT_RATE,
    goods.SELL_THROUGH,
)
"""Every KPI, in the order a board shows them."""

STEPS = {
    **sales.STEPS,
    **since.STEPS,
    **visits.STEPS,
    **margin.STEPS,
    **cohorts.STEPS,
    **customers.STEPS,
    **goods.STEPS,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where a board is counted from.

    Attributes:
        con: A DuckDB connection to the fact tables.
        timezone: Time zone in which days are counted.
        parcel_minor: What sending one order costs, None when unknown.
        schema: Where the tables are.
        window_days: Days of a window.
    """

    con: duckdb.DuckDBPyConnection
    timezone: str
    parcel_minor: int | None = None
    schema: str = "lake"
    window_days: int = WINDOW_DAYS

    def room(self, days: Sequence[date]) -> Workroom:
        """Return a workroom that looks from days."""
        return Workroom(
            self.con,
            looks_at(days, self.timezone, window_days=self.window_days),
            self.timezone,
            steps=STEPS,
            schema=self.schema,
            parcel_minor=self.parcel_minor,
        )


@contextmanager
def source_of(
    shop: Shop,
    *,
    snapshot: int | None = None,
    settings: Settings | None = None,
    seconds: float = LONGEST_SECONDS,
) -> Iterator[Source]:
    """Yield where a shop's board is counted from.

    Args:
        shop: The shop.
        snapshot: Snapshot of the lake to look at; None for the newest.
        settings: Settings to count by; None for the shop's present ones.
        seconds: Longest that counting may take.

    Raises:
        Busy: If it took longer.
    """
    used = settings or shop.settings
    with (
        shop.lake.attached(snapshot=snapshot, read_only=True) as con,
        limited(con, seconds),
    ):
        yield Source(
            con=con, timezone=used.timezone, parcel_minor=used.costs.parcel_minor
        )


def kpi_named(name: str) -> Kpi:
    """Return a KPI by its name.

    Raises:
        NotFound: If there is none.
    """
    for kpi in KPIS:
        if kpi.name == name:
            return kpi
    raise NotFound(
        f"There is no KPI {name[:60]!r}.",
        f"Choose one of {', '.join(kpi.name for kpi in KPIS)}.",
    )


def series(
    source: Source, days: Sequence[date], kpis: Sequence[Kpi] = KPIS
) -> dict[str, list[Value]]:
    """Return KPIs as of several days, in one pass.

    Args:
        source: Where they are counted from.
        days: Days, oldest first, each once.
        kpis: KPIs wanted.
    """
    room = source.room(days)
    return {kpi.name: values_of(room, kpi) for kpi in kpis}


def make_board(source: Source, as_of: date, *, weeks: int = WEEKS) -> dict[str, Any]:
    """Return the whole board as JSON values.

    Args:
        source: Where it is counted from.
        as_of: Day looked from; facts known before its end count.
        weeks: Points of each series, one a week, the last one as of the day; 1 leaves
            the series out.
    """
    days = weekly(as_of, weeks)
    found = series(source, days)
    newest = _newest(source, as_of)
    return {
        "as_of": as_of.isoformat(),
        "window_days": source.window_days,
        "parcel_minor": source.parcel_minor,
        "kpis": [
            {
                "name": kpi.name,
                "label": kpi.label,
                "unit": kpi.unit,
                "better": kpi.better,
                "definition": kpi.definition,
                "top_name": kpi.top,
                "bottom_name": kpi.bottom,
                "owners_name": kpi.owners,
                **asdict(found[kpi.name][-1]),
                "freshness": [newest[table] for table in kpi.tables],
                "series": _points(days, found[kpi.name]) if weeks > 1 else [],
            }
            for kpi in KPIS
        ],
    }


def rows_behind(
    source: Source, kpi: Kpi, as_of: date
) -> tuple[tuple[str, ...], duckdb.DuckDBPyConnection]:
    """Return the rows a figure is counted from: their headings, and a cursor of them.

    The figure is `scale` times the sum of the column before the last over the sum of
    the last one.

    Args:
        source: Where it is counted from.
        kpi: The KPI.
        as_of: Day looked from.
    """
    room = source.room([as_of])
    columns = ", ".join(ROW_COLUMNS[1:])
    query = kpi.rows(room)
    cursor = room.con.execute(f"SELECT {columns} FROM ({query}) ORDER BY ALL")
    return (*ROW_COLUMNS[1:-2], kpi.top, kpi.bottom), cursor


def board_table(board: Mapping[str, Any]) -> list[list[object]]:
    """Return a board as rows for a spreadsheet, headings first."""
    names = ("name", "label", "unit", "value", "low", "high", "not_yet")
    more = ("top_name", "top", "bottom_name", "bottom", "rows")
    last = ("note", "better", "definition")
    rows: list[list[object]] = [["as_of", *names, *more, "newest_fact", *last]]
    for kpi in board["kpis"]:
        dates = [row["newest"] for row in kpi["freshness"] if row["newest"]]
        rows.append(
            [
                board["as_of"],
                *(kpi[name] for name in (*names, *more)),
                max(dates, default=None),
                *(kpi[name] for name in last),
            ]
        )
    return rows


def _points(days: Sequence[date], values: Sequence[Value]) -> list[dict[str, Any]]:
    return [
        {"on": day.isoformat(), "value": v.value, "low": v.low, "high": v.high}
        for day, v in zip(days, values, strict=True)
    ]


def _newest(source: Source, as_of: date) -> dict[str, dict[str, Any]]:
    """Return the newest fact of each table that the day knows."""
    (look,) = looks_at([as_of], source.timezone)
    zone = ZoneInfo(source.timezone)
    tables = sorted({table for kpi in KPIS for table in kpi.tables})
    # Values stand in the text: a bound one makes DuckDB load pandas, which the
    # process that serves the console does without.
    parts = (
        f"SELECT '{table}', max(known_at) FROM {source.schema}.{table} WHERE "
        f"known_at < TIMESTAMP '{look.end_at}' AND known_at > TIMESTAMP '1971-01-01'"
        for table in tables
    )
    found = {}
    for table, newest in source.con.execute(" UNION ALL ".join(parts)).fetchall():
        day = newest and newest.replace(tzinfo=UTC).astimezone(zone).date()
        found[table] = {
            "table": table,
            "newest": day and day.isoformat(),
            "age_days": day and (as_of - day).days,
            "stale": table in DAILY and (not day or (as_of - day).days > STALE_DAYS),
        }
    return found
