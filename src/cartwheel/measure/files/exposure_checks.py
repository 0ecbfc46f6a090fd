"""Checks of what units were shown, and when things happened.

The column `--shown` may hold the arm that a unit really saw, whether it saw anything
(true or false, 1 or 0), or the instant at which it did; its values tell which.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

from cartwheel.errors import Misuse
from cartwheel.measure.experiment.checks import Check
from cartwheel.measure.files.question import Question
from cartwheel.measure.files.tell import count_of, examples

if TYPE_CHECKING:
    import duckdb

ZONE = r"(Z|z|[+-]\d\d(:?\d\d)?)$"
CLOCK = r"\d\d:\d\d"
FLAGS = ("true", "false", "1", "0", "yes", "no", "1.0", "0.0")

Meaning = Literal["arm", "flag", "instant"]


def exposure_checks(
    con: duckdb.DuckDBPyConnection, asked: Question, arms: list[str]
) -> list[Check]:
    """Return what is wrong with exposures and instants.

    Args:
        con: Database with the table `units`.
        asked: The question.
        arms: Names of the arms.

    Raises:
        Misuse: If `--shown` holds neither arms, nor flags, nor instants.
    """
    found: list[Check] = []
    meaning = None if asked.shown is None else _meaning(con, asked.shown, arms)
    if meaning == "arm":
        found += _other_arm(con, asked)
    if meaning == "flag":
        found += _never_shown(con)
    instants = ["happened"] if asked.time else []
    if meaning == "instant":
        instants.append("shown")
    for name in instants:
        column = asked.time if name == "happened" else asked.shown
        found += _instants(con, name, str(column))
    if len(instants) == 2 and not any(check.refuses for check in found):
        found += _too_early(con)
    return found


def instant_of(name: str) -> str:
    """Return SQL of a column of `units` as an instant, null where it is none.

    Args:
        name: "happened" or "shown".
    """
    seconds = f"TRY_CAST({name} AS DOUBLE)"
    # Ten digits are seconds since 1970, thirteen milliseconds; less is no instant.
    return (
        f"CASE WHEN {seconds} BETWEEN 1e12 AND 1e13 "
        f"THEN to_timestamp({seconds} / 1000) "
        f"WHEN {seconds} BETWEEN 1e9 AND 1e10 THEN to_timestamp({seconds}) "
        f"WHEN {seconds} IS NULL THEN TRY_CAST({name} AS TIMESTAMPTZ) END"
    )


def _meaning(con: duckdb.DuckDBPyConnection, column: str, arms: list[str]) -> Meaning:
    rows = con.execute(
        "SELECT DISTINCT shown FROM units WHERE shown IS NOT NULL LIMIT 1000"
    ).fetchall()
    values = {str(row[0]) for row in rows}
    if values & set(arms):
        return "arm"
    if values and values <= {*FLAGS, *(f.capitalize() for f in FLAGS)}:
        return "flag"
    dated = count_of(
        con,
        f"SELECT count(*) FROM units WHERE shown IS NOT NULL "
        f"AND ({instant_of('shown')}) IS NOT NULL",
    )
    known = count_of(con, "SELECT count(*) FROM units WHERE shown IS NOT NULL")
    if dated * 2 > known:
        return "instant"
    shown = ", ".join(sorted(values)[:5])
    raise Misuse(
        f"The column {column!r} (--shown) holds {shown or 'nothing'}; expected an arm "
        f"({', '.join(arms)}), true or false, or an instant.",
        "Name the column that says what each unit was shown.",
    )


def _other_arm(con: duckdb.DuckDBPyConnection, asked: Question) -> Iterator[Check]:
    wrong = "shown IS NOT NULL AND arm IS NOT NULL AND shown <> arm"
    rows = count_of(con, f"SELECT count(*) FROM units WHERE {wrong}")
    if rows:
        pair = con.execute(
            f"SELECT arm, shown, count(*) FROM units WHERE {wrong} "
            "GROUP BY arm, shown ORDER BY count(*) DESC, arm, shown LIMIT 1"
        ).fetchone()
        assert pair is not None
        yield Check(
            check="shown_other_arm",
            level="refusal",
            rows=rows,
            message=f"{rows:,} units were shown another arm than they were assigned "
            f"to, most often {pair[1]!r} instead of {pair[0]!r} ({pair[2]:,}); "
            f"{examples(con, wrong)}.",
            next_step="Find out which of the two is true; leaving these units out "
            "would favour an arm.",
        )
    yield from _never_shown(con, "shown IS NULL")


def _never_shown(
    con: duckdb.DuckDBPyConnection,
    never: str = "(shown IS NULL OR lower(shown) IN ('false', '0', 'no', '0.0'))",
) -> Iterator[Check]:
    rows = count_of(con, f"SELECT count(*) FROM units WHERE {never}")
    if rows:
        yield Check(
            check="never_shown",
            level="warning",
            rows=rows,
            message=f"{rows:,} units were never shown their arm; they stay in, as "
            "assigned, which makes the effect smaller than on those who were.",
            next_step="Assign only when there is something to show.",
        )


def _instants(
    con: duckdb.DuckDBPyConnection, name: str, column: str
) -> Iterator[Check]:
    unread = f"{name} IS NOT NULL AND ({instant_of(name)}) IS NULL"
    rows = count_of(con, f"SELECT count(*) FROM units WHERE {unread}")
    if rows:
        value = con.execute(
            f"SELECT {name} FROM units WHERE {unread} LIMIT 1"
        ).fetchone()
        yield Check(
            check="unreadable_time",
            level="refusal",
            rows=rows,
            message=f"{rows:,} values of {column} are no instant, such as "
            f"{str(value and value[0])[:60]!r}; {examples(con, unread)}.",
            next_step="Write them as 2026-03-31T14:05:00Z.",
        )
    zoned = f"regexp_matches({name}, '{CLOCK}.*{ZONE}')"
    clocked = f"regexp_matches({name}, '{CLOCK}')"
    with_zone = count_of(con, f"SELECT count(*) FROM units WHERE {zoned}")
    without = count_of(
        con, f"SELECT count(*) FROM units WHERE {clocked} AND NOT {zoned}"
    )
    if with_zone and without:
        yield Check(
            check="mixed_time_zones",
            level="refusal",
            rows=min(with_zone, without),
            message=f"{column} has {with_zone:,} instants with a time zone and "
            f"{without:,} without; they cannot be put in order.",
            next_step="Write all of them in UTC, such as 2026-03-31T14:05:00Z.",
        )
    elif with_zone:
        zones = con.execute(
            f"SELECT regexp_extract({name}, '{ZONE}') AS zone, count(*) FROM units "
            f"WHERE {zoned} GROUP BY zone ORDER BY count(*) DESC, zone"
        ).fetchall()
        if len(zones) > 1:
            told = ", ".join(f"{zone} {number:,}" for zone, number in zones[:4])
            yield Check(
                check="mixed_time_zones",
                level="warning",
                rows=sum(int(number) for _, number in zones[1:]),
                message=f"{column} mixes time zones ({told}); all were put into UTC.",
                next_step="Make sure that each zone is the true one of its rows.",
            )


def _too_early(con: duckdb.DuckDBPyConnection) -> Iterator[Check]:
    early = f"({instant_of('happened')}) < ({instant_of('shown')})"
    rows = count_of(con, f"SELECT count(*) FROM units WHERE {early}")
    if rows:
        yield Check(
            check="outcome_before_exposure",
            level="refusal",
            rows=rows,
            message=f"{rows:,} outcomes happened before their unit was shown anything; "
            f"{examples(con, early)}.",
            next_step="Count only what comes after the first showing.",
        )
