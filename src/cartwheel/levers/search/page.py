"""The search lever's console page: what is searched for, found, opened and missed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cartwheel.levers.base import Model
from cartwheel.levers.report import Figure, Grid, Report
from cartwheel.levers.search.weak import weak_searches
from cartwheel.levers.search.worth import FEWEST_CARTS, worth_of
from cartwheel.signals.base import Signals
from cartwheel.signals.intent import SEARCHES
from cartwheel.signals.search_clicks import SEARCH_CLICKS

if TYPE_CHECKING:
    import pandas as pd

SHOWN = 20


def page(model: Model, data: Signals) -> Report:
    """Return what is searched for, what finds nothing, and what that may be worth."""
    searches, clicks = data.frame(SEARCHES), data.frame(SEARCH_CLICKS)
    total = int(searches["searches"].sum())
    nothing = int(searches["without_result"].sum())
    worth = worth_of(model)
    opened = clicks.groupby("query")["clicks"].sum()
    known = searches["query"].map(opened).fillna(0)
    return Report(
        summary=(
            f"{model.meta['available']:,} of {model.meta['products']:,} products can "
            f"be found; method: {model.rule}; {total:,} searches in 90 days, learned "
            f"from {int(clicks['clicks'].sum()):,} products opened after one."
        ),
        figures=(
            Figure(
                label="Searches that found nothing",
                value=nothing / total if total else None,
                unit="share",
                definition="Of the searches of 90 days, those that showed no result.",
                not_yet="Needs searches sent as events.",
            ),
            Figure(
                label="Put into carts after a search that finds something",
                value=worth,
                unit="minor",
                definition=(
                    "Carts within 30 minutes of a search times the product's lowest "
                    "price, by searches that found something, 90 days. It is no gain "
                    "of searching: who searches knows what they want."
                ),
                not_yet=f"Needs {FEWEST_CARTS} carts after searches.",
            ),
            *_test(model.meta["test"]),
        ),
        grids=(
            _most(searches.assign(clicks=known)),
            _weak(model),
        ),
    )


def _test(test: dict[str, Any]) -> tuple[Figure, ...]:
    wait = "Needs clicks after 250 different queries to learn an order and judge it."
    gain = test.get("learned", 0.0) - test.get("blend", 0.0) if test else None
    return (
        Figure(
            label="Gain of the learned order",
            value=gain,
            unit="",
            definition=(
                "NDCG of ten products by what was opened beyond its position, less "
                "that of keywords alone; queries that taught nothing, 95 % bootstrap "
                "interval by query. Without a sure gain keywords decide."
            ),
            low=test.get("gain_low"),
            high=test.get("gain_high"),
            not_yet=wait,
        ),
    )


def _most(searches: pd.DataFrame) -> Grid:
    best = searches.sort_values(["searches", "query"], ascending=[False, True])
    rows = best.head(SHOWN)[["query", "searches", "without_result", "clicks"]]
    return Grid(
        title="Searched for most",
        columns=("query", "searches", "without result", "products opened"),
        units=("", "units", "units", "units"),
        rows=tuple(
            (str(query), int(count), int(nothing), int(opened))
            for query, count, nothing, opened in rows.itertuples(index=False)
        ),
        note="90 days; texts as typed, in lower case.",
    )


def _weak(model: Model) -> Grid:
    rows = weak_searches(model).to_pylist()
    rows.sort(key=lambda row: (-int(row["searches"]), str(row["query"])))
    found = []
    for row in rows[:SHOWN]:
        found.append(
            (
                row["query"],
                row["searches"],
                row["without_result"],
                row["clicks"],
                row["found"],
                row["sold_out"],
                row["category"] or "",
                row["missed_minor"],
            )
        )
    return Grid(
        title="Nothing found, or nothing opened",
        columns=(
            *("query", "searches", "without result", "products opened"),
            *("on sale", "sold out", "category", "at most missed"),
        ),
        units=("", "units", "units", "units", "units", "units", "", "minor"),
        rows=tuple(found),
        note=(
            "At most missed: searches without result times what other searches put "
            "into carts. Who looks for what you do not sell may want nothing else, so "
            "it is a bound and no forecast."
        ),
    )
