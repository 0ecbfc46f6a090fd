"""The clairvoyant: a policy that also knows every draw to come.

It knows today's liking of each person for each product, whether they would pay and
whether they would send it back, and shows each the product that earns most of those
they would buy. It knows when each order to a supplier will arrive and what will be
asked for until then, from a twin of the world with the same luck and endless stock: a
newsvendor in hindsight. Prices and mails are the oracle's.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from math import ceil, sqrt
from typing import Any

import numpy as np

from cartwheel.simulator.arms.base import Actions, Article, Page, Purchase, ShopView
from cartwheel.simulator.arms.foresight import sales, wishes
from cartwheel.simulator.arms.oracle import (
    AT_ONCE,
    PLENTY,
    REVIEW_DAYS,
    Oracle,
    least_stocked,
)
from cartwheel.simulator.world.goods import LOCATIONS
from cartwheel.simulator.world.supply import filled
from cartwheel.simulator.world.world import World

Array = np.ndarray[Any, Any]

REVIEWS_AHEAD = 5
"""Weekly orders looked at for the one that arrives next after today's."""

RESERVE = 1.6
"""Units in reserve, times the root of what the twin's people ask for."""

MOST_FILL = 4
"""Orders are raised to this many times the need at most when little of them comes."""


class Clairvoyant:
    """Runs a shop knowing how the world works and what chance will bring.

    Args:
        world: The world, after its warm-up.
        foresees: Play a twin to know demand; without, it orders nothing.
    """

    name = "clairvoyant"

    def __init__(self, world: World, *, foresees: bool = True) -> None:
        self._world = world
        self._foresees = foresees
        self._rules = Oracle(world, twins=0)
        self._demand: Array | None = None
        self._left: Array = np.empty(0)

    def morning(self, shop: ShopView) -> Actions:
        """Price and mail as the oracle does; order what will be asked for."""
        weekly = shop.day % REVIEW_DAYS == 0
        if self._foresees and self._demand is None:
            self._demand = self._foresee()
            self._rules = Oracle(self._world, twins=0, demand=self._demand)
        self._left = self._world.state.stock.sum(axis=1)
        return Actions(
            prices_minor=self._rules.prices() if weekly else {},
            purchases=self._orders(shop) if weekly else (),
            mails=self._rules.mails() if shop.day % REVIEW_DAYS == 1 else (),
        )

    def slates(self, pages: Sequence[Page]) -> list[list[str]]:
        """Show each page what earns most of what would be bought there."""
        on_sale = np.flatnonzero(self._world.state.on_sale())
        found: list[list[str]] = []
        for start in range(0, len(pages), AT_ONCE):
            found += self._slates(pages[start : start + AT_ONCE], on_sale)
        return found

    def _slates(self, pages: Sequence[Page], on_sale: Array) -> list[list[str]]:
        state = self._world.state
        if len(on_sale) == 0:
            return [[] for _ in pages]
        person = np.array([int(page.visitor[1:]) for page in pages])
        known = wishes(state, person, on_sale)
        numbers = [[int(name[1:]) - 1 for name in page.context] for page in pages]
        held = np.array([np.isin(on_sale, seen) for seen in numbers])
        joins = np.array([p.placement == "cart" and bool(p.context) for p in pages])
        appeal, beside = known.over.copy(), np.zeros(len(pages))
        for cart in np.flatnonzero(joins):
            last = numbers[cart][-1]
            goes = np.isin(on_sale, state.goods.companions[last])
            appeal[cart] = known.adds[cart] + state.spec.funnel.companion * goes
            beside[cart] = state.shelf_price()[state.goods.first_variant[last]]
        met = known.opens | held | joins[:, None]
        row, column = np.nonzero(met & (appeal > 0))
        variant = known.variant[row, column]
        sale = sales(state, person[row], variant, beside=beside[row])
        earned, units = np.zeros(appeal.shape), np.ones(appeal.shape, np.int64)
        earned[row, column], units[row, column] = sale.earned_minor, sale.units
        found = []
        for i, page in enumerate(pages):
            # What is in the cart stays there; what was looked at can be outdone.
            rivals = held[i] & ~joins[i] & (appeal[i] > 0)
            best = self._best(
                known.variant[i], met[i] & ~held[i], appeal[i], earned[i], rivals
            )
            if best is not None:
                self._left[known.variant[i, best]] -= units[i, best]
            chosen = _fill(page, best, known.opens[i], appeal[i])
            found.append([str(state.goods.product_ids[on_sale[c]]) for c in chosen])
        return found

    def _best(
        self, variant: Array, met: Array, appeal: Array, earned: Array, rivals: Array
    ) -> int | None:
        """Return the column of what earns most if shown; None when nothing is better.

        It must appeal more than what was looked at already, and earn more than that.
        """
        floor, least = 0.0, 0.0
        if rivals.any():
            first = int(np.argmax(np.where(rivals, appeal, -np.inf)))
            floor, least = appeal[first], earned[first]
        fit = met & (appeal > floor) & (earned > least) & (self._left[variant] > 0)
        return int(np.argmax(np.where(fit, earned, -np.inf))) if fit.any() else None

    def _foresee(self) -> Array:
        """Return the units that will be asked for by variant and day, shape (V, D)."""
        twin = deepcopy(self._world)
        twin.state.stock[:] = PLENTY
        policy = Clairvoyant(twin, foresees=False)
        while not twin.over:
            twin.play_day(policy)
        return twin.state.sold

    def _orders(self, shop: ShopView) -> list[Purchase]:
        """Order what will be missing between this delivery and the next."""
        if self._demand is None:
            return []
        state, found = self._world.state, []
        numbers = {str(name): i for i, name in enumerate(state.goods.variant_ids)}
        coming = self._world.arrivals()
        spans: dict[tuple[int, int], tuple[int, int]] = {}
        for article in shop.articles():
            v, at = numbers[article.variant_id], least_stocked(article)
            lane = int(state.goods.supplier[v]), LOCATIONS.index(at)
            if lane not in spans:
                spans[lane] = self._span(*lane)
            need = self._missing(v, coming[v], *spans[lane])
            least = max(article.minimum_order_units / 2, 1)
            if need < least or self._rules.net[v] <= 0:
                continue
            found.append(
                Purchase(
                    variant_id=article.variant_id,
                    location_id=at,
                    units=self._lot(article, v, lane[1], need),
                )
            )
        return found

    def _span(self, supplier: int, place: int) -> tuple[int, int]:
        """Return the days on which an order of today and a later one will arrive."""
        state, suppliers = self._world.state, self._world.suppliers
        days = [state.day + REVIEW_DAYS * k for k in range(REVIEWS_AHEAD)]
        first, *later = [
            day + suppliers.lead_days(state, supplier, place, day) for day in days
        ]
        return first, min(later)

    def _missing(self, variant: int, coming: Array, start: int, end: int) -> int:
        """Return the units asked for in some days that nothing under way covers.

        A reserve comes on top: shown other goods than in the twin, where nothing is
        ever sold out, people buy other goods.
        """
        assert self._demand is not None
        state = self._world.state
        held, missing = int(state.stock[variant].sum()), 0
        for day in range(state.day, min(end, state.size.days)):
            held += int(coming[day]) if day > state.day else 0
            short = max(int(self._demand[variant, day]) - held, 0)
            held = max(held - int(self._demand[variant, day]), 0)
            missing += short if day >= start else 0
        asked = int(self._demand[variant, start:end].sum())
        reserve = round(RESERVE * sqrt(asked))
        return max(missing + reserve - held, 0) if asked else 0

    def _lot(self, article: Article, variant: int, place: int, need: int) -> int:
        """Return the units to order so that what is needed comes."""
        pack = article.pack_units
        units = max(ceil(need / pack) * pack, article.minimum_order_units)
        while units < MOST_FILL * need:
            if filled(self._world.state, variant, place, units) >= need:
                break
            units += pack
        return units


def _fill(page: Page, best: int | None, opens: Array, appeal: Array) -> list[int]:
    """Return columns to show: the best, and around it what leaves it the best.

    The shop's own list follows on a first page. What is opened there counts towards the
    pages a person opens at most, so what they like less than the best keeps the rest
    from being opened; after that comes what they would not open at all.
    """
    if page.placement not in ("home", "email"):
        return [] if best is None else [best]
    most = max(float(appeal[best]), 0.0) if best is not None else 0.0
    decoys = np.flatnonzero(opens & (appeal < most))
    dull = np.flatnonzero(~opens)
    first = [] if best is None else [best]
    return [*first, *decoys.tolist(), *dull.tolist()][: page.limit]
