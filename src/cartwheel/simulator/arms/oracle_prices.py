"""Prices as the oracle sets them: by the true law of choice, for the people there are.

For a sample of those who may come today, each product's chance of being bought is
worked out at each price of a grid, from the very utility the world uses. A price that
makes the shop look dear beside its rival keeps people away from all goods; that is
charged to the prices that cause it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from cartwheel.simulator.world.people import visit_chance
from cartwheel.simulator.world.storefront import CLICK_NOISE, GAP_LURE, bar

if TYPE_CHECKING:
    from collections.abc import Callable

    from cartwheel.simulator.world.state import State

Array = np.ndarray[Any, Any]

GRID = np.round(np.arange(0.80, 1.2501, 0.05), 2)
"""Prices weighed, of the usual price; the wheel's own limits are wider."""

PEOPLE = 800
"""People asked what they would pay."""

HALVINGS = 12
"""Steps in which the charge for looking dear is found."""


class Weighed(NamedTuple):
    """Prices of the launched products and what they bring.

    Attributes:
        product: Numbers of the products, shape (n,).
        list_minor: List prices weighed, whole, shape (g, n).
        gain: Profit of a visit each, leftover counted, shape (g, n).
        image: Log of the shelf price over the rival's, shape (g, n).
    """

    product: Array
    list_minor: Array
    gain: Array
    image: Array


def best_prices(
    state: State, net: Callable[[Array], Array], surplus_minor: Array
) -> dict[int, int]:
    """Return the list price of each launched product that earns most today.

    Args:
        state: The world today.
        net: What a sale of each variant earns at given prices, both shape (V,).
        surplus_minor: What selling a unit saves because it is left over anyway, by
            product, shape (P,).
    """
    weighed = _weigh(state, net, surplus_minor)
    chosen = _choose(weighed, state.spec.visits.price_image)
    best = weighed.list_minor[chosen, np.arange(len(chosen))]
    return {int(p): int(at) for p, at in zip(weighed.product, best, strict=True)}


def _weigh(
    state: State, net: Callable[[Array], Array], surplus_minor: Array
) -> Weighed:
    goods = state.goods
    product = np.flatnonzero(state.launched())
    usual, first = goods.usual_minor[product], goods.first_variant[product]
    promoted = goods.category[product] == state.promoted()
    shelf_share = np.where(promoted, 1.0 - state.spec.promotions.cut, 1.0)
    ask = _Ask(state, product)
    lists, gains, images = [], [], []
    for factor in GRID:
        listed = np.maximum(np.rint(usual * factor), 1)
        shelf = np.maximum(np.rint(listed * shelf_share), 1)
        every = np.ones(len(goods.usual_minor))
        every[product] = shelf
        earns = net(np.repeat(every, goods.n_variants))[first] + surplus_minor[product]
        lists.append(listed)
        gains.append(ask.chance(shelf) * earns)
        images.append(np.log(shelf / state.rival_minor[product]))
    return Weighed(
        product, np.array(lists, np.int64), np.array(gains), np.array(images)
    )


class _Ask:
    """People who may come today and what they think of products, prices left out."""

    def __init__(self, state: State, product: Array) -> None:
        people, self._state = state.people, state
        coming = visit_chance(state.spec, people, state.day, 0.0) * people.alive
        count = min(PEOPLE, int((coming > 0).sum()))
        rng = state.draws.generator("oracle people")
        who = rng.choice(
            len(people), count, replace=False, p=coming / max(coming.sum(), 1e-300)
        )
        self._shape = count, len(product)
        self._who = np.repeat(who, len(product))
        self._product = np.tile(product, count)
        self._liked = state.liked(self._who, self._product)
        self._liked += state.repeated(self._who, self._product)
        self._liked += GAP_LURE * state.goods.content_gap[self._product]

    def chance(self, shelf_minor: Array) -> Array:
        """Return the mean chance that a product is opened and beats buying nothing."""
        state, funnel = self._state, self._state.spec.funnel
        price = np.tile(shelf_minor, self._shape[0])
        dear, dearer = state.price_pull(self._who, self._product, price)
        value = self._liked - dear - dearer
        buys = 1 / (1 + np.exp(bar(state) - value))
        # From a list a product is opened when its lure does; some land on its page.
        opens = 1 - np.exp(-np.exp((value - funnel.click_at) / CLICK_NOISE))
        opens = funnel.deep_link + (1 - funnel.deep_link) * opens
        result: Array = (opens * buys).reshape(self._shape).mean(axis=0)
        return result


def _choose(weighed: Weighed, price_image: float) -> Array:
    """Return the row of each product's best price, shape (n,).

    Visits fall with the mean image when that is above zero. At the best prices a log
    point of a product's image costs `price_image` times the mean gain of all products,
    or less when the shop then just looks no dearer than its rival.
    """
    columns = np.arange(weighed.gain.shape[1])

    def at(charge: float) -> tuple[Array, float]:
        chosen = np.argmax(weighed.gain - charge * weighed.image, axis=0)
        return chosen, float(weighed.image[chosen, columns].mean())

    chosen, image = at(0.0)
    if image <= 0:
        return chosen
    low, high = 0.0, price_image * float(weighed.gain[chosen, columns].mean())
    dear, image = at(high)
    if image >= 0:
        return dear
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        chosen, image = at(middle)
        low, high = (middle, high) if image > 0 else (low, middle)
    return at(high)[0]
