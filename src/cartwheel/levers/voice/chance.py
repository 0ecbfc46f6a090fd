"""What is more than chance: words against other words, and many tests at once."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


def beyond(found: Array, of: Array, usual: Array | float) -> Array:
    """Return the chance of finding so many, or more, at the usual share.

    Args:
        found: Times that were found, shape (n,).
        of: Times altogether, shape (n,).
        usual: Usual share.
    """
    from scipy.stats import binom

    chance: Array = binom.sf(found - 1, of, usual)
    return chance


def odds(found: Array, of: Array, usual: Array | float) -> Array:
    """Return how many times the usual odds were found; infinite where nothing else was.

    In a large shop everything differs from everything beyond chance, and mostly by a
    trifle: what is worth telling is by how much.

    Args:
        found: Times that were found, shape (n,).
        of: Times altogether, shape (n,).
        usual: Usual share.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        times: Array = found * (1.0 - usual) / ((of - found) * usual)
    return times


def discoveries(chances: Array, *, tests: int, level: float) -> Array:
    """Return which of many tests are discoveries.

    Where nothing is to be found, something is with a chance of `level` at most; else
    the expected share of false ones among those found is at most `level`.

    Args:
        chances: Chances of the tests that may be discoveries, shape (n,).
        tests: Number of all tests, those left out for their few counts included.
        level: Level of the whole.

    References:
        Benjamini and Hochberg (1995), Journal of the Royal Statistical Society B 57.
    """
    order = np.argsort(chances, kind="stable")
    most = level * np.arange(1, len(order) + 1) / max(tests, 1)
    (passed,) = np.nonzero(chances[order] <= most)
    told = np.zeros(len(order), bool)
    if len(passed):
        told[order[: passed[-1] + 1]] = True
    return told
