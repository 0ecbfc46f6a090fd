"""Stock of the sample shop: counts, orders to suppliers, deliveries."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np

from cartwheel.simulator.catalogue import LOCATIONS, Catalogue
from cartwheel.simulator.clock import COUNT_SECOND, instants, midnight
from cartwheel.simulator.text import SUPPLIERS

UNITS_PER_DAY = 40.0
"""Rough units sold a day in a shop of the default size, for the first stocking."""

STORE_SHARE = 0.25


class Warehouse:
    """Units of every variant at every location, moved day by day.

    The merchant reorders by an (s, S) rule on the mean of the last 28 days and the
    promised lead time, which knows no season and no drift: stock-outs follow.

    Args:
        rng: Stream of lead times and stocking errors.
        cat: The catalogue.
        days: Days simulated.
        size: Traffic relative to the default shop.
    """

    def __init__(
        self, rng: np.random.Generator, cat: Catalogue, days: int, size: float
    ) -> None:
        self._rng, self._cat, self._days = rng, cat, days
        count = len(cat.variant_ids)
        self._expected = self._first_guess(size)
        cover = rng.uniform(20, 60, (count, 1))
        cover[cat.dead[cat.product_of]] = 600
        self.units = np.ceil(self._expected * cover).astype(np.int64)
        self.units[cat.launched[cat.product_of] > 0] += 2
        self._inbound = np.zeros_like(self.units)
        self._sold = np.zeros((days, *self.units.shape), dtype=np.int64)
        self._due: dict[int, list[tuple[int, int, int]]] = {}
        self._back: dict[int, list[tuple[int, int]]] = {}
        self._last_count = np.full(self.units.shape, -1, dtype=np.int64)
        self._last_inbound = np.zeros_like(self.units)
        self._counts: list[np.ndarray] = []
        self._orders: list[tuple[int, int, int, int, int, int]] = []
        self._receipts: list[tuple[int, int, int]] = []
        self._order_numbers = 0

    def _first_guess(self, size: float) -> np.ndarray:
        """Demand a day by variant and location as the merchant guessed it."""
        cat = self._cat
        appeal = cat.appeal.max(axis=1)
        share = (appeal / max(appeal.sum(), 1e-9))[cat.product_of] * cat.size_share
        error = self._rng.lognormal(-0.05, 0.35, len(share))
        daily = UNITS_PER_DAY * size * share * error
        return np.asarray(daily[:, None] * np.array([1 - STORE_SHARE, STORE_SHARE]))

    def morning(self, day: int) -> None:
        """Take in what arrives before opening."""
        for order, units, _ in self._due.pop(day, []):
            _, variant, place, _, _, _ = self._orders[order]
            self.units[variant, place] += units
            self._inbound[variant, place] -= units
            self._receipts.append((order, day, units))
        for variant, units in self._back.pop(day, []):
            self.units[variant, 0] += units

    def take(self, day: int, variant: int, place: int, units: int) -> None:
        """Sell units."""
        self.units[variant, place] -= units
        self._sold[day, variant, place] += units

    def put_back(self, day: int, variant: int, units: int) -> None:
        """Put a returned unit back on the shelf on a later day."""
        self._back.setdefault(day, []).append((variant, units))

    def evening(self, day: int) -> None:
        """Order from the suppliers whose day it is, then count what changed."""
        for supplier in range(len(SUPPLIERS)):
            if day % 7 == supplier % 5:
                self._review(day, supplier)
        listed = self._cat.launched[self._cat.product_of] <= day
        moved = (self.units != self._last_count) | (self._inbound != self._last_inbound)
        rows, places = np.nonzero(moved & listed[:, None])
        found = (
            np.full(len(rows), day),
            rows,
            places,
            self.units[rows, places],
            self._inbound[rows, places],
        )
        self._counts.append(np.stack(found, axis=1))
        self._last_count[rows, places] = self.units[rows, places]
        self._last_inbound[rows, places] = self._inbound[rows, places]

    def _review(self, day: int, supplier: int) -> None:
        cat = self._cat
        mine = (cat.supplier == supplier) & ~cat.dead[cat.product_of]
        mine &= cat.launched[cat.product_of] <= day
        recent = self._sold[max(day - 27, 0) : day + 1].sum(axis=0)
        seen = min(day + 1, 28)
        pace = (recent + 10 * self._expected) / (seen + 10)
        lead = int(cat.lead_days[supplier])
        point = pace * (lead + 5)
        position = self.units + self._inbound
        for place in range(len(LOCATIONS)):
            short = np.flatnonzero(mine & (position[:, place] <= point[:, place]))
            if len(short):
                wanted = point[short, place] + 35 * pace[short, place]
                self._order(
                    day, supplier, place, short, wanted - position[short, place]
                )

    def _order(
        self,
        day: int,
        supplier: int,
        place: int,
        variants: np.ndarray,
        wanted: np.ndarray,
    ) -> None:
        cat = self._cat
        pack = cat.pack[variants]
        units = (np.ceil(np.maximum(wanted, 1) / pack) * pack).astype(np.int64)
        units = np.maximum(units, cat.minimum_order[variants])
        arrives = day + self._lead(day, supplier)
        partial = self._rng.random(len(variants)) < 0.07
        for variant, ordered, part in zip(variants, units, partial, strict=True):
            number = len(self._orders)
            row = (
                self._order_numbers,
                int(variant),
                place,
                day,
                supplier,
                int(ordered),
            )
            self._orders.append(row)
            now = int(ordered) * 7 // 10 if part else int(ordered)
            if now:
                self._due.setdefault(arrives, []).append((number, now, 0))
            if now < ordered:
                rest = int(ordered) - now
                self._due.setdefault(arrives + 9, []).append((number, rest, 1))
            self._inbound[variant, place] += ordered
        self._order_numbers += 1

    def _lead(self, day: int, supplier: int) -> int:
        """Days until delivery: gamma around the promise; one drifts, one is erratic."""
        promise = float(self._cat.lead_days[supplier])
        drift = 1.0 + (0.6 * day / max(self._days, 1) if supplier == 2 else 0.0)
        spread = 0.45 if supplier == 5 else 0.15
        shape = 1 / spread**2
        return max(round(promise * drift * self._rng.gamma(shape, 1 / shape)), 1)

    def columns(self, start: date) -> dict[str, dict[str, Any]]:
        """Return the columns of inventory levels, purchase orders and receipts."""
        zero = midnight(start)
        place_ids = np.array([row[0] for row in LOCATIONS])
        count = np.concatenate([np.empty((0, 5), np.int64), *self._counts])
        order = np.array(self._orders, dtype=np.int64).reshape(-1, 6)
        receipt = np.array(self._receipts, dtype=np.int64).reshape(-1, 3)
        cat = self._cat
        variant = order[:, 1]
        of = receipt[:, 0]
        order_ids = np.array([f"PO{n + 1:05d}" for n in order[:, 0]], dtype="U10")
        receipt_ids = [
            f"R{order_ids[o][2:]}-{d:03d}"
            for o, d in zip(of, receipt[:, 1], strict=True)
        ]
        expected = order[:, 3] + cat.lead_days[order[:, 4]]
        return {
            "inventory_levels": {
                "variant_id": cat.variant_ids[count[:, 1]],
                "location_id": place_ids[count[:, 2]],
                "counted_at": instants(zero, count[:, 0], COUNT_SECOND),
                "available_units": count[:, 3],
                "incoming_units": count[:, 4],
            },
            "purchase_orders": {
                "purchase_order_id": order_ids,
                "variant_id": cat.variant_ids[variant],
                "supplier_id": [f"S{s + 1}" for s in order[:, 4]],
                "location_id": place_ids[order[:, 2]],
                "ordered_at": instants(zero, order[:, 3], COUNT_SECOND - 600),
                "expected_at": instants(zero, expected, 5 * 3600),
                "ordered_units": order[:, 5],
                "cost_minor": [
                    int(c) if known else None
                    for c, known in zip(
                        cat.cost_minor[variant, order[:, 3]],
                        cat.cost_known[variant],
                        strict=True,
                    )
                ],
            },
            "receipts": {
                "receipt_id": receipt_ids,
                "purchase_order_id": order_ids[of],
                "variant_id": cat.variant_ids[variant[of]],
                "location_id": place_ids[order[of, 2]],
                "received_at": instants(zero, receipt[:, 1], 5 * 3600 + 900),
                "received_units": receipt[:, 2],
            },
        }
