"""Checks of one metric's values: what they find stops this metric's verdict."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from cartwheel.measure.experiment.checks import Check
from cartwheel.measure.experiment.metric import Metric
from cartwheel.measure.experiment.ratio_check import ALARM
from cartwheel.measure.files.exposure_checks import instant_of
from cartwheel.measure.files.reading import bad_of, value_of
from cartwheel.measure.files.tell import examples

if TYPE_CHECKING:
    import duckdb

Array = np.ndarray[Any, Any]

MOST_MISSING = 0.05
"""Share of units without an outcome above which those that have one tell too little."""

FEWEST_UNITS = 30
FEWEST_EVENTS = 10
FEWEST_IN_TAIL = 20
MOST_IN_TAIL = 200
TAIL_SHARE = 0.05
ONE_UNIT = 0.25
"""Share of a group's spread that one unit alone may make up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cells:
    """How many cells of a column are no use.

    Attributes:
        bad: They say something that is no number.
        endless: They are infinite.
        gone: They are empty.
    """

    bad: int
    endless: int
    gone: int


def count_cells(
    con: duckdb.DuckDBPyConnection, columns: Sequence[str]
) -> dict[str, Cells]:
    """Return the counts of every column, read in one pass over the table `units`."""
    if not columns:
        return {}
    wanted = [
        f"count(*) FILTER ({condition})"
        for column in columns
        for condition in (bad_of(column), endless_of(column), gone_of(column))
    ]
    row = con.execute(f"SELECT {', '.join(wanted)} FROM units").fetchone()
    assert row is not None
    return {
        column: Cells(
            bad=int(row[3 * i]), endless=int(row[3 * i + 1]), gone=int(row[3 * i + 2])
        )
        for i, column in enumerate(columns)
    }


def endless_of(column: str) -> str:
    """Return SQL that tells whether a column's number is infinite."""
    return f"isinf({value_of(column)})"


def gone_of(column: str) -> str:
    """Return SQL that tells whether a column's cell is empty."""
    return f"({value_of(column)} IS NULL AND NOT {bad_of(column)})"


def cell_checks(
    con: duckdb.DuckDBPyConnection,
    metric: Metric,
    cells: Mapping[str, Cells],
    *,
    timed: bool,
) -> Iterator[Check]:
    """Yield what is wrong with the cells of a metric's columns.

    Args:
        con: Database with the table `units`.
        metric: The metric.
        cells: Counts of every column.
        timed: There is an instant for every row.
    """
    for column in metric.columns:
        found = cells[column]
        if found.bad:
            yield Check(
                check="not_a_number",
                level="refusal",
                rows=found.bad,
                message=f"{found.bad:,} values of {column} are no numbers; "
                f"{examples(con, bad_of(column))}.",
                next_step="Write numbers with a point and no currency sign.",
                metric=metric.name,
            )
        if found.endless:
            yield Check(
                check="infinite_value",
                level="refusal",
                rows=found.endless,
                message=f"{found.endless:,} values of {column} are infinite; "
                f"{examples(con, endless_of(column))}.",
                next_step="Correct them; an average of them means nothing.",
                metric=metric.name,
            )
    if any(cells[column].gone for column in metric.outcomes):
        yield from _missing(con, metric, timed=timed)
    for column in metric.covariates:
        if cells[column].gone:
            yield _missing_covariate(metric, column, cells[column].gone)


def _missing(
    con: duckdb.DuckDBPyConnection, metric: Metric, *, timed: bool
) -> Iterator[Check]:
    gone = " OR ".join(gone_of(column) for column in metric.outcomes)
    rows = con.execute(
        f"SELECT arm, count(*) FILTER ({gone}), count(*) FROM units "
        "WHERE arm IS NOT NULL GROUP BY arm ORDER BY arm"
    ).fetchall()
    missing = sum(int(row[1]) for row in rows)
    if not missing:  # all in rows without an arm, which are refused already
        return
    late = _defined_late(con, gone) if timed else ""
    if late:
        yield Check(
            check="defined_after_start",
            level="refusal",
            rows=missing,
            message=f"{metric.name} is missing in {missing:,} rows, all of them before "
            f"{late}: it was not counted from the start.",
            next_step="Compare only units that came after it, in a new test.",
            metric=metric.name,
        )
        return
    share = missing / sum(int(row[2]) for row in rows)
    uneven = _uneven([(int(row[1]), int(row[2])) for row in rows])
    told = ", ".join(f"{row[0]} {row[1]:,} of {row[2]:,}" for row in rows)
    if uneven < ALARM or share > MOST_MISSING:
        why = "more often in one arm" if uneven < ALARM else f"{share:.0%} of all"
        yield Check(
            check="missing_outcome",
            level="refusal",
            rows=missing,
            message=f"{metric.name} has no value in {missing:,} rows, {why} ({told}); "
            f"{examples(con, gone)}.",
            next_step="Fill in what happened, 0 if nothing did; leaving them out would "
            "compare other people than were assigned.",
            metric=metric.name,
        )
    else:
        yield Check(
            check="missing_outcome",
            level="warning",
            rows=missing,
            message=f"{metric.name} has no value in {missing:,} rows ({told}); they "
            "are left out of this metric.",
            next_step="Fill in what happened, 0 if nothing did.",
            metric=metric.name,
        )


def _missing_covariate(metric: Metric, column: str, rows: int) -> Check:
    return Check(
        check="missing_covariate",
        level="warning",
        rows=rows,
        message=f"The covariate {column} is missing in {rows:,} rows; its mean stands "
        "in for it there.",
        next_step="Nothing must be done: no unit is left out, the interval is a little "
        "wider.",
        metric=metric.name,
    )


def _defined_late(con: duckdb.DuckDBPyConnection, gone: str) -> str:
    """Return the day from which a metric has values when it has none before."""
    when = instant_of("happened")
    row = con.execute(
        f"SELECT max({when}) FILTER ({gone}), min({when}) FILTER (NOT ({gone})), "
        f"count(*) FILTER ({gone}), count(*) FROM units"
    ).fetchone()
    if row is None or row[0] is None or row[1] is None:
        return ""
    # A handful of early gaps is chance; a stretch of them is a start.
    enough = row[2] >= max(10, 0.01 * row[3])
    return f"{row[1]:%Y-%m-%d %H:%M}" if row[0] < row[1] and enough else ""


def _uneven(groups: list[tuple[int, int]]) -> float:
    """Return the p value of gaps being as frequent in every arm."""
    from scipy.stats import chi2_contingency

    table = np.array([[gone, all_ - gone] for gone, all_ in groups])
    if (table.sum(axis=0) == 0).any() or len(groups) < 2:
        return 1.0
    return float(chi2_contingency(table, correction=False).pvalue)


def value_checks(metric: Metric, groups: dict[str, Array]) -> Iterator[Check]:
    """Yield what is wrong with a metric's values as a whole.

    Args:
        metric: The metric.
        groups: By arm the units' values in the order of `metric.columns`, shape (n, k).
    """
    for name, rows in groups.items():
        yield from _few(metric, name, rows)
        if metric.per is not None:
            yield from _denominators(metric, name, rows)
    if all(len(rows) >= 2 for rows in groups.values()):
        yield from _flat(metric, groups)
        yield from _tails(metric, groups)
        yield from _unlike(metric, groups)


def _few(metric: Metric, arm: str, rows: Array) -> Iterator[Check]:
    n = len(rows)
    if n < 2:
        yield Check(
            check="too_few_units",
            level="refusal",
            rows=n,
            message=f"{arm} has {n} units with a value of {metric.name}; a spread "
            "needs two.",
            next_step="Wait for more units.",
            metric=metric.name,
        )
        return
    values = rows[:, 0]
    binary = metric.per is None and np.isin(values, (0.0, 1.0)).all()
    events = int(min(values.sum(), n - values.sum())) if binary else n
    if n < FEWEST_UNITS or events < FEWEST_EVENTS:
        what = f"{n} units" if n < FEWEST_UNITS else f"{events} events"
        yield Check(
            check="few_units",
            level="warning",
            rows=n,
            message=f"{arm} has only {what} of {metric.name}: the interval is rough "
            "and no winner is named.",
            next_step=f"Wait for {FEWEST_UNITS} units and {FEWEST_EVENTS} events.",
            metric=metric.name,
        )


def _denominators(metric: Metric, arm: str, rows: Array) -> Iterator[Check]:
    value, per = rows[:, 0], rows[:, 1]
    negative = int((per < 0).sum())
    if negative:
        yield Check(
            check="negative_denominator",
            level="refusal",
            rows=negative,
            message=f"{negative:,} units of {arm} have a negative {metric.per}.",
            next_step="Correct them; a count cannot be negative.",
            metric=metric.name,
        )
    if len(per) and per.sum() == 0:
        yield Check(
            check="zero_denominator",
            level="refusal",
            rows=len(per),
            message=f"{metric.per} is zero for all {len(per):,} units of {arm}; "
            f"{metric.name} cannot be divided by it.",
            next_step="Check the column, or compare the numerator alone.",
            metric=metric.name,
        )
        return
    odd = int(((per == 0) & (value != 0)).sum())
    if odd:
        yield Check(
            check="zero_denominator",
            level="warning",
            rows=odd,
            message=f"{odd:,} units of {arm} have {metric.value} but no {metric.per}; "
            "they count in the sums.",
            next_step="Check whether the denominator is counted completely.",
            metric=metric.name,
        )


def _flat(metric: Metric, groups: dict[str, Array]) -> Iterator[Check]:
    outcomes, units = len(metric.outcomes), sum(map(len, groups.values()))
    if all(rows[:, :outcomes].std(axis=0).max() == 0 for rows in groups.values()):
        yield Check(
            check="no_spread",
            level="refusal",
            rows=units,
            message=f"{metric.name} is the same for all {units:,} units of each group; "
            "chance cannot be told from effect.",
            next_step="Check the column.",
            metric=metric.name,
        )


def _tails(metric: Metric, groups: dict[str, Array]) -> Iterator[Check]:
    for name, rows in groups.items():
        values = np.abs(rows[:, 0])
        index = tail_index(values)
        if index is not None and index[1] < 2.0:
            yield Check(
                check="infinite_variance",
                level="refusal",
                rows=min(int(TAIL_SHARE * int((values > 0).sum())), MOST_IN_TAIL),
                message=f"The largest values of {metric.value} in {name} are so far "
                f"out that its variance does not exist (tail index {index[0]:.2f}, "
                f"at most {index[1]:.2f}; 2 is needed): no interval would hold.",
                next_step="Cap the metric at a value fixed before the start, or "
                "compare the share of units above it.",
                metric=metric.name,
            )
            continue
        spread = (rows[:, 0] - rows[:, 0].mean()) ** 2
        share = spread.max() / spread.sum() if spread.sum() > 0 else 0.0
        if share > ONE_UNIT and len(rows) >= FEWEST_UNITS:
            value = rows[int(spread.argmax()), 0]
            yield Check(
                check="outlier",
                level="warning",
                rows=1,
                message=f"One unit of {name} ({metric.value} {value:,.6g}) makes up "
                f"{share:.0%} of the spread of its group.",
                next_step="Look whether it is real; if it is not, correct the file.",
                metric=metric.name,
            )


def tail_index(values: Array) -> tuple[float, float] | None:
    """Return the tail index of sizes and its upper 97.5 % limit, None for too few.

    The tail is the largest twentieth of what is above zero, at most 200 units: deeper
    than that a log-normal, whose variance exists, would look like a power law.

    Args:
        values: Sizes, none negative, shape (n,).

    References:
        Hill (1975).
    """
    some = values[values > 0]
    k = min(int(TAIL_SHARE * len(some)), MOST_IN_TAIL)
    if k < FEWEST_IN_TAIL:
        return None
    largest = np.sort(some)[-(k + 1) :]
    mean = float(np.log(largest[1:] / largest[0]).mean())
    if mean <= 0:
        return None
    return 1.0 / mean, (1.0 + 1.96 / np.sqrt(k)) / mean


def _unlike(metric: Metric, groups: dict[str, Array]) -> Iterator[Check]:
    """A covariate from before the start cannot know the arm."""
    from scipy.stats import f_oneway

    for place, column in enumerate(metric.covariates, len(metric.outcomes)):
        samples = [rows[:, place] for rows in groups.values()]
        if all(sample.std() == 0 for sample in samples):
            continue
        p = float(f_oneway(*samples).pvalue)
        if p < ALARM:
            yield Check(
                check="covariate_differs",
                level="refusal",
                rows=sum(map(len, samples)),
                message=f"The covariate {column} differs between the arms (p = "
                f"{p:.1g}): either it was counted after the start or the groups were "
                "not drawn by chance.",
                next_step="Use only what was known before the start.",
                metric=metric.name,
            )
