"""Tests by place: pairs that are alike, an interval of pairs, refusals when few."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cartwheel.api.serving import read_trials
from cartwheel.connectors.intake import append_harvest
from cartwheel.errors import Misuse
from cartwheel.measure.assign import looker_held_out
from cartwheel.measure.experiment.look import look
from cartwheel.measure.experiment.places import (
    Places,
    compare_places,
    is_treated,
    paired,
    place_of,
)
from cartwheel.measure.experiment.plan import enrolled, plan
from cartwheel.measure.experiment.store import create
from cartwheel.measure.experiment.terms import Terms, check_terms
from cartwheel.measure.experiment.trial import CONTROL, TREATED, InForce, Trial
from cartwheel.operations import turns
from cartwheel.settings import Holdout
from cartwheel.shop import Shop, make_shop
from cartwheel.simulator.sample import harvest
from cartwheel.turn.steps import pin, pinned_places, stage_of
from tests.measure.experiment.made import END, FEES, START, terms

NAMES = ("control", "treated")
PLACES = tuple(f"Land {i:02d}" for i in range(16))
TODAY = START - timedelta(days=1)
ARMS = {"metric": "revenue", "names": NAMES}


def by_place(**changes: object) -> Terms:
    return terms(unit="geography", name="places", **{"places": PLACES, **changes})


def made(
    seed: int, lift: float = 0.0, *, pairs: int = 10, spread: float = 0.4
) -> Places:
    """Return places whose customers are alike within a pair and a place."""
    rng = np.random.default_rng(seed)
    customers = rng.integers(20, 60, 2 * pairs)
    level = np.repeat(np.exp(rng.normal(0, 1, pairs)), 2)
    level = 100 * level * np.exp(rng.normal(0, spread, 2 * pairs))
    first = rng.random(pairs) < 0.5
    treated = np.ravel(np.column_stack([first, ~first]))
    total = customers * level * (1 + lift * treated)
    total = total + rng.normal(0, 30, 2 * pairs) * np.sqrt(customers)
    names = tuple(f"P{i}" for i in range(2 * pairs))
    return Places(names=names, treated=treated, customers=customers, total=total)


def test_an_effect_by_hand() -> None:
    found = Places(
        names=tuple("abcdefgh"),
        treated=np.array([True, False] * 4),
        customers=np.full(8, 10),
        total=np.array([120.0, 100, 130, 100, 110, 100, 140, 100]),
    )
    one = compare_places(found, metric="revenue", names=NAMES)
    assert one.effect == pytest.approx(2.5)
    assert one.control_value == pytest.approx(10)
    # Differences 2, 3, 1, 4: a paired t with three degrees of freedom.
    assert one.error == pytest.approx(np.std([2, 3, 1, 4], ddof=1) / 2)
    assert one.high - one.low == pytest.approx(2 * 3.182446 * one.error)
    assert (one.n, one.method) == (8, "paired places")


def test_intervals_hold_the_truth_where_those_of_customers_would_not() -> None:
    held = sum(
        one.low <= 0 <= one.high
        for one in (compare_places(made(seed), **ARMS) for seed in range(600))
    )
    assert 0.93 <= held / 600 <= 0.985


def test_a_few_large_places_are_refused() -> None:
    found = made(1)
    large = np.array(found.customers)
    large[0] = 100_000
    with pytest.raises(Misuse, match=r"10 pairs of places are worth 1\.0"):
        compare_places(replace(found, customers=large), **ARMS)
    alike = replace(found, total=found.customers * 2.0)
    with pytest.raises(ValueError, match="differ alike"):
        compare_places(alike, **ARMS)


def test_pairs_are_alike_and_small_places_stay_out() -> None:
    customers = {name: 50 for name in PLACES} | {"tiny": 3, "odd": 11}
    spent = {name: 50.0 * (i % 8) for i, name in enumerate(PLACES)} | {"odd": 0.0}
    found = paired(customers, spent)
    assert sorted(found) == sorted(PLACES), "the smallest of an odd number stays out"
    assert all(
        spent[a] == spent[b] for a, b in zip(found[::2], found[1::2], strict=True)
    )
    with pytest.raises(Misuse, match=r"11 places have 10 customers or more.*needs 12"):
        paired(dict.fromkeys(PLACES[:11], 50), {})


@given(st.text(min_size=1, max_size=20))
def test_of_each_pair_one_is_left_alone(salt: str) -> None:
    arms = [is_treated(name, PLACES, salt) for name in PLACES]
    assert all(a != b for a, b in zip(arms[::2], arms[1::2], strict=True))
    assert is_treated("elsewhere", PLACES, salt) is None


def test_a_place_is_a_region_or_else_a_country() -> None:
    assert place_of("France", " Brittany ") == "France / Brittany"
    assert place_of("France", "") == "France"
    assert place_of(None, "  ") is None


def shop_of(folder: Path, *, lift: float = 0.0, places: int = 16) -> Shop:
    """Return a shop with 20 customers a place, who order once before and once since."""
    shop = make_shop(folder, currency="EUR", sections=FEES)
    rng = np.random.default_rng(2)
    trial = by_place().trial()
    early = datetime(2026, 1, 1)
    customers, orders, lines = [], [], []
    for number in range(places * 20):
        place, who = PLACES[number // 20], f"C{number:03d}"
        customers.append({"customer_id": who, "created_at": early, "country": place})
        treated = trial.arm_of(START, place=place) == TREATED
        for back in (-20, 20):
            day = START + timedelta(days=back)
            at = datetime(day.year, day.month, day.day, 12)
            price = rng.gamma(4.0, 400.0) * (1 + lift * (treated and back > 0))
            key = {"order_id": f"O{number}{back}", "placed_at": at, "customer_id": who}
            orders.append(
                {**key, "updated_at": at, "status": "paid", "currency": "EUR"}
            )
            lines.append(
                {
                    **key,
                    "line_id": "1",
                    "kind": "product",
                    "product_id": "p",
                    "variant_id": "p",
                    "quantity_units": 1,
                    "unit_price_minor": round(price),
                    "discount_minor": 0,
                }
            )
    facts = {"customers": customers, "orders": orders, "order_lines": lines}
    tables = {name: pa.Table.from_pylist(rows) for name, rows in facts.items()}
    report = append_harvest(
        shop, harvest(tables), "test", Path("t"), datetime(2026, 6, 1)
    )
    assert report.rows_rejected == 0, report
    return shop


def test_a_look_tells_the_lift_at_the_end_and_nothing_before(tmp_path: Path) -> None:
    shop = shop_of(tmp_path / "s", lift=0.5)
    found = look(shop, by_place(), END)
    (one,) = found.comparisons
    assert found.units["places"] == 16
    assert found.units[CONTROL] + found.units[TREATED] == 320
    assert one.relative is not None
    assert one.low < 0.5 * one.control_value < one.high
    assert one.low > 0
    assert "revenue with treated against control is higher" in found.sentence
    early = look(shop, by_place(), START + timedelta(days=30))
    assert np.isinf(early.comparisons[0].low)
    gone = look(shop, by_place(places=(*PLACES, "Nowhere", "Elsewhere")), END)
    assert "2 of 18 places have no customer" in gone.sentence


def test_a_plan_enrols_places_and_is_honest_about_few(tmp_path: Path) -> None:
    shop = shop_of(tmp_path / "s")
    today = START + timedelta(days=25)
    asked = by_place(places=(), starts_on=today + timedelta(days=1), ends_on=END)
    agreed = check_terms(
        enrolled(shop, asked, today), levers=["lifecycle"], today=today
    )
    assert sorted(agreed.places) == sorted(PLACES)
    told = plan(shop, agreed, today)
    assert told.units == {"places": 16, CONTROL: 160, TREATED: 160}
    assert told.detectable is not None
    assert told.detectable > 0
    few = shop_of(tmp_path / "few", places=9)
    with pytest.raises(Misuse, match="9 places have 10 customers or more"):
        enrolled(few, asked, today)
    with pytest.raises(Misuse, match="'always-valid' with the unit 'geography'"):
        check_terms(
            replace(agreed, stop="always-valid"), levers=["lifecycle"], today=today
        )


def test_the_storefront_knows_where_a_customer_lives() -> None:
    trial = by_place(lever="recommend").trial()
    left = next(p for p in PLACES if trial.arm_of(START, place=p) == CONTROL)
    other = next(p for p in PLACES if trial.arm_of(START, place=p) == TREATED)
    body = {
        "day": START.isoformat(),
        "trials": [trial.to_json()],
        "places": {"ann": left, "bob": other},
    }
    force = InForce.from_json(json.loads(json.dumps(body)))
    nobody = Holdout(share_bps=0, levers={"recommend": 0})
    held = {
        who: looker_held_out(who, "d", model=None, holdout=nobody, trials=force)
        for who in ("ann", "bob", "eve", None)
    }
    assert held == {"ann": True, "bob": False, "eve": False, None: False}
    assert Trial.from_json(trial.to_json()) == trial


def test_a_turn_pins_where_customers_live(tmp_path: Path) -> None:
    shop = shop_of(tmp_path / "s")
    create(shop.database, by_place(places=PLACES[:12]), actor="ann")
    with shop.database.begin() as con:
        con.execute(
            turns.insert().values(
                number=1,
                as_of=TODAY.isoformat(),
                state="running",
                seed=1,
                settings=json.dumps(shop.settings.model_dump(mode="json")),
                cuts="[]",
                started_at="2026-03-02T00:00:00.000000Z",
            )
        )
    pin(shop, 1)
    force = read_trials(shop.turn_folder(1))
    assert force is not None
    assert len(force.places) == 240, "of enrolled places only"
    assert pinned_places(stage_of(shop, 1)) == force.places
    arms = {
        who: force.leaves_alone(who, "lifecycle") for who in ("C000", "C020", "C319")
    }
    trial = by_place(places=PLACES[:12]).trial()
    assert arms == {
        "C000": not trial.treated_places[PLACES[0]],
        "C020": not trial.treated_places[PLACES[1]],
        "C319": False,
    }


def test_terms_of_before_keep_their_fingerprint() -> None:
    plain = terms().to_json()
    assert "places" not in plain
    assert Terms.from_json(plain) == terms()
    assert Terms.from_json(by_place().to_json()) == by_place()
