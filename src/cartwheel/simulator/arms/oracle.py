"""The parameter oracle: the same decisions, taken with the truth.

It knows every taste, price sensitivity, return, lead-time law and effect of a mail, but
not what chance will bring: expected demand comes from a twin of the world with the same
people and goods, other luck and endless stock. It is a yardstick, not a shop.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from math import ceil, sqrt
from typing import Any

import numpy as np

from cartwheel.simulator.arms.base import (
    Actions,
    Article,
    Mail,
    Page,
    Purchase,
    ShopView,
)
from cartwheel.simulator.arms.oracle_prices import best_prices
from cartwheel.simulator.world.draws import Draws
from cartwheel.simulator.world.goods import LOCATIONS, NEAR_SHARE
from cartwheel.simulator.world.world import World

Array = np.ndarray[Any, Any]

REVIEW_DAYS = 7
SERVICE_Z = 1.3
"""Standard deviations of demand over lead and review time held in reserve."""

TWINS = 1
PLENTY = 100_000
OVERSTOCK_DAYS = 90
RESTED = 0.5
"""A mail goes to those whose mails of the month have faded to this."""

WIN_BACK_BPS = 1_000
AT_ONCE = 256
"""Pages ranked together."""


class Oracle:
    """Runs a shop knowing how the world works.

    Args:
        world: The world, after its warm-up.
        twins: Twins played to learn expected demand; without, it orders nothing.
        demand: Expected units by variant and day, when they are known already.
    """

    name = "oracle"

    def __init__(
        self, world: World, *, twins: int = TWINS, demand: Array | None = None
    ) -> None:
        self._world = world
        self._demand = demand
        self._twins = twins
        self.net = self._net_margin(world.state.price_minor.astype(float))

    def morning(self, shop: ShopView) -> Actions:
        """Price, order and mail with the truth."""
        if self._demand is None and self._twins > 0:
            self._demand = self._expected_demand()
        weekly = shop.day % REVIEW_DAYS == 0
        prices = self.prices() if weekly else {}
        state = self._world.state
        numbers = {str(name): i for i, name in enumerate(state.goods.variant_ids)}
        now = state.price_minor.astype(float)
        for name, price in prices.items():
            now[numbers[name]] = price
        self.net = self._net_margin(now)
        return Actions(
            prices_minor=prices,
            purchases=self._orders(shop) if weekly else (),
            mails=self.mails() if shop.day % REVIEW_DAYS == 1 else (),
        )

    def slates(self, pages: Sequence[Page]) -> list[list[str]]:
        """Rank what is on sale by the profit its true appeal promises."""
        state = self._world.state
        on_sale = np.flatnonzero(state.on_sale())
        found: list[list[str]] = []
        for start in range(0, len(pages), AT_ONCE):
            found += self._slates(pages[start : start + AT_ONCE], on_sale)
        return found

    def _slates(self, pages: Sequence[Page], on_sale: Array) -> list[list[str]]:
        state = self._world.state
        ids = state.goods.product_ids
        person = np.array([int(page.visitor[1:]) for page in pages])
        who, product = np.repeat(person, len(on_sale)), np.tile(on_sale, len(pages))
        variant = state.variant_for(who, product)
        value = state.value(who, product, variant).reshape(len(pages), -1)
        for row, page in enumerate(pages):
            if page.placement == "cart" and page.context:
                goes = state.goods.companions[int(page.context[-1][1:]) - 1]
                value[row] += state.spec.funnel.companion * np.isin(on_sale, goes)
        # Chance of being chosen over buying nothing, times what a sale earns.
        chance = 1 / (1 + np.exp(state.spec.funnel.outside - value))
        held = (state.stock[variant].sum(axis=1) > 0).reshape(value.shape)
        worth = chance * np.maximum(self.net[variant], 0.0).reshape(value.shape) * held
        found = []
        for row, page in zip(worth, pages, strict=True):
            best = on_sale[np.argsort(-row, kind="stable")]
            seen = set(page.context)
            names = [str(ids[p]) for p in best[: page.limit + len(seen)]]
            found.append([name for name in names if name not in seen][: page.limit])
        return found

    def _net_margin(self, price: Array) -> Array:
        """Return what a sale earns after its true expected returns, shape (V,)."""
        state = self._world.state
        goods, spec = state.goods, state.spec
        base = np.array([c.returns for c in spec.goods.categories])
        share = base[goods.category[goods.product_of]]
        odds = np.log(share / (1 - share))
        odds = odds + 1.6 * goods.runs_small[goods.product_of]
        odds += 1.4 * goods.content_gap[goods.product_of]
        back = 1 / (1 + np.exp(-odds))
        faulty = goods.defect[goods.product_of] * spec.goods.defect_rate
        back = 1 - (1 - back) * (1 - faulty)
        resale = spec.service.resale + (1 - spec.service.resale) * (
            spec.money.seconds_value
        )
        kept = (1 - back) * (price - goods.cost_minor)
        lost = back * ((1 - resale) * goods.cost_minor + spec.money.return_minor)
        result: Array = kept - lost - spec.money.parcel_minor / 1.3
        return result

    def prices(self) -> dict[str, int]:
        """Return the most profitable price of each product, leftover counted."""
        state = self._world.state
        goods, money = state.goods, state.spec.money
        cost = goods.cost_minor[goods.first_variant]
        # What would be wasted anyway costs only what waste would still fetch.
        surplus = self._overstocked() * cost * (1 - money.seconds_value)
        found = {}
        for product, price in best_prices(state, self._net_margin, surplus).items():
            start = goods.first_variant[product]
            for v in range(start, start + goods.n_variants[product]):
                if state.price_minor[v] != price:
                    found[str(goods.variant_ids[v])] = price
        return found

    def _overstocked(self) -> Array:
        """Tell which products lie in stock for longer than they will sell, (P,)."""
        state = self._world.state
        first = state.goods.first_variant
        if self._demand is None:
            return np.zeros(len(first))
        stock = np.add.reduceat(state.stock.sum(axis=1), first)
        wanted = np.add.reduceat(self._ahead(OVERSTOCK_DAYS), first)
        return np.asarray(stock > 1.5 * wanted, float)

    def _expected_demand(self) -> Array:
        """Return expected units by variant and day, from twins with other luck."""
        world = self._world
        goods = world.state.goods
        total = np.zeros(world.state.sold.shape)
        for number in range(self._twins):
            twin = deepcopy(world)
            twin.state.draws = Draws(f"{world.spec.luck} twin {number}", world.seed)
            twin.state.stock[:] = PLENTY
            policy = Oracle(twin, twins=0)
            while not twin.over:
                twin.play_day(policy)
            total += twin.state.sold
        mean = total / self._twins
        # A product's own level, its category's course over time, its sizes' shares.
        by_product = np.add.reduceat(mean, goods.first_variant, axis=0)
        smooth = _smooth(by_product, world.state.day)
        result: Array = smooth[goods.product_of] * goods.share[:, None]
        return result

    def _ahead(self, days: int) -> Array:
        """Return expected units of the next days, shape (V,)."""
        assert self._demand is not None
        day, last = self._world.state.day, self._demand.shape[1]
        known = self._demand[:, day : min(day + days, last)]
        missing = days - known.shape[1]
        tail = self._demand[:, max(last - 28, 0) :].mean(axis=1)
        result: Array = known.sum(axis=1) + missing * tail
        return result

    def _orders(self, shop: ShopView) -> list[Purchase]:
        """Order up to a quantile of true demand over the true lead time."""
        if self._demand is None:
            return []
        state = self._world.state
        terms = state.spec.supply.suppliers
        numbers = {str(name): i for i, name in enumerate(state.goods.variant_ids)}
        ahead: dict[int, Array] = {}
        orders = []
        for article in shop.articles():
            v = numbers[article.variant_id]
            supplier = terms[int(state.goods.supplier[v])]
            mean = supplier.promised_days * supplier.mean_ratio
            mean *= float(np.exp(supplier.drift * state.day / 365))
            days = ceil(mean + REVIEW_DAYS)
            if days not in ahead:
                ahead[days] = self._ahead(days)
            expected = float(ahead[days][v])
            pace = expected / days
            spread = sqrt(expected + (pace * supplier.spread * mean) ** 2)
            level = expected + SERVICE_Z * spread
            if self.net[v] <= 0:
                continue
            held = sum(article.on_hand.values()) + sum(article.inbound.values())
            wanted = level - held
            if wanted < max(article.minimum_order_units / 2, 1):
                continue
            packs = ceil(wanted / supplier.fill / article.pack_units)
            place = least_stocked(article)
            orders.append(
                Purchase(
                    variant_id=article.variant_id,
                    location_id=place,
                    units=max(packs * article.pack_units, article.minimum_order_units),
                )
            )
        return orders

    def mails(self) -> list[Mail]:
        """Mail those it moves, rested; win back leavers whom an offer may bring."""
        state = self._world.state
        people, spec = state.people, state.spec
        rested = people.mails < RESTED
        gains = people.subscribed & people.alive & (people.mail_lift > 0) & rested
        since = state.day - people.left
        lost = people.subscribed & ~people.alive & rested
        lost &= since <= spec.service.win_back_days
        mails = [Mail(customer_id=state.profile(int(p))) for p in np.flatnonzero(gains)]
        mails += [
            Mail(customer_id=state.profile(int(p)), offer_bps=WIN_BACK_BPS)
            for p in np.flatnonzero(lost)
        ]
        return mails


def least_stocked(article: Article) -> str:
    """Return the warehouse that has least of an article for the people it serves."""
    shares = dict(zip(LOCATIONS, NEAR_SHARE, strict=True))
    held = article.on_hand
    return min(held, key=lambda at: (held[at] + article.inbound[at]) / shares[at])


def _smooth(units: Array, start: int) -> Array:
    """Return units by product smoothed over four weeks, shape (P, D)."""
    width = 28
    padded = np.concatenate([np.zeros((len(units), 1)), units[:, start:]], axis=1)
    total = np.cumsum(padded, axis=1)
    days = units.shape[1] - start
    low = np.maximum(np.arange(days) - width // 2, 0)
    high = np.minimum(np.arange(days) + width // 2, days)
    mean = (total[:, high] - total[:, low]) / (high - low)
    result = units.astype(float)
    result[:, start:] = mean
    return result
