"""The recommender's console page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from cartwheel.levers.base import Model
from cartwheel.levers.report import Bars, Figure, Grid, Report


def page(model: Model) -> Report:
    """Return the inner test against popularity and the bestsellers."""
    test = model.meta["test"]
    wait = "Needs 20 customers who bought something new to them in the last 30 days."
    summary = (
        f"{model.meta['available']:,} of {model.meta['products']:,} products may be "
        f"shown; method: {model.rule}; {model.meta['customers']:,} customers known."
    )
    margins_known = bool(np.isfinite(model.arrays["margin_minor"]).any())
    if margins_known and model.meta.get("parcel_minor") is None:
        summary += (
            " What sending an order costs is not known, so cheap goods may be shown "
            "too often: set costs.parcel_minor in cartwheel.toml."
        )
    rows = model.meta["bins"].get("rows", [])
    top = np.asarray(model.arrays["bestsellers"])[:10]
    names, titles = model.arrays["product_id"], model.arrays["title"]
    shares = model.arrays["popularity"]
    return Report(
        summary=summary,
        figures=(
            *_figures(test, wait),
            _told_apart(model.meta.get("looks_test") or {}),
            _ahead(model.meta.get("ahead_test") or {}),
        ),
        bars=(
            Bars(
                title="Customers who bought from their ten products within 30 days",
                unit="share",
                labels=tuple(f"group {n + 1}" for n in range(len(rows))),
                values=tuple(float(row[0]) for row in rows),
                note="Known customers in fifths by expected chance, inner test.",
            ),
        ),
        grids=(
            Grid(
                title="Bestsellers of 30 days in stock",
                columns=("product", "title", "share of demand"),
                units=("", "", "share"),
                rows=tuple(
                    (str(names[i]), str(titles[i]), float(shares[i])) for i in top
                ),
                note="Shown to people in the holdout and when no model is healthy.",
            ),
        ),
    )


def _figures(test: Mapping[str, Any], wait: str) -> tuple[Figure, ...]:
    who = f"{test.get('customers', 0):,} customers not used for any choice"
    hit, popular = test.get("hit_rate"), test.get("popular_hit_rate")
    gain = None if hit is None or popular is None else hit - popular
    ends = test.get("hit_rate_gain", [None, None])
    return (
        Figure(
            label="Hit rate of ten products",
            value=hit,
            unit="share",
            definition=(
                "Share of customers whose ten products held one they bought for the "
                f"first time in the last 30 days, learned from before; {who}."
            ),
            not_yet=wait,
        ),
        Figure(
            label="Hit rate of the ten most popular",
            value=popular,
            unit="share",
            definition="The same customers, products in order of recent demand.",
            not_yet=wait,
        ),
        Figure(
            label="Gain over popularity",
            value=gain,
            unit="share",
            definition="Difference of the two, 95 % bootstrap interval by customer.",
            low=ends[0],
            high=ends[1],
            not_yet=wait,
        ),
        Figure(
            label="NDCG of ten products",
            value=test.get("ndcg"),
            unit="",
            definition="Gain 1 per product bought, discounted by log2(rank + 1).",
            not_yet=wait,
        ),
        Figure(
            label="NDCG of the ten most popular",
            value=test.get("popular_ndcg"),
            unit="",
            definition="The same customers, products in order of recent demand.",
            not_yet=wait,
        ),
    )


def _told_apart(test: Mapping[str, Any]) -> Figure:
    """Return how well the products a visitor wants are told from others looked at."""
    return Figure(
        label="Wanted told from only looked at",
        value=test.get("auc"),
        unit="share",
        definition=(
            "Of pairs of a product put into the cart in the last 28 days and one only "
            "looked at, the share put in the right order by what was known before; "
            "half would be luck. Without the visitor's own taste it is "
            f"{test.get('auc_appeal', 0.5):.2f}; {test.get('wanted', 0):,} carts of "
            "visitors not used for any choice."
        ),
        not_yet="Needs visitors who come back and put 40 products into carts.",
    )


def _ahead(test: Mapping[str, Any]) -> Figure:
    """Return how much earlier the next cart stands once the visit is heard."""
    ends = test.get("ndcg_gain", [None, None])
    gain = test["ndcg"] - test["ndcg_without"] if test else None
    return Figure(
        label="Gain from the visit so far",
        value=gain,
        unit="",
        definition=(
            "NDCG of ten products for what was put into the cart next, with the order "
            "of the visit and without, on the latest tenth of visits; 95 % bootstrap "
            f"interval; {test.get('carts', 0):,} carts. It counts in slates only when "
            "the interval is above 0."
        ),
        low=ends[0],
        high=ends[1],
        not_yet="Needs 2,000 steps of visits and 100 carts in the latest tenth.",
    )
