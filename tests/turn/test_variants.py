"""Arms that differ in an option: decided twice, picked by arm, recorded, replayed."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cartwheel.api.recommendations import answer_row
from cartwheel.api.serving import ask, find_lever, load_published, make_decision_id
from cartwheel.errors import Misuse
from cartwheel.ledger.replay import replay
from cartwheel.ledger.store import list_decisions
from cartwheel.levers.base import Decision, Request
from cartwheel.measure.experiment.options import option_trial, with_arm
from cartwheel.measure.experiment.store import create
from cartwheel.measure.experiment.terms import Terms, check_terms
from cartwheel.measure.experiment.trial import (
    CONTROL,
    TREATED,
    InForce,
    Trial,
    left_alone_by,
)
from cartwheel.turn.publish import published_turn
from cartwheel.turn.variants import Subjects, picked
from cartwheel.turn.workflow import run_turn
from tests.levers.made import made_context
from tests.turned import SECOND_DAY, Turned, copy_of

DAY = SECOND_DAY + timedelta(days=1)


def terms(lever: str, option: str, control: float, arm: float, **more: object) -> Terms:
    values = {
        "name": f"{lever}-option",
        "question": "Which value earns more?",
        "lever": lever,
        "unit": "customer",
        "metric": "revenue",
        "wanted": 0.1,
        "stop": "fixed",
        "starts_on": DAY,
        "ends_on": DAY + timedelta(days=27),
        "mode": "production",
        "option": option,
        "control_value": control,
        "arm_value": arm,
    }
    return Terms(**{**values, **more})  # type: ignore[arg-type]


def made(subject: str, value: int) -> Decision:
    return Decision(kind="k", subject=subject, action={"v": value}, reason="r")


@given(
    st.sets(st.text("abcdefgh", min_size=1, max_size=4), max_size=12),
    st.sets(st.text("abcdefgh", min_size=1, max_size=4), max_size=12),
    st.sampled_from(["customer", "product", "variant", "placement"]),
    st.sampled_from(["customer", "product"]),
)
def test_of_both_arms_decisions_the_subjects_own_stands(
    plain: set[str], arm: set[str], kind: str, unit: str
) -> None:
    trial = replace(terms("price", "step", 0.1, 0.2).trial(), unit=unit)
    subjects = Subjects(day=DAY, product_of={"a": "p", "b": "p"})
    found = picked(
        [made(f"{kind}:{name}", 0) for name in sorted(plain)],
        [made(f"{kind}:{name}", 1) for name in sorted(arm)],
        trial,
        subjects,
    )
    named = [one.subject for one, _ in found]
    assert len(named) == len(set(named)), "nobody is decided about twice"
    for one, treated in found:
        own = subjects.arm(trial, one.subject)
        assert one.action["v"] == treated == (own == TREATED)
        said = one.evidence.get("experiment")
        if own is None:
            assert said is None
        else:
            value = 0.2 if treated else 0.1
            assert said == {
                "name": trial.name,
                "arm": own,
                "option": "step",
                "value": value,
            }
    for name in plain & arm:
        assert f"{kind}:{name}" in named


def test_variants_of_a_product_share_its_arm() -> None:
    trial = replace(terms("price", "step", 0.1, 0.2).trial(), unit="product")
    subjects = Subjects(day=DAY, product_of={f"v{n}": "p" for n in range(9)})
    arms = {subjects.arm(trial, f"variant:v{n}") for n in range(9)}
    assert arms == {subjects.arm(trial, "product:p")}


def test_an_option_is_set_for_its_arm_alone() -> None:
    trial = terms("recommend", "slots", 10.0, 6.0).trial()
    shop = made_context(options={"recommend": {"slots": 8, "explore": 0.2}})
    control = with_arm(shop, trial, CONTROL).options["recommend"]
    treated = with_arm(shop, trial, TREATED).options["recommend"]
    assert control == {"slots": 10, "explore": 0.2}
    assert treated == {"slots": 6, "explore": 0.2}
    assert isinstance(treated["slots"], int)
    assert with_arm(shop, None, TREATED) is shop
    assert option_trial([trial], "recommend") is trial
    assert option_trial([trial], "price") is None
    # Nobody is left alone by it.
    for name in map(str, range(50)):
        assert left_alone_by([trial], "recommend", DAY, customer=name) is None


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"option": "magic"}, "option is 'magic'; expected one of popularity"),
        ({"control_value": None}, "control_value is None"),
        ({"arm_value": -1.0}, "arm_value is -1"),
        ({"arm_value": float("nan")}, "arm_value is nan"),
        ({"arm_value": 1.0}, "are both 1"),
        ({"option": ""}, "control_value is 1 and no option is named"),
    ],
)
def test_options_that_cannot_be_tested_are_refused(
    changes: dict[str, object], said: str
) -> None:
    asked = replace(terms("recommend", "margin_weight", 1.0, 0.5), **changes)  # type: ignore[arg-type]
    with pytest.raises(Misuse) as error:
        check_terms(asked, levers=["recommend"], today=SECOND_DAY)
    assert said in error.value.message
    good = terms("recommend", "margin_weight", 1.0, 0.5)
    assert check_terms(good, levers=["recommend"], today=SECOND_DAY) == good
    assert Terms.from_json(json.loads(json.dumps(good.to_json()))) == good
    assert Trial.from_json(good.trial().to_json()) == good.trial()


def test_a_turn_decides_for_both_arms_and_every_decision_replays(
    turned: Turned, tmp_path: Path
) -> None:
    shop = copy_of(turned.folder, tmp_path / "shop")
    offers = terms("lifecycle", "offer_bps", 1_000, 500)
    slots = terms("recommend", "margin_weight", 1.0, 0.0)
    create(shop.database, offers, actor="ann")
    create(shop.database, slots, actor="ann")
    run_turn(shop, as_of=SECOND_DAY)
    number = published_turn(shop)
    assert number is not None
    entries = list_decisions(shop.database, turn=number, limit=None)
    told = [e for e in entries if "experiment" in e.evidence]
    assert {e.lever for e in told} == {"lifecycle", "recommend"}
    arms = {(e.lever, e.evidence["experiment"]["arm"]) for e in told}
    assert len(arms) == 4
    trials = {"lifecycle": offers.trial(), "recommend": slots.trial()}
    for entry in told:
        said = entry.evidence["experiment"]
        customer = entry.subject.partition(":")[2]
        assert said["arm"] == trials[entry.lever].arm_of(DAY, customer=customer)
        if entry.kind == "winback" and entry.action["offer"] == "discount":
            expected = 500 if said["arm"] == TREATED else 1_000
            assert entry.action["discount_bps"] == expected
    assert len({e.subject for e in told if e.kind == "winback"}) == len(
        [e for e in told if e.kind == "winback"]
    )
    chosen = [e.id for e in told if e.lever == "lifecycle"][:40]
    chosen += [e.id for e in told if e.lever == "recommend"][:40]
    chosen += [e.id for e in entries if "experiment" not in e.evidence][:40]
    assert all(one.identical for one in replay(shop, chosen))
    # The storefront answers each arm from its own model, and says which.
    folder = shop.turn_folder(number) / "models" / "recommend"
    published = load_published(number, folder, find_lever())
    assert published.arm_model is not None
    assert published.arm_model.fingerprint() != published.model.fingerprint()
    for customer in map(str, range(6)):
        question = Request(placement="home", customer=customer)
        served = ask(published, question, make_decision_id())
        arm = slots.trial().arm_of(DAY, customer=customer)
        assert served.option_arm == arm
        slate = json.loads(json.loads(answer_row("d", question, served).body)["slate"])
        assert {slot["arm"] for slot in slate} == {arm}
        model = published.arm_model if arm == TREATED else published.model
        first = published.lever.answer(
            model,
            replace(question, excluded=published.excluded),
            rng=np.random.default_rng(0),
        )
        shown = [slot.product_id for slot in served.answer.slots]
        assert shown[:-1] == [slot.product_id for slot in first.slots][:-1]
    held = ask(published, Request(placement="home", holdout=True), make_decision_id())
    assert held.option_arm == ""
    assert ask(published, Request(placement="home"), "d").option_arm == ""


def test_an_experiment_of_another_lever_moves_no_answer() -> None:
    force = InForce(day=date(2026, 1, 1), trials=())
    assert force.option_arm("ann", "recommend") is None
    trial = terms("price", "step", 0.1, 0.2).trial()
    assert InForce(day=DAY, trials=(trial,)).option_arm("ann", "recommend") is None


def test_a_turn_publishes_both_rankings_for_shared_lists(
    turned: Turned, tmp_path: Path
) -> None:
    shop = copy_of(turned.folder, tmp_path / "shop")
    slots = terms(
        "recommend", "margin_weight", 1.0, 0.0, unit="answer", metric="preference"
    )
    taste = terms("search", "boost", 0.3, 0.0, unit="answer", metric="preference")
    for one in (slots, taste):
        check_terms(one, levers=["recommend", "search"], today=SECOND_DAY)
        create(shop.database, one, actor="ann")
    run_turn(shop, as_of=SECOND_DAY)
    number = published_turn(shop)
    assert number is not None
    word = ""
    for lever in ("recommend", "search"):
        folder = shop.turn_folder(number) / "models" / lever
        published = load_published(number, folder, find_lever(lever))
        question = Request(placement="home", customer="1", limit=8)
        if lever == "search":
            question = Request(placement="search", query=word, visitor="v", limit=8)
        assert published.arm_model is not None
        served = ask(published, question, make_decision_id())
        shown = [slot.product_id for slot in served.answer.slots]
        assert shown
        assert len(shown) == len(set(shown)) == len(served.teams)
        tops = [
            published.lever.answer(
                model,
                replace(question, excluded=published.excluded),
                rng=np.random.default_rng(0),
            )
            .slots[0]
            .product_id
            for model in (published.model, published.arm_model)
        ]
        assert set(tops) <= set(shown[:2])
        assert published.cards is not None
        card = published.cards.find(shown[0])
        assert card is not None
        word = (card.title or "").split()[-1]
    # Decisions about customers are made with the control's value, for everybody.
    entries = list_decisions(shop.database, turn=number, limit=None)
    assert not [e for e in entries if "experiment" in e.evidence]
    assert all(
        one.identical
        for one in replay(shop, [e.id for e in entries if e.lever == "recommend"][:20])
    )


def test_a_link_is_cut_for_the_arm_alone_and_every_decision_replays(
    turned: Turned, tmp_path: Path
) -> None:
    shop = copy_of(turned.folder, tmp_path / "shop")
    link = "margin→recommend"
    asked = terms(
        "recommend", "", 0, 0, control_value=None, arm_value=None, link=link,
        control_share=0.5,
    )  # fmt: skip
    create(shop.database, asked, actor="ann")
    run_turn(shop, as_of=SECOND_DAY)
    number = published_turn(shop)
    assert number is not None
    entries = list_decisions(shop.database, turn=number, limit=None)
    told = [e for e in entries if "experiment" in e.evidence]
    assert {e.lever for e in told} == {"recommend"}
    said = [e.evidence["experiment"] for e in told]
    assert {(one["arm"], one["cut"]) for one in said} == {
        (CONTROL, False),
        (TREATED, True),
    }
    assert {one["link"] for one in said} == {link}
    assert all(one.identical for one in replay(shop, [e.id for e in entries][:80]))
    assert all(one.identical for one in replay(shop, [e.id for e in told][:80]))
    folder = shop.turn_folder(number) / "models" / "recommend"
    published = load_published(number, folder, find_lever())
    assert published.arm_model is not None
    assert published.arm_model.fingerprint() != published.model.fingerprint()
    served = [
        ask(published, Request(placement="home", customer=str(n)), "d").option_arm
        for n in range(30)
    ]
    assert set(served) == {CONTROL, TREATED}
