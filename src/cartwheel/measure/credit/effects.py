"""What a test of page fixes tells of one kind: by how much an objection shrinks.

Where most of what comes back comes back for the objection, all returns are counted:
whoever returns a thing for another reason than before costs as much. Else returns for
the objection are, among which a change would drown in the rest; where few come back,
messages that raise it.

Two groups, of a few products or of visitors, are compared by the ratio of two rates, in
logarithms: how often what is counted happens for a unit sold. Its variance is the
jackknife's over them, at least the Poisson's of what was counted, and made wider for
the few degrees of freedom there are, so that later steps may take it for a normal's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from cartwheel.measure.credit.counts import Array, Counts

DrawnUnit = Literal["product", "visitor"]

LEAST_PRODUCTS = 5
"""Products, or visitors, in each group from which anything is told."""

LEAST_TIMES = 10
"""Times the objection came back, both groups together, from which it is told."""

MOST = 0.5
"""Share of returns from which those for the objection are most of them."""

HALF = 0.5
"""Added to counts, so that the logarithm of none is a number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogRatio:
    """Logarithm of the mended products' rate over that of those left alone.

    Attributes:
        value: The logarithm.
        error: Its standard error, for a normal.
    """

    value: float
    error: float


@dataclass(frozen=True, slots=True, kw_only=True)
class KindEffect:
    """What one test tells of one kind of fix.

    Attributes:
        experiment: The test.
        objection: Objection that these fixes answer.
        form: What they are called.
        over: The test is over.
        unit: What was drawn: "product" or "visitor".
        fixed: Products whose page was to be mended, or visitors to be shown it so.
        held_out: Products left alone, or visitors shown the page as it was.
        counted: "all returns", "returns" for it, or "messages" that raise it.
        control_rate: Times a unit sold, of those left alone.
        per_objection: What is counted, over how often the objection comes back, of
            products left alone: 1 or, for all returns, more.
        times: Ratio of the rates of what is counted.
        conversion: Ratio of orders per view; None where it cannot be told.
    """

    experiment: str
    objection: str
    form: str
    over: bool
    unit: DrawnUnit
    fixed: int
    held_out: int
    counted: str
    control_rate: float
    per_objection: float
    times: LogRatio
    conversion: LogRatio | None

    @property
    def kind(self) -> tuple[str, str]:
        """Objection and form."""
        return self.objection, self.form


def effect_of(
    counts: Counts,
    *,
    experiment: str,
    objection: str,
    form: str,
    over: bool,
    unit: DrawnUnit = "product",
) -> KindEffect | None:
    """Return what a test tells of a kind, None where it is too little.

    Args:
        counts: Sums of its products or visitors.
        experiment: The test.
        objection: Objection that the fixes answer.
        form: What they are called.
        over: The test is over.
        unit: What was drawn.
    """
    fixed = int(counts.fixed.sum())
    held_out = len(counts.fixed) - fixed
    if min(fixed, held_out) < LEAST_PRODUCTS:
        return None
    alone = ~counts.fixed
    counted, times, own = _counted(counts, alone)
    ratio = log_ratio(times, counts.units, counts.fixed)
    if times.sum() < LEAST_TIMES or not own[alone].sum() or ratio is None:
        return None
    return KindEffect(
        experiment=experiment,
        objection=objection,
        form=form,
        over=over,
        unit=unit,
        fixed=fixed,
        held_out=held_out,
        counted=counted,
        control_rate=float(times[alone].sum() / counts.units[alone].sum()),
        per_objection=float(times[alone].sum() / own[alone].sum()),
        times=ratio,
        conversion=log_ratio(counts.orders, counts.views, counts.fixed),
    )


def _counted(counts: Counts, alone: Array) -> tuple[str, Array, Array]:
    """Return what is counted, by name, and how often the objection comes back."""
    if counts.returned.sum() < LEAST_TIMES:
        return "messages", counts.asked, counts.asked
    own = counts.returned
    # By products left alone: what most returns are for must not depend on the fixes.
    if own[alone].sum() >= MOST * counts.came_back[alone].sum():
        return "all returns", counts.came_back, own
    return "returns", own, own


def log_ratio(times: Array, per: Array, fixed: Array) -> LogRatio | None:
    """Return the log ratio of two groups' rates; None where a group has no exposure.

    Args:
        times: What was counted, shape (n_products,).
        per: What it is counted per, same shape.
        fixed: Whether a product is in the first group.

    References:
        Jackknife: Efron and Stein (1981); degrees of freedom: Welch (1947); half a
        count: Haldane (1956).
    """
    from scipy.stats import norm, t

    logs, variances, freedoms = [], [], []
    for group in (fixed, ~fixed):
        top, under = times[group], per[group]
        count, without = len(top), under.sum() - under
        if count < 2 or without.min() <= 0:
            return None
        each = np.log((top.sum() - top + HALF) / without)
        spread = (count - 1) / count * float(((each - each.mean()) ** 2).sum())
        logs.append(float(np.log((top.sum() + HALF) / under.sum())))
        variances.append(max(spread, 1 / (float(top.sum()) + HALF)))
        freedoms.append(count - 1)
    total = sum(variances)
    pairs = zip(variances, freedoms, strict=True)
    freedom = total**2 / sum(v**2 / f for v, f in pairs)
    wider = float(t.ppf(0.975, freedom) / norm.ppf(0.975))
    return LogRatio(value=logs[0] - logs[1], error=float(np.sqrt(total)) * wider)


def pooled(ratios: Sequence[LogRatio]) -> LogRatio:
    """Return several tests of one kind as one, each by what it is sure of.

    Args:
        ratios: At least one, of tests of which no two share a product and a day.
    """
    weights: np.ndarray[Any, Any] = np.array([one.error**-2 for one in ratios])
    values = np.array([one.value for one in ratios])
    total = float(weights.sum())
    return LogRatio(value=float(weights @ values / total), error=total**-0.5)
