"""Stable assignment of people to the holdout."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cartwheel.levers.base import Model
from cartwheel.measure.assign import (
    holdout_mask,
    in_holdout,
    looker_held_out,
    unit_position,
)
from cartwheel.measure.experiment.trial import InForce, Trial
from cartwheel.settings import Holdout


def test_a_known_person_keeps_a_known_place() -> None:
    # Pinned: a change here would silently move people between arms.
    assert unit_position("customer-1", "wheel") == 0.30138705820197864


def test_the_share_is_kept() -> None:
    held = holdout_mask((f"c{i}" for i in range(40_000)), 0.05, "wheel")
    # 5 % of 40,000 is 2,000 with a standard deviation of 44.
    assert abs(int(held.sum()) - 2000) < 4 * 44


@given(st.text(), st.floats(0, 1), st.floats(0, 1))
def test_raising_the_share_only_adds_people(unit: str, one: float, two: float) -> None:
    small, large = sorted((one, two))
    assert not in_holdout(unit, small, "s") or in_holdout(unit, large, "s")


def test_another_salt_is_another_draw() -> None:
    units = [f"c{i}" for i in range(5000)]
    one, two = holdout_mask(units, 0.5, "a"), holdout_mask(units, 0.5, "b")
    assert abs(np.corrcoef(one, two)[0, 1]) < 0.06


IDS = st.text("abcd", min_size=1, max_size=3)


def knowing(owners: dict[str, str]) -> Model:
    """Return a model that knows whose these devices are."""
    devices = sorted(owners)
    arrays = {
        "device": np.array(devices, dtype=str),
        "device_owner": np.array([owners[d] for d in devices], dtype=str),
    }
    return Model(rule="tested", arrays=arrays)


@given(st.dictionaries(IDS, IDS), IDS, st.none() | IDS, st.integers(0, 5_000))
def test_a_signed_in_customer_is_assigned_by_their_id_alone(
    owners: dict[str, str], customer: str, device: str | None, bps: int
) -> None:
    holdout = Holdout(share_bps=bps, levers={})
    held = in_holdout(customer, bps / 10_000, holdout.salt)
    for model in (knowing(owners), None):
        found = looker_held_out(customer, device, model=model, holdout=holdout)
        assert found is held


@given(st.dictionaries(IDS, IDS), IDS, st.integers(0, 5_000))
def test_a_device_is_assigned_with_its_customer_and_else_with_nobody(
    owners: dict[str, str], device: str, bps: int
) -> None:
    holdout = Holdout(share_bps=bps, levers={})
    owner = owners.get(device)
    found = looker_held_out(None, device, model=knowing(owners), holdout=holdout)
    assert found is (
        owner is not None and in_holdout(owner, bps / 10_000, holdout.salt)
    )


def test_nobody_is_held_out_of_whom_nothing_is_known() -> None:
    half = Holdout(share_bps=5_000, levers={})
    anna = next(n for n in map(str, range(99)) if in_holdout(n, 0.5, half.salt))
    model = knowing({"d1": anna})
    assert looker_held_out(None, "d1", model=model, holdout=half)
    assert not looker_held_out(None, None, model=model, holdout=half)
    assert not looker_held_out(None, "d1", model=None, holdout=half)
    # A third party's lever may keep no devices.
    plain = Model(rule="tested")
    assert not looker_held_out(None, "d1", model=plain, holdout=half)


def test_a_period_holds_whoever_looks_and_a_test_of_customers_only_them() -> None:
    nobody = Holdout(share_bps=0, levers={})
    start = date(2026, 3, 2)
    for unit in ("period", "customer"):
        trial = Trial(
            name="t",
            lever="recommend",
            unit=unit,
            salt="experiment/t",
            control_share=0.5,
            starts_on=start,
            ends_on=start + timedelta(days=55),
        )
        held = []
        for week in range(8):
            day = start + timedelta(days=7 * week)
            found = InForce(day=day, trials=(trial,))
            held.append(
                looker_held_out(None, "d1", model=None, holdout=nobody, trials=found)
            )
        assert held.count(True) == (4 if unit == "period" else 0)
