"""The merchant's pins in an answer: a product in a slot, the others move down.

A pin on one page moves what stands on the next ones too, so the pages before are made
again and what they show is left out of the one asked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from cartwheel.levers.base import Answer, Request, Slot

if TYPE_CHECKING:
    from cartwheel.channels.storefront import Cards

PINNED = "Chosen by the shop"
"""Reason of a pinned slot, for people."""


def from_first_slot(request: Request) -> Request:
    """Return a question for all slots up to the last that a page shows."""
    return replace(request, offset=0, limit=request.offset + request.limit)


def place_pins(
    answer: Answer, pins: Mapping[int, str], request: Request, cards: Cards | None
) -> Answer:
    """Return the page asked for, with the merchant's pins; the others move down.

    A pin that cannot be shown is left out: excluded, on the page already, an open
    return of the reader, unknown to the turn, sold out, for a slot not asked for, or
    shown on a page before. A total that the answer tells counts the pins that no search
    found, as soon as the answer holds all it found.

    Args:
        answer: What the lever answers, from the first slot on.
        pins: Product by slot, from 1.
        request: The question, with all that is excluded.
        cards: Cards of the turn, None when it has none.
    """
    gone = {*request.excluded, *answer.kept_from}
    if request.placement != "search":
        gone.update(request.context)
    open_ = {
        at: name
        for at, name in sorted(pins.items())
        if name not in gone and _can_be_shown(name, cards)
    }
    slots: list[Slot] = []
    taken: set[str] = set()
    left = (slot for slot in answer.slots if slot.product_id not in taken)
    for page in _pages(request):
        here = {at: open_[at] for at in page if open_.get(at, "") not in {"", *taken}}
        taken.update(here.values())
        for at in page:
            if at in here:
                slots.append(Slot(product_id=here[at], propensity=1.0, reason=PINNED))
            elif slot := next(left, None):
                slots.append(slot)
                taken.add(slot.product_id)
    about = answer.about
    if about.get("total") == len(answer.slots):
        found = {slot.product_id for slot in answer.slots}
        about = {**about, "total": len(found | taken)}
    return replace(answer, slots=tuple(slots[request.offset :]), about=about)


def _pages(request: Request) -> Iterator[range]:
    """Give the slots of each page up to the one asked for, counted from 1."""
    start = request.offset % request.limit
    if start:
        yield range(1, start + 1)
    for first in range(start, request.offset + 1, request.limit):
        yield range(first + 1, first + request.limit + 1)


def _can_be_shown(product: str, cards: Cards | None) -> bool:
    card = None if cards is None else cards.find(product)
    return card is not None and card.available
