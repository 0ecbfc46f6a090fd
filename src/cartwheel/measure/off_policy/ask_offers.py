"""What other ways to give win-back offers would have earned, from those drawn."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import partial
from typing import TYPE_CHECKING, Any

from cartwheel.errors import Misuse
from cartwheel.measure.off_policy.figures import Part, Reward
from cartwheel.measure.off_policy.judged import RAN, Ask, told_of
from cartwheel.measure.off_policy.offer_policies import (
    OfferPolicy,
    as_drawn,
    evaluate_offers,
    offer_to_all,
    offer_to_none,
    offer_where,
)
from cartwheel.measure.off_policy.offers import DAYS, OfferLog, read_offers
from cartwheel.measure.off_policy.value import PolicyValue

if TYPE_CHECKING:
    from cartwheel.shop import Shop

LEVER = "lifecycle"
KIND = "winback"
TITLE = "Whom to give a win-back offer"
REWARDS: tuple[Reward, ...] = ("paid_minor", "orders")
MOST_SEGMENTS = 5


def ask_offers(shop: Shop, on: date) -> Part:
    """Return what other ways to give offers would have earned.

    Args:
        shop: The shop.
        on: Last day whose facts count.
    """
    try:
        log = read_offers(shop, kind=KIND, on=on)
    except Misuse as error:
        return Part(
            about=LEVER,
            title=TITLE,
            says="",
            cannot=f"Not known: {error.message[:1].lower()}{error.message[1:]}",
            would_need=error.next_step,
        )
    if len(log.customer) == 0:
        waits = log.left_out["too recent"]
        return Part(
            about=LEVER,
            title=TITLE,
            says="",
            cannot=(
                f"Not yet: {waits:,} customers were drawn, and for none of them are "
                f"the {DAYS} days over in which orders count."
            ),
            would_need=f"Wait until {DAYS} days have passed since the first draw.",
            left_out=log.left_out,
        )
    offered = int(log.offered.sum())
    return Part(
        about=LEVER,
        title=TITLE,
        says=(
            f"{len(log.customer):,} draws: {offered:,} to get an offer, "
            f"{len(log.customer) - offered:,} to get none; {int(log.applied.sum()):,} "
            f"offers were carried out. Counted are the {DAYS} days after; discounts "
            "are taken off what was paid, the cost of the goods is not."
        ),
        policies=told_of(_policies(log), REWARDS, partial(_ask, log)),
        left_out=log.left_out,
    )


def _ask(log: OfferLog, policy: OfferPolicy, reward: Reward) -> Ask:
    def ask(level: float) -> PolicyValue:
        return evaluate_offers(log, policy, reward=reward, level=level)  # type: ignore[arg-type]

    return ask


def _policies(log: OfferLog) -> dict[str, tuple[str, str, OfferPolicy]]:
    """Return title, note and policy by name."""
    found: dict[str, tuple[str, str, OfferPolicy]] = {
        RAN: ("What ran", "Offers and none as they were drawn.", as_drawn),
        "offer-to-all": ("An offer to everybody drawn", "", offer_to_all),
        "offer-to-none": ("No offer to anybody", "", offer_to_none),
    }
    counts: dict[str, int] = {}
    for one in log.evidence:
        segment = str(one.get("segment") or "")
        if segment:
            counts[segment] = counts.get(segment, 0) + 1
    if len(counts) < 2:
        return found
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    for segment, number in ranked[:MOST_SEGMENTS]:
        found[f"offer-to-{segment}"] = (
            f"An offer to customers who are {segment}, none to the others",
            f"{number:,} of the draws are of such customers.",
            offer_where(partial(_is_segment, segment)),
        )
    return found


def _is_segment(segment: str, evidence: Mapping[str, Any]) -> bool:
    return str(evidence.get("segment") or "") == segment
