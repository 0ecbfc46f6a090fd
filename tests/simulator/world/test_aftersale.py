"""Deliveries, returns with their causes, contacts and reviews against their laws."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cartwheel.simulator.world import aftersale
from cartwheel.simulator.world.aftersale import (
    ABUSE,
    CONTENT,
    DEFECT,
    LATE,
    NONE,
    SMALL,
    decide_fate,
)
from cartwheel.simulator.world.spec import Size
from tests.simulator.world.made import fresh_state, orders_of

MANY = Size(products=40, customers=6_000, warmup_days=10, days=40)


def fates(state, variant: int | None = None):
    """Everybody buys: a variant of their own, or all the same."""
    who = np.arange(len(state.people))
    count = len(state.goods.variant_ids)
    what = who % count if variant is None else np.full(len(who), variant)
    orders = orders_of(state, who, what)
    return orders, decide_fate(state, orders)


def plain(**sections):
    """A world in which nothing goes wrong unless a test says so."""
    calm = {
        "goods": {"defect_share": 0.0, "runs_small_share": 0.0, "content_gap_sd": 0.0},
        "people": {"abusers": 0.0, "return_sd": 0.0},
        "service": {"promise_days": 60, "mismatch": 0.0},
    }
    for name, values in sections.items():
        calm[name] = {**calm.get(name, {}), **values}
    return fresh_state(3, MANY, **calm)


def test_things_happen_after_what_causes_them():
    state = fresh_state(2, MANY)
    state.day = 7
    orders, fate = fates(state)
    back, wrote = fate.returned >= 0, fate.review >= 0
    delivered = fate.delivered[orders.order_of]
    window = state.spec.service.return_days
    assert (fate.delivered > state.day).all()
    assert (fate.returned[back] > delivered[back]).all()
    assert (fate.returned[back] <= delivered[back] + window).all()
    assert (fate.review[wrote] > delivered[wrote]).all()
    assert (fate.contact >= fate.delivered)[fate.contact >= 0].all()
    assert (fate.leaves > fate.delivered)[fate.leaves >= 0].all()
    assert set(np.unique(fate.stars)) <= {1, 2, 3, 4, 5}
    # A line comes back if and only if it has a cause.
    assert np.array_equal(back, fate.cause != NONE)
    assert set(np.unique(fate.cause)) == set(range(len(aftersale.CAUSES)))


def test_deliveries_take_the_stated_time_and_a_day_more_from_afar():
    state = plain(service={"delivery_days": [3.0, 0.4]})
    orders, fate = fates(state)
    # Rounding up adds half a day.
    assert fate.delivered.mean() == pytest.approx(3.5, abs=0.1)
    away = replace(orders, location=1 - orders.location)
    assert np.array_equal(decide_fate(state, away).delivered, fate.delivered + 1)


def test_a_late_order_is_one_that_comes_after_its_promise():
    state = plain(service={"promise_days": 3})
    _, fate = fates(state)
    late = fate.delivered > state.day + 3
    assert 0 < late.mean() < 1
    assert np.array_equal(fate.promised, np.full(len(late), state.day + 3))
    assert np.array_equal(fate.contact_cause == LATE, late)


def test_returns_come_as_often_as_the_category_says_when_nothing_is_wrong():
    state = plain()
    orders, fate = fates(state)
    category = state.goods.category[state.goods.product_of[orders.variant]]
    for number, law in enumerate(state.spec.goods.categories):
        lines = fate.returned[category == number] >= 0
        error = np.sqrt(law.returns * (1 - law.returns) / len(lines))
        assert lines.mean() == pytest.approx(law.returns, abs=4 * error)


@pytest.mark.parametrize(
    ("mark", "value", "cause"),
    [("runs_small", True, SMALL), ("content_gap", 1.5, CONTENT)],
)
def test_what_is_wrong_with_a_product_brings_more_of_it_back(mark, value, cause):
    state = plain()
    before = fates(state, 0)[1].returned >= 0
    getattr(state.goods, mark)[state.goods.product_of[0]] = value
    _, fate = fates(state, 0)
    after = fate.returned >= 0
    assert after.mean() > before.mean() + 0.1
    assert (after | ~before).all()  # nobody keeps it because it is worse
    assert (fate.cause == cause).mean() > 0.1
    # The cause shows in what people say: more contacts and fewer stars.
    blamed = fate.cause == cause
    assert fate.stars[blamed].mean() < fate.stars[~blamed].mean() - 1


def test_a_hidden_fault_shows_at_its_rate_and_leaves_waste():
    state = plain(goods={"defect_rate": 0.3})
    state.goods.defect[state.goods.product_of[0]] = True
    _, fate = fates(state, 0)
    faulty = fate.cause == DEFECT
    assert faulty.mean() == pytest.approx(0.3, abs=0.03)
    assert (fate.grade[faulty] == aftersale.GRADES.index("waste")).all()
    whole = fate.grade[(fate.returned >= 0) & ~faulty]
    assert (whole == 0).mean() == pytest.approx(0.7, abs=0.06)


def test_only_rings_abuse_and_some_of_their_boxes_are_empty():
    state = plain(people={"abusers": 0.5})
    _, fate = fates(state)
    abused = fate.cause == ABUSE
    assert not abused[~state.people.abuser].any()
    share = abused[state.people.abuser].mean()
    assert share == pytest.approx(aftersale.ABUSE_RATE, abs=0.04)
    empty = (fate.grade[abused] == aftersale.GRADES.index("waste")).mean()
    assert empty == pytest.approx(aftersale.EMPTY_BOX, abs=0.05)


def test_people_leave_and_write_in_for_a_cause():
    state = plain(
        service={"promise_days": 3, "leave_bad": 0.4, "contact": 0, "contact_cause": 1}
    )
    _, fate = fates(state)
    late = fate.contact_cause == LATE
    assert not (fate.leaves[~late] >= 0).any()
    assert (fate.leaves[late] >= 0).mean() == pytest.approx(0.4, abs=0.07)
    assert np.array_equal(fate.contact >= 0, late)


def test_who_writes_a_review_is_no_draw_of_its_stars():
    state = plain(service={"review": 0.1})
    orders, fate = fates(state)
    wrote = fate.review >= 0
    assert wrote.mean() == pytest.approx(0.1, abs=0.02)
    # Compare within a product: its stars vary as much among those who wrote.
    product = state.goods.product_of[orders.variant]
    mean = np.bincount(product, fate.stars) / np.bincount(product)
    away = np.abs(fate.stars - mean[product])
    assert away[wrote].mean() == pytest.approx(away[~wrote].mean(), abs=0.08)


def test_one_persons_fate_is_nobody_elses():
    state = fresh_state(2)
    orders = orders_of(state, [4, 9, 11], [1, 2, 3])
    fate = decide_fate(state, orders)
    fewer = decide_fate(state, orders_of(state, [4, 11], [1, 3]))
    for name in ("delivered", "returned", "cause", "grade", "contact", "stars"):
        assert getattr(fewer, name).tolist() == getattr(fate, name)[[0, 2]].tolist()
