"""Forecast: how many units of each variant will be wanted, and how sure that is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from cartwheel.levers import conformal
from cartwheel.levers.base import (
    Autonomy,
    Decision,
    Floor,
    Group,
    Kind,
    Model,
    Need,
    Prediction,
    Rule,
)
from cartwheel.levers.forecast import choose as chooser
from cartwheel.levers.forecast import page as forecast_page
from cartwheel.levers.forecast import weekly_models
from cartwheel.levers.forecast.adjust import price_factors, realised_tails
from cartwheel.levers.forecast.panel import Panel, read_panel
from cartwheel.levers.report import Report
from cartwheel.signals.base import Signal, Signals
from cartwheel.signals.catalogue import CATALOGUE
from cartwheel.signals.demand import DEMAND
from cartwheel.signals.intent import INTENT
from cartwheel.signals.learned import FORECAST, OUTCOMES, PRICE_PLAN
from cartwheel.signals.price import PRICE_HISTORY

if TYPE_CHECKING:
    import pyarrow as pa

HORIZONS_DAYS = tuple(7 * weeks for weeks in chooser.HORIZONS_WEEKS)
METRIC = "units_28d"
KIND = "forecast_plan"
RECENT_WEEKS = 26
CHARTS = 30
CHART_WEEKS = 12
RULE = "last 28 days"


class Forecast:
    """Forecasts demand totals with intervals, by the method its backtest prefers."""

    name = "forecast"
    title = "Demand forecast"
    group = Group.VALUE_CHAIN
    reads: tuple[Signal, ...] = (
        DEMAND,
        INTENT,
        CATALOGUE,
        PRICE_PLAN,
        PRICE_HISTORY,
        OUTCOMES,
    )
    writes: tuple[Signal, ...] = (FORECAST,)
    kinds = (
        Kind(
            name=KIND,
            title="Demand plan",
            autonomy=Autonomy.AUTO,
            expires_days=28,
        ),
    )
    floor = Floor(
        needs=(
            Need(
                what="weeks of sales history",
                at_least=8,
                count=lambda data: _history(data)[0],
            ),
            Need(
                what="days with a sale",
                at_least=30,
                count=lambda data: _history(data)[1],
            ),
        ),
        meanwhile="Expects the pace of the last 28 days to go on.",
    )

    def learn(self, data: Signals, previous: Model | None, *, seed: int) -> Model:
        """Backtest the candidates, choose by class of variants, and forecast."""
        panel = read_panel(data)
        cases = chooser.collect(panel, seed=seed) if panel.weeks >= 8 else None
        if cases is None or not np.isfinite(cases.actual[:, chooser.MONTH]).any():
            return _last_28_model(data, panel)
        chosen = chooser.choose(cases)
        score = chooser.score(cases)
        tails, realised = realised_tails(data)
        group = chooser.classify(panel.units, panel.start)
        found = weekly_models.candidates(
            panel.units,
            panel.start,
            chooser.features_at(panel, panel.weeks),
            seed=seed,
        )
        shape = (len(panel.variants), len(HORIZONS_DAYS))
        mean = np.zeros(shape)
        spread = np.zeros((*shape, len(conformal.LEVELS)))
        for position, choice in chosen.items():
            rows = np.flatnonzero(group == position)
            predicted = chooser.totals(found[choice.method][rows])
            for h in range(len(HORIZONS_DAYS)):
                point = predicted[:, h]
                drift = conformal.scale(point, choice.power) * choice.drift[h]
                mean[rows, h] = np.maximum(point + drift, 0.0)
                spread[rows, h] = conformal.quantiles(
                    point, choice.pooled[h], choice.power, tails=tails
                )
        meta = {
            "methods": [chosen[g].method for g in range(len(chooser.CLASSES))],
            "table": chooser.table(cases),
            "backtest": forecast_page.backtest_figures(score, seed=seed),
            "origins": len(np.unique(cases.origin)),
            "tails": {"lower": tails.lower, "upper": tails.upper},
            "realised": realised,
        }
        return _model("chosen by backtest", data, panel, group, mean, spread, meta)

    def emit(self, model: Model, data: Signals) -> Mapping[str, pa.Table]:
        """Write the totals of 7, 14, 28 and 56 days of every variant."""
        import pyarrow as pa

        ids = model.arrays["variants"]
        levels = [f"q{round(100 * level)}_units" for level in conformal.LEVELS]
        spread = model.arrays["quantiles"].reshape(-1, len(levels))
        columns: dict[str, Any] = {
            "variant_id": np.repeat(ids, len(HORIZONS_DAYS)).tolist(),
            "horizon_days": list(HORIZONS_DAYS) * len(ids),
            "mean_units": model.arrays["mean"].ravel(),
        }
        columns |= {name: spread[:, i] for i, name in enumerate(levels)}
        table = pa.table(columns, schema=FORECAST.schema())
        return {FORECAST.name: FORECAST.conform(table)}

    def decide(self, model: Model, data: Signals, *, seed: int) -> Iterable[Decision]:
        """Publish the 28-day plan of every active variant that sold in 26 weeks."""
        arrays = model.arrays
        wanted = arrays["active"] & (arrays["recent_units"] > 0)
        return [_plan(model, int(row)) for row in np.flatnonzero(wanted)]

    def fallback(self) -> Rule:
        """Expect the pace of the last 28 days to go on."""
        return Rule(
            name=RULE,
            doc="Expects the pace of the last 28 days to go on.",
            model=lambda data: _last_28_model(data, read_panel(data)),
        )

    def report(self, model: Model, data: Signals) -> Report:
        """Show accuracy against seasonal naive, coverage, and the top charts."""
        return forecast_page.page(model, data)


def _history(data: Signals) -> tuple[float, float]:
    """Return weeks since the first sale and days with a sale."""
    import pandas as pd

    demand = data.frame(DEMAND)
    days = demand.loc[demand["units"] > 0, "day"]
    if days.empty:
        return 0.0, 0.0
    span = (pd.Timestamp(data.context.when.as_of) - days.min()).days + 1
    return span / 7, float(days.nunique())


def _last_28_model(data: Signals, panel: Panel) -> Model:
    """Compound Poisson-gamma forecast from the pace of the last 28 days.

    Customers arrive at an unknown pace and take several units each, so the total is a
    bulk size times a negative binomial. A prior worth half a unit and a fifth of a
    week keeps a variant with no sale in 28 days above zero.
    """
    from scipy.stats import nbinom

    n = len(panel.variants)
    seen = np.clip(panel.weeks - panel.start, 1, 4)
    total = panel.units[:, -4:].sum(axis=1) if n else np.zeros(0)
    bulk = _bulk_sizes(panel)
    shape_of = total / bulk + 0.5 / np.maximum(bulk, 1.0)
    rate = seen + 0.2
    mean = np.zeros((n, len(HORIZONS_DAYS)))
    spread = np.zeros((n, len(HORIZONS_DAYS), len(conformal.LEVELS)))
    for h, weeks in enumerate(chooser.HORIZONS_WEEKS):
        mean[:, h] = bulk * shape_of * weeks / rate
        share = rate / (rate + weeks)
        for q, level in enumerate(conformal.LEVELS):
            spread[:, h, q] = bulk * nbinom.ppf(level, shape_of, share)
    group = chooser.classify(panel.units, panel.start) if n else np.zeros(0, int)
    _, realised = realised_tails(data)
    meta = {
        "methods": [RULE] * len(chooser.CLASSES),
        "table": [],
        "backtest": {},
        "origins": 0,
        "tails": {"lower": 0.1, "upper": 0.1},
        "realised": realised,
    }
    return _model(RULE, data, panel, group, mean, spread, meta)


def _bulk_sizes(panel: Panel) -> np.ndarray:
    """Units that move together, shape (n,): variance over mean of weekly units.

    In a compound Poisson total this ratio is the mean squared order over the mean
    order. Swings of the pace itself make it larger, which errs on the wide side.
    Each variant's ratio is shrunk towards the shop's by the weeks it sold in.
    """
    recent = panel.units[:, -RECENT_WEEKS:]
    if not recent.size:
        return np.ones(len(recent))
    centre = recent.mean(axis=1, keepdims=True)
    variance, mean = ((recent - centre) ** 2).sum(axis=1), recent.sum(axis=1)
    shop = float(variance.sum() / max(float(mean.sum()), 1e-9))
    weeks = (recent > 0).sum(axis=1)
    own = variance / np.maximum(mean, 1e-9)
    shrunk = (weeks * own + 3 * min(shop, 10.0)) / (weeks + 3)
    return np.asarray(np.maximum(shrunk, 1.0))


def _model(
    rule: str,
    data: Signals,
    panel: Panel,
    group: np.ndarray,
    mean: np.ndarray,
    spread: np.ndarray,
    meta: dict[str, Any],
) -> Model:
    factor = price_factors(data, panel, HORIZONS_DAYS)
    spread = np.maximum.accumulate(spread, axis=2) * factor[:, :, None]
    top = np.lexsort((panel.variants, -panel.revenue))[:CHARTS]
    arrays = {
        "variants": panel.variants,
        "active": panel.active,
        "class": group.astype(np.int64),
        "mean": mean * factor,
        "quantiles": spread,
        "price_factor": factor[:, chooser.MONTH] if len(factor) else np.zeros(0),
        "last_28": panel.sold[:, -4:].sum(axis=1),
        "previous_28": panel.sold[:, -8:-4].sum(axis=1),
        "recent_units": panel.sold[:, -RECENT_WEEKS:].sum(axis=1),
        "out_28": panel.out_days[:, -4:].sum(axis=1),
        "attempts_28": panel.attempts[:, -4:].sum(axis=1),
        "attempts_before": panel.attempts[:, -8:-4].sum(axis=1),
        "top": top.astype(np.int64),
        "top_weeks": panel.sold[top, -CHART_WEEKS:],
    }
    meta = {**meta, "as_of": panel.as_of.isoformat(), "weeks": panel.weeks}
    return Model(rule=rule, arrays=arrays, meta=meta)


def _plan(model: Model, row: int) -> Decision:
    arrays = model.arrays
    spread = arrays["quantiles"][row, chooser.MONTH]
    low, middle, high = whole_interval(spread[0], spread[1], spread[3])
    sold = round(float(arrays["last_28"][row]))
    reason = (
        f"Sold {sold:,} in the last 28 days, {middle:,} expected in the next 28 "
        f"({low:,} to {high:,}){_because(model, row)}."
    )
    group = int(arrays["class"][row])
    return Decision(
        kind=KIND,
        subject=f"variant:{arrays['variants'][row]}",
        action={
            "horizon_days": 28,
            "units": middle,
            "low_units": low,
            "high_units": high,
        },
        reason=reason,
        predicted=Prediction(
            metric=METRIC, value=float(middle), low=float(low), high=float(high)
        ),
        evidence={
            "method": model.meta["methods"][group],
            "class": chooser.CLASSES[group],
            "mean_units": round(float(arrays["mean"][row, chooser.MONTH]), 2),
            "sold_last_28_units": sold,
            "sold_28_before_units": round(float(arrays["previous_28"][row])),
            "out_of_stock_days": round(float(arrays["out_28"][row])),
            "price_factor": round(float(arrays["price_factor"][row]), 3),
        },
    )


def whole_interval(low: float, middle: float, high: float) -> tuple[int, int, int]:
    """Return the interval in whole units, low <= middle <= high.

    Rounding inwards loses no whole number that was inside, so coverage stays.
    """
    centre = round(float(middle))
    inner_low = int(np.ceil(low - 1e-9))
    inner_high = int(np.floor(high + 1e-9))
    return min(inner_low, centre), centre, max(inner_high, centre)


def _because(model: Model, row: int) -> str:
    arrays = model.arrays
    parts = []
    now = float(arrays["attempts_28"][row])
    before = float(arrays["attempts_before"][row])
    if now + before >= 20 and before > 0 and abs(now / before - 1) >= 0.1:
        change = now / before - 1
        parts.append(
            f"cart attempts {'up' if change > 0 else 'down'} {abs(change):.0%}"
        )
    out = round(float(arrays["out_28"][row]))
    if out:
        parts.append(f"sold out on {out} days, counted at its usual pace")
    factor = float(arrays["price_factor"][row])
    if abs(factor - 1) >= 0.01:
        more = "more" if factor > 1 else "less"
        parts.append(f"{abs(factor - 1):.0%} {more} because of the planned price")
    return "".join(f"; {part}" for part in parts)
