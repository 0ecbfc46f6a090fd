"""Articles as they are priced: the sizes of one product at one price move together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from cartwheel.levers.price.elasticity import Panel
from cartwheel.signals.base import Signals
from cartwheel.signals.catalogue import CATALOGUE
from cartwheel.signals.price import PRICE_HISTORY

if TYPE_CHECKING:
    import pandas as pd

SAME_PRICE = 0.01
"""Prices closer than this share count as one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """What the past says of A articles of V variants.

    Attributes:
        variants: Catalogue of every variant listed or sold, with its `article`.
        panel: Weekly sales by article.
        weeks: Weeks with a usable sale, shape (A,).
        prices: Distinct prices seen, shape (A,).
        low_minor: Lowest price seen, NaN without one, shape (A,).
        high_minor: Highest price seen, shape (A,).
    """

    variants: pd.DataFrame
    panel: Panel
    weeks: np.ndarray
    prices: np.ndarray
    low_minor: np.ndarray
    high_minor: np.ndarray


def priced_variants(data: Signals) -> pd.DataFrame:
    """Return the catalogue with the number of the article each variant belongs to.

    Variants of one product at the same present price are one article: a merchant
    prices sizes alike, and together they say more about demand.
    """
    import pandas as pd

    frame = data.frame(CATALOGUE)
    sold = set(data.frame(PRICE_HISTORY)["variant_id"]) - set(frame["variant_id"])
    if sold:
        frame = data.align(CATALOGUE, sorted([*frame["variant_id"], *sold]))
    product = frame["product_id"].fillna(frame["variant_id"]).astype(str)
    price = pd.to_numeric(frame["price_minor"]).fillna(-1).astype("int64")
    # An unknown price belongs to nobody else's article.
    alone = np.where(price < 0, frame["variant_id"], "")
    article, _ = pd.factorize(product + "|" + price.astype(str) + "|" + alone)
    return frame.assign(article=article)


def read_history(data: Signals) -> History:
    """Return weekly sales by article, weeks of a changing list price left out."""
    import pandas as pd

    variants = priced_variants(data)
    count = int(variants["article"].max()) + 1 if len(variants) else 0
    first = variants.drop_duplicates("article").sort_values("article")
    group, _ = pd.factorize(first["category"].fillna("").astype(str), sort=True)
    weeks = _weeks(data, variants)
    panel = Panel(
        article=weeks["article"].to_numpy("int64"),
        week=pd.factorize(weeks["week"], sort=True)[0].astype("int64"),
        log_price=np.log(weeks["price"].to_numpy("float64")),
        units=weeks["units"].to_numpy("float64"),
        days=weeks["days"].to_numpy("float64"),
        group=np.asarray(group, dtype=np.int64),
    )
    steps = weeks.assign(step=np.rint(panel.log_price / SAME_PRICE))
    by_article = steps.groupby("article")
    everyone = pd.RangeIndex(count)
    return History(
        variants=variants,
        panel=panel,
        weeks=by_article.size().reindex(everyone, fill_value=0).to_numpy(),
        prices=by_article["step"].nunique().reindex(everyone, fill_value=0).to_numpy(),
        low_minor=by_article["price"].min().reindex(everyone).to_numpy("float64"),
        high_minor=by_article["price"].max().reindex(everyone).to_numpy("float64"),
    )


def _weeks(data: Signals, variants: pd.DataFrame) -> pd.DataFrame:
    """Return (article, week) with units, mean price and days in stock."""
    import pandas as pd

    frame = data.frame(PRICE_HISTORY)
    for name in ("price_minor", "list_minor", "units", "days_in_stock"):
        frame[name] = pd.to_numeric(frame[name]).astype("float64")
    by_variant = frame.groupby("variant_id")
    follows = by_variant["week"].shift(-1) - frame["week"] == pd.Timedelta(days=7)
    moved = by_variant["list_minor"].shift(-1) != frame["list_minor"]
    apart = (frame["price_minor"] / frame["list_minor"] - 1.0).abs() > SAME_PRICE
    # A list price that differs a week later, and was not what this week's buyers paid,
    # changed on some day of this week: the week has no one price.
    mixed = frame["list_minor"].notna() & follows & moved & apart
    price = frame["list_minor"].fillna(frame["price_minor"])
    frame = frame.assign(
        price=price, days=frame["days_in_stock"].fillna(7.0).clip(upper=7.0)
    )
    usable = ~mixed & (frame["units"] >= 1) & (price > 0) & (frame["days"] >= 1)
    frame = frame[usable].merge(variants[["variant_id", "article"]], on="variant_id")
    frame = frame.assign(
        paid=frame["price"] * frame["units"], open=frame["days"] * frame["units"]
    )
    found = frame.groupby(["article", "week"], as_index=False)[
        ["units", "paid", "open"]
    ].sum()
    return found.assign(
        price=found["paid"] / found["units"], days=found["open"] / found["units"]
    )
