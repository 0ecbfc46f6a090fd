"""The merchant's pins in an answer: a product in a slot, the others move down."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from cartwheel.levers.base import Answer, Request, Slot

if TYPE_CHECKING:
    from cartwheel.channels.storefront import Cards

PINNED = "Chosen by the shop"
"""Reason of a pinned slot, for people."""


def place_pins(
    answer: Answer, pins: Mapping[int, str], request: Request, cards: Cards | None
) -> Answer:
    """Put the merchant's pins into their slots; the others move down.

    A pin that cannot be shown is left out: excluded, on the page already, an open
    return of the reader, unknown to the turn, sold out, or for a slot not asked for.

    Args:
        answer: What the lever answers.
        pins: Product by slot, from 1.
        request: The question, with all that is excluded.
        cards: Cards of the turn, None when it has none.
    """
    gone = {*request.excluded, *answer.kept_from}
    if request.placement != "search":
        gone.update(request.context)
    first = request.offset
    shown = {
        at: name
        for at, name in sorted(pins.items())
        if first < at <= first + request.limit
        and name not in gone
        and _can_be_shown(name, cards)
    }
    if not shown:
        return answer
    left = [slot for slot in answer.slots if slot.product_id not in shown.values()]
    slots: list[Slot] = []
    for at in range(first + 1, first + request.limit + 1):
        if at in shown:
            slots.append(Slot(product_id=shown[at], propensity=1.0, reason=PINNED))
        elif left:
            slots.append(left.pop(0))
    return replace(answer, slots=tuple(slots))


def _can_be_shown(product: str, cards: Cards | None) -> bool:
    card = None if cards is None else cards.find(product)
    return card is not None and card.available
