"""Who visits the sample shop: customers, strangers, their taste, rhythm and visits."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from cartwheel.simulator.catalogue import Catalogue
from cartwheel.simulator.clock import CLOSE_SECOND, OPEN_SECOND, instants, midnight
from cartwheel.simulator.text import (
    CATEGORIES,
    COUNTRIES,
    COUNTRY_SHARES,
    FIRST_NAMES,
    LAST_NAMES,
    STYLES,
)

STRANGERS = 400
"""Kinds of anonymous visitor; each visit of a stranger is of one of them."""

WEEKDAY = np.array([1.0, 0.95, 0.95, 1.0, 0.95, 0.9, 1.25])
CAMPAIGN_EVERY_DAYS = 30
TRACKED_SHARE = 0.36
"""Share of visits that accepted measurement; only these leave events."""


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """The people with the truth behind them; C customers, P products.

    Attributes:
        joined: Day a customer is first known, shape (C,).
        rate: Visits per day while active, gamma distributed, shape (C,).
        lapse: Probability of leaving for good after an order, shape (C,).
        pull: Appeal of each product to each customer and then to each kind of
            stranger, shape (C + STRANGERS, P).
        mail: Said yes to marketing e-mail, shape (C,).
        mail_until: Day the yes was withdrawn, `days` when never, shape (C,).
    """

    joined: np.ndarray
    rate: np.ndarray
    lapse: np.ndarray
    pull: np.ndarray
    mail: np.ndarray
    mail_until: np.ndarray


@dataclass(frozen=True, slots=True, kw_only=True)
class Visits:
    """Intended visits in order of time, N of them.

    Attributes:
        day: Shape (N,).
        second: Second of the day, shape (N,).
        customer: Customer, or -1 for a stranger, shape (N,).
        row: Row of `People.pull`, shape (N,).
        in_store: Happens in the town shop, shape (N,).
        tracked: Leaves events, shape (N,).
        signed_in: The shop knows the customer during the visit, shape (N,).
        aim: Category looked for, shape (N,).
    """

    day: np.ndarray
    second: np.ndarray
    customer: np.ndarray
    row: np.ndarray
    in_store: np.ndarray
    tracked: np.ndarray
    signed_in: np.ndarray
    aim: np.ndarray


def make_people(
    rng: np.random.Generator, cat: Catalogue, *, customers: int, days: int
) -> People:
    """Draw customers, their taste, rhythm and consent."""
    known = rng.random(customers) < 0.4  # brought along when the shop opened
    joined = np.where(known, 0, rng.integers(0, days, customers))
    mail = rng.random(customers) < 0.62
    leaves = rng.random(customers) < 0.12
    until = joined + rng.integers(20, 200, customers)
    groups = customers + STRANGERS
    by_category = rng.dirichlet(np.full(len(CATEGORIES), 0.35), groups)
    by_style = rng.dirichlet(np.full(len(STYLES), 0.3), groups)
    pull = (by_category + 0.02)[:, cat.category] * (by_style + 0.03)[:, cat.style]
    return People(
        joined=joined,
        rate=rng.gamma(0.8, 0.085 / 0.8, customers),
        lapse=rng.beta(1.2, 5.0, customers),
        pull=pull.astype(np.float32),
        mail=mail,
        mail_until=np.where(leaves, np.minimum(until, days), days),
    )


def traffic(start: date, days: int) -> np.ndarray:
    """Return the season of visits over week and year, about 1, shape (days,)."""
    day = np.arange(days)
    weekday = (start.weekday() + day) % 7
    of_year = (start.timetuple().tm_yday + day) % 365
    peak = 0.5 * np.exp(-(((of_year - 338) / 16.0) ** 2))
    summer = -0.12 * np.exp(-(((of_year - 215) / 25.0) ** 2))
    return np.asarray(WEEKDAY[weekday] * (0.96 + peak + summer))


def make_visits(
    rng: np.random.Generator,
    people: People,
    *,
    start: date,
    days: int,
    scale: float,
) -> Visits:
    """Draw intended visits; those of customers who lapsed are dropped in trade."""
    customers = len(people.joined)
    season = traffic(start, days)
    share = season / season.sum() if days else season
    size = customers / 5000 * scale
    day_c, who_c = _customer_visits(rng, people, share, days, scale)
    day_m, who_m = _campaign_visits(rng, people, days, scale)
    web = rng.multinomial(round(400 * days * size), share)
    shop = rng.multinomial(round(17 * days * size), share)
    day = np.concatenate([day_c, day_m, np.repeat(np.arange(days), web + shop)])
    strangers = int(web.sum() + shop.sum())
    customer = np.concatenate([who_c, who_m, np.full(strangers, -1)])
    count = len(day)
    in_store = np.zeros(count, dtype=bool)
    # The first `web` strangers of a day are on the web, the rest in the town shop.
    place = np.arange(strangers) - np.repeat(
        np.cumsum(web + shop) - web - shop, web + shop
    )
    in_store[count - strangers :] = place >= np.repeat(web, web + shop)
    second = rng.integers(OPEN_SECOND, CLOSE_SECOND, count)
    row = np.where(
        customer >= 0, customer, customers + rng.integers(0, STRANGERS, count)
    )
    order = np.lexsort((np.arange(count), second, day))
    return Visits(
        day=day[order],
        second=second[order],
        customer=customer[order],
        row=row[order],
        in_store=in_store[order],
        tracked=(rng.random(count) < TRACKED_SHARE) & ~in_store[order],
        signed_in=(customer[order] >= 0) & (rng.random(count) < 0.5),
        aim=rng.integers(0, len(CATEGORIES), count),
    )


def _customer_visits(
    rng: np.random.Generator,
    people: People,
    share: np.ndarray,
    days: int,
    scale: float,
) -> tuple[np.ndarray, np.ndarray]:
    customers = len(people.joined)
    number = rng.poisson(people.rate * days * scale)
    who = np.repeat(np.arange(customers), number)
    day = rng.choice(days, len(who), p=share)
    # A visit before the customer is known does not happen; the first day has one.
    keep = day >= people.joined[who]
    first = rng.random(customers) < 0.5 * min(scale, 1.0)
    return (
        np.concatenate([day[keep], people.joined[first]]),
        np.concatenate([who[keep], np.flatnonzero(first)]),
    )


def _campaign_visits(
    rng: np.random.Generator, people: People, days: int, scale: float
) -> tuple[np.ndarray, np.ndarray]:
    """Some readers of a mailing visit on its day or one of the two after it."""
    found_day, found_who = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for sent in campaign_days(days):
        readers = np.flatnonzero(reads_mail(people, sent))
        came = readers[rng.random(len(readers)) < 0.04 * min(scale, 1.0)]
        when = sent + rng.integers(0, 3, len(came))
        found_who.append(came[when < days])
        found_day.append(when[when < days])
    return np.concatenate(found_day), np.concatenate(found_who)


def campaign_days(days: int) -> range:
    """Return the days a mailing goes out."""
    return range(20, days, CAMPAIGN_EVERY_DAYS)


def reads_mail(people: People, day: int) -> np.ndarray:
    """Return who may be mailed on a day, shape (C,)."""
    may = people.mail & (people.joined < day) & (people.mail_until > day)
    return np.asarray(may)


def people_columns(
    rng: np.random.Generator, people: People, start: date, days: int
) -> dict[str, dict[str, Any]]:
    """Return the columns of customers, consents, campaigns."""
    count = len(people.joined)
    zero = midnight(start)
    ids = customer_ids(count)
    first = rng.integers(0, len(FIRST_NAMES), count)
    last = rng.integers(0, len(LAST_NAMES), count)
    country = rng.choice(len(COUNTRIES), count, p=np.array(COUNTRY_SHARES))
    names = [(FIRST_NAMES[f], LAST_NAMES[g]) for f, g in zip(first, last, strict=True)]
    return {
        "customers": {
            "customer_id": ids,
            "email": [
                f"{f}.{g}.{i + 1}@example.{'org' if i % 5 == 0 else 'com'}".lower()
                for i, (f, g) in enumerate(names)
            ],
            "phone": [None] * count,
            "name": [f"{f} {g}" for f, g in names],
            "country": [COUNTRIES[c] for c in country],
            "region": [None] * count,
            "created_at": instants(zero, people.joined, 6 * 3600),
        },
        "consents": _consent_columns(rng, people, ids, zero, days),
        "campaigns": _campaign_columns(zero, days),
    }


def customer_ids(count: int) -> np.ndarray:
    """Return customer ids, shape (count,)."""
    return np.array([f"C{i + 1:05d}" for i in range(count)], dtype="U8")


def _consent_columns(
    rng: np.random.Generator,
    people: People,
    ids: np.ndarray,
    zero: np.datetime64,
    days: int,
) -> dict[str, Any]:
    asked = np.flatnonzero(people.mail | (rng.random(len(ids)) < 0.5))
    gone = np.flatnonzero(people.mail & (people.mail_until < days))
    objects = np.flatnonzero(rng.random(len(ids)) < 0.03)
    who = np.concatenate([asked, gone, objects])
    purpose = ["email_marketing"] * (len(asked) + len(gone))
    day = np.concatenate(
        [people.joined[asked], people.mail_until[gone], people.joined[objects]]
    )
    granted = np.concatenate(
        [people.mail[asked], np.zeros(len(gone) + len(objects), dtype=bool)]
    )
    return {
        "customer_id": ids[who],
        "purpose": purpose + ["personalisation"] * len(objects),
        "granted": granted,
        "changed_at": instants(zero, day, 6 * 3600 + 60),
        "source": ["sign-up"] * len(asked)
        + ["unsubscribe link"] * len(gone)
        + ["sign-up"] * len(objects),
    }


def _campaign_columns(zero: np.datetime64, days: int) -> dict[str, Any]:
    sent = np.array(campaign_days(days), dtype=np.int64)
    return {
        "campaign_id": [f"M{i + 1:03d}" for i in range(len(sent))],
        "name": [f"Newsletter {i + 1}" for i in range(len(sent))],
        "medium": ["email"] * len(sent),
        "started_at": instants(zero, sent, 8 * 3600),
        "ended_at": instants(zero, sent, 9 * 3600),
        "cost_minor": np.full(len(sent), 4_500),
    }
