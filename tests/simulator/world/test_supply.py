"""Lead times, closures, part deliveries and what a supplier refuses."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cartwheel.simulator.arms.base import Purchase
from cartwheel.simulator.world.supply import Suppliers
from tests.simulator.world.made import SUPPLIERS, fresh_state


def made(seed: int = 1, **terms: object):
    """A state with one supplier of these terms, and the suppliers."""
    calm = {"disruptions": 0.0, "drift": 0.0, "minimum_minor": 0, "promised_days": 20}
    supplier = {**SUPPLIERS[0], **calm, **terms}
    state = fresh_state(seed, supply={"packs": [2], "suppliers": [supplier]})
    return state, Suppliers(state)


def numbers_of(state) -> dict[str, int]:
    return {str(name): i for i, name in enumerate(state.goods.variant_ids)}


def buy(state, suppliers, *lines: tuple[int, str, object]):
    ids = state.goods.variant_ids
    purchases = [
        Purchase(variant_id=str(ids[v]), location_id=place, units=units)
        for v, place, units in lines
    ]
    return suppliers.order(state, purchases, numbers_of(state))


def lead_times(state, suppliers, days: int) -> np.ndarray:
    found = []
    for day in range(days):
        state.day = day
        found += [suppliers.lead_days(state, 0, place) for place in (0, 1)]
    return np.array(found)


@pytest.mark.parametrize(("ratio", "spread"), [(1.0, 0.2), (1.5, 0.5)])
def test_lead_times_have_the_stated_mean_and_spread(ratio, spread):
    state, suppliers = made(mean_ratio=ratio, spread=spread)
    days = lead_times(state, suppliers, 1_000)
    mean = 20 * ratio
    error = mean * spread / np.sqrt(len(days))
    assert days.mean() == pytest.approx(mean, abs=4 * error)
    assert days.std() / days.mean() == pytest.approx(spread, rel=0.1)
    assert days.min() >= 1


def test_lead_times_drift_as_stated_over_a_year():
    state, suppliers = made(mean_ratio=1.0, spread=0.01, drift=0.5)
    assert suppliers.lead_days(state, 0, 0) == pytest.approx(20, abs=1)
    state.day = 365
    assert suppliers.lead_days(state, 0, 0) == pytest.approx(20 * np.exp(0.5), abs=2)


@pytest.mark.parametrize(
    ("closed", "ordered_on", "delay"),
    [
        ([(5, 15)], 0, 10),  # closes while the goods are made
        ([(5, 15)], 8, 7),  # ordered while it is closed
        ([(5, 15)], 15, 0),  # open again
        ([(60, 90)], 0, 0),  # arrived long before
        ([(5, 15), (10, 18)], 0, 13),  # days closed for two reasons count once
        ([(5, 15), (8, 12)], 0, 10),
        ([(5, 15), (20, 25)], 0, 15),
        ([(5, 15), (32, 35)], 0, 10),
        ([(5, 19), (32, 35)], 0, 17),  # late because of one, caught by the next
    ],
)
def test_a_closed_supplier_delays_by_the_days_it_is_closed(closed, ordered_on, delay):
    state, suppliers = made(mean_ratio=1.0, spread=0.001)
    state.day = ordered_on
    suppliers.closed = [[]]
    usual = suppliers.lead_days(state, 0, 0)
    assert usual == 20
    suppliers.closed = [closed]
    assert suppliers.lead_days(state, 0, 0) == usual + delay


def test_disruptions_come_as_often_and_last_as_long_as_stated():
    spans = [
        end - start
        for seed in range(60)
        for start, end in made(seed, disruptions=36.5, disruption_days=6.0)[1].closed[0]
    ]
    # 36.5 a year are 4 in the 40 days of a world; lengths are rounded up.
    assert len(spans) == pytest.approx(60 * 4, abs=4 * np.sqrt(240))
    assert np.mean(spans) == pytest.approx(6.5, abs=4 * 6 / np.sqrt(240))


@pytest.mark.parametrize("fill", [1.0, 0.9, 0.3, 0.0])
def test_the_mean_share_delivered_is_the_suppliers_fill(fill):
    state, suppliers = made(fill=fill)
    got = []
    for day in range(15):
        state.day = day
        lines = [(v, "L1", 4) for v in range(len(state.goods.variant_ids))]
        lines = [line for line in lines if state.goods.minimum[line[0]] <= 4]
        placed, _ = buy(state, suppliers, *lines)
        got += [line.units / line.ordered for line in placed]
    assert len(got) > 500
    error = np.std(got) / np.sqrt(len(got))
    assert np.mean(got) == pytest.approx(fill, abs=4 * error + 1e-12)
    assert 0 <= min(got) <= max(got) <= 1


def test_an_order_is_on_its_way_until_it_arrives():
    state, suppliers = made()
    least = int(state.goods.minimum[0])
    (line,), refused = buy(state, suppliers, (0, "L2", least))
    assert not refused
    assert state.inbound[0].tolist() == [0, least]
    assert line.expected_day == 20
    assert line.arrives > state.day
    assert line.cost_minor == state.goods.cost_minor[0]


def test_lines_of_one_order_come_together_and_hold_a_variant_once():
    state, suppliers = made()
    least = [int(m) for m in state.goods.minimum[:2]]
    lines = [(0, "L1", least[0]), (1, "L1", least[1]), (0, "L1", least[0])]
    placed, refused = buy(state, suppliers, *lines)
    assert not refused
    assert [line.variant for line in placed] == [0, 1]
    assert placed[0].ordered == 2 * least[0]
    assert len({line.order_id for line in placed}) == 1
    assert len({line.arrives for line in placed}) == 1


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"variant_id": "P99999"}, "no such variant"),
        ({"location_id": "L3"}, "no location L3"),
        ({"units": 0}, "below the smallest order of 2"),
        ({"units": -4}, "below the smallest order of 2"),
        ({"units": 5}, "5 units is no multiple of the pack of 2"),
        ({"units": 4.5}, "4.5 units is no multiple of the pack of 2"),
        ({"units": float("nan")}, "nan units is below"),
        ({"units": float("inf")}, "inf units is no multiple"),
    ],
)
def test_impossible_lines_are_refused_and_say_why(change, said):
    state, suppliers = made()
    state.goods.minimum[:] = 2
    line = {"variant_id": str(state.goods.variant_ids[0]), "location_id": "L1"}
    purchase = Purchase(**{**line, "units": 4, **change})
    placed, (refused,) = suppliers.order(state, [purchase], numbers_of(state))
    assert placed == []
    assert refused.variant_id == purchase.variant_id
    assert said in refused.reason
    assert state.inbound.sum() == 0


def test_what_is_not_launched_cannot_be_ordered_yet():
    state, suppliers = made()
    later = np.flatnonzero(state.goods.launched[state.goods.product_of] > 0)[0]
    launch = int(state.goods.launched[state.goods.product_of[later]])
    line = (int(later), "L1", int(state.goods.minimum[later]))
    state.day = launch - 1
    assert buy(state, suppliers, line)[1][0].reason == "there is no such variant"
    state.day = launch
    assert buy(state, suppliers, line)[1] == []


def test_a_basket_below_the_least_value_is_refused_whole():
    state, suppliers = made(minimum_minor=10_000)
    state.goods.cost_minor[:3] = (1_000, 1_500, 4_000)
    state.goods.minimum[:3] = 2
    placed, refused = buy(state, suppliers, (0, "L1", 2), (1, "L1", 4), (2, "L2", 2))
    assert placed == []
    # 8,000 for one warehouse and 8,000 for the other are two baskets.
    assert len(refused) == 3
    assert all("10000" in line.reason for line in refused)
    placed, refused = buy(state, suppliers, (0, "L1", 4), (1, "L1", 4))
    assert len(placed) == 2
    assert refused == []


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 30), st.integers(-3, 20)), max_size=12))
def test_what_is_placed_keeps_to_pack_and_minimum_and_the_rest_is_named(lines):
    state, suppliers = made()
    state.day = 39
    asked = [(v, ("L1", "L2")[v % 2], units) for v, units in lines]
    placed, refused = buy(state, suppliers, *asked)
    goods = state.goods
    fine = [
        (v, units)
        for v, units in lines
        if units >= goods.minimum[v] and units % goods.pack[v] == 0
    ]
    assert len(refused) == len(lines) - len(fine)
    assert sum(line.ordered for line in placed) == sum(units for _, units in fine)
    for line in placed:
        assert line.ordered >= goods.minimum[line.variant]
        assert line.ordered % goods.pack[line.variant] == 0
    assert state.inbound.sum() == sum(line.ordered for line in placed)
