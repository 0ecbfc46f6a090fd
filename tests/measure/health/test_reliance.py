from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cartwheel.measure.health.reliance import concentration, find_reliance, gini
from tests.measure.health.made import empty, look, make_shop


def test_concentration_by_hand() -> None:
    rows = [(d, n, v) for d in range(28) for n, v in (("a", 6), ("b", 3), ("c", 1))]
    one = concentration("revenue by product", rows, money=True, seed=1)
    assert (one.top, one.of) == ("a", 3)
    assert one.share == pytest.approx(0.6)
    assert one.hhi == pytest.approx(0.36 + 0.09 + 0.01)
    # Sum of |x - y| over ordered pairs, 20, over 2 n n mean = 60.
    assert one.gini == pytest.approx(20 / 60)
    assert one.money_minor == pytest.approx(6 * 28 * 30 / 28)
    # Every day is alike, so resampling days changes nothing.
    assert one.low == one.high == pytest.approx(0.6)
    assert one.over


def test_a_share_that_may_be_chance_is_not_over_relied_on() -> None:
    rows = [(d, "a" if d % 5 else "b", 1 if d % 5 else 2) for d in range(10)]
    one = concentration("decisions by lever", rows, money=False, seed=1)
    assert one.share is not None
    assert one.share > 0.5
    assert one.low is not None
    assert one.low < 0.5
    assert not one.over


def test_the_only_one_is_said_and_not_blamed() -> None:
    one = concentration("revenue by channel", [(0, "web", 5)], money=True, seed=1)
    assert not one.over
    assert one.says.endswith("It is the only one.")


@given(st.lists(st.integers(0, 10**9), max_size=30))
def test_gini_lies_between_zero_and_one(values: list[int]) -> None:
    found = gini(np.array(values, float))
    assert -1e-9 <= found < 1
    if values:
        assert gini(np.full(len(values), 7.0)) == pytest.approx(0)


def test_all_of_a_shop_and_none() -> None:
    assert all(one.share is not None for one in find_reliance(look(make_shop())))
    nothing = find_reliance(look(empty(), decisions=()))
    assert all(one.says.startswith("Not yet") for one in nothing)
