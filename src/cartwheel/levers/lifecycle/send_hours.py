"""At which hour an offer goes out: when the customer is usually active, or drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from cartwheel.levers.lifecycle.draws import ALL, quarter_draw
from cartwheel.signals.active_hours import ACTIVE_HOURS
from cartwheel.signals.base import Signals

Array = np.ndarray[Any, Any]

HOURS = (8, 12, 16, 20)
"""Hours to choose from, by the shop's clock: few, so that each is drawn often."""

SHOP_WEIGHT = 4.0
"""Active hours of one customer that weigh as much as the whole shop's habit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SendHour:
    """The hour one offer is to go out at.

    Attributes:
        hour: The hour, one of `HOURS`.
        usual: The hour nearest to when the customer is usually active.
        propensity: Probability of `hour` when it was drawn; 1 when nothing is drawn.
        drawn: It was drawn evenly among all hours, whatever came out.
    """

    hour: int
    usual: int
    propensity: float
    drawn: bool

    def evidence(self) -> dict[str, Any]:
        """Return what judging the hour later rests on."""
        return {
            "usual_send_hour": self.usual,
            "send_hour_propensity": self.propensity,
        }

    def reason(self, *, known: bool) -> str:
        """Return why this hour, in one sentence.

        Args:
            known: The shop knows when any of its customers are active.
        """
        at = f" To go out at {self.hour}:00"
        if self.drawn:
            return f"{at}, drawn, so that another hour can be judged."
        if not known:
            return f"{at}; when customers are usually active is not known yet."
        return f"{at}, nearest to the usual hours of the customer and the shop."


def usual_hours(data: Signals, customers: Sequence[str]) -> dict[str, int]:
    """Return for each customer the hour of `HOURS` nearest to their usual ones.

    Each active hour counts for the nearest hour to send at, and the shop's own habit
    counts for as much as `SHOP_WEIGHT` of them; the most counted wins, the earliest
    where two are equal. Of whom nothing is known, or who objects to being looked at
    one by one, has the shop's habit.

    Args:
        data: Signals holding the active hours.
        customers: Whom to find it for.
    """
    active = data.frame(ACTIVE_HOURS)
    part = _NEAREST[active["hour"].to_numpy(np.int64)]
    days = active["days"].to_numpy(np.int64)
    shop = np.bincount(part, weights=days, minlength=len(HOURS))
    habit = SHOP_WEIGHT * shop / max(shop.sum(), 1.0)
    place = {name: row for row, name in enumerate(customers)}
    row = active["customer_id"].map(place).to_numpy(float, na_value=-1.0).astype(int)
    own = np.zeros((len(customers), len(HOURS)))
    np.add.at(own, (row[row >= 0], part[row >= 0]), days[row >= 0])
    best = np.argmax(own + habit, axis=1)
    return {name: HOURS[best[number]] for name, number in place.items()}


def hour_chances(usual: int, *, share: float) -> dict[int, float]:
    """Return the probability of every hour for a customer; they sum to 1.

    Args:
        usual: The customer's usual hour.
        share: Share of hours drawn evenly; above 1 counts as 1.
    """
    share = min(share, 1.0)
    even = share / len(HOURS)
    return {hour: even + (1 - share if hour == usual else 0) for hour in HOURS}


def send_hour(
    customer: str, usual: int, *, salt: str, on: date, share: float
) -> SendHour:
    """Return the hour for a customer; what is drawn holds for a calendar quarter.

    Whether it is drawn and what comes out are drawn apart, and neither depends on
    whether an offer was drawn.

    Args:
        customer: The customer.
        usual: The customer's usual hour, one of `HOURS`.
        salt: The shop's salt.
        on: Day the turn looks from.
        share: Share of hours drawn evenly among `HOURS`.
    """
    drawn = quarter_draw(customer, salt=salt, purpose="send hour", on=on) < share * ALL
    hour = usual
    if drawn:
        which = quarter_draw(customer, salt=salt, purpose="which send hour", on=on)
        hour = HOURS[which * len(HOURS) // ALL]
    chance = round(hour_chances(usual, share=share)[hour], 9)
    return SendHour(hour=hour, usual=usual, propensity=chance, drawn=drawn)


def _nearest() -> Array:
    """Return for each hour of the day which of `HOURS` is nearest to its middle."""
    middle = np.arange(24)[:, None] + 0.5
    away = np.abs(middle - np.array(HOURS)[None, :])
    result: Array = np.argmin(np.minimum(away, 24 - away), axis=1)
    return result


_NEAREST = _nearest()
