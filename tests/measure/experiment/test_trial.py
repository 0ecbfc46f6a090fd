"""Who is left alone by an experiment: stable, by unit, and as the terms say."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cartwheel.errors import Misuse
from cartwheel.measure.experiment.terms import Guard, Terms, check_terms
from cartwheel.measure.experiment.trial import (
    CONTROL,
    TREATED,
    InForce,
    Trial,
    left_alone_by,
)
from tests.measure.experiment.made import END, PRODUCTS, START, terms

LEVERS = ("lifecycle", "price", "recommend", "replenish")
TODAY = START - timedelta(days=1)
names = st.text(min_size=1, max_size=12)
days = st.integers(0, 55).map(lambda n: START + timedelta(days=n))


@given(names, days, days)
def test_a_customer_stays_in_the_arm(customer: str, one, other) -> None:
    trial = terms().trial()
    assert trial.arm_of(one, customer=customer) == trial.arm_of(
        other, customer=customer
    )
    assert trial.arm_of(one) is None  # nobody known takes no part
    assert trial.arm_of(END + timedelta(days=1), customer=customer) is None
    assert trial.arm_of(TODAY, customer=customer) is None


@given(names, st.floats(0.05, 0.95), st.floats(0.05, 0.95))
def test_a_larger_control_only_adds(customer: str, one: float, other: float) -> None:
    small, large = sorted((one, other))
    if terms(control_share=small).trial().arm_of(START, customer=customer) == CONTROL:
        larger = terms(control_share=large).trial()
        assert larger.arm_of(START, customer=customer) == CONTROL


def test_two_experiments_draw_independently() -> None:
    one, other = terms().trial(), terms(name="another").trial()
    both = [
        one.arm_of(START, customer=str(i)) == other.arm_of(START, customer=str(i))
        for i in range(2_000)
    ]
    assert 0.45 < sum(both) / 2_000 < 0.55


def test_periods_and_product_weeks_follow_their_designs() -> None:
    turns = terms(lever="price", unit="period").trial()
    weekly = [turns.arm_of(START + timedelta(days=7 * k)) for k in range(8)]
    assert sorted(weekly) == [CONTROL] * 4 + [TREATED] * 4
    rota = terms(lever="price", unit="product-week", products=PRODUCTS).trial()
    first = [rota.arm_of(START, product=p) for p in PRODUCTS]
    assert first.count(TREATED) == len(PRODUCTS) // 2
    assert rota.arm_of(START, product="newcomer") is None


def test_only_the_experiments_lever_is_held_back() -> None:
    trial = terms().trial()
    held = next(
        c for c in map(str, range(99)) if trial.arm_of(START, customer=c) == CONTROL
    )
    assert left_alone_by([trial], "lifecycle", START, customer=held) == trial.name
    assert left_alone_by([trial], "recommend", START, customer=held) is None
    told = json.loads(json.dumps({"day": str(START), "trials": [trial.to_json()]}))
    found = InForce.from_json(told)
    assert found is not None
    assert found.leaves_alone(held, "lifecycle")
    assert InForce.from_json({"day": str(START), "trials": []}) is None
    assert Trial.from_json(trial.to_json()) == trial


def test_terms_survive_storage_and_their_fingerprint_tells_any_change() -> None:
    agreed = terms(guards=(Guard(metric="orders", worst=0.2),), others=("orders",))
    again = Terms.from_json(json.loads(json.dumps(agreed.to_json())))
    assert again == agreed
    assert again.fingerprint == agreed.fingerprint
    assert terms(metric="margin").fingerprint != terms().fingerprint
    assert terms(wanted=0.11).fingerprint != terms().fingerprint


def test_the_last_day_is_fitted_to_whole_pairs() -> None:
    late = END + timedelta(days=5)
    found = check_terms(
        terms(lever="price", unit="period", ends_on=late), levers=LEVERS, today=TODAY
    )
    assert found.ends_on == END
    rota = terms(lever="price", unit="product-week", products=PRODUCTS, ends_on=late)
    assert check_terms(rota, levers=LEVERS, today=TODAY).ends_on == END


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"name": "Has Spaces"}, "name is 'Has Spaces'"),
        ({"name": "../etc"}, "name is"),
        ({"question": " "}, "question has"),
        ({"lever": "magic"}, "lever is 'magic'"),
        ({"unit": "product"}, "unit is 'product'; expected one of customer, period"),
        ({"metric": "happiness"}, "metric is 'happiness'"),
        ({"metric": "units"}, "metric is 'units'"),
        ({"stop": ""}, "stop is ''; expected one of fixed, always-valid"),
        ({"mode": ""}, "mode is ''"),
        ({"mode": "sandbox"}, "has no budget"),
        ({"mode": "sandbox", "budget_minor": -5}, "budget is -5"),
        ({"wanted": 0.0}, "wanted is 0"),
        ({"control_share": 1.0}, "control_share is 1"),
        ({"starts_on": TODAY}, "starts_on is"),
        ({"ends_on": START - timedelta(days=3)}, "expected 1 to 400 days"),
        ({"ends_on": START + timedelta(days=999)}, "expected 1 to 400 days"),
        ({"others": ("revenue",)}, "others names a metric twice"),
        ({"guards": (Guard(metric="orders", worst=2.0),)}, "the guard of orders is 2"),
        (
            {"lever": "price", "unit": "period", "stop": "always-valid"},
            "stop is 'always-valid' with the unit",
        ),
        (
            {"lever": "price", "unit": "period", "ends_on": START + timedelta(days=9)},
            "expected 4 or more",
        ),
        ({"lever": "price", "unit": "product-week"}, "0 products"),
        ({"lever": "price", "unit": "product", "metric": "orders"}, "metric is 'ord"),
    ],
)
def test_terms_that_cannot_be_carried_out_are_refused(changes, said: str) -> None:
    with pytest.raises(Misuse) as error:
        check_terms(terms(**changes), levers=LEVERS, today=TODAY)
    assert said in error.value.message
    assert error.value.next_step
