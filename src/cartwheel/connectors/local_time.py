"""Local times of a source to UTC."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    import duckdb


def to_utc(local: datetime, zone: ZoneInfo) -> datetime:
    """Return a naive local time as naive UTC.

    An hour that a clock change repeats is taken as its first passing; a time that it
    skips is read with the offset in force before the change.
    """
    return local.replace(tzinfo=zone).astimezone(UTC).replace(tzinfo=None)


def add_utc_table(
    con: duckdb.DuckDBPyConnection, query: str, *, zone: str, name: str = "utc"
) -> None:
    """Make a temporary table (local, utc) for the distinct local times of a query.

    Args:
        con: Connection.
        query: SQL that gives one column of local timestamps.
        zone: IANA zone of the times.
        name: Name of the table.
    """
    import pyarrow as pa

    found = con.execute(
        f"SELECT DISTINCT t FROM ({query}) AS q(t) WHERE t IS NOT NULL AND isfinite(t)"
    ).fetchall()
    place = ZoneInfo(zone)
    pairs = pa.table(
        {
            "local": pa.array([row[0] for row in found], pa.timestamp("us")),
            "utc": pa.array(
                [_safe(row[0], place) for row in found], pa.timestamp("us")
            ),
        }
    )
    con.register(f"{name}_pairs", pairs)
    con.execute(f"CREATE TEMP TABLE {name} AS FROM {name}_pairs")


def _safe(local: datetime, zone: ZoneInfo) -> datetime:
    # Years 1 and 9999 have no UTC in some zones; intake rejects both anyway.
    try:
        return to_utc(local, zone)
    except OverflowError:
        return local
