"""Customers' rhythm: scores, segments, and the same shop at an earlier day."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from cartwheel.levers.lifecycle.buytilldie import BgNbd, GammaGamma

if TYPE_CHECKING:
    import pandas as pd

Array = np.ndarray[Any, Any]

ORDERS_DAYS = 90
VALUE_DAYS = 365
LAPSED_AT = 0.90  # quantile of the own gap that has passed
SLIPPING_AT = 0.75
SEGMENTS = ("new", "vip", "loyal", "regular", "slipping", "lapsed", "one-time")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rhythm:
    """Histories of customers, one row each, in days.

    Attributes:
        customer_id: Ids, text.
        x: Repeat order days.
        t_x: Days from the first to the last order.
        age: Days from the first order to the as-of day.
        revenue_minor: Paid in all.
    """

    customer_id: Array
    x: Array
    t_x: Array
    age: Array
    revenue_minor: Array

    @classmethod
    def of(cls, frame: pd.DataFrame) -> Rhythm:
        """Read the rhythm signal's frame; customers without an order day fall out."""
        rows = frame[(frame["order_days"] > 0) & frame["age_days"].notna()]
        age = rows["age_days"].to_numpy(float)
        return cls(
            customer_id=rows["customer_id"].to_numpy().astype(str),
            x=rows["order_days"].to_numpy(float) - 1.0,
            t_x=np.clip(age - rows["recency_days"].to_numpy(float), 0.0, age),
            age=age,
            revenue_minor=rows["revenue_minor"].to_numpy(float, na_value=0.0),
        )

    @property
    def recency(self) -> Array:
        """Days since the last order."""
        result: Array = self.age - self.t_x
        return result


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """What scoring needs; made from and turned into JSON values.

    Attributes:
        orders: BG/NBD, or None for the own-gap rule.
        value: Gamma-Gamma, or None for the shrunk mean.
        shop_gap_days: Median gap of repeat buyers.
        mean_order_minor: Mean value of an order day.
        vip_minor: Revenue from which a customer is a VIP.
        loyal_days: Order days from which a customer is loyal.
        new_days: Days a customer counts as new.
    """

    orders: BgNbd | None
    value: GammaGamma | None
    shop_gap_days: float
    mean_order_minor: float
    vip_minor: float
    loyal_days: int
    new_days: int

    def to_meta(self) -> dict[str, Any]:
        """Return JSON values."""
        orders, value = self.orders, self.value
        return {
            "orders": None
            if orders is None
            else {"r": orders.r, "alpha": orders.alpha, "a": orders.a, "b": orders.b},
            "value": None
            if value is None
            else {"p": value.p, "q": value.q, "v": value.v},
            "shop_gap_days": self.shop_gap_days,
            "mean_order_minor": self.mean_order_minor,
            "vip_minor": self.vip_minor,
            "loyal_days": self.loyal_days,
            "new_days": self.new_days,
        }

    @classmethod
    def of_meta(cls, meta: Mapping[str, Any]) -> Learned:
        """Read what `to_meta` wrote."""
        return cls(
            orders=None if meta["orders"] is None else BgNbd(**meta["orders"]),
            value=None if meta["value"] is None else GammaGamma(**meta["value"]),
            shop_gap_days=meta["shop_gap_days"],
            mean_order_minor=meta["mean_order_minor"],
            vip_minor=meta["vip_minor"],
            loyal_days=meta["loyal_days"],
            new_days=meta["new_days"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """Scores of customers, in the order of the rhythm's rows.

    Attributes:
        expected_orders: Expected order days in the next 90 days.
        value_minor: Expected revenue in the next 365 days.
        alive_share: Probability of being active.
        lapse_share: Probability of no order in the next 90 days.
        gap_limit_days: Days without order after which the customer has lapsed.
        gap_warn_days: Days without order after which the customer is slipping.
    """

    expected_orders: Array
    value_minor: Array
    alive_share: Array
    lapse_share: Array
    gap_limit_days: Array
    gap_warn_days: Array


def score(learned: Learned, rhythm: Rhythm) -> Scores:
    """Score every customer; vectorised, no loop over customers."""
    if learned.orders is None:
        return _own_gap(learned, rhythm)
    model, x, t_x, age = learned.orders, rhythm.x, rhythm.t_x, rhythm.age
    expected = model.expected(x, t_x, age, ORDERS_DAYS)
    year = model.expected(x, t_x, age, VALUE_DAYS)
    return Scores(
        expected_orders=expected,
        value_minor=year * order_value(learned, rhythm),
        alive_share=model.alive(x, t_x, age),
        lapse_share=model.none_ahead(x, t_x, age, ORDERS_DAYS),
        gap_limit_days=model.gap_quantile(x, t_x, LAPSED_AT),
        gap_warn_days=model.gap_quantile(x, t_x, SLIPPING_AT),
    )


def _own_gap(learned: Learned, rhythm: Rhythm) -> Scores:
    """The rule for little data: active for one own gap, then half as likely per gap."""
    own = rhythm.t_x / np.maximum(rhythm.x, 1.0)
    # One gap of the shop's steadies the customer's own.
    gap = (rhythm.x * own + learned.shop_gap_days) / (rhythm.x + 1.0)
    gap = np.maximum(gap, 1.0)
    late = np.maximum(rhythm.recency - gap, 0.0) / gap
    alive = 0.5**late
    return Scores(
        expected_orders=alive * ORDERS_DAYS / gap,
        value_minor=alive * VALUE_DAYS / gap * order_value(learned, rhythm),
        alive_share=alive,
        lapse_share=1.0 - alive * (1.0 - np.exp(-ORDERS_DAYS / gap)),
        gap_limit_days=-np.log(1 - LAPSED_AT) * gap,
        gap_warn_days=-np.log(1 - SLIPPING_AT) * gap,
    )


def order_value(learned: Learned, rhythm: Rhythm) -> Array:
    """Return the expected value of a customer's next order day, in minor units."""
    days = rhythm.x + 1.0
    paid = np.where(rhythm.revenue_minor > 0, rhythm.revenue_minor, 0.0)
    counted = np.where(paid > 0, days, 0.0)
    mean = paid / days
    if learned.value is not None:
        return learned.value.expected(counted, mean)
    total = paid + 3.0 * learned.mean_order_minor
    result: Array = total / (counted + 3.0)
    return result


def segment(learned: Learned, rhythm: Rhythm, scores: Scores) -> Array:
    """Return the segment of every customer; the first rule that holds counts.

    new: first order within `new_days` and at most two order days. one-time: one order
    day. lapsed: nine in ten of the own gaps would have been over. slipping: three in
    four. vip: revenue of the shop's top 5 % and three order days. loyal: order days
    of the shop's top fifth, at least three. regular: everybody else.
    """
    days = rhythm.x + 1
    rules = [
        ("new", (rhythm.age <= learned.new_days) & (days <= 2)),
        ("one-time", days == 1),
        ("lapsed", rhythm.recency > scores.gap_limit_days),
        ("slipping", rhythm.recency > scores.gap_warn_days),
        ("vip", (rhythm.revenue_minor >= learned.vip_minor) & (days >= 3)),
        ("loyal", days >= learned.loyal_days),
    ]
    names = [name for name, _ in rules]
    result: Array = np.select([rule for _, rule in rules], names, default="regular")
    return result


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """The shop's customers as of an earlier day, and what came after.

    Attributes:
        rhythm: Histories up to the earlier day (revenue left at 0).
        orders_after: Order days of each customer in the window after it.
        exact_share: Share of order days whose date is known.
    """

    rhythm: Rhythm
    orders_after: Array
    exact_share: float


def rewind(
    rhythm: pd.DataFrame, purchases: pd.DataFrame, as_of: date, days: int
) -> Past:
    """Return the customers as of `days` before `as_of`.

    Signals keep each customer's first and last order day, their number, and the last
    day of each product. These give most order days exactly; those missing are spread
    evenly between first and last. How many are exact is returned, for the page.

    Args:
        rhythm: Frame of the rhythm signal.
        purchases: Frame of the purchases signal.
        as_of: Last day of the data.
        days: How far to go back.
    """
    import pandas as pd

    rows = rhythm[rhythm["order_days"] > 0]
    ends = pd.concat(
        [
            rows[["customer_id", "first_on"]].rename(columns={"first_on": "day"}),
            rows[["customer_id", "last_on"]].rename(columns={"last_on": "day"}),
            purchases[["customer_id", "last_on"]].rename(columns={"last_on": "day"}),
        ]
    )
    ends = ends[ends["customer_id"].isin(rows["customer_id"])].drop_duplicates()
    ends = pd.concat([ends, _spread(rows, ends)], ignore_index=True)
    exact = 1.0 - float(ends["made"].fillna(0).sum()) / max(len(ends), 1)
    cut = pd.Timestamp(as_of - timedelta(days=days))
    before = ends[ends["day"] <= cut].groupby("customer_id")["day"]
    after = ends[ends["day"] > cut].groupby("customer_id").size()
    first, last, count = before.min(), before.max(), before.size()
    state = Rhythm(
        customer_id=first.index.to_numpy().astype(str),
        x=count.to_numpy(float) - 1.0,
        t_x=(last - first).dt.days.to_numpy(float),
        age=(cut - first).dt.days.to_numpy(float),
        revenue_minor=np.zeros(len(first)),
    )
    return Past(
        rhythm=state,
        orders_after=after.reindex(first.index).fillna(0).to_numpy(float),
        exact_share=exact,
    )


def _spread(rows: pd.DataFrame, known: pd.DataFrame) -> pd.DataFrame:
    """Return made days for customers of whom fewer days are known than counted."""
    import pandas as pd

    found = known.groupby("customer_id").size().reindex(rows["customer_id"])
    missing = rows["order_days"].to_numpy(np.int64) - found.to_numpy(np.int64)
    missing = np.maximum(missing, 0)
    number = np.repeat(np.arange(len(rows)), missing)
    rank = np.arange(len(number)) - np.repeat(np.cumsum(missing) - missing, missing)
    span = (rows["last_on"] - rows["first_on"]).dt.days.to_numpy(float)
    place = np.rint(span[number] * (rank + 1) / (missing[number] + 1))
    day = rows["first_on"].to_numpy()[number] + pd.to_timedelta(place, unit="D")
    return pd.DataFrame(
        {
            "customer_id": rows["customer_id"].to_numpy()[number],
            "day": pd.Series(day, dtype=known["day"].dtype),
            "made": np.ones(len(number)),
        }
    )
