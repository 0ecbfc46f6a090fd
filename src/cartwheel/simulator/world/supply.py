"""Suppliers: lead times that vary, drift and break down; orders filled in part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from cartwheel.simulator.world.goods import LOCATIONS

if TYPE_CHECKING:
    from cartwheel.simulator.arms.base import Purchase
    from cartwheel.simulator.world.state import State

Array = np.ndarray[Any, Any]

PARTIAL = (0.3, 0.9)
"""Range of the share delivered when an order is not filled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A line of an order to a supplier and its fate.

    Attributes:
        order_id: The purchase order.
        variant: Number of the variant.
        location: Index of the warehouse.
        supplier: Index of the supplier.
        ordered: Units ordered.
        units: Units that will come.
        ordered_day: Day of the order.
        expected_day: Day promised.
        arrives: Day of arrival.
        cost_minor: Unit cost.
    """

    order_id: str
    variant: int
    location: int
    supplier: int
    ordered: int
    units: int
    ordered_day: int
    expected_day: int
    arrives: int
    cost_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """An order line that cannot be placed, and why."""

    variant_id: str
    reason: str


class Suppliers:
    """The suppliers of a world; disruptions are drawn once for the whole time."""

    def __init__(self, state: State) -> None:
        rng = state.draws.generator("disruptions")
        self.closed: list[list[tuple[int, int]]] = []
        for supplier in state.spec.supply.suppliers:
            count = rng.poisson(supplier.disruptions * state.size.days / 365)
            starts = np.sort(rng.uniform(0, state.size.days, count)).astype(int)
            lengths = rng.exponential(supplier.disruption_days, count)
            self.closed.append(
                [
                    (int(s), int(s + np.ceil(n)))
                    for s, n in zip(starts, lengths, strict=True)
                ]
            )

    def order(
        self, state: State, purchases: Sequence[Purchase], numbers: dict[str, int]
    ) -> tuple[list[Delivery], list[Refused]]:
        """Place orders; each must keep to pack, minimum and the supplier's least value.

        Args:
            state: The world this morning.
            purchases: What is ordered.
            numbers: Number of each variant by id.
        """
        placed: list[Delivery] = []
        refused: list[Refused] = []
        baskets: dict[tuple[int, int], dict[int, int]] = {}
        for purchase in purchases:
            said = _fault(state, purchase, numbers)
            if said:
                refused.append(Refused(variant_id=purchase.variant_id, reason=said))
                continue
            variant = numbers[purchase.variant_id]
            place = LOCATIONS.index(purchase.location_id)
            basket = (int(state.goods.supplier[variant]), place)
            # One line an order and variant, however often it was asked for.
            lines = baskets.setdefault(basket, {})
            lines[variant] = lines.get(variant, 0) + int(purchase.units)
        for (supplier, place), lines in sorted(baskets.items(), key=lambda b: b[0]):
            terms = state.spec.supply.suppliers[supplier]
            value = sum(int(state.goods.cost_minor[v]) * n for v, n in lines.items())
            if value < terms.minimum_minor:
                refused += [
                    Refused(
                        variant_id=str(state.goods.variant_ids[v]),
                        reason=f"{terms.name} takes orders from {terms.minimum_minor}",
                    )
                    for v in lines
                ]
                continue
            placed += self._send(state, supplier, place, lines)
        return placed, refused

    def lead_days(
        self, state: State, supplier: int, place: int, day: int | None = None
    ) -> int:
        """Draw the days an order takes, disruptions included; of today unless said."""
        from scipy.special import gammaincinv

        day = state.day if day is None else day
        terms = state.spec.supply.suppliers[supplier]
        mean = terms.promised_days * terms.mean_ratio
        mean *= float(np.exp(terms.drift * day / 365))
        u = float(state.draws.one("lead", supplier, day, place)[0])
        shape = 1.0 / terms.spread**2
        days = max(round(float(gammaincinv(shape, u)) * mean / shape), 1)
        arrives, since = day + days, day
        for start, end in self.closed[supplier]:
            # Nothing leaves a supplier while it is closed; no day counts twice.
            if since < end and arrives > start:
                arrives += end - max(start, since)
                since = end
        return arrives - day

    def _send(
        self, state: State, supplier: int, place: int, lines: Mapping[int, int]
    ) -> list[Delivery]:
        terms = state.spec.supply.suppliers[supplier]
        arrives = state.day + self.lead_days(state, supplier, place)
        name = f"PO{state.day:04d}-S{supplier + 1}-{LOCATIONS[place]}"
        found = []
        for variant, units in lines.items():
            got = filled(state, variant, place, units)
            state.inbound[variant, place] += units
            found.append(
                Delivery(
                    order_id=name,
                    variant=variant,
                    location=place,
                    supplier=supplier,
                    ordered=units,
                    units=got,
                    ordered_day=state.day,
                    expected_day=state.day + terms.promised_days,
                    arrives=arrives,
                    cost_minor=int(state.goods.cost_minor[variant]),
                )
            )
        return found


def filled(state: State, variant: int, place: int, units: int) -> int:
    """Draw how many units come of a line ordered today."""
    terms = state.spec.supply.suppliers[int(state.goods.supplier[variant])]
    low, high = PARTIAL
    mean = (low + high) / 2
    # Whole orders come, or a part; the mean share is the supplier's fill.
    short = min((1 - terms.fill) / (1 - mean), 1.0)
    scale = min(terms.fill / mean, 1.0)
    u = state.draws.uniform("fill", variant, state.day, place)[:, 0]
    if u[0] >= short:
        return units
    part = scale * (low + (high - low) * float(u[1]))
    # A fraction of a unit comes that often.
    return int(np.floor(units * part + u[2]))


def _fault(state: State, purchase: Purchase, numbers: dict[str, int]) -> str:
    """Return why an order line is impossible, "" when it is not."""
    number = numbers.get(purchase.variant_id, -1)
    launched = state.goods.launched[state.goods.product_of[number]] <= state.day
    if number < 0 or not launched:
        return "there is no such variant"
    if purchase.location_id not in LOCATIONS:
        return f"there is no location {purchase.location_id}"
    pack, least = int(state.goods.pack[number]), int(state.goods.minimum[number])
    if not purchase.units >= least:
        return f"{purchase.units} units is below the smallest order of {least}"
    if purchase.units % pack:
        return f"{purchase.units} units is no multiple of the pack of {pack}"
    return ""
