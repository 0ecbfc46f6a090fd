"""Hours drawn for offers: who is in the log, and what other hours would have earned."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from cartwheel.cli import app
from cartwheel.errors import Misuse
from cartwheel.levers.base import Decision
from cartwheel.levers.lifecycle.send_hours import HOURS, hour_chances
from cartwheel.measure.off_policy.ask_send_time import _policies
from cartwheel.measure.off_policy.figures import Part
from cartwheel.measure.off_policy.send_hour_policies import (
    always_at,
    evaluate_send_hours,
    hours_as_drawn,
    usual_hour,
)
from cartwheel.measure.off_policy.send_hours import SendHourLog, read_send_hours
from cartwheel.measure.off_policy.value import PolicyValue
from cartwheel.measure.off_policy.what_if import what_if
from cartwheel.operations import decisions
from tests.contract.tiny_lake import TinyLake
from tests.measure.off_policy.test_offers import NONE, add, add_turn

ON = date(2026, 6, 30)
NAMES = ["as-ran", "usual-hour", *(f"at-{hour}" for hour in HOURS)]


@pytest.fixture
def lake(tmp_path: Path) -> TinyLake:
    return TinyLake(tmp_path, timezone="Europe/Berlin")


def add_hour(
    lake: TinyLake,
    name: str,
    customer: str,
    hour: int = 12,
    *,
    usual: int = 12,
    chance: float | None = 0.85,
    turn: int = 1,
    state: str = "applied",
    now: int | None = None,
) -> None:
    """Add an offer with an hour; `now` is what a person moved it to."""
    action = {"offer": "discount", "discount_bps": 1000, "send_hour": hour}
    known = {"usual_send_hour": usual, "send_hour_propensity": chance}
    decision = Decision(
        kind="winback",
        subject=f"customer:{customer}",
        action=action,
        reason="Because.",
        propensity=0.9,
        evidence={"segment": "lapsed", **known},
    )
    with lake.shop.database.begin() as con:
        con.execute(
            decisions.insert().values(
                id=name,
                turn=turn,
                position=0,
                lever="lifecycle",
                kind="winback",
                subject=decision.subject,
                state=state,
                body=decision.canonical(),
                action=json.dumps(
                    action if now is None else action | {"send_hour": now}
                ),
                model="m",
            )
        )


def read(lake: TinyLake, **more: Any) -> SendHourLog:
    lake.write()
    return read_send_hours(lake.shop, **({"on": ON} | more))


def asked(lake: TinyLake, on: date = ON) -> Part:
    lake.write()
    return what_if(lake.shop, on, ["send-time"]).parts[0]


# --- the log


def test_orders_and_money_of_the_seven_days_after(lake: TinyLake) -> None:
    add_turn(lake, 1, "2026-01-31")
    add_hour(lake, "d1", "a", 20, chance=0.05)
    add_hour(lake, "d2", "b", now=8)
    # The last instant of the turn's day and of the 7th after it, in the shop's zone.
    lake.sale("o1", "v", "2026-01-31 22:59:59", customer="a")
    lake.sale("o2", "v", "2026-01-31 23:00:00", units=2, customer="a", discount=300)
    lake.sale("o3", "v", "2026-02-01 10:00:00", customer="a", order_discount=100)
    lake.sale("o4", "v", "2026-02-07 22:59:59", price=70, customer="a")
    lake.sale("o5", "v", "2026-02-07 23:00:00", customer="a")
    lake.sale("o6", "v", "2026-02-03 10:00:00", customer="a", status="cancelled")
    log = read(lake)
    assert log.decision_id.tolist() == ["d1", "d2"]
    assert log.orders.tolist() == [2, 0]
    assert log.paid_minor.tolist() == [1_700 + 900 + 70, 0]
    assert log.hour.tolist() == [20, 12], "as drawn, not as a person moved it"
    assert log.usual.tolist() == [12, 12]
    assert log.propensity.tolist() == [0.05, 0.85], "of the hour, not of the offer"


def test_whoever_was_drawn_counts_whatever_came_of_it(lake: TinyLake) -> None:
    add_turn(lake, 1, "2026-01-31")
    add_turn(lake, 2, "2026-03-15")
    add_turn(lake, 3, "2026-04-01")
    add_turn(lake, 4, "2026-01-31", state="rolled_back")
    add_hour(lake, "stopped", "a", state="refused")
    add_hour(lake, "waiting", "b", state="proposed")
    add_hour(lake, "sent", "g")
    add_hour(lake, "alone", "c", state="held_out")
    add_hour(lake, "sure", "d", chance=1.0)
    add_hour(lake, "again", "b", 8, turn=2)
    add_hour(lake, "next quarter", "b", 8, turn=3)
    add_hour(lake, "undone", "e", turn=4)
    add(lake, "none", "f", NONE)
    add(lake, "of before hours", "h")
    log = read(lake)
    assert log.decision_id.tolist() == ["stopped", "waiting", "sent", "next quarter"]
    assert log.applied.tolist() == [False, False, True, True]
    assert log.left_out == {
        "not drawn": 2,
        "holdout": 1,
        "named again": 1,
        "too recent": 0,
    }
    early = read(lake, on=date(2026, 4, 7))
    assert early.decision_id.tolist() == ["stopped", "waiting", "sent"]
    assert early.left_out["too recent"] == 1
    assert read(lake, on=date(2026, 4, 8)).left_out["too recent"] == 0


def test_old_ledgers_and_shops_that_draw_nothing_are_refused(lake: TinyLake) -> None:
    add_turn(lake, 1, "2026-01-31")
    add(lake, "old", "a")
    add(lake, "none", "b", NONE)
    with pytest.raises(Misuse, match="none of the 1 offers"):
        read(lake)
    add_hour(lake, "sure", "c", chance=1.0)
    with pytest.raises(Misuse, match="none of the 2 offers"):
        read(lake)
    part = asked(lake)
    assert part.cannot.startswith("Not known: 3 messages were approved or carried out")
    assert "draw_hour_share" in part.would_need
    assert part.policies == ()


def test_too_recent_or_never_sent_says_so(lake: TinyLake) -> None:
    add_turn(lake, 1, "2026-01-31")
    add_hour(lake, "d1", "a", state="refused")
    add_hour(lake, "d2", "b", state="approved")
    soon = asked(lake, date(2026, 2, 6))
    assert soon.cannot.startswith("Not yet: the hour of 2 offers was drawn")
    assert "7 days" in soon.would_need
    part = asked(lake)
    assert "hour of 2 offers was drawn, and none of them was carried out" in part.cannot
    assert "Approve some" in part.would_need
    add_hour(lake, "d3", "c", 16, chance=0.05)
    part = asked(lake)
    assert part.cannot == ""
    assert part.says.startswith("3 offers whose hour was drawn, 1 of them to another")
    assert [one.name for one in part.policies] == [
        *("as-ran", "usual-hour", "at-12", "at-16")
    ]
    for one in part.policies:
        assert all("200 are needed" in figure.refused for figure in one.figures)


# --- what other hours would have earned


def drawn(
    n: int, *, share: float = 0.6, lift: float = 0.3, seed: int = 1, **more: Any
) -> SendHourLog:
    """Return offers at 20:00 that bring `lift` orders more than at other hours.

    Whose usual hour is 20:00 also buys twice as much whatever the hour: customers who
    got their message then are unlike the others.
    """
    rng = np.random.default_rng(seed)
    usual = rng.choice(HOURS, n)
    chances = np.array([list(hour_chances(u, share=share).values()) for u in usual])
    column = (rng.random(n)[:, None] > np.cumsum(chances, axis=1)).sum(axis=1)
    hour = np.array(HOURS)[np.minimum(column, len(HOURS) - 1)]
    rate = 0.4 + 0.4 * (usual == 20) + lift * (hour == 20)
    orders = rng.poisson(rate).astype(float)
    values: dict[str, Any] = {
        "decision_id": np.arange(n).astype(str),
        "customer": np.arange(n).astype(str),
        "hour": hour,
        "usual": usual,
        "propensity": chances[np.arange(n), column],
        "applied": np.ones(n, bool),
        "orders": orders,
        "paid_minor": 1_000.0 * orders,
        "left_out": {},
    }
    return SendHourLog(**(values | more))


def value_of(log: SendHourLog, policy: Any, **more: Any) -> PolicyValue:
    return evaluate_send_hours(log, policy, reward="orders", **more)


@pytest.mark.parametrize(
    ("policy", "truth"),
    [
        (always_at(8), 0.5),
        (always_at(12), 0.5),
        (always_at(16), 0.5),
        (always_at(20), 0.8),
        (usual_hour, 0.575),
        (hours_as_drawn, 0.575),
    ],
)
def test_hours_earn_what_they_would(policy: Any, truth: float) -> None:
    value = value_of(drawn(6_000), policy)
    assert value.refused == ""
    assert value.low is not None
    assert value.high is not None
    assert value.low <= truth <= value.high
    assert value.high - value.low < 0.16


def test_a_better_hour_is_claimed_and_the_others_are_worse() -> None:
    found = {one.name: one.figures[1] for one in _policies(drawn(6_000))}
    assert list(found) == NAMES
    gains = {name: one.gain for name, one in found.items() if one.decided}
    assert gains["at-20"] == pytest.approx(22.5, abs=8)
    assert all(gain is not None for gain in gains.values())
    assert all((gain or 0) < 0 for name, gain in gains.items() if name != "at-20")


def test_an_hour_without_effect_is_not_claimed() -> None:
    # Plain means say 20:00: who is mailed then by habit buys twice as much anyway.
    log = drawn(3_000, lift=0, seed=0)
    plain = [log.orders[log.hour == hour].mean() for hour in HOURS]
    assert plain[-1] > 1.25 * max(plain[:-1])
    claimed = 0
    for seed in range(12):
        log = drawn(3_000, lift=0, seed=seed)
        for hour in HOURS:
            value = value_of(log, always_at(hour))
            assert value.gain_low is not None
            assert value.gain_high is not None
            claimed += not value.gain_low <= 0 <= value.gain_high
    assert claimed <= 7  # of 48 intervals of 95 %: 2.4 expected


def test_money_is_counted_by_default() -> None:
    log = drawn(3_000)
    orders = value_of(log, always_at(20)).value
    money = evaluate_send_hours(log, always_at(20)).value
    assert orders is not None
    assert money == pytest.approx(1_000 * orders)


def test_few_draws_are_refused() -> None:
    few = value_of(drawn(3_000, share=0.05), always_at(8))
    assert "200 are needed" in few.refused
    assert few.value is few.gain is None
    # The hour that ran is told from the same rows.
    assert value_of(drawn(3_000, share=0.05), usual_hour).refused == ""


def test_rare_orders_are_refused() -> None:
    log = drawn(3_000)
    rare = drawn(3_000, orders=(np.arange(3_000) % 60 == 0).astype(float))
    assert "worth" in value_of(rare, always_at(8)).refused
    assert value_of(log, always_at(8)).refused == ""


def test_an_hour_at_which_nothing_was_sent_is_refused() -> None:
    log = drawn(6_000)
    log = drawn(6_000, applied=log.hour != 8)
    value = value_of(log, always_at(8))
    assert "drawn to these hours was carried out" in value.refused
    assert value.value is value.low is value.gain is None
    assert value_of(log, always_at(12)).refused == ""


def test_an_hour_that_some_could_not_be_drawn_to_is_refused() -> None:
    log = drawn(6_000)
    log = drawn(6_000, hour=np.where((log.hour == 8) & (log.usual == 8), 7, log.hour))
    assert "The log shows" in value_of(log, always_at(8)).refused
    with pytest.raises(Misuse, match="None of the 6,000 rows"):
        value_of(log, always_at(3))


def test_policy_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="target has shape"):
        value_of(drawn(300), lambda log: np.ones(3))
    with pytest.raises(Misuse, match="300 of 300 rows have a target probability"):
        value_of(drawn(300), lambda log: np.full(300, 1.5))


def test_from_the_ledger_to_the_command(lake: TinyLake) -> None:
    add_turn(lake, 1, "2026-01-31")
    for n in range(1_600):
        usual, hour = HOURS[n % 4], HOURS[n // 4 % 4]
        add_hour(lake, f"d{n}", f"c{n}", hour, usual=usual, chance=0.25)
        if n // 16 % 20 < (14 if hour == 20 else 7):
            lake.sale(f"o{n}", "v", "2026-02-03 10:00:00", customer=f"c{n}")
    lake.sale("last", "v", f"{ON} 10:00:00")
    part = asked(lake)
    orders = {one.name: one.figures[1] for one in part.policies}
    assert list(orders) == NAMES
    for name, truth in (("as-ran", 43.75), ("at-8", 35.0), ("at-20", 70.0)):
        assert orders[name].low is not None
        assert orders[name].high is not None
        assert orders[name].low <= truth <= orders[name].high
    assert orders["at-20"].decided
    assert "more than what ran" in orders["at-20"].sentence
    assert not orders["usual-hour"].decided
    place = ["off-policy", "send-time", "--shop", str(lake.shop.folder)]
    done = CliRunner().invoke(app, [*place, "--on", ON.isoformat()])
    assert done.exit_code == 0, done.output
    assert orders["at-20"].sentence in done.stdout
    assert "Every offer at 20:00" in done.stdout
