"""Candidate forecasts of weekly demand, from statsforecast, mlforecast and LightGBM.

Every candidate answers the same question: units in each of the next 8 weeks for every
variant, from a panel cut at an origin. Which one is used is decided by backtest.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

HORIZON_WEEKS = 8
YEAR = 52

LAST_28 = "last 28 days"
LAST_YEAR = "last year"
BOOSTED = "LightGBM"
SBA = "Croston SBA"
IMAPA_NAME = "IMAPA"
LAST_8 = "last 8 weeks"

BLENDS: dict[str, tuple[str, ...]] = {
    "mean of LightGBM and last 8 weeks": (BOOSTED, LAST_8),
    "mean of LightGBM and IMAPA": (BOOSTED, IMAPA_NAME),
    "mean of LightGBM and last year": (BOOSTED, LAST_YEAR),
    "mean of IMAPA and last 28 days": (IMAPA_NAME, LAST_28),
}


def candidates(
    units: np.ndarray, start: np.ndarray, features: dict[str, np.ndarray], *, seed: int
) -> dict[str, np.ndarray]:
    """Return every candidate's forecast of the next 8 weeks, each shape (n, 8).

    Args:
        units: Units a week up to the origin, shape (n, weeks).
        start: First week of each series, shape (n,).
        features: Weekly values known at the origin, each shape (n, weeks).
        seed: Seed of the boosted trees.
    """
    found = statistical(units, start)
    if boostable(units, start):
        found[BOOSTED] = boosted(units, start, features, seed=seed)
    for name, parts in BLENDS.items():
        if all(part in found for part in parts):
            found[name] = np.mean([found[part] for part in parts], axis=0)
    return found


def statistical(units: np.ndarray, start: np.ndarray) -> dict[str, np.ndarray]:
    """Forecast every series on its own; shape (n, 8) by candidate name."""
    from statsforecast.models import (
        IMAPA,
        TSB,
        CrostonSBA,
        HistoricAverage,
        SeasonalNaive,
        WindowAverage,
    )

    models: dict[str, Any] = {
        LAST_28: WindowAverage(window_size=4),
        LAST_8: WindowAverage(window_size=8),
        SBA: CrostonSBA(),
        "TSB": TSB(alpha_d=0.2, alpha_p=0.2),
        IMAPA_NAME: IMAPA(),
        "mean": HistoricAverage(),
    }
    if units.shape[1] > YEAR:
        models[LAST_YEAR] = SeasonalNaive(season_length=YEAR)
    first = _first_weeks(start, units.shape[1])
    found = {name: np.empty((len(units), HORIZON_WEEKS)) for name in models}
    # Series by series: a long frame of them costs more than the models do.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for row, (own, begin) in enumerate(zip(units, first.tolist(), strict=True)):
            y = np.ascontiguousarray(own[begin:], float)
            for name, model in models.items():
                found[name][row] = model.forecast(y=y, h=HORIZON_WEEKS)["mean"]
    # A series shorter than a model's window has no forecast there: its mean stands.
    mean = np.nan_to_num(found.pop("mean"))
    return {
        name: np.maximum(np.where(np.isfinite(values), values, mean), 0.0)
        for name, values in found.items()
    }


def boostable(units: np.ndarray, start: np.ndarray) -> bool:
    """Whether there is enough history for a model over all series."""
    long_enough = units.shape[1] - start >= 16
    return int(long_enough.sum()) >= 30 and float((units > 0).sum()) >= 1_000


def boosted(
    units: np.ndarray, start: np.ndarray, features: dict[str, np.ndarray], *, seed: int
) -> np.ndarray:
    """Forecast all series by one LightGBM over lags, shape (n, 8).

    `features` enter with the value of the week before; the weeks ahead keep the last
    known value.
    """
    from lightgbm import LGBMRegressor
    from mlforecast import MLForecast
    from mlforecast.lag_transforms import ExpandingMean, RollingMean

    trees = LGBMRegressor(
        objective="tweedie",
        tweedie_variance_power=1.2,
        n_estimators=120,
        num_leaves=31,
        learning_rate=0.06,
        max_bin=63,
        min_child_samples=40,
        colsample_bytree=0.8,
        deterministic=True,
        force_row_wise=True,
        num_threads=1,
        seed=seed % 2**31,
        verbosity=-1,
    )
    weeks = units.shape[1]
    lags = [1, 2, 3, 4, 6, 8] + ([YEAR] if weeks >= YEAR + 26 else [])
    forecaster = MLForecast(
        models={"trees": trees},
        freq=1,
        lags=lags,
        lag_transforms={
            1: [
                RollingMean(window_size=4, min_samples=1),
                RollingMean(window_size=13, min_samples=1),
                ExpandingMean(),
            ],
            5: [RollingMean(window_size=8, min_samples=1)],
        },
        num_threads=1,
    )
    frame = long_frame(units, start)
    at = frame["unique_id"].to_numpy(), frame["ds"].to_numpy()
    ahead = _ahead(len(units), weeks)
    for name, values in features.items():
        before = np.concatenate([values[:, :1], values[:, :-1]], axis=1)
        frame[name] = before[at]
        ahead[name] = np.repeat(values[:, -1], HORIZON_WEEKS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        forecaster.fit(frame, static_features=[], dropna=False)
        table = forecaster.predict(HORIZON_WEEKS, X_df=ahead if features else None)
    table = table.sort_values(["unique_id", "ds"])
    values = table["trees"].to_numpy(dtype=float).reshape(-1, HORIZON_WEEKS)
    return np.asarray(np.maximum(values, 0.0))


def long_frame(units: np.ndarray, start: np.ndarray) -> pd.DataFrame:
    """Return the long frame that the libraries read, from each series' start on."""
    import pandas as pd

    weeks = units.shape[1]
    first = _first_weeks(start, weeks)
    keep = np.arange(weeks)[None, :] >= first[:, None]
    rows, columns = np.nonzero(keep)
    return pd.DataFrame({"unique_id": rows, "ds": columns, "y": units[rows, columns]})


def _first_weeks(start: np.ndarray, weeks: int) -> np.ndarray:
    """Return where each series begins; the libraries need two values of every one."""
    return np.asarray(np.minimum(start, max(weeks - 2, 0)))


def _ahead(n: int, weeks: int) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(
        {
            "unique_id": np.repeat(np.arange(n), HORIZON_WEEKS),
            "ds": np.tile(np.arange(weeks, weeks + HORIZON_WEEKS), n),
        }
    )
