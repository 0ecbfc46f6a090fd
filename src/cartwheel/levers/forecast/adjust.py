"""What the forecast takes from other parts: planned prices and past outcomes."""

from __future__ import annotations

from typing import Any

import numpy as np

from cartwheel.levers.conformal import Tails, adapt
from cartwheel.levers.forecast.panel import Panel
from cartwheel.signals.base import Signals
from cartwheel.signals.learned import OUTCOMES, PRICE_PLAN
from cartwheel.signals.price import PRICE_HISTORY

FACTOR_LIMITS = (0.5, 2.0)
METRIC = "units_28d"


def price_factors(
    data: Signals, panel: Panel, horizons_days: tuple[int, ...]
) -> np.ndarray:
    """Factor on demand from planned price changes, shape (n, horizons).

    (1 + change) ** elasticity, kept between 0.5 and 2, weighted by the share of the
    horizon in which the new price holds. Once part of the change shows in the prices
    paid in the last 28 days, only the rest of it counts.
    """
    import pandas as pd

    factors = np.ones((len(panel.variants), len(horizons_days)))
    if data.table(PRICE_PLAN).num_rows == 0 or not len(panel.variants):
        return factors
    plan = data.align(PRICE_PLAN, panel.variants.tolist())
    change = plan["change_share"].to_numpy(dtype=float)
    elasticity = pd.to_numeric(plan["elasticity"]).to_numpy(dtype=float)
    target = pd.to_numeric(plan["price_minor"]).to_numpy(dtype=float)
    left = target / _recent_price(data, panel) - 1
    rest = np.clip(left, np.minimum(change, 0), np.maximum(change, 0))
    change = np.where(np.isfinite(left), rest, change)
    usable = np.isfinite(elasticity) & np.isfinite(change) & (change > -0.95)
    base = np.where(usable, 1 + change, 1.0)
    full = np.clip(base ** np.where(usable, elasticity, 0.0), *FACTOR_LIMITS)
    wait = (pd.to_datetime(plan["from_on"]) - pd.Timestamp(panel.as_of)).dt.days - 1
    wait_days = np.clip(wait.fillna(0).to_numpy(dtype=float), 0, None)
    for position, horizon in enumerate(horizons_days):
        share = np.clip((horizon - wait_days) / horizon, 0, 1)
        factors[:, position] = 1 + share * (full - 1)
    return factors


def _recent_price(data: Signals, panel: Panel) -> np.ndarray:
    """Mean price paid in the last 4 weeks with a sale, NaN when unknown."""
    import pandas as pd

    history = data.frame(PRICE_HISTORY)
    since = pd.Timestamp(panel.as_of) - pd.Timedelta(days=28)
    recent = history[(history["week"] > since) & (history["units"] > 0)]
    recent = recent.dropna(subset=["price_minor"])
    paid = recent["price_minor"].astype(float) * recent["units"]
    sums = paid.groupby(recent["variant_id"]).sum()
    units = recent.groupby("variant_id")["units"].sum()
    mean = (sums / units).reindex(panel.variants)
    return np.asarray(mean.to_numpy(dtype=float))


def realised_tails(data: Signals) -> tuple[Tails, dict[str, Any]]:
    """Return the tails to use now, and how earlier published plans turned out."""
    outcomes = data.frame(OUTCOMES)
    met = outcomes[
        (outcomes["lever"] == "forecast") & (outcomes["metric"] == METRIC)
    ].dropna(subset=["measured_on", "low", "high", "actual"])
    if met.empty:
        return Tails(), {"outcomes": 0}
    batches = []
    for _, batch in met.groupby("measured_on", sort=True):
        below = float((batch["actual"] < batch["low"]).mean())
        above = float((batch["actual"] > batch["high"]).mean())
        batches.append((below, above, len(batch)))
    inside = (met["actual"] >= met["low"]) & (met["actual"] <= met["high"])
    size = float(met["actual"].sum())
    error = float((met["actual"] - met["predicted"]).abs().sum())
    count = len(met)
    share = float(inside.mean())
    half = 1.96 * float(np.sqrt(max(share * (1 - share), 1e-9) / count))
    return adapt(batches), {
        "outcomes": count,
        "coverage": share,
        "coverage_low": max(0.0, share - half),
        "coverage_high": min(1.0, share + half),
        "wape": error / size if size > 0 else None,
    }
