"""A year of trade, day by day: what visitors look at, put in the cart and buy."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from cartwheel.simulator.catalogue import COMPANIONS, Catalogue
from cartwheel.simulator.people import People, Visits
from cartwheel.simulator.supply import Warehouse
from cartwheel.simulator.text import CATEGORIES

SLOTS = 4
VIEW_SHARES = np.array([0.56, 0.26, 0.12, 0.06])
CART_SHARE = 0.039
COMPANION_SHARE = 0.42
FORGOTTEN = 0.02
"""Appeal under which nothing is bought along with something else."""
CHECKOUT_CUSTOMER, CHECKOUT_STRANGER = 0.48, 0.17
AIM_PULL = 12.0
"""How much more an article of the category looked for pulls."""

REQUEST_COLUMNS = ("visit", "product", "variant", "slot", "failed")
LINE_COLUMNS = (
    "visit",
    "variant",
    "units",
    "price",
    "place",
    "day",
    "deliver",
    "back",
    "cause",
    "resale",
)
CAUSES = ("none", "taste", "small", "looks", "defect", "late")


@dataclass(frozen=True, slots=True, kw_only=True)
class Trade:
    """What happened, as integer arrays.

    Attributes:
        views: (visit, slot, product) of product pages seen, shape (n, 3).
        requests: `REQUEST_COLUMNS` of cart attempts, shape (n, 5).
        lines: `LINE_COLUMNS` of units bought; days of delivery and of coming back
            (-1: kept), cause as index into `CAUSES`, shape (n, 10).
        came: Visit took place (its customer had not lapsed), shape (visits,).
    """

    views: np.ndarray
    requests: np.ndarray
    lines: np.ndarray
    came: np.ndarray


@dataclass(slots=True)
class _Log:
    views: list[np.ndarray] = field(default_factory=list)
    requests: list[tuple[int, ...]] = field(default_factory=list)
    lines: list[tuple[int, ...]] = field(default_factory=list)


def run_trade(
    streams: list[np.random.Generator],
    cat: Catalogue,
    people: People,
    visits: Visits,
    warehouse: Warehouse,
) -> Trade:
    """Simulate every day in order.

    Args:
        streams: Generators of choice, of baskets and of what follows an order.
        cat: The catalogue.
        people: The people.
        visits: Intended visits, in order of time.
        warehouse: Stock; it is moved.
    """
    days = cat.price_minor.shape[1]
    bounds = np.searchsorted(visits.day, np.arange(days + 1))
    alive = np.ones(len(people.joined) + 1, dtype=bool)  # last: strangers, always
    came = np.zeros(len(visits.day), dtype=bool)
    log = _Log()
    for day in range(days):
        warehouse.morning(day)
        today = np.arange(bounds[day], bounds[day + 1])
        today = today[alive[visits.customer[today]]]
        came[today] = True
        seen = _look(streams[0], cat, people, visits, today, day)
        log.views.append(seen)
        wanted = _want(streams[0], cat, visits, seen, day)
        _buy(streams, cat, people, visits, warehouse, wanted, day, alive, log)
        warehouse.evening(day)
    return Trade(
        views=np.concatenate([np.empty((0, 3), np.int64), *log.views]),
        requests=np.array(log.requests, dtype=np.int64).reshape(-1, 5),
        lines=np.array(log.lines, dtype=np.int64).reshape(-1, len(LINE_COLUMNS)),
        came=came,
    )


def _look(
    rng: np.random.Generator,
    cat: Catalogue,
    people: People,
    visits: Visits,
    today: np.ndarray,
    day: int,
) -> np.ndarray:
    """Draw the pages seen: without replacement, in proportion to pull and appeal.

    Exponential races: the smallest E / weight win (Efraimidis and Spirakis, 2006).
    """
    appeal = cat.appeal[:, day].astype(np.float32)
    count = int(rng.integers(2**31))  # one draw a day keeps the days' streams apart
    race = np.random.default_rng(count).standard_exponential(
        (len(today), len(appeal)), dtype=np.float32
    )
    aim = cat.category[None, :] == visits.aim[today, None]
    # Half of the visits look for a category, as people do who searched.
    aimed = aim & (visits.second[today] % 2 == 0)[:, None]
    weight = people.pull[visits.row[today]] * appeal[None, :]
    weight *= np.where(aimed, np.float32(AIM_PULL), np.float32(1.0))
    with np.errstate(divide="ignore", invalid="ignore"):
        race /= weight
    slots = min(SLOTS, len(appeal))
    best = np.argpartition(race, slots - 1, axis=1)[:, :slots]
    ranks = np.take_along_axis(race, best, axis=1)
    best = np.take_along_axis(best, np.argsort(ranks, axis=1, kind="stable"), axis=1)
    shown = 1 + rng.choice(SLOTS, len(today), p=VIEW_SHARES)
    keep = (np.arange(slots)[None, :] < shown[:, None]) & (appeal[best] > 0)
    row, slot = np.nonzero(keep)
    return np.stack([today[row], slot, best[row, slot]], axis=1)


def _want(
    rng: np.random.Generator,
    cat: Catalogue,
    visits: Visits,
    seen: np.ndarray,
    day: int,
) -> np.ndarray:
    """Draw (visit, product, slot) wanted for the cart: constant elasticity in price."""
    visit, slot, product = seen.T
    response = _response(cat, day) * np.exp(0.12 * cat.quality)
    who = np.where(visits.customer[visit] >= 0, 1.55, 0.75)
    who = np.where(visits.in_store[visit], 4.0, who)
    wanted = rng.random(len(seen)) < np.minimum(
        CART_SHARE * who * response[product], 0.9
    )
    first = np.stack([visit, product, slot], axis=1)[wanted]
    # Something that goes with it: the structure recommendations can learn.
    pick = rng.integers(0, COMPANIONS, len(first))
    other = cat.companions[first[:, 1], pick]
    more = rng.random(len(first)) < COMPANION_SHARE * _response(cat, day)[other]
    more &= cat.appeal[other, day] > FORGOTTEN
    extra = np.stack([first[:, 0], other, first[:, 2] + SLOTS], axis=1)[more]
    both = np.concatenate([first, extra])
    return both[np.lexsort((both[:, 2], both[:, 0]))]


def _response(cat: Catalogue, day: int) -> np.ndarray:
    """Return demand relative to that at the usual price, shape (P,)."""
    relative = cat.price_minor[:, day] / cat.base_minor
    return np.asarray(relative**cat.elasticity)


def _buy(
    streams: list[np.random.Generator],
    cat: Catalogue,
    people: People,
    visits: Visits,
    warehouse: Warehouse,
    wanted: np.ndarray,
    day: int,
    alive: np.ndarray,
    log: _Log,
) -> None:
    """Serve the day's carts in order of time from what is on the shelf."""
    _, baskets, after = streams
    size_draw = baskets.random(len(wanted))
    pays = baskets.random(len(wanted))
    twice = baskets.random(len(wanted)) < 0.12
    leaves = baskets.random(len(wanted))
    starts = np.flatnonzero(np.diff(wanted[:, 0], prepend=-1)).tolist()
    for begin, end in pairwise([*starts, len(wanted)]):
        visit = int(wanted[begin, 0])
        customer = int(visits.customer[visit])
        store = bool(visits.in_store[visit])
        cart: dict[int, int] = {}
        for i in range(begin, end):
            product, slot = int(wanted[i, 1]), int(wanted[i, 2])
            variant = _size(cat, product, float(size_draw[i]))
            place = _place(warehouse, variant, store)
            if variant in cart:
                continue
            log.requests.append((visit, product, variant, slot, int(place < 0)))
            if place >= 0:
                left = int(warehouse.units[variant, place])
                cart[variant] = min(1 + int(twice[i]), left)
        share = CHECKOUT_CUSTOMER if customer >= 0 else CHECKOUT_STRANGER
        if not cart or (not store and pays[begin] >= share):
            continue
        for variant, units in cart.items():
            place = _place(warehouse, variant, store)
            warehouse.take(day, variant, place, units)
            line = (visit, variant, units, place)
            log.lines.append(_follow(after, cat, warehouse, line, day, store))
        if customer >= 0 and leaves[begin] < people.lapse[customer]:
            alive[customer] = False


def _size(cat: Catalogue, product: int, draw: float) -> int:
    """Return the variant a draw falls on."""
    variant = int(cat.first_variant[product])
    last = variant + int(cat.sizes[product]) - 1
    while variant < last and draw >= cat.size_share[variant]:
        draw -= cat.size_share[variant]
        variant += 1
    return variant


def _place(warehouse: Warehouse, variant: int, store: bool) -> int:
    """Return the location that serves, or -1 when nothing is left."""
    for place in (1,) if store else (0, 1):
        if warehouse.units[variant, place] > 0:
            return place
    return -1


def _follow(
    rng: np.random.Generator,
    cat: Catalogue,
    warehouse: Warehouse,
    sold: tuple[int, int, int, int],
    day: int,
    store: bool,
) -> tuple[int, ...]:
    """Draw delivery and return of one line sold; numbers as in `LINE_COLUMNS`."""
    visit, variant, units, place = sold
    product = int(cat.product_of[variant])
    slow, draw, grade, wait = rng.random(4)
    deliver = day if store else day + 2 + int(slow > 0.35) + int(slow > 0.75)
    deliver += int(4 * (slow - 0.93) / 0.07) + 1 if slow > 0.93 and not store else 0
    chance = {
        "small": 0.3 if cat.runs_small[product] else 0.0,
        "defect": 0.02 + (0.05 if cat.quality[product] < -1.2 else 0.0),
        "looks": 0.015,
        "late": 0.05 if deliver > day + 4 else 0.0,
        "taste": CATEGORIES[int(cat.category[product])].returns * 0.7,
    }
    cause, edge = "none", 0.0
    for name, probability in chance.items():
        edge += probability * (0.5 if store else 1.0)
        if draw < edge:
            cause = name
            break
    back = -1 if cause == "none" else deliver + 3 + int(18 * wait)
    resale = int(cause != "defect" and grade < 0.8)
    if back >= 0 and resale:
        warehouse.put_back(back, variant, units)
    price = int(cat.price_minor[product, day])
    number = CAUSES.index(cause)
    return visit, variant, units, price, place, day, deliver, back, number, resale
