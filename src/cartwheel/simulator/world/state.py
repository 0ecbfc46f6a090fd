"""Where a world stands on a day: prices, stock, ratings, sales; appeal and lists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import numpy as np

from cartwheel.simulator.world.draws import Draws
from cartwheel.simulator.world.goods import LOCATIONS, NEAR_SHARE, Goods, make_goods
from cartwheel.simulator.world.people import People, make_people
from cartwheel.simulator.world.spec import Size, WorldSpec

Array = np.ndarray[Any, Any]

BESTSELLER_DAYS = 30
NOVELTY = 0.7
PRIOR_RATINGS = 5.0
MEAN_RATING = 4.2
PROBES = 4
"""Looks at the category before a search engine sends somebody to a page."""


@dataclass(slots=True, kw_only=True)
class State:
    """A world on a day; P products, V variants, L locations, D days.

    Attributes:
        spec: The world's parameters.
        size: How much of it is played.
        draws: Its random numbers.
        goods: The catalogue.
        people: Everybody who may come.
        day: Days since the world began.
        price_minor: List price, shape (V,).
        rival_minor: The rival's price, shape (P,).
        rival_anchor: What the rival tends to charge, shape (P,).
        stock: Units free to sell, shape (V, L).
        inbound: Units ordered and not yet here, shape (V, L).
        sold: Units sold by day, shape (V, D).
        rating_sum: Stars received, shape (P,).
        rating_count: Reviews received, shape (P,).
    """

    spec: WorldSpec
    size: Size
    draws: Draws
    goods: Goods
    people: People
    day: int = 0
    price_minor: Array
    rival_minor: Array
    rival_anchor: Array
    stock: Array
    inbound: Array
    sold: Array
    rating_sum: Array
    rating_count: Array
    _number: dict[str, int] = field(default_factory=dict)
    _edges: Array = field(default_factory=lambda: np.empty(0))

    @property
    def today(self) -> date:
        """The date."""
        return self.spec.start + timedelta(days=self.day)

    def launched(self) -> Array:
        """Tell which products are in the catalogue today, bool, shape (P,)."""
        result: Array = self.goods.launched <= self.day
        return result

    def on_sale(self) -> Array:
        """Tell which products are launched and not sold out, bool, shape (P,)."""
        units = np.add.reduceat(self.stock.sum(axis=1), self.goods.first_variant)
        result: Array = self.launched() & (units > 0)
        return result

    def promoted(self, day: int | None = None) -> int:
        """Return the category in promotion, -1 for none. The calendar is fixed."""
        plan, at = self.spec.promotions, self.day if day is None else day
        if plan.every_days == 0:
            return -1
        number, into = divmod(at, plan.every_days)
        if number == 0 or into >= plan.length_days:
            return -1
        return (number * 7 + 3) % len(self.spec.goods.categories)

    def shelf_price(self) -> Array:
        """Return what a variant costs a shopper today, promotions off, shape (V,)."""
        hit = self.goods.category[self.goods.product_of] == self.promoted()
        cut = np.where(hit, 1.0 - self.spec.promotions.cut, 1.0)
        return np.asarray(np.maximum(np.rint(self.price_minor * cut), 1), np.int64)

    def variant_for(self, who: Array, product: Array) -> Array:
        """Return the variant each person would take of a product, shape (n,)."""
        goods = self.goods
        first, count = goods.first_variant[product], goods.n_variants[product]
        variant = first.copy()
        for step in range(int(goods.n_variants.max()) - 1):
            more = (step < count - 1) & (
                self.people.size[who]
                > self._edges[np.minimum(first + step, last(goods))]
            )
            variant += more
        return variant

    def value(self, who: Array, product: Array, variant: Array) -> Array:
        """Return the appeal of a product to a person before their shock, shape (n,)."""
        price = self.shelf_price()[variant].astype(float)
        price *= 1.0 - self.offer_today(who) / 10_000
        value = self.liked(who, product)
        dear, dearer = self.price_pull(who, product, price)
        result: Array = value - dear - dearer + self.repeated(who, product)
        return result

    def liked(self, who: Array, product: Array) -> Array:
        """Return the appeal that has nothing to do with the price, shape (n,)."""
        goods, spec, people = self.goods, self.spec, self.people
        fit = np.einsum("ij,ij->i", people.taste[who], goods.taste[product])
        age = self.day - goods.launched[product]
        new = (goods.launched[product] > 0) * NOVELTY
        value = spec.goods.taste_weight * fit + goods.quality[product]
        value += people.tier[who] * goods.tier[product]
        value += new * 0.5 ** (np.maximum(age, 0) / spec.goods.fade_days)
        value += self._season()[goods.category[product]]
        value += spec.goods.review_weight * (self.rating()[product] - MEAN_RATING)
        result: Array = value
        return result

    def price_pull(
        self, who: Array, product: Array, price_minor: Array
    ) -> tuple[Array, Array]:
        """Return what a price takes from the appeal: by itself, and beside the rival's.

        Args:
            who: Numbers of people, shape (n,).
            product: Numbers of products, shape (n,).
            price_minor: What each would pay, shape (n,).
        """
        own = np.log(price_minor / self.goods.usual_minor[product])
        dearer = np.maximum(np.log(price_minor / self.rival_minor[product]), 0.0)
        return self.people.price[who] * own, self.spec.funnel.rival_weight * dearer

    def repeated(self, who: Array, product: Array) -> Array:
        """Return the extra appeal of what a person remembers buying, shape (n,)."""
        had = (self.people.remembered[who] == product[:, None]).any(axis=1)
        result: Array = self.spec.funnel.repeat * had
        return result

    def offer_today(self, who: Array) -> Array:
        """Return the price cut each would use, basis points, shape (n,)."""
        people = self.people
        holds = (people.offer_until[who] >= self.day) & (people.offer[who] > 0)
        uses = self.draws.one("coupon", who, self.day) < self.spec.mail.coupon_use
        result: Array = np.where(holds & uses, people.offer[who], 0)
        return result

    def rating(self) -> Array:
        """Return stars shown, drawn to the mean where few wrote, shape (P,)."""
        result: Array = (self.rating_sum + PRIOR_RATINGS * MEAN_RATING) / (
            self.rating_count + PRIOR_RATINGS
        )
        return result

    def default_list(self, width: int) -> Array:
        """Return each category's bestsellers on sale, -1 padded, shape (C, width)."""
        goods, count = self.goods, len(self.spec.goods.categories)
        units = self.units(BESTSELLER_DAYS)
        by_product = np.add.reduceat(units, goods.first_variant)
        shown = self.on_sale()
        lists = np.full((count, width), -1, np.int64)
        for c in range(count):
            mine = np.flatnonzero(shown & (goods.category == c))
            # Newer goods first among equals, so that a launch is seen at all.
            order = np.lexsort((mine, -goods.launched[mine], -by_product[mine]))
            best = mine[order][:width]
            lists[c, : len(best)] = best
        return lists

    def units(self, days: int) -> Array:
        """Return units sold in the last days, shape (V,)."""
        result: Array = self.sold[:, max(self.day - days, 0) : self.day].sum(axis=1)
        return result

    def landing(self, who: Array, interest: Array) -> Array:
        """Return the page a search engine sends each to, -1 for none, shape (n,).

        Of a few products of the category, the best liked by its searcher.
        """
        goods = self.goods
        found = np.full(len(who), -1, np.int64)
        liking = np.full(len(who), -np.inf)
        u = self.draws.uniform("landing", who, self.day)
        launched = self.launched()
        pools = [
            np.flatnonzero(launched & (goods.category == c))
            for c in range(len(self.spec.goods.categories))
        ]
        size = np.array([len(pool) for pool in pools])
        most = max(int(size.max()), 1)
        table = np.zeros((len(pools), most), np.int64)
        for c, pool in enumerate(pools):
            table[c, : len(pool)] = pool
        for probe in range(PROBES):
            at = (u[probe] * size[interest]).astype(np.int64)
            product = table[interest, at]
            fit = np.einsum("ij,ij->i", self.people.taste[who], goods.taste[product])
            like = self.spec.goods.taste_weight * fit + goods.quality[product]
            like += self.people.tier[who] * goods.tier[product]
            better = (like > liking) & (size[interest] > 0)
            found = np.where(better, product, found)
            liking = np.where(better, like, liking)
        return found

    def shown(self, slates: Sequence[Sequence[str]], pages: int, limit: int) -> Array:
        """Return a policy's slates as product numbers, shape (pages, limit).

        Sold-out and unknown goods are left out: any shop hides what it cannot sell.

        Raises:
            ValueError: If there is not one slate for each page.
        """
        if len(slates) != pages:
            raise ValueError(f"{len(slates)} slates came for {pages} pages")
        on_sale, numbers = self.on_sale().tolist(), self._number
        table = np.full((pages, limit), -1, np.int64)
        same: dict[int, list[int]] = {}  # a policy may hand one list to many pages
        for row, slate in enumerate(slates):
            if id(slate) not in same:
                same[id(slate)] = _fill(slate, on_sale, numbers, limit)
            filled = same[id(slate)]
            table[row, : len(filled)] = filled
        return table

    def profile(self, person: int, *, second: bool = False) -> str:
        """Return the customer id of a person's first or second profile."""
        return f"C{person + 1:06d}" + ("b" if second else "")

    def device(self, person: int) -> str:
        """Return the visitor id of a person's device."""
        return f"d{person:06d}"

    def price_index(self) -> float:
        """Return the mean log of our prices over the rival's."""
        goods = self.goods
        ours = self.shelf_price()[goods.first_variant]
        launched = self.launched()
        return float(np.log(ours / self.rival_minor)[launched].mean())

    def _season(self) -> Array:
        of_year = self.spec.start.timetuple().tm_yday + self.day
        return np.array(
            [
                c.swing * np.cos(2 * np.pi * (of_year - c.peak_day) / 365)
                for c in self.spec.goods.categories
            ]
        )


def _fill(
    slate: Sequence[str],
    on_sale: Sequence[bool],
    numbers: Mapping[str, int],
    limit: int,
) -> list[int]:
    """Return the numbers of a slate's first products that can be sold, each once."""
    filled: list[int] = []
    for name in slate:
        number = numbers.get(name, -1)
        if number >= 0 and on_sale[number] and number not in filled:
            filled.append(number)
            if len(filled) == limit:
                break
    return filled


def last(goods: Goods) -> int:
    """Return the number of the last variant."""
    return len(goods.variant_ids) - 1


def make_state(spec: WorldSpec, size: Size, seed: int) -> State:
    """Return a world on its first morning.

    Opening stock covers some weeks of what each variant would sell if all its category
    sold evenly, so no policy starts with knowledge of demand.
    """
    draws = Draws(spec.luck, seed)
    goods = make_goods(spec, size, draws)
    people = make_people(spec, size, goods, draws)
    rng = draws.generator("opening")
    usual = goods.usual_minor[goods.product_of]
    anchor = spec.rival.level * np.exp(
        rng.normal(0, spec.rival.spread, len(goods.usual_minor))
    )
    rival = np.maximum(np.rint(goods.usual_minor * anchor), 1)
    visits = spec.visits.per_person_day * spec.visitors * size.customers
    daily = 0.024 * 1.3 * visits / max(int((goods.launched == 0).sum()), 1)
    units = np.ceil(daily * 7 * spec.supply.first_weeks * goods.share)
    near = np.ceil(units * NEAR_SHARE[0])
    # What is launched later arrives for its launch.
    opening = np.stack([near, units - near], axis=1).astype(np.int64)
    state = State(
        spec=spec,
        size=size,
        draws=draws,
        goods=goods,
        people=people,
        price_minor=usual.copy(),
        rival_minor=rival,
        rival_anchor=rival.copy(),
        stock=opening,
        inbound=np.zeros((len(goods.variant_ids), len(LOCATIONS)), np.int64),
        sold=np.zeros((len(goods.variant_ids), size.days), np.int64),
        rating_sum=np.zeros(size.products),
        rating_count=np.zeros(size.products),
    )
    state._number = {str(name): i for i, name in enumerate(goods.product_ids)}
    cumulative = np.cumsum(goods.share)
    start = np.repeat(np.r_[0.0, cumulative][goods.first_variant], goods.n_variants)
    state._edges = cumulative - start
    return state
