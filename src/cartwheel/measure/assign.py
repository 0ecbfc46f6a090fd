"""Stable assignment of people to the holdout.

The share of a person is a hash of the salt and the id: the same person is in or out
on every machine, in every turn, without a table, and raising the share only adds
people.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import numpy as np


def unit_position(unit: str, salt: str) -> float:
    """Return the unit's place in [0, 1), uniform over units."""
    digest = hashlib.blake2b(f"{salt}\x1f{unit}".encode(), digest_size=8).digest()
    # 53 bits, so that the quotient is exact and never reaches 1.
    return (int.from_bytes(digest, "big") >> 11) / 2**53


def in_holdout(unit: str, share: float, salt: str) -> bool:
    """Tell whether a unit is left alone.

    Args:
        unit: Customer or visitor id.
        share: Share of units left alone, 0 to 1.
        salt: Salt of the experiment layer.
    """
    return unit_position(unit, salt) < share


def holdout_mask(units: Iterable[str], share: float, salt: str) -> np.ndarray:
    """Return `in_holdout` for many units, bool, shape (n_units,)."""
    return np.array([unit_position(u, salt) < share for u in units], dtype=bool)
