"""From carts to orders: stock is taken in the order of the day's clock."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from cartwheel.simulator.world.spec import Funnel
    from cartwheel.simulator.world.state import State
    from cartwheel.simulator.world.storefront import Cart, Visits

Array = np.ndarray[Any, Any]

MOST_UNITS = 8
"""Units of a line at most."""

CHECKOUT_SECONDS = 240


@dataclass(frozen=True, slots=True, kw_only=True)
class Adds:
    """Tries to put something into the cart; one row each.

    Attributes:
        visit: Row of the visit.
        variant: What was wanted.
        units: How many.
        second: Second of the day.
        failed: It was sold out.
    """

    visit: Array
    variant: Array
    units: Array
    second: Array
    failed: Array


@dataclass(frozen=True, slots=True, kw_only=True)
class Orders:
    """A day's paid orders; O orders, L lines.

    Attributes:
        person: Shape (O,).
        visit: Row of the visit, shape (O,).
        second: Second of the day, shape (O,).
        shipping_minor: Charged, shape (O,).
        offer_bps: Price cut of an offer that was used, shape (O,).
        order_of: Order of a line, shape (L,).
        variant: Shape (L,).
        location: Index of the warehouse, shape (L,).
        units: Shape (L,).
        price_minor: Price of a unit before the offer, shape (L,).
        discount_minor: Offer's cut of the line, shape (L,).
    """

    person: Array
    visit: Array
    second: Array
    shipping_minor: Array
    offer_bps: Array
    order_of: Array
    variant: Array
    location: Array
    units: Array
    price_minor: Array
    discount_minor: Array

    @property
    def paid_minor(self) -> Array:
        """Paid for each line, shape (L,)."""
        return np.asarray(self.units * self.price_minor - self.discount_minor)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sales:
    """What became of a day's carts.

    Attributes:
        adds: Tries to put something into the cart.
        checkouts: Rows of visits that began to pay, and when, shape (2, n).
        orders: What was paid.
        let_down: People who found what they wanted sold out and left.
    """

    adds: Adds
    checkouts: Array
    orders: Orders
    let_down: Array


def sell(state: State, visits: Visits) -> Sales:
    """Serve carts one after the other; each meets the stock the one before left."""
    till = _Till(state, visits)
    carts = sorted(visits.carts, key=lambda c: (c.visit, c.second))
    by_visit = [list(group) for _, group in groupby(carts, key=lambda c: c.visit)]
    for group in sorted(by_visit, key=lambda g: (g[0].second, g[0].visit)):
        till.serve(group)
    return till.close()


def wished_units(more: float, luck: Array) -> Array:
    """Return how many units are wanted: a geometric number, cut off.

    Args:
        more: Chance of wanting one more.
        luck: Uniform draws, any shape.
    """
    further = more ** np.arange(1, MOST_UNITS)
    result: Array = 1 + (np.asarray(luck)[..., None] < further).sum(axis=-1)
    return result


def pay_chance(funnel: Funnel, fee_minor: Any) -> Any:
    """Return the chance that a cart is paid; shipping that costs puts people off."""
    # The odds of paying, without dividing by zero when all or none pay.
    pain = np.exp(-funnel.shipping_pain * (fee_minor > 0))
    return funnel.pay * pain / (funnel.pay * pain + 1.0 - funnel.pay)


class _Till:
    def __init__(self, state: State, visits: Visits) -> None:
        self.state, self.visits = state, visits
        self.price = state.shelf_price()
        rows = np.array(sorted({c.visit for c in visits.carts}), np.int64)
        who = visits.person[rows]
        luck = state.draws.uniform("till", who, state.day)
        cut = state.offer_today(who)
        self.luck = {int(row): luck[:, i] for i, row in enumerate(rows)}
        self.cut = {int(row): int(cut[i]) for i, row in enumerate(rows)}
        self.adds: list[tuple[int, int, int, int, bool]] = []
        self.checkouts: list[tuple[int, int]] = []
        self.orders: list[tuple[int, int, int, int, int]] = []
        self.lines: list[tuple[int, int, int, int, int, int]] = []
        self.let_down: list[int] = []

    def serve(self, carts: list[Cart]) -> None:
        row = carts[0].visit
        person = int(self.visits.person[row])
        luck = self.luck[row]
        more = self.state.spec.funnel.more_units
        held: list[tuple[int, int, int]] = []
        for number, cart in enumerate(carts):
            units = int(wished_units(more, luck[3])) if number == 0 else 1
            got = self._take(cart, person, units, luck[1])
            if got is not None:
                held.append(got)
        if not held:
            self.let_down.append(person)
            return
        second = carts[-1].second + CHECKOUT_SECONDS
        self.checkouts.append((row, second))
        self._pay(row, person, second, held, float(luck[0]))

    def _take(
        self, cart: Cart, person: int, units: int, luck: float
    ) -> tuple[int, int, int] | None:
        """Return (variant, location, units) put into the cart, or None."""
        for number, variant in enumerate(cart.wishes):
            if number > 0 and luck >= self.state.spec.funnel.substitute:
                return None
            place = self._place(variant, person, units)
            if place is None and units > 1:
                units, place = 1, self._place(variant, person, 1)
            at = cart.second + 5 * number
            self.adds.append((cart.visit, variant, units, at, place is None))
            if place is not None:
                return variant, place, units
        return None

    def _place(self, variant: int, person: int, units: int) -> int | None:
        stock = self.state.stock[variant]
        near = int(self.state.people.near[person])
        for place in (near, *(p for p in range(len(stock)) if p != near)):
            if stock[place] >= units:
                return place
        return None

    def _pay(
        self,
        row: int,
        person: int,
        second: int,
        held: list[tuple[int, int, int]],
        luck: float,
    ) -> None:
        money, funnel = self.state.spec.money, self.state.spec.funnel
        cut = self.cut[row]
        goods = sum(int(self.price[v]) * n for v, _, n in held)
        goods -= goods * cut // 10_000
        fee = 0 if goods >= money.free_from_minor else money.shipping_minor
        if luck >= pay_chance(funnel, fee):
            return
        number = len(self.orders)
        self.orders.append((person, row, second, fee, cut))
        for variant, place, wanted in held:
            units = min(wanted, int(self.state.stock[variant, place]))
            if units == 0:
                continue  # its last unit is in the same cart already
            self.state.stock[variant, place] -= units
            self.state.sold[variant, self.state.day] += units
            price = int(self.price[variant])
            off = price * units * cut // 10_000
            self.lines.append((number, variant, place, units, price, off))

    def close(self) -> Sales:
        adds = np.array(self.adds, np.int64).reshape(-1, 5).T
        orders = np.array(self.orders, np.int64).reshape(-1, 5).T
        lines = np.array(self.lines, np.int64).reshape(-1, 6).T
        return Sales(
            adds=Adds(
                visit=adds[0],
                variant=adds[1],
                units=adds[2],
                second=adds[3],
                failed=adds[4].astype(bool),
            ),
            checkouts=np.array(self.checkouts, np.int64).reshape(-1, 2).T,
            orders=Orders(
                person=orders[0],
                visit=orders[1],
                second=orders[2],
                shipping_minor=orders[3],
                offer_bps=orders[4],
                order_of=lines[0],
                variant=lines[1],
                location=lines[2],
                units=lines[3],
                price_minor=lines[4],
                discount_minor=lines[5],
            ),
            let_down=np.array(self.let_down, np.int64),
        )
