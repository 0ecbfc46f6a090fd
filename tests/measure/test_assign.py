"""Stable assignment of people to the holdout."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cartwheel.measure.assign import holdout_mask, in_holdout, unit_position


def test_a_known_person_keeps_a_known_place() -> None:
    # Pinned: a change here would silently move people between arms.
    assert unit_position("customer-1", "wheel") == 0.30138705820197864


def test_the_share_is_kept() -> None:
    held = holdout_mask((f"c{i}" for i in range(40_000)), 0.05, "wheel")
    # 5 % of 40,000 is 2,000 with a standard deviation of 44.
    assert abs(int(held.sum()) - 2000) < 4 * 44


@given(st.text(), st.floats(0, 1), st.floats(0, 1))
def test_raising_the_share_only_adds_people(unit: str, one: float, two: float) -> None:
    small, large = sorted((one, two))
    assert not in_holdout(unit, small, "s") or in_holdout(unit, large, "s")


def test_another_salt_is_another_draw() -> None:
    units = [f"c{i}" for i in range(5000)]
    one, two = holdout_mask(units, 0.5, "a"), holdout_mask(units, 0.5, "b")
    assert abs(np.corrcoef(one, two)[0, 1]) < 0.06
