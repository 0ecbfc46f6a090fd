"""A policy beside its twin: what it truly earned, and what it measures."""

from __future__ import annotations

import math
from collections.abc import Sequence
from copy import deepcopy

import numpy as np
import pytest

from cartwheel.measure.assign import in_holdout
from cartwheel.measure.holdout_lift import Lift
from cartwheel.simulator.arms.base import Actions, Mail, Page, ShopView
from cartwheel.simulator.arms.plain import Plain
from cartwheel.simulator.arms.registry import (
    DEFAULT,
    MEASURED,
    MEASURED_BPS,
    OURS,
    make_arm,
)
from cartwheel.simulator.arms.wheel import Wheel
from cartwheel.simulator.referee.play import as_run, play_arm
from cartwheel.simulator.twins.measured import (
    Watched,
    held_devices,
    measured_figures,
    play_measured,
)
from cartwheel.simulator.twins.truth import by_order, earned, earned_by_customer
from cartwheel.simulator.world.world import World
from tests.simulator.world.made import SIZE, Eager, Played, make_spec

SHARE, SALT = 0.3, "tested"


class Reaches(Plain):
    """The plain shop that mails an offer a day to customers it may reach."""

    name = "reaches"

    def __init__(self, offer_bps: int) -> None:
        super().__init__()
        self._offer_bps = offer_bps
        self.done = Actions()

    def morning(self, shop: ShopView) -> Actions:
        plain = super().morning(shop)
        offers = [
            Mail(customer_id=name, offer_bps=self._offer_bps, campaign="offer")
            for name in shop.mailable()
            if self._offer_bps and not in_holdout(name, SHARE, SALT)
        ]
        first = shop.articles()[shop.day % 5]
        self.done = Actions(
            prices_minor={first.variant_id: first.price_minor + 10},
            purchases=plain.purchases,
            mails=[*offers, *plain.mails],
        )
        return self.done

    def held_out(self, page: Page) -> bool:
        return page.customer is not None and in_holdout(page.customer, SHARE, SALT)

    def answer_left_alone(
        self, pages: Sequence[Page], sold_out: frozenset[str]
    ) -> list[list[str]]:
        return self.slates(pages)


@pytest.fixture(scope="module")
def warm() -> World:
    """A world after its warm-up."""
    world, policy = World(make_spec(), SIZE, 1), Plain()
    while world.day < SIZE.warmup_days:
        world.play_day(policy)
    return world


def measured(world: World, offer_bps: int) -> dict[str, float]:
    own = deepcopy(world)
    found = play_measured(own, Reaches(offer_bps), share=SHARE, salt=SALT)
    own.facts.close()
    return found


@pytest.fixture(scope="module")
def nothing(warm: World) -> dict[str, float]:
    """What a policy finds that reaches nobody."""
    return measured(warm, 0)


@pytest.fixture(scope="module")
def offers(warm: World) -> dict[str, float]:
    """What a policy finds that gives nine tenths off to all it may reach."""
    return measured(warm, 9_000)


def test_who_reaches_nobody_truly_earns_nothing_by_it(
    nothing: dict[str, float],
) -> None:
    assert nothing["lift_true_minor"] == 0
    # Measured is luck: the two groups are different people.
    assert nothing["lift_measured_minor"] != 0
    assert nothing["lift_low_minor"] < 0 < nothing["lift_high_minor"]


def test_offers_that_lose_money_are_a_loss_that_the_holdout_is_spared(
    nothing: dict[str, float], offers: dict[str, float]
) -> None:
    assert offers["lift_true_minor"] < 0
    assert offers["lift_measured_minor"] < nothing["lift_measured_minor"]


def test_the_truth_is_the_gap_between_two_worlds_per_customer_known_before(
    warm: World, offers: dict[str, float]
) -> None:
    found = offers
    people = warm.state.people
    known = {warm.state.profile(int(p)) for p in np.flatnonzero(people.known >= 0)}
    counted = found["customers_reached"] + found["customers_held_out"]
    # Second profiles are customers too.
    assert counted >= len(known)
    ours, theirs = deepcopy(warm), deepcopy(warm)
    policy = Reaches(9_000)
    total: dict[str, float] = {}

    class Alone(Reaches):
        def morning(self, shop: ShopView) -> Actions:
            plain = Plain.morning(self, shop)
            return Actions(
                prices_minor=policy.done.prices_minor,
                purchases=policy.done.purchases,
                mails=plain.mails,
            )

        def slates(self, pages: Sequence[Page]) -> list[list[str]]:
            return policy.slates(pages)

    alone = Alone(0)
    while not ours.over:
        for world, who, sign in ((ours, policy, 1), (theirs, alone, -1)):
            log = world.play_day(who)
            worth = by_order(world.state, log)
            for name, value in zip(log.customer_ids, worth, strict=True):
                total[name] = total.get(name, 0.0) + sign * float(value)
    facts = ours.facts.table("customers").to_pylist()
    start = warm.state.today
    names = [row["customer_id"] for row in facts if row["created_at"].date() < start]
    free = [name for name in names if not in_holdout(name, SHARE, SALT)]
    assert len(free) == found["customers_reached"]
    by_hand = sum(total.get(name, 0.0) for name in free) / len(free)
    assert found["lift_true_minor"] == pytest.approx(by_hand)


def test_answers_to_held_out_devices_are_counted(
    warm: World, nothing: dict[str, float]
) -> None:
    assert 0 < nothing["answers_unrecognised"] < nothing["answers_held_out"]
    known, unknown = sorted(held_devices(warm, SHARE, SALT))[:2]
    free = "d000000x"

    class Knows(Reaches):
        """Knows one device, signed in or not."""

        def held_out(self, page: Page) -> bool:
            return page.visitor == known

    watched = Watched(Knows(0), frozenset({known, unknown}))
    pages = [
        Page(key=i, placement="home", customer=None, visitor=at, context=(), limit=4)
        for i, at in enumerate([known, known, unknown, free])
    ]
    assert len(watched.slates(pages)) == 4
    assert (watched.answers, watched.unrecognised) == (3, 1)


def test_orders_earn_the_same_by_person_and_by_customer(played: Played) -> None:
    state = played.world.state
    named = 0
    for log in played.logs:
        worth = by_order(state, log)
        assert earned(state, log).sum() == pytest.approx(worth.sum())
        guests = np.array([name == "" for name in log.customer_ids], bool)
        own = earned_by_customer(state, log)
        assert sum(own.values()) == pytest.approx(worth[~guests].sum())
        named += len(own)
    assert named


def test_an_estimate_in_revenue_is_none_beside_a_truth_in_margin() -> None:
    lift = Lift(basis="revenue", reached=5, held_out=4, value=1.0, low=0.0, high=2.0)
    found = measured_figures(lift)
    assert math.isnan(found["lift_measured_minor"])
    assert found["customers_held_out"] == 4


def test_the_arm_is_the_whole_wheel_with_a_larger_holdout(warm: World) -> None:
    arm = make_arm(MEASURED, warm, 1)
    assert isinstance(arm, Wheel)
    assert arm.holdout.share_bps == MEASURED_BPS
    assert arm._cuts == frozenset()
    assert MEASURED in OURS
    assert MEASURED not in DEFAULT
    other = make_arm("connected", warm, 1)
    assert isinstance(other, Wheel)
    assert other.holdout.share_bps != MEASURED_BPS


def test_only_that_arm_finds_more_than_profit(warm: World) -> None:
    own = deepcopy(warm)
    assert play_arm("eager", own, Eager()) == {}
    run = as_run(own, world="tested", size="small", arm="eager", began=0.0)
    assert run.currency == own.spec.money.currency
    own.facts.close()
