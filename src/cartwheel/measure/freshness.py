"""How many facts each table holds and how old the newest is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from cartwheel.lake.store import tables_in
from cartwheel.lake.tables import TABLES
from cartwheel.shop import Shop

STALE_DAYS = 3
"""A table that should grow daily is stale when its newest fact is older than this."""

DAILY = frozenset({"orders", "order_lines", "events", "inventory_levels"})
"""Tables that grow daily in a shop that trades; the others change when they change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TableState:
    """State of one fact table.

    Attributes:
        table: Its name.
        rows: Facts known by the cut-off, all versions.
        newest: ISO day of the newest dated fact in the shop's time zone, or None.
        age_days: Days from it to the day asked about, or None.
    """

    table: str
    rows: int
    newest: str | None
    age_days: int | None

    @property
    def stale(self) -> bool:
        """The table should grow daily, and its newest fact is old."""
        if self.age_days is None or self.table not in DAILY:
            return False
        return self.age_days > STALE_DAYS


def table_states(
    shop: Shop, *, on: date | None = None, cutoff_at: str | None = None
) -> list[TableState]:
    """Return the state of every fact table.

    Args:
        shop: The shop.
        on: Day ages are counted to; None for the newest fact's day.
        cutoff_at: Instant (naive UTC) from which facts do not count, or None.
    """
    zone = ZoneInfo(shop.settings.timezone)
    limit = datetime.max if cutoff_at is None else datetime.fromisoformat(cutoff_at)
    counted: list[tuple[str, int, date | None]] = []
    with shop.lake.attached(read_only=True) as con:
        there = tables_in(con)
        for table in TABLES:
            row = None
            if table.name in there:  # not yet, in a lake made by an earlier version
                row = con.execute(
                    "SELECT count(*), max(known_at) FILTER (known_at > DATE "
                    f"'1971-01-01') FROM lake.{table.name} WHERE known_at < ?",
                    [limit],
                ).fetchone()
            rows, newest = row if row is not None else (0, None)
            counted.append((table.name, int(rows), _day(newest, zone)))
    days = [day for _, _, day in counted if day is not None]
    today = on or max(days, default=None)
    return [
        TableState(
            table=name,
            rows=rows,
            newest=None if day is None else day.isoformat(),
            age_days=None if day is None or today is None else (today - day).days,
        )
        for name, rows, day in counted
    ]


def _day(instant: datetime | None, zone: ZoneInfo) -> date | None:
    if instant is None:
        return None
    return instant.replace(tzinfo=ZoneInfo("UTC")).astimezone(zone).date()
