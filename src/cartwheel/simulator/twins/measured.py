"""A policy beside a twin that reaches nobody: its true lift, and what it measures."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from copy import deepcopy
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np

from cartwheel.measure.assign import holdout_mask, in_holdout
from cartwheel.measure.holdout_lift import Lift, instants, known_customers, lift_of
from cartwheel.simulator.arms.base import Actions, Page, ShopView
from cartwheel.simulator.arms.wheel import ZONE
from cartwheel.simulator.twins.alone import NobodyReached, Reaching
from cartwheel.simulator.twins.truth import earned_by_customer
from cartwheel.simulator.world.world import World

if TYPE_CHECKING:
    from cartwheel.simulator.twins.by_lever import LeverTwins

SCHEMA = "main"
"""Where the facts of a world in process are."""


class Watched:
    """A policy as it is, and a count of what it showed held-out customers.

    Args:
        policy: The policy.
        devices: Devices of held-out customers.
    """

    def __init__(self, policy: Reaching, devices: frozenset[str]) -> None:
        self.name = policy.name
        self._policy, self._devices = policy, devices
        self.answers = self.unrecognised = 0

    def morning(self, shop: ShopView) -> Actions:
        """Return the policy's morning."""
        return self._policy.morning(shop)

    def slates(self, pages: Sequence[Page]) -> Sequence[Sequence[str]]:
        """Return the policy's answers; count those to held-out customers' devices."""
        own = [page for page in pages if page.visitor in self._devices]
        self.answers += len(own)
        self.unrecognised += sum(not self._policy.held_out(page) for page in own)
        return self._policy.slates(pages)


def play_measured(
    world: World,
    policy: Reaching,
    *,
    share: float,
    salt: str,
    levers: LeverTwins | None = None,
    on_day: Callable[[int, int], None] = lambda day, days: None,
) -> dict[str, float]:
    """Let a policy and its twin play a world to its end; compare both lifts.

    The twin lives the same days with the policy's very prices, purchases and mails to
    all, while every person is left alone. What a reached customer earned more than in
    the twin is the truth, to the cent; the estimate is the product's own, from the
    facts of the policy's world. Both are per customer known before the first day.

    Args:
        world: The world after its warm-up, its facts not looked at yet.
        policy: The policy; it must not have played before.
        share: Share of customers it holds out, 0 to 1.
        salt: Salt of its holdout.
        levers: Twins for each of its holdouts, whose journal is the policy; None for
            none.
        on_day: Called with days played and days in all.

    Returns:
        Figures by name: `lift_true_minor`, `lift_measured_minor`, `lift_low_minor` and
        `lift_high_minor` in minor units a customer (nan where nothing was measured),
        `customers_reached`, `customers_held_out`, `answers_held_out` to devices of
        held-out customers and `answers_unrecognised`, those of them given as to
        anybody, since nobody was signed in and the device was not known; and those of
        `by_lever.lever_figures` for each holdout.
    """
    since, twin = world.state.today, deepcopy(world)
    twin.facts.close()
    play = World.play_day if levers is None else levers.play_day
    watched = Watched(policy, held_devices(world, share, salt))
    alone = NobodyReached(policy)
    gap: dict[str, float] = defaultdict(float)
    while not world.over:
        # The policy goes first: its twin repeats what it did for everybody.
        for one, who, sign in ((world, watched, 1.0), (twin, alone, -1.0)):
            log = play(one, who) if one is world else one.play_day(who)
            for name, minor in earned_by_customer(one.state, log).items():
                gap[name] += sign * minor
        on_day(world.day, world.size.days)
    until = world.state.today - timedelta(days=1)
    facts = world.facts.connection
    lift = lift_of(
        facts,
        schema=SCHEMA,
        share=share,
        salt=salt,
        timezone=ZONE,
        since=since,
        until=until,
    )
    names = known_customers(facts, SCHEMA, instants(since, until, ZONE)[0])
    held = holdout_mask(names, share, salt)
    gaps = np.array([gap.get(name, 0.0) for name in names])[~held]
    return {
        "lift_true_minor": float(gaps.mean()) if len(gaps) else float("nan"),
        **measured_figures(lift),
        "answers_held_out": float(watched.answers),
        "answers_unrecognised": float(watched.unrecognised),
        **({} if levers is None else levers.figures(world)),
    }


def measured_figures(lift: Lift) -> dict[str, float]:
    """Return an estimate as figures; one in revenue is none, as the truth is margin."""
    nan = float("nan")
    ends = (lift.value, lift.low, lift.high)
    if lift.basis != "margin":
        ends = (None, None, None)
    value, low, high = (nan if end is None else end for end in ends)
    return {
        "lift_measured_minor": value,
        "lift_low_minor": low,
        "lift_high_minor": high,
        "customers_reached": float(lift.reached),
        "customers_held_out": float(lift.held_out),
    }


def held_devices(world: World, share: float, salt: str) -> frozenset[str]:
    """Return the devices of customers known by now who are held out."""
    state = world.state
    return frozenset(
        state.device(int(person))
        for person in np.flatnonzero(state.people.known >= 0)
        if in_holdout(state.profile(int(person)), share, salt)
    )
