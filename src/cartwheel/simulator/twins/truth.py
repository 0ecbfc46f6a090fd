"""What only a made world can say: what each person truly earned the shop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cartwheel.measure.assign import holdout_mask
from cartwheel.simulator.world.books import returned

if TYPE_CHECKING:
    from cartwheel.settings import Settings
    from cartwheel.simulator.world.state import State
    from cartwheel.simulator.world.world import DayLog, World

Array = np.ndarray[Any, Any]


def earned(state: State, log: DayLog) -> Array:
    """Return what a day's orders earn by person in minor units, shape (N,)."""
    result: Array = np.bincount(
        log.sales.orders.person,
        weights=by_order(state, log),
        minlength=len(state.people),
    )
    return result


def earned_by_customer(state: State, log: DayLog) -> dict[str, float]:
    """Return what a day's orders earn in minor units by customer id, guests left out.

    Customers as the shop's records know them: who has two profiles is two customers.
    """
    found: dict[str, float] = {}
    for name, value in zip(log.customer_ids, by_order(state, log), strict=True):
        if name:
            found[name] = found.get(name, 0.0) + float(value)
    return found


def earned_by_product(state: State, log: DayLog) -> dict[str, float]:
    """Return what a day's orders earn in minor units by product id, guests included."""
    goods = state.goods
    sold = goods.product_of[log.sales.orders.variant]
    worth = np.bincount(sold, weights=by_line(state, log))
    return {str(goods.product_ids[p]): float(worth[p]) for p in np.unique(sold)}


def by_order(state: State, log: DayLog) -> Array:
    """Return what each order of a day earns in minor units, shape (O,)."""
    orders = log.sales.orders
    result: Array = np.bincount(
        orders.order_of, weights=by_line(state, log), minlength=len(orders.person)
    )
    return result


def by_line(state: State, log: DayLog) -> Array:
    """Return what each order line of a day earns in minor units, shape (L,).

    Paid less goods, and less refund, handling and lost value of what will come back:
    the same parts as in the product's own measurement, with nothing unknown.
    """
    orders = log.sales.orders
    cost = state.goods.cost_minor[orders.variant] * orders.units
    back, lost = returned(state, orders, log.fate)
    result: Array = orders.paid_minor - cost - np.where(back, lost, 0.0)
    return result


def cohort(world: World, settings: Settings) -> Array:
    """Return the people a shop knows and may reach, as numbers in rising order."""
    known = np.flatnonzero(world.state.people.known >= 0)
    names = [world.state.profile(int(person)) for person in known]
    held = holdout_mask(
        names, settings.holdout.share_bps / 10_000, settings.holdout.salt
    )
    result: Array = known[~held]
    return result


def week_of(worlds: dict[str, World], start: int, end: int) -> dict[str, Any]:
    """Return profit in minor units and visits of some days, by world.

    Args:
        worlds: The wheel and its twins by name.
        start: First day.
        end: Day after the last.
    """
    return {
        name: {
            "profit_minor": round(float(world.books.profit()[start:end].sum())),
            "visits": int(world.books.counts["visits"][start:end].sum()),
        }
        for name, world in worlds.items()
    }
