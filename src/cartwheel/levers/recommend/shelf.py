"""Products as a shelf: what may be shown, what sells, what a sale earns.

Signals speak of variants; shoppers see products. This is the one place where the
recommender turns one into the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from cartwheel.levers.earned import earned
from cartwheel.levers.in_stock import stock_by_product
from cartwheel.levers.recommend.numbering import product_numbers
from cartwheel.signals.base import Signals
from cartwheel.signals.catalogue import CATALOGUE
from cartwheel.signals.demand import DEMAND
from cartwheel.signals.intent import INTENT
from cartwheel.signals.learned import SHOWN

if TYPE_CHECKING:
    import pandas as pd

Array = np.ndarray[Any, Any]

# A cart says less than a sale and a view far less; shares typical of shops where two
# to three views in a hundred become a sale.
CART_UNITS = 0.2
VIEW_UNITS = 0.02
LEAST_MARGIN = 0.02
"""Least that a margin counts, in medians of the goods that earn anything."""

USUAL_RATE = 0.95
"""No margin counts for more of its price than that of this share of the goods: a cost
typed wrong must not fill every slot. What a thing earns in money has no bound, since
shops do earn most with a few dear goods."""

LONGEST_KIND = 200
"""Characters of a category path that are told apart."""

FEWEST_RATES = 20
"""Known margins below which the highest may be the wrong one; then the median and half
of what is left of the price is the most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """One row per product, sorted by id.

    Attributes:
        product_id: Ids, fixed-width text, shape (n,).
        title: Titles, fixed-width text.
        eligible: Active and in stock, soon inbound, or of unknown stock.
        factor: What a sale earns in medians of the goods that earn anything, float32.
        response: Bounded factor of clicks per exposure, float32; 1 where unknown.
        margin_minor: Mean known margin of one unit, NaN where unknown.
        on_hand_units: Units on hand, NaN where unknown.
        popularity: Decayed share of demand, sums to 1 unless nothing sold.
        units_30: Units sold in the last 30 days.
        newest: Rank by day of first sale or listing, 0 is the newest.
        kinds: Names of categories, sorted, fixed-width text, shape (k,).
        kind: Number of each product's category, shape (n,).
    """

    product_id: Array
    title: Array
    eligible: Array
    factor: Array
    response: Array
    margin_minor: Array
    on_hand_units: Array
    popularity: Array
    units_30: Array
    newest: Array
    kinds: Array
    kind: Array


def make_shelf(
    data: Signals, *, half_life_days: float, margin_weight: float = 1.0
) -> Shelf:
    """Return the shelf as the signals show it; cut signals leave it neutral.

    Args:
        data: The lever's signals.
        half_life_days: Days after which a sale counts half.
        margin_weight: 1 ranks by expected margin, 0 by the chance of a sale alone.
    """
    variants = data.frame(CATALOGUE).dropna(subset=["product_id"])
    products = np.unique(variants["product_id"].to_numpy().astype(str))
    first = variants.groupby("product_id")
    number = np.searchsorted(products, variants["product_id"].to_numpy().astype(str))
    titles = first["title"].first().reindex(products).fillna("")
    newest = first["first_on"].max().reindex(products).fillna(_long_ago())
    margin, price = _margins(data, variants, number, len(products))
    kind = first["category"].first().reindex(products).fillna("")
    kinds, category = np.unique(
        np.array([str(name)[:LONGEST_KIND] for name in kind], dtype=str),
        return_inverse=True,
    )
    on_hand, eligible = stock_by_product(data, variants, number, len(products))
    factor = margin_factor(margin, price, category, margin_weight)
    return Shelf(
        product_id=products,
        title=np.array([str(t)[:60] for t in titles], dtype=str),
        eligible=eligible,
        factor=factor.astype(np.float32),
        response=_response_factor(data, products).astype(np.float32),
        margin_minor=margin,
        on_hand_units=on_hand,
        popularity=popularity(data, products, half_life_days=half_life_days),
        units_30=units_in_window(data, products, days=30),
        newest=_rank(-newest.to_numpy().astype("int64")),
        kinds=kinds,
        kind=category.astype(np.int32),
    )


def _long_ago() -> pd.Timestamp:
    import pandas as pd

    return pd.Timestamp("1970-01-01")


def _rank(values: Array) -> Array:
    """Rank from the smallest, ties in the order of the products' ids."""
    order = np.lexsort((np.arange(len(values)), values))
    rank = np.empty(len(values), np.int32)
    rank[order] = np.arange(len(values))
    return rank


def _mean_known(number: Array, values: Array, n: int) -> Array:
    known = np.isfinite(values)
    total = np.bincount(number[known], weights=values[known], minlength=n)
    count = np.bincount(number[known], minlength=n)
    result: Array = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    return result


def _margins(
    data: Signals, variants: pd.DataFrame, number: Array, n: int
) -> tuple[Array, Array]:
    """Return what a unit of each product earns and sells for, NaN where unknown."""
    found = earned(data, variants["variant_id"].tolist())
    return (
        _mean_known(number, _floats(found["margin_minor"]), n),
        _mean_known(number, _floats(found["price_minor"]), n),
    )


def _floats(column: pd.Series[Any]) -> Array:
    import pandas as pd

    return pd.to_numeric(column, errors="coerce").to_numpy(float, na_value=np.nan)


def margin_factor(
    margin: Array, price: Array, category: Array, weight: float = 1.0
) -> Array:
    """Scale by what a sale earns against the shop's median.

    A chance of a sale times what it earns is expected margin. Where a margin is unknown
    the product is taken to earn the share of its price that its category does, or the
    shop; where nothing at all is known every factor is 1.

    Args:
        margin: What a unit earns, NaN where unknown, shape (n,).
        price: What it sells for, NaN where unknown, shape (n,).
        category: Number of its category, shape (n,).
        weight: 1 counts money earned, 0 the sale alone.
    """
    rate = margin / np.where(price > 0, price, np.nan)
    known = np.isfinite(rate)
    if not (known & (margin > 0)).any():
        return np.ones(len(margin))
    usual = float(np.median(rate[known]))
    most = usual + (1.0 - usual) / 2
    if known.sum() >= FEWEST_RATES:
        most = float(np.quantile(rate[known], USUAL_RATE))
    guess = np.full(int(category.max()) + 1, usual)
    for kind in np.unique(category[known]):
        guess[kind] = np.median(rate[known & (category == kind)])
    rate = np.where(known, np.minimum(rate, most), guess[category])
    money = np.where(np.isfinite(price), rate * price, margin)
    earning = known & (money > 0)
    if not earning.any():  # nearly everything is sold at a loss: money tells nothing
        return np.ones(len(margin))
    middle = float(np.median(money[earning]))
    scaled = np.maximum(money / max(middle, 1.0), LEAST_MARGIN) ** weight
    return np.where(np.isfinite(scaled), scaled, 1.0)


def _response_factor(data: Signals, products: Array) -> Array:
    """Scale by clicks per exposure against the shop's mean, shrunk and bounded."""
    found = data.align(SHOWN, products.tolist())
    exposures = _floats(found["exposures"])
    clicks = _floats(found["clicks"])
    if exposures.sum() <= 0 or clicks.sum() <= 0:
        return np.ones(len(products))
    mean = clicks.sum() / exposures.sum()
    prior = 10.0 / mean  # exposures in which ten clicks are expected
    rate = (clicks + 10.0) / (exposures + prior)
    result: Array = np.clip(rate / mean, 0.8, 1.25)
    return result


def _by_product(data: Signals, products: Array) -> pd.DataFrame:
    """Return demand with the number of the product, unknown variants left out."""
    demand = data.frame(DEMAND)
    variants = data.frame(CATALOGUE).set_index("variant_id")["product_id"]
    product = demand["variant_id"].map(variants)
    demand = demand[product.notna()]
    names = product.dropna().to_numpy().astype(str)
    return demand.assign(item=np.searchsorted(products, names))


def units_in_window(data: Signals, products: Array, *, days: int) -> Array:
    """Return units sold per product in the last days up to the as-of day."""
    import pandas as pd

    demand = _by_product(data, products)
    start = pd.Timestamp(data.context.when.as_of - timedelta(days=days - 1))
    recent = demand[demand["day"] >= start]
    return np.bincount(
        recent["item"].to_numpy(np.int64),
        weights=recent["units"].to_numpy(float),
        minlength=len(products),
    )


def popularity(
    data: Signals,
    products: Array,
    *,
    half_life_days: float,
    before: pd.Timestamp | None = None,
) -> Array:
    """Return each product's share of decayed demand, carts and views.

    Orders are counted rather than units, so that one bulk order makes no bestseller.

    Args:
        data: Signals holding demand, intent and the catalogue.
        products: Sorted product ids.
        half_life_days: Days after which a sale counts half.
        before: Only days before this one; None takes all.
    """
    import pandas as pd

    demand = _by_product(data, products)
    intent = data.frame(INTENT)
    names = intent["product_id"].to_numpy().astype(str)
    at = product_numbers(names, products)
    known = at >= 0
    seen = intent["carts"] * CART_UNITS + intent["views"] * VIEW_UNITS
    rows = pd.DataFrame(
        {
            "item": np.concatenate([demand["item"].to_numpy(np.int64), at[known]]),
            "day": pd.concat([demand["day"], intent["day"][known]]).to_numpy(),
            "value": np.concatenate(
                [demand["orders"].to_numpy(float), seen.to_numpy(float)[known]]
            ),
        }
    )
    if before is not None:
        rows = rows[rows["day"] < before]
    if rows.empty or len(products) == 0:
        return np.zeros(len(products))
    age = (rows["day"].max() - rows["day"]).dt.days.to_numpy(float)
    value = rows["value"].to_numpy() * 0.5 ** (age / half_life_days)
    total = np.bincount(rows["item"], weights=value, minlength=len(products))
    result: Array = total / max(total.sum(), 1e-12)
    return result
