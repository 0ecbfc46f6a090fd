"""Do recent waits last longer than earlier ones, when some have not ended yet?"""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

GRID = 50
"""Steps of a log-rank score to 1; sums of whole numbers can be counted exactly."""


def log_rank_scores(waits: Array, ended: Array) -> Array:
    """Return each wait's cumulative hazard less its end, shape (n,); large is late.

    The hazard is Nelson and Aalen's, of all waits together; the scores add up to zero.

    Args:
        waits: How long each lasted, or has lasted so far, above 0, shape (n,).
        ended: Whether it has ended, bool, shape (n,).

    References:
        Log-rank scores: Peto and Peto (1972); Aalen (1978).
    """
    times, place = np.unique(waits, return_inverse=True)
    ends = np.bincount(place, weights=ended, minlength=len(times))
    at_risk = len(waits) - np.r_[0, np.bincount(place).cumsum()[:-1]]
    hazard = np.cumsum(ends / at_risk)
    scores: Array = hazard[place] - ended
    return scores


def late_chance(waits: Array, ended: Array, recent: Array) -> float:
    """Return how likely recent waits are as late as they are, were nothing changed.

    A one-sided log-rank test whose p value is exact: the share of all choices of as
    many waits whose scores add up to as much, counted by dynamic programming over
    scores rounded to 1/`GRID`. It needs waits that could change places, so what they
    are compared with must have been observed for at least as long, or have ended.

    Args:
        waits: How long each lasted, or has lasted so far, above 0, shape (n,).
        ended: Whether it has ended, bool, shape (n,).
        recent: Whether it is one of the recent waits, bool, shape (n,).

    Returns:
        The p value; 1 when either side is empty.

    References:
        Mantel (1966); the exact distribution of a sum of scores, Streitberg and Roehmel
        (1986).
    """
    count = int(recent.sum())
    if count in (0, len(waits)):
        return 1.0
    scores = log_rank_scores(waits, ended)
    whole = np.rint((scores - scores.min()) * GRID).astype(int)
    most = int(np.sort(whole)[-count:].sum())
    # chosen[k, s]: share of orderings in which k of the waits so far sum to s.
    chosen = np.zeros((count + 1, most + 1))
    chosen[0, 0] = 1.0
    for score in whole:
        moved = chosen[:-1, : most + 1 - score]
        chosen[1:, score:] += moved.copy()
    ways = chosen[count]
    seen = int(whole[recent].sum())
    return float(ways[seen:].sum() / ways.sum())


def median_wait(waits: Array, ended: Array) -> float:
    """Return the median wait, or the longest so far when fewer than half have ended.

    Args:
        waits: How long each lasted, or has lasted so far, shape (n,), n above 0.
        ended: Whether it has ended, bool, shape (n,).

    References:
        Kaplan and Meier (1958).
    """
    order = np.lexsort((~ended, waits))
    left = 1.0
    for place, row in enumerate(order):
        if ended[row]:
            left *= 1 - 1 / (len(waits) - place)
            if left <= 0.5 + 1e-12:
                return float(waits[row])
    return float(waits.max())
