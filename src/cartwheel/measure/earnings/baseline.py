"""The shop before a lever first decided: frozen once, compared only beside a holdout.

Before and after differ by everything that changed: season, range, prices, other levers.
So the difference says nothing about a lever; it is kept because people ask for it, and
shown only where what the holdout says stands beside it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy import Connection, Engine, select

from cartwheel.measure.earnings.figures import BeforeAfter, Range
from cartwheel.measure.earnings.units import Facts
from cartwheel.measure.holdout_lift import instants
from cartwheel.measure.sales import Sold, sales_by
from cartwheel.operations import baselines, now_text, reading

if TYPE_CHECKING:
    from cartwheel.shop import Shop

WINDOW_DAYS = 56
"""Eight weeks: every weekday counts alike."""
FEWEST_DAYS = 14
LEVEL = 0.95


def daily_figures(facts: Facts, last: date, days: int) -> dict[str, Range]:
    """Return revenue, margin, orders and units a day, with intervals over days.

    Args:
        facts: The fact tables.
        last: Last day.
        days: Days up to it, fewer when the shop's first order came later.

    Returns:
        Means of a day by name, none for a shop with less than `FEWEST_DAYS` days of
        trade; "margin_minor" only where costs are known.

    References:
        Student's interval of a mean. Days that follow one another are not independent,
        so it is too narrow where a campaign or a season spans many of them.
    """
    from scipy.stats import t

    start, end = instants(last - timedelta(days=days - 1), last, facts.timezone)
    sales = sales_by(
        facts.con,
        ("day",),
        schema=facts.schema,
        start=start,
        end=end,
        timezone=facts.timezone,
    )
    opened = _opened(facts, last)
    if opened is None:
        return {}
    count = min(days, (last - opened).days + 1)
    if count < FEWEST_DAYS:
        return {}
    each = [(last - timedelta(days=i)).isoformat() for i in range(count)]
    nothing = Sold(revenue=0.0, earned=0.0, units=0.0, orders=0)
    rows = [sales.by.get((one,), nothing) for one in each]
    columns = {
        "revenue_minor": [row.revenue for row in rows],
        "margin_minor": [row.earned for row in rows],
        "orders": [float(row.orders) for row in rows],
        "units": [row.units for row in rows],
    }
    if not sales.costed:
        del columns["margin_minor"]
    reach = float(t.ppf(0.5 + LEVEL / 2, count - 1))
    found = {}
    for name, values in columns.items():
        mean = float(np.mean(values))
        half = reach * float(np.std(values, ddof=1)) / count**0.5
        found[name] = Range(value=mean, low=mean - half, high=mean + half)
    return found


def _opened(facts: Facts, last: date) -> date | None:
    _, end = instants(last, last, facts.timezone)
    row = facts.con.execute(
        "SELECT CAST(timezone(?, timezone('UTC', min(placed_at))) AS DATE) "
        f"FROM {facts.schema}.orders WHERE placed_at < ? AND known_at < ?",
        [facts.timezone, end, end],
    ).fetchone()
    opened: date | None = None if row is None else row[0]
    return opened


def new_baselines(
    shop: Shop, turn: int, as_of: date, levers: Iterable[str]
) -> list[dict[str, Any]]:
    """Return rows for the levers that have no baseline yet, to be frozen.

    Args:
        shop: The shop.
        turn: Turn in which they decide.
        as_of: Day it looked from, the last day before they act.
        levers: Levers that decided something in it.
    """
    missing = sorted(set(levers) - set(read_baselines(shop.database)))
    if not missing:
        return []
    with shop.lake.attached(read_only=True) as con:
        facts = Facts(con=con, schema="lake", timezone=shop.settings.timezone)
        found = daily_figures(facts, as_of, WINDOW_DAYS)
    figures = {name: asdict(one) for name, one in found.items()}
    return [
        {
            "lever": lever,
            "turn": turn,
            "day": as_of.isoformat(),
            "window_days": WINDOW_DAYS,
            "figures": json.dumps(figures, sort_keys=True),
        }
        for lever in missing
    ]


def freeze(con: Connection, rows: Iterable[Mapping[str, Any]]) -> None:
    """Insert baselines inside the caller's transaction; a frozen one stays.

    Args:
        con: Connection in a transaction.
        rows: Rows of `new_baselines`.
    """
    frozen = {row.lever for row in con.execute(select(baselines.c.lever))}
    for row in rows:
        if row["lever"] not in frozen:
            con.execute(baselines.insert().values(**row, frozen_at=now_text()))


def read_baselines(
    engine: Engine, on: date | None = None
) -> dict[str, tuple[date, dict[str, Range]]]:
    """Return last day and figures of what is frozen, by lever.

    Args:
        engine: Operational database.
        on: Only those frozen on facts of this day or before; None for all.
    """
    with reading(engine) as con:
        rows = con.execute(select(baselines).order_by(baselines.c.lever)).all()
    return {
        row.lever: (
            date.fromisoformat(row.day),
            {name: Range(**one) for name, one in json.loads(row.figures).items()},
        )
        for row in rows
        if on is None or date.fromisoformat(row.day) <= on
    }


def beside(
    before: Mapping[str, Range], after: Mapping[str, Range]
) -> tuple[BeforeAfter, ...]:
    """Return the figures known before and after, in the order of before."""
    return tuple(
        BeforeAfter(name=name, before=before[name], after=after[name])
        for name in ("revenue_minor", "margin_minor", "orders", "units")
        if name in before and name in after
    )
