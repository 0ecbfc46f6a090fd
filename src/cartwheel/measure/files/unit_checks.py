"""Checks of who is in which arm: what they find stops every verdict."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cartwheel.errors import Misuse
from cartwheel.measure.experiment.checks import Check
from cartwheel.measure.experiment.ratio_check import ALARM, sample_ratio
from cartwheel.measure.files.question import MOST_ARMS, Question
from cartwheel.measure.files.tell import count_of, examples

if TYPE_CHECKING:
    import duckdb


def arm_counts(con: duckdb.DuckDBPyConnection, asked: Question) -> dict[str, int]:
    """Return the rows of every arm, largest first.

    Raises:
        Misuse: If the column has too many values to hold arms, or the control is none
            of them.
    """
    rows = con.execute(
        "SELECT arm, count(*) FROM units WHERE arm IS NOT NULL GROUP BY arm "
        "ORDER BY count(*) DESC, arm"
    ).fetchall()
    counts = {str(arm): int(number) for arm, number in rows}
    if len(counts) > MOST_ARMS:
        first = ", ".join(list(counts)[:5])
        raise Misuse(
            f"The column {asked.arm!r} has {len(counts):,} values ({first}, ...); "
            f"expected at most {MOST_ARMS} arms.",
            "Name the column of the arms with --arm.",
        )
    if counts and asked.control not in counts:
        arms = ", ".join(counts)
        raise Misuse(
            f"--control is {asked.control!r}; the arms are {arms}.", "Name one of them."
        )
    return counts


def unit_checks(
    con: duckdb.DuckDBPyConnection, asked: Question, counts: dict[str, int]
) -> list[Check]:
    """Return what is wrong with the assignment.

    Args:
        con: Database with the table `units`.
        asked: The question.
        counts: Rows by arm.
    """
    found: list[Check | None] = [
        _empty(con, "unit", asked.unit),
        _empty(con, "arm", asked.arm),
    ]
    if len(counts) < 2:
        only = "there is no row"
        if counts:
            only = f"all {sum(counts.values()):,} are in {next(iter(counts))!r}"
        found.append(
            Check(
                check="one_arm",
                level="refusal",
                rows=sum(counts.values()),
                message=f"There is nothing to compare with: {only}.",
                next_step="Add the units that were left alone, with their arm.",
            )
        )
    again = list(_repeated(con))
    found += again
    found.append(_ratio(con, asked, counts, repeated=bool(again)))
    return [check for check in found if check is not None]


def _empty(con: duckdb.DuckDBPyConnection, what: str, column: str) -> Check | None:
    rows = count_of(con, f"SELECT count(*) FROM units WHERE {what} IS NULL")
    if not rows:
        return None
    return Check(
        check=f"missing_{what}",
        level="refusal",
        rows=rows,
        message=f"{rows:,} rows have no {what} ({column}); "
        f"{examples(con, f'{what} IS NULL')}.",
        next_step="Fill it in, or take these rows out and say so in the report.",
    )


def _repeated(con: duckdb.DuckDBPyConnection) -> Iterator[Check]:
    """Yield units in two arms, and units with several rows in one."""
    row = con.execute(
        "SELECT count(*) FILTER (arms > 1), sum(n) FILTER (arms > 1), "
        "min(unit) FILTER (arms > 1), count(*) FILTER (arms <= 1), "
        "sum(n - 1) FILTER (arms <= 1), min(unit) FILTER (arms <= 1) FROM ("
        "SELECT unit, count(*) AS n, count(DISTINCT arm) AS arms FROM units "
        "JOIN (SELECT unit FROM units WHERE unit IS NOT NULL GROUP BY unit "
        "HAVING count(*) > 1) USING (unit) GROUP BY unit)"
    ).fetchone()
    assert row is not None
    if row[0]:
        yield Check(
            check="contradictory_assignment",
            level="refusal",
            rows=int(row[1]),
            message=f"{row[0]:,} units are in more than one arm, {row[1]:,} rows "
            f"(such as {row[2]!r}).",
            next_step="Find out which arm each was assigned to first and keep that "
            "one.",
        )
    if row[3]:
        yield Check(
            check="duplicated_units",
            level="refusal",
            rows=int(row[4]),
            message=f"{row[3]:,} units have more than one row, {row[4]:,} rows too "
            f"many (such as {row[5]!r}).",
            next_step="Give each unit one row: add its outcomes up, or name a finer "
            "unit.",
        )


def _ratio(
    con: duckdb.DuckDBPyConnection,
    asked: Question,
    counts: dict[str, int],
    *,
    repeated: bool,
) -> Check | None:
    if len(counts) < 2:
        return None
    shares = dict(asked.shares) if asked.shares else dict.fromkeys(counts, 1.0)
    if set(shares) != set(counts):
        missing = sorted(set(counts) ^ set(shares))
        raise Misuse(
            f"--share and the arms differ in {', '.join(missing)}; "
            f"the arms are {', '.join(counts)}.",
            "Give a share for every arm.",
        )
    units = counts
    if repeated:  # a unit counts once, however many rows it has
        rows = con.execute(
            "SELECT arm, count(DISTINCT unit) FROM units WHERE arm IS NOT NULL "
            "GROUP BY arm"
        ).fetchall()
        units = {str(arm): int(number) for arm, number in rows}
    p = sample_ratio(units, shares)
    if p >= 0.05:
        return None
    whole, total = sum(shares.values()), sum(units.values())
    told = ", ".join(
        f"{name} {units[name]:,} (expected {total * shares[name] / whole:,.0f})"
        for name in counts
    )
    if p < ALARM:
        return Check(
            check="sample_ratio",
            level="refusal",
            rows=total,
            message=f"The groups of {total:,} units have not the sizes they should "
            f"have: {told}; by chance that happens with p = {p:.1g}.",
            next_step="Find out who is missing before any figure is believed; if the "
            "split was not even, say so with --share ARM=NUMBER.",
        )
    return Check(
        check="sample_ratio",
        level="warning",
        rows=total,
        message=f"The groups differ a little from their shares: {told}; p = {p:.2g}.",
        next_step="Look whether units are lost in one arm; below .001 it is refused.",
    )
