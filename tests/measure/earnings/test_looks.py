"""Looking at every turn: one look's interval names luck, the watched one does not."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cartwheel.measure.earnings.groups import compare_groups
from cartwheel.measure.earnings.looks import PLANNED_DAYS, every_look
from cartwheel.measure.earnings.units import Brought

WEEKS, HELD, REACHED = 26, 120, 880


def looks(seed: int, effect: float = 0.0) -> tuple[bool, bool]:
    """Return whether either interval left zero out at any of 26 weekly looks.

    1,000 customers, 12 % left alone; each week one in eight spends, with a long tail.
    """
    rng = np.random.default_rng(seed)
    n = HELD + REACHED
    reached = np.arange(n) >= HELD
    total, before = np.zeros(n), np.zeros(n)
    once = watched = False
    for week in range(1, WEEKS + 1):
        total += (rng.random(n) < 0.125) * rng.lognormal(3.5, 0.8, n)
        total += effect * reached
        found = compare_groups(
            Brought(
                basis="revenue",
                value=total,
                before=before,
                days=np.full(n, 7.0 * week),
            ),
            reached,
        )
        wide = every_look(found, HELD, days=7 * week)
        assert wide is not None
        once |= not found.low <= 0 <= found.high
        watched |= not wide.low <= 0 <= wide.high
    return once, watched


def test_weekly_looks_name_luck_by_one_look_and_not_by_all() -> None:
    found = np.array([looks(seed) for seed in range(20)])
    once, watched = found.mean(axis=0)
    assert once > 0.1, "or there would be nothing to mend"
    assert watched <= 0.05


def test_a_large_effect_is_still_found() -> None:
    assert all(looks(seed, effect=4.0)[1] for seed in range(4))


@given(st.integers(1, 365), st.floats(-50, 50))
def test_it_is_never_narrower_than_one_look(days: int, effect: float) -> None:
    rng = np.random.default_rng(days)
    value = rng.lognormal(3, 1, 400)
    reached = np.arange(400) >= 150
    rows = Brought(
        basis="revenue",
        value=value + effect * reached,
        before=np.zeros(400),
        days=np.ones(400),
    )
    found = compare_groups(rows, reached)
    wide = every_look(found, 150, days=days)
    assert wide is not None
    assert wide.low <= found.low
    assert wide.high >= found.high
    assert wide.p_value >= found.p_value
    assert wide.effect == found.effect


def test_few_units_have_no_such_interval() -> None:
    rng = np.random.default_rng(1)
    reached = np.arange(300) >= 99
    rows = Brought(
        basis="margin",
        value=rng.normal(10, 2, 300),
        before=np.zeros(300),
        days=np.ones(300),
    )
    found = compare_groups(rows, reached)
    assert every_look(found, 99, days=30) is None
    narrowest = min(
        range(7, 365, 7),
        key=lambda day: every_look(found, 100, days=day).high - found.effect,  # type: ignore[union-attr]
    )
    assert narrowest == pytest.approx(PLANNED_DAYS, abs=60)
