"""Reviews and messages of the sample shop, written for the true cause."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np

from cartwheel.simulator.catalogue import Catalogue
from cartwheel.simulator.clock import instants, midnight
from cartwheel.simulator.orders import Orders
from cartwheel.simulator.people import (
    People,
    campaign_days,
    customer_ids,
    reads_mail,
)
from cartwheel.simulator.text import MESSAGE_TEXT, REPLY, REVIEW_TEXT
from cartwheel.simulator.trade import CAUSES

REVIEW_SHARE = 0.06
_CONTACT_COLUMNS = (
    "customer_id",
    "direction",
    "medium",
    "campaign_id",
    "order_id",
    "subject",
    "body",
    "address",
)
CONTACT_SHARE = {
    "none": 0.03,
    "taste": 0.12,
    "small": 0.3,
    "looks": 0.3,
    "defect": 0.6,
    "late": 0.5,
}


def review_columns(
    rng: np.random.Generator,
    cat: Catalogue,
    orders: Orders,
    start: date,
    days: int,
) -> dict[str, Any]:
    """Return the columns of reviews; bad experiences write more often."""
    lines = orders.lines
    count = len(orders.order_of)
    product = cat.product_of[lines["variant"]]
    day = lines["deliver"] + 2 + rng.integers(0, 15, count)
    bad = lines["cause"] > CAUSES.index("taste")
    wrote = rng.random(count) < np.where(bad, 3 * REVIEW_SHARE, REVIEW_SHARE)
    known = orders.customer[orders.order_of] >= 0
    rows = np.flatnonzero(wrote & known & (day < days))
    rows = rows[np.lexsort((rows, day[rows]))]
    noise = rng.normal(0, 0.7, count)
    stars = np.clip(np.rint(4.2 + 0.5 * cat.quality[product] + noise), 2, 5)
    stars = np.where(bad, np.clip(np.rint(1.8 + noise), 1, 3), stars).astype(np.int64)
    pick = rng.integers(0, 60, count)
    texts = [
        _review(CAUSES[lines["cause"][i]], int(stars[i]), int(pick[i])) for i in rows
    ]
    nouns = cat.nouns[product[rows]]
    names = customer_ids(int(orders.customer.max(initial=-1)) + 1)
    return {
        "review_id": [f"V{i + 1:05d}" for i in range(len(rows))],
        "product_id": cat.product_ids[product[rows]],
        "order_id": orders.ids[orders.order_of[rows]],
        "customer_id": names[orders.customer[orders.order_of[rows]]],
        "created_at": instants(midnight(start), day[rows], 18 * 3600),
        "rating": stars[rows],
        "title": [t[0] for t in texts],
        "body": [t[1].format(noun=n) for t, n in zip(texts, nouns, strict=True)],
    }


def _review(cause: str, stars: int, pick: int) -> tuple[str, str]:
    kind = cause if cause in REVIEW_TEXT else ("good" if stars >= 4 else "fine")
    texts = REVIEW_TEXT[kind]
    return texts[pick % len(texts)]


def message_columns(
    rng: np.random.Generator,
    cat: Catalogue,
    people: People,
    orders: Orders,
    start: date,
    days: int,
) -> dict[str, Any]:
    """Return the columns of messages: contacts with their replies, then mailings."""
    ids = customer_ids(len(people.joined))
    support = _contacts(rng, cat, orders, ids, start, days)
    sent = [(n, d, np.flatnonzero(reads_mail(people, d))) for n, d in _mailings(days)]
    who = np.concatenate([np.empty(0, np.int64), *(w for _, _, w in sent)])
    number = np.repeat([n for n, _, _ in sent], [len(w) for _, _, w in sent])
    day = np.repeat([d for _, d, _ in sent], [len(w) for _, _, w in sent])
    mails = len(who)
    mailing = {
        "customer_id": ids[who].tolist(),
        "direction": ["out"] * mails,
        "medium": ["email"] * mails,
        "sent_at": instants(midnight(start), day, 8 * 3600 + 600),
        "campaign_id": [f"M{int(n) + 1:03d}" for n in number],
        "order_id": [None] * mails,
        "subject": ["New arrivals and your 10 % code"] * mails,
        "body": [None] * mails,
        "address": [None] * mails,
    }
    columns: dict[str, Any] = {
        name: [*support[name], *values]
        for name, values in mailing.items()
        if name != "sent_at"
    }
    columns["sent_at"] = np.concatenate([support["sent_at"], mailing["sent_at"]])
    total = len(columns["direction"])
    return {"message_id": [f"N{i + 1:06d}" for i in range(total)], **columns}


def _mailings(days: int) -> list[tuple[int, int]]:
    return list(enumerate(campaign_days(days)))


def _contacts(
    rng: np.random.Generator,
    cat: Catalogue,
    orders: Orders,
    ids: np.ndarray,
    start: date,
    days: int,
) -> dict[str, Any]:
    lines = orders.lines
    count = len(orders.order_of)
    share = np.array([CONTACT_SHARE[c] for c in CAUSES])[lines["cause"]]
    day = lines["deliver"] + rng.integers(0, 4, count)
    known = orders.customer[orders.order_of] >= 0
    rows = np.flatnonzero((rng.random(count) < share) & known & (day + 1 < days))
    rows = rows[np.lexsort((rows, day[rows]))]
    chat = np.where(rng.random(len(rows)) < 0.3, "chat", "email")
    found: dict[str, list[Any]] = {name: [] for name in _CONTACT_COLUMNS}
    for i, medium in zip(rows, chat, strict=True):
        cause = CAUSES[lines["cause"][i]]
        subject, body = MESSAGE_TEXT[cause if cause != "none" else "question"]
        order = str(orders.ids[orders.order_of[i]])
        noun = cat.nouns[cat.product_of[lines["variant"][i]]]
        texts = (("in", subject, body), ("out", f"Re: {subject}", REPLY))
        for direction, heading, text in texts:
            found["customer_id"].append(str(ids[orders.customer[orders.order_of[i]]]))
            found["direction"].append(direction)
            found["medium"].append(str(medium))
            found["campaign_id"].append(None)
            found["order_id"].append(order)
            found["subject"].append(heading)
            found["address"].append(None)
            found["body"].append(text.format(order=order, noun=noun))
    when = np.repeat(day[rows], 2)
    when[1::2] += 1
    second = np.tile([13 * 3600, 9 * 3600], len(rows))
    return {**found, "sent_at": instants(midnight(start), when, second)}
