"""A turn pins the experiments that run, acts by them and looks at them."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from cartwheel.api.recommendations import Wanted, make_question
from cartwheel.api.serving import read_trials
from cartwheel.ledger.store import list_decisions
from cartwheel.measure.experiment.store import create, find, running_trials
from cartwheel.measure.experiment.terms import Terms
from cartwheel.measure.experiment.trial import CONTROL
from cartwheel.settings import Holdout
from cartwheel.turn.publish import published_turn
from cartwheel.turn.workflow import run_turn
from tests.turned import SECOND_DAY, Turned, copy_of

DAY = SECOND_DAY + timedelta(days=1)


def terms(name: str, lever: str) -> Terms:
    return Terms(
        name=name,
        question="What is it worth?",
        lever=lever,
        unit="customer",
        metric="revenue",
        wanted=0.1,
        stop="fixed",
        starts_on=DAY,
        ends_on=DAY + timedelta(days=27),
        mode="production",
    )


def test_a_turn_holds_back_the_control_and_keeps_to_what_it_pinned(
    turned: Turned, tmp_path: Path
) -> None:
    shop = copy_of(turned.folder, tmp_path / "shop")
    create(shop.database, terms("offers", "lifecycle"), actor="ann")
    create(shop.database, terms("slots", "recommend"), actor="ann")
    run_turn(shop, as_of=SECOND_DAY)
    number = published_turn(shop)
    assert number is not None
    trials = {trial.name: trial for trial in running_trials(shop.database, DAY)}
    assert set(trials) == {"offers", "slots"}
    held = [
        entry
        for entry in list_decisions(
            shop.database, turn=number, state="held_out", limit=None
        )
        if entry.refusal is not None and "experiment" in entry.refusal["reason"]
    ]
    assert {entry.lever for entry in held} >= {"lifecycle"}
    for entry in held:
        trial = trials["offers" if entry.lever == "lifecycle" else "slots"]
        assert entry.refusal is not None
        assert entry.refusal["reason"] == f"left alone by the experiment {trial.name}"
        customer = entry.subject.partition(":")[2]
        assert trial.arm_of(DAY, customer=customer) == CONTROL
    # The storefront goes by what this turn was pinned with.
    in_force = read_trials(shop.turn_folder(number))
    assert in_force is not None
    nobody = Holdout(share_bps=0, levers={})
    for customer in ("ann", "bob", "cleo", "dan", "eve"):
        question = make_question(
            Wanted(placement="home", customer=customer),
            model=None,
            holdout=nobody,
            trials=in_force,
        )
        arm = trials["slots"].arm_of(DAY, customer=customer)
        assert question.holdout is (arm == CONTROL)
    # It looked from the day before the start: there is nothing to see yet.
    assert find(shop.database, "offers").standing is None
    run_turn(shop, as_of=DAY)
    standing = find(shop.database, "offers").standing
    assert standing is not None
    assert standing["days_over"] == 1


def test_turns_before_and_after_an_experiment_are_untouched(turned: Turned) -> None:
    shop = turned.shop
    number = published_turn(shop)
    assert number is not None
    assert read_trials(shop.turn_folder(number)) is None
    assert read_trials(shop.folder / "nowhere") is None
