"""A made shop as signal tables: seeded, any size, every declared signal.

The truth behind it is simple and known: customers buy at gamma distributed rates and
stop at random, products belong to taste groups, guests react to price with one
elasticity for the whole shop.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from cartwheel.levers.base import Lever
from cartwheel.signals.active_hours import ACTIVE_HOURS
from cartwheel.signals.base import ShopContext, Signal, Signals, When
from cartwheel.signals.catalogue import CATALOGUE
from cartwheel.signals.customers import BASKETS, CONSENT, PURCHASES, RHYTHM
from cartwheel.signals.demand import DEMAND
from cartwheel.signals.drafts import DRAFTS
from cartwheel.signals.feedback import FEEDBACK
from cartwheel.signals.intent import INTENT, SEARCHES
from cartwheel.signals.interest import IDENTITY, INTEREST
from cartwheel.signals.learned import (
    FORECAST,
    LIFETIME_VALUE,
    OUTCOMES,
    PRICE_PLAN,
    SEGMENT,
    SHOWN,
)
from cartwheel.signals.listing import LISTING
from cartwheel.signals.margin import MARGIN
from cartwheel.signals.objections import OBJECTIONS
from cartwheel.signals.order_states import ORDER_STATES
from cartwheel.signals.policies import POLICIES
from cartwheel.signals.price import PRICE_HISTORY
from cartwheel.signals.questions import QUESTIONS
from cartwheel.signals.returns import OPEN_RETURNS, RETURNS
from cartwheel.signals.search_clicks import SEARCH_CLICKS
from cartwheel.signals.stock import STOCK
from cartwheel.signals.supply import LEAD_TIME
from cartwheel.signals.theme_corrections import THEME_CORRECTIONS
from cartwheel.signals.visits import VISITS
from cartwheel.signals.weak_searches import WEAK_SEARCHES
from tests.levers.made_orders import made_orders

AS_OF = date(2025, 6, 30)
ELASTICITY = -2.0
GROUPS = 5

ALL_SIGNALS: tuple[Signal, ...] = (
    CATALOGUE,
    LISTING,
    INTENT,
    SEARCHES,
    SEARCH_CLICKS,
    INTEREST,
    IDENTITY,
    VISITS,
    DEMAND,
    STOCK,
    MARGIN,
    PRICE_HISTORY,
    RHYTHM,
    BASKETS,
    PURCHASES,
    CONSENT,
    ACTIVE_HOURS,
    RETURNS,
    OPEN_RETURNS,
    LEAD_TIME,
    FORECAST,
    PRICE_PLAN,
    LIFETIME_VALUE,
    SEGMENT,
    OUTCOMES,
    SHOWN,
    FEEDBACK,
    OBJECTIONS,
    QUESTIONS,
    POLICIES,
    ORDER_STATES,
    THEME_CORRECTIONS,
    DRAFTS,
    WEAK_SEARCHES,
)


def made_context(**changes: Any) -> ShopContext:
    """Return a context in GBP as of `AS_OF`; `changes` replace its fields."""
    values: dict[str, Any] = {
        "currency": "GBP",
        "minor_digits": 2,
        "when": When(
            as_of=AS_OF,
            cutoff_at=f"{AS_OF + timedelta(days=1)}T00:00:00",
            timezone="UTC",
        ),
        "holdout_share": 0.05,
        "holdout_salt": "wheel",
        "options": {},
    }
    return ShopContext(**{**values, **changes})


def empty_signals(**changes: Any) -> Signals:
    """Return a shop without a single row; every declared signal may be read."""
    names = [signal.name for signal in ALL_SIGNALS]
    return Signals({}, made_context(**changes), names)


def made_signals(
    *,
    customers: int = 200,
    products: int = 40,
    days: int = 365,
    seed: int = 1,
    options: Mapping[str, Mapping[str, Any]] | None = None,
    parcel_minor: int | None = None,
) -> Signals:
    """Return a made shop with all signals filled.

    Args:
        customers: Customers with at least one order (about; some may have none).
        products: Products; every fourth has two variants, the others one.
        days: Days of history up to `AS_OF`.
        seed: Seed of everything random.
        options: Settings by lever name, for the context.
        parcel_minor: What sending an order costs.
    """
    shop = _Shop.make(customers=customers, products=products, days=days, seed=seed)
    tables = {
        signal.name: to_table(signal, frame) for signal, frame in shop.frames().items()
    }
    context = made_context(options=options or {}, parcel_minor=parcel_minor)
    return Signals(tables, context)


def for_lever(lever: Lever, data: Signals, cut: tuple[str, ...] = ()) -> Signals:
    """Return what the turn hands to one lever: its declared reads, `cut` emptied."""
    return data.restricted([signal.name for signal in lever.reads], cut)


def to_table(signal: Signal, frame: pd.DataFrame) -> pa.Table:
    """Return a frame as the signal's Arrow table, sorted by key."""
    if frame.empty:
        return signal.empty()
    return signal.conform(pa.Table.from_pandas(frame, preserve_index=False))


def with_options(data: Signals, options: Mapping[str, Mapping[str, Any]]) -> Signals:
    """Return signals of a shop with other settings under `levers`."""
    context = dataclasses.replace(data.context, options=options)
    return Signals(data._tables, context, data._allowed, data._cut)


def replace(data: Signals, signal: Signal, frame: pd.DataFrame) -> Signals:
    """Return a copy of `data` in which `frame` stands for one signal."""
    return data.with_tables({signal.name: to_table(signal, frame)})


def with_looks(data: Signals, *, visitors: int = 300, seed: int = 1) -> Signals:
    """Return a copy in which visitors look around and put things into carts.

    Visitor n likes group n modulo `GROUPS`: half of the looks go there, and a look
    there ends in the cart four times as often as elsewhere. Of what is shown, evenly,
    two fifths of that group is opened and a tenth of the rest. Product p is wanted more
    the smaller its number is. Every third visitor is the customer of that number.
    """
    rng = np.random.default_rng(seed)
    catalogue = data.frame(CATALOGUE).drop_duplicates("product_id")
    products = catalogue["product_id"].to_numpy()
    group = catalogue["category"].str[-1].astype(int).to_numpy()
    rows = []
    for visitor in range(visitors):
        mine = group == visitor % GROUPS
        pull = np.where(mine, 0.5 / mine.sum(), 0.5 / (~mine).sum())
        views = rng.multinomial(30, pull)
        recent = rng.binomial(views, 0.3)
        want = np.where(mine, 0.2, 0.05) * np.linspace(1.5, 0.5, len(products))
        carts, late = rng.binomial(views - recent, want), rng.binomial(recent, want)
        shown = rng.binomial(3, 0.5, len(products))
        clicks = rng.binomial(shown, np.where(mine, 0.4, 0.1))
        rows.append(
            pd.DataFrame(
                {
                    "visitor_id": f"w{visitor:04d}",
                    "product_id": products,
                    "views": views,
                    "carts": carts + late,
                    "exposures": shown,
                    "clicks": clicks,
                    "recent_views": recent,
                    "recent_carts": late,
                    "recent_exposures": shown // 2,
                    "recent_clicks": np.minimum(clicks, shown // 2),
                }
            )[(views > 0) | (shown > 0)]
        )
    looks = pd.concat(rows, ignore_index=True)
    total = looks.groupby("product_id", as_index=False).sum(numeric_only=True)
    days = [
        pd.DataFrame(
            {
                "product_id": total["product_id"],
                "day": pd.Timestamp(AS_OF - timedelta(days=back)),
                "views": views,
                "carts": carts,
                "failed_carts": 0,
                "searches": 0,
            }
        )
        for back, views, carts in (
            (60, total["views"] - total["recent_views"], total["carts"]),
            (5, total["recent_views"], total["recent_carts"]),
        )
    ]
    owners = pd.DataFrame(
        {
            "visitor_id": [f"w{n:04d}" for n in range(0, visitors, 3)],
            "customer_id": [f"c{n:05d}" for n in range(0, visitors, 3)],
        }
    )
    days[0]["carts"] -= total["recent_carts"]
    data = replace(data, INTEREST, looks)
    data = replace(data, INTENT, pd.concat(days, ignore_index=True))
    return replace(data, IDENTITY, owners)


def with_visits(
    data: Signals, *, visits: int = 1500, follow: float = 0.6, seed: int = 1
) -> Signals:
    """Return a copy in which visits go from product to product.

    With the chance `follow` the next product is the one whose number is one higher,
    else any. Each product looked at is put into the cart straight away with a chance of
    a quarter. Visits are spread over the last 60 days.
    """
    rng = np.random.default_rng(seed)
    products = np.unique(data.frame(CATALOGUE)["product_id"].to_numpy().astype(str))
    rows: list[tuple[Any, ...]] = []
    for visit in range(visits):
        day = pd.Timestamp(AS_OF - timedelta(days=59 - visit * 60 // visits))
        at = int(rng.integers(len(products)))
        step = 0
        for _ in range(int(rng.integers(2, 7))):
            kinds = (False, True) if rng.random() < 0.25 else (False,)
            for cart in kinds:
                pause = 0 if step == 0 else 40
                who = f"v{visit:05d}"
                rows.append((who, 0, step, str(products[at]), day, pause, cart))
                step += 1
            ahead = rng.random() < follow
            at = (at + 1) % len(products) if ahead else int(rng.integers(len(products)))
    return replace(data, VISITS, pd.DataFrame(rows, columns=list(VISITS.column_names)))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shop:
    rng: np.random.Generator
    start: date
    days: int
    variants: pd.DataFrame
    price: np.ndarray  # (variants, days), minor
    lines: pd.DataFrame  # customer_id ("" for guests), order, variant row, day, units

    @classmethod
    def make(cls, *, customers: int, products: int, days: int, seed: int) -> _Shop:
        rng = np.random.default_rng(seed)
        start = AS_OF - timedelta(days=days - 1)
        variants = _variants(rng, products, start)
        price = _prices(rng, variants, days)
        lines = _orders(rng, customers, variants, days)
        lines = pd.concat([lines, _guests(rng, variants, price)], ignore_index=True)
        return cls(
            rng=rng,
            start=start,
            days=days,
            variants=variants,
            price=price,
            lines=_with_facts(lines, variants, price, start),
        )

    def frames(self) -> dict[Signal, pd.DataFrame]:
        demand = _demand(self.lines)
        return {
            CATALOGUE: self.variants[list(CATALOGUE.column_names)],
            LISTING: _listing(self.variants),
            DEMAND: demand,
            STOCK: _stock(self.rng, self.variants, demand),
            MARGIN: _margin(self.variants),
            PRICE_HISTORY: _price_history(self.lines),
            **_customer_frames(self.rng, self.lines),
            **_event_frames(self.rng, self.lines),
            **_supply_and_returns(self.rng, self.variants, self.lines),
            **_learned_frames(self.variants, demand, self.days),
            FEEDBACK: _feedback(self.variants),
            OBJECTIONS: _objections(self.variants),
            QUESTIONS: _questions(self.variants),
            POLICIES: _policies(),
            ORDER_STATES: made_orders(AS_OF),
            THEME_CORRECTIONS: _corrections(),
        }


def _variants(rng: np.random.Generator, products: int, start: date) -> pd.DataFrame:
    rows = []
    for number in range(products):
        price = int(np.round(np.exp(rng.normal(7.2, 0.5)), -1)) - 1
        for option in ("", " large") if number % 4 == 3 else ("",):
            rows.append(
                {
                    "variant_id": f"v{number:04d}{option.strip()[:1]}",
                    "product_id": f"p{number:04d}",
                    "title": f"Item {number:04d}{option}",
                    "category": f"group/{number % GROUPS}",
                    "brand": f"brand{number % 3}",
                    "active": number % 29 != 28,
                    "supplier_id": f"s{number % 4}",
                    "pack_units": 6 if number % 5 == 0 else 1,
                    "minimum_order_units": 12 if number % 5 == 0 else 1,
                    "price_minor": price if not option else int(price * 1.5),
                    "first_on": start,
                    "cost_minor": None if number % 11 == 10 else int(price * 0.55),
                    "group": number % GROUPS,
                    "weight": 1.0 / (1 + number // GROUPS) ** 0.7,
                }
            )
    frame = pd.DataFrame(rows)
    frame["cost_minor"] = frame["cost_minor"].astype("Int64")
    return frame


SAID = (
    ("review", "Runs small. Love the colour."),
    ("review", "Great, I recommend it to everyone I know."),
    ("message", "Where is my order? Mail me at jo@example.org please."),
    ("return", "size_too_small"),
    ("review", "Feels cheap and broke after two days."),
)
"""What is said of products, one after another."""


def _feedback(variants: pd.DataFrame) -> pd.DataFrame:
    products = sorted(set(variants["product_id"]))
    rows = []
    for number in range(3 * len(products)):
        source, text = SAID[number % len(SAID)]
        rows.append(
            {
                "source": source,
                "feedback_id": f"f{number:05d}",
                "product_id": None if number % 7 == 6 else products[number // 3],
                "day": AS_OF - timedelta(days=number % 300),
                "rating": 2 if source == "review" else None,
                "units": 1 if source == "return" else 0,
                "text": text,
            }
        )
    frame = pd.DataFrame(rows, columns=list(FEEDBACK.column_names))
    frame["rating"] = frame["rating"].astype("Int64")
    return frame


def _corrections() -> pd.DataFrame:
    """Return corrections: a theme of its own, which changes no count of a class."""
    row = {name: None for name in THEME_CORRECTIONS.column_names}
    made = {"correction_id": "c1", "position": 0, "kind": "split", "title": "Narrow"}
    return pd.DataFrame([{**row, **made, "objection": "size_fit", "words": "small"}])


def _objections(variants: pd.DataFrame) -> pd.DataFrame:
    products = sorted(set(variants["product_id"]))[:6]
    rows = [
        {
            **dict.fromkeys(OBJECTIONS.column_names, 0),
            "product_id": product,
            "objection": ("size_fit", "colour_picture", "missing_information")[at % 3],
            "mentions": 12 - at,
            "texts": 20,
            "smaller": 9 if at % 3 == 0 else 0,
            "larger": 1 if at % 3 == 0 else 0,
            "stake_minor": None if at == 5 else 9_000 - 100 * at,
            "low_minor": None if at == 5 else 4_000,
            "high_minor": None if at == 5 else 20_000,
            "quotes": None if at == 4 else "Runs small.\nToo tight.",
        }
        for at, product in enumerate(products)
    ]
    frame = pd.DataFrame(rows, columns=list(OBJECTIONS.column_names))
    money = ["stake_minor", "low_minor", "high_minor"]
    frame[money] = frame[money].astype("Int64")
    return frame


def _questions(variants: pd.DataFrame) -> pd.DataFrame:
    products = sorted(set(variants["product_id"]))[:4]
    rows = [
        {
            "question_id": f"q{at}",
            "product_id": product,
            "day": AS_OF - timedelta(days=at),
            "question": "Does it come with a box?",
            "answer": None if at == 3 else "Yes, it comes in a box of cardboard.",
        }
        for at, product in enumerate(products)
    ]
    return pd.DataFrame(rows, columns=list(QUESTIONS.column_names))


def _policies() -> pd.DataFrame:
    rows = [
        ("back", "returns", "Returns", "You can send goods back within 30 days."),
        ("post", "shipping", "Shipping", "We send parcels within 2 working days."),
    ]
    return pd.DataFrame(rows, columns=list(POLICIES.column_names))


COLOURS = ("red", "blue", "green", "black")


def _listing(variants: pd.DataFrame) -> pd.DataFrame:
    first = variants.drop_duplicates("product_id").reset_index(drop=True)
    colour = [COLOURS[n % len(COLOURS)] for n in range(len(first))]
    return pd.DataFrame(
        {
            "product_id": first["product_id"],
            "title": first["title"],
            "description": [f"An item in {name}." for name in colour],
            "page_html": None,
            "category": first["category"],
            "brand": first["brand"],
            "tags": "",
            "url": None,
            "image_url": None,
            "attributes": [f'{{"colour": "{name}"}}' for name in colour],
            "active": True,
            "first_on": first["first_on"],
        }
    )


def _prices(rng: np.random.Generator, variants: pd.DataFrame, days: int) -> np.ndarray:
    weeks = days // 7 + 1
    step = rng.choice([0.85, 1.0, 1.0, 1.15], size=(len(variants), weeks))
    step[:, -1] = 1.0
    daily = np.repeat(step, 7, axis=1)[:, -days:]
    base = variants["price_minor"].to_numpy()[:, None]
    return np.rint(base * daily).astype(np.int64)


def _orders(
    rng: np.random.Generator, customers: int, variants: pd.DataFrame, days: int
) -> pd.DataFrame:
    rate = rng.gamma(0.8, 1 / 40.0, customers) + 1e-4
    leave = rng.beta(1.0, 6.0, customers)
    taste = rng.integers(0, GROUPS, customers)
    group = variants["group"].to_numpy()
    weight = variants["weight"].to_numpy()
    rows = []
    order = 0
    for who in range(customers):
        day = float(rng.integers(0, max(1, days - 10)))
        chance = weight * np.where(group == taste[who], 6.0, 1.0)
        chance /= chance.sum()
        while day < days:
            size = min(len(variants), 1 + rng.poisson(1.2))
            for item in rng.choice(len(variants), size, replace=False, p=chance):
                rows.append((f"c{who:05d}", order, item, int(day), 1))
            order += 1
            if rng.random() < leave[who]:
                break
            day += 1.0 + rng.exponential(1.0 / rate[who])
    return pd.DataFrame(rows, columns=["customer_id", "order", "item", "at", "units"])


def _guests(
    rng: np.random.Generator, variants: pd.DataFrame, price: np.ndarray
) -> pd.DataFrame:
    base = variants["price_minor"].to_numpy()[:, None]
    weekly = 1.0 + 0.3 * np.sin(2 * np.pi * np.arange(price.shape[1]) / 7)
    mean = variants["weight"].to_numpy()[:, None] * (price / base) ** ELASTICITY
    units = rng.poisson(1.5 * mean * weekly[None, :])
    item, at = np.nonzero(units)
    return pd.DataFrame(
        {
            "customer_id": "",
            "order": 10_000_000 + np.arange(len(item)),
            "item": item,
            "at": at,
            "units": units[item, at],
        }
    )


def _with_facts(
    lines: pd.DataFrame, variants: pd.DataFrame, price: np.ndarray, start: date
) -> pd.DataFrame:
    item = lines["item"].to_numpy()
    at = lines["at"].to_numpy()
    days = pd.date_range(start, periods=price.shape[1], freq="D")
    return lines.assign(
        variant_id=variants["variant_id"].to_numpy()[item],
        product_id=variants["product_id"].to_numpy()[item],
        day=days[at],
        price_minor=price[item, at],
        revenue_minor=price[item, at] * lines["units"].to_numpy(),
    )


def _demand(lines: pd.DataFrame) -> pd.DataFrame:
    found = lines.groupby(["variant_id", "day"], as_index=False).agg(
        units=("units", "sum"),
        revenue_minor=("revenue_minor", "sum"),
        orders=("order", "nunique"),
    )
    return found.assign(stocked_out=False)


def _stock(
    rng: np.random.Generator, variants: pd.DataFrame, demand: pd.DataFrame
) -> pd.DataFrame:
    recent = demand[demand["day"] > pd.Timestamp(AS_OF) - pd.Timedelta(days=28)]
    pace = recent.groupby("variant_id")["units"].sum() / 28.0
    pace = pace.reindex(variants["variant_id"]).fillna(0.0).to_numpy()
    on_hand = rng.poisson(pace * rng.uniform(2, 60, len(variants)))
    on_hand[::13] = 0
    cover = np.where(pace > 0, on_hand / np.maximum(pace, 1e-9), np.nan)
    inbound = np.where(np.arange(len(variants)) % 26 == 0, 24, 0)
    return pd.DataFrame(
        {
            "variant_id": variants["variant_id"],
            "on_hand_units": on_hand,
            "inbound_units": inbound,
            "inbound_on": [AS_OF + timedelta(days=5) if n else None for n in inbound],
            "cover_days": cover,
            "sold_28d_units": pd.array(
                [round(28 * p) if p > 0 else None for p in pace], dtype="Int64"
            ),
        }
    )


def _margin(variants: pd.DataFrame) -> pd.DataFrame:
    back = (variants["price_minor"] * 0.02).astype("int64")
    return pd.DataFrame(
        {
            "variant_id": variants["variant_id"],
            "price_minor": variants["price_minor"],
            "cost_minor": variants["cost_minor"],
            "return_cost_minor": back,
            "parcel_share": 0.5,
            "margin_minor": variants["price_minor"] - variants["cost_minor"] - back,
        }
    )


def _price_history(lines: pd.DataFrame) -> pd.DataFrame:
    week = lines["day"] - pd.to_timedelta(lines["day"].dt.weekday, unit="D")
    found = (
        lines.assign(week=week)
        .groupby(["variant_id", "week"], as_index=False)
        .agg(units=("units", "sum"), revenue=("revenue_minor", "sum"))
    )
    mean = (found["revenue"] / found["units"]).round().astype("int64")
    return found.assign(price_minor=mean, list_minor=mean, days_in_stock=7)


def _customer_frames(
    rng: np.random.Generator, lines: pd.DataFrame
) -> dict[Signal, pd.DataFrame]:
    known = lines[lines["customer_id"] != ""]
    rhythm = known.groupby("customer_id", as_index=False).agg(
        first_on=("day", "min"),
        last_on=("day", "max"),
        orders=("order", "nunique"),
        order_days=("day", "nunique"),
        revenue_minor=("revenue_minor", "sum"),
    )
    span = (rhythm["last_on"] - rhythm["first_on"]).dt.days
    as_of = pd.Timestamp(AS_OF)
    repeats = rhythm["order_days"] - 1
    rhythm["gap_days"] = (span / repeats.where(repeats > 0)).astype("float64")
    rhythm["recency_days"] = (as_of - rhythm["last_on"]).dt.days
    rhythm["age_days"] = (as_of - rhythm["first_on"]).dt.days
    purchases = known.groupby(["customer_id", "product_id"], as_index=False).agg(
        orders=("order", "nunique"), units=("units", "sum"), last_on=("day", "max")
    )
    consent = pd.DataFrame(
        {
            "customer_id": rhythm["customer_id"],
            "email_marketing": rng.random(len(rhythm)) < 0.6,
            "personalisation": rng.random(len(rhythm)) < 0.97,
        }
    )
    return {
        RHYTHM: rhythm,
        PURCHASES: purchases,
        CONSENT: consent,
        ACTIVE_HOURS: _active_hours(rhythm, consent),
        BASKETS: _baskets(known),
    }


def _active_hours(rhythm: pd.DataFrame, consent: pd.DataFrame) -> pd.DataFrame:
    """Return an hour in the evening for most, and an hour of their own for all."""
    who = rhythm["customer_id"][consent["personalisation"]]
    own = pd.DataFrame({"customer_id": who, "hour": np.arange(len(who)) % 19})
    evening = pd.DataFrame({"customer_id": who[::2], "hour": 19})
    return pd.concat([own.assign(days=3), evening.assign(days=2)])


def _baskets(known: pd.DataFrame) -> pd.DataFrame:
    pairs = known[["order", "product_id"]].drop_duplicates()
    each = pairs.groupby("product_id")["order"].nunique()
    both = pairs.merge(pairs, on="order", suffixes=("_l", "_r"))
    both = both[both["product_id_l"] < both["product_id_r"]]
    found = both.groupby(["product_id_l", "product_id_r"], as_index=False).size()
    found = found[found["size"] >= 2]
    return pd.DataFrame(
        {
            "product_a": found["product_id_l"],
            "product_b": found["product_id_r"],
            "orders": found["size"],
            "orders_a": each.reindex(found["product_id_l"]).to_numpy(),
            "orders_b": each.reindex(found["product_id_r"]).to_numpy(),
        }
    )


def _event_frames(
    rng: np.random.Generator, lines: pd.DataFrame
) -> dict[Signal, pd.DataFrame]:
    daily = lines.groupby(["product_id", "day"], as_index=False)["units"].sum()
    views = daily["units"] * 8 + rng.poisson(3, len(daily))
    intent = pd.DataFrame(
        {
            "product_id": daily["product_id"],
            "day": daily["day"],
            "views": views,
            "carts": daily["units"] + rng.poisson(0.5, len(daily)),
            "failed_carts": rng.poisson(0.02, len(daily)),
            "searches": rng.poisson(0.5, len(daily)),
        }
    )
    searches = pd.DataFrame(
        {
            "query": ["blue lamp", "gift", "mug"],
            "searches": [40, 25, 9],
            "without_result": [12, 0, 1],
        }
    )
    total = daily.groupby("product_id", as_index=False)["units"].sum()
    shown = pd.DataFrame(
        {
            "product_id": total["product_id"],
            "exposures": total["units"] * 3,
            "clicks": rng.binomial(total["units"].to_numpy() * 3, 0.04),
        }
    )
    return {
        INTENT: intent,
        SEARCHES: searches,
        SHOWN: shown,
        SEARCH_CLICKS: _search_clicks(daily["product_id"].unique()),
    }


def _search_clicks(products: np.ndarray) -> pd.DataFrame:
    """Return searches for items by number; the item itself is opened most."""
    rows = [
        {
            "query": f"item {name[1:]}",
            "product_id": other,
            "shown": 10,
            "expected_clicks": 2.0,
            "clicks": 6 if name == other else 1,
            "carts": int(name == other),
        }
        for at, name in enumerate(products)
        for other in products[at : at + 3]
    ]
    return pd.DataFrame(rows)


def _supply_and_returns(
    rng: np.random.Generator, variants: pd.DataFrame, lines: pd.DataFrame
) -> dict[Signal, pd.DataFrame]:
    sold = lines.groupby("product_id", as_index=False)["units"].sum()
    back = rng.binomial(sold["units"].to_numpy(), 0.06)
    returns = pd.DataFrame(
        {
            "product_id": sold["product_id"],
            "sold_units": sold["units"],
            "returned_units": back,
            "return_rate": (back + 3) / (sold["units"] + 50),
            "cost_per_return_minor": 350,
        }
    )
    recent = lines[
        (lines["customer_id"] != "")
        & (lines["day"] > pd.Timestamp(AS_OF) - pd.Timedelta(days=40))
    ].drop_duplicates(["customer_id", "product_id"])[::10]
    open_returns = recent[["customer_id", "product_id"]].assign(
        since_on=AS_OF - timedelta(days=3)
    )
    suppliers = sorted(variants["supplier_id"].unique())
    lead = pd.DataFrame(
        {
            "supplier_id": suppliers,
            "receipts": [12, 5, 0, 30][: len(suppliers)],
            "mean_days": [9.0, 15.0, 21.0, 6.5][: len(suppliers)],
            "sd_days": [2.0, 5.0, 6.0, 1.0][: len(suppliers)],
            "promised_days": [7, 14, 21, 7][: len(suppliers)],
            "minimum_order_minor": [0, 20_000, 0, 5_000][: len(suppliers)],
        }
    )
    return {RETURNS: returns, OPEN_RETURNS: open_returns, LEAD_TIME: lead}


def _learned_frames(
    variants: pd.DataFrame, demand: pd.DataFrame, days: int
) -> dict[Signal, pd.DataFrame]:
    pace = demand.groupby("variant_id")["units"].sum() / days
    pace = pace.reindex(variants["variant_id"]).fillna(0.0)
    rows = []
    for horizon in (7, 14, 28, 56):
        mean = pace.to_numpy() * horizon
        values = {"variant_id": pace.index, "horizon_days": horizon, "mean_units": mean}
        for name, z in (("q10", -1.28), ("q50", 0.0), ("q80", 0.84)):
            values[f"{name}_units"] = np.maximum(0.0, mean + z * np.sqrt(mean + 0.5))
        for name, z in (("q90", 1.28), ("q95", 1.64), ("q98", 2.05)):
            values[f"{name}_units"] = mean + z * np.sqrt(mean + 0.5)
        rows.append(pd.DataFrame(values))
    plan = pd.DataFrame(
        {
            "variant_id": variants["variant_id"][:3],
            "price_minor": (variants["price_minor"][:3] * 0.95).astype("int64"),
            "change_share": -0.05,
            "elasticity": ELASTICITY,
            "from_on": AS_OF + timedelta(days=1),
        }
    )
    empty = {
        signal: pd.DataFrame(columns=list(signal.column_names))
        for signal in (LIFETIME_VALUE, SEGMENT, OUTCOMES)
    }
    return {FORECAST: pd.concat(rows, ignore_index=True), PRICE_PLAN: plan, **empty}
