"""The books against the day's records, counted again one by one."""

from __future__ import annotations

import pytest

from cartwheel.simulator.world.aftersale import ABUSE
from cartwheel.simulator.world.books import PARTS, Books, close_books
from cartwheel.simulator.world.spec import Size
from tests.simulator.world.made import Played, fresh_state


def counted_again(played: Played, log) -> dict[str, float]:
    """A day's parts of profit, line by line."""
    state, money = played.world.state, played.world.spec.money
    goods, people = state.goods, state.people
    orders, fate = log.sales.orders, log.fate
    part = dict.fromkeys(PARTS, 0.0)
    part["revenue"] += float(orders.shipping_minor.sum())
    parcels: set[tuple[int, int]] = set()
    for line in range(len(orders.variant)):
        order, variant = int(orders.order_of[line]), int(orders.variant[line])
        units, price = int(orders.units[line]), int(orders.price_minor[line])
        assert price == log.shelf_minor[variant]
        off = units * price * int(orders.offer_bps[order]) // 10_000
        paid, cost = units * price - off, units * int(goods.cost_minor[variant])
        part["revenue"] += paid
        part["goods"] -= cost
        parcels.add((order, int(orders.location[line])))
        if fate.returned[line] < 0:
            continue
        worth = {0: 1.0, 1: money.seconds_value, 2: 0.0}[int(fate.grade[line])]
        kind = "fraud" if fate.cause[line] == ABUSE else "returns"
        # Money back and freight lost; what can be sold again is not.
        part[kind] -= paid + money.return_minor - worth * cost
    for order, place in parcels:
        far = place != people.near[orders.person[order]]
        part["parcels"] -= money.parcel_minor + (money.far_minor if far else 0)
    part["support"] -= money.contact_minor * sum(day >= 0 for day in fate.contact)
    part["mails"] -= money.mail_minor * len(log.mails)
    for variant, units in enumerate(log.stock.sum(axis=1)):
        if goods.launched[goods.product_of[variant]] <= log.day:
            value = int(units) * int(goods.cost_minor[variant])
            part["holding"] -= value * money.holding_year / 365
    return part


def test_every_part_is_what_the_records_add_up_to(played):
    books = played.world.books
    for log in played.logs:
        for name, value in counted_again(played, log).items():
            if name != "write_off":
                assert books.parts[name][log.day] == pytest.approx(value), name
    # Every part was there to be counted.
    for name in PARTS:
        assert books.parts[name].sum() != 0, name
    for name in set(PARTS) - {"revenue"}:
        assert books.parts[name].sum() < 0, name


def test_profit_is_the_sum_of_its_parts(played):
    books = played.world.books
    together = sum(books.parts[name] for name in PARTS)
    assert books.profit() == pytest.approx(together)
    assert books.profit().shape == (len(played.logs),)


def test_counts_are_what_the_records_add_up_to(played):
    counts = played.world.books.counts
    for log in played.logs:
        orders, fate, day = log.sales.orders, log.fate, log.day
        expected = {
            "visits": len(log.visits.person),
            "carts": len(set(log.sales.adds.visit.tolist())),
            "adds": len(log.sales.adds.visit),
            "failed_adds": sum(log.sales.adds.failed.tolist()),
            "orders": len(orders.person),
            "lines": len(orders.variant),
            "units": sum(orders.units.tolist()),
            "returned_units": sum(orders.units[fate.returned >= 0].tolist()),
            "late_orders": sum((fate.delivered > fate.promised).tolist()),
            "contacts": sum((fate.contact >= 0).tolist()),
            "reviews": sum((fate.review >= 0).tolist()),
            "mails": len(log.mails),
            "discount_minor": sum(orders.discount_minor.tolist()),
            "price_changes": len(log.prices),
        }
        found = {name: counts[name][day] for name in expected}
        assert found == expected


def hand_made(**money: object):
    """A shop of a hundred days with nothing in stock, on its last evening."""
    size = Size(products=4, customers=50, warmup_days=0, days=100)
    terms = {"write_off_days": 120, "seconds_value": 0.35, **money}
    state = fresh_state(1, size, money=terms)
    state.stock[:] = 0
    state.goods.cost_minor[:] = 1_000
    state.goods.launched[:] = 0
    state.day = 100
    return state, Books.opened(100)


def test_write_off_by_hand():
    state, books = hand_made()
    # Sixty units and a half in sixty days: 121 sell in 120 days. Of 200, 79 are waste
    # at 65 % of 10.00: 513.50. What was sold before these sixty days counts no more.
    state.sold[0, 40:] = 1
    state.sold[0, :40] = 50
    state.stock[0] = (150, 50)
    close_books(books, state)
    assert books.parts["write_off"][99] == pytest.approx(-51_350)
    assert books.parts["write_off"][:99].sum() == 0


def test_goods_on_the_way_are_left_over_too():
    state, books = hand_made()
    state.sold[0, 40:] = 1
    state.stock[0], state.inbound[0] = (100, 0), (0, 30)
    close_books(books, state)
    assert books.parts["write_off"][99] == pytest.approx(-9 * 650)


def test_a_new_product_is_measured_since_its_launch():
    state, books = hand_made()
    product = state.goods.product_of[0]
    state.goods.launched[product] = 90  # ten days: 90 to 99
    state.sold[0, 90:] = 2
    state.stock[0] = (250, 0)
    close_books(books, state)
    # 20.5 in ten days are 246 in 120.
    assert books.parts["write_off"][99] == pytest.approx(-4 * 650)


def test_what_never_came_to_market_is_no_waste():
    state, books = hand_made()
    state.goods.launched[state.goods.product_of[0]] = 100
    state.stock[0] = (250, 0)
    close_books(books, state)
    assert books.parts["write_off"].sum() == 0


def test_what_does_not_sell_at_all_is_waste_but_for_its_second_choice():
    state, books = hand_made(seconds_value=1.0)
    state.stock[0] = (10, 0)
    close_books(books, state)
    assert books.parts["write_off"].sum() == 0
    state, books = hand_made(seconds_value=0.0)
    state.stock[0] = (10, 0)
    close_books(books, state)
    assert books.parts["write_off"].sum() == pytest.approx(-9_000)


def test_returns_that_come_after_the_last_day_are_booked(played):
    last = played.logs[-1]
    back = last.fate.returned >= 0
    assert (last.fate.returned[back] >= played.world.size.days).all()
    booked = played.world.books.counts["returned_units"][last.day]
    assert booked == last.sales.orders.units[back].sum() > 0
