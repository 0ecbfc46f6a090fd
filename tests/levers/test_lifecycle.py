"""Customers: segments, values, who gets an offer, and the test on the last 90 days."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from cartwheel.levers.base import Decision, Model
from cartwheel.levers.lifecycle.lapse import area_under_curve
from cartwheel.levers.lifecycle.lever import Lifecycle, outcome_correction
from cartwheel.levers.lifecycle.offers import favourites, left_out, offerable
from cartwheel.levers.lifecycle.rhythm import (
    Learned,
    Rhythm,
    rewind,
    score,
    segment,
)
from cartwheel.signals.base import Signals
from cartwheel.signals.catalogue import CATALOGUE
from cartwheel.signals.customers import CONSENT, PURCHASES, RHYTHM
from cartwheel.signals.learned import LIFETIME_VALUE, OUTCOMES, SEGMENT
from cartwheel.signals.margin import MARGIN
from cartwheel.signals.returns import OPEN_RETURNS
from cartwheel.signals.stock import STOCK
from tests.levers.made import AS_OF, for_lever, made_signals, replace

LEVER = Lifecycle()
PLAIN = Learned(
    orders=None,
    value=None,
    shop_gap_days=30.0,
    mean_order_minor=2000.0,
    vip_minor=50_000.0,
    loyal_days=6,
    new_days=60,
)


@pytest.fixture(scope="module")
def shop() -> Signals:
    return for_lever(LEVER, made_signals(customers=900, products=30, days=540))


@pytest.fixture(scope="module")
def model(shop: Signals) -> Model:
    return LEVER.learn(shop, None, seed=1)


def turn(model: Model, data: Signals, cut: tuple[str, ...] = ()) -> list[Decision]:
    """Return the decisions as a turn gets them: with the lever's own signals."""
    whole = data.with_tables(LEVER.emit(model, data))
    seen = whole.restricted([s.name for s in LEVER.reads], cut)
    return list(LEVER.decide(model, seen, seed=1))


def rhythm_of(*rows: tuple[int, int, int, int]) -> Rhythm:
    """Return customers from (order days, age, recency, revenue)."""
    days, age, recency, revenue = np.array(rows, float).T
    return Rhythm(
        customer_id=np.array([f"c{n}" for n in range(len(rows))]),
        x=days - 1,
        t_x=age - recency,
        age=age,
        revenue_minor=revenue,
    )


def test_segments_by_hand() -> None:
    rhythm = rhythm_of(
        (1, 20, 20, 900),  # first order three weeks ago
        (1, 200, 200, 900),  # one order long ago
        (3, 90, 4, 900),  # gap 43 and the shop's 30: within it
        (3, 90, 4, 60_000),  # the same with much revenue
        (8, 240, 5, 900),  # many order days
        (8, 240, 60, 900),  # gaps of 26: three in four are over by 36 days
        (8, 240, 120, 900),  # nine in ten are over by 60 days
    )
    found = segment(PLAIN, rhythm, score(PLAIN, rhythm))
    assert found.tolist() == [
        "new",
        "one-time",
        "regular",
        "vip",
        "loyal",
        "slipping",
        "lapsed",
    ]


def test_own_gap_halves_with_every_gap() -> None:
    # Gaps of 30 like the shop's: active for 30 days, half as likely 30 days later.
    rhythm = rhythm_of((4, 120, 30, 8000), (4, 150, 60, 8000), (4, 180, 90, 8000))
    found = score(PLAIN, rhythm)
    np.testing.assert_allclose(found.alive_share, [1.0, 0.5, 0.25])
    np.testing.assert_allclose(found.expected_orders, [3.0, 1.5, 0.75])
    year = 365 / 30 * 2000
    np.testing.assert_allclose(found.value_minor, [year, year / 2, year / 4])


def test_emits_every_customer_with_sane_values(shop: Signals, model: Model) -> None:
    emitted = LEVER.emit(model, shop)
    value = emitted[LIFETIME_VALUE.name].to_pandas()
    assert value["customer_id"].tolist() == shop.frame(RHYTHM)["customer_id"].tolist()
    assert value["alive_share"].between(0, 1).all()
    assert value["lapse_share"].between(0, 1).all()
    assert (value["expected_orders"] >= 0).all()
    assert (value["value_minor"] >= 0).all()
    assert len(set(emitted[SEGMENT.name].column("segment").to_pylist())) >= 5


def test_learned_survives_json(model: Model) -> None:
    learned = Learned.of_meta(model.meta["learned"])
    assert learned.orders is not None
    assert learned.to_meta() == model.meta["learned"]


def test_inner_test_is_calibrated_and_beats_recency() -> None:
    data = made_signals(customers=2500, products=60, days=720, seed=3)
    test = LEVER.learn(for_lever(LEVER, data), None, seed=1).meta["test"]
    assert test["expected_orders"] == pytest.approx(test["actual_orders"], rel=0.12)
    assert test["auc_gain"][0] > 0
    bands = np.array(test["bands"])
    assert (np.diff(bands[:, 1]) > 0).all()


def test_fallback_below_the_floor() -> None:
    data = for_lever(LEVER, made_signals(customers=20, products=5))
    assert len(LEVER.floor.lacks(data)) == 2
    assert LEVER.learn(data, None, seed=1).rule == "own gap"
    found = LEVER.fallback().model(data)
    assert LEVER.emit(found, data)[SEGMENT.name].num_rows > 0


def test_fifty_buyers_are_enough() -> None:
    data = for_lever(LEVER, made_signals(customers=60, products=10))
    assert not LEVER.floor.lacks(data)
    found = LEVER.learn(data, None, seed=1)
    assert found.rule == "bg-nbd"
    expected = LEVER.emit(found, data)[LIFETIME_VALUE.name].to_pandas()
    came = data.frame(RHYTHM)["order_days"].sum() / data.frame(RHYTHM)["age_days"].sum()
    # Nobody is expected to buy more than three times as fast as all did together.
    assert expected["expected_orders"].mean() < 3 * 90 * came


def by_kind(found: list[Decision]) -> dict[str, set[str]]:
    grouped: dict[str, set[str]] = {}
    for one in found:
        grouped.setdefault(one.kind, set()).add(one.subject.removeprefix("customer:"))
    return grouped


def test_nobody_is_approached_without_consent(shop: Signals, model: Model) -> None:
    consent = shop.frame(CONSENT)
    allowed = set(
        consent.loc[
            consent["email_marketing"] & consent["personalisation"], "customer_id"
        ]
    )
    objecting = set(consent.loc[~consent["personalisation"], "customer_id"])
    found = by_kind(turn(model, shop))
    assert set(found) == {"winback", "leave_alone", "ask_consent"}
    assert found["winback"] <= allowed
    assert not found["ask_consent"] & allowed
    assert not (found["ask_consent"] | found["leave_alone"]) & objecting
    assert "winback" not in by_kind(turn(model, shop, cut=("consent",)))
    summary = LEVER.report(model, shop).summary
    names = dict(
        zip(*LEVER.emit(model, shop)[SEGMENT.name].to_pydict().values(), strict=True)
    )
    silent = sum(
        name in ("slipping", "lapsed", "one-time") and who not in allowed
        for who, name in names.items()
    )
    assert f"{silent:,} who are slipping" in summary


def test_cut_value_link_leaves_the_order_of_the_gap(
    shop: Signals, model: Model
) -> None:
    whole, cut = turn(model, shop), turn(model, shop, cut=("lifetime_value",))
    assert any(one.predicted for one in whole)
    backs = [one for one in cut if one.kind == "winback"]
    assert backs
    assert all(one.predicted is None and one.worth_minor == 0 for one in backs)
    late = [
        one.evidence["recency_days"] / one.evidence["gap_limit_days"] for one in backs
    ]
    assert late == sorted(late, reverse=True) or np.allclose(
        late, sorted(late, reverse=True), rtol=0.05
    )


def test_winbacks_come_by_value_at_risk(shop: Signals, model: Model) -> None:
    worth = [one.worth_minor for one in turn(model, shop) if one.kind == "winback"]
    assert worth == sorted(worth, reverse=True)


def test_offers_promote_only_what_can_be_sold_at_a_profit(
    shop: Signals, model: Model
) -> None:
    promoted = {name for one in turn(model, shop) for name in one.promotes}
    assert promoted <= set(offerable(shop))
    variants = shop.frame(CATALOGUE)
    ids = variants["variant_id"].tolist()
    stock, margin = shop.align(STOCK, ids), shop.align(MARGIN, ids)
    fine = (
        (stock["on_hand_units"] > 0)
        & ~(stock["cover_days"] < 14)
        & (margin["margin_minor"].astype("float64") > 0)
        & variants["active"]
    )
    assert set(offerable(shop)) == set(variants.loc[fine, "product_id"])


def test_cut_stock_frees_what_was_sold_out(shop: Signals) -> None:
    names = [s.name for s in LEVER.reads]
    free = offerable(shop.restricted(names, ["stock"]))
    assert set(offerable(shop)) < set(free)
    assert not any(one.counted for one in free.values())


def test_unknown_margins_do_not_count_as_zero(shop: Signals) -> None:
    names = [s.name for s in LEVER.reads]
    assert offerable(shop.restricted(names, ["margin"]))
    margin = shop.frame(MARGIN)
    known = str(margin["variant_id"].iloc[1])
    margin.loc[margin["variant_id"] != known, "margin_minor"] = None
    left = set(offerable(replace(shop, MARGIN, margin)))
    assert left <= {"p0001"}


def test_favourites_are_own_then_popular_without_open_returns(shop: Signals) -> None:
    bought = pd.DataFrame(
        [
            ("a", "p1", 1),
            ("a", "p2", 3),
            ("b", "p3", 1),
            ("c", "p3", 1),
            ("b", "p1", 1),
        ],
        columns=["customer_id", "product_id", "orders"],
    ).assign(units=1, last_on=pd.Timestamp(AS_OF))
    opened = pd.DataFrame(
        [{"customer_id": "a", "product_id": "p2", "since_on": pd.Timestamp(AS_OF)}]
    )
    data = replace(replace(shop, PURCHASES, bought), OPEN_RETURNS, opened)
    found = favourites(data, ["a", "new"], ["p1", "p2", "p3"], 2)
    assert found == {"a": ("p1", "p3"), "new": ("p1", "p3")}


def test_some_are_drawn_to_get_no_offer(shop: Signals, model: Model) -> None:
    backs = [one for one in turn(model, shop) if one.kind == "winback"]
    none = [one for one in backs if one.action == {"offer": "none"}]
    assert 0.03 < len(none) / len(backs) < 0.2
    assert all(one.propensity == pytest.approx(0.1) for one in none)
    assert all(not one.promotes and one.cost_minor == 0 for one in none)
    rest = [one for one in backs if one not in none]
    assert all(one.propensity == pytest.approx(0.9) for one in rest)
    assert all(one.action in one.options for one in backs)


def test_draw_has_its_share_and_lasts_a_quarter() -> None:
    people = [f"c{n}" for n in range(4000)]

    def drawn(on: date) -> list[bool]:
        return [left_out(p, salt="s", on=on, share=0.1) for p in people]

    first, other = drawn(date(2025, 1, 1)), drawn(date(2025, 4, 1))
    assert drawn(date(2025, 3, 31)) == first
    assert np.mean(first) == pytest.approx(0.1, abs=0.02)
    assert np.mean(np.array(first) & np.array(other)) == pytest.approx(0.01, abs=0.01)


def test_leave_alone_names_why(shop: Signals, model: Model) -> None:
    named = [one for one in turn(model, shop) if one.kind == "leave_alone"]
    assert {one.action["why"] for one in named} == {"buys anyway", "gone"}
    backs = {one.subject for one in turn(model, shop) if one.kind == "winback"}
    assert not backs & {one.subject for one in named}


def test_options_cap_the_lists() -> None:
    options = {"lifecycle": {"winbacks": 3, "leave_alone": 2}}
    data = made_signals(customers=300, products=20, options=options)
    data = for_lever(LEVER, data)
    kinds = [one.kind for one in turn(LEVER.learn(data, None, seed=1), data)]
    assert kinds.count("winback") == 3
    assert kinds.count("leave_alone") == 2


def test_outcomes_correct_the_next_prediction(shop: Signals, model: Model) -> None:
    rows = pd.DataFrame(
        {
            "decision_id": [f"d{n}" for n in range(40)],
            "metric": "orders_90d",
            "lever": "lifecycle",
            "kind": "winback",
            "subject": "customer:x",
            "measured_on": pd.Timestamp(AS_OF),
            "predicted": 1.0,
            "low": 0.0,
            "high": 2.0,
            "actual": 0.6,
        }
    )
    after = replace(shop, OUTCOMES, rows)
    assert outcome_correction(shop) == 1.0
    assert outcome_correction(replace(shop, OUTCOMES, rows[:29])) == 1.0
    assert outcome_correction(after) == pytest.approx(34 / 50)
    before, corrected = turn(model, shop)[0], turn(model, after)[0]
    assert before.predicted is not None
    assert corrected.predicted is not None
    assert corrected.predicted.value == pytest.approx(before.predicted.value * 34 / 50)


def test_rewind_by_hand() -> None:
    end = pd.Timestamp(AS_OF)

    def ago(days: int) -> pd.Timestamp:
        return end - timedelta(days=days)

    rhythm = pd.DataFrame(
        {
            "customer_id": ["a", "b", "c"],
            "first_on": [ago(200), ago(300), ago(10)],
            "last_on": [ago(20), ago(100), ago(10)],
            "order_days": [3, 3, 1],
        }
    )
    purchases = pd.DataFrame(
        {"customer_id": ["a", "a"], "last_on": [ago(150), ago(20)]}
    )
    past = rewind(rhythm, purchases, AS_OF, 90)
    # c came later; b's middle day is not kept and taken half way, 200 days ago.
    assert past.rhythm.customer_id.tolist() == ["a", "b"]
    assert past.rhythm.x.tolist() == [1, 2]
    assert past.rhythm.t_x.tolist() == [50, 200]
    assert past.rhythm.age.tolist() == [110, 210]
    assert past.orders_after.tolist() == [1, 0]
    assert past.exact_share == pytest.approx(6 / 7)


def test_area_under_curve_by_hand() -> None:
    value = np.array([0.9, 0.5, 0.5, 0.1])
    positive = np.array([True, True, False, False])
    assert area_under_curve(value, positive) == pytest.approx(3.5 / 4)
    with pytest.raises(ValueError, match="both classes"):
        area_under_curve(value, np.ones(4, bool))
