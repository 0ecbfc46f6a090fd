"""From a file to a verdict: every check first, then effects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from cartwheel.measure.experiment.checks import Check
from cartwheel.measure.experiment.comparison import Comparison
from cartwheel.measure.experiment.correct import holm
from cartwheel.measure.experiment.effect import compare
from cartwheel.measure.experiment.metric import Metric
from cartwheel.measure.experiment.moments import Moments
from cartwheel.measure.experiment.sequential import FEWEST, always_valid
from cartwheel.measure.files.exposure_checks import exposure_checks
from cartwheel.measure.files.metric_checks import (
    cell_checks,
    count_cells,
    value_checks,
)
from cartwheel.measure.files.question import Question
from cartwheel.measure.files.reading import (
    check_columns,
    connect,
    load,
    open_file,
    value_of,
)
from cartwheel.measure.files.unit_checks import arm_counts, unit_checks

if TYPE_CHECKING:
    import duckdb

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysis:
    """What a file tells.

    Attributes:
        units: Units by arm, largest first.
        control: The control arm.
        comparisons: Each arm on each metric that may be judged.
        adjusted: p values for the number of comparisons, in the same order (Holm).
        checks: Refusals and warnings, in the order they were found.
    """

    units: Mapping[str, int]
    control: str
    comparisons: tuple[Comparison, ...]
    adjusted: tuple[float, ...]
    checks: tuple[Check, ...]

    @property
    def refused(self) -> bool:
        """A verdict that was asked for is withheld."""
        return any(check.refuses for check in self.checks)

    def rough(self, metric: str) -> bool:
        """Too few units of a metric are there to name a winner."""
        return any(c.check == "few_units" and c.metric == metric for c in self.checks)


def analyse(asked: Question) -> Analysis:
    """Answer a question about a file.

    Raises:
        Misuse: If the file cannot be read or a column or the control is not in it.
    """
    con = connect()
    try:
        columns = open_file(con, asked.path)
        check_columns(columns, asked.columns)
        load(con, asked, columns)
        return _analyse(con, asked)
    finally:
        con.close()


def _analyse(con: duckdb.DuckDBPyConnection, asked: Question) -> Analysis:
    counts = arm_counts(con, asked)
    checks = unit_checks(con, asked, counts)
    checks += exposure_checks(con, asked, list(counts))
    whole = any(check.refuses for check in checks)
    found: list[Comparison] = []
    place = " ".join(f"WHEN ? THEN {i}" for i in range(len(counts)))
    read = con.execute(
        f"SELECT CASE arm {place or 'WHEN NULL THEN 0'} ELSE -1 END AS arm FROM units",
        list(counts),
    ).fetchnumpy()
    arms = np.asarray(read["arm"])
    cells = count_cells(
        con, list(dict.fromkeys(c for m in asked.metrics for c in m.columns))
    )
    timed = asked.time is not None and not whole
    for metric in asked.metrics:
        own = list(cell_checks(con, metric, cells, timed=timed))
        if not whole and not any(check.refuses for check in own):
            groups = _groups(con, metric, arms, list(counts))
            own += value_checks(metric, groups)
            if not any(check.refuses for check in own):
                found += _effects(asked, metric, groups)
        checks += own
    adjusted = holm([one.p_value for one in found])
    return Analysis(
        units=counts,
        control=asked.control,
        comparisons=tuple(found),
        adjusted=tuple(float(p) for p in adjusted),
        checks=tuple(checks),
    )


def _groups(
    con: duckdb.DuckDBPyConnection, metric: Metric, arms: Array, names: list[str]
) -> dict[str, Array]:
    """Return units' values by arm; a missing covariate is its mean, so tells nothing.

    Units without an outcome are left out here; `cell_checks` has said how many.
    """
    wanted = ", ".join(f"{value_of(c)} AS c{i}" for i, c in enumerate(metric.columns))
    read = con.execute(f"SELECT {wanted} FROM units").fetchnumpy()
    values: Array = np.column_stack(
        [
            np.ma.filled(np.ma.asarray(read[f"c{i}"], float), np.nan)
            for i in range(len(metric.columns))
        ]
    )
    outcomes = len(metric.outcomes)
    kept = np.isfinite(values[:, :outcomes]).all(axis=1)
    values, arms = values[kept], arms[kept]
    for place in range(outcomes, values.shape[1]):
        own = values[:, place]
        known = np.isfinite(own)
        own[~known] = own[known].mean() if known.any() else 0.0
    return {name: values[arms == place] for place, name in enumerate(names)}


def _effects(
    asked: Question, metric: Metric, groups: dict[str, Array]
) -> list[Comparison]:
    made = {name: Moments.of(metric.columns, rows) for name, rows in groups.items()}
    found = []
    for name in groups:
        if name == asked.control:
            continue
        one = compare(
            metric,
            made[asked.control],
            made[name],
            names=(asked.control, name),
            level=asked.level,
        )
        if asked.planned is not None:
            one = always_valid(one, planned=asked.planned)
            fewest = min(made[asked.control].count, made[name].count)
            if fewest < FEWEST:
                one = replace(one, low=-np.inf, high=np.inf, p_value=1.0)
        found.append(one)
    return found
