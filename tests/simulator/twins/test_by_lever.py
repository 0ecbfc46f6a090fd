"""A twin for each holdout: what it repeats, what it keeps back, and the true lift."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from copy import deepcopy
from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from cartwheel.gate.base import Candidate, Verdict
from cartwheel.levers.base import Decision, State
from cartwheel.measure.assign import held_out_by, held_out_of
from cartwheel.measure.earnings.measured import Group, Measured
from cartwheel.measure.earnings.units import Span
from cartwheel.simulator.arms.base import Actions, Page, ShopView
from cartwheel.simulator.arms.plain import BLAST_DAYS, Plain, blast
from cartwheel.simulator.arms.registry import MEASURED, MEASURED_LEVERS_BPS, make_arm
from cartwheel.simulator.arms.wheel import Wheel
from cartwheel.simulator.twins.by_lever import LeverTwins, lever_figures
from cartwheel.simulator.twins.measured import play_measured
from cartwheel.simulator.twins.truth import (
    by_line,
    earned_by_customer,
    earned_by_product,
)
from cartwheel.simulator.world.spec import Size
from cartwheel.simulator.world.world import World
from tests.simulator.world.made import Played, make_spec

SIZE = Size(products=40, customers=300, warmup_days=10, days=31)
LEVERS = {"recommend": 3_000, "lifecycle": 3_000, "price": 4_000}
Choose = Callable[[ShopView], Sequence[tuple[str, str, str, dict[str, Any]]]]


def decided(lever: str, kind: str, subject: str, action: dict[str, Any]) -> Candidate:
    choice = Decision(kind=kind, subject=subject, action=action, reason="r")
    return Candidate(lever=lever, decision=choice, body="{}")


class Made(Wheel):
    """A wheel whose decisions and answers a test writes down.

    Args:
        choose: Returns lever, kind, subject and action of a turn's decisions; those of
            held-out units are kept back.
        worse: People who are reached are shown nothing.
    """

    def __init__(self, choose: Choose, *, worse: bool = False) -> None:
        super().__init__(
            "made",
            currency="EUR",
            cuts=frozenset(),
            seed=1,
            levers={},
            holdout_bps=3_000,
            lever_bps=LEVERS,
        )
        self._choose, self._worse, self._plain = choose, worse, Plain()
        state = SimpleNamespace(state=State.HEALTHY)
        self._states: dict[str, Any] = dict.fromkeys(LEVERS, state)

    @property
    def online(self) -> Any:
        return SimpleNamespace(arrays={"device_id": [], "device_customer": []})

    def held_out(self, page: Page) -> bool:
        return page.customer is not None and (
            held_out_of(page.customer, "recommend", self.holdout) is not None
        )

    def answer(
        self, pages: Sequence[Page], held: Sequence[bool], sold_out: frozenset[str]
    ) -> list[list[str]]:
        plain = self._plain.slates(pages)
        return [
            [] if self._worse and not left else one
            for one, left in zip(plain, held, strict=True)
        ]

    def _turn(self, shop: ShopView) -> Actions:
        plain = self._plain.morning(shop)
        self.runs = self._states
        self.verdict = Verdict(
            [
                one
                for one in (decided(*row) for row in self._choose(shop))
                if not self._kept_back(one)
            ],
            [],
        )
        for order in plain.purchases:
            action = {"units": order.units}
            subject = f"variant:{order.variant_id}"
            self.verdict.passed.append(decided("replenish", "reorder", subject, action))
        return self._act(shop)

    def _kept_back(self, one: Candidate) -> bool:
        if one.subject_type == "customer":
            return held_out_of(one.subject_id, one.lever, self.holdout) is not None
        return held_out_by(product(one.subject_id), one.lever, self.holdout)


def product(variant: str) -> str:
    """Return a variant's product, by how the made world names them."""
    return PRODUCTS[variant]


PRODUCTS: dict[str, str] = {}


def nothing(shop: ShopView) -> list[Any]:
    return []


def offers_late(shop: ShopView) -> list[tuple[str, str, str, dict[str, Any]]]:
    """Offer nine tenths off to everybody, from the second turn on."""
    if shop.day < SIZE.warmup_days + 7:
        return []
    action = {"offer": "discount", "discount_bps": 9_000}
    return [
        ("lifecycle", "winback", f"customer:{name}", action) for name in shop.mailable()
    ]


def dearer(shop: ShopView) -> list[tuple[str, str, str, dict[str, Any]]]:
    """Charge half as much again for everything, once."""
    if shop.day >= SIZE.warmup_days + 7:
        return []
    return [
        (
            "price",
            "price_change",
            f"variant:{one.variant_id}",
            {"price_minor": one.price_minor * 3 // 2},
        )
        for one in shop.articles()
    ]


@pytest.fixture(scope="module")
def warm() -> World:
    """A world after its warm-up."""
    world, policy = World(make_spec(), SIZE, 1), Plain()
    while world.day < SIZE.warmup_days:
        world.play_day(policy)
    goods = world.state.goods
    PRODUCTS.update(
        {
            str(v): str(goods.product_ids[p])
            for v, p in zip(goods.variant_ids, goods.product_of, strict=True)
        }
    )
    return world


def played_to_end(warm: World, wheel: Made) -> tuple[dict[str, float], LeverTwins]:
    own, twins = deepcopy(warm), LeverTwins(wheel)
    found = play_measured(
        own,
        twins.journal,
        share=wheel.holdout.share_bps / 10_000,
        salt=wheel.holdout.salt,
        levers=twins,
    )
    own.facts.close()
    return found, twins


def test_who_does_nothing_earns_nothing_by_any_lever(warm: World) -> None:
    found, _ = played_to_end(warm, Made(nothing))
    for lever in ("wheel", "recommend"):
        assert found[f"{lever}_lift_true_minor"] == 0
        assert found[f"{lever}_held_gap_minor"] == 0
        assert found[f"{lever}_units_held_out"] > 0
    for lever in ("lifecycle", "price"):
        assert np.isnan(found[f"{lever}_lift_true_minor"])
        assert found[f"{lever}_units_reached"] == 0


def test_lists_that_show_nothing_are_a_loss_of_their_lever_alone(warm: World) -> None:
    found, _ = played_to_end(warm, Made(nothing, worse=True))
    assert found["recommend_lift_true_minor"] < 0
    assert found["wheel_lift_true_minor"] < 0
    assert found["recommend_of_products"] == 0
    assert found["wheel_units_reached"] > found["recommend_units_reached"]


def test_a_levers_truth_is_the_gap_to_the_shop_without_it(warm: World) -> None:
    found, twins = played_to_end(warm, Made(offers_late))
    # By hand: the same wheel in the same world, whose offers nobody gets.
    wheel = Made(offers_late)
    ours, theirs = deepcopy(warm), deepcopy(warm)

    class Without:
        name = "without offers"

        def morning(self, shop: ShopView) -> Actions:
            mails = blast(shop) if shop.day % BLAST_DAYS == 1 else []
            if wheel.turned_on != shop.day:
                return Actions(mails=mails)
            return Actions(purchases=wheel.done.purchases, mails=mails)

        def slates(self, pages: Sequence[Page]) -> list[list[str]]:
            return wheel.slates(pages)

    other = Without()
    total: dict[str, dict[date, float]] = defaultdict(lambda: defaultdict(float))
    while not ours.over:
        for world, who, sign in ((ours, wheel, 1), (theirs, other, -1)):
            today = world.state.today
            log = world.play_day(who)
            for name, value in earned_by_customer(world.state, log).items():
                total[name][today] += sign * value
    rows = ours.facts.table("customers").to_pylist()
    since = warm.state.today + timedelta(days=7)
    ours.facts.close()
    theirs.facts.close()
    worth = [
        sum(
            value
            for day, value in total[row["customer_id"]].items()
            if day > max(row["created_at"].date(), since - timedelta(days=1))
        )
        for row in rows
        if row["created_at"].date() < world.state.today - timedelta(days=1)
        and held_out_of(row["customer_id"], "lifecycle", wheel.holdout) is None
    ]
    assert found["lifecycle_units_reached"] == len(worth)
    assert found["lifecycle_lift_true_minor"] == pytest.approx(np.mean(worth))
    assert twins.journal.record.turns[0].from_day == warm.state.today


def test_dearer_goods_are_compared_by_product(warm: World) -> None:
    found, twins = played_to_end(warm, Made(dearer))
    assert found["price_of_products"] == 1
    counted = found["price_units_reached"] + found["price_units_held_out"]
    assert counted == len(set(PRODUCTS.values()))
    assert found["price_lift_true_minor"] != 0
    # Who did not get dearer sells to those who turn away from what did.
    assert found["price_held_gap_minor"] != 0
    assert twins._twins["lifecycle"].world is None
    # The wheel's holdout is of customers, whom prices reach alike.
    assert found["wheel_lift_true_minor"] == 0


def test_a_journal_has_what_the_ledger_reads(warm: World) -> None:
    wheel = Made(offers_late, worse=True)
    _, twins = played_to_end(warm, wheel)
    record, answers = twins.journal.record, twins.journal.answers
    start = warm.state.today
    weeks = -(-(SIZE.days - SIZE.warmup_days) // 7)
    assert [turn.from_day for turn in record.turns] == [
        start + timedelta(days=7 * i) for i in range(weeks)
    ]
    assert all(turn.states["price"] == "healthy" for turn in record.turns)
    assert record.turns[0].lever_shares == {"recommend": 0.3, "lifecycle": 0.3} | {
        "price": 0.4
    }
    offers = [act for act in record.acts if act.lever == "lifecycle"]
    assert {act.customers for act in offers} == {True}
    assert min(act.day for act in offers) == start + timedelta(days=7)
    assert answers[0] == ("recommend", 1, start)
    assert len(answers) == weeks


def test_a_figure_in_revenue_and_one_that_is_not_told_are_none() -> None:
    days = [date(2026, 1, day) for day in range(1, 5)]
    spans = [Span(unit=x, after=days[0], until=days[2]) for x in "abcd"]
    group = Group(
        spans=spans,
        reached=np.array([True, True, False, False]),
        moved=0,
        share=0.5,
        new_a_day=0.0,
    )
    seen = Measured(
        basis="margin", reached=2, held_out=2, moved=0, found=None, why="w", needed=None
    )
    # Only the second and third day count.
    gaps = {
        "a": [(days[0], 100.0), (days[1], 4.0), (days[3], 100.0)],
        "b": [(days[2], 2.0)],
        "d": [(days[2], -1.0)],
    }
    found = lever_figures("price", "product", (group, seen), gaps)
    assert found["price_lift_true_minor"] == 3
    assert found["price_held_gap_minor"] == -0.5
    assert np.isnan(found["price_lift_measured_minor"])
    assert found["price_of_products"] == 1
    never = lever_figures("price", "customer", None, {})
    assert never["price_units_reached"] == 0


def test_lines_add_up_by_product(played: Played) -> None:
    state = played.world.state
    for log in played.logs:
        own = earned_by_product(state, log)
        assert sum(own.values()) == pytest.approx(by_line(state, log).sum())


def test_the_arm_has_a_holdout_of_each_lever(warm: World) -> None:
    arm = make_arm(MEASURED, warm, 1)
    assert isinstance(arm, Wheel)
    assert arm.holdout.levers == MEASURED_LEVERS_BPS
    other = make_arm("connected", warm, 1)
    assert isinstance(other, Wheel)
    assert other.holdout.levers == {}
