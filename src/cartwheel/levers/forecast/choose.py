"""The forecast lever's own rolling backtest: which method, and how sure it is.

At several earlier days every candidate forecasts from what was known then. For each
class of variants (new, thin, regular) the candidate with the lowest weighted quantile
loss of 28-day totals is chosen; mean RMSSE is not used, because on thin series it
rewards forecasting nothing. The published figures are nested: each origin is judged
with the method and the residuals of the other origins.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from cartwheel.levers import conformal
from cartwheel.levers.forecast import weekly_models
from cartwheel.levers.forecast.panel import Panel

HORIZONS_WEEKS = (1, 2, 4, 8)
MONTH = 2  # position of 4 weeks in HORIZONS_WEEKS
CLASSES = ("new", "thin", "regular")
ORIGIN_WEEKS = (4, 8, 12, 16, 20, 24)
ENOUGH_CASES = 60
MOST_OUT_SHARE = 0.25
QUANTILES = (0.1, 0.5, 0.9)
NAIVE = "seasonal naive"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cases:
    """Backtest cases, one per variant and origin.

    Attributes:
        row: Row of the variant in the panel, shape (m,).
        origin: Weeks before the as-of day, shape (m,).
        group: Position in CLASSES, shape (m,).
        actual: Totals in units, shape (m, 4); NaN where the horizon is not over or
            the variant was stocked out too often to know.
        naive: Seasonal naive total of 28 days, shape (m,).
        predicted: Totals by candidate, each shape (m, 4).
    """

    row: np.ndarray
    origin: np.ndarray
    group: np.ndarray
    actual: np.ndarray
    naive: np.ndarray
    predicted: Mapping[str, np.ndarray]


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What was chosen for one class of variants.

    Attributes:
        method: Candidate.
        power: Power of the residual scale.
        pooled: Quantiles of scaled residuals by horizon, shape (4, grid).
        drift: Mean of scaled residuals by horizon, extremes cut, shape (4,).
    """

    method: str
    power: float
    pooled: np.ndarray
    drift: np.ndarray


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """Nested backtest of 28-day totals, per case.

    Attributes:
        row: Row of the variant, shape (m,).
        actual: Units, shape (m,).
        median: Predicted median, shape (m,).
        naive: Seasonal naive, shape (m,).
        last: Total of the 28 days before, shape (m,).
        inside: Outcome within the 80 % interval, shape (m,).
        loss: Weighted quantile loss in units, shape (m,).
        naive_loss: The same of seasonal naive with its own residuals.
    """

    row: np.ndarray
    actual: np.ndarray
    median: np.ndarray
    naive: np.ndarray
    last: np.ndarray
    inside: np.ndarray
    loss: np.ndarray
    naive_loss: np.ndarray


def classify(units: np.ndarray, start: np.ndarray) -> np.ndarray:
    """Return the class of every variant at an origin, as positions in CLASSES.

    "new": under 8 weeks of history. "regular": sold in at least half of its last 26
    weeks. "thin": the rest.
    """
    weeks = units.shape[1]
    age = weeks - start
    recent = units[:, -26:]
    seen = np.minimum(age, recent.shape[1])
    share = (recent > 0).sum(axis=1) / np.maximum(seen, 1)
    return np.where(age < 8, 0, np.where(share < 0.5, 1, 2))


def features_at(panel: Panel, week: int) -> dict[str, np.ndarray]:
    """Return weekly features up to a week; those that never vary are left out."""
    found = {}
    ratio = panel.list_ratio[:, :week]
    if ratio.size and np.ptp(ratio) > 1e-6:
        found["list_ratio"] = ratio
    attempts = panel.attempts[:, :week]
    if attempts.any():
        found["attempts"] = np.log1p(_mean_before(attempts, 2))
        found["attempts_trend"] = np.log(
            (_mean_before(attempts, 2) + 0.5) / (_mean_before(attempts, 8) + 0.5)
        )
    return found


def _mean_before(values: np.ndarray, window: int) -> np.ndarray:
    total = np.cumsum(values, axis=1)
    total = np.concatenate([np.zeros((len(values), 1)), total], axis=1)
    end = np.arange(1, values.shape[1] + 1)
    begin = np.maximum(end - window, 0)
    return np.asarray((total[:, end] - total[:, begin]) / (end - begin))


def totals(weekly: np.ndarray) -> np.ndarray:
    """Return totals of 7, 14, 28 and 56 days, shape (n, 4), from (n, 8)."""
    return np.stack([weekly[:, :h].sum(axis=1) for h in HORIZONS_WEEKS], axis=1)


def origins(weeks: int) -> tuple[int, ...]:
    """Return the backtest's origins in weeks before the as-of day.

    Each leaves at least 12 weeks to learn from; a shop with less is judged once.
    """
    usable = tuple(o for o in ORIGIN_WEEKS if weeks - o >= 12)
    return usable or ((4,) if weeks >= 8 else ())


def collect(panel: Panel, *, seed: int) -> Cases | None:
    """Forecast from every origin; None when the history is too short for one."""
    parts = [_at_origin(panel, o, seed=seed) for o in origins(panel.weeks)]
    parts = [part for part in parts if len(part.row)]
    if not parts:
        return None
    shared = set.intersection(*(set(part.predicted) for part in parts))
    names = [name for name in parts[0].predicted if name in shared]
    return Cases(
        row=np.concatenate([part.row for part in parts]),
        origin=np.concatenate([part.origin for part in parts]),
        group=np.concatenate([part.group for part in parts]),
        actual=np.concatenate([part.actual for part in parts]),
        naive=np.concatenate([part.naive for part in parts]),
        predicted={
            name: np.concatenate([part.predicted[name] for part in parts])
            for name in names
        },
    )


def _at_origin(panel: Panel, origin: int, *, seed: int) -> Cases:
    week = panel.weeks - origin
    units = panel.units[:, :week]
    rows = np.flatnonzero((panel.start < week) & (units.sum(axis=1) > 0))
    features = {k: v[rows] for k, v in features_at(panel, week).items()}
    found = (
        weekly_models.candidates(units[rows], panel.start[rows], features, seed=seed)
        if len(rows)
        else {}
    )
    return Cases(
        row=rows,
        origin=np.full(len(rows), origin),
        group=classify(units[rows], panel.start[rows]),
        actual=_actual(panel, rows, week),
        naive=seasonal_naive(units[rows]),
        predicted={name: totals(values) for name, values in found.items()},
    )


def seasonal_naive(units: np.ndarray) -> np.ndarray:
    """Total of the same 28 days a year ago; of the last 28 without a full year."""
    if units.shape[1] >= weekly_models.YEAR:
        begin = units.shape[1] - weekly_models.YEAR
        return np.asarray(units[:, begin : begin + 4].sum(axis=1))
    return np.asarray(units[:, -4:].sum(axis=1))


def _actual(panel: Panel, rows: np.ndarray, week: int) -> np.ndarray:
    found = np.full((len(rows), len(HORIZONS_WEEKS)), np.nan)
    for position, horizon in enumerate(HORIZONS_WEEKS):
        if week + horizon > panel.weeks:
            continue
        window = slice(week, week + horizon)
        out = panel.out_days[rows, window].sum(axis=1) / (7 * horizon)
        total = panel.units[rows, window].sum(axis=1)
        found[:, position] = np.where(out <= MOST_OUT_SHARE, total, np.nan)
    return found


def choose(cases: Cases, use: np.ndarray | None = None) -> dict[int, Choice]:
    """Choose method and scale by class, from the cases marked in `use`."""
    known = np.isfinite(cases.actual[:, MONTH])
    use = known if use is None else use & known
    return {
        group: _choose_one(cases, _enough(cases, use, group))
        for group in range(len(CLASSES))
    }


def _enough(cases: Cases, use: np.ndarray, group: int) -> np.ndarray:
    own = use & (cases.group == group)
    return own if own.sum() >= ENOUGH_CASES else use


def _choose_one(cases: Cases, use: np.ndarray) -> Choice:
    actual = cases.actual[use, MONTH]
    best = (np.inf, weekly_models.LAST_28, conformal.POWERS[0])
    for name, predicted in cases.predicted.items():
        for power in conformal.POWERS:
            month = predicted[use, MONTH]
            found = conformal.crossed(actual, month, cases.origin[use], power)
            loss = conformal.pinball(actual, found, QUANTILES)
            best = min(best, (loss, name, power))
    _, name, power = best
    pooled, drift = _residuals(cases, use, name, power)
    return Choice(method=name, power=power, pooled=pooled, drift=drift)


def _residuals(
    cases: Cases, use: np.ndarray, name: str, power: float
) -> tuple[np.ndarray, np.ndarray]:
    pooled = np.zeros((len(HORIZONS_WEEKS), len(conformal.GRID)))
    drift = np.zeros(len(HORIZONS_WEEKS))
    for position in (MONTH, 0, 1, 3):
        known = use & np.isfinite(cases.actual[:, position])
        if known.sum() < 2:
            # Not over yet at any origin: the month's residuals stand in.
            pooled[position], drift[position] = pooled[MONTH], drift[MONTH]
            continue
        actual = cases.actual[known, position]
        predicted = cases.predicted[name][known, position]
        pooled[position] = conformal.residual_quantiles(actual, predicted, power)
        residual = (actual - predicted) / conformal.scale(predicted, power)
        low, high = np.quantile(residual, [0.01, 0.99])
        drift[position] = np.clip(residual, low, high).mean()
    return pooled, drift


def score(cases: Cases) -> Score:
    """Judge each origin by what the other origins would have chosen."""
    known = np.isfinite(cases.actual[:, MONTH])
    found = np.full((len(known), 3), np.nan)
    several = len(np.unique(cases.origin[known])) > 1
    for origin in np.unique(cases.origin):
        inside = cases.origin == origin
        chosen = choose(cases, ~inside if several else None)
        for group, choice in chosen.items():
            pick = inside & (cases.group == group)
            found[pick] = conformal.quantiles(
                cases.predicted[choice.method][pick, MONTH],
                choice.pooled[MONTH],
                choice.power,
                QUANTILES,
            )
    actual, found = cases.actual[known, MONTH], found[known]
    naive = cases.naive[known]
    reference = conformal.crossed(actual, naive, cases.origin[known], 0.75)
    return Score(
        row=cases.row[known],
        actual=actual,
        median=found[:, 1],
        naive=naive,
        last=cases.predicted[weekly_models.LAST_28][known, MONTH],
        inside=(actual >= np.ceil(found[:, 0] - 1e-9)) & (actual <= found[:, 2]),
        loss=_loss(actual, found),
        naive_loss=_loss(actual, reference),
    )


def _loss(actual: np.ndarray, found: np.ndarray) -> np.ndarray:
    gap = actual[:, None] - found
    level = np.asarray(QUANTILES)[None, :]
    return np.asarray((2 * np.maximum(level * gap, (level - 1) * gap)).mean(axis=1))


def resampled(row: np.ndarray, *, seed: int) -> np.ndarray:
    """Return how often each variant is drawn in each bootstrap, shape (400, n)."""
    count = len(np.unique(row))
    if not count:
        return np.zeros((0, 0))
    rng = np.random.default_rng(seed)
    draws = rng.multinomial(count, np.full(count, 1 / count), size=400)
    return draws.astype(float)


def ratio_with_interval(
    error: np.ndarray, size: np.ndarray, row: np.ndarray, draws: np.ndarray
) -> tuple[float, float, float]:
    """Return sum(error) / sum(size) with its 95 % bootstrap interval over variants.

    Args:
        error: What is added up above, shape (m,).
        size: What is added up below, shape (m,).
        row: Row of the variant of each case, shape (m,).
        draws: From `resampled` for these rows.
    """
    if not len(row) or size.sum() <= 0:
        return float("nan"), float("nan"), float("nan")
    _, index = np.unique(row, return_inverse=True)
    top = np.bincount(index, weights=error)
    bottom = np.bincount(index, weights=size)
    ratios = (draws @ top) / np.maximum(draws @ bottom, 1e-9)
    low, high = np.quantile(ratios, [0.025, 0.975])
    return float(top.sum() / bottom.sum()), float(low), float(high)


def table(cases: Cases) -> list[list[object]]:
    """Return the backtest table: class, method, cases, WAPE, wQL, bias."""
    known = np.isfinite(cases.actual[:, MONTH])
    rows: list[list[object]] = []
    for group, title in enumerate(CLASSES):
        use = known & (cases.group == group)
        actual = cases.actual[use, MONTH]
        if not use.sum() or actual.sum() <= 0:
            continue
        everything = {**cases.predicted, NAIVE: None}
        for name, predicted in everything.items():
            month = cases.naive[use] if predicted is None else predicted[use, MONTH]
            losses = [
                conformal.pinball(
                    actual,
                    conformal.crossed(actual, month, cases.origin[use], power),
                    QUANTILES,
                )
                for power in conformal.POWERS
            ]
            rows.append(
                [
                    title,
                    name,
                    int(use.sum()),
                    float(np.abs(actual - month).sum() / actual.sum()),
                    float(min(losses) / actual.sum()),
                    float(month.sum() / actual.sum() - 1),
                ]
            )
    return rows
