"""Outcomes of an experiment's units, read from the lake as known on a day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from cartwheel.errors import Misuse
from cartwheel.measure.assign import held_out_of
from cartwheel.measure.experiment.places import Places, places_of
from cartwheel.measure.experiment.terms import MetricName, Terms
from cartwheel.measure.experiment.trial import CONTROL, TREATED
from cartwheel.measure.holdout_lift import instants, known_customers
from cartwheel.measure.sales import Key, Sales, Sold, sales_by

if TYPE_CHECKING:
    import duckdb

    from cartwheel.settings import Settings

Array = np.ndarray[Any, Any]

LONGEST_BEFORE = 365
"""Days looked back for what units did before; more tells little of the present."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Customers or products of an experiment, with what they brought.

    Attributes:
        names: Their ids, shape (n,).
        treated: Whether the lever acts on each, bool, shape (n,).
        during: Figures since the start by metric, shape (n,) each.
        before: The same over an equally long time before it.
        costed: Enough unit costs are known to tell margins.
    """

    names: tuple[str, ...]
    treated: Array
    during: dict[MetricName, Array]
    before: dict[MetricName, Array]
    costed: bool


def value_of(sold: Sold | None, metric: MetricName) -> float:
    """Return a metric of what was sold, 0 for no sale."""
    if sold is None:
        return 0.0
    return {
        "margin": sold.earned,
        "revenue": sold.revenue,
        "orders": float(sold.orders),
        "units": sold.units,
    }[metric]


def before_of(terms: Terms, until: date, timezone: str) -> datetime:
    """Return from when on units are looked at before the start: as long as since.

    Args:
        terms: The experiment's terms.
        until: Last day that counts.
        timezone: The shop's zone.
    """
    days = min((until - terms.starts_on).days + 1, LONGEST_BEFORE)
    return instants(terms.starts_on - timedelta(days=days), until, timezone)[0]


def read_group(
    con: duckdb.DuckDBPyConnection,
    terms: Terms,
    settings: Settings,
    *,
    until: date,
    metrics: Sequence[MetricName],
    schema: str = "lake",
) -> Group:
    """Return the customers or products of an experiment.

    Taking part are those known before the start; of customers, only those whom no
    holdout leaves alone anyway.

    Args:
        con: A connection to the fact tables.
        terms: The experiment's terms; its unit is "customer" or "product".
        settings: The shop's settings.
        until: Last day that counts.
        metrics: Metrics wanted.
        schema: Where the tables are.
    """
    start, end = instants(terms.starts_on, until, settings.timezone)
    key: Key = "customer" if terms.unit == "customer" else "product"
    if key == "customer":
        names = tuple(
            name
            for name in known_customers(con, schema, start)
            if held_out_of(name, terms.lever, settings.holdout) is None
        )
    else:
        names = known_products(con, schema, start)
    trial = terms.trial()
    arms = [trial.arm_of(terms.starts_on, **{key: name}) for name in names]
    earlier = before_of(terms, until, settings.timezone)
    during = sales_by(con, (key,), schema=schema, start=start, end=end)
    before = sales_by(con, (key,), schema=schema, start=earlier, end=start)
    return Group(
        names=names,
        treated=np.array([arm != CONTROL for arm in arms], dtype=bool),
        during=_columns(during, names, metrics),
        before=_columns(before, names, metrics),
        costed=during.costed,
    )


def read_places(
    con: duckdb.DuckDBPyConnection,
    terms: Terms,
    settings: Settings,
    *,
    until: date,
    metrics: Sequence[MetricName],
    schema: str = "lake",
) -> dict[MetricName, Places]:
    """Return what customers known before the start brought, by place enrolled.

    Of customers only those whom no holdout leaves alone anyway; where they lived when
    the test began counts, wherever they moved.

    Args:
        con: A connection to the fact tables.
        terms: The experiment's terms; its unit is "geography".
        settings: The shop's settings.
        until: Last day that counts.
        metrics: Metrics wanted.
        schema: Where the tables are.

    Raises:
        Misuse: If customers of a place are no longer known.
    """
    start, end = instants(terms.starts_on, until, settings.timezone)
    lives = places_of(con, schema, start)
    row_of = {place: row for row, place in enumerate(terms.places)}
    people = {
        name: row_of[lives[name]]
        for name in known_customers(con, schema, start)
        if lives.get(name) in row_of
        and held_out_of(name, terms.lever, settings.holdout) is None
    }
    rows = np.array(list(people.values()), np.int64)
    count = np.bincount(rows, minlength=len(row_of))
    if not len(count) or count.min() == 0:
        empty = int((count == 0).sum())
        raise Misuse(
            f"{empty} of {len(row_of)} places have no customer known before the start.",
            "Stop it, and start again with places that have customers.",
        )
    sales = sales_by(con, ("customer",), schema=schema, start=start, end=end)
    trial = terms.trial()
    treated = np.array([trial.treated_places[name] for name in terms.places], bool)
    found: dict[MetricName, Places] = {}
    for metric in metrics:
        each = [value_of(sales.by.get((name,)), metric) for name in people]
        total = np.bincount(rows, weights=np.array(each), minlength=len(row_of))
        found[metric] = Places(
            names=terms.places, treated=treated, customers=count, total=total
        )
    return found


def place_sizes(found: Places) -> dict[str, int]:
    """Return places and customers by arm."""
    customers = found.customers
    return {
        "places": len(found.names),
        CONTROL: int(customers[~found.treated].sum()),
        TREATED: int(customers[found.treated].sum()),
    }


def read_product_weeks(
    con: duckdb.DuckDBPyConnection,
    terms: Terms,
    settings: Settings,
    *,
    until: date,
    metric: MetricName,
    schema: str = "lake",
) -> Array:
    """Return a metric by enrolled product and week, shape (n_products, n_weeks over).

    Args:
        con: A connection to the fact tables.
        terms: The experiment's terms; its unit is "product-week".
        settings: The shop's settings.
        until: Last day that counts.
        metric: The metric.
        schema: Where the tables are.
    """
    weeks = ((until - terms.starts_on).days + 1) // 7
    start, end = instants(terms.starts_on, until, settings.timezone)
    sold = sales_by(
        con,
        ("product", "day"),
        schema=schema,
        start=start,
        end=end,
        timezone=settings.timezone,
    )
    place = {name: row for row, name in enumerate(terms.products)}
    found = np.zeros((len(terms.products), weeks))
    for (product, day), one in sold.by.items():
        week = (date.fromisoformat(day) - terms.starts_on).days // 7
        if product in place and 0 <= week < weeks:
            found[place[product], week] += value_of(one, metric)
    return found


def read_days(
    con: duckdb.DuckDBPyConnection,
    terms: Terms,
    settings: Settings,
    *,
    until: date,
    metric: MetricName,
    schema: str = "lake",
) -> tuple[list[date], Array]:
    """Return the days of a switchback and a metric of each, shape (n_days,).

    Args:
        con: A connection to the fact tables.
        terms: The experiment's terms; its unit is "period".
        settings: The shop's settings.
        until: Last day that counts.
        metric: The metric.
        schema: Where the tables are.
    """
    start, end = instants(terms.starts_on, until, settings.timezone)
    sold = sales_by(
        con,
        ("day",),
        schema=schema,
        start=start,
        end=end,
        timezone=settings.timezone,
    )
    count = (until - terms.starts_on).days + 1
    days = [terms.starts_on + timedelta(days=i) for i in range(count)]
    values = [value_of(sold.by.get((day.isoformat(),)), metric) for day in days]
    return days, np.array(values)


def known_products(
    con: duckdb.DuckDBPyConnection, schema: str, start: Any
) -> tuple[str, ...]:
    """Return the products of the catalogue before an instant, sorted."""
    rows = con.execute(
        f"SELECT DISTINCT product_id FROM {schema}.variants WHERE known_at < $start "
        "AND product_id IS NOT NULL ORDER BY 1",
        {"start": start},
    ).fetchall()
    return tuple(str(row[0]) for row in rows)


def shared_devices(
    con: duckdb.DuckDBPyConnection,
    group: Group,
    *,
    start: Any,
    end: Any,
    schema: str = "lake",
) -> int:
    """Return how many customers used a device that the other arm used too.

    Args:
        con: A connection to the fact tables.
        group: The customers.
        start: First instant of the window.
        end: First instant after it.
        schema: Where the tables are.
    """
    arm = dict(zip(group.names, group.treated.tolist(), strict=True))
    rows = con.execute(
        f"SELECT visitor_id, list(DISTINCT customer_id) FROM {schema}.events "
        "WHERE visitor_id IS NOT NULL AND customer_id IS NOT NULL "
        "AND occurred_at >= ? AND occurred_at < ? AND known_at < ? "
        "GROUP BY visitor_id HAVING count(DISTINCT customer_id) > 1",
        [start, end, end],
    ).fetchall()
    mixed: set[str] = set()
    for _, customers in rows:
        known = [name for name in customers if name in arm]
        if len({arm[name] for name in known}) > 1:
            mixed.update(known)
    return len(mixed)


def _columns(
    sales: Sales, names: Sequence[str], metrics: Sequence[MetricName]
) -> dict[MetricName, Array]:
    return {
        metric: np.array([value_of(sales.by.get((name,)), metric) for name in names])
        for metric in metrics
    }
