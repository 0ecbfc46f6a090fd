"""What page fixes brought: products with a fix against products held out from one.

The scorecard is fixed here, before any test begins: returns, conversion, contacts and
revenue. Compared are all products for which a fix passed the gate, by where the hash
put them, whatever the owner then said: who was asked for is random, who agreed is not.
Each metric is a ratio of sums over products. With many products its variance is the
delta method's, less what the time before foretells (CUPED); with few it is the
jackknife's. p values are corrected for being four (Holm).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from cartwheel.lake.tables import CONTACT
from cartwheel.measure.experiment.comparison import LEVEL, Comparison
from cartwheel.measure.experiment.correct import holm
from cartwheel.measure.experiment.effect import compare
from cartwheel.measure.experiment.metric import Metric
from cartwheel.measure.experiment.moments import Moments
from cartwheel.measure.sales import newest, sales_by
from cartwheel.measure.standing import standing
from cartwheel.signals.sent_messages import sent_messages_sql

if TYPE_CHECKING:
    import duckdb

Array = np.ndarray[Any, Any]

LEAST_PRODUCTS = 5
"""Products in each group from which an interval is told."""

ENOUGH_FOR_BEFORE = 40
"""Products from which the time before is used; with fewer it adds noise."""

NAMES = ("held out", "fixed")

SUMS = ("returned", "units", "orders", "views", "revenue", "contacts")
METRICS: tuple[Metric, ...] = (
    Metric(name="return rate", value="returned", per="units"),
    Metric(name="conversion", value="orders", per="views"),
    Metric(name="contacts per order", value="contacts", per="orders"),
    Metric(name="revenue per view", value="revenue", per="views"),
)
"""The scorecard; the first decides."""

SHARES = METRICS[:2]
"""Metrics that are shares of what is counted, whose chance is binomial at least."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """One line of the scorecard.

    Attributes:
        metric: Name of the metric.
        found: Fixed less held out, with its interval; None where it cannot be told.
        p_value: Corrected for the metrics told, None without one.
        lacks: Why it cannot be told, "" where it is.
    """

    metric: str
    found: Comparison | None
    p_value: float | None
    lacks: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Scorecard:
    """What fixes brought.

    Attributes:
        fixed: Products whose page was to be mended.
        held_out: Products left alone.
        scores: Lines in the order of `METRICS`.
    """

    fixed: int
    held_out: int
    scores: tuple[Score, ...]

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "fixed": self.fixed,
            "held_out": self.held_out,
            "scores": [
                {
                    "metric": one.metric,
                    "p_value": one.p_value,
                    "lacks": one.lacks,
                    "found": None if one.found is None else one.found.to_json(),
                }
                for one in self.scores
            ],
        }


def score_fixes(
    con: duckdb.DuckDBPyConnection,
    assigned: Mapping[str, bool],
    *,
    schema: str,
    before: datetime,
    start: datetime,
    until: datetime,
    known: datetime,
) -> Scorecard:
    """Compare products with a fix with those held out.

    Args:
        con: A DuckDB connection to the fact tables, bookkeeping columns included.
        assigned: Whether each product's page was to be mended.
        schema: Where the tables are.
        before: First instant looked at before the start.
        start: First instant that counts.
        until: First instant that counts no more: sales, views and messages before it.
        known: First instant of what is not known yet; returns of those sales come in
            until then.
    """
    names = sorted(assigned)
    treated = np.array([assigned[name] for name in names], bool)
    after = _sums(con, names, schema, start, until, known)
    earlier = _sums(con, names, schema, before, start, start)
    values = np.column_stack([after, earlier])
    columns = (*SUMS, *(f"{name} before" for name in SUMS))
    found = [_compared(metric, columns, values, treated) for metric in METRICS]
    return scorecard_of(METRICS, found, treated)


def scorecard_of(
    metrics: Sequence[Metric],
    found: Sequence[tuple[Comparison | None, str]],
    treated: Array,
) -> Scorecard:
    """Return comparisons as a scorecard, corrected for being several (Holm).

    Args:
        metrics: The metrics, the one that decides first.
        found: Of each its comparison, or None and why it cannot be told.
        treated: Whether each unit had a fix, bool.
    """
    told = [one for one, _ in found if one is not None]
    corrected = iter(holm([one.p_value for one in told]).tolist() if told else [])
    return Scorecard(
        fixed=int(treated.sum()),
        held_out=int((~treated).sum()),
        scores=tuple(
            Score(
                metric=metric.name,
                found=one,
                p_value=None if one is None else float(next(corrected)),
                lacks=lacks,
            )
            for metric, (one, lacks) in zip(metrics, found, strict=True)
        ),
    )


def _compared(
    metric: Metric, columns: tuple[str, ...], values: Array, treated: Array
) -> tuple[Comparison | None, str]:
    few = min(int(treated.sum()), int((~treated).sum()))
    if few < LEAST_PRODUCTS:
        return None, (
            f"{few} products in the smaller group; {LEAST_PRODUCTS} are needed"
        )
    if len(values) < ENOUGH_FOR_BEFORE:
        return _few(metric, columns, values, treated)
    told = Metric(
        name=metric.name,
        value=metric.value,
        per=metric.per,
        covariates=tuple(f"{name} before" for name in metric.outcomes),
    )
    control = Moments.of(columns, values[~treated])
    arm = Moments.of(columns, values[treated])
    try:
        return compare(told, control, arm, names=NAMES), ""
    except ValueError as error:
        return None, str(error)


def _few(
    metric: Metric, columns: tuple[str, ...], values: Array, treated: Array
) -> tuple[Comparison | None, str]:
    """Compare two ratios over few products, their variance by leaving out one each.

    The delta method is too sure of itself there.

    References:
        Efron and Stein (1981), on the jackknife; Welch (1947), on the degrees of
        freedom.
    """
    from scipy.stats import t

    assert metric.per is not None
    value, per = columns.index(metric.value), columns.index(metric.per)
    ratios, variances, counts = [], [], []
    for group in (values[~treated], values[treated]):
        top, under = group[:, value], group[:, per]
        without = under.sum() - under
        if under.sum() <= 0 or without.min() <= 0:
            return None, f"{metric.per} are of one product alone, or of none"
        each = (top.sum() - top) / without
        count, ratio = len(group), float(top.sum() / under.sum())
        spread = (count - 1) / count * float(((each - each.mean()) ** 2).sum())
        # Products that are alike by chance are no surer than their counts are.
        least = ratio * (1 - ratio) / float(under.sum()) if metric in SHARES else 0.0
        ratios.append(ratio)
        variances.append(max(spread, least))
        counts.append(count)
    error = float(np.sqrt(sum(variances)))
    if error <= 0:
        return None, f"{metric.name} is the same for every product of each group"
    freedom = sum(variances) ** 2 / sum(
        v**2 / (n - 1) for v, n in zip(variances, counts, strict=True)
    )
    effect = ratios[1] - ratios[0]
    half = float(t.ppf(0.5 + LEVEL / 2, freedom)) * error
    return (
        Comparison(
            metric=metric.name,
            control=NAMES[0],
            arm=NAMES[1],
            control_value=ratios[0],
            arm_value=ratios[1],
            effect=effect,
            low=effect - half,
            high=effect + half,
            error=error,
            p_value=float(2 * t.sf(abs(effect) / error, freedom)),
            method="jackknife",
            n=sum(counts),
        ),
        "",
    )


def _sums(
    con: duckdb.DuckDBPyConnection,
    names: list[str],
    schema: str,
    start: datetime,
    until: datetime,
    known: datetime,
) -> Array:
    """Return the sums of a window by product, shape (n_products, n_sums)."""
    sales = sales_by(con, ("product",), schema=schema, start=start, end=until).by
    back = _pairs(
        con,
        f"SELECT line.product_id, sum(r.quantity_units) FROM "
        f"{newest(f'{schema}.returns', 'return_id, line_id')} r JOIN "
        f"{newest(f'{schema}.order_lines', 'order_id, line_id')} line "
        "USING (order_id, line_id) WHERE line.placed_at >= ? AND line.placed_at < ? "
        "GROUP BY 1",
        [known, known, start, until],
    )
    views = _pairs(
        con,
        f"SELECT product_id, count(*) FROM {schema}.events WHERE kind = 'view' AND "
        "occurred_at >= ? AND occurred_at < ? AND known_at < ? GROUP BY 1",
        [start, until, known],
    )
    contacts = _pairs(
        con,
        f"{standing(schema)} SELECT line.product_id, count(DISTINCT m.message_id) "
        f"FROM ({sent_messages_sql(schema, known)}) m JOIN standing USING (order_id) "
        "JOIN "
        f"{newest(f'{schema}.order_lines', 'order_id, line_id')} line "
        f"USING (order_id) WHERE m.direction = 'in' AND {CONTACT} AND "
        "standing.placed_at >= ? AND standing.placed_at < ? AND line.kind = 'product' "
        "GROUP BY 1",
        [known, known, start, until],
    )
    rows = []
    for name in names:
        sold = sales.get((name,))
        rows.append(
            [
                back.get(name, 0.0),
                sold.units if sold else 0.0,
                float(sold.orders) if sold else 0.0,
                views.get(name, 0.0),
                sold.revenue if sold else 0.0,
                contacts.get(name, 0.0),
            ]
        )
    return np.array(rows, float).reshape(-1, len(SUMS))


def _pairs(
    con: duckdb.DuckDBPyConnection, query: str, values: list[datetime]
) -> dict[str, float]:
    rows = con.execute(query, values).fetchall()
    return {str(name): float(count) for name, count in rows if name is not None}
