"""Published forecast plans against what sold, beside simple forecasts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from cartwheel.measure import resample
from cartwheel.measure.hindsight import FORECAST_DAYS, Past, not_yet

LEVELS = (0.1, 0.5, 0.9)


def judge_forecast(past: Past) -> dict[str, Any]:
    """Judge the published 28-day plans against simple forecasts."""
    plans = [p for p in past.plans.get("forecast_plan", []) if p["predicted"]]
    if not plans:
        return not_yet("not yet: the turn published no forecast plan")
    if why := past.missing(FORECAST_DAYS):
        return not_yet(why)
    variants = [p["subject"].partition(":")[2] for p in plans]
    found = np.array(
        [[p["predicted"][k] for k in ("low", "value", "high")] for p in plans]
    )
    actual = _units(past, variants, 0, FORECAST_DAYS)
    if actual.sum() <= 0:
        return not_yet("not yet: nothing sold in the 28 days after the turn")
    naive, name = _seasonal_naive(past, variants)
    last_28 = _units(past, variants, -FORECAST_DAYS, 0)
    reference = _naive_quantiles(past, variants, naive)
    seed = past.seed
    errors = {
        "forecast": np.abs(actual - found[:, 1]),
        "seasonal_naive": np.abs(actual - naive),
        "last_28_days": np.abs(actual - last_28),
        "last_week": np.abs(actual - 4 * _units(past, variants, -7, 0)),
    }
    losses = {
        "forecast": _quantile_loss(actual, found),
        "seasonal_naive": _quantile_loss(actual, reference),
    }
    inside = (actual >= found[:, 0]) & (actual <= found[:, 2])
    return {
        "variants": len(variants),
        "units": float(actual.sum()),
        "seasonal_naive_is": name,
        "wape": _ratios(errors, actual, seed),
        "wape_less_naive": _ratio_gap(errors, actual, seed),
        "wql": _ratios(losses, actual, seed),
        "wql_less_naive": _ratio_gap(losses, actual, seed),
        "interval_level": 0.8,
        "interval_held": resample.mean(inside.astype(float), seed=seed).to_json(),
        "below": float((actual < found[:, 0]).mean()),
        "above": float((actual > found[:, 2]).mean()),
    }


def _ratios(
    errors: Mapping[str, np.ndarray], actual: np.ndarray, seed: int
) -> dict[str, Any]:
    return {
        name: resample.ratio(error, actual, seed=seed).to_json()
        for name, error in errors.items()
    }


def _ratio_gap(
    errors: Mapping[str, np.ndarray], actual: np.ndarray, seed: int
) -> dict[str, float]:
    gap = errors["forecast"] - errors["seasonal_naive"]
    return resample.ratio(gap, actual, seed=seed).to_json()


def _units(past: Past, variants: list[str], begin: int, end: int) -> np.ndarray:
    """Units sold from `begin` to `end` days after the as-of day, shape (n,)."""
    import pandas as pd

    demand = past.now["demand"]
    since = (demand["day"] - pd.Timestamp(past.as_of)).dt.days
    inside = demand[(since > begin) & (since <= end)]
    sums = inside.groupby("variant_id")["units"].sum()
    return np.asarray(sums.reindex(variants).fillna(0).to_numpy(dtype=float))


def _seasonal_naive(past: Past, variants: list[str]) -> tuple[np.ndarray, str]:
    import pandas as pd

    first = past.now["demand"]["day"].min()
    if (pd.Timestamp(past.as_of) - first).days >= 364:
        return (
            _units(past, variants, -364, -364 + FORECAST_DAYS),
            "the same 28 days a year before",
        )
    return _units(past, variants, -FORECAST_DAYS, 0), "the 28 days before"


def _naive_quantiles(past: Past, variants: list[str], naive: np.ndarray) -> np.ndarray:
    """Quantiles of seasonal naive from its own errors a month before, shape (n, 3)."""
    last = _units(past, variants, -FORECAST_DAYS, 0)
    before = _units(past, variants, -2 * FORECAST_DAYS, -FORECAST_DAYS)
    residual = (last - before) / (before + 1) ** 0.75
    at = np.quantile(residual, LEVELS)
    found = naive[:, None] + (naive[:, None] + 1) ** 0.75 * at
    return np.asarray(np.maximum(found, 0.0))


def _quantile_loss(actual: np.ndarray, found: np.ndarray) -> np.ndarray:
    gap = actual[:, None] - found
    level = np.asarray(LEVELS)
    return np.asarray((2 * np.maximum(level * gap, (level - 1) * gap)).mean(axis=1))
