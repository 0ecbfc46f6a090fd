"""Seeded faults: what they damage, how worlds and kinds are paired, what is told."""

from __future__ import annotations

import pytest

from cartwheel.measure.health.spokes import find_faults
from cartwheel.simulator.faults.play import FIRST, LAST, Shop, Told, pair_of
from cartwheel.simulator.faults.seeded import FAULTS, SLOW, Fault, SlowSupplier
from cartwheel.simulator.faults.study import Study, text_study
from cartwheel.simulator.world.spec import WORLDS, Size, load_world
from cartwheel.simulator.world.world import View, World
from tests.measure.health.made import SINCE, look, make_shop

SMALL = Size(products=20, customers=200, warmup_days=5, days=60)
RECORDS = [one for one in FAULTS if one.damage is not None]


@pytest.mark.parametrize("fault", RECORDS, ids=lambda one: one.kind)
def test_damage_to_records_is_named_in_a_shop_made_by_hand(fault: Fault) -> None:
    con = make_shop()
    con.execute("DELETE FROM answers")  # worlds have none
    if fault.spoke == "prices":
        # Prices move daily, so that stale ones differ from the till's.
        con.execute(
            "INSERT INTO prices SELECT variant_id, placed_at - INTERVAL 1 MINUTE, "
            "1000 + day(placed_at), NULL, placed_at, placed_at, 'b', order_id "
            "FROM order_lines"
        )
        con.execute("UPDATE order_lines SET unit_price_minor = 1000 + day(placed_at)")
    assert fault.damage is not None
    fault.damage(con, SINCE)
    seen = frozenset(f"V{v}" for v in range(8))
    assert find_faults(look(con, costs_before=seen))[0].spoke == fault.spoke


def test_pairs_meet_in_every_way() -> None:
    pairs = [pair_of(seed) for seed in range(1, 45)]
    assert {(world, fault.kind) for world, fault in pairs} == {
        (world, fault.kind) for world in WORLDS for fault in FAULTS
    }
    assert pair_of(1) == pair_of(45)
    assert FIRST < 28 < LAST


def test_a_slow_supplier_takes_three_times_as_long_from_its_day_on() -> None:
    world = World(load_world("apparel"), SMALL, 1)
    usual, slow = world.suppliers, SlowSupplier(world.suppliers, 1, 20)
    for supplier in range(4):
        for day in (5, 19, 20, 40):
            times = SLOW if supplier == 1 and day >= 20 else 1
            expected = times * usual.lead_days(world.state, supplier, 0, day)
            assert slow.lead_days(world.state, supplier, 0, day) == expected


def test_a_silent_shop_agrees_on_mail_and_sends_none() -> None:
    world = World(load_world("apparel"), SMALL, 2)
    shop = Shop(8, 2)
    sent = []
    while world.day < 30:
        sent += [(world.day, mail) for mail in world.play_day(shop).mails]
    assert {day for day, _ in sent} <= {1}
    assert max(day for day, _ in shop.agreed) == 29
    world.facts.close()


def test_prices_are_reviewed_weekly_and_a_little() -> None:
    world = World(load_world("electronics"), SMALL, 1)
    shop = Shop(None, 1)
    changed = 0
    while world.day < 40:
        before = {a.variant_id: a.price_minor for a in View(world).articles()}
        prices = shop.morning(View(world)).prices_minor
        assert not prices or world.day % 7 == 3
        changed += len(prices)
        assert all(abs(p / before[v] - 1) <= 0.051 for v, p in prices.items())
        world.play_day(shop)
    assert changed > 0
    world.facts.close()


def test_a_study_tells_misses_and_alarms() -> None:
    told = Told(
        world="apparel",
        seed=1,
        fault="exposures lost",
        spoke="exposures",
        began=27,
        named=("events", "exposures"),
        first=False,
        says="",
    )
    found = Study(
        worlds=1,
        first=0,
        first_low=0.0,
        first_high=0.79,
        named=1,
        alarms=1,
        alarms_low=0.2,
        alarms_high=1.0,
        drifts=0,
        sick=(told,),
        healthy=(told,),
    )
    lines = text_study(found)
    assert lines[1].split()[:2] == ["apparel", "1"]
    assert lines[1].endswith("  events, exposures")
    assert lines[-2] == "Named first (*): 0 of 1 (0% to 79%); named at all: 1."
    assert lines[-1].startswith("False alarms: 1 of 1 healthy worlds (20% to 100%)")
