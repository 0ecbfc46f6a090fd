"""Learns customers' rhythm and tests it on the last 90 days."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from cartwheel.levers.lifecycle.buytilldie import (
    BgNbd,
    GammaGamma,
    NoFit,
    fit_bg_nbd,
    fit_gamma_gamma,
)
from cartwheel.levers.lifecycle.rhythm import (
    ORDERS_DAYS,
    Learned,
    Past,
    Rhythm,
    rewind,
    score,
)
from cartwheel.signals.base import Signals
from cartwheel.signals.customers import PURCHASES, RHYTHM

Array = np.ndarray[Any, Any]

FIT_AT_MOST = 10_000  # customers; parameters of more differ in the third digit
TEST_AT_MOST = 5_000
ENOUGH_BUYERS = 50
ENOUGH_REPEATERS = 20
DEFAULT_GAP_DAYS = 90.0  # before any customer came back


def learn_rhythm(rhythm: Rhythm, *, new_days: int, seed: int, fitted: bool) -> Learned:
    """Learn parameters and thresholds; `fitted` False keeps to the own-gap rule."""
    repeat = rhythm.x > 0
    gaps = rhythm.t_x[repeat] / rhythm.x[repeat]
    paid = rhythm.revenue_minor > 0
    days = rhythm.x[paid] + 1.0
    mean = float(rhythm.revenue_minor[paid].sum() / days.sum()) if paid.any() else 0.0
    enough = len(rhythm.x) >= ENOUGH_BUYERS and repeat.sum() >= ENOUGH_REPEATERS
    use = fitted and bool(enough)
    return Learned(
        orders=_fit_orders(rhythm, seed) if use else None,
        value=_fit_value(rhythm, seed) if use else None,
        shop_gap_days=float(np.median(gaps)) if len(gaps) else DEFAULT_GAP_DAYS,
        mean_order_minor=mean,
        vip_minor=float(np.quantile(rhythm.revenue_minor, 0.95)) if paid.any() else 0.0,
        loyal_days=_loyal_days(rhythm),
        new_days=new_days,
    )


def _loyal_days(rhythm: Rhythm) -> int:
    if len(rhythm.x) == 0:
        return 3
    return max(3, int(np.ceil(np.quantile(rhythm.x + 1.0, 0.8))))


def _some(n: int, at_most: int, seed: int) -> Array:
    """Return all row numbers, or a seeded sorted sample of them."""
    if n <= at_most:
        return np.arange(n)
    return np.sort(np.random.default_rng(seed).permutation(n)[:at_most])


def _fit_orders(rhythm: Rhythm, seed: int) -> BgNbd | None:
    rows = _some(len(rhythm.x), FIT_AT_MOST, seed)
    try:
        return fit_bg_nbd(rhythm.x[rows], rhythm.t_x[rows], rhythm.age[rows])
    except NoFit:
        return None


def _fit_value(rhythm: Rhythm, seed: int) -> GammaGamma | None:
    fits = np.flatnonzero((rhythm.x > 0) & (rhythm.revenue_minor > 0))
    if len(fits) < ENOUGH_REPEATERS:
        return None
    fits = fits[_some(len(fits), FIT_AT_MOST, seed)]
    days = rhythm.x[fits] + 1.0
    try:
        found = fit_gamma_gamma(days, rhythm.revenue_minor[fits] / days)
    except NoFit:
        return None
    # With q at 1 or below the shop's mean does not exist: the shrunk mean is safer.
    return found if found.q > 1.05 else None


def check_lapse(data: Signals, *, seed: int) -> dict[str, Any]:
    """Fit on the shop 90 days ago and compare with what came; JSON values.

    Returns:
        Figures, or an empty mapping while the history is too short or too thin.
    """
    frame = data.frame(RHYTHM)
    if frame.empty or frame["age_days"].max() < 2 * ORDERS_DAYS:
        return {}
    as_of = data.context.when.as_of
    past = rewind(frame, data.frame(PURCHASES), as_of, ORDERS_DAYS)
    learned = learn_rhythm(past.rhythm, new_days=60, seed=seed, fitted=True)
    if learned.orders is None:
        return {}
    scores = score(learned, past.rhythm)
    lapsed = past.orders_after == 0
    if lapsed.all() or not lapsed.any():
        return {}
    expected = float(scores.expected_orders.sum())
    return {
        "customers": len(lapsed),
        "exact_share": past.exact_share,
        "expected_orders": expected,
        "actual_orders": float(past.orders_after.sum()),
        "lapsed_share": float(lapsed.mean()),
        "bands": _bands(scores.expected_orders, past),
        **_ranking(scores.lapse_share, past, lapsed, seed),
    }


def _bands(expected: Array, past: Past, bands: int = 5) -> list[list[float]]:
    """Return mean expected and actual orders of customers in fifths by expected."""
    order = np.lexsort((past.rhythm.customer_id, expected))
    parts = np.array_split(order, bands)
    return [
        [float(expected[part].mean()), float(past.orders_after[part].mean())]
        for part in parts
        if len(part)
    ]


def _ranking(lapse: Array, past: Past, lapsed: Array, seed: int) -> Mapping[str, Any]:
    rows = _some(len(lapsed), TEST_AT_MOST, seed)
    lapse, lapsed = lapse[rows], lapsed[rows]
    recency = past.rhythm.recency[rows]
    rng = np.random.default_rng(seed)
    gains = []
    for _ in range(200):
        draw = rng.integers(len(rows), size=len(rows))
        if lapsed[draw].all() or not lapsed[draw].any():
            continue
        gains.append(
            area_under_curve(lapse[draw], lapsed[draw])
            - area_under_curve(recency[draw], lapsed[draw])
        )
    low, high = np.quantile(gains, [0.025, 0.975]) if gains else (-1.0, 1.0)
    return {
        "auc": area_under_curve(lapse, lapsed),
        "recency_auc": area_under_curve(recency, lapsed),
        "auc_gain": [float(low), float(high)],
    }


def area_under_curve(value: Array, positive: Array) -> float:
    """Return the chance that a positive has the larger value, ties counting half.

    Raises:
        ValueError: If only one class is there.
    """
    n_positive = int(positive.sum())
    n_negative = len(positive) - n_positive
    if n_positive == 0 or n_negative == 0:
        raise ValueError("needs rows of both classes")
    _, place, counts = np.unique(value, return_inverse=True, return_counts=True)
    rank = (np.cumsum(counts) - (counts - 1) / 2)[place]
    above = rank[positive].sum() - n_positive * (n_positive + 1) / 2
    return float(above / (n_positive * n_negative))
