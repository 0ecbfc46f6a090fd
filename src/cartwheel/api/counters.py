"""Counts of requests in fixed windows, for the library's rate limiter.

The library's own storage starts a thread every hundredth of a second under load to
forget old counts; each start holds up the answers under way. Here old counts are
forgotten by the request that finds too many of them.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from limits.storage import Storage

MOST_KEYS = 10_000
"""Counts kept before the ended ones are forgotten; hostile callers bring new keys."""


@dataclass(slots=True)
class _Count:
    ends_at: float
    amount: int


class Counters(Storage):
    """Counts in memory; call it from one thread."""

    STORAGE_SCHEME = None

    def __init__(self) -> None:
        super().__init__()
        self._counts: dict[str, _Count] = {}

    @property
    def base_exceptions(self) -> type[Exception]:
        """What the library may take for a fault of the storage."""
        return ValueError

    def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        """Add to a count, whose window starts with its first and lasts `expiry` s."""
        now = time.monotonic()
        count = self._counts.get(key)
        if count is None or count.ends_at <= now:
            if len(self._counts) >= MOST_KEYS:
                self._forget(now)
            count = self._counts[key] = _Count(ends_at=now + expiry, amount=0)
        count.amount += amount
        return count.amount

    def get(self, key: str) -> int:
        """Return a count of the window that runs, 0 without one."""
        count = self._counts.get(key)
        return count.amount if count and count.ends_at > time.monotonic() else 0

    def get_expiry(self, key: str) -> float:
        """Return when a count's window ends, in seconds since the epoch."""
        count = self._counts.get(key)
        left = count.ends_at - time.monotonic() if count else 0.0
        return time.time() + max(left, 0.0)

    def check(self) -> bool:
        """Memory is always there."""
        return True

    def reset(self) -> int:
        """Forget every count; return how many there were."""
        known = len(self._counts)
        self._counts.clear()
        return known

    def clear(self, key: str) -> None:
        """Forget one count."""
        self._counts.pop(key, None)

    def _forget(self, now: float) -> None:
        running = {key: c for key, c in self._counts.items() if c.ends_at > now}
        # All still run: the oldest go, so that memory stays bounded.
        for key in list(running)[: max(0, len(running) - MOST_KEYS // 2)]:
            del running[key]
        self._counts = running
