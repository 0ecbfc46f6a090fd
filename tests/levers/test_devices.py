"""Whose device it is, by a published model; and what a held-out device is shown."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cartwheel.levers.base import Model, Request
from cartwheel.levers.recommend.devices import device_arrays, owner_of
from cartwheel.levers.recommend.lever import Recommend
from cartwheel.levers.recommend.reader import numbers
from cartwheel.measure.assign import in_holdout, looker_held_out
from cartwheel.settings import Holdout
from cartwheel.signals.base import Signals
from cartwheel.signals.customers import CONSENT
from cartwheel.signals.interest import IDENTITY, INTEREST
from tests.levers.made import (
    empty_signals,
    for_lever,
    made_signals,
    replace,
    with_looks,
)

LEVER = Recommend()
VISITORS = 90
HOLDOUT = Holdout(share_bps=4_000, levers={})
IDS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=5)


@pytest.fixture(scope="module")
def shop() -> Signals:
    data = with_looks(made_signals(customers=120, products=20), visitors=VISITORS)
    return for_lever(LEVER, data)


@pytest.fixture(scope="module")
def model(shop: Signals) -> Model:
    return LEVER.learn(shop, None, seed=1)


def owners_of(data: Signals) -> dict[str, str]:
    frame = data.frame(IDENTITY)
    return dict(zip(frame["visitor_id"], frame["customer_id"], strict=True))


@given(st.dictionaries(IDS, IDS), IDS)
def test_every_device_finds_its_owner_and_no_other_does(
    owners: dict[str, str], stranger: str
) -> None:
    rows = {"visitor_id": list(owners), "customer_id": list(owners.values())}
    data = replace(empty_signals(), IDENTITY, pd.DataFrame(rows))
    model = Model(rule="tested", arrays=device_arrays(data))
    assert {d: owner_of(model, d) for d in owners} == owners
    assert owner_of(model, stranger) == owners.get(stranger)
    assert owner_of(model, "longer than any of them") is None


@given(
    st.integers(0, VISITORS + 20),
    st.none() | st.integers(0, 119),
    st.sampled_from(["home", "product", "cart", "email"]),
    st.lists(st.integers(0, 19), max_size=4),
    st.integers(0, 99),
)
def test_a_device_is_shown_bestsellers_only_if_its_customer_is_left_alone(
    shop: Signals,
    model: Model,
    device: int,
    signed_in: int | None,
    placement: str,
    seen: list[int],
    draw: int,
) -> None:
    visitor = f"w{device:04d}"
    customer = None if signed_in is None else f"c{signed_in:05d}"
    context = tuple(f"p{n:04d}" for n in seen)
    answer = LEVER.answer(
        model,
        Request(
            placement=placement,
            customer=customer,
            visitor=visitor,
            context=context,
            limit=6,
            holdout=looker_held_out(customer, visitor, model=model, holdout=HOLDOUT),
        ),
        rng=np.random.default_rng(draw),
    )
    who = customer or owners_of(shop).get(visitor)
    held = who is not None and in_holdout(who, 0.4, HOLDOUT.salt)
    assert (answer.rule == "bestsellers") is held
    if held:
        order = model.arrays["product_id"][model.arrays["bestsellers"]].tolist()
        met = set(context) if placement in ("product", "cart") else set()
        met |= answer.kept_from  # open returns are shown to nobody
        plain = [name for name in order if name not in met][:6]
        assert [slot.product_id for slot in answer.slots] == plain


def test_who_objects_is_left_alone_on_their_device_and_learned_from_nowhere(
    shop: Signals, model: Model
) -> None:
    device, customer = next(
        (d, c)
        for d, c in owners_of(shop).items()
        if in_holdout(c, 0.4, HOLDOUT.salt)
        and c in set(shop.frame(CONSENT)["customer_id"])
    )
    consent, looks = shop.frame(CONSENT), shop.frame(INTEREST)
    consent.loc[consent["customer_id"] == customer, "personalisation"] = False
    data = replace(shop, CONSENT, consent)
    # As the signal does at its source.
    data = replace(data, INTEREST, looks[looks["visitor_id"] != device])
    found = LEVER.learn(data, None, seed=1)
    assert owner_of(found, device) == customer
    assert looker_held_out(None, device, model=found, holdout=HOLDOUT)
    assert f"v:{device}" not in found.arrays["reader"].tolist()
    assert f"c:{customer}" not in found.arrays["reader"].tolist()


def test_the_fallback_knows_devices_too(shop: Signals) -> None:
    found = LEVER.fallback().model(shop)
    for device, customer in owners_of(shop).items():
        assert owner_of(found, device) == customer


def test_with_the_link_cut_no_device_is_known(shop: Signals) -> None:
    cut = shop.restricted([s.name for s in LEVER.reads], ["identity"])
    found = LEVER.learn(cut, None, seed=1)
    assert not any(owner_of(found, device) for device in owners_of(shop))


def test_a_mapped_model_tells_the_same(
    shop: Signals, model: Model, tmp_path: Path
) -> None:
    model.save(tmp_path / "model")
    mapped = Model.load(tmp_path / "model", mapped=True)
    for device, customer in owners_of(shop).items():
        assert owner_of(mapped, device) == customer


def test_an_id_longer_than_all_is_told_without_copying_all() -> None:
    names = np.array([f"d{n:035d}" for n in range(100_000)])
    assert numbers(names, [names[7], "x" * 4_000, names[9]]).tolist() == [7, 9]
    began = time.perf_counter()
    numbers(names, ["x" * 4_000] * 50)
    # Numpy would bring every name to the length of the longest: 1.6 GB, 50 times.
    assert time.perf_counter() - began < 1.0
