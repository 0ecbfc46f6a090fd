"""The effect of an arm at a horizon fixed before the start.

A mean is compared by Welch's test, a ratio of sums by the delta method, either with
the variance that covariates from before the start explain taken away (CUPED). The
variance maths is tea-tasting's; what is added here is several covariates at once.

References:
    Welch (1947); Deng, Xu, Kohavi and Walker (2013); Deng, Knoblich and Lu (2018).
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from cartwheel.measure.experiment.comparison import LEVEL, Comparison
from cartwheel.measure.experiment.metric import Metric
from cartwheel.measure.experiment.moments import Moments

if TYPE_CHECKING:
    from tea_tasting.metrics import RatioOfMeans
    from tea_tasting.metrics.mean import MeanResult

INDEX = "\x1findex"
"""Name of the column that foretells a metric from all of its covariates."""


def compare(
    metric: Metric,
    control: Moments,
    arm: Moments,
    *,
    names: tuple[str, str] = ("control", "arm"),
    level: float = LEVEL,
) -> Comparison:
    """Return what an arm did to a metric.

    Args:
        metric: The metric; its columns are in both groups' moments.
        control: The control group.
        arm: The group compared with it.
        names: Names of the two groups.
        level: Share of intervals that hold the truth.

    Raises:
        ValueError: If the denominator is zero in a group, or the metric does not vary.
    """
    from tea_tasting.metrics import RatioOfMeans

    if metric.per is not None:
        for name, group in zip(names, (control, arm), strict=True):
            if group.mean[group.at(metric.per)] == 0:
                raise ValueError(f"{metric.per} is zero throughout in {name}")
    covariate = None
    if metric.covariates:
        weights = _weights(metric, control + arm)
        control = control.with_sum(INDEX, weights)
        arm = arm.with_sum(INDEX, weights)
        covariate = INDEX
    maths = RatioOfMeans(
        metric.value,
        metric.per,
        covariate,
        confidence_level=level,
        equal_var=False,
        use_t=True,
    )
    if _spread(metric, control) + _spread(metric, arm) <= 0:
        raise ValueError(f"{metric.name} is the same for every unit of each group")
    found, raised = _analysed(maths, metric, control, arm)
    relative: tuple[float | None, ...] = (None, None, None)
    if not raised and found.control > 0 and found.treatment > 0:
        relative = (
            found.rel_effect_size,
            found.rel_effect_size_ci_lower,
            found.rel_effect_size_ci_upper,
        )
    error = standard_error(metric, control, arm, covariate)
    before = standard_error(metric, control, arm, None)
    return Comparison(
        metric=metric.name,
        control=names[0],
        arm=names[1],
        control_value=float(found.control) - raised,
        arm_value=float(found.treatment) - raised,
        effect=float(found.effect_size),
        low=float(found.effect_size_ci_lower),
        high=float(found.effect_size_ci_upper),
        error=error,
        p_value=float(found.pvalue),
        method=_method(metric),
        n=control.count + arm.count,
        level=level,
        relative=relative[0],
        relative_low=relative[1],
        relative_high=relative[2],
        reduction=0.0 if covariate is None else 1.0 - (error / before) ** 2,
    )


def _analysed(
    maths: RatioOfMeans, metric: Metric, control: Moments, arm: Moments
) -> tuple[MeanResult, float]:
    """Return the analysis, and by how much both groups were raised for it.

    Its relative interval has no end where a mean is next to nothing. A difference does
    not change when both groups are raised alike.
    """
    try:
        return maths.analyze_aggregates(control.aggregates(), arm.aggregates()), 0.0
    except (OverflowError, ZeroDivisionError):
        raised = _far_from_zero(metric, control, arm)
        found = maths.analyze_aggregates(
            _raised(metric, control, raised).aggregates(),
            _raised(metric, arm, raised).aggregates(),
        )
        return found, raised


def _far_from_zero(metric: Metric, *groups: Moments) -> float:
    """Return an amount beside which means and spreads of the metric are small."""
    sizes = [0.0]
    for group in groups:
        mean = float(group.mean[group.at(metric.value)])
        if metric.per is not None:
            mean /= float(group.mean[group.at(metric.per)])
        sizes.append(abs(mean) + math.sqrt(max(score_variance(metric, group, None), 0)))
    return 10.0 * max(sizes)


def _raised(metric: Metric, group: Moments, by: float) -> Moments:
    """Return a group with the metric of all units raised by an amount."""
    value, k = group.at(metric.value), len(group.columns)
    if metric.per is None:
        return replace(group, mean=group.mean + by * (np.arange(k) == value))
    spread = np.eye(k)
    spread[value, group.at(metric.per)] += by
    return replace(group, mean=spread @ group.mean, cov=spread @ group.cov @ spread.T)


def _method(metric: Metric) -> str:
    base = "welch" if metric.per is None else "ratio"
    return f"{base}+cuped" if metric.covariates else base


def _weights(metric: Metric, both: Moments) -> dict[str, float]:
    """Return how the covariates together foretell a metric, by least squares.

    A ratio is taken as its linear part around the mean, so that the weights are those
    of the quantity whose variance counts.
    """
    at = [both.at(name) for name in metric.covariates]
    value = both.at(metric.value)
    towards = both.cov[at, value]
    if metric.per is not None:
        per = both.at(metric.per)
        ratio = both.mean[value] / both.mean[per]
        towards = (towards - ratio * both.cov[at, per]) / both.mean[per]
    # Covariates may repeat each other; the least norm is as good as any.
    weights = np.linalg.lstsq(both.cov[np.ix_(at, at)], towards, rcond=None)[0]
    return {name: float(w) for name, w in zip(metric.covariates, weights, strict=True)}


def _spread(metric: Metric, group: Moments) -> float:
    return float(sum(group.cov[group.at(n), group.at(n)] for n in metric.outcomes))


def standard_error(
    metric: Metric, control: Moments, arm: Moments, covariate: str | None
) -> float:
    """Return the standard error of the difference of two groups.

    Args:
        metric: The metric.
        control: The control group.
        arm: The other group.
        covariate: A column to be taken off with weight one, None for none.
    """
    parts = (
        score_variance(metric, group, covariate) / group.count
        for group in (control, arm)
    )
    return math.sqrt(max(sum(parts), 0.0))


def score_variance(metric: Metric, group: Moments, covariate: str | None) -> float:
    """Return the variance of a unit's part in the metric, the delta method's score."""
    weights = np.zeros(len(group.columns))
    value = group.at(metric.value)
    weights[value] = 1.0
    if metric.per is not None:
        per = group.at(metric.per)
        weights[value] = 1.0 / group.mean[per]
        weights[per] -= group.mean[value] / group.mean[per] ** 2
    if covariate is not None:
        weights[group.at(covariate)] -= 1.0
    return float(weights @ group.cov @ weights)
