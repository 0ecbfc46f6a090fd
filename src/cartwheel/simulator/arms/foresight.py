"""What a visit will bring, for a policy that knows every draw to come.

The world's own laws are asked: what a person would open and how much they would like it
today, whether they would pay, how many units, and what would come back. Nothing is
estimated; only what other visits do to the stock in the meantime is left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from cartwheel.simulator.world.aftersale import decide_fate
from cartwheel.simulator.world.books import returned
from cartwheel.simulator.world.storefront import bar, liking, lure
from cartwheel.simulator.world.till import Orders, pay_chance, wished_units

if TYPE_CHECKING:
    from cartwheel.simulator.world.state import State

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What n people would make of m products each today; arrays of shape (n, m).

    Attributes:
        variant: What each would take of the product.
        opens: It would be opened in a list.
        over: Appeal over buying nothing, once opened.
        adds: Appeal over buying nothing beside what is in the cart already.
    """

    variant: Array
    opens: Array
    over: Array
    adds: Array


def wishes(state: State, person: Array, product: Array) -> Wishes:
    """Return what people would make of products if they met them today.

    Args:
        state: The world today.
        person: Numbers of people, shape (n,).
        product: Numbers of products, shape (m,).
    """
    shape = len(person), len(product)
    who, what = np.repeat(person, len(product)), np.tile(product, len(person))
    variant = state.variant_for(who, what)
    value = state.value(who, what, variant)
    shock = state.draws.uniform("shock", who, state.day, what)
    nothing = bar(state) + state.draws.gumbel("outside", person, state.day)[:2]
    over = liking(state, value, what, shock).reshape(shape)
    adds = (value - np.log(-np.log(shock[2]))).reshape(shape)
    opens = lure(state, value, what, shock) > state.spec.funnel.click_at
    return Wishes(
        variant=variant.reshape(shape),
        opens=opens.reshape(shape),
        over=over - nothing[0][:, None],
        adds=adds - nothing[1][:, None],
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Sale:
    """What selling a variant to a person today would bring; n of them.

    Attributes:
        units: Units they would take, shape (n,).
        earned_minor: Profit in the end; 0 when they would not pay, shape (n,).
    """

    units: Array
    earned_minor: Array


def sales(state: State, person: Array, variant: Array, *, beside: Array) -> Sale:
    """Return what comes of sales, each taken for itself.

    Args:
        state: The world today.
        person: Shape (n,).
        variant: Shape (n,).
        beside: Value of what is in the cart already in minor units, 0 for an empty
            one; what joins it needs no parcel of its own and is a single unit,
            shape (n,).
    """
    money, funnel = state.spec.money, state.spec.funnel
    luck = state.draws.uniform("till", person, state.day)
    most = state.stock[variant].max(axis=1)
    units = np.where(beside > 0, 1, wished_units(funnel.more_units, luck[3]))
    units = np.where(most >= units, units, 1)
    price, offer = state.shelf_price()[variant], state.offer_today(person)
    off = price * units * offer // 10_000
    free = beside + price * units - off >= money.free_from_minor
    fee = np.where(free, 0, money.shipping_minor)
    zero, lines = np.zeros(len(person), np.int64), np.arange(len(person))
    orders = Orders(
        person=person,
        visit=zero,
        second=zero,
        shipping_minor=fee,
        offer_bps=offer,
        order_of=lines,
        variant=variant,
        location=state.people.near[person],
        units=units,
        price_minor=price,
        discount_minor=off,
    )
    fate = decide_fate(state, orders)
    back, lost = returned(state, orders, fate)
    earned = orders.paid_minor - state.goods.cost_minor[variant] * units - back * lost
    alone = fee - money.parcel_minor - money.contact_minor * (fate.contact >= 0)
    earned = earned + np.where(beside > 0, 0, alone)
    pays = luck[0] < pay_chance(funnel, fee)
    return Sale(units=units, earned_minor=np.where(pays, earned, 0.0))
