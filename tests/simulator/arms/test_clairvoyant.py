"""The clairvoyant: what it foresees is what happens, and it pays."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy

import numpy as np
import pytest

from cartwheel.simulator.arms.base import Actions, Page, ShopView
from cartwheel.simulator.arms.clairvoyant import Clairvoyant
from cartwheel.simulator.arms.foresight import sales, wishes
from cartwheel.simulator.arms.oracle import Oracle
from cartwheel.simulator.arms.plain import Plain
from cartwheel.simulator.arms.registry import CLAIRVOYANT, DEFAULT, make_arm
from cartwheel.simulator.referee.play import play_out
from cartwheel.simulator.world.aftersale import decide_fate
from cartwheel.simulator.world.books import Books, book_orders
from cartwheel.simulator.world.storefront import Cart, make_visits
from cartwheel.simulator.world.supply import filled
from cartwheel.simulator.world.till import sell
from cartwheel.simulator.world.world import View, World
from tests.simulator.world.made import SIZE, Idle, fresh_state, make_spec, visits_of


class Whole(Idle):
    """Shows everybody the first goods of the catalogue."""

    def slates(self, pages: Sequence[Page]) -> list[list[str]]:
        return [[f"P{i + 1:05d}" for i in range(page.limit)] for page in pages]


def warm(seed: int = 1) -> World:
    world = World(make_spec(), SIZE, seed)
    plain = Plain()
    while world.day < SIZE.warmup_days:
        world.play_day(plain)
    return world


def test_wishes_are_what_people_put_into_their_carts() -> None:
    state = fresh_state(funnel={"second_item": 1.0, "strip": 1.0, "companion": 3.0})
    person = np.arange(SIZE.customers)
    visits = make_visits(state, Whole(), person)
    found = wishes(state, person, np.arange(SIZE.products))
    goes_with = {0.0, state.spec.funnel.companion}
    first = 0
    for cart in visits.carts:
        who = int(visits.person[cart.visit])
        product = state.goods.product_of[list(cart.wishes)]
        assert (found.variant[who, product] == cart.wishes).all()
        if np.allclose(found.over[who, product], cart.appeal):
            first += 1
        else:  # one thing that goes with the first, or does not
            bonus = cart.appeal[0] - found.adds[who, product[0]]
            assert min(abs(bonus - one) for one in goes_with) < 1e-9
    assert 20 < first < len(visits.carts)


def test_opened_is_what_would_be_opened() -> None:
    state = fresh_state()
    person = np.arange(200)
    seen = make_visits(state, Whole(), person).seen
    found = wishes(state, person, np.arange(SIZE.products))
    listed = seen.position > 0
    # Some pages are not opened because a person opened enough already.
    opens = found.opens[seen.visit[listed], seen.product[listed]]
    assert (opens >= seen.opened[listed]).all()
    assert opens.sum() < 1.2 * seen.opened[listed].sum()


def test_what_a_sale_earns_is_what_the_books_say() -> None:
    state = fresh_state()
    state.stock[:] = 50
    person = np.arange(300)
    variant = state.variant_for(person, person % SIZE.products)
    told = sales(state, person, variant, beside=np.zeros(len(person)))
    assert 0 < (told.earned_minor < 0).sum() < (told.earned_minor != 0).sum() < 300
    total = 0.0
    for i in person[told.earned_minor != 0][:40]:
        cart = Cart(visit=0, second=100, wishes=(int(variant[i]),), appeal=(1.0,))
        own = deepcopy(state)
        orders = sell(own, visits_of([int(i)], [cart])).orders
        assert orders.units.tolist() == [told.units[i]]
        books = Books.opened(SIZE.days)
        book_orders(books, own, orders, decide_fate(own, orders))
        assert books.profit()[0] == pytest.approx(told.earned_minor[i])
        total += books.profit()[0]
    assert total != 0


def test_who_would_not_pay_brings_nothing() -> None:
    state = fresh_state(funnel={"pay": 0.0})
    person = np.arange(50)
    variant = state.variant_for(person, person % SIZE.products)
    told = sales(state, person, variant, beside=np.zeros(50))
    assert not told.earned_minor.any()


def test_orders_cover_what_is_missing_until_the_next_delivery() -> None:
    world = warm()
    arm = Clairvoyant(world, foresees=False)
    state, day = world.state, world.day
    arm._demand = np.zeros(state.sold.shape, np.int64)
    arm._demand[0, day : day + 20] = 1
    state.stock[0] = (3, 2)
    coming = np.zeros(SIZE.days, np.int64)
    coming[day + 7] = 2
    # Five days of stock, two lost, two more from what comes: days 9 to 13 lack five.
    reserve = round(1.6 * np.sqrt(6))
    assert arm._missing(0, coming, day + 8, day + 14) == 5 + reserve
    assert arm._missing(0, coming, day + 14, day + 14) == 0
    assert arm._missing(1, coming, day + 8, day + 14) == 0


def test_a_lot_is_made_of_packs_and_brings_what_is_needed() -> None:
    world = warm()
    arm = Clairvoyant(world, foresees=False)
    numbers = {str(name): i for i, name in enumerate(world.state.goods.variant_ids)}
    for article in View(world).articles():
        v = numbers[article.variant_id]
        units = arm._lot(article, v, 0, 9)
        assert units % article.pack_units == 0
        assert units >= max(9, article.minimum_order_units)
        assert filled(world.state, v, 0, units) >= 9 or units >= 36


def test_arrivals_tell_what_is_under_way() -> None:
    world = warm()
    ahead = world.arrivals()
    before = world.state.stock.sum(axis=1)
    arrived = world._morning()
    assert sum(line.units for line in arrived) == ahead[:, world.day].sum()
    after = world.state.stock.sum(axis=1)
    assert (after - before >= ahead[:, world.day]).all()


class Watched(Clairvoyant):
    """Checks each morning that foreseeing left the world as it was."""

    def morning(self, shop: ShopView) -> Actions:
        state = self._world.state
        before = state.day, state.stock.copy(), state.sold.copy()
        actions = super().morning(shop)
        assert state.day == before[0]
        assert (state.stock == before[1]).all()
        assert (state.sold == before[2]).all()
        return actions


@pytest.mark.parametrize("seed", [1, 2])
def test_clairvoyance_earns_more_than_knowledge(seed: int) -> None:
    shared = warm(seed)
    profit = {}
    for arm in (Oracle, Watched):
        world = deepcopy(shared)
        play_out(world, arm(world))
        profit[arm] = world.books.profit()[SIZE.warmup_days :].sum()
    assert profit[Watched] > 1.2 * profit[Oracle]


def test_it_is_an_arm_but_not_a_default_one() -> None:
    world = warm()
    assert isinstance(make_arm(CLAIRVOYANT, world, 1), Clairvoyant)
    assert CLAIRVOYANT not in DEFAULT
