"""What a day's happenings look like in the shop's own records, table by table."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from cartwheel.simulator.text import (
    MESSAGE_TEXT,
    REPLY,
    RETURN_REASONS,
    REVIEW_TEXT,
)
from cartwheel.simulator.world.aftersale import CAUSES, GRADES
from cartwheel.simulator.world.goods import LOCATIONS

if TYPE_CHECKING:
    from cartwheel.simulator.world.state import State
    from cartwheel.simulator.world.world import DayLog

Array = np.ndarray[Any, Any]
Columns = dict[str, Any]

MORNING, NIGHT = 5 * 3600, 23 * 3600 + 50 * 60
TEXT_OF = {
    "none": "question",
    "taste": "taste",
    "small": "small",
    "content": "looks",
    "defect": "defect",
    "late": "late",
    "abuse": "taste",
}
"""Texts by true cause; abuse claims a change of mind."""


def midnight(state: State, day: int) -> np.datetime64:
    """Return the first instant of a day."""
    return np.datetime64(state.spec.start.isoformat(), "us") + np.timedelta64(day, "D")


def instants(zero: np.datetime64, second: Any) -> Array:
    """Return instants so many seconds after the first of a day."""
    seconds = np.asarray(second, np.int64).astype("timedelta64[s]")
    result: Array = zero + seconds
    return result


def phone(state: State, person: int) -> str:
    """Return a person's telephone; the people of a ring share one."""
    ring = int(state.people.ring[person])
    return f"+49 30 {9000000 + ring}" if ring >= 0 else f"+49 30 {1000000 + person}"


def standing(state: State) -> Iterator[tuple[str, Columns]]:
    """Yield what stands from the first day: locations and suppliers."""
    spec = state.spec
    yield (
        "locations",
        {
            "location_id": list(LOCATIONS),
            "name": ["Warehouse north", "Warehouse south"],
            "country": ["DE", "DE"],
        },
    )
    terms = spec.supply.suppliers
    yield (
        "suppliers",
        {
            "supplier_id": [f"S{i + 1}" for i in range(len(terms))],
            "name": [t.name for t in terms],
            "lead_time_days": [t.promised_days for t in terms],
            "minimum_order_minor": [t.minimum_minor for t in terms],
        },
    )


def launches(
    state: State, log: DayLog, zero: np.datetime64
) -> Iterator[tuple[str, Columns]]:
    """Yield products, variants and costs launched on a day."""
    goods, categories = state.goods, state.spec.goods.categories
    fresh = np.flatnonzero(goods.launched == log.day)
    at = np.full(len(fresh), zero)
    names = [categories[c].name for c in goods.category[fresh]]
    yield (
        "products",
        {
            "product_id": goods.product_ids[fresh],
            "title": goods.titles[fresh],
            "description": [
                f"{noun[:1].upper()}{noun[1:]}, {name.lower()}."
                for noun, name in zip(goods.nouns[fresh], names, strict=True)
            ],
            "category": names,
            "status": ["active"] * len(fresh),
            "created_at": at,
        },
    )
    mine = np.flatnonzero(goods.launched[goods.product_of] == log.day)
    yield (
        "variants",
        {
            "variant_id": goods.variant_ids[mine],
            "product_id": goods.product_ids[goods.product_of[mine]],
            "sku": [f"SK-{name[1:]}" for name in goods.variant_ids[mine]],
            "title": [str(name) or None for name in goods.sizes[mine]],
            "supplier_id": [f"S{s + 1}" for s in goods.supplier[mine]],
            "pack_units": goods.pack[mine],
            "minimum_order_units": goods.minimum[mine],
            "created_at": np.full(len(mine), zero),
        },
    )
    known = mine[goods.cost_known[mine]]
    yield (
        "costs",
        {
            "variant_id": goods.variant_ids[known],
            "valid_from_at": np.full(len(known), zero),
            "cost_minor": goods.cost_minor[known],
        },
    )


def prices(state: State, log: DayLog, zero: np.datetime64) -> Columns:
    """Prices that changed, and those of what is launched today."""
    goods = state.goods
    launched = goods.launched[goods.product_of]
    changed = np.zeros(len(launched), bool)
    changed[log.prices] = True
    at = np.flatnonzero((changed & (launched <= log.day)) | (launched == log.day))
    lower = log.shelf_minor[at] < log.list_minor[at]
    return {
        "variant_id": goods.variant_ids[at],
        "valid_from_at": np.full(len(at), zero + np.timedelta64(MORNING, "s")),
        "price_minor": log.shelf_minor[at],
        "compare_at_minor": [
            int(price) if cut else None
            for price, cut in zip(log.list_minor[at], lower, strict=True)
        ],
    }


def orders(
    state: State, log: DayLog, zero: np.datetime64
) -> Iterator[tuple[str, Columns]]:
    """Yield a day's orders, in two versions each, and their lines."""
    orders, fate = log.sales.orders, log.fate
    count = len(orders.person)
    placed = instants(zero, orders.second)
    start = np.datetime64(state.spec.start.isoformat(), "us")
    delivered = start + _days(fate.delivered) + np.timedelta64(12 * 3600, "s")
    promised = start + _days(fate.promised) + np.timedelta64(20 * 3600, "s")
    buyer = [name or None for name in log.customer_ids]
    blank = np.full(count, np.datetime64("NaT", "us"))
    # Two versions: as placed, and known since its arrival as delivered.
    yield (
        "orders",
        {
            "order_id": [*log.order_ids, *log.order_ids],
            "customer_id": [*buyer, *buyer],
            "placed_at": np.r_[placed, placed],
            "updated_at": np.r_[placed, delivered],
            "status": ["paid"] * count + ["fulfilled"] * count,
            "currency": [state.spec.money.currency] * (2 * count),
            "shipping_minor": np.r_[orders.shipping_minor, orders.shipping_minor],
            "discount_minor": np.zeros(2 * count, np.int64),
            "discount_code": [f"OFFER{b}" if b else None for b in orders.offer_bps] * 2,
            "channel": ["web"] * (2 * count),
            "promised_at": np.r_[promised, promised],
            "delivered_at": np.r_[blank, delivered],
        },
    )
    of, ids = orders.order_of, np.array(log.order_ids, dtype=object)
    product = state.goods.product_of[orders.variant]
    yield (
        "order_lines",
        {
            "order_id": ids[of],
            "line_id": [str(n) for n in _numbers(of)],
            "placed_at": placed[of],
            "customer_id": [buyer[o] for o in of],
            "kind": ["product"] * len(of),
            "product_id": state.goods.product_ids[product],
            "variant_id": state.goods.variant_ids[orders.variant],
            "title": state.goods.titles[product],
            "quantity_units": orders.units,
            "unit_price_minor": orders.price_minor,
            "discount_minor": orders.discount_minor,
            "location_id": np.array(LOCATIONS)[orders.location],
        },
    )


def _days(days: Array) -> Array:
    result: Array = np.asarray(days, np.int64).astype("timedelta64[D]")
    return result


def _numbers(of: Array) -> Array:
    """Return the number of each line in its order, from 1."""
    if len(of) == 0:
        return of
    first = np.r_[0, np.flatnonzero(np.diff(of)) + 1]
    starts = np.repeat(first, np.diff(np.r_[first, len(of)]))
    result: Array = np.arange(len(of)) - starts + 1
    return result


def returns(
    state: State, log: DayLog, zero: np.datetime64
) -> Iterator[tuple[str, Columns]]:
    """Write what will come back, dated when it does; nobody sees it before."""
    del zero
    orders, fate, money = log.sales.orders, log.fate, state.spec.money
    back = np.flatnonzero(fate.returned >= 0)
    of = orders.order_of[back]
    start = np.datetime64(state.spec.start.isoformat(), "us")
    at = start + _days(fate.returned[back]) + np.timedelta64(10 * 3600, "s")
    variant, units = orders.variant[back], orders.units[back]
    cost = state.goods.cost_minor[variant] * units
    worth = np.select(
        [fate.grade[back] == 0, fate.grade[back] == 1], [1.0, money.seconds_value], 0.0
    )
    ids = [f"R{log.order_ids[o]}-{i}" for o, i in zip(of, back, strict=True)]
    shared = {
        "line_id": [str(n) for n in _numbers(orders.order_of)[back]],
        "order_id": [log.order_ids[o] for o in of],
        "customer_id": [log.customer_ids[int(o)] or None for o in of],
        "product_id": state.goods.product_ids[state.goods.product_of[variant]],
        "variant_id": state.goods.variant_ids[variant],
        "quantity_units": units,
        "reason": [RETURN_REASONS[TEXT_OF[CAUSES[c]]] for c in fate.cause[back]],
    }
    yield (
        "returns",
        {
            "return_id": ids,
            **shared,
            "returned_at": at,
            "grade": [GRADES[g] for g in fate.grade[back]],
            "cost_minor": np.rint(money.return_minor + (1 - worth) * cost).astype(
                np.int64
            ),
        },
    )
    yield (
        "refunds",
        {
            "refund_id": ids,
            **shared,
            "refunded_at": at + np.timedelta64(86_400, "s"),
            "amount_minor": orders.paid_minor[back],
        },
    )


def reviews(state: State, log: DayLog, zero: np.datetime64) -> Columns:
    """Return reviews of a day's orders, dated when they are written."""
    del zero
    orders, fate = log.sales.orders, log.fate
    wrote = np.flatnonzero(fate.review >= 0)
    of = orders.order_of[wrote]
    product = state.goods.product_of[orders.variant[wrote]]
    start = np.datetime64(state.spec.start.isoformat(), "us")
    texts = [
        _review(CAUSES[fate.cause[i]], int(fate.stars[i]), int(i) + log.day)
        for i in wrote
    ]
    nouns = state.goods.nouns[product]
    return {
        "review_id": [
            f"V{log.order_ids[o]}-{i}" for o, i in zip(of, wrote, strict=True)
        ],
        "product_id": state.goods.product_ids[product],
        "order_id": [log.order_ids[o] for o in of],
        "customer_id": [log.customer_ids[int(o)] or None for o in of],
        "created_at": start + _days(fate.review[wrote]) + np.timedelta64(64_800, "s"),
        "rating": fate.stars[wrote],
        "title": [title for title, _ in texts],
        "body": [
            body.format(noun=noun) for (_, body), noun in zip(texts, nouns, strict=True)
        ],
    }


def _review(cause: str, stars: int, pick: int) -> tuple[str, str]:
    kind = TEXT_OF[cause]
    if kind not in REVIEW_TEXT:
        kind = "good" if stars >= 4 else "fine"
    texts = REVIEW_TEXT[kind]
    return texts[pick % len(texts)]


def messages(state: State, log: DayLog, zero: np.datetime64) -> Columns:
    """Return contacts about a day's orders, and the day's mails."""
    orders, fate = log.sales.orders, log.fate
    start = np.datetime64(state.spec.start.isoformat(), "us")
    columns: dict[str, list[Any]] = {
        name: []
        for name in (
            "message_id",
            "customer_id",
            "direction",
            "medium",
            "sent_at",
            "campaign_id",
            "order_id",
            "subject",
            "body",
        )
    }

    def add(*values: Any) -> None:
        for name, value in zip(columns, values, strict=True):
            columns[name].append(value)

    first = {int(o): i for i, o in reversed(list(enumerate(orders.order_of)))}
    for o in np.flatnonzero(fate.contact >= 0):
        order, buyer = log.order_ids[int(o)], log.customer_ids[int(o)] or None
        subject, body = MESSAGE_TEXT[TEXT_OF[CAUSES[fate.contact_cause[o]]]]
        line = first.get(int(o))
        product = 0 if line is None else state.goods.product_of[orders.variant[line]]
        noun = state.goods.nouns[product]
        at = start + np.timedelta64(int(fate.contact[o]) * 86_400 + 46_800, "s")
        said = body.format(order=order, noun=noun)
        add(f"N{order}", buyer, "in", "email", at, None, order, subject, said)
        later = at + np.timedelta64(72_000, "s")
        reply = REPLY.format(order=order, noun=noun)
        add(
            f"N{order}r", buyer, "out", "email", later, None, order,
            f"Re: {subject}", reply,
        )  # fmt: skip
    for mail in log.mails:
        add(
            f"M{log.day}-{mail.person}",
            mail.customer_id,
            "out",
            "email",
            zero + np.timedelta64(8 * 3600, "s"),
            f"{mail.campaign}-{log.day}",
            None,
            f"{mail.offer_bps / 100:g} % for you" if mail.offer_bps else "News for you",
            None,
        )
    return columns


def purchases(
    state: State, log: DayLog, zero: np.datetime64
) -> Iterator[tuple[str, Columns]]:
    """Yield purchase order lines placed, and what arrived.

    What came short is not delivered later: the line is closed by a version that is
    known since the arrival, or its missing units would seem on the way for ever.
    """
    start = np.datetime64(state.spec.start.isoformat(), "us")

    def column(lines: Sequence[Any], pick: Callable[[Any], Any]) -> list[Any]:
        return [pick(line) for line in lines]

    placed, arrived = log.placed, log.arrived
    names = state.goods.variant_ids
    shared: Mapping[str, Callable[[Any], Any]] = {
        "purchase_order_id": lambda p: p.order_id,
        "variant_id": lambda p: str(names[p.variant]),
        "location_id": lambda p: LOCATIONS[p.location],
    }
    morning = zero + np.timedelta64(MORNING, "s")
    short = [p for p in arrived if p.units < p.ordered]
    for lines, units in (
        (placed, [p.ordered for p in placed]),
        (short, [p.units for p in short]),
    ):
        yield (
            "purchase_orders",
            {
                **{name: column(lines, pick) for name, pick in shared.items()},
                "supplier_id": [f"S{p.supplier + 1}" for p in lines],
                "ordered_at": [
                    start + np.timedelta64(p.ordered_day * 86_400 + MORNING, "s")
                    for p in lines
                ],
                "expected_at": [
                    start + np.timedelta64(p.expected_day * 24 + 12, "h") for p in lines
                ],
                "ordered_units": units,
                "cost_minor": [p.cost_minor for p in lines],
                "known_at": [morning] * len(lines),
            },
        )
    yield (
        "receipts",
        {
            "receipt_id": [f"{p.order_id}-{log.day}" for p in arrived],
            **{name: column(arrived, pick) for name, pick in shared.items()},
            "received_at": [morning] * len(arrived),
            "received_units": [p.units for p in arrived],
        },
    )
