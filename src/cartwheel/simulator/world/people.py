"""Who may come: tastes, habits and what each lives through in the shop."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from cartwheel.simulator.world.draws import Draws
from cartwheel.simulator.world.goods import NEAR_SHARE, TASTES, Goods
from cartwheel.simulator.world.spec import Size, WorldSpec

Array = np.ndarray[Any, Any]

NEVER = -10_000
REMEMBERED = 6
"""Products bought that a person remembers."""

RING = 6
"""People in a ring that abuses returns."""


@dataclass(slots=True, kw_only=True)
class People:
    """Everybody who may come; N people. The first block never changes.

    Attributes:
        activity: Relative frequency of visits, mean 1, shape (N,).
        price: Weight of the log price, shape (N,).
        tier: Pull of dear goods among their like, mean 0, shape (N,).
        taste: Unit length, shape (N, TASTES).
        likes: Favourite category, shape (N,).
        size: Place among the sizes, in (0, 1), shape (N,).
        near: Nearest location, shape (N,).
        returns: Log-odds of sending back, mean 0, shape (N,).
        abuser: Member of a ring, shape (N,).
        ring: Number of the ring, -1 for none, shape (N,).
        mail_lift: Log change of visits after a mail, shape (N,).
        consents: Would agree to mailings, shape (N,).
        tracked: Accepts measurement, shape (N,).
        double: Has a second profile, shape (N,).
        guest_first: Places the first order as a guest, shape (N,).
        alive: Still comes, shape (N,).
        left: Day of leaving, shape (N,).
        bought: Day of the newest order, shape (N,).
        good: Day of the newest good delivery, shape (N,).
        orders: Orders placed, shape (N,).
        known: Day the shop knows the person since, `NEVER` before, shape (N,).
        remembered: Products bought, newest first, -1 for none,
            shape (N, REMEMBERED).
        mails: Mails of the last month, fading, shape (N,).
        mail_effect: Log change of today's visits, fading, shape (N,).
        subscribed: Agreed to mailings and did not take it back, shape (N,).
        offer: Price cut on offer, basis points, shape (N,).
        offer_until: Last day of the offer, shape (N,).
    """

    activity: Array
    price: Array
    tier: Array
    taste: Array
    likes: Array
    size: Array
    near: Array
    returns: Array
    abuser: Array
    ring: Array
    mail_lift: Array
    consents: Array
    tracked: Array
    double: Array
    guest_first: Array
    alive: Array
    left: Array
    bought: Array
    good: Array
    orders: Array
    known: Array
    remembered: Array
    mails: Array
    mail_effect: Array
    subscribed: Array
    offer: Array
    offer_until: Array

    def __len__(self) -> int:
        """Number of people."""
        return len(self.activity)


def make_people(spec: WorldSpec, size: Size, goods: Goods, draws: Draws) -> People:
    """Draw everybody; a person is the same in every size with as many people."""
    count, who = size.customers, np.arange(size.customers)
    habit = draws.normal("activity", who)
    activity = np.exp(spec.people.activity_sd * habit[0])
    price = spec.people.price_mean * np.exp(
        spec.people.price_sd * habit[1] - spec.people.price_sd**2 / 2
    )
    weight = np.array([c.weight for c in spec.goods.categories])
    edges = np.cumsum(weight) / weight.sum()
    u = draws.uniform("person", who)
    likes = np.searchsorted(edges, u[0]).clip(max=len(weight) - 1)
    parts = [draws.normal("taste", who, part) for part in range(TASTES // 2)]
    own = np.concatenate(parts).T / np.sqrt(TASTES)
    taste = spec.people.taste_focus * goods.centre[likes] + own
    taste /= np.linalg.norm(taste, axis=1, keepdims=True)
    more = draws.uniform("person", who, 1)
    traits = draws.normal("traits", who)
    rings = round(spec.people.abusers * count / RING)
    ring = np.full(count, -1)
    members = np.argsort(draws.one("ring", who))[: rings * RING]
    ring[members] = np.repeat(np.arange(rings), RING)
    # A ring is at it steadily; its members have no habits of their own.
    steady = spec.people.abuser_visits * activity.mean()
    activity = np.where(ring >= 0, steady, activity)
    dog = more[3] < spec.mail.dogs
    lift = spec.mail.lift + spec.mail.lift_sd * traits[1]
    return People(
        activity=activity / activity.mean(),
        price=price,
        tier=spec.people.tier_sd * draws.normal("tier", who)[0],
        taste=taste.astype(np.float32),
        likes=likes,
        size=u[1],
        near=(u[2] >= NEAR_SHARE[0]).astype(np.int64),
        returns=spec.people.return_sd * traits[0],
        abuser=ring >= 0,
        ring=ring,
        mail_lift=np.where(dog, -np.abs(lift) - 0.3, lift),
        consents=u[3] < spec.people.consent_email,
        tracked=more[0] < spec.people.tracked,
        double=more[1] < spec.people.duplicates,
        guest_first=more[2] < spec.people.guest,
        alive=np.ones(count, bool),
        left=np.full(count, NEVER),
        bought=np.full(count, NEVER),
        good=np.full(count, NEVER),
        orders=np.zeros(count, np.int64),
        known=np.full(count, NEVER),
        remembered=np.full((count, REMEMBERED), -1),
        mails=np.zeros(count),
        mail_effect=np.zeros(count),
        subscribed=np.zeros(count, bool),
        offer=np.zeros(count, np.int64),
        offer_until=np.full(count, NEVER),
    )


def visitors_today(
    spec: WorldSpec, people: People, draws: Draws, day: int, price_index: float
) -> Array:
    """Return who comes today, as numbers in rising order.

    Potential visits are the same whatever a policy does; it thins them.

    Args:
        spec: The world.
        people: Everybody, as they are this morning.
        draws: The world's random numbers.
        day: Days since the world began.
        price_index: Mean log of our prices over the rival's.
    """
    chance = visit_chance(spec, people, day, price_index)
    chance = np.where(people.alive, chance, 0.0)
    coming = draws.one("visit", np.arange(len(people)), day) < chance
    return np.flatnonzero(coming)


def visit_chance(
    spec: WorldSpec, people: People, day: int, price_index: float
) -> Array:
    """Return everybody's chance of a visit today if they still come at all."""
    visits = spec.visits
    of_year = spec.start.timetuple().tm_yday + day
    angle = 2 * np.pi * (of_year - visits.annual_peak_day) / 365
    base = visits.per_person_day * spec.visitors * visits.week[day % 7]
    base *= float(np.exp(visits.annual_swing * np.cos(angle)))
    base *= float(np.exp(-visits.price_image * max(price_index, 0.0)))
    since = day - people.good
    log = visits.bought_boost * 0.5 ** (since / visits.boost_days) + people.mail_effect
    chance = base * people.activity * np.exp(log)
    if visits.need_days > 0:
        # What was bought lasts a while; then the person comes for more.
        gone = day - people.bought
        full = gone < visits.need_days * 10
        need = 1.0 - np.exp(-np.maximum(gone, 0) / visits.need_days)
        chance = np.where(full, chance * (0.25 + 1.5 * need), chance)
    return np.minimum(chance, 0.9)
