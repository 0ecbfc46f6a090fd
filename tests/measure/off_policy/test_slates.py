"""Slates: what the log holds, what it left out, and what other policies would earn."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cartwheel.errors import Misuse
from cartwheel.levers.recommend import slate
from cartwheel.measure.off_policy.slate_policies import (
    as_logged,
    bestsellers,
    draw_from,
    evaluate_slates,
    greedy,
    slate_rows,
)
from cartwheel.measure.off_policy.slates import SlateLog, read_slates
from tests.contract.tiny_lake import TinyLake

SINCE, UNTIL = datetime(2026, 3, 1), datetime(2026, 4, 1)
NOON = "2026-03-10 12:00:00"


@pytest.fixture
def lake(tmp_path: Path) -> TinyLake:
    lake = TinyLake(tmp_path)
    # The newest fact: answers are judged by the days before it.
    lake.add("events", event_id="end", kind="list", occurred_at="2026-05-01 00:00:00")
    return lake


def answer(
    lake: TinyLake,
    name: str,
    slots: Sequence[tuple[str, float]],
    at: str = NOON,
    **more: Any,
) -> None:
    text = json.dumps([{"product_id": p, "propensity": q} for p, q in slots])
    values = {"lever": "recommend", "arm": "treated", "placement": "home"} | more
    lake.add("answers", decision_id=name, answered_at=at, slate=text, **values)


def event(lake: TinyLake, name: str, kind: str, at: str = NOON, **more: Any) -> None:
    lake.add("events", event_id=name, kind=kind, occurred_at=at, **more)


def read(lake: TinyLake, **more: Any) -> SlateLog:
    lake.write()
    return read_slates(lake.shop, since=SINCE, until=UNTIL, **more)


def test_slots_are_joined_to_what_was_seen_and_clicked(lake: TinyLake) -> None:
    answer(lake, "d1", [("p1", 1.0), ("p2", 0.905)], visitor_id="v")
    answer(lake, "d2", [("p1", 1.0), ("p3", 0.005)], visitor_id="w")
    event(lake, "e1", "exposure", decision_id="d1", product_id="p1", position=1)
    event(lake, "e2", "exposure", decision_id="d1", product_id="p2", position=2)
    event(lake, "e3", "click", decision_id="d1", product_id="p2", position=2)
    event(lake, "e4", "click", decision_id="d1", product_id="p2", position=2)
    event(lake, "e5", "click", decision_id="d2", position=2)  # place alone is told
    event(lake, "e6", "click", decision_id="d2", product_id="p9")  # not in the slate
    event(lake, "e7", "click", decision_id="another", product_id="p1")
    event(lake, "e8", "view", decision_id="d2", product_id="p1")
    log = read(lake)
    assert log.decision_id.tolist() == ["d1", "d2"]
    assert log.answer.tolist() == [0, 0, 1, 1]
    assert log.position.tolist() == [1, 2, 1, 2]
    assert log.product.tolist() == ["p1", "p2", "p1", "p3"]
    assert log.propensity.tolist() == [1.0, 0.905, 1.0, 0.005]
    assert log.seen.tolist() == [True, True, False, False]
    assert log.clicked.tolist() == [False, True, False, True]
    assert log.drawn.tolist() == [False, True, False, True]


def test_only_treated_answers_with_their_days_over_are_in_the_log(
    lake: TinyLake,
) -> None:
    answer(lake, "kept", [("p", 1.0)])
    answer(lake, "alone", [("p", 1.0)], arm="holdout")
    answer(lake, "rule", [("p", 1.0)], arm="fallback")
    answer(lake, "none", [])
    team = json.dumps([{"product_id": "p", "propensity": 1.0, "team": ""}])
    lake.add(
        "answers", decision_id="shared", answered_at=NOON, slate=team,
        lever="recommend", arm="treated", placement="home",
    )  # fmt: skip
    answer(lake, "search", [("p", 1.0)], lever="search")
    answer(lake, "before", [("p", 1.0)], at="2026-02-28 23:59:59")
    answer(lake, "after", [("p", 1.0)], at="2026-04-01 00:00:00")
    log = read(lake)
    assert log.decision_id.tolist() == ["kept"]
    assert log.left_out == {
        "holdout": 1,
        "fallback": 1,
        "too recent": 0,
        "interleaved": 1,
        "empty": 1,
    }
    assert read(lake, days=60).left_out["too recent"] == 3


def test_answers_of_one_customer_on_any_device_are_one_cluster(lake: TinyLake) -> None:
    answer(lake, "signed", [("p", 1.0)], customer_id="c", visitor_id="v1")
    answer(lake, "device", [("p", 1.0)], visitor_id="v2")
    answer(lake, "stranger", [("p", 1.0)], visitor_id="v3")
    answer(lake, "nobody", [("p", 1.0)])
    event(lake, "e", "view", at="2026-03-20 00:00:00", visitor_id="v2", customer_id="c")
    log = read(lake)
    found = dict(zip(log.decision_id.tolist(), log.cluster.tolist(), strict=True))
    assert found["signed"] == found["device"]
    assert len(set(found.values())) == 3
    known = dict(zip(log.decision_id.tolist(), log.customer_known, strict=True))
    # Signed in on it after the answer only: what they buy may not be looked up.
    assert [known[n] for n in ("signed", "device", "stranger")] == [True, False, False]


@pytest.mark.parametrize(
    ("at", "status", "bought"),
    [
        ("2026-03-11 00:00:00", "paid", True),
        ("2026-03-17 12:00:00", "paid", True),
        ("2026-03-17 12:00:01", "paid", False),  # after the days
        ("2026-03-10 12:00:00", "paid", False),  # not after the answer
        ("2026-03-11 00:00:00", "cancelled", False),
    ],
)
def test_purchases_count_in_the_days_after(
    lake: TinyLake, at: str, status: str, bought: bool
) -> None:
    answer(lake, "d", [("p1", 1.0), ("p2", 0.9)], customer_id="c")
    answer(lake, "e", [("p2", 1.0)], customer_id="another")
    lake.sale(
        "o", "p2", at, units=2, price=500, discount=100, customer="c", status=status
    )
    lake.sale("o", "p7", at, price=50, customer="c", new_order=False)
    log = read(lake)
    assert log.bought.tolist() == [False, bought, False]
    assert log.spent_minor.tolist() == [950.0 if bought else 0.0, 0.0]


def test_slate_that_cannot_be_read_is_refused(lake: TinyLake) -> None:
    answer(lake, "a", [("p", 1.0)])
    values = {"answered_at": NOON, "lever": "recommend", "arm": "treated"}
    lake.add("answers", decision_id="b", slate="no json", **values)
    lake.add("answers", decision_id="c", slate='[{"product_id": "p"}]', **values)
    with pytest.raises(Misuse, match=r"2 of 3 answers .*first: b"):
        read(lake)


def test_shop_without_answers_gives_an_empty_log(lake: TinyLake) -> None:
    log = read(lake)
    assert len(log.decision_id) == len(log.product) == 0
    with pytest.raises(Misuse, match="0 rows"):
        evaluate_slates(log, as_logged)


# --- target policies


def made(
    slots: Sequence[Sequence[tuple[str, float]]], clicked: Sequence[Sequence[bool]]
) -> SlateLog:
    flat = [one for each in slots for one in each]
    n, size = len(slots), len(flat)
    return SlateLog(
        decision_id=np.arange(n).astype(str),
        placement=np.array(["home", "cart"] * n)[:n],
        cluster=np.arange(n).astype(str),
        customer_known=np.ones(n, bool),
        spent_minor=np.zeros(n),
        answer=np.repeat(np.arange(n), [len(each) for each in slots]),
        position=np.array([p + 1 for each in slots for p in range(len(each))]),
        product=np.array([name for name, _ in flat]),
        propensity=np.array([q for _, q in flat]),
        seen=np.ones(size, bool),
        clicked=np.array([c for each in clicked for c in each]),
        bought=np.zeros(size, bool),
        left_out={},
    )


BY_HAND = made(
    [[("a", 1.0), ("b", 0.9)], [("a", 1.0), ("c", 0.1)], [("b", 1.0), ("a", 0.9)]],
    [[True, False], [False, True], [False, True]],
)


def test_policies_by_hand() -> None:
    assert greedy(BY_HAND).tolist() == [1, 1, 1, 0, 1, 1]
    assert as_logged(BY_HAND).tolist() == BY_HAND.propensity.tolist()
    assert bestsellers(["a", "b", "c"])(BY_HAND).tolist() == [1, 1, 1, 0, 1, 1]
    every = bestsellers(["a", "b", "c"], slots="all")(BY_HAND)
    assert every.tolist() == [1, 1, 1, 0, 0, 1]
    # Of b and c where a was shown before; of all where it was not.
    table = draw_from({"a": 0.5, "b": 0.3, "c": 0.2})(BY_HAND)
    assert table == pytest.approx([1, 0.6, 1, 0.4, 1, 0.5 / 0.7])


def test_rows_of_slates_by_hand() -> None:
    log = slate_rows(BY_HAND, greedy)
    assert log.propensity == pytest.approx([0.9, 0.1, 0.9])
    assert log.target.tolist() == [1, 0, 1]
    assert log.reward.tolist() == [1, 1, 1]
    drawn = slate_rows(BY_HAND, greedy, reward="drawn slot clicked")
    assert drawn.reward.tolist() == [0, 1, 1]
    assert slate_rows(BY_HAND, greedy, placement="home").reward.tolist() == [1, 1]


@pytest.mark.parametrize("wrong", [0.0, 1.2, np.nan])
def test_impossible_propensity_of_a_slot_is_refused(wrong: float) -> None:
    log = made([[("a", wrong)], [("b", 1.0)]], [[True], [False]])
    with pytest.raises(Misuse, match="1 of 2 slots have an impossible propensity"):
        evaluate_slates(log, as_logged)


def test_policy_that_is_none_is_refused() -> None:
    with pytest.raises(Misuse, match="6 of 6 slots have an impossible target"):
        evaluate_slates(BY_HAND, lambda log: np.full(6, 1.5))
    with pytest.raises(ValueError, match="returned shape"):
        evaluate_slates(BY_HAND, lambda log: np.ones(3))
    with pytest.raises(ValueError, match="reward is"):
        evaluate_slates(BY_HAND, greedy, reward="fun")  # type: ignore[arg-type]
    with pytest.raises(Misuse, match="1 of 2 products have an impossible"):
        draw_from({"a": 0.5, "b": -0.5})
    with pytest.raises(Misuse, match="add up to 0"):
        draw_from({})


# --- slates filled as the recommender fills them, with known chances of a click


def filled(answers: int, explore: float, seed: int = 1) -> tuple[SlateLog, float]:
    """Return a log of `slate.fill`, and clicks per answer of its greedy version."""
    rng = np.random.default_rng(seed)
    score = np.linspace(1.0, 0.1, 12)
    appeal = np.full(12, 0.1)
    appeal[2:] = np.linspace(0.5, 0.05, 10)
    slots, clicked = [], []
    for _ in range(answers):
        items, chance = slate.fill(
            score, np.arange(12), limit=3, explore=explore, rng=rng
        )
        slots.append([(f"p{i}", q) for i, q in zip(items, chance, strict=True)])
        clicked.append((rng.random(3) < appeal[items]).tolist())
    return made(slots, clicked), float(appeal[:3].sum())


def test_greedy_version_of_the_recommender_is_known_from_its_log() -> None:
    log, truth = filled(3_000, explore=0.3)
    value = evaluate_slates(log, greedy)
    assert value.refused == ""
    assert value.low is not None
    assert value.high is not None
    assert value.gain_low is not None
    assert value.low <= truth <= value.high
    assert value.gain_low > 0  # drawing from worse products costs clicks here


def test_greedy_is_refused_where_no_product_has_a_majority() -> None:
    log, _ = filled(3_000, explore=1.0)  # ten products, one tenth each
    with pytest.raises(Misuse, match="None of the 3,000 rows"):
        evaluate_slates(log, greedy)
    half, _ = filled(1_500, explore=0.3)
    n, slots = len(half.decision_id), len(half.product)
    both = SlateLog(
        **{
            name: np.concatenate([getattr(half, name), getattr(log, name)])
            for name in SlateLog.__slots__
            if name not in ("answer", "left_out", "decision_id", "cluster")
        },
        answer=np.concatenate([half.answer, log.answer + n]),
        decision_id=np.arange(n + len(log.decision_id)).astype(str),
        cluster=np.arange(n + len(log.decision_id)).astype(str),
        left_out={},
    )
    assert len(both.product) == slots + len(log.product)
    value = evaluate_slates(both, greedy)
    assert value.value is None
    assert "shows 33 % of what this policy would do" in value.refused


def test_bestseller_that_was_never_drawn_is_refused_and_a_drawn_one_is_not() -> None:
    log, _ = filled(6_000, explore=0.9)
    value = evaluate_slates(log, bestsellers(["p4", "p5"]), reward="drawn slot clicked")
    assert value.refused == ""
    assert value.low is not None
    assert value.high is not None
    truth = np.linspace(0.5, 0.05, 10)[2]
    assert value.low <= truth <= value.high
    with pytest.raises(Misuse, match="None of the 6,000 rows"):
        evaluate_slates(log, bestsellers(["p99"]))
    with pytest.raises(Misuse, match="None of the 6,000 rows"):
        evaluate_slates(log, bestsellers(["p4", "p5", "p6"], slots="all"))
