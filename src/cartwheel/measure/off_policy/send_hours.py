"""Offers whose hour to go out at was drawn at random, and what the customers did after.

Only offers have an hour; who was drawn to get none is not looked at, and as that draw
and the hour's are independent, leaving them out favours no hour. An offer counts at the
hour the lever said, whether the gate stopped it, a person moved it or nobody sent it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from cartwheel.errors import Misuse
from cartwheel.measure.off_policy.draws import (
    Body,
    first_draws,
    last_day,
    spent_after,
    until,
)
from cartwheel.measure.off_policy.offers import is_offer
from cartwheel.shop import Shop

Array = np.ndarray[Any, Any]

DAYS = 7
"""Days after the turn's day in which orders count.

The hour decides who meets the message that day, and what it changes comes within days:
90 days, as for offers, would be mostly other orders, that is noise. Less than a week
would leave out offers that a person approves days after the turn.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class SendHourLog:
    """Offers whose hour was drawn; n draws.

    Attributes:
        decision_id: Id in the ledger, shape (n,).
        customer: Customer, (n,).
        hour: Hour of the day by the shop's clock, as drawn, (n,).
        usual: The customer's usual hour as the lever knew it, (n,).
        propensity: Probability of `hour`, (n,).
        applied: The offer was carried out, (n,).
        orders: Days with an order in the days after, (n,).
        paid_minor: Paid for products in the days after, discounts taken off, (n,).
        left_out: Offers not in the log, by reason.
    """

    decision_id: Array
    customer: Array
    hour: Array
    usual: Array
    propensity: Array
    applied: Array
    orders: Array
    paid_minor: Array
    left_out: Mapping[str, int]


def read_send_hours(
    shop: Shop, *, kind: str = "winback", on: date | None = None, days: int = DAYS
) -> SendHourLog:
    """Return offers whose hour was drawn, each customer's first of a quarter.

    Args:
        shop: The shop.
        kind: Kind of decision.
        on: Last day looked at; None for the last day with a fact.
        days: Days after a turn's day in which orders count; draws whose days are not
            over are left out.

    Raises:
        Misuse: If for no offer in the ledger the hour was drawn.
    """
    last = on or last_day(shop)
    found = first_draws(
        shop, kind, chance_of=_chance, among=lambda body: is_offer(body["action"])
    )
    if found.drawn_at_random == 0:
        raise Misuse(
            f"For none of the {found.decisions:,} offers in the ledger was the hour "
            "drawn at random.",
            "Draw the hour of a share of offers (levers.lifecycle.draw_hour_share).",
        )
    due, left_out = until(found, last, days)
    orders, paid = spent_after(shop, due, last, days)
    return SendHourLog(
        decision_id=np.array([one.id for one in due], dtype=str),
        customer=np.array([one.customer for one in due], dtype=str),
        hour=np.array([one.action["send_hour"] for one in due], np.int64),
        usual=np.array([one.evidence["usual_send_hour"] for one in due], np.int64),
        propensity=np.array([one.propensity for one in due], float),
        applied=np.array([one.applied for one in due], bool),
        orders=orders,
        paid_minor=paid,
        left_out=left_out,
    )


def _chance(body: Body) -> float | None:
    """Return the probability of an offer's hour, None in ledgers of before hours."""
    if "send_hour" not in body["action"]:
        return None
    chance: float | None = body["evidence"].get("send_hour_propensity")
    return chance
