"""Tests by visitor: devices drawn, their owners' orders joined, both arms counted."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cartwheel.measure.assign import in_holdout, looker_held_out
from cartwheel.measure.experiment.look import look
from cartwheel.measure.experiment.plan import plan
from cartwheel.measure.experiment.terms import Terms, check_terms
from cartwheel.measure.experiment.trial import CONTROL, TREATED, InForce
from cartwheel.measure.experiment.visitors import Visitors, read_visitors
from cartwheel.settings import Holdout
from cartwheel.shop import open_shop
from tests.contract.tiny_lake import TinyLake
from tests.measure.experiment.made import END, START, terms

NOBODY_LEFT = Holdout(share_bps=0, levers={"recommend": 0})


def by_visitor(**changes: object) -> Terms:
    return terms(name="devices", lever="recommend", unit="visitor", **changes)


def device(arm: str, number: int = 0) -> str:
    """Return the n-th device drawn to an arm."""
    trial = by_visitor().trial()
    found = (f"d{i}" for i in range(10_000))
    own = [
        d
        for d in (next(found) for _ in range(200))
        if trial.arm_of(START, visitor=d) == arm
    ]
    return own[number]


def read(lake: TinyLake, until: date = END) -> Visitors:
    lake.write()
    settings = lake.shop.settings.model_copy(update={"holdout": NOBODY_LEFT})
    with lake.shop.lake.attached(read_only=True) as con:
        return read_visitors(
            con, by_visitor(), settings, until=until, metrics=["revenue", "orders"]
        )


def view(
    lake: TinyLake, name: str, at: str, who: str, customer: str | None = None
) -> None:
    lake.add(
        "events",
        event_id=name,
        kind="view",
        occurred_at=at,
        visitor_id=who,
        customer_id=customer,
    )


def test_an_order_belongs_to_the_device_its_customer_was_last_seen_on(
    tmp_path: Path,
) -> None:
    lake = TinyLake(tmp_path)
    one, other = device(TREATED), device(CONTROL)
    view(lake, "e0", "2026-02-01 10:00:00", one, "ann")
    view(lake, "e1", "2026-03-03 10:00:00", one)
    view(lake, "e2", "2026-03-05 10:00:00", other, "ann")
    view(lake, "e3", "2026-05-01 10:00:00", "late", "ann")
    lake.sale("before", "p", "2026-02-10 10:00:00", price=300, customer="ann")
    lake.sale("first", "p", "2026-03-04 10:00:00", price=1000, customer="ann")
    lake.sale("second", "p", "2026-03-06 10:00:00", price=500, customer="ann")
    lake.sale("third", "p", "2026-03-07 10:00:00", price=70, customer="ann")
    lake.sale("unseen", "p", "2026-03-07 10:00:00", price=9, customer="bob")
    lake.sale("guest", "p", "2026-03-07 10:00:00", price=9)
    lake.sale("void", "p", "2026-03-07 10:00:00", customer="ann", status="cancelled")
    found = read(lake)
    group = dict(zip(found.group.names, found.group.during["revenue"], strict=True))
    assert group == {one: 1000.0, other: 570.0}
    assert found.group.during["orders"].sum() == 3
    before = dict(zip(found.group.names, found.group.before["revenue"], strict=True))
    assert before == {one: 300.0, other: 0.0}
    assert (found.orders, found.joined) == (5, 3)
    arms = dict(zip(found.group.names, found.group.treated.tolist(), strict=True))
    assert arms == {one: True, other: False}
    # Seen signed in on both since the start? On one of them before it only.
    assert found.shared == 0
    view(lake, "e4", "2026-03-06 12:00:00", one, "ann")
    again = read(lake)
    assert again.shared == 2
    moved = dict(zip(again.group.names, again.group.during["revenue"], strict=True))
    assert moved == {one: 1070.0, other: 500.0}, "the third order, and nobody moved"


def test_devices_of_held_out_customers_take_no_part(tmp_path: Path) -> None:
    lake = TinyLake(tmp_path)
    half = Holdout(share_bps=5_000, levers={})
    held = next(c for c in map(str, range(99)) if in_holdout(c, 0.5, half.salt))
    view(lake, "e0", "2026-02-01 10:00:00", "d1", held)
    view(lake, "e1", "2026-03-03 10:00:00", "d1")
    view(lake, "e2", "2026-03-03 10:00:00", "d2", held)  # since the start: drawn
    lake.write()
    settings = lake.shop.settings.model_copy(update={"holdout": half})
    with lake.shop.lake.attached(read_only=True) as con:
        found = read_visitors(
            con, by_visitor(), settings, until=END, metrics=["orders"]
        )
    assert found.group.names == ("d2",)


@pytest.fixture(scope="module")
def lifted(tmp_path_factory: pytest.TempPathFactory) -> TinyLake:
    """400 devices, half of them with an owner who is seen signed in; +80 %."""
    lake = TinyLake(tmp_path_factory.mktemp("visitors"))
    rng = np.random.default_rng(4)
    trial = by_visitor().trial()
    for n in range(400):
        name, who = f"d{n}", f"c{n}" if n % 2 else None
        for back in (-30, 3):
            at = START + timedelta(days=back)
            view(lake, f"e{n}-{back}", f"{at} 09:00:00", name, who)
            if who is None:
                continue
            lift = (
                1.8 if back > 0 and trial.arm_of(START, visitor=name) == TREATED else 1
            )
            lake.sale(
                f"o{n}-{back}",
                "p",
                f"{at} 10:00:00",
                price=round(rng.gamma(4.0, 500.0) * lift),
                customer=who,
            )
    lake.sale("guest", "p", f"{START} 10:00:00")
    lake.write()
    (lake.shop.folder / "cartwheel.toml").write_text(
        (lake.shop.folder / "cartwheel.toml").read_text()
        + "\n[holdout]\nshare_bps = 0\n[holdout.levers]\nrecommend = 0\n"
    )
    return lake


def test_a_look_tells_the_lift_per_visitor_and_what_could_not_be_joined(
    lifted: TinyLake,
) -> None:
    shop = open_shop(lifted.shop.folder)
    found = look(shop, by_visitor(), END)
    (one,) = found.comparisons
    assert sum(found.units.values()) == 400
    assert one.low < 0.8 * 1000 < one.high  # half of the visitors bought at 2,000
    assert one.low > 0
    assert "revenue with treated against control is higher" in found.sentence
    (lost,) = [c for c in found.checks if c.check == "orders_without_device"]
    assert "1 of 201 orders (0%)" in lost.message
    early = look(shop, by_visitor(stop="always-valid"), START + timedelta(days=9))
    assert early.comparisons[0].method.startswith("always-valid")


def test_a_plan_reads_the_past_as_if_devices_had_been_drawn(lifted: TinyLake) -> None:
    shop = open_shop(lifted.shop.folder)
    agreed = by_visitor(
        starts_on=START + timedelta(days=10), ends_on=START + timedelta(days=65)
    )
    told = plan(shop, agreed, START + timedelta(days=9))
    assert sum(told.units.values()) == 400
    assert told.detectable is not None
    assert told.cost_minor is not None


@given(st.text(min_size=1, max_size=12), st.text(min_size=1, max_size=12))
def test_the_storefront_draws_by_device_whoever_is_signed_in(
    visitor: str, customer: str
) -> None:
    trial = by_visitor().trial()
    force = InForce(day=START, trials=(trial,))
    held = trial.arm_of(START, visitor=visitor) == CONTROL
    for who in (None, customer):
        assert held == looker_held_out(
            who, visitor, model=None, holdout=NOBODY_LEFT, trials=force
        )
        assert not looker_held_out(
            who, None, model=None, holdout=NOBODY_LEFT, trials=force
        )
    assert trial.arm_of(START, customer=customer) is None


def test_only_levers_that_meet_devices_can_be_tested_by_them() -> None:
    today = START - timedelta(days=1)
    assert check_terms(by_visitor(), levers=["recommend"], today=today)
    wrong = by_visitor(metric="units")
    with pytest.raises(Exception, match="visitors are compared by margin"):
        check_terms(wrong, levers=["recommend"], today=today)
    with pytest.raises(Exception, match="unit is 'visitor'"):
        check_terms(terms(unit="visitor"), levers=["lifecycle"], today=today)
