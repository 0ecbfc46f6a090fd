"""What reaching people earned, against the customers who are left alone.

Customers are drawn to the holdout by a stable hash, so the two groups differ by nothing
but what the wheel did to one of them. Only what is done to a person can be seen so:
prices and stock reach both groups alike. A held-out customer who is neither signed in
nor on a device known to be theirs is answered like everybody, which pulls the
difference towards zero; `measure/assign.py` says which devices are known.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from cartwheel.measure.assign import holdout_mask
from cartwheel.measure.experiment.lift import compare_groups
from cartwheel.measure.sales import sales_by
from cartwheel.signals.days import midnight_after

if TYPE_CHECKING:
    import duckdb

    from cartwheel.shop import Shop

Array = np.ndarray[Any, Any]

LEAST = 2
"""Customers a group needs for a spread."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lift:
    """Reached less held out, per customer.

    Attributes:
        basis: "margin", or "revenue" where too few costs are known.
        reached: Customers the wheel may reach.
        held_out: Customers left alone.
        value: Difference of means in minor units, or None when it cannot be said.
        low: Lower end of the 95 % interval.
        high: Upper end of the 95 % interval.
        not_yet: Why there is no value, "" when there is one.
    """

    basis: Literal["margin", "revenue"]
    reached: int
    held_out: int
    value: float | None = None
    low: float | None = None
    high: float | None = None
    not_yet: str = ""

    @property
    def holds_zero(self) -> bool:
        """The interval holds zero, or there is none: nothing can be claimed yet."""
        if self.low is None or self.high is None:
            return True
        return self.low <= 0 <= self.high


def holdout_lift(shop: Shop, *, since: date, until: date) -> Lift:
    """Return what customers a shop knew before a day earned it, reached or held out.

    Args:
        shop: The shop.
        since: First day; customers known before it are compared.
        until: Last day.
    """
    settings = shop.settings
    with shop.lake.attached(read_only=True) as con:
        return lift_of(
            con,
            schema="lake",
            share=settings.holdout.share_bps / 10_000,
            salt=settings.holdout.salt,
            timezone=settings.timezone,
            since=since,
            until=until,
        )


def lift_of(
    con: duckdb.DuckDBPyConnection,
    *,
    schema: str,
    share: float,
    salt: str,
    timezone: str,
    since: date,
    until: date,
) -> Lift:
    """Return what customers known before a day earned, reached or held out.

    Counted is what they ordered from `since` to `until`: paid less goods, refunds and
    the cost of returns, as known at the end. A line without a unit cost is taken to
    cost the share of its price that the others cost. Discounts over a whole order, and
    refunds that name no line, are left out of both groups. What a customer earned over
    an equally long time before is taken off as far as it foretells.

    Args:
        con: A DuckDB connection to the fact tables, bookkeeping columns included.
        schema: Where they are.
        share: Share of customers who are held out, 0 to 1.
        salt: Salt of the hash by which they are.
        timezone: Time zone in which days are counted.
        since: First day; customers known before it are compared.
        until: Last day.
    """
    start, end = instants(since, until, timezone)
    names = known_customers(con, schema, start)
    sales = sales_by(con, ("customer",), schema=schema, start=start, end=end)
    earned = {key[0]: one.earned for key, one in sales.by.items()}
    held = holdout_mask(names, share, salt)
    values = np.array([earned.get(name, 0.0) for name in names])
    basis: Literal["margin", "revenue"] = "margin" if sales.costed else "revenue"
    earlier, _ = instants(since - (until - since) - timedelta(days=1), until, timezone)
    past = sales_by(con, ("customer",), schema=schema, start=earlier, end=start)
    was = {key[0]: one.earned for key, one in past.by.items()}
    before = np.array([was.get(name, 0.0) for name in names])
    return compare(
        values[~held], values[held], basis=basis, before=(before[~held], before[held])
    )


def instants(since: date, until: date, timezone: str) -> tuple[datetime, datetime]:
    """Return the first instant of a day and the first after another, naive UTC."""
    start = midnight_after(since - timedelta(days=1), timezone)
    return start, midnight_after(until, timezone)


def compare(
    reached: Array,
    held_out: Array,
    *,
    basis: Literal["margin", "revenue"],
    before: tuple[Array, Array] | None = None,
) -> Lift:
    """Return the difference of two groups' means with its 95 % interval.

    The interval is one that holds with a small holdout and skewed spend, which Welch's
    does not; see `measure/experiment/skewed.py`.

    Args:
        reached: Minor units by customer, shape (n,).
        held_out: Minor units by customer, shape (m,).
        basis: What was counted.
        before: The same of both groups before the window, which is taken off.
    """
    n, m = len(reached), len(held_out)
    if min(n, m) < LEAST:
        why = f"Not yet: each group needs {LEAST} customers or more."
        return Lift(basis=basis, reached=n, held_out=m, not_yet=why)
    if reached.std() == 0.0 and held_out.std() == 0.0:
        why = "Not yet: within each group everybody earned the same."
        return Lift(basis=basis, reached=n, held_out=m, not_yet=why)
    found = compare_groups(
        np.concatenate([reached, held_out]),
        np.arange(n + m) < n,
        None if before is None else np.concatenate(before),
        metric=basis,
    )
    return Lift(
        basis=basis,
        reached=n,
        held_out=m,
        value=found.effect,
        low=found.low,
        high=found.high,
    )


def known_customers(
    con: duckdb.DuckDBPyConnection, schema: str, start: datetime
) -> list[str]:
    """Return who had an account or an order before an instant, sorted."""
    rows = con.execute(
        f"SELECT customer_id FROM {schema}.customers "
        "WHERE created_at < $start AND known_at < $start UNION "
        f"SELECT customer_id FROM {schema}.orders "
        "WHERE placed_at < $start AND known_at < $start AND customer_id IS NOT NULL "
        "ORDER BY 1",
        {"start": start},
    ).fetchall()
    return [str(row[0]) for row in rows]
