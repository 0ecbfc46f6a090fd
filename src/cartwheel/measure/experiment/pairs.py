"""The interval of a mean difference over independent pairs or clusters."""

from __future__ import annotations

from typing import Any

import numpy as np

from cartwheel.errors import Misuse
from cartwheel.measure.experiment.comparison import LEVEL, Comparison

Array = np.ndarray[Any, Any]


def compare_pairs(
    treated: Array,
    untreated: Array,
    *,
    metric: str,
    control: str,
    arm: str,
    method: str,
    n: int,
    fitted: int = 1,
    level: float = LEVEL,
) -> Comparison:
    """Return the mean difference of pairs with Student's interval.

    Pairs must be independent of one another or their signs drawn independently, which
    is why autocorrelated noise does no harm where a coin decided which half of each
    pair was treated. They need not be alike: with unequal spreads around a common
    difference the test keeps its level (Ibragimov and Müller 2010).

    Args:
        treated: The metric of each pair under the arm, shape (n_pairs,).
        untreated: The metric of each pair under the control, shape (n_pairs,).
        metric: Name of the metric.
        control: Name of the control.
        arm: Name of the arm.
        method: How the pairs came about.
        n: Units behind the pairs, for the reader.
        fitted: Figures estimated from the pairs, taken off the degrees of freedom.
        level: Share of intervals that hold the truth.

    Raises:
        Misuse: If the pairs are too few for a spread, or do not differ in it.

    References:
        Student's paired t. The relative effect is Fieller's (1954): all shares r for
        which the mean of treated - (1 + r) untreated is not told from zero; None when
        the control is not told from zero itself.
    """
    from scipy.stats import t

    pairs, degrees = len(treated), len(treated) - fitted
    if degrees < 1:
        raise Misuse(
            f"{metric}: {pairs} pairs; at least {fitted + 1} are needed for a spread.",
            "Wait for more pairs.",
        )
    both = np.stack([treated, untreated]).astype(float)
    means = both.mean(axis=1)
    off = both - means[:, None]
    spread = off @ off.T / (degrees * pairs)
    effect = float(means[0] - means[1])
    error = float(np.sqrt(max(spread[0, 0] + spread[1, 1] - 2 * spread[0, 1], 0.0)))
    if error <= 1e-12 * float(np.abs(both).max(initial=0.0)):
        raise Misuse(
            f"{metric}: all {pairs} pairs differ by the same {effect:g}, so nothing "
            "says how far chance reaches.",
            "Check that the figures are real, or wait until sales come in.",
        )
    reach = float(t.ppf(0.5 + level / 2, degrees))
    shares = _fieller(means, spread, reach)
    return Comparison(
        metric=metric,
        control=control,
        arm=arm,
        control_value=float(means[1]),
        arm_value=float(means[0]),
        effect=effect,
        low=effect - reach * error,
        high=effect + reach * error,
        error=error,
        p_value=float(2 * t.sf(abs(effect) / error, degrees)),
        method=method,
        n=n,
        level=level,
        relative=effect / float(means[1]) if shares else None,
        relative_low=shares[0] if shares else None,
        relative_high=shares[1] if shares else None,
    )


def _fieller(means: Array, spread: Array, reach: float) -> tuple[float, float] | None:
    """Return the interval of treated over untreated, less one."""
    squared = reach * reach
    a = means[1] ** 2 - squared * spread[1, 1]
    if means[1] <= 0 or a <= 0:
        return None
    b = means[0] * means[1] - squared * spread[0, 1]
    c = means[0] ** 2 - squared * spread[0, 0]
    root = float(np.sqrt(max(b * b - a * c, 0.0)))
    return float((b - root) / a - 1), float((b + root) / a - 1)
