"""The shop's true profit, by the day of what caused it.

An order's profit counts in full, returns included, as it stands when its return window
closes. Stock left at the end is worth its cost, except what would not sell in time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from cartwheel.simulator.world.aftersale import ABUSE, NONE

if TYPE_CHECKING:
    from cartwheel.simulator.world.aftersale import Fate
    from cartwheel.simulator.world.state import State
    from cartwheel.simulator.world.till import Orders

Array = np.ndarray[Any, Any]

PARTS = (
    "revenue",
    "goods",
    "parcels",
    "returns",
    "fraud",
    "support",
    "mails",
    "holding",
    "write_off",
)
"""Parts of profit; all but revenue are costs and negative."""

COUNTS = (
    "visits",
    "carts",
    "orders",
    "lines",
    "units",
    "returned_units",
    "failed_adds",
    "adds",
    "late_orders",
    "contacts",
    "reviews",
    "mails",
    "discount_minor",
    "price_changes",
    "products_on_sale",
    "products_launched",
    "left",
)
PACE_DAYS = 60


@dataclass(slots=True)
class Books:
    """Parts of profit in minor units, and counts, by name and day, shape (D,)."""

    parts: dict[str, Array]
    counts: dict[str, Array]

    @classmethod
    def opened(cls, days: int) -> Books:
        """Return empty books for some days."""
        return cls(
            parts={name: np.zeros(days) for name in PARTS},
            counts={name: np.zeros(days) for name in COUNTS},
        )

    def profit(self) -> Array:
        """Return profit by day in minor units, shape (D,)."""
        result: Array = sum(self.parts.values(), np.zeros(1))
        return result

    def count(self, day: int, **values: float) -> None:
        """Add to counts of a day."""
        for name, value in values.items():
            self.counts[name][day] += value


def book_orders(books: Books, state: State, orders: Orders, fate: Fate) -> None:
    """Book a day's orders with all that will come of them."""
    money, day, parts = state.spec.money, state.day, books.parts
    cost = state.goods.cost_minor[orders.variant] * orders.units
    paid = orders.paid_minor
    parts["revenue"][day] += paid.sum() + orders.shipping_minor.sum()
    parts["goods"][day] -= cost.sum()
    near = state.people.near[orders.person[orders.order_of]]
    parcels = {
        (int(o), int(place)): int(place) != int(home)
        for o, place, home in zip(orders.order_of, orders.location, near, strict=True)
    }
    far = sum(parcels.values())
    parts["parcels"][day] -= len(parcels) * money.parcel_minor + far * money.far_minor
    back, lost = returned(state, orders, fate)
    abused = fate.cause == ABUSE
    parts["returns"][day] -= lost[back & ~abused].sum()
    parts["fraud"][day] -= lost[back & abused].sum()
    parts["support"][day] -= money.contact_minor * int((fate.contact >= 0).sum())
    books.count(
        day,
        orders=len(orders.person),
        lines=len(orders.variant),
        units=orders.units.sum(),
        returned_units=orders.units[back].sum(),
        late_orders=int((fate.delivered > fate.promised).sum()),
        contacts=int((fate.contact >= 0).sum()),
        reviews=int((fate.review >= 0).sum()),
        discount_minor=orders.discount_minor.sum(),
    )


def returned(state: State, orders: Orders, fate: Fate) -> tuple[Array, Array]:
    """Return which lines come back, and what each then loses, shapes (L,)."""
    money = state.spec.money
    cost = state.goods.cost_minor[orders.variant] * orders.units
    back = (fate.cause != NONE) & (fate.returned >= 0)
    worth = np.select(
        [fate.grade == 0, fate.grade == 1], [1.0, money.seconds_value], 0.0
    )
    return back, orders.paid_minor - worth * cost + money.return_minor


def book_day(books: Books, state: State, mails: int) -> None:
    """Book what a day costs besides its orders."""
    money, day = state.spec.money, state.day
    launched = state.launched()[state.goods.product_of]
    value = (state.stock.sum(axis=1) * state.goods.cost_minor)[launched].sum()
    books.parts["holding"][day] -= value * money.holding_year / 365
    books.parts["mails"][day] -= mails * money.mail_minor
    books.count(
        day,
        mails=mails,
        products_on_sale=state.on_sale().sum(),
        products_launched=state.launched().sum(),
    )


def close_books(books: Books, state: State) -> None:
    """Write off, on the last day, what would not sell before it is waste."""
    money = state.spec.money
    last = books.parts["write_off"].shape[0] - 1
    sold = state.sold[:, max(last + 1 - PACE_DAYS, 0) : last + 1]
    shown = np.maximum(last + 1 - state.goods.launched[state.goods.product_of], 1)
    # Half a sale more (Jeffreys' prior): what was hardly shown yet is not called dead.
    pace = (sold.sum(axis=1) + 0.5) / np.minimum(shown, sold.shape[1])
    units = state.stock.sum(axis=1) + state.inbound.sum(axis=1)
    excess = np.maximum(units - pace * money.write_off_days, 0.0)
    excess[state.goods.launched[state.goods.product_of] > last] = 0.0
    loss = excess * state.goods.cost_minor * (1 - money.seconds_value)
    books.parts["write_off"][last] -= loss.sum()
