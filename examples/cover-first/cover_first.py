"""A policy of one idea: show what sells and will not run out, order five weeks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from math import ceil

from cartwheel.simulator.arms.base import Actions, Page, Purchase, ShopView

COVER_WEEKS = 2.0
ORDER_WEEKS = 5.0


class CoverFirst:
    """Weekly: orders five weeks of the last four; shows what there is plenty of."""

    name = "cover-first"

    def __init__(self) -> None:
        self._best: list[str] = []

    def morning(self, shop: ShopView) -> Actions:
        """Order and rank once a week."""
        if shop.day % 7:
            return Actions()
        sold = shop.sold_units(28)
        pace, held, orders = Counter[str](), Counter[str](), []
        for a in shop.articles():
            weekly = sold.get(a.variant_id, 0) / 4
            here = sum(a.on_hand.values())
            pace[a.product_id] += weekly
            held[a.product_id] += here
            wanted = weekly * (ORDER_WEEKS + a.supplier_days / 7) - here
            packs = ceil((wanted - sum(a.inbound.values())) / a.pack_units)
            if packs > 0:
                units = max(packs * a.pack_units, a.minimum_order_units)
                place = min(a.on_hand, key=a.on_hand.__getitem__)
                orders.append(
                    Purchase(variant_id=a.variant_id, location_id=place, units=units)
                )
        plenty = [p for p in pace if held[p] >= COVER_WEEKS * pace[p]]
        self._best = sorted(plenty, key=lambda p: (-pace[p], p))
        return Actions(purchases=orders)

    def slates(self, pages: Sequence[Page]) -> list[list[str]]:
        """Show everybody the same."""
        return [[p for p in self._best[:60] if p not in page.context] for page in pages]
