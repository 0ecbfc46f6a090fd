"""What follows an order: delivery, returns and their causes, contacts, reviews."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from cartwheel.simulator.world.state import State
    from cartwheel.simulator.world.till import Orders

Array = np.ndarray[Any, Any]

CAUSES = ("none", "taste", "small", "content", "defect", "late", "abuse")
NONE, TASTE, SMALL, CONTENT, DEFECT, LATE, ABUSE = range(len(CAUSES))
GRADES = ("resale", "seconds", "waste")
ABUSE_RATE = 0.55
EMPTY_BOX = 0.3
"""Abusive returns that bring nothing back."""

SMALL_LOGIT, CONTENT_LOGIT, LATE_LOGIT = 1.6, 1.4, 0.5
MEAN_FIT = 0.45
"""Fit of what people buy, about: they choose what they like."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    """What becomes of a day's orders, known to the world at once; O orders, L lines.

    Attributes:
        delivered: Day of arrival, shape (O,).
        promised: Day promised, shape (O,).
        returned: Day the line comes back, -1 for never, shape (L,).
        cause: Why, an index into `CAUSES`; also of lines kept with a cause, shape (L,).
        grade: What came back is worth, an index into `GRADES`, shape (L,).
        contact: Day of a contact with support, -1 for none, shape (O,).
        contact_cause: Index into `CAUSES`, shape (O,).
        review: Day of a review, -1 for none, shape (L,).
        stars: Stars of it, shape (L,).
        leaves: Day the person stops coming, -1 for not, shape (O,).
    """

    delivered: Array
    promised: Array
    returned: Array
    cause: Array
    grade: Array
    contact: Array
    contact_cause: Array
    review: Array
    stars: Array
    leaves: Array


def decide_fate(state: State, orders: Orders) -> Fate:
    """Draw what becomes of the day's orders."""
    spec, day = state.spec, state.day
    service, who = spec.service, orders.person
    u = state.draws.uniform("delivery", who, day)
    z = state.draws.normal("delivery", who, day, 1)[0]
    mean, spread = service.delivery_days
    far = np.zeros(len(who), bool)
    np.logical_or.at(
        far, orders.order_of, orders.location != state.people.near[who[orders.order_of]]
    )
    days = np.ceil(mean * np.exp(spread * z - spread**2 / 2) + far)
    delivered = day + np.maximum(days, 1).astype(np.int64)
    promised = np.full(len(who), day + service.promise_days)
    late = delivered > promised
    cause, returned, grade = _returns(state, orders, delivered, late)
    # The gravest cause of its lines is what an order is remembered for.
    worst = np.where(late, LATE, NONE)
    for kind in (CONTENT, SMALL, DEFECT):
        lines = orders.order_of[cause == kind]
        worst[lines] = kind
    grave = worst != NONE
    share = np.where(grave, service.contact_cause, service.contact)
    contact = np.where(u[1] < share, delivered + (4 * u[2]).astype(np.int64), -1)
    leaves = np.where(grave & (u[3] < service.leave_bad), delivered + 1, -1)
    review, stars = _reviews(state, orders, delivered, cause, late)
    return Fate(
        delivered=delivered,
        promised=promised,
        returned=returned,
        cause=cause,
        grade=grade,
        contact=contact,
        contact_cause=worst,
        review=review,
        stars=stars,
        leaves=leaves,
    )


def _fit(state: State, orders: Orders) -> Array:
    who = orders.person[orders.order_of]
    product = state.goods.product_of[orders.variant]
    result: Array = np.einsum(
        "ij,ij->i", state.people.taste[who], state.goods.taste[product]
    )
    return result


def _returns(
    state: State, orders: Orders, delivered: Array, late: Array
) -> tuple[Array, Array, Array]:
    goods, people, spec = state.goods, state.people, state.spec
    who = orders.person[orders.order_of]
    product = goods.product_of[orders.variant]
    u = state.draws.uniform("return", who, state.day, orders.variant)
    v = state.draws.uniform("return 2", who, state.day, orders.variant)
    base = np.array([c.returns for c in spec.goods.categories])[goods.category[product]]
    base = np.clip(base, 1e-4, 1 - 1e-4)
    unfit = spec.service.mismatch * (MEAN_FIT - _fit(state, orders))
    small = SMALL_LOGIT * goods.runs_small[product]
    content = CONTENT_LOGIT * goods.content_gap[product]
    slow = LATE_LOGIT * late[orders.order_of]
    odds = np.log(base / (1 - base)) + people.returns[who] + unfit
    odds += small + content + slow
    chance = 1.0 / (1.0 + np.exp(-odds))
    faulty = goods.defect[product] & (v[0] < spec.goods.defect_rate)
    abused = people.abuser[who] & (v[1] < ABUSE_RATE)
    back = (u[0] < chance) | faulty | abused
    # A cause is drawn in proportion to what it adds to the odds.
    weights = np.stack([np.full(len(who), 0.8), small, content, slow])
    edges = np.cumsum(weights, axis=0) / weights.sum(axis=0)
    drawn = np.array([TASTE, SMALL, CONTENT, LATE])[
        (v[2] >= edges).sum(axis=0).clip(0, 3)
    ]
    cause = np.where(back, drawn, NONE)
    cause = np.where(abused, ABUSE, np.where(faulty, DEFECT, cause))
    delay = 1 - spec.service.return_delay * np.log(1 - u[1])
    delay = np.minimum(np.ceil(delay), spec.service.return_days).astype(np.int64)
    returned = np.where(back, delivered[orders.order_of] + delay, -1)
    grade = np.where(u[2] < spec.service.resale, 0, 1)
    grade = np.where(cause == DEFECT, 2, grade)
    grade = np.where((cause == ABUSE) & (v[3] < EMPTY_BOX), 2, grade)
    return cause, returned, grade


def _reviews(
    state: State, orders: Orders, delivered: Array, cause: Array, late: Array
) -> tuple[Array, Array]:
    """Bad and very good experiences write more often."""
    goods = state.goods
    who = orders.person[orders.order_of]
    product = goods.product_of[orders.variant]
    u = state.draws.uniform("review", who, state.day, orders.variant)
    z = state.draws.normal("stars", who, state.day, orders.variant)[0]
    bad = np.isin(cause, (SMALL, CONTENT, DEFECT)) | late[orders.order_of]
    share = state.spec.service.review * np.where(bad, 2.5, 1.0)
    day = delivered[orders.order_of] + 2 + (14 * u[1]).astype(np.int64)
    stars = 4.3 + 0.4 * goods.quality[product] + 0.6 * (_fit(state, orders) - MEAN_FIT)
    stars += 0.6 * z - 2.0 * bad
    return (
        np.where(u[0] < share, day, -1),
        np.clip(np.rint(stars), 1, 5).astype(np.int64),
    )
