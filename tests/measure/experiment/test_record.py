"""From terms to verdict on a shop with a known lift: looks, stop rules, lessons."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from cartwheel.connectors.intake import append_harvest
from cartwheel.errors import Conflict, NotFound
from cartwheel.measure.experiment.lessons import in_their_light, lessons_of, page_of
from cartwheel.measure.experiment.look import look
from cartwheel.measure.experiment.plan import enrolled, plan
from cartwheel.measure.experiment.rounds import look_at_all, outlay
from cartwheel.measure.experiment.store import (
    close,
    create,
    find,
    list_experiments,
    looks,
    running_trials,
)
from cartwheel.measure.experiment.terms import Guard
from cartwheel.measure.experiment.trial import CONTROL, TREATED
from cartwheel.operations import decisions, transitions
from cartwheel.settings import Holdout
from cartwheel.shop import Shop
from cartwheel.simulator.sample import harvest
from tests.measure.experiment.made import (
    CUSTOMERS,
    END,
    PRODUCTS,
    START,
    shop_of,
    terms,
)

MIDDLE = START + timedelta(days=27)


@pytest.fixture(scope="module")
def lifted(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """Return a shop whose treated customers spend 60 % more."""
    return shop_of(tmp_path_factory.mktemp("lifted") / "shop", terms(), lift=0.6)


def test_the_last_look_tells_the_lift_and_an_early_one_does_not(lifted: Shop) -> None:
    early, last = look(lifted, terms(), MIDDLE), look(lifted, terms(), END)
    assert (early.final, last.final) == (False, True)
    assert early.close == ""
    assert "no verdict before" in early.sentence
    assert last.close == "end"
    assert "revenue with treated against control is higher" in last.sentence
    (found,) = last.comparisons
    assert found.relative is not None
    assert found.low < found.control_value * 0.6 < found.high
    # The early interval holds at every look: wider than its own day would be alone.
    assert early.comparisons[0].method.startswith("always-valid")
    assert look(lifted, terms(), END + timedelta(days=30)).to_json() == {
        **last.to_json(),
        "day": (END + timedelta(days=30)).isoformat(),
    }


def test_before_the_first_day_there_is_nothing_to_see(lifted: Shop) -> None:
    found = look(lifted, terms(), START - timedelta(days=1))
    assert (found.comparisons, found.days_over) == ((), 0)
    assert found.sentence == f"It begins on {START}."


def test_whom_a_holdout_leaves_alone_takes_no_part(lifted: Shop) -> None:
    held = lifted.settings.model_copy(
        update={"holdout": Holdout(share_bps=2_000, levers={"lifecycle": 1_000})}
    )
    fewer = look(replace(lifted, settings=held), terms(), END)
    assert sum(fewer.units.values()) < 250
    assert sum(look(lifted, terms(), END).units.values()) == 300


def test_an_always_valid_test_may_end_early(tmp_path: Path) -> None:
    agreed = terms(stop="always-valid", metric="orders")
    shop = shop_of(tmp_path / "shop", agreed)
    found = look(shop, agreed, END)
    assert found.comparisons[0].method.startswith("always-valid")
    create(shop.database, replace(agreed, metric="revenue"), actor="ann")
    assert look_at_all(shop, MIDDLE) == []
    assert find(shop.database, agreed.name).state == "running"


def test_a_broken_guard_stops_it(tmp_path: Path) -> None:
    agreed = terms(guards=(Guard(metric="revenue", worst=0.1),), metric="orders")
    shop = shop_of(tmp_path / "shop", agreed, lift=-0.9)
    create(shop.database, agreed, actor="ann")
    assert look_at_all(shop, END - timedelta(days=7)) == [agreed.name]
    record = find(shop.database, agreed.name)
    assert (record.state, record.closed_by) == ("stopped", "stop rule")
    assert record.standing is not None
    assert "revenue fell by more than the 10% allowed" in record.standing["sentence"]
    (lesson,) = lessons_of([record])
    assert lesson.outcome == "failed"


def test_periods_and_product_weeks_are_told_at_their_end(tmp_path: Path) -> None:
    for unit, products in (("period", ()), ("product-week", PRODUCTS)):
        agreed = terms(name=f"t-{unit}", lever="price", unit=unit, products=products)
        shop = shop_of(tmp_path / unit, agreed, lift=1.5, seed=3)
        found = look(shop, agreed, END)
        assert found.final
        (one,) = found.comparisons
        assert one.method in ("switchback", "product-week")
        assert one.low < one.control_value * 1.5 < one.high
        early = look(shop, agreed, START + timedelta(days=45))
        assert all(np.isinf(one.low) for one in early.comparisons)
        soon = look(shop, agreed, START + timedelta(days=3))
        assert soon.sentence.startswith("Not yet:")
        assert soon.comparisons == ()


def test_groups_of_the_wrong_size_hide_every_figure(lifted: Shop, monkeypatch) -> None:
    monkeypatch.setattr(
        "cartwheel.measure.experiment.look.sample_ratio", lambda *_: 1e-9
    )
    found = look(lifted, terms(), END)
    assert found.comparisons == ()
    assert found.sentence.startswith("No verdict:")
    assert found.checks[0].check == "sample_ratio"


def test_an_experiment_on_record(lifted: Shop) -> None:
    db = lifted.database
    create(db, terms(), actor="ann")
    with pytest.raises(Conflict, match="already"):
        create(db, terms(), actor="ann")
    with pytest.raises(Conflict, match="two at once"):
        create(db, terms(name="second", starts_on=END), actor="ann")
    create(db, terms(name="on-price", lever="price", unit="product"), actor="ann")
    assert [t.name for t in running_trials(db, MIDDLE)] == ["on-price", "winback-march"]
    assert running_trials(db, END + timedelta(days=1)) == ()
    assert look_at_all(lifted, START - timedelta(days=1)) == []
    assert look_at_all(lifted, MIDDLE) == []
    assert look_at_all(lifted, MIDDLE) == []  # a second look takes the first's place
    assert sorted(look_at_all(lifted, END)) == ["on-price", "winback-march"]
    record = find(db, "winback-march")
    assert record.state == "ended"
    assert [day for day, _ in looks(db, "winback-march")] == [MIDDLE, END]
    with pytest.raises(Conflict, match="is ended"):
        close(db, "winback-march", "stopped", actor="ann", why="late")
    with pytest.raises(NotFound):
        find(db, "nobody")
    assert running_trials(db, MIDDLE) == ()
    page = page_of(record, list_experiments(db))
    assert record.terms.fingerprint in page
    assert "Do offers earn more" in page
    assert "the past weighs" in page
    light = in_their_light(record, list_experiments(db))
    assert light is not None
    drawn, past = light
    assert past == 0
    assert 0 < drawn.effect < drawn.raw


def test_the_plan_reads_the_shops_own_past(lifted: Shop) -> None:
    today = END
    later = terms(
        starts_on=END + timedelta(days=1), ends_on=END + timedelta(days=56), wanted=0.5
    )
    near = plan(lifted, later, today)
    assert near.detectable is not None
    assert near.days_needed is not None
    assert near.cost_minor is not None
    longer = plan(lifted, replace(later, ends_on=END + timedelta(days=224)), today)
    assert longer.detectable == pytest.approx(near.detectable / 2, rel=0.02)
    smaller = plan(lifted, replace(later, wanted=0.25), today)
    assert smaller.days_needed == pytest.approx(4 * near.days_needed, rel=0.1)
    peeking = plan(lifted, replace(later, stop="always-valid"), today)
    assert peeking.detectable is not None
    assert peeking.detectable > near.detectable
    rota = enrolled(lifted, replace(later, lever="price", unit="product-week"), today)
    assert rota.products == PRODUCTS
    assert plan(lifted, rota, today).detectable is not None


def test_a_shop_without_a_past_gets_no_plan(tmp_path: Path) -> None:
    from cartwheel.shop import make_shop

    shop = make_shop(tmp_path / "empty", currency="EUR")
    found = plan(shop, terms(), START - timedelta(days=1))
    assert found.detectable is None
    assert "no order is known" in found.sentence


def test_customers_of_both_arms_on_one_device_are_counted(tmp_path: Path) -> None:
    agreed = terms()
    shop = shop_of(tmp_path / "shop", agreed)
    trial = agreed.trial()
    arms = {c: trial.arm_of(START, customer=c) for c in CUSTOMERS}
    one = next(c for c in CUSTOMERS if arms[c] == CONTROL)
    other = next(c for c in CUSTOMERS if arms[c] == TREATED)
    friend = next(c for c in CUSTOMERS if arms[c] == TREATED and c != other)
    at = datetime(2026, 3, 10, 9)
    met = [("d1", one), ("d1", other), ("d2", friend), ("d2", other)]
    events = [
        {
            "event_id": f"e{number}",
            "kind": "view",
            "occurred_at": at,
            "visitor_id": device,
            "customer_id": customer,
        }
        for number, (device, customer) in enumerate(met)
    ]
    made = harvest({"events": pa.Table.from_pylist(events)})
    append_harvest(shop, made, "test", Path("e"), datetime(2026, 6, 2))
    found = look(shop, agreed, END)
    (check,) = (c for c in found.checks if c.check == "contamination")
    assert check.rows == 2
    assert not check.refuses
    assert found.comparisons  # nobody is moved, and a verdict is given


def test_a_look_that_fails_costs_no_turn(tmp_path: Path, monkeypatch) -> None:
    shop = shop_of(tmp_path / "shop", terms())
    create(shop.database, terms(), actor="ann")

    def broken(*_: object) -> None:
        raise RuntimeError("no disk")

    monkeypatch.setattr("cartwheel.measure.experiment.look.look", broken)
    assert look_at_all(shop, END) == []
    assert find(shop.database, terms().name).state == "running"
    monkeypatch.undo()
    assert look_at_all(shop, END) == [terms().name]


def test_a_sandbox_ends_when_its_budget_is_spent(tmp_path: Path) -> None:
    agreed = terms(mode="sandbox", budget_minor=500)
    shop = shop_of(tmp_path / "shop", agreed)
    create(shop.database, agreed, actor="ann")
    _spend(shop, "1-a", 499)
    assert outlay(shop, agreed) == 499
    assert look_at_all(shop, MIDDLE) == []
    _spend(shop, "1-b", 1)
    assert look_at_all(shop, MIDDLE) == [agreed.name]
    record = find(shop.database, agreed.name)
    assert (record.state, record.closed_by) == ("stopped", "stop rule")
    assert "500" in record.why


def _spend(shop: Shop, decision: str, cost: int) -> None:
    """Carry out a decision of the experiment's lever that costs something."""
    with shop.database.begin() as con:
        con.execute(
            decisions.insert().values(
                id=decision,
                turn=1,
                position=0,
                lever="lifecycle",
                kind="winback",
                subject="customer:C001",
                state="applied",
                cost_minor=cost,
                body="{}",
                action="{}",
                model="m",
            )
        )
        con.execute(
            transitions.insert().values(
                decision_id=decision,
                from_state="approved",
                to_state="applied",
                actor="ann",
                at="2026-03-05T00:00:00.000000Z",
                note="",
            )
        )
