"""Offers drawn at random: who is in the log, what they did, what policies earn."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cartwheel.errors import Misuse
from cartwheel.levers.base import Decision
from cartwheel.measure.off_policy.offer_policies import (
    evaluate_offers,
    offer_to_all,
    offer_to_none,
    offer_where,
)
from cartwheel.measure.off_policy.offers import OfferLog, read_offers
from cartwheel.operations import decisions, turns
from tests.contract.tiny_lake import TinyLake

OFFER, NONE = {"offer": "discount", "discount_bps": 1000}, {"offer": "none"}
ON = date(2026, 6, 30)


@pytest.fixture
def lake(tmp_path: Path) -> TinyLake:
    return TinyLake(tmp_path, timezone="Europe/Berlin")


def add_turn(lake: TinyLake, number: int, as_of: str, state: str = "published") -> None:
    with lake.shop.database.begin() as con:
        con.execute(
            turns.insert().values(
                number=number,
                as_of=as_of,
                state=state,
                seed=1,
                settings="{}",
                started_at="2026-06-01T00:00:00.000000Z",
            )
        )


def add(
    lake: TinyLake,
    name: str,
    customer: str,
    action: Mapping[str, Any] = OFFER,
    *,
    turn: int = 1,
    state: str = "applied",
    kind: str = "winback",
    propensity: float | None = None,
) -> None:
    chance = propensity or (0.9 if action is OFFER else 0.1)
    decision = Decision(
        kind=kind,
        subject=f"customer:{customer}",
        action=action,
        reason="Because.",
        propensity=None if chance >= 1 else chance,
        evidence={"segment": "lapsed"},
    )
    with lake.shop.database.begin() as con:
        con.execute(
            decisions.insert().values(
                id=name,
                turn=turn,
                position=0,
                lever="lifecycle",
                kind=kind,
                subject=decision.subject,
                state=state,
                body=decision.canonical(),
                action=json.dumps(action),
                model="m",
            )
        )


def read(lake: TinyLake, **more: Any) -> OfferLog:
    lake.write()
    return read_offers(lake.shop, **({"on": ON} | more))


def test_orders_and_money_of_the_days_after_the_turns_day(lake: TinyLake) -> None:
    add_turn(lake, 1, "2026-01-31")
    add(lake, "d1", "a")
    add(lake, "d2", "b", NONE)
    # The last instant of the turn's day and of the 90th after it, in the shop's zone.
    lake.sale("o1", "v", "2026-01-31 22:59:59", customer="a")
    lake.sale("o2", "v", "2026-01-31 23:00:00", units=2, customer="a", discount=300)
    lake.sale("o3", "v", "2026-02-01 10:00:00", customer="a", order_discount=100)
    lake.sale("o4", "v", "2026-05-01 21:59:59", customer="a")
    lake.sale("o5", "v", "2026-05-01 22:00:00", customer="a")
    lake.sale("o6", "v", "2026-03-01 10:00:00", customer="a", status="cancelled")
    log = read(lake)
    assert log.decision_id.tolist() == ["d1", "d2"]
    assert log.orders.tolist() == [2, 0]  # two days, one of them with two orders
    assert log.paid_minor.tolist() == [1_700 + 900 + 1_000, 0]
    assert log.offered.tolist() == [True, False]
    assert log.applied.tolist() == [True, False]
    assert log.propensity.tolist() == [0.9, 0.1]


def test_whoever_was_drawn_counts_whatever_came_of_it(lake: TinyLake) -> None:
    add_turn(lake, 1, "2026-01-31")
    add_turn(lake, 2, "2026-03-15")
    add_turn(lake, 3, "2026-04-01")
    add_turn(lake, 4, "2026-01-31", state="rolled_back")
    add(lake, "stopped", "a", state="refused")
    add(lake, "waiting", "b", state="proposed")
    add(lake, "alone", "c", state="held_out")
    add(lake, "sure", "d", propensity=1.0)
    add(lake, "again", "b", turn=2)
    add(lake, "next quarter", "b", NONE, turn=3)
    add(lake, "undone", "e", turn=4)
    add(lake, "other kind", "f", kind="leave_alone")
    lake.sale("o", "v", "2026-03-01 10:00:00", customer="a")
    log = read(lake)
    assert log.decision_id.tolist() == ["stopped", "waiting", "next quarter"]
    assert log.applied.tolist() == [False, False, False]
    assert log.left_out == {
        "not drawn": 1,
        "holdout": 1,
        "named again": 1,
        "too recent": 0,
    }
    early = read(lake, on=date(2026, 5, 1))
    assert early.decision_id.tolist() == ["stopped", "waiting"]
    assert early.left_out["too recent"] == 1


def test_last_day_is_that_of_the_newest_order(lake: TinyLake) -> None:
    add_turn(lake, 1, "2026-01-31")
    add(lake, "d", "a")
    lake.sale("o", "v", "2026-05-01 10:00:00", customer="a")
    assert read(lake, on=None).decision_id.tolist() == ["d"]
    assert read(lake, on=None, days=91).left_out["too recent"] == 1


def test_order_known_later_does_not_count(lake: TinyLake) -> None:
    add_turn(lake, 1, "2026-01-31")
    add(lake, "d", "a")
    lake.add(
        "orders",
        known_at="2026-08-01 00:00:00",
        order_id="o",
        customer_id="a",
        placed_at="2026-02-10 12:00:00",
        status="paid",
    )
    assert read(lake).orders.tolist() == [0]
    assert read(lake, on=date(2026, 9, 1)).orders.tolist() == [1]


def test_kind_that_is_not_drawn_is_refused(lake: TinyLake) -> None:
    with pytest.raises(Misuse, match="None of the 0 decisions of kind 'send_time'"):
        read(lake, kind="send_time")
    add_turn(lake, 1, "2026-01-31")
    add(lake, "d", "a", propensity=1.0)
    with pytest.raises(Misuse, match="None of the 1 decisions of kind 'winback'"):
        read(lake)


def test_shop_without_orders_is_refused(lake: TinyLake) -> None:
    with pytest.raises(Misuse, match="has no order"):
        read(lake, on=None)


# --- policies


def drawn(n: int, *, applied: bool = True, seed: int = 1) -> OfferLog:
    """Return customers of whom offers bring half an order more to the lapsed only."""
    rng = np.random.default_rng(seed)
    offered, lapsed = rng.random(n) < 0.8, rng.random(n) < 0.5
    orders = rng.poisson(1.0 + 0.5 * (offered & lapsed))
    return OfferLog(
        decision_id=np.arange(n).astype(str),
        customer=np.arange(n).astype(str),
        offered=offered,
        propensity=np.where(offered, 0.8, 0.2),
        applied=offered & applied,
        evidence=tuple({"segment": "lapsed" if one else "vip"} for one in lapsed),
        orders=orders.astype(float),
        paid_minor=1_000.0 * orders,
        left_out={},
    )


@pytest.mark.parametrize("estimator", ["ips", "snips", "dr", "sndr", "switch-dr"])
@pytest.mark.parametrize(
    ("policy", "truth"),
    [
        (offer_to_all, 1.25),
        (offer_to_none, 1.0),
        (offer_where(lambda known: known["segment"] == "lapsed"), 1.25),
        (offer_where(lambda known: known["segment"] == "vip"), 1.0),
    ],
)
def test_policies_earn_what_they_would(
    policy: Any, truth: float, estimator: Any
) -> None:
    log = drawn(4_000)
    value = evaluate_offers(log, policy, reward="orders", estimator=estimator)
    assert value.refused == ""
    assert value.low is not None
    assert value.high is not None
    assert value.low <= truth <= value.high
    assert value.high - value.low < 0.25


def test_money_is_counted_by_default() -> None:
    log = drawn(4_000)
    orders = evaluate_offers(log, offer_to_all, reward="orders").value
    money = evaluate_offers(log, offer_to_all).value
    assert orders is not None
    assert money == pytest.approx(1_000 * orders)


def test_offers_that_nobody_got_are_refused() -> None:
    value = evaluate_offers(drawn(4_000, applied=False), offer_to_all)
    assert "offers drawn was carried out" in value.refused
    assert value.value is value.low is value.gain is None


def test_few_draws_are_refused() -> None:
    assert "200 are needed" in evaluate_offers(drawn(300), offer_to_none).refused


def test_policy_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="returned shape"):
        evaluate_offers(drawn(300), lambda log: np.ones(3))
    with pytest.raises(Misuse, match="300 of 300 rows have a target probability"):
        evaluate_offers(drawn(300), lambda log: np.full(300, 1.5))
