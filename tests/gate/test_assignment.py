"""Rule 5: the wheel's holdout, a lever's own, and an experiment's control."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from cartwheel.gate.assignment import assignment
from cartwheel.gate.base import Candidate, Verdict
from cartwheel.levers.base import Decision
from cartwheel.measure.assign import held_out_by, held_out_of, in_holdout
from cartwheel.measure.experiment.trial import CONTROL, Trial
from cartwheel.settings import Holdout, Settings
from tests.gate.test_people_and_stock import context, variant

DAY = date(2026, 3, 2)
HOLDOUT = Holdout(share_bps=1_000, levers={"lifecycle": 2_000, "price": 2_000})
CUSTOMERS = [f"c{i}" for i in range(400)]


def about(subject: str, lever: str) -> Candidate:
    decision = Decision(kind="k", subject=subject, action={}, reason="test")
    return Candidate(lever=lever, decision=decision, body="")


def passed(*subjects: str, lever: str, **changes: object) -> Verdict:
    settings = Settings(currency="EUR", holdout=HOLDOUT)
    made = context(settings=settings, day=DAY)
    return assignment([about(s, lever) for s in subjects], replace(made, **changes))  # type: ignore[arg-type]


def test_each_lever_leaves_its_own_customers_alone() -> None:
    subjects = [f"customer:{c}" for c in CUSTOMERS]
    offers = passed(*subjects, lever="lifecycle")
    others = passed(*subjects, lever="another")
    wheel = {c for c in CUSTOMERS if in_holdout(c, 0.1, "wheel")}
    held = {r.candidate.subject_id for r in offers.refused}
    assert wheel < held
    assert 0.15 < (len(held) - len(wheel)) / (400 - len(wheel)) < 0.25
    assert {r.candidate.subject_id for r in others.refused} == wheel
    reasons = {r.reason for r in offers.refused}
    assert reasons == {
        "in the holdout of 10.0% of customers",
        "in the holdout of 20.0% of customers of lifecycle",
    }
    assert {r.state for r in offers.refused} == {"held_out"}


def test_variants_of_a_product_are_held_out_together() -> None:
    product = next(p for p in CUSTOMERS if held_out_by(p, "price", HOLDOUT))
    variants = {"a": variant(product), "b": variant(product), "c": variant("free")}
    found = passed("variant:a", "variant:b", lever="price", variants=variants)
    assert [r.candidate.subject_id for r in found.refused] == ["a", "b"]
    assert found.passed == []
    # Without a holdout of its own a lever acts on every product.
    assert passed("variant:a", lever="replenish", variants=variants).refused == []


def test_an_experiment_holds_back_its_control_only() -> None:
    trial = Trial(
        name="t",
        lever="lifecycle",
        unit="customer",
        salt="experiment/t",
        control_share=0.5,
        starts_on=DAY,
        ends_on=DAY,
    )
    subjects = [f"customer:{c}" for c in CUSTOMERS]
    found = passed(*subjects, lever="lifecycle", trials=(trial,))
    by_test = {
        r.candidate.subject_id for r in found.refused if "experiment" in r.reason
    }
    for candidate in found.passed:
        assert trial.arm_of(DAY, customer=candidate.subject_id) != CONTROL
    assert by_test
    assert all(trial.arm_of(DAY, customer=c) == CONTROL for c in by_test)
    assert passed(*subjects, lever="price", trials=(trial,)).passed


def test_an_experiment_by_place_holds_back_who_lives_there() -> None:
    trial = Trial(
        name="t",
        lever="lifecycle",
        unit="geography",
        salt="experiment/t",
        control_share=0.5,
        starts_on=DAY,
        ends_on=DAY,
        places=("North", "South"),
    )
    lives = {c: ("North", "South", "West")[n % 3] for n, c in enumerate(CUSTOMERS)}
    subjects = [f"customer:{c}" for c in [*CUSTOMERS, "nowhere"]]
    found = passed(*subjects, lever="lifecycle", trials=(trial,), places=lives)
    left = {r.candidate.subject_id for r in found.refused if "experiment" in r.reason}
    assert left
    (control,) = [p for p, treated in trial.treated_places.items() if not treated]
    assert {lives[c] for c in left} == {control}
    for candidate in found.passed:
        assert lives.get(candidate.subject_id) != control


@given(st.text(min_size=1), st.integers(0, 5_000), st.integers(0, 5_000))
def test_a_larger_share_never_lets_anybody_go(unit: str, one: int, other: int) -> None:
    small, large = sorted((one, other))
    before = Holdout(share_bps=0, levers={"x": small})
    after = Holdout(share_bps=0, levers={"x": large})
    if held_out_of(unit, "x", before) == "x":
        assert held_out_of(unit, "x", after) == "x"
