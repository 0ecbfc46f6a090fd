"""What other policies would have earned: what to recommend, offers, send time."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

from cartwheel.errors import Misuse
from cartwheel.measure.earnings.words import Words
from cartwheel.measure.off_policy.ask_offers import ask_offers
from cartwheel.measure.off_policy.ask_send_time import ask_send_time
from cartwheel.measure.off_policy.ask_slates import ask_slates
from cartwheel.measure.off_policy.figures import Part, WhatIf
from cartwheel.measure.off_policy.words import said

if TYPE_CHECKING:
    from cartwheel.shop import Shop

ABOUTS = ("recommend", "lifecycle", "send-time")
"""What can be asked about."""

MESSAGE_KINDS = frozenset({"winback", "thank_vip", "offer", "mailing"})
"""Kinds of decision that send a message; a test holds them equal to the gate's."""


def what_if(shop: Shop, on: date, abouts: Collection[str] = ABOUTS) -> WhatIf:
    """Return what other policies would have earned, as known at the end of a day.

    Args:
        shop: The shop.
        on: Last day whose facts count.
        abouts: Names of what is asked about, of `ABOUTS`.

    Raises:
        Misuse: If a name is not one of them, or a logged slate cannot be read.
    """
    wrong = sorted(set(abouts) - set(ABOUTS))
    if wrong:
        raise Misuse(
            f"There is nothing to ask about {wrong[0][:80]!r}; expected one of "
            f"{', '.join(ABOUTS)}.",
            "Name one of them, or none for all.",
        )
    ask: dict[str, Callable[[], Part]] = {
        "recommend": lambda: ask_slates(shop, on),
        "lifecycle": lambda: ask_offers(shop, on),
        "send-time": lambda: ask_send_time(shop, on, message_kinds=MESSAGE_KINDS),
    }
    write = Words.of(shop.settings)
    parts = [ask[name]() for name in ABOUTS if name in abouts]
    return WhatIf(
        on=on.isoformat(), parts=tuple(_with_words(one, write) for one in parts)
    )


def _with_words(part: Part, write: Words) -> Part:
    policies = tuple(
        replace(one, figures=tuple(said(figure, write) for figure in one.figures))
        for one in part.policies
    )
    return replace(part, policies=policies)
