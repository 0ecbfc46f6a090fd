"""Who is answered how, and what the twin repeats."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from cartwheel.levers.base import Answer, Model, Request, Slot
from cartwheel.measure.assign import in_holdout
from cartwheel.settings import PinnedSettings
from cartwheel.simulator.arms.actions import Agreed
from cartwheel.simulator.arms.base import Page
from cartwheel.simulator.living.policy import InForce, TheShop
from cartwheel.simulator.twins.alone import NobodyReached
from tests.simulator.arms.test_actions import article
from tests.simulator.arms.test_plain import Shop

SETTINGS = PinnedSettings(currency="EUR", timezone="UTC")
SHARE = SETTINGS.holdout.share_bps / 10_000
NAMES = [f"C{i:06d}" for i in range(1, 200)]
HELD = next(n for n in NAMES if in_holdout(n, SHARE, SETTINGS.holdout.salt))
FREE = next(n for n in NAMES if not in_holdout(n, SHARE, SETTINGS.holdout.salt))


@dataclass
class Lever:
    """Answers with what it was asked."""

    asked: list[Request] = field(default_factory=list)

    def answer(self, model: Model, request: Request, *, rng: Any) -> Answer:
        assert isinstance(rng, np.random.Generator)
        self.asked.append(request)
        name = "plain" if request.holdout else f"for {request.customer}"
        slot = Slot(product_id=name, propensity=1.0, reason="test")
        return Answer(slots=(slot,), eligible_hash="", rule="test")


def in_force(lever: Any, **values: Any) -> InForce:
    made: dict[str, Any] = {
        "settings": SETTINGS,
        "lever": lever,
        "model": Model(rule="test"),
        "excluded": frozenset({"P9"}),
    }
    return InForce(**{**made, **values})


def page(customer: str | None, visitor: str = "d1") -> Page:
    return Page(
        key=1, placement="home", customer=customer, visitor=visitor, context=(), limit=4
    )


def test_the_holdout_gets_the_plain_rule_and_exclusions_hold():
    lever = Lever()
    found = TheShop(in_force(lever)).slates([page(HELD), page(FREE), page(None)])
    assert found == [["plain"], [f"for {FREE}"], ["for None"]]
    assert all(request.excluded == {"P9"} for request in lever.asked)


def test_a_held_out_customers_device_gets_the_plain_rule_signed_in_or_not():
    arrays = {
        "device": np.array(["d1", "d2"]),
        "device_owner": np.array([HELD, FREE]),
    }
    shop = TheShop(in_force(Lever(), model=Model(rule="test", arrays=arrays)))
    pages = [page(None, "d1"), page(None, "d2"), page(None, "d3"), page(FREE, "d1")]
    assert shop.slates(pages) == [
        ["plain"],
        ["for None"],
        ["for None"],
        [f"for {FREE}"],
    ]
    assert [shop.held_out(one) for one in pages] == [True, False, False, False]


def test_the_twin_answers_everybody_with_the_plain_rule():
    shop = TheShop(in_force(Lever()))
    twin = NobodyReached(shop)
    assert twin.slates([page(HELD), page(FREE), page(None)]) == [["plain"]] * 3


def test_before_any_turn_nothing_is_shown():
    assert TheShop(in_force(Lever(), model=None)).slates([page(FREE)]) == [[]]


def test_decisions_are_carried_out_on_the_first_morning_and_repeated_by_the_twin():
    fresh = (
        Agreed(kind="price_change", subject_id="P1", action={"price_minor": 1_800}),
        Agreed(kind="reorder", subject_id="P1", action={"units": 5}),
        Agreed(
            kind="winback",
            subject_id="C000001",
            action={"offer": "discount", "discount_bps": 1_000},
        ),
    )
    seen = Shop(day=57, listed=[article("P1")], agreed=["C000002"])
    shop = TheShop(in_force(Lever(), fresh=fresh))
    twin = NobodyReached(shop)
    first, other = shop.morning(seen), twin.morning(seen)
    assert first.prices_minor == other.prices_minor == {"P1": 1_800}
    assert list(first.purchases) == list(other.purchases) != []
    offers = [mail.offer_bps for mail in first.mails]
    # Day 57 is a day of the weekly mail, which everybody gets; offers are personal.
    assert 1_000 in offers
    assert [mail.customer_id for mail in other.mails] == ["C000002"]
    seen.day = 58
    assert not shop.morning(seen).purchases
    assert not twin.morning(seen).purchases


def test_who_is_left_alone_gets_no_weekly_mail_but_does_in_the_twin():
    alone = (Agreed(kind="leave_alone", subject_id="C000002", action={}),)
    seen = Shop(day=57, agreed=["C000001", "C000002"])
    shop = TheShop(in_force(Lever(), standing=alone))
    mailed = [mail.customer_id for mail in shop.morning(seen).mails]
    assert mailed == ["C000001"]
    twin = NobodyReached(shop)
    assert len(twin.morning(seen).mails) == 2
