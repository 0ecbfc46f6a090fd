"""The demand panel: weekly units by variant, stock-outs filled in, ending on a day.

Weeks are counted backwards from the as-of day, so the newest week is always full and
the totals of 7, 14, 28 and 56 days are totals of 1, 2, 4 and 8 weeks. Every week
holds each weekday once, so a closed weekday does no harm.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from cartwheel.signals.base import Signals
from cartwheel.signals.catalogue import CATALOGUE
from cartwheel.signals.demand import DEMAND
from cartwheel.signals.intent import INTENT
from cartwheel.signals.price import PRICE_HISTORY

if TYPE_CHECKING:
    import pandas as pd

LONGEST_WEEKS = 130
LEVEL_DAYS = 56
BLOCK_ROWS = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """Weekly demand of every variant that ever sold in the window.

    Attributes:
        variants: Variant ids, sorted, shape (n,).
        units: Demand in units a week, censored days filled in, shape (n, weeks).
        sold: Units that were sold, shape (n, weeks).
        out_days: Days of the week that were stocked out, shape (n, weeks).
        start: First week each variant could sell, shape (n,).
        attempts: Cart attempts a week, failed ones included, shape (n, weeks).
        list_ratio: List price over its own median; 1 where unknown, (n, weeks).
        revenue: Paid in the last 84 days in minor units, shape (n,).
        active: Shown to shoppers, shape (n,).
        as_of: Last day.
        sold_days: Days on which the shop sold anything.
    """

    variants: np.ndarray
    units: np.ndarray
    sold: np.ndarray
    out_days: np.ndarray
    start: np.ndarray
    attempts: np.ndarray
    list_ratio: np.ndarray
    revenue: np.ndarray
    active: np.ndarray
    as_of: date
    sold_days: int

    @property
    def weeks(self) -> int:
        """Number of weeks."""
        return int(self.units.shape[1])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Days:
    """Daily grids behind the panel, shape (n, days) each."""

    units: np.ndarray
    orders: np.ndarray
    out: np.ndarray
    carts: np.ndarray
    failed: np.ndarray


def read_panel(data: Signals) -> Panel:
    """Make the panel from the demand, intent, catalogue and price signals.

    A stocked-out day shows less demand than there was. It counts as the larger of two
    estimates: the variant's own level over the in-stock days of the 56 days before,
    times the shop's weekday profile; and what was sold plus the failed carts that
    would have become sales at the shop's own rate. Without failed carts (none
    happened, or the link is cut) only the first remains.
    """
    import pandas as pd

    as_of = data.context.when.as_of
    demand = data.frame(DEMAND)
    demand = demand[demand["day"] <= pd.Timestamp(as_of)]
    ever = demand.groupby("variant_id", sort=True)["units"].sum()
    variants = np.asarray(ever.index[ever > 0], dtype=str)
    weeks = _week_count(demand, as_of)
    if not len(variants) or not weeks:
        return _empty(as_of)
    demand = demand[demand["variant_id"].isin(variants)]
    ago = (pd.Timestamp(as_of) - demand["day"]).dt.days.to_numpy()
    inside = ago < weeks * 7
    demand, ago = demand[inside], ago[inside]
    rows = np.searchsorted(variants, demand["variant_id"].to_numpy(dtype=str))
    columns = weeks * 7 - 1 - ago
    catalogue = data.align(CATALOGUE, variants.tolist())
    days = _daily(demand, rows, columns, len(variants), weeks * 7)
    days = _with_intent(days, data, catalogue["product_id"], as_of)
    weekday = (as_of.weekday() - np.arange(weeks * 7)[::-1]) % 7
    filled = fill_stockouts(days.units, days.out, weekday, days)
    recent = ago < 84
    revenue = np.bincount(
        rows[recent],
        weights=demand["revenue_minor"].to_numpy(dtype=float)[recent],
        minlength=len(variants),
    )
    return Panel(
        variants=variants,
        units=_by_week(filled),
        sold=_by_week(days.units),
        out_days=_by_week(days.out.astype(np.float32)),
        start=_starts(days, catalogue, weeks, as_of),
        attempts=_by_week(days.carts + days.failed),
        list_ratio=_list_ratio(data, variants, weeks, as_of),
        revenue=revenue,
        active=catalogue["active"].fillna(True).to_numpy(dtype=bool),
        as_of=as_of,
        sold_days=int((days.units.sum(axis=0) > 0).sum()),
    )


def _week_count(demand: pd.DataFrame, as_of: date) -> int:
    import pandas as pd

    if demand.empty:
        return 0
    span = (pd.Timestamp(as_of) - demand["day"].min()).days + 1
    # A part of a week at the beginning would look like a weak week, so it is left
    # out, unless there is nothing else.
    return int(min(max(span // 7, 1), LONGEST_WEEKS))


def _empty(as_of: date) -> Panel:
    none = np.zeros((0, 0))
    flat = np.zeros(0)
    return Panel(
        variants=np.zeros(0, dtype="U1"),
        units=none,
        sold=none,
        out_days=none,
        start=flat.astype(int),
        attempts=none,
        list_ratio=none,
        revenue=flat,
        active=flat.astype(bool),
        as_of=as_of,
        sold_days=0,
    )


def _daily(
    demand: pd.DataFrame, rows: np.ndarray, columns: np.ndarray, n: int, days: int
) -> _Days:
    grids = {}
    for name in ("units", "orders", "stocked_out"):
        grid = np.zeros((n, days), dtype=np.float32)
        grid[rows, columns] = demand[name].to_numpy(dtype=np.float32)
        grids[name] = grid
    none = np.zeros((n, days), dtype=np.float32)
    return _Days(
        units=np.maximum(grids["units"], 0),
        orders=grids["orders"],
        out=grids["stocked_out"] > 0,
        carts=none,
        failed=none,
    )


def _with_intent(days: _Days, data: Signals, products: pd.Series, as_of: date) -> _Days:
    """Add carts and failed carts, shared among the variants of a product.

    Failed carts belong to the variants stocked out that day, carts to those sold.
    """
    import pandas as pd

    intent = data.frame(INTENT)
    if intent.empty:
        return days
    length = days.units.shape[1]
    ago = (pd.Timestamp(as_of) - intent["day"]).dt.days
    intent = intent.assign(column=length - 1 - ago)
    intent = intent[(ago >= 0) & (ago < length)]
    own = pd.DataFrame({"product_id": products.to_numpy(), "row": range(len(products))})
    joined = intent.merge(own.dropna(), on="product_id").sort_values(["row", "column"])
    rows, columns = joined["row"].to_numpy(), joined["column"].to_numpy()
    of_day = [joined["product_id"], joined["column"]]

    def spread(values: np.ndarray, weight: np.ndarray) -> np.ndarray:
        total = pd.Series(weight).groupby([k.to_numpy() for k in of_day])
        share = weight / np.maximum(total.transform("sum").to_numpy(), 1e-9)
        grid = np.zeros(days.units.shape, dtype=np.float32)
        grid[rows, columns] = values * share
        return grid

    carts = joined["carts"].to_numpy(dtype=float)
    failed = joined["failed_carts"].to_numpy(dtype=float)
    pace = 0.01 + days.units.mean(axis=1)[rows]
    out = days.out[rows, columns] * pace
    return _Days(
        units=days.units,
        orders=days.orders,
        out=days.out,
        carts=spread(carts, pace + days.units[rows, columns]),
        failed=spread(failed, out),
    )


def fill_stockouts(
    units: np.ndarray, out: np.ndarray, weekday: np.ndarray, days: _Days | None = None
) -> np.ndarray:
    """Return daily demand with the stocked-out days estimated, shape (n, days).

    Args:
        units: Units sold, shape (n, days).
        out: Stocked out, shape (n, days).
        weekday: Weekday of each column, 0 is Monday, shape (days,).
        days: Grids with carts and failed carts; None when unknown.
    """
    if not out.any():
        return units
    profile = _weekday_profile(units, weekday)[weekday]
    filled = units.astype(np.float32)
    asked = None
    if days is not None and days.failed.any():
        sale_rate, units_per_order = _cart_to_sale(days)
        asked = days.failed * np.float32(sale_rate) * units_per_order[:, None]
    affected = np.flatnonzero(out.any(axis=1))
    # In blocks: the running sums of a large shop would not fit into a small machine.
    for begin in range(0, len(affected), BLOCK_ROWS):
        rows = affected[begin : begin + BLOCK_ROWS]
        estimate = np.maximum(units[rows], _level(units[rows], out[rows], profile))
        if asked is not None:
            estimate = np.maximum(estimate, units[rows] + asked[rows])
        filled[rows] = np.where(out[rows], estimate, units[rows])
    return filled


def _level(units: np.ndarray, out: np.ndarray, profile: np.ndarray) -> np.ndarray:
    """Units expected on each day from the in-stock days before it, shape (n, days)."""
    seen = _before(np.where(out, 0.0, units), LEVEL_DAYS)
    weight = _before(np.where(out, 0.0, profile), LEVEL_DAYS)
    # With under 3 days in stock in that window nothing is known; sales stand.
    level = np.where(weight >= 3, seen / np.maximum(weight, 1e-9), 0.0)
    return np.asarray(level * profile)


def _cart_to_sale(days: _Days) -> tuple[float, np.ndarray]:
    """Return the shop's orders per cart, at most 1, and units an order by variant."""
    carts = float(days.carts.sum())
    # Days and products without tracking must not make the rate look better.
    some = days.carts > 0
    tracked = np.logical_and.outer(some.any(axis=1), some.any(axis=0))
    orders = float(days.orders[tracked].sum())
    rate = min(1.0, orders / carts) if carts else 0.0
    total = max(float(days.orders.sum()), 1.0)
    mean = float(days.units.sum()) / total
    own = (days.units.sum(axis=1) + 5 * mean) / (days.orders.sum(axis=1) + 5)
    return rate, own


def _weekday_profile(units: np.ndarray, weekday: np.ndarray) -> np.ndarray:
    sums = np.bincount(weekday, weights=units.sum(axis=0), minlength=7)
    counts = np.maximum(np.bincount(weekday, minlength=7), 1)
    mean = sums / counts
    return np.asarray(mean / mean.mean()) if mean.sum() > 0 else np.ones(7)


def _before(values: np.ndarray, window: int) -> np.ndarray:
    """Sum over the `window` columns before each column."""
    total = np.cumsum(values, axis=1, dtype=np.float64)
    total = np.concatenate([np.zeros((len(values), 1)), total], axis=1)
    end = np.arange(values.shape[1])
    return np.asarray(total[:, end] - total[:, np.maximum(end - window, 0)])


def _by_week(daily: np.ndarray) -> np.ndarray:
    n, days = daily.shape
    weekly = daily.reshape(n, days // 7, 7)
    return np.asarray(weekly.sum(axis=2, dtype=np.float64))


def _starts(
    days: _Days, catalogue: pd.DataFrame, weeks: int, as_of: date
) -> np.ndarray:
    """First week a variant could sell: listed or first sold, whichever is earlier."""
    import pandas as pd

    first_sale = np.argmax(days.units > 0, axis=1) // 7
    never = ~(days.units > 0).any(axis=1)
    first_sale[never] = 0
    listed = pd.to_datetime(catalogue["first_on"])
    ago = (pd.Timestamp(as_of) - listed).dt.days
    week = (weeks * 7 - 1 - ago) // 7
    known = week.notna().to_numpy() & (ago >= 0).to_numpy(dtype=bool)
    listed_week = np.clip(week.fillna(0).to_numpy(dtype=int), 0, weeks - 1)
    earlier = np.minimum(first_sale, listed_week)
    return np.asarray(np.where(known, earlier, first_sale))


def _list_ratio(
    data: Signals, variants: np.ndarray, weeks: int, as_of: date
) -> np.ndarray:
    import pandas as pd

    ratio = np.ones((len(variants), weeks))
    prices = data.frame(PRICE_HISTORY)
    prices = prices[prices["list_minor"].fillna(0) > 0]
    prices = prices[prices["variant_id"].isin(variants)]
    if prices.empty:
        return ratio
    middle = prices["week"] + pd.Timedelta(days=3)
    column = weeks - 1 - (pd.Timestamp(as_of) - middle).dt.days // 7
    prices = prices.assign(column=column.clip(upper=weeks - 1))
    wide = prices.pivot_table(
        index="variant_id", columns="column", values="list_minor", aggfunc="mean"
    ).reindex(index=variants, columns=range(weeks))
    wide = wide.ffill(axis=1).bfill(axis=1)
    values = wide.to_numpy(dtype=float)
    with np.errstate(invalid="ignore"):
        median = wide.median(axis=1).to_numpy(dtype=float)[:, None]
    return np.where(np.isfinite(values / median), values / median, 1.0)
