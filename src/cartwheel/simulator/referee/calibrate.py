"""Is a world like real shops? Played without AI, its figures must fall in range.

The ranges come from published figures, listed with each target, and never from what a
world happens to give. A world is accepted, and its parameters are frozen, before any
arm with AI is played in it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from cartwheel.errors import Misuse
from cartwheel.simulator.arms.plain import Plain
from cartwheel.simulator.world.aftersale import ABUSE
from cartwheel.simulator.world.spec import Size, WorldSpec, load_world, size_of
from cartwheel.simulator.world.world import World

if TYPE_CHECKING:
    from cartwheel.simulator.arms.base import Actions, Page, ShopView
    from cartwheel.simulator.world.world import DayLog

Array = np.ndarray[Any, Any]
Range = tuple[float, float]

NAN = float("nan")
LEVEL = 0.95
TOP = 0.05
"""Share of buyers called the top ones."""

DEARER = 1.05
"""Price of half of the products in the twin, over their price in the world."""

HALF_YEAR = 182
"""Last days over which people's purchases are followed, alike in all sizes."""

TWIN_EVERY = 2
"""Days between days that are played in a twin as well."""

ONE_WISH_SECONDS = 60
"""Tries within this time belong to one wish: what was wanted and its substitutes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A figure of the world and where it must lie.

    Attributes:
        name: Short name.
        doc: What it is, and of what it is a share.
        low: Low end of the range.
        high: High end of the range.
        value: Mean over the worlds played.
        low_ci: Low end of its 95 % interval over worlds; nan for one world.
        high_ci: High end of it.
        inside: The value is in the range.
        source: Where the range comes from.
    """

    name: str
    doc: str
    low: float
    high: float
    value: float
    low_ci: float
    high_ci: float
    inside: bool
    source: str


@dataclass(frozen=True, slots=True)
class Goal:
    """What a target is and the range for shops at large."""

    doc: str
    range: Range
    source: str


GOALS: Mapping[str, Goal] = {
    "conversion": Goal(
        "orders per visit",
        (0.019, 0.03),
        "Triple Whale benchmarks: 1.9 to 2 % median, up to 3 % for good shops",
    ),
    "add_to_cart": Goal(
        "visits that put something into the cart",
        (0.064, 0.079),
        "Baymard digest: 6.4 to 7.9 %",
    ),
    "abandonment": Goal(
        "carts that are not paid", (0.65, 0.76), "Baymard: mean of studies 70.2 %"
    ),
    "top_buyers": Goal(
        "share of revenue of the top 5 % of buyers",
        (0.28, 0.42),
        "Rivo: about 35 %",
    ),
    "elasticity": Goal(
        "log change of units wanted of a product per log change of its price",
        (-3.2, -2.0),
        "Bijmolt, van Heerde and Pieters 2005: mean -2.62 of 1,851 estimates",
    ),
    "stock_outs": Goal(
        "variants of launched products without stock in the evening",
        (0.04, 0.12),
        "Gruen and Corsten 2007: 8.3 % of articles",
    ),
    "lost_sales": Goal(
        "wishes lost because everything wanted was sold out",
        (0.02, 0.07),
        "Gruen and Corsten 2007: about 4 % of sales",
    ),
    "substitution": Goal(
        "sold-out wishes replaced by another article",
        (0.21, 0.43),
        "Gruen and Corsten 2007: 21 to 43 % by category",
    ),
    "supplier_fill": Goal(
        "units delivered of units ordered",
        (0.90, 0.98),
        "Usual service levels of suppliers, 90 to 98 %",
    ),
    "disruptions": Goal(
        "disruptions per supplier and year",
        (1.0, 3.0),
        "Surveys of supply chain resilience: 1 to 3 a year",
    ),
    "returns": Goal(
        "units sent back of units sold",
        (0.02, 0.40),
        "NRF and Happy Returns 2025: 19.3 % of online sales, by kind of goods",
    ),
    "abuse": Goal(
        "share of abuse in the value of returns",
        (0.05, 0.13),
        "NRF and Happy Returns 2025: 9 % of returns are fraudulent",
    ),
    "abusers": Goal(
        "people in rings that abuse returns", (0.003, 0.01), "Specification: .3 to 1 %"
    ),
    "repeat_buyers": Goal(
        "buyers with more than one order in half a year",
        (0.099, 0.65),
        "Rivo: 28.2 % on average, 9.9 to 65 % by kind of goods",
    ),
    "contacts": Goal(
        "contacts with support per order", (0.1, 0.3), "Specification: .1 to .3"
    ),
    "reviews": Goal("reviews per order", (0.03, 0.08), "Specification: 3 to 8 %"),
    "duplicates": Goal(
        "buyers who hold a second profile, used by now or not",
        (0.10, 0.20),
        "Specification: 10 to 20 % duplicate profiles",
    ),
    "late": Goal(
        "orders delivered after the day promised",
        (0.03, 0.08),
        "Carriers' punctuality reports: 92 to 97 % in time",
    ),
    "margin": Goal(
        "contribution profit over revenue",
        (0.03, 0.18),
        "A plausible shop without analysts: 3 to 18 %",
    ),
}

VERTICALS: Mapping[str, Mapping[str, Range]] = {
    # Clothes are tried on at home: returns of 25 to 40 %; fashion customers come back
    # about as often as the mean of all shops.
    "apparel": {"returns": (0.25, 0.40), "repeat_buyers": (0.20, 0.36)},
    # What is used up is bought again and hardly sent back: opened goods cannot be.
    "consumables": {"returns": (0.02, 0.08), "repeat_buyers": (0.35, 0.60)},
    # Dear things are bought seldom; they come back when they fail or disappoint.
    "electronics": {"returns": (0.08, 0.16), "repeat_buyers": (0.10, 0.24)},
    # A shop in trouble by design: fewer visits and sales, worse suppliers and more loss
    # than any of the others, yet a shop that could exist.
    "hostile": {
        "conversion": (0.012, 0.03),
        "add_to_cart": (0.04, 0.079),
        "stock_outs": (0.04, 0.20),
        "lost_sales": (0.02, 0.12),
        "supplier_fill": (0.80, 0.98),
        "disruptions": (1.0, 5.0),
        "returns": (0.08, 0.25),
        "repeat_buyers": (0.06, 0.28),
        "late": (0.03, 0.15),
        "margin": (-0.10, 0.18),
    },
}
"""Ranges that differ by kind of goods, by name of the world."""


def calibrate(world: str, size: str, seeds: Sequence[int]) -> list[Target]:
    """Play a world without AI and compare its figures with their ranges.

    Args:
        world: Name of a world or path of a settings file.
        size: Name of a size.
        seeds: Numbers of the worlds played; figures are means over them.

    Raises:
        Misuse: If there is no such world or size, or no seed.
    """
    spec, much = load_world(world), size_of(size)
    if len(seeds) == 0:
        raise Misuse("No world was to be played.", "Give at least one seed.")
    found = [measure(spec, much, seed) for seed in seeds]
    ranges = {name: goal.range for name, goal in GOALS.items()}
    ranges |= VERTICALS.get(spec.name, {})
    return [
        _target(name, ranges[name], np.array([one[name] for one in found]))
        for name in GOALS
    ]


def measure(spec: WorldSpec, size: Size, seed: int) -> dict[str, float]:
    """Play one world without AI; return each target's value.

    Rates are measured after the warm-up; what people buy, over the last half year.
    """
    world, policy, tally = World(spec, size, seed), Plain(), _Tally()
    dearer = world.state.draws.generator("twin").random(size.products) < 0.5
    while not world.over:
        counted = world.day >= size.warmup_days
        if counted and world.day % TWIN_EVERY == 0:
            twin = deepcopy(world)
            other = twin.play_day(_Dearer(deepcopy(policy), dearer))
            log = world.play_day(policy)
            tally.compare(world, log, other, dearer)
        else:
            log = world.play_day(policy)
        if world.day > size.days - HALF_YEAR:
            tally.spend(log)
        if counted:
            tally.add(world, log)
    return tally.figures(world)


class _Dearer:
    """The same policy with some products dearer, for one day."""

    name = "dearer"

    def __init__(self, policy: Plain, dearer: Array) -> None:
        self._policy, self._dearer = policy, dearer

    def morning(self, shop: ShopView) -> Actions:
        chosen = {f"P{i + 1:05d}" for i in np.flatnonzero(self._dearer)}
        raised = {
            article.variant_id: round(article.price_minor * DEARER)
            for article in shop.articles()
            if article.product_id in chosen
        }
        return replace(self._policy.morning(shop), prices_minor=raised)

    def slates(self, pages: Sequence[Page]) -> list[list[str]]:
        return self._policy.slates(pages)


@dataclass(slots=True)
class _Tally:
    """Sums over the days that count."""

    sums: dict[str, float] = field(default_factory=dict)
    spent: dict[int, float] = field(default_factory=dict)
    ordered: dict[int, int] = field(default_factory=dict)

    def plus(self, **values: float) -> None:
        for name, value in values.items():
            self.sums[name] = self.sums.get(name, 0.0) + float(value)

    def share(self, part: str, whole: str) -> float:
        total = self.sums.get(whole, 0.0)
        return self.sums.get(part, 0.0) / total if total else NAN

    def compare(self, world: World, log: DayLog, other: DayLog, dearer: Array) -> None:
        """Count wishes for the dearer products in the world and in its twin."""
        product_of = world.state.goods.product_of
        self.plus(
            wished=dearer[product_of[_wished(log)]].sum(),
            wished_dearer=dearer[product_of[_wished(other)]].sum(),
        )

    def add(self, world: World, log: DayLog) -> None:
        """Count a day."""
        self.plus(
            visits=len(log.visits.person),
            carts=log.sales.checkouts.shape[1],
            ordered=sum(line.ordered for line in log.placed),
            filled=sum(line.units for line in log.placed),
        )
        self._stock(world, log)
        self._wishes(log)
        self._orders(log)

    def _stock(self, world: World, log: DayLog) -> None:
        goods = world.state.goods
        shown = goods.launched[goods.product_of] <= log.day
        empty = shown & (log.stock.sum(axis=1) == 0)
        self.plus(variant_days=shown.sum(), empty_days=empty.sum())

    def _wishes(self, log: DayLog) -> None:
        """Follow each visit's first wish: had, replaced or lost."""
        adds = log.sales.adds
        rows, first, at = np.unique(adds.visit, return_index=True, return_inverse=True)
        if len(rows) == 0:
            return
        same = adds.second - adds.second[first][at] < ONE_WISH_SECONDS
        had = np.zeros(len(rows), bool)
        np.logical_or.at(had, at, same & ~adds.failed)
        failed = adds.failed[first]
        self.plus(
            wishes=len(rows),
            failed=failed.sum(),
            replaced=(failed & had).sum(),
            lost=(failed & ~had).sum(),
        )

    def _orders(self, log: DayLog) -> None:
        orders, fate = log.sales.orders, log.fate
        paid, back = orders.paid_minor, fate.returned >= 0
        self.plus(
            orders=len(orders.person),
            units=orders.units.sum(),
            back=orders.units[back].sum(),
            back_value=paid[back].sum(),
            abused_value=paid[back & (fate.cause == ABUSE)].sum(),
            contacts=(fate.contact >= 0).sum(),
            reviews=(fate.review >= 0).sum(),
            late=(fate.delivered > fate.promised).sum(),
        )

    def spend(self, log: DayLog) -> None:
        """Remember who ordered how often and spent what."""
        orders = log.sales.orders
        paid = orders.paid_minor
        for person in orders.person.tolist():
            self.ordered[person] = self.ordered.get(person, 0) + 1
        for person, value in zip(
            orders.person[orders.order_of].tolist(), paid.tolist(), strict=True
        ):
            self.spent[person] = self.spent.get(person, 0.0) + value

    def figures(self, world: World) -> dict[str, float]:
        """Return every target's value."""
        people, size, books = world.state.people, world.size, world.books
        orders = np.array(list(self.ordered.values()))
        buyers = np.array(list(self.ordered), np.int64)
        suppliers = len(world.spec.supply.suppliers)
        after = slice(size.warmup_days, None)
        revenue = books.parts["revenue"][after].sum()
        change = self.share("wished_dearer", "wished")
        return {
            "conversion": self.share("orders", "visits"),
            "add_to_cart": self.share("carts", "visits"),
            "abandonment": 1.0 - self.share("orders", "carts"),
            "top_buyers": _top_share(np.array(list(self.spent.values()))),
            "elasticity": float(np.log(change) / np.log(DEARER)),
            "stock_outs": self.share("empty_days", "variant_days"),
            "lost_sales": self.share("lost", "wishes"),
            "substitution": self.share("replaced", "failed"),
            "supplier_fill": self.share("filled", "ordered"),
            "disruptions": world.disruptions / suppliers / (size.days / 365),
            "returns": self.share("back", "units"),
            "abuse": self.share("abused_value", "back_value"),
            "abusers": float(people.abuser.mean()),
            "repeat_buyers": float((orders > 1).mean()) if len(orders) else NAN,
            "contacts": self.share("contacts", "orders"),
            "reviews": self.share("reviews", "orders"),
            "duplicates": float(people.double[buyers].mean()) if len(buyers) else NAN,
            "late": self.share("late", "orders"),
            "margin": float(books.profit()[after].sum() / max(revenue, 1.0)),
        }


def _wished(log: DayLog) -> Array:
    """Return the variant each cart wants most."""
    return np.array([cart.wishes[0] for cart in log.visits.carts], np.int64)


def _top_share(spent: Array) -> float:
    """Return the share of the top buyers in what all spent."""
    if len(spent) == 0 or spent.sum() <= 0:
        return NAN
    count = max(round(TOP * len(spent)), 1)
    return float(np.sort(spent)[-count:].sum() / spent.sum())


def _target(name: str, limits: Range, values: Array) -> Target:
    low_ci, high_ci = _interval(values)
    value = float(values.mean())
    return Target(
        name=name,
        doc=GOALS[name].doc,
        low=limits[0],
        high=limits[1],
        value=value,
        low_ci=low_ci,
        high_ci=high_ci,
        inside=bool(limits[0] <= value <= limits[1]),
        source=GOALS[name].source,
    )


def _interval(values: Array) -> Range:
    """Return the t interval of a mean over worlds, nan for one world."""
    from scipy.stats import t

    if len(values) < 2:
        return NAN, NAN
    half = t.ppf((1 + LEVEL) / 2, len(values) - 1) * values.std(ddof=1)
    half /= np.sqrt(len(values))
    return float(values.mean() - half), float(values.mean() + half)
