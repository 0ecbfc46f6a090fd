"""Looking every day without paying for it: the asymptotic confidence sequence.

An interval at a fixed horizon holds the truth 95 times in 100 when it is read once.
Read after each order it leaves the truth out sooner or later. This one holds it at
every look together, so a test may be stopped whenever the interval leaves zero out;
the price is that it is wider, by about half at the horizon it was made for.

References:
    Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas (2021), Time-uniform central limit
    theory and asymptotic confidence sequences, theorem 2.2; the choice of rho is their
    equation 9.
"""

from __future__ import annotations

import math
from dataclasses import replace

from cartwheel.measure.experiment.comparison import Comparison

FEWEST = 100
"""Units a group needs before the first look: the guarantee is one of many units."""


def always_valid(
    found: Comparison, *, planned: int, now: int | None = None
) -> Comparison:
    """Return a comparison that holds at every look together.

    Looks may be told apart by units that have come, or by days over which the same
    units were watched: only how much of the plan is over counts. Watched units are
    alike from look to look, which makes the interval wider than it had to be, never
    narrower.

    Args:
        found: The comparison at this look; its standard error counts, its own
            interval does not.
        planned: Units, or days, at which the interval shall be narrowest, fixed before
            the start.
        now: Units, or days, at this look; the comparison's units when not given.

    Raises:
        ValueError: If `planned` is below one, or `found` has no standard error.
    """
    if planned < 1:
        raise ValueError(f"planned is {planned}; expected 1 or more units")
    if not math.isfinite(found.error) or found.error <= 0:
        raise ValueError(f"the standard error is {found.error}; expected above 0")
    alpha = 1.0 - found.level
    over = found.n if now is None else now
    reach = found.error * boundary(over, planned=planned, alpha=alpha)
    scale = None
    if found.relative is not None and found.control_value > 0:
        scale = found.control_value
    return replace(
        found,
        low=found.effect - reach,
        high=found.effect + reach,
        p_value=_p_value(found.effect / found.error, over, planned, alpha),
        method=f"always-valid {found.method}",
        relative_low=None if scale is None else (found.effect - reach) / scale,
        relative_high=None if scale is None else (found.effect + reach) / scale,
    )


def boundary(n: int, *, planned: int, alpha: float) -> float:
    """Return how many standard errors wide half the interval is at a look.

    Args:
        n: Units at the look.
        planned: Units at which it shall be narrowest.
        alpha: Chance that it ever leaves the truth out.
    """
    spread = n * _rho_squared(planned, alpha)
    return math.sqrt(
        2.0 * (spread + 1.0) / spread * math.log(math.sqrt(spread + 1.0) / alpha)
    )


def _rho_squared(planned: int, alpha: float) -> float:
    """Return the mixture's variance that makes it narrowest at `planned` units."""
    log = -2.0 * math.log(alpha)
    return (log + math.log(log + 1.0)) / planned


def _p_value(z: float, n: int, planned: int, alpha: float) -> float:
    """Return the smallest alpha at which this look leaves zero out."""
    spread = n * _rho_squared(planned, alpha)
    log = 0.5 * math.log(spread + 1.0) - z * z * spread / (2.0 * (spread + 1.0))
    return min(1.0, math.exp(log))
