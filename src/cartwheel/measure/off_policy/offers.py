"""Customers drawn at random to get an offer or none, and what they did after.

The draw decides what is proposed, not what is carried out: the gate may stop an offer,
a person may not approve it. Whoever was drawn counts as drawn, whatever came of it;
leaving out stopped offers, but not the people drawn to get none, would compare unlike
customers. For the same reason what happened is counted here for everybody drawn and
not read from `outcomes`, which has decisions that passed only. So the figures say what
proposing earns in a shop that carries out what it did.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from cartwheel.errors import Misuse
from cartwheel.measure.off_policy.draws import first_draws, last_day, spent_after, until
from cartwheel.shop import Shop

Array = np.ndarray[Any, Any]

DAYS = 90
"""Days after the turn's day in which orders count."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferLog:
    """Customers drawn to get an offer or none; n draws.

    Attributes:
        decision_id: Id in the ledger, shape (n,).
        customer: Customer, (n,).
        offered: An offer was drawn, not none, (n,).
        propensity: Probability of what was drawn, (n,).
        applied: An offer was carried out, (n,).
        evidence: What the lever knew, one mapping a row.
        orders: Days with an order in the days after, (n,).
        paid_minor: Paid for products in the days after, discounts taken off, (n,).
        left_out: Decisions not in the log, by reason.
    """

    decision_id: Array
    customer: Array
    offered: Array
    propensity: Array
    applied: Array
    evidence: tuple[Mapping[str, Any], ...]
    orders: Array
    paid_minor: Array
    left_out: Mapping[str, int]


def read_offers(
    shop: Shop, *, kind: str = "winback", on: date | None = None, days: int = DAYS
) -> OfferLog:
    """Return offers drawn at random, and what the customers did after.

    A draw holds for a calendar quarter, so a customer named in several of its turns
    counts once, by the first: whether they are named again depends on what the offer
    did. Who is in the holdout is left out, which no draw changes.

    Args:
        shop: The shop.
        kind: Kind of decision.
        on: Last day looked at; None for the last day with a fact.
        days: Days after a turn's day in which orders count; draws whose days are not
            over are left out.

    Raises:
        Misuse: If the ledger holds no decision of that kind drawn at random.
    """
    last = on or last_day(shop)
    found = first_draws(shop, kind, chance_of=lambda body: body["propensity"])
    if found.drawn_at_random == 0:
        raise Misuse(
            f"None of the {found.decisions:,} decisions of kind {kind!r} in the ledger "
            "was drawn at random with a known probability.",
            "What other choices would have earned cannot be told from them; draw some "
            "at random first, as win-back offers are "
            "(levers.lifecycle.no_offer_share).",
        )
    due, left_out = until(found, last, days)
    orders, paid = spent_after(shop, due, last, days)
    return OfferLog(
        decision_id=np.array([one.id for one in due], dtype=str),
        customer=np.array([one.customer for one in due], dtype=str),
        offered=np.array([is_offer(one.action) for one in due], bool),
        propensity=np.array([one.propensity for one in due], float),
        applied=np.array([one.applied and is_offer(one.action) for one in due], bool),
        evidence=tuple(one.evidence for one in due),
        orders=orders,
        paid_minor=paid,
        left_out=left_out,
    )


def is_offer(action: Mapping[str, Any]) -> bool:
    """Tell whether an action gives an offer, not none."""
    return bool(action.get("offer", "none") != "none")
