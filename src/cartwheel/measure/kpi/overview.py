"""Figures of the overview page, each with its definition, from a turn's signals."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from cartwheel.levers.report import Figure
from cartwheel.measure.kpi.intervals import wilson

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


def overview_figures(
    tables: Mapping[str, pa.Table], as_of: date, *, seed: int
) -> tuple[Figure, ...]:
    """Return the overview's figures.

    Args:
        tables: Signals of the turn by name.
        as_of: Day looked from.
        seed: Seed of the bootstrap.
    """
    return (
        _revenue(tables, as_of, seed),
        _repeat_share(tables),
        _stock_outs(tables),
        _known_costs(tables),
        _realised_coverage(tables),
    )


def _frame(tables: Mapping[str, pa.Table], name: str) -> pd.DataFrame | None:
    table = tables.get(name)
    if table is None or table.num_rows == 0:
        return None
    frame: pd.DataFrame = table.to_pandas(date_as_object=False)
    return frame


def _revenue(tables: Mapping[str, pa.Table], as_of: date, seed: int) -> Figure:
    definition = (
        "Paid for products in the 28 days up to this turn's day, discounts taken off; "
        "the interval resamples these days."
    )
    demand = _frame(tables, "demand")
    if demand is None:
        return Figure(
            label="Revenue, 28 days",
            value=None,
            unit="minor",
            definition=definition,
            not_yet="Not yet: no order is known.",
        )
    last = np.datetime64(as_of)
    days = np.array([last - np.timedelta64(i, "D") for i in range(28)])
    by_day = demand.groupby(demand["day"].to_numpy("datetime64[D]"))["revenue_minor"]
    daily = by_day.sum().reindex(days, fill_value=0).to_numpy(dtype=float)
    draws = np.random.default_rng(seed).choice(daily, size=(2000, 28)).sum(axis=1)
    low, high = np.quantile(draws, [0.025, 0.975])
    return Figure(
        label="Revenue, 28 days",
        value=float(daily.sum()),
        unit="minor",
        definition=definition,
        low=float(low),
        high=float(high),
    )


def _repeat_share(tables: Mapping[str, pa.Table]) -> Figure:
    definition = "Customers with orders on two or more days, of all with an order."
    rhythm = _frame(tables, "rhythm")
    return _share(
        "Repeat customers",
        definition,
        None if rhythm is None else (rhythm["order_days"] >= 2).to_numpy(),
        "Not yet: no order carries a customer.",
    )


def _stock_outs(tables: Mapping[str, pa.Table]) -> Figure:
    definition = "Variants with a stock count whose last count is zero or less."
    stock = _frame(tables, "stock")
    known = None if stock is None else stock["on_hand_units"].dropna()
    return _share(
        "Sold out",
        definition,
        None if known is None else (known <= 0).to_numpy(),
        "Not yet: no stock count is known. Import inventory_levels.",
    )


def _known_costs(tables: Mapping[str, pa.Table]) -> Figure:
    definition = "Variants whose unit cost is known; without it no margin is computed."
    catalogue = _frame(tables, "catalogue")
    margin = _frame(tables, "margin")
    if catalogue is None:
        mask = None
    else:
        priced = set() if margin is None else _with_cost(margin)
        mask = catalogue["variant_id"].isin(priced).to_numpy()
    return _share("Costs known", definition, mask, "Not yet: no product is known.")


def _with_cost(margin: pd.DataFrame) -> set[str]:
    return set(margin.loc[margin["cost_minor"].notna(), "variant_id"])


def _realised_coverage(tables: Mapping[str, pa.Table]) -> Figure:
    definition = (
        "Earlier forecasts whose 80 % interval held what was sold in the 28 days after."
    )
    outcomes = _frame(tables, "outcomes")
    ripe = None
    if outcomes is not None:
        ripe = outcomes[outcomes["metric"] == "units_28d"].dropna(subset=["actual"])
    held = (
        None
        if ripe is None or ripe.empty
        else ripe["actual"].between(ripe["low"], ripe["high"]).to_numpy()
    )
    return _share(
        "Forecasts that held",
        definition,
        held,
        "Not yet: the first figures come 28 days after the first turn.",
    )


def _share(
    label: str, definition: str, mask: np.ndarray | None, not_yet: str
) -> Figure:
    if mask is None or mask.size == 0:
        return Figure(
            label=label,
            value=None,
            unit="share",
            definition=definition,
            not_yet=not_yet,
        )
    low, high = wilson(int(mask.sum()), int(mask.size))
    return Figure(
        label=label,
        value=float(mask.mean()),
        unit="share",
        definition=definition,
        low=low,
        high=high,
    )
