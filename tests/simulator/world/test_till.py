"""Carts meet stock by the clock; nobody gets what is not there."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cartwheel.simulator.world.storefront import Cart
from cartwheel.simulator.world.till import sell
from tests.simulator.world.made import fresh_state, visits_of

ALL_PAY = {"pay": 1.0, "substitute": 1.0, "more_units": 0.0}


def cart(visit: int, second: int, *wishes: int) -> Cart:
    return Cart(
        visit=visit, second=second, wishes=wishes, appeal=tuple(1.0 for _ in wishes)
    )


def stocked(units: dict[tuple[int, int], int], **funnel: float):
    state = fresh_state(funnel={**ALL_PAY, **funnel})
    state.stock[:] = 0
    for (variant, place), count in units.items():
        state.stock[variant, place] = count
    return state


def living_at(state, place: int) -> list[int]:
    return [int(p) for p in np.flatnonzero(state.people.near == place)]


def test_the_last_unit_goes_to_who_came_first():
    state = stocked({(0, 0): 1})
    late, early = living_at(state, 0)[:2]
    sales = sell(state, visits_of([late, early], [cart(0, 900, 0), cart(1, 100, 0)]))
    assert sales.orders.person.tolist() == [early]
    assert sales.let_down.tolist() == [late]
    assert sales.adds.failed.tolist() == [False, True]
    assert state.stock[0].sum() == 0
    assert state.sold[0, 0] == 1


def test_the_nearest_warehouse_sends_and_the_other_helps_out():
    state = stocked({(0, 0): 1, (0, 1): 1})
    one, two = living_at(state, 1)[:2]
    sales = sell(state, visits_of([one, two], [cart(0, 100, 0), cart(1, 200, 0)]))
    assert sales.orders.location.tolist() == [1, 0]


def test_a_sold_out_wish_is_replaced_only_by_people_who_take_another():
    wishes = [cart(0, 100, 0, 1)]
    state = stocked({(1, 0): 5}, substitute=1.0)
    taken = sell(state, visits_of([3], wishes))
    assert taken.orders.variant.tolist() == [1]
    assert taken.adds.variant.tolist() == [0, 1]
    assert taken.adds.failed.tolist() == [True, False]
    assert len(taken.let_down) == 0
    state = stocked({(1, 0): 5}, substitute=0.0)
    left = sell(state, visits_of([3], wishes))
    assert left.adds.variant.tolist() == [0]
    assert left.let_down.tolist() == [3]


def test_all_or_none_pay_at_the_ends_of_the_range():
    carts = [cart(i, 100 + i, 0) for i in range(50)]
    state = stocked({(0, 0): 99}, pay=1.0)
    assert len(sell(state, visits_of(range(50), carts)).orders.person) == 50
    state = stocked({(0, 0): 99}, pay=0.0)
    sales = sell(state, visits_of(range(50), carts))
    assert len(sales.orders.person) == 0
    assert sales.checkouts.shape == (2, 50)
    assert state.stock[0, 0] == 99


def test_as_many_pay_as_the_world_says_and_fewer_with_a_fee():
    # The cheaper of two articles does not reach free shipping.
    people, paid = 600, []
    for price in (9_000, 1_000):
        state = stocked({(0, 0): 9_999, (0, 1): 9_999}, pay=0.5, shipping_pain=0.8)
        state.price_minor[0] = price
        carts = [cart(i, 100, 0) for i in range(people)]
        orders = sell(state, visits_of(range(people), carts)).orders
        paid.append(len(orders.person))
        assert set(orders.shipping_minor.tolist()) == {0 if price > 6_000 else 495}
    odds = np.exp(-0.8)
    for count, share in zip(paid, (0.5, odds / (1 + odds)), strict=True):
        assert count == pytest.approx(people * share, abs=4 * np.sqrt(people / 4))


def test_a_second_wish_is_in_the_same_order_and_parcel_list():
    state = stocked({(0, 0): 9, (1, 0): 9})
    sales = sell(state, visits_of([3], [cart(0, 100, 0), cart(0, 160, 1)]))
    assert sales.orders.person.tolist() == [3]
    assert sales.orders.order_of.tolist() == [0, 0]
    assert sales.orders.variant.tolist() == [0, 1]


def test_the_last_unit_is_not_sold_twice_to_the_same_cart():
    state = stocked({(0, 0): 1})
    sales = sell(state, visits_of([3], [cart(0, 100, 0), cart(0, 160, 0)]))
    assert sales.orders.units.tolist() == [1]
    assert state.stock[0, 0] == 0


def test_an_offer_cuts_the_price_of_its_holder_alone():
    state = fresh_state(funnel=ALL_PAY, mail={"coupon_use": 1.0})
    state.stock[0] = 9
    state.price_minor[0] = 1_999
    state.people.offer[3], state.people.offer_until[3] = 2_850, 5
    state.people.offer[4], state.people.offer_until[4] = 2_850, -1  # over
    sales = sell(
        state, visits_of([3, 4, 5], [cart(i, 100 + i, 0) for i in range(3)])
    ).orders
    assert sales.offer_bps.tolist() == [2_850, 0, 0]
    assert sales.discount_minor.tolist() == [1_999 * 2_850 // 10_000, 0, 0]
    assert sales.paid_minor.tolist() == [1_999 - 569, 1_999, 1_999]


def test_carts_of_several_units_come_as_often_as_stated():
    state = fresh_state(funnel={**ALL_PAY, "more_units": 0.3})
    state.stock[0] = 10_000
    people = range(600)
    units = sell(state, visits_of(people, [cart(i, 100, 0) for i in people])).orders
    for least in (2, 3):
        share = float((units.units >= least).mean())
        assert share == pytest.approx(0.3 ** (least - 1), abs=0.07)


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_what_is_sold_leaves_the_stock_and_never_more_than_there_was(data):
    state = fresh_state(funnel={"more_units": 0.5})
    variants = st.integers(0, 3)
    state.stock[:] = 0
    state.stock[:4] = data.draw(
        st.lists(
            st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=4, max_size=4
        )
    )
    before = state.stock.copy()
    wishes = data.draw(
        st.lists(
            st.tuples(
                st.integers(0, 11),
                st.integers(0, 50),
                st.lists(variants, min_size=1, max_size=3, unique=True),
            ),
            max_size=25,
        )
    )
    carts = [cart(visit, second, *which) for visit, second, which in wishes]
    sales = sell(state, visits_of(range(100, 112), carts))
    orders = sales.orders
    taken = np.zeros_like(before)
    np.add.at(taken, (orders.variant, orders.location), orders.units)
    assert (state.stock >= 0).all()
    assert np.array_equal(before - taken, state.stock)
    assert np.array_equal(taken.sum(axis=1), state.sold[:, 0])
    assert (orders.units > 0).all()
    assert len(set(orders.person.tolist())) == len(orders.person)
    # Each order has a line, and each who found nothing has none.
    assert set(orders.order_of.tolist()) == set(range(len(orders.person)))
    assert not set(orders.person.tolist()) & set(sales.let_down.tolist())
