"""The scorecard of a test that shows page fixes to half of the visitors.

It is fixed here, before any test begins: returns, orders, contacts and revenue, all of
the products in test alone. Compared are devices that opened a page in test, by the arm
their id was drawn to. Means and ratios over devices have the delta method's variance; p
values are corrected for being four (Holm).
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np

from cartwheel.measure.experiment.effect import compare
from cartwheel.measure.experiment.metric import Metric
from cartwheel.measure.experiment.moments import Moments
from cartwheel.measure.experiment.terms import Terms
from cartwheel.measure.fix_visits import FixVisits, read_fix_visits
from cartwheel.measure.page_fixes import Scorecard, scorecard_of
from cartwheel.signals.days import midnight_after

if TYPE_CHECKING:
    import duckdb

    from cartwheel.measure.experiment.comparison import Comparison
    from cartwheel.settings import Settings

Array = np.ndarray[Any, Any]

NAMES = ("not shown", "shown")
LEAST_ORDERS = 30
"""Orders in each arm from which anything is told; the delta method needs many."""

SUMS = ("returned", "units", "orders", "revenue", "contacts")
METRICS: tuple[Metric, ...] = (
    Metric(name="return rate", value="returned", per="units"),
    Metric(name="orders per visitor", value="orders"),
    Metric(name="contacts per order", value="contacts", per="orders"),
    Metric(name="revenue per visitor", value="revenue"),
)
"""The scorecard; the first decides."""


def score_fix_visits(
    con: duckdb.DuckDBPyConnection,
    terms: Terms,
    settings: Settings,
    *,
    on: date,
    schema: str = "lake",
) -> Scorecard:
    """Compare devices that were shown fixes with those that were not.

    Args:
        con: A DuckDB connection to the fact tables, bookkeeping columns included.
        terms: The test's terms; its unit is "visitor".
        settings: The shop's settings.
        on: Day looked from; visits and orders count until the test's last day.
        schema: Where the tables are.
    """
    found = read_fix_visits(
        con,
        terms,
        settings,
        products=terms.products,
        until=min(on, terms.ends_on),
        known=midnight_after(on, settings.timezone),
        schema=schema,
    )
    values, treated = sums_of(found), found.devices.treated
    told = [_compared(metric, values, treated) for metric in METRICS]
    return scorecard_of(METRICS, told, treated)


def sums_of(found: FixVisits) -> Array:
    """Return what each device brought, shape (n_devices, n_sums), see `SUMS`."""
    sums = np.zeros((len(found.devices.names), len(SUMS)))
    for order, units, revenue in found.sold:
        sums[found.orders[order], [1, 3]] += units, revenue
    for row in found.orders.values():
        sums[row, 2] += 1
    for order, _, units in found.back:
        sums[found.orders[order], 0] += units
    for order, _ in found.asked:
        sums[found.orders[order], 4] += 1
    return sums


def _compared(
    metric: Metric, values: Array, treated: Array
) -> tuple[Comparison | None, str]:
    orders = values[:, SUMS.index("orders")]
    few = int(min(orders[treated].sum(), orders[~treated].sum()))
    if few < LEAST_ORDERS:
        return None, f"{few} orders in the smaller group; {LEAST_ORDERS} are needed"
    try:
        control = Moments.of(SUMS, values[~treated])
        arm = Moments.of(SUMS, values[treated])
        return compare(metric, control, arm, names=NAMES), ""
    except ValueError as error:
        return None, str(error)
