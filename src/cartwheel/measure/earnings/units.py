"""Who or what is compared, from when on, and what each brought.

A unit counts from the day after the shop knew it: a customer from the account or first
order, a product from its listing or first sale. Until then it was treated like any
other, so nobody can be counted because of what a lever did. What it brought on its
first day counts only before the window, for both groups alike.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from cartwheel.measure.earnings.figures import Basis, Unit
from cartwheel.measure.holdout_lift import instants
from cartwheel.measure.sales import Key, Sales, sales_by

if TYPE_CHECKING:
    import duckdb

    from cartwheel.shop import Shop

Array = np.ndarray[Any, Any]


COPIED = (
    *("customers", "products", "orders", "order_lines"),
    *("costs", "refunds", "returns", "answers"),
)
"""Fact tables the ledger reads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """The fact tables of a shop.

    Attributes:
        con: A DuckDB connection to them, bookkeeping columns included.
        schema: Where they are.
        timezone: Time zone in which days are counted.
        kept: Sales read before, since most entries share their days.
    """

    con: duckdb.DuckDBPyConnection
    schema: str
    timezone: str
    kept: dict[tuple[object, ...], Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Brought:
    """What units brought, n rows.

    Attributes:
        value: Earned in the days counted, minor units, shape (n,).
        before: Earned in the stretch before, minor units, shape (n,).
        days: Days counted of the unit, shape (n,).
        basis: What is counted.
    """

    value: Array
    before: Array
    days: Array
    basis: Basis


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A unit with the days counted of it, `after` left out, `until` included."""

    unit: str
    after: date
    until: date


@contextmanager
def facts_of(shop: Shop, on: date) -> Iterator[Facts]:
    """Yield what a shop knew at the end of a day, copied once.

    A dozen queries follow; on the lake itself each would plan over its files anew.

    Args:
        shop: The shop.
        on: Last day; nothing known later is there.
    """
    timezone = shop.settings.timezone
    _, end = instants(on, on, timezone)
    with shop.lake.attached(read_only=True) as con:
        for table in COPIED:
            con.execute(
                f"CREATE TEMP TABLE {table} AS SELECT * FROM lake.{table} "
                "WHERE known_at < ?",
                [end],
            )
        yield Facts(con=con, schema="temp", timezone=timezone)


def known_since(facts: Facts, unit: Unit, on: date) -> dict[str, date]:
    """Return the day on which the shop first knew each unit, as known by a day.

    Args:
        facts: The fact tables.
        unit: Customers or products.
        on: Last day; units that came later are not there.
    """
    table, key = f"{unit}s", f"{unit}_id"
    sold = "orders" if unit == "customer" else "order_lines"
    place = facts.schema
    _, end = instants(on, on, facts.timezone)
    rows = facts.con.execute(
        "SELECT unit, CAST(timezone($zone, timezone('UTC', min(seen_at))) AS DATE) "
        f"FROM (SELECT {key} AS unit, created_at AS seen_at FROM {place}.{table} "
        "WHERE created_at < $end AND known_at < $end UNION ALL "
        f"SELECT {key}, placed_at FROM {place}.{sold} "
        f"WHERE placed_at < $end AND known_at < $end AND {key} IS NOT NULL) "
        "GROUP BY unit ORDER BY unit",
        {"zone": facts.timezone, "end": end},
    ).fetchall()
    return {str(name): day for name, day in rows}


def brought(
    facts: Facts, unit: Unit, spans: list[Span], before: tuple[date, date]
) -> Brought:
    """Return what units brought in their days, and in a stretch before.

    Args:
        facts: The fact tables.
        unit: Customers or products.
        spans: Units with their days, 1 or more.
        before: First and last day of the stretch before.
    """
    last = max(span.until for span in spans)
    first = min(span.after for span in spans) + timedelta(days=1)
    sold = _by_day(facts, unit, first, last)
    value = np.zeros(len(spans))
    for row, span in enumerate(spans):
        value[row] = sum(
            earned
            for day, earned in sold.days.get(span.unit, ())
            if span.after < day <= span.until
        )
    earlier = _sums(facts, unit, *before)
    return Brought(
        value=value,
        before=np.array([earlier.get(span.unit, 0.0) for span in spans]),
        days=np.array([(span.until - span.after).days for span in spans], float),
        basis=sold.basis,
    )


@dataclass(frozen=True, slots=True)
class _Sold:
    days: Mapping[str, list[tuple[date, float]]]
    basis: Basis


def _by_day(facts: Facts, unit: Unit, first: date, last: date) -> _Sold:
    asked = (unit, "day", first, last)
    if asked not in facts.kept:
        sales = _sales(facts, (unit, "day"), first, last)
        found: dict[str, list[tuple[date, float]]] = defaultdict(list)
        for (name, day), sold in sales.by.items():
            found[name].append((date.fromisoformat(day), sold.earned))
        basis: Basis = "margin" if sales.costed else "revenue"
        facts.kept[asked] = _Sold(found, basis)
    kept: _Sold = facts.kept[asked]
    return kept


def _sums(facts: Facts, unit: Unit, first: date, last: date) -> dict[str, float]:
    asked = (unit, first, last)
    if asked not in facts.kept:
        sales = _sales(facts, (unit,), first, last)
        facts.kept[asked] = {name: sold.earned for (name,), sold in sales.by.items()}
    kept: dict[str, float] = facts.kept[asked]
    return kept


def _sales(facts: Facts, keys: tuple[Key, ...], first: date, last: date) -> Sales:
    start, end = instants(first, last, facts.timezone)
    return sales_by(
        facts.con,
        keys,
        schema=facts.schema,
        start=start,
        end=end,
        timezone=facts.timezone,
    )


def first_answers(facts: Facts, on: date) -> list[tuple[str, int, date]]:
    """Return lever, turn and day of the first answers given online by a day.

    Args:
        facts: The fact tables.
        on: Last day.
    """
    end: datetime = instants(on, on, facts.timezone)[1]
    rows = facts.con.execute(
        "SELECT lever, turn, CAST(timezone($zone, timezone('UTC', min(answered_at))) "
        f"AS DATE) FROM {facts.schema}.answers WHERE arm = 'treated' AND turn IS NOT "
        "NULL AND known_at < $end AND answered_at < $end GROUP BY lever, turn "
        "ORDER BY lever, turn",
        {"zone": facts.timezone, "end": end},
    ).fetchall()
    return [(str(lever), int(turn), day) for lever, turn, day in rows]
