"""Interleaved tests: votes of clicks on shared lists, looks, plans, refusals."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cartwheel.errors import Misuse
from cartwheel.measure.experiment.interleave import LEAST_CUSTOMERS
from cartwheel.measure.experiment.look import look
from cartwheel.measure.experiment.plan import plan
from cartwheel.measure.experiment.terms import Terms, check_terms
from cartwheel.measure.experiment.trial import InForce
from cartwheel.measure.experiment.votes import Votes, read_votes
from tests.contract.tiny_lake import TinyLake
from tests.measure.experiment.made import END, START, terms

NOON = "2026-03-10 12:00:00"
LISTED = (("a", ""), ("b", "arm"), ("c", "control"), ("d", "arm"))


def shared(**changes: Any) -> Terms:
    plain = {
        "name": "which-list",
        "lever": "recommend",
        "unit": "answer",
        "metric": "preference",
        "option": "margin_weight",
        "control_value": 1.0,
        "arm_value": 0.0,
    }
    return terms(**{**plain, **changes})


def answer(lake: TinyLake, name: str, at: str = NOON, **more: Any) -> None:
    slate = [
        {"product_id": product, "propensity": 1.0, "team": team}
        for product, team in LISTED
    ]
    values = {"lever": "recommend", "arm": "treated", "slate": json.dumps(slate)}
    values |= {"placement": "home"} | more
    lake.add("answers", decision_id=name, answered_at=at, **values)


def click(lake: TinyLake, name: str, decision: str, at: str = NOON, **on: Any) -> None:
    values = {"kind": "click", "decision_id": decision, "occurred_at": at}
    lake.add("events", event_id=name, **values, **on)


def votes(lake: TinyLake, until: date = END) -> Votes:
    lake.write()
    with lake.shop.lake.attached(read_only=True) as con:
        return read_votes(con, shared(), lake.shop.settings, until=until)


def test_clicks_vote_once_a_slot_and_people_are_told_apart(tmp_path: Path) -> None:
    lake = TinyLake(tmp_path)
    answer(lake, "arm", visitor_id="v")
    click(lake, "1", "arm", product_id="b")
    click(lake, "2", "arm", product_id="b")
    click(lake, "3", "arm", position=4)  # place alone is told
    click(lake, "4", "arm", product_id="c")
    answer(lake, "control", customer_id="ann")
    click(lake, "5", "control", product_id="c", position=3)
    answer(lake, "nobody's", visitor_id="w")
    click(lake, "6", "nobody's", product_id="a")
    answer(lake, "unseen", visitor_id="w")
    answer(lake, "search", placement="search", visitor_id="x")
    click(lake, "7", "search", position=2)  # may be of a later page
    answer(lake, "elsewhere", visitor_id="x")
    click(lake, "8", "elsewhere", product_id="z")
    lake.add(
        "events", event_id="9", kind="view", occurred_at=NOON, visitor_id="v",
        customer_id="ann",
    )  # fmt: skip
    found = votes(lake)
    assert (found.votes, found.people, len(found.who)) == (4, 1, 6)
    assert set(found.who) == {"c:ann", "v:w", "v:x"}
    pairs = zip(found.arm.tolist(), found.control.tolist(), strict=True)
    assert sorted(pairs) == [(0, 0)] * 4 + [(0, 1), (2, 1)]


def test_what_is_not_of_the_test_does_not_count(tmp_path: Path) -> None:
    lake = TinyLake(tmp_path)
    early, late = "2026-03-01 12:00:00", "2026-05-01 12:00:00"
    answer(lake, "before", at=early)
    click(lake, "1", "before", at=NOON, product_id="b")
    answer(lake, "after", at=late)
    click(lake, "2", "after", at=late, product_id="b")
    answer(lake, "left", arm="holdout")
    click(lake, "3", "left", product_id="b")
    answer(lake, "other", lever="search")
    click(lake, "4", "other", product_id="b")
    plain = json.dumps([{"product_id": "b", "propensity": 1.0}])
    answer(lake, "plain", slate=plain)
    click(lake, "5", "plain", product_id="b")
    answer(lake, "broken", slate='[{"team": 3')
    answer(lake, "told", visitor_id="v")
    click(lake, "6", "told", at=late, product_id="b")  # opened after the last day
    found = votes(lake)
    assert (len(found.who), found.votes, found.unread) == (1, 0, 1)


def filled(
    folder: Path, *, better: float, people: int = 150, days: int = 56
) -> TinyLake:
    """Return a shop whose people click the arm's slots more often by a share."""
    lake = TinyLake(folder)
    rng = np.random.default_rng(5)
    for number in range(people * 4):
        day = START + timedelta(days=int(rng.integers(0, days)))
        at, name = f"{day} 12:00:00", f"d{number:04}"
        answer(lake, name, at=at, customer_id=f"C{number % people:03}")
        for slot, (product, team) in enumerate(LISTED):
            chance = 0.2 * (1 + (better if team == "arm" else 0))
            if rng.random() < chance:
                click(lake, f"{name}-{slot}", name, at=at, product_id=product)
    # The shop's facts reach to the end, and its past has orders.
    lake.sale("o1", "p", f"{START - timedelta(days=60)} 12:00:00", customer="ann")
    lake.sale("o2", "p", f"{END} 20:00:00", customer="ann")
    lake.write()
    return lake


def test_a_look_tells_which_ranking_is_preferred(tmp_path: Path) -> None:
    lake = filled(tmp_path, better=1.5)
    found = look(lake.shop, shared(), END)
    (one,) = found.comparisons
    assert (one.metric, one.method, found.final) == ("preference", "interleave", True)
    assert one.low > 0
    assert one.relative == pytest.approx(one.effect / 0.5)
    assert found.sentence.startswith("preference with treated against control is high")
    assert found.units["people"] <= 150 < found.units["votes"]
    running = look(lake.shop, shared(), START + timedelta(days=27))
    assert running.close == ""
    assert "no verdict before" in running.sentence
    assert running.comparisons[0].method.startswith("always-valid")
    early = look(lake.shop, shared(stop="always-valid"), END)
    assert early.close == "decided"


def test_too_few_people_are_told_and_a_plan_reads_past_clicks(tmp_path: Path) -> None:
    lake = filled(tmp_path / "many", better=0.0)
    today = END
    later = shared(
        starts_on=today + timedelta(days=1), ends_on=today + timedelta(days=56)
    )
    told = plan(lake.shop, later, today)
    assert told.units["people"] == pytest.approx(150, abs=5)
    # 2.8 standard errors of half a click a person, as a share of one half.
    assert told.detectable == pytest.approx(2.8 / np.sqrt(150), rel=0.1)
    assert told.cost_minor is None
    few = filled(tmp_path / "few", better=0.0, people=LEAST_CUSTOMERS - 5)
    said = look(few.shop, shared(), END).sentence
    assert said.startswith("Not yet: preference")
    assert f"{LEAST_CUSTOMERS} are needed" in said
    unknown = plan(few.shop, later, today)
    assert unknown.detectable is None
    assert "people clicked what recommend answered" in unknown.sentence


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"option": "", "control_value": None, "arm_value": None}, "option is missing"),
        ({"metric": "margin"}, "metric is 'margin' with the unit 'answer'"),
        ({"mode": "sandbox", "budget_minor": 100}, "mode is 'sandbox'"),
        ({"others": ("revenue",)}, "others names 1"),
        ({"unit": "customer"}, "metric is 'preference' with the unit 'customer'"),
        ({"lever": "price", "option": "step"}, "unit is 'answer'; expected one of"),
    ],
)
def test_what_cannot_be_interleaved_is_refused(
    changes: dict[str, Any], said: str
) -> None:
    today = START - timedelta(days=1)
    with pytest.raises(Misuse) as error:
        check_terms(shared(**changes), levers=["recommend", "price"], today=today)
    assert said in error.value.message
    good = shared(stop="always-valid")
    assert check_terms(good, levers=["recommend"], today=today) == good


def test_nobody_is_left_alone_or_in_one_arm() -> None:
    trial = shared().trial()
    force = InForce(day=START, trials=(trial,))
    assert force.interleaving("recommend") == trial
    assert force.interleaving("search") is None
    assert InForce(day=END + timedelta(days=1), trials=(trial,)).interleaving(
        "recommend"
    ) is None  # fmt: skip
    for who in map(str, range(50)):
        assert trial.arm_of(START, customer=who, visitor=who) is None
        assert not force.leaves_alone(who, "recommend", visitor=who)


def test_looking_every_day_does_not_invent_a_preference() -> None:
    """A/A with a look a day: at most 5 % of tests may ever say otherwise."""
    from cartwheel.measure.experiment.interleave import compare_rankings
    from cartwheel.measure.experiment.sequential import always_valid

    rng = np.random.default_rng(11)
    days, wrong, tests = 28, 0, 300
    for _ in range(tests):
        people = rng.integers(0, 400, size=days * 30)
        taste = rng.normal(0, 0.3, 400)
        chance = 1 / (1 + np.exp(-taste[people]))
        arm = rng.random(len(people)) < chance
        for day in range(4, days + 1):
            seen = slice(0, day * 30)
            found = compare_rankings(arm[seen], ~arm[seen], people[seen])
            if always_valid(found, planned=days, now=day).decided:
                wrong += 1
                break
    # 5 % of 300 is 15 with a standard deviation of 3.8.
    assert wrong <= 23
