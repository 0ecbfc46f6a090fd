from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cartwheel.measure.health.drift import find_drift, ks, output_drift, psi
from tests.measure.health.made import SINCE, decisions, look, make_shop

counts = st.lists(st.integers(0, 10_000), min_size=4, max_size=4)


def test_psi_by_hand() -> None:
    found = psi(np.array([49.5, 149.5]), np.array([99.5, 99.5]))
    assert found == pytest.approx((0.25 - 0.5) * np.log(0.5) + 0.25 * np.log(1.5))


def test_ks_by_hand() -> None:
    assert ks(np.array([1.0, 2.0]), np.array([2.0, 3.0])) == pytest.approx(0.5)


@given(counts, counts)
def test_psi_is_never_negative_and_zero_for_the_same(
    a: list[int], b: list[int]
) -> None:
    one, two = np.array(a, float), np.array(b, float)
    assert psi(one, two) >= 0
    assert psi(one, one) == pytest.approx(0, abs=1e-12)
    assert psi(one, two) == pytest.approx(psi(two, one))


def test_nothing_drifts_in_a_steady_shop() -> None:
    found = find_drift(look(make_shop()))
    assert [one.name for one in found if one.alarm] == []
    # Ten decisions a turn are too few to compare.
    lacking = {one.name for one in found if one.value is None}
    assert lacking == {"decisions by kind", "predicted margin_minor"}


def test_prices_that_move_are_said_to_drift() -> None:
    con = make_shop()
    con.execute(
        "UPDATE order_lines SET unit_price_minor = 3000 "
        f"WHERE placed_at >= TIMESTAMP '{SINCE}'"
    )
    named = {one.name for one in find_drift(look(con)) if one.alarm}
    assert named == {"order value", "prices paid"}


def test_visitors_that_double_are_said_to_drift() -> None:
    con = make_shop()
    con.execute(
        "INSERT INTO events SELECT * REPLACE (event_id || 'x' AS event_id, "
        "visitor_id || 'x' AS visitor_id) FROM events "
        f"WHERE occurred_at >= TIMESTAMP '{SINCE}'"
    )
    assert "visitors a day" in {o.name for o in find_drift(look(con)) if o.alarm}


def test_decisions_of_another_kind_are_said_to_drift() -> None:
    made = [replace(one, lever=str(i)) for i, one in enumerate(decisions() * 3)]
    assert not any(one.alarm for one in output_drift(made))
    last = max(one.turn for one in made)
    changed = [
        replace(one, kind="markdown", predicted=900.0) if one.turn == last else one
        for one in made
    ]
    assert {one.name for one in output_drift(changed) if one.alarm} == {
        *("decisions by kind", "predicted margin_minor")
    }


def test_few_turns_are_not_judged() -> None:
    few = [one for one in decisions() * 3 if one.turn < 3]
    assert all(one.lacks for one in output_drift(few))
    assert all(one.lacks for one in output_drift([]))
