"""Events of the sample shop: what tracked visits left behind."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np

from cartwheel.simulator.catalogue import Catalogue
from cartwheel.simulator.clock import instants, midnight
from cartwheel.simulator.orders import CHECKOUT_SECONDS, Orders
from cartwheel.simulator.people import Visits, customer_ids
from cartwheel.simulator.text import CATEGORIES, NOT_SOLD
from cartwheel.simulator.trade import SLOTS, Trade

SEARCH_SHARE, LIST_SHARE, ZERO_SHARE = 0.2, 0.4, 0.09
VIEW_SECONDS = 40
_KINDS = np.array(["search", "list", "view", "add_to_cart", "failed_add", "checkout"])
_SEARCH, _LIST, _VIEW, _ADD, _FAILED, _CHECKOUT = range(6)


def event_columns(
    rng: np.random.Generator,
    cat: Catalogue,
    visits: Visits,
    trade: Trade,
    orders: Orders,
    start: date,
) -> dict[str, Any]:
    """Return the columns of events in order of time.

    Visitors who refuse measurement leave none; failed adds are tracked only.
    """
    visit, kind, second, product, variant, position = _collect(
        rng, visits, trade, orders
    )
    order = np.lexsort((position, product, kind, second, visit, visits.day[visit]))
    visit, kind, second = visit[order], kind[order], second[order]
    product, variant, position = product[order], variant[order], position[order]
    queries, results = _searches(rng, cat, visits, visit, kind)
    buyer = np.append(customer_ids(int(visits.customer.max(initial=-1)) + 1), "")
    signed = np.where(visits.signed_in[visit], visits.customer[visit], -1)
    product_ids = np.append(cat.product_ids, "")
    variant_ids = np.append(cat.variant_ids, "")
    at = instants(midnight(start), visits.day[visit], visits.second[visit] + second)
    carts = (kind == _ADD) | (kind == _FAILED)
    return {
        "event_id": [f"E{i + 1:08d}" for i in range(len(visit))],
        "kind": _KINDS[kind],
        "occurred_at": at,
        "visitor_id": _visitors(rng, visits)[visit],
        "customer_id": _or_none(buyer[signed]),
        "product_id": _or_none(product_ids[product]),
        "variant_id": _or_none(variant_ids[variant]),
        "query": queries,
        "result_count": results,
        "quantity_units": [1 if c else None for c in carts],
        "position": [int(p) if p > 0 else None for p in position],
        "decision_id": [None] * len(visit),
        "placement": [None] * len(visit),
    }


def _or_none(values: np.ndarray) -> list[str | None]:
    return [str(v) or None for v in values]


def _collect(
    rng: np.random.Generator, visits: Visits, trade: Trade, orders: Orders
) -> tuple[np.ndarray, ...]:
    """Return visit, kind, second in visit, product, variant, position of events."""
    count = len(visits.day)
    open_to = trade.came & visits.tracked
    searched = np.flatnonzero(open_to & (rng.random(count) < SEARCH_SHARE))
    listed = np.flatnonzero(open_to & (rng.random(count) < LIST_SHARE))
    seen = trade.views[open_to[trade.views[:, 0]]]
    asked = trade.requests[open_to[trade.requests[:, 0]]]
    # A companion was looked at on the page of what it goes with.
    extra = asked[asked[:, 3] >= SLOTS]
    bought = orders.visit[open_to[orders.visit]]
    slot = np.concatenate([seen[:, 1], extra[:, 3]])
    parts: list[tuple[Any, ...]] = [
        (searched, _SEARCH, 0, -1, -1, 0),
        (listed, _LIST, 2, -1, -1, 0),
        (
            np.concatenate([seen[:, 0], extra[:, 0]]),
            _VIEW,
            10 + VIEW_SECONDS * (slot % SLOTS) + 20 * (slot >= SLOTS),
            np.concatenate([seen[:, 2], extra[:, 1]]),
            -1,
            slot % SLOTS + 1,
        ),
        (
            asked[:, 0],
            np.where(asked[:, 4] == 1, _FAILED, _ADD),
            25 + VIEW_SECONDS * (asked[:, 3] % SLOTS) + 12 * (asked[:, 3] >= SLOTS),
            asked[:, 1],
            asked[:, 2],
            0,
        ),
        (bought, _CHECKOUT, CHECKOUT_SECONDS, -1, -1, 0),
    ]
    columns = [
        [np.broadcast_to(part[i], len(part[0])) for part in parts] for i in range(6)
    ]
    return tuple(np.concatenate(column).astype(np.int64) for column in columns)


def _searches(
    rng: np.random.Generator,
    cat: Catalogue,
    visits: Visits,
    visit: np.ndarray,
    kind: np.ndarray,
) -> tuple[list[str | None], list[int | None]]:
    """Query and result count of searches; a few for what the shop does not sell."""
    per_category = np.bincount(cat.category, minlength=len(CATEGORIES))
    lost = rng.random(len(visit)) < ZERO_SHARE
    pick = rng.integers(0, 1 << 20, len(visit))
    queries: list[str | None] = [None] * len(visit)
    results: list[int | None] = [None] * len(visit)
    for i in np.flatnonzero(kind == _SEARCH):
        aim = int(visits.aim[visit[i]])
        if lost[i] or per_category[aim] == 0:
            queries[i], results[i] = NOT_SOLD[pick[i] % len(NOT_SOLD)], 0
        else:
            nouns = CATEGORIES[aim].nouns
            queries[i] = nouns[pick[i] % len(nouns)]
            results[i] = int(per_category[aim])
    return queries, results


def _visitors(rng: np.random.Generator, visits: Visits) -> np.ndarray:
    """A device per customer (some have two); a new one for each stranger's visit."""
    second = rng.random(len(visits.day)) < 0.15
    return np.array(
        [
            f"d{c}{'b' if b else 'a'}" if c >= 0 else f"v{i}"
            for i, (c, b) in enumerate(zip(visits.customer, second, strict=True))
        ]
    )
