"""Correction for several comparisons looked at together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


def holm(p_values: Sequence[float] | Array) -> Array:
    """Return p values adjusted for their number, same order, shape (n,).

    Holm (1979), step down: the smallest is multiplied by their count, the next by one
    less, none below the one before. A nan is no test: it stays and is not counted.

    Raises:
        ValueError: If a value lies outside 0 to 1.
    """
    given = np.asarray(p_values, float)
    if ((given < 0) | (given > 1)).any():
        raise ValueError(f"p values are {given.tolist()}; expected 0 to 1")
    adjusted = np.full(given.shape, np.nan)
    tested = np.flatnonzero(np.isfinite(given))
    order = tested[np.argsort(given[tested], kind="stable")]
    steps = given[order] * np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return adjusted
