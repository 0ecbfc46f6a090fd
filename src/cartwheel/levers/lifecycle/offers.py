"""What an offer may promote, and who is drawn to get none so that it can be judged."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np

from cartwheel.levers.earned import earned
from cartwheel.levers.lifecycle.draws import ALL, quarter_draw
from cartwheel.signals.base import Signals
from cartwheel.signals.catalogue import CATALOGUE
from cartwheel.signals.customers import PURCHASES
from cartwheel.signals.margin import MARGIN
from cartwheel.signals.returns import OPEN_RETURNS
from cartwheel.signals.stock import STOCK

if TYPE_CHECKING:
    import pandas as pd

Array = np.ndarray[Any, Any]

COVER_DAYS = 14.0  # an offer brings demand; thinner stock is left to those who come


@dataclass(frozen=True, slots=True, kw_only=True)
class Offerable:
    """A product an offer may promote; `counted` says its stock is known."""

    title: str
    counted: bool


def offerable(data: Signals) -> dict[str, Offerable]:
    """Return the products an offer may promote, by product id.

    In stock with cover, active, and with a known positive margin. Where the shop
    knows no margin at all, that test is left out rather than passed as zero.
    """
    variants = data.frame(CATALOGUE).dropna(subset=["product_id"])
    ids = variants["variant_id"].tolist()
    stock, margin = data.align(STOCK, ids), earned(data, ids)
    on_hand = _number(stock["on_hand_units"])
    cover = _number(stock["cover_days"])
    unit = _number(margin["margin_minor"])
    fine = variants["active"].fillna(True).to_numpy(bool)
    fine &= np.isnan(on_hand) | (on_hand > 0)
    fine &= np.isnan(cover) | (cover >= COVER_DAYS)
    if np.isfinite(unit).any():
        fine &= np.nan_to_num(unit, nan=-1.0) > 0
    rows = variants.assign(counted=np.isfinite(on_hand))[fine]
    rows = rows.drop_duplicates("product_id")
    titles = rows["title"].fillna("").astype(str)
    counted = rows["counted"].astype(bool)
    return {
        str(name): Offerable(title=title, counted=known)
        for name, title, known in zip(
            rows["product_id"], titles, counted.tolist(), strict=True
        )
    }


def _number(column: pd.Series[Any]) -> Array:
    import pandas as pd

    return pd.to_numeric(column, errors="coerce").to_numpy(float, na_value=np.nan)


def margin_share(data: Signals) -> float | None:
    """Return the median margin as a share of price, or None when none is known."""
    rows = earned(data, data.frame(MARGIN)["variant_id"].tolist())
    margin, price = _number(rows["margin_minor"]), _number(rows["price_minor"])
    known = np.isfinite(margin) & (price > 0)
    return float(np.median(margin[known] / price[known])) if known.any() else None


def favourites(
    data: Signals, customers: Sequence[str], products: Iterable[str], count: int
) -> dict[str, tuple[str, ...]]:
    """Return what to put in each customer's offer: own products first, then popular.

    Products in a customer's open returns are left out.

    Args:
        data: Signals holding purchases and open returns.
        customers: Whom to choose for.
        products: Products an offer may promote.
        count: Products per customer.
    """
    bought = data.frame(PURCHASES)
    bought = bought[bought["product_id"].isin(list(products))]
    buyers = bought.groupby("product_id").size()
    popular = buyers.sort_index().sort_values(ascending=False, kind="stable")
    filling = [str(name) for name in popular.index[: count + 20]]
    opened = data.frame(OPEN_RETURNS)
    opened = opened[opened["customer_id"].isin(list(customers))]
    closed = opened.groupby("customer_id")["product_id"].agg(set).to_dict()
    own = bought[bought["customer_id"].isin(list(customers))].sort_values(
        ["customer_id", "orders", "last_on", "product_id"],
        ascending=[True, False, False, True],
    )
    mine = own.groupby("customer_id")["product_id"].agg(list).to_dict()
    found = {}
    for customer in customers:
        names = dict.fromkeys([*mine.get(customer, []), *filling])
        shut = closed.get(customer, set())
        found[customer] = tuple(n for n in names if n not in shut)[:count]
    return found


def left_out(customer: str, *, salt: str, on: date, share: float) -> bool:
    """Say whether a customer is drawn to get no offer.

    A customer stays in one arm for a calendar quarter, long enough for its orders to
    be counted.
    """
    return quarter_draw(customer, salt=salt, purpose="winback", on=on) < share * ALL
