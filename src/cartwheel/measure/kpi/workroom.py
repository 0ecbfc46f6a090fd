"""Facts as several days saw them, laid out as temporary tables, each once.

A version of a fact is in force from the instant it was known until the next version
was. So one pass serves any number of days: every table that depends on the day looked
from carries the number of the look.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from cartwheel.lake.tables import TABLE_BY_NAME
from cartwheel.measure.kpi.looks import AGAIN_DAYS, COHORT_DAYS, YEAR_DAYS, Look
from cartwheel.signals.days import YEARS_AHEAD, offsets

if TYPE_CHECKING:
    import duckdb


YEARS_BACK = 5
"""Days are exact from this many years before the first look on; before that a day
may begin an hour early or late."""

ALWAYS = "TIMESTAMP '9999-12-31'"
"""Until when the newest version of a fact is in force."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A temporary table.

    Attributes:
        needs: Names of the tables it reads, made before it.
        sql: Returns the query that fills it.
    """

    needs: tuple[str, ...]
    sql: Callable[[Workroom], str]


class Workroom:
    """Lays out what figures are counted from, on demand.

    Args:
        con: A DuckDB connection to the fact tables; temporary tables are made on it.
        looks: Days looked from, at least one.
        timezone: Time zone in which days are counted.
        schema: Where the fact tables are.
        parcel_minor: What sending one order costs, None when unknown.
        steps: Tables that can be laid out, by name.
    """

    def __init__(
        self,
        con: duckdb.DuckDBPyConnection,
        looks: tuple[Look, ...],
        timezone: str,
        *,
        steps: Mapping[str, Step],
        schema: str = "lake",
        parcel_minor: int | None = None,
    ) -> None:
        self.con = con
        self.looks = looks
        self.timezone = timezone
        self.schema = schema
        self.parcel_minor = parcel_minor
        self._steps = steps
        self._made: set[str] = set()
        self._lay_looks()

    def need(self, *names: str) -> None:
        """Make tables that are not there yet, and what they read."""
        for name in names:
            if name in self._made:
                continue
            step = self._steps[name]
            self.need(*step.needs)
            query = step.sql(self)
            self.con.execute(f"CREATE OR REPLACE TEMP TABLE kpi_{name} AS {query}")
            self._made.add(name)

    def query(self, sql: str, *needs: str) -> list[tuple[Any, ...]]:
        """Return rows of a query after its tables are made."""
        self.need(*needs)
        return self.con.execute(sql).fetchall()

    def by_look(self, sql: str, *needs: str) -> dict[int, Any]:
        """Return the second column of a query by its first, the look."""
        return {int(look): value for look, value in self.query(sql, *needs)}

    def has(self, table: str, where: str = "true") -> bool:
        """Return whether any fact of a table is of a sort, whenever known."""
        sql = f"SELECT 1 FROM {self.schema}.{table} WHERE {where} LIMIT 1"
        return bool(self.con.execute(sql).fetchall())

    def local_day(self, instant: str) -> str:
        """Return SQL of the day an instant falls on in the shop's time zone."""
        years = [look.as_of.year for look in self.looks]
        held = offsets(self.timezone, max(years) + YEARS_AHEAD)
        # A figure looks back some years at most; offsets of decades ago would only
        # make the query long. The first one kept stands for all before.
        old = [pair for pair in held if pair[0].year < min(years) - YEARS_BACK]
        return f"CAST({_local(instant, held[max(len(old) - 1, 0) :])} AS DATE)"

    def first_look(self, instant: str, column: str) -> str:
        """Return SQL of the first look whose `column` lies after an instant.

        It is the number of looks where there is none.
        """
        held = [getattr(look, column) for look in self.looks]
        return _passed(instant, held, 0)

    def versions(self, table: str, columns: str, where: str = "true") -> str:
        """Return SQL of a table's versions; each says until when it was in force.

        Args:
            table: A fact table.
            columns: Columns wanted, as SQL.
            where: Which rows; a condition on the table's key alone.
        """
        key = ", ".join(TABLE_BY_NAME[table].key)
        return (
            f"SELECT {columns}, known_at, coalesce(lead(known_at) OVER (PARTITION BY "
            f"{key} ORDER BY known_at, imported_at, content_hash), {ALWAYS}) AS "
            "until_at "
            f"FROM {self.schema}.{table} "
            f"WHERE known_at < (SELECT max(end_at) FROM kpi_look) AND {where}"
        )

    def _lay_looks(self) -> None:
        values = ", ".join(
            f"({one.number}, DATE '{one.as_of}', DATE '{one.first_day}', "
            f"{one.window_days}, TIMESTAMP '{one.start_at}', TIMESTAMP '{one.end_at}')"
            for one in self.looks
        )
        self.con.execute(
            "CREATE OR REPLACE TEMP TABLE kpi_look AS SELECT *, "
            f"end_at - to_days({AGAIN_DAYS}) AS again_to, "
            f"end_at - to_days({AGAIN_DAYS} + days) AS again_from, "
            f"end_at - to_days({YEAR_DAYS}) AS year_to, "
            f"end_at - to_days({YEAR_DAYS + COHORT_DAYS}) AS year_from "
            f"FROM (VALUES {values}) "
            "AS given(look, as_of, first_day, days, start_at, end_at)"
        )


def in_force(version: str, look: str) -> str:
    """Return the condition that a version is the one a look sees.

    Args:
        version: Alias of a table of versions.
        look: Alias of a table with the look's `end_at`.
    """
    # Two plain comparisons: DuckDB joins on them by hash, and row by row on an OR.
    return f"{version}.known_at < {look}.end_at AND {version}.until_at >= {look}.end_at"


def _passed(instant: str, held: list[datetime], passed: int) -> str:
    """Return SQL of how many instants have passed, halving their list."""
    if not held:
        return str(passed)
    middle = len(held) // 2
    return (
        f"CASE WHEN {instant} >= TIMESTAMP '{held[middle]}' "
        f"THEN {_passed(instant, held[middle + 1 :], passed + middle + 1)} "
        f"ELSE {_passed(instant, held[:middle], passed)} END"
    )


def said(day: date | datetime) -> str:
    """Return a day as sentences say it: 9 Nov 2026."""
    return f"{day.day} {day:%b %Y}"


def _local(instant: str, held: tuple[tuple[datetime, int], ...]) -> str:
    """Return SQL of local time, halving the list: log2(n) comparisons a row."""
    if len(held) == 1:
        seconds = held[0][1]
        return f"{instant} + to_seconds({seconds})" if seconds else instant
    middle = len(held) // 2
    return (
        f"CASE WHEN {instant} >= TIMESTAMP '{held[middle][0]}' "
        f"THEN {_local(instant, held[middle:])} "
        f"ELSE {_local(instant, held[:middle])} END"
    )
