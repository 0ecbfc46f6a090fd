"""A small, busy world of the tests' own: however the shipped worlds are tuned."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, is_dataclass
from importlib.resources import files
from typing import Any

import numpy as np

from cartwheel.simulator.arms.base import Actions, Mail, Page, Purchase, ShopView
from cartwheel.simulator.arms.plain import Plain
from cartwheel.simulator.world.records import midnight
from cartwheel.simulator.world.spec import Size, WorldSpec
from cartwheel.simulator.world.state import State, make_state
from cartwheel.simulator.world.storefront import Cart, Seen, Visits
from cartwheel.simulator.world.till import Orders
from cartwheel.simulator.world.world import DayLog, World

SIZE = Size(products=40, customers=600, warmup_days=10, days=40)

SUPPLIERS = [
    {
        "name": "Swift",
        "promised_days": 3,
        "mean_ratio": 1.2,
        "spread": 0.4,
        "drift": 0.0,
        "disruptions": 12.0,
        "disruption_days": 4.0,
        "fill": 0.75,
        "minimum_minor": 3_000,
    },
    {
        "name": "Slow",
        "promised_days": 6,
        "mean_ratio": 1.0,
        "spread": 0.3,
        "drift": 0.3,
        "disruptions": 0.0,
        "disruption_days": 4.0,
        "fill": 0.9,
        "minimum_minor": 6_000,
    },
]

BUSY: dict[str, dict[str, Any]] = {
    "goods": {
        "defect_share": 0.2,
        "defect_rate": 0.4,
        "runs_small_share": 0.3,
        "content_gap_sd": 0.4,
        "new_share": 0.3,
        "taste_weight": 2.0,
    },
    "people": {
        "consent_email": 0.7,
        "tracked": 0.7,
        "signed_in": 0.6,
        "guest": 0.3,
        "duplicates": 0.5,
        "abusers": 0.1,
    },
    "visits": {"per_person_day": 0.3, "price_image": 1.0, "bought_boost": 0.5},
    "funnel": {
        "slots": 24,
        "examine": 0.9,
        "deep_link": 0.3,
        "search": 0.2,
        "click_at": 1.5,
        "most_views": 5,
        "outside": 3.0,
        "pay": 0.7,
        "shipping_pain": 0.3,
        "second_item": 0.6,
        "companion": 1.5,
        "substitute": 0.5,
    },
    "money": {
        "shipping_minor": 495,
        "free_from_minor": 6_000,
        "parcel_minor": 450,
        "far_minor": 150,
        "return_minor": 520,
        "contact_minor": 430,
        "mail_minor": 2,
        "holding_year": 0.25,
        "seconds_value": 0.35,
        "write_off_days": 120,
    },
    "supply": {"packs": [1, 2, 4], "first_weeks": 4, "suppliers": SUPPLIERS},
    "service": {
        "delivery_days": [2.5, 0.4],
        "promise_days": 4,
        "return_days": 20,
        "return_delay": 3.0,
        "resale": 0.7,
        "contact": 0.1,
        "contact_cause": 0.5,
        "review": 0.2,
        "leave_bad": 0.3,
        "win_back_days": 60,
    },
    "mail": {
        "opens": 0.5,
        "fatigue": 0.25,
        "lift": 0.5,
        "lift_sd": 0.3,
        "dogs": 0.15,
        "unsubscribe": 0.03,
        "days": 2.0,
        "coupon_use": 0.8,
    },
    "promotions": {"every_days": 12, "length_days": 4, "cut": 0.2},
}


def make_spec(**sections: Any) -> WorldSpec:
    """The busy world, with fields of its sections replaced."""
    text = (files("cartwheel.simulator") / "worlds" / "apparel.toml").read_text("utf-8")
    values = tomllib.loads(text)
    for changes in (BUSY, sections):
        for name, value in changes.items():
            known = values.get(name)
            values[name] = {**known, **value} if isinstance(known, dict) else value
    values["name"] = "tested"
    return WorldSpec.model_validate(values)


def fresh_state(seed: int = 1, size: Size = SIZE, **sections: Any) -> State:
    return make_state(make_spec(**sections), size, seed)


class Eager(Plain):
    """Does a bit of everything a policy may do, impossible orders included."""

    name = "eager"

    def morning(self, shop: ShopView) -> Actions:
        plain = super().morning(shop)
        articles = list(shop.articles())
        prices = {
            a.variant_id: max(round(a.price_minor * (0.93 if i % 2 else 1.05)), 1)
            for i, a in enumerate(articles)
            if (i + shop.day) % 11 == 0
        }
        wanted = [
            Purchase(
                variant_id=a.variant_id,
                location_id=("L1", "L2")[i % 2],
                units=a.minimum_order_units + a.pack_units * (i % 3),
            )
            for i, a in enumerate(articles)
            if (i + shop.day) % 9 == 0
        ]
        wrong = [
            Purchase(variant_id="nothing", location_id="L1", units=4),
            Purchase(variant_id=articles[0].variant_id, location_id="L1", units=0),
            Purchase(variant_id=articles[0].variant_id, location_id="L9", units=48),
        ]
        everybody = [f"C{i + 1:06d}" for i in range(shop.day, 600, 9)]
        mails = [
            Mail(customer_id=name, offer_bps=1_500 * (i % 2), days=5, campaign="eager")
            for i, name in enumerate(everybody)
        ]
        return Actions(
            prices_minor=prices,
            # The same line twice: one order holds it once.
            purchases=[*plain.purchases, *wanted, *wanted[:1], *wrong],
            mails=[*plain.mails, *mails],
        )


class Reader(Eager):
    """Looks at its facts every morning and notes what it was let see."""

    name = "reader"

    def __init__(self, look: Callable[[ShopView], None]) -> None:
        super().__init__()
        self._look = look

    def morning(self, shop: ShopView) -> Actions:
        self._look(shop)
        return super().morning(shop)


class Idle:
    """Does nothing at all."""

    name = "idle"

    def morning(self, shop: ShopView) -> Actions:
        return Actions()

    def slates(self, pages: Sequence[Page]) -> list[list[str]]:
        return [[] for _ in pages]


@dataclass(frozen=True, kw_only=True)
class Played:
    """A world played to its end, and all that happened."""

    world: World
    opening: np.ndarray[Any, Any]
    logs: list[DayLog]


def play(policy: Any, spec: WorldSpec | None = None, seed: int = 1) -> Played:
    world = World(spec or make_spec(), SIZE, seed)
    opening = world.state.stock.copy()
    logs = []
    while not world.over:
        logs.append(world.play_day(policy))
    return Played(world=world, opening=opening, logs=logs)


def same(one: Any, other: Any) -> bool:
    """Tell whether two values are the same, arrays within dataclasses included."""
    if is_dataclass(one) and not isinstance(one, type):
        return type(one) is type(other) and all(
            same(getattr(one, f.name), getattr(other, f.name)) for f in fields(one)
        )
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype and np.array_equal(one, other)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[k], other[k]) for k in one)
    return bool(one == other)


def visits_of(person: Sequence[int], carts: Sequence[Cart]) -> Visits:
    """Visits of which only the carts are told."""
    count, none = len(person), np.empty(0, np.int64)
    return Visits(
        person=np.array(person, np.int64),
        entry=np.zeros(count, np.int64),
        interest=np.zeros(count, np.int64),
        second=np.zeros(count, np.int64),
        recognised=np.zeros(count, bool),
        seen=Seen(
            visit=none,
            product=none,
            position=none,
            placement=none,
            opened=none.astype(bool),
        ),
        carts=sorted(carts, key=lambda c: (c.second, c.visit)),
    )


def orders_of(state: State, person: Sequence[int], variant: Sequence[int]) -> Orders:
    """One order of one unit a person, from the nearest warehouse."""
    who, what = np.array(person, np.int64), np.array(variant, np.int64)
    zero = np.zeros(len(who), np.int64)
    return Orders(
        person=who,
        visit=np.arange(len(who)),
        second=zero,
        shipping_minor=zero,
        offer_bps=zero,
        order_of=np.arange(len(who)),
        variant=what,
        location=state.people.near[who],
        units=zero + 1,
        price_minor=state.price_minor[what],
        discount_minor=zero,
    )


def first_instant(world: World) -> np.datetime64:
    """The first instant nobody can know anything of this morning."""
    return midnight(world.state, world.day)
