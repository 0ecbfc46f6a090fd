from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st
from limits import RateLimitItemPerSecond
from limits.strategies import FixedWindowRateLimiter

from cartwheel.api import counters as module
from cartwheel.api.counters import Counters


class Clock:
    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 100.0
        monkeypatch.setattr(module.time, "monotonic", lambda: self.now)


@given(hits=st.integers(0, 30), most=st.integers(1, 20))
def test_a_window_lets_in_as_many_as_its_limit(hits: int, most: int) -> None:
    limiter = FixedWindowRateLimiter(Counters())
    limit = RateLimitItemPerSecond(most, 1000)
    let_in = [limiter.hit(limit, "scope", "key") for _ in range(hits)]
    assert sum(let_in) == min(hits, most)
    assert limiter.test(limit, "scope", "key") is (hits < most)
    assert limiter.test(limit, "scope", "other")


def test_a_window_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)
    counters = Counters()
    assert [counters.incr("a", 1), counters.incr("a", 1)] == [1, 2]
    clock.now += 1
    assert counters.get("a") == 0
    assert counters.incr("a", 1) == 1


def test_memory_stays_bounded_whatever_keys_come(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "MOST_KEYS", 20)
    counters = Counters()
    for number in range(500):
        counters.incr(f"address {number}", 60)
        assert len(counters._counts) <= 20
    assert counters.get("address 499") == 1


def test_no_thread_is_started() -> None:
    before = threading.active_count()
    counters = Counters()
    for number in range(1000):
        counters.incr(str(number), 1)
    assert threading.active_count() == before
