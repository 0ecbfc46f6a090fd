"""The oracle's prices: the true law of choice, and what looking dear costs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from cartwheel.simulator.arms.oracle_prices import (
    GRID,
    Weighed,
    _Ask,
    _choose,
    best_prices,
)
from cartwheel.simulator.world.storefront import GAP_LURE, bar
from tests.simulator.world.made import fresh_state


def margins(state: Any) -> Any:
    return lambda price: price - state.goods.cost_minor


def chosen(state: Any) -> np.ndarray[Any, Any]:
    found = best_prices(state, margins(state), np.zeros(len(state.goods.usual_minor)))
    at = np.array(list(found))
    return np.array(list(found.values())) / state.goods.usual_minor[at]


def test_the_chance_is_that_of_the_world_itself() -> None:
    state = fresh_state(funnel={"deep_link": 1.0})
    product = np.flatnonzero(state.launched())
    ask = _Ask(state, product)
    first = state.goods.first_variant[product]
    shelf = state.shelf_price()[first].astype(float)
    who, what = ask._who, ask._product
    value = state.value(who, what, state.goods.first_variant[what])
    value += GAP_LURE * state.goods.content_gap[what]
    buys = (1 / (1 + np.exp(bar(state) - value))).reshape(-1, len(product))
    assert ask.chance(shelf) == pytest.approx(buys.mean(axis=0))


def test_it_knows_the_pull_of_dear_goods() -> None:
    # With people drawn to the dear end of a kind, only dear goods bear high prices.
    state = fresh_state()
    state.people.tier[:] = 3.0
    state.people.price[:] = 1.0
    product = np.flatnonzero(state.launched())
    ask = _Ask(state, product)
    chance = ask.chance(state.goods.usual_minor[product].astype(float))
    tier = state.goods.tier[product]
    assert chance[tier > 0.3].mean() > 2 * chance[tier < -0.3].mean()


def test_people_who_mind_prices_get_lower_ones() -> None:
    state = fresh_state()
    state.people.price[:] = 0.5
    patient = chosen(state).mean()
    state.people.price[:] = 6.0
    assert chosen(state).mean() < patient - 0.1


def test_nobody_who_left_is_asked() -> None:
    state = fresh_state()
    state.people.alive[50:] = False
    ask = _Ask(state, np.arange(3))
    assert set(ask._who) <= set(range(50))


def test_prices_are_whole_and_on_the_grid() -> None:
    state = fresh_state()
    found = best_prices(state, margins(state), np.zeros(len(state.goods.usual_minor)))
    assert list(found) == np.flatnonzero(state.launched()).tolist()
    for product, price in found.items():
        steps = np.rint(state.goods.usual_minor[product] * GRID)
        assert price in steps


def weighed(gain: list[list[float]], image: list[float]) -> Weighed:
    count = len(gain[0])
    shape = len(gain), count
    return Weighed(
        np.arange(count),
        np.ones(shape, np.int64),
        np.array(gain),
        np.tile(np.array(image)[:, None], (1, count)),
    )


def test_looking_dear_is_charged_only_above_the_rival() -> None:
    gain = [[10.0, 10.0], [10.5, 10.5]]
    # Cheaper than the rival either way: nothing is charged.
    assert _choose(weighed(gain, [-0.2, -0.1]), 1.0).tolist() == [1, 1]
    # Half a point more is not worth a tenth of all visits.
    assert _choose(weighed(gain, [0.1, 0.2]), 1.0).tolist() == [0, 0]
    assert _choose(weighed(gain, [0.1, 0.2]), 0.1).tolist() == [1, 1]


def test_the_image_stops_at_the_rivals_where_that_is_best() -> None:
    gain = [[10.0, 10.0], [10.5, 12.0]]
    # One product may be dear as long as the other makes up for it.
    assert _choose(weighed(gain, [-0.1, 0.1]), 5.0).tolist() == [0, 1]
