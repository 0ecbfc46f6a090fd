"""Two groups of customers or products compared, however small one of them is.

Used wherever a holdout may be small: its interval is the one of `skewed.py`, after what
the units did before the start was taken off.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from cartwheel.measure.experiment.comparison import LEVEL, Comparison
from cartwheel.measure.experiment.skewed import Chance, chance_of

Array = np.ndarray[Any, Any]

LEAST = 2
"""Units a group needs for a spread."""


def compare_groups(
    values: Array,
    treated: Array,
    before: Array | None = None,
    *,
    metric: str,
    names: tuple[str, str] = ("control", "treated"),
    level: float = LEVEL,
) -> Comparison:
    """Return what treatment did to a value by unit.

    Args:
        values: The value since the start, shape (n,).
        treated: Whether each unit is treated, bool, shape (n,).
        before: The same value before the start, shape (n,), or None.
        metric: Name of the metric.
        names: Names of the control and of the treated group.
        level: Share of intervals that hold the truth.

    Raises:
        ValueError: If a group has fewer than two units, or nothing varies in either.

    References:
        CUPED, Deng, Xu, Kohavi and Walker (2013); interval of
        `skewed.pooled_chance`.
    """
    sizes = int((~treated).sum()), int(treated.sum())
    if min(sizes) < LEAST:
        raise ValueError(f"each group needs {LEAST} units or more, they have {sizes}")
    left, method = values, "pooled"
    plain = chance_of(values[treated], values[~treated])
    chance: Chance = plain
    if before is not None and before.std() > 0:
        spread = np.cov(values, before)
        left = values - spread[0, 1] / spread[1, 1] * (before - before.mean())
        method = "pooled+cuped"
        if np.ptp(left) > 0:
            chance = chance_of(left[treated], left[~treated])
        else:
            left, method = values, "pooled"
    control, arm = float(left[~treated].mean()), float(left[treated].mean())
    effect = arm - control
    low, high = chance.interval(effect, level)
    whole = control if control > 0 else None
    return Comparison(
        metric=metric,
        control=names[0],
        arm=names[1],
        control_value=control,
        arm_value=arm,
        effect=effect,
        low=low,
        high=high,
        error=chance.error,
        p_value=chance.p_value(effect),
        method=method,
        n=sum(sizes),
        level=level,
        relative=None if whole is None else effect / whole,
        relative_low=None if whole is None else low / whole,
        relative_high=None if whole is None else high / whole,
        reduction=max(0.0, 1.0 - (chance.error / plain.error) ** 2),
    )
