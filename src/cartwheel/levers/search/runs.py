"""Several runs of an array at once: the values of some products, one after another."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


def runs(start: Array, at: Array) -> tuple[Array, Array]:
    """Return the places of products' runs, one after another, and whose each is.

    Args:
        start: Where each product's run begins, shape (n + 1,).
        at: Numbers of products.
    """
    begin, end = start[at], start[at + 1]
    length = (end - begin).astype(np.int64)
    whose = np.repeat(np.arange(len(at)), length)
    first = np.cumsum(length) - length
    return np.arange(int(length.sum())) - first[whose] + begin[whose], whose
