"""Instants of the sample shop, naive UTC.

Everything happens between 05:00 and 21:55 UTC, so that a day is the same day in UTC
and in every European zone. Deliveries and returns arrive before the first visitor and
stock is counted after the last, so a day's last count says what was sold out.
"""

from __future__ import annotations

from datetime import date

import numpy as np

OPEN_SECOND = 6 * 3600 + 1800
CLOSE_SECOND = 21 * 3600
COUNT_SECOND = 21 * 3600 + 50 * 60


def midnight(start: date) -> np.datetime64:
    """Return the first instant of a day."""
    return np.datetime64(start.isoformat(), "s")


def instants(
    zero: np.datetime64, day: np.ndarray, second: np.ndarray | int
) -> np.ndarray:
    """Return instants from days since `zero` and seconds of the day."""
    seconds = np.asarray(day, dtype=np.int64) * 86_400 + np.asarray(second, np.int64)
    return np.asarray(zero + seconds.astype("timedelta64[s]"))
