"""The price lever: what it proposes, what it leaves alone, and why."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cartwheel.errors import Misuse
from cartwheel.levers.base import Abstain, Decision, Model
from cartwheel.levers.price.articles import read_history
from cartwheel.levers.price.choice import LEFT_ALONE, choose_prices
from cartwheel.levers.price.lever import Price
from cartwheel.levers.price.steps import (
    Article,
    Clearance,
    Endings,
    find_endings,
    ladder,
    weigh,
    weigh_clearance,
)
from cartwheel.signals.base import Signal, Signals
from cartwheel.signals.catalogue import CATALOGUE
from cartwheel.signals.learned import FORECAST, OUTCOMES, PRICE_PLAN
from cartwheel.signals.margin import MARGIN
from cartwheel.signals.price import PRICE_HISTORY
from cartwheel.signals.stock import STOCK
from tests.levers.made import empty_signals, for_lever, made_signals, replace

LEVER = Price()
NORMAL = np.random.default_rng(1).standard_normal((2, 400))


def article(**changes: float) -> Article:
    values = {"keep": 500.0, "demand": 100.0, "stock": np.inf, **changes}
    return Article(
        price=int(values.get("price", 1000)),
        keep=np.array([values["keep"]]),
        demand=np.array([values["demand"]]),
        demand_sd=np.array([values.get("demand_sd", 0.0)]),
        stock=np.array([values["stock"]]),
        elasticity=values.get("elasticity", -2.0),
        elasticity_sd=values.get("elasticity_sd", 0.0),
    )


@pytest.fixture(scope="module")
def shop() -> Signals:
    return made_signals(customers=100, products=40)


def run(data: Signals) -> tuple[Model, list[Decision]]:
    seen = for_lever(LEVER, data)
    model = LEVER.learn(seen, None, seed=1)
    try:
        return model, list(LEVER.decide(model, seen, seed=1))
    except Abstain:
        return model, []


def test_weigh_worked_by_hand() -> None:
    # 100 units at 10.00 with cost 5.00 earn 500; at 11.00, 100 * 1.1^-2 = 82.64 units
    # earn 82.64 * 6.00 = 495.87.
    (gain,) = weigh(article(), [1100], NORMAL)
    assert gain.value == pytest.approx(100 * 1.1**-2 * 600 - 100 * 500)
    assert gain.certainty == 0.0


def test_weigh_finds_the_textbook_optimum() -> None:
    # With constant elasticity e the best price is cost * e / (1 + e): 5 * 3 / 2 = 7.50.
    thing = article(price=750, elasticity=-3.0)
    assert all(gain.value < 0 for gain in weigh(thing, [700, 800], NORMAL))


def test_weigh_knows_that_scarce_stock_sells_anyway() -> None:
    (plenty,) = weigh(article(elasticity=-3.0), [1100], NORMAL)
    assert plenty.value < 0
    (scarce,) = weigh(article(elasticity=-3.0, stock=50.0), [1100], NORMAL)
    assert scarce.value == pytest.approx(50 * 100)


def test_clearance_worked_by_hand() -> None:
    # 30 days, no demand to speak of at 10.00; at 5.00 with e = -2 four times 7 = 28.
    terms = Clearance(days=28, salvage_share=0.5, holding_share=0.0)
    thing = article(keep=400.0, demand=7.0, stock=100.0)
    (gain,) = weigh_clearance(thing, [500], NORMAL, terms)
    before = 7 * 1000 + 93 * 200
    assert gain.value == pytest.approx(28 * 500 + 72 * 200 - before)


def test_ladder_keeps_the_shops_endings() -> None:
    habit = find_endings(np.array([1995, 2495, 3999, 5999, 895]), 2)
    assert habit.last == (95, 99)
    steps = (-0.1, -0.05, 0.05, 0.1)
    assert ladder(4995, steps, habit, 0.1) == [4499, 4699, 5199, 5399]


@given(
    price=st.integers(1, 500_000),
    limit=st.floats(0.02, 0.5),
    last=st.lists(st.integers(0, 99), max_size=4),
)
def test_ladder_never_passes_its_limit(
    price: int, limit: float, last: list[int]
) -> None:
    endings = Endings(unit=100, last=tuple(last))
    steps = (-limit, -limit / 2, limit / 2, limit)
    for found in ladder(price, steps, endings, limit):
        assert found > 0
        assert found != price
        assert abs(found - price) <= limit * price + 1e-6


def test_lever_proposes_where_the_reaction_is_known(shop: Signals) -> None:
    _, found = run(shop)
    changes = [d for d in found if d.kind == "price_change"]
    assert changes
    for decision in changes:
        evidence = decision.evidence
        width = evidence["elasticity_high"] - evidence["elasticity_low"]
        assert width <= 1.6 + 2e-3
        assert evidence["prices_seen"] >= 3
        assert abs(decision.action["change_share"]) <= 0.1 + 1e-4
        chosen = [
            o
            for o in decision.options
            if o["price_minor"] == decision.action["price_minor"]
        ]
        assert chosen[0]["certainty"] >= 0.8


def test_lever_writes_the_plan_it_decides(shop: Signals) -> None:
    model, found = run(shop)
    plan = LEVER.emit(model, for_lever(LEVER, shop))[PRICE_PLAN.name].to_pylist()
    planned = {f"variant:{row['variant_id']}": row["price_minor"] for row in plan}
    decided = {
        d.subject: d.action["price_minor"] for d in found if d.kind != "price_test"
    }
    assert planned == decided
    assert planned


def test_choices_are_remembered_for_one_model_on_one_day(shop: Signals) -> None:
    seen = for_lever(LEVER, shop)
    model, other = (LEVER.learn(seen, None, seed=seed) for seed in (1, 2))
    first = choose_prices(model, seen)
    assert choose_prices(model, for_lever(LEVER, shop)) is first
    assert choose_prices(other, seen) is not first
    without = for_lever(LEVER, shop.with_tables({MARGIN.name: MARGIN.empty()}))
    assert choose_prices(other, without).made != choose_prices(other, seen).made


def test_lever_without_costs_only_raises_where_demand_is_weak(shop: Signals) -> None:
    margin = shop.frame(MARGIN).assign(cost_minor=None, margin_minor=None)
    blind = replace(shop, MARGIN, margin)
    model, found = run(blind)
    assert all(d.kind == "price_test" for d in found)
    assert all(d.action["change_share"] > 0 for d in found)
    left = choose_prices(model, for_lever(LEVER, blind)).left
    assert "no_cost" in left.values()
    # The same shop with demand that hardly reacts: rises are proposed, in revenue.
    weak = Model(
        rule=model.rule,
        arrays={
            **model.arrays,
            "mean": np.full_like(model.arrays["mean"], -0.4),
            "sd": np.full_like(model.arrays["sd"], 0.2),
            "own_share": np.full_like(model.arrays["own_share"], 0.9),
        },
        meta=model.meta,
    )
    raised = list(LEVER.decide(weak, for_lever(LEVER, blind), seed=1))
    assert raised
    for decision in raised:
        assert decision.kind == "price_test"
        assert decision.action["change_share"] > 0
        assert decision.predicted is not None
        assert decision.predicted.metric == "revenue_28d_minor"
        assert "cost is not known" in decision.reason


def test_lever_does_not_cut_what_sells_out() -> None:
    shop = made_signals(
        customers=300, products=60, options={"price": {"least_gain_minor": 0}}
    )
    stock = shop.frame(STOCK).assign(on_hand_units=1, inbound_units=0)
    _, found = run(replace(shop, STOCK, stock))
    assert found
    assert all(d.action["change_share"] > 0 for d in found)


def test_lever_marks_down_stock_that_lies(shop: Signals) -> None:
    stock = shop.frame(STOCK).assign(on_hand_units=5000, inbound_units=0)
    _, found = run(replace(shop, STOCK, stock))
    downs = [d for d in found if d.kind == "markdown"]
    assert downs
    for decision in downs:
        cost = decision.evidence["cost_minor"]
        assert -0.5 <= decision.action["change_share"] < 0
        assert decision.action["price_minor"] >= cost / 0.9


@pytest.mark.parametrize("signal", [STOCK, FORECAST, MARGIN])
def test_lever_never_marks_down_on_a_cut_link(shop: Signals, signal: Signal) -> None:
    stock = shop.frame(STOCK).assign(on_hand_units=5000, inbound_units=0)
    data = for_lever(
        LEVER,
        replace(shop, STOCK, stock),
        (signal.name,),
    )
    model = LEVER.learn(data, None, seed=1)
    made = choose_prices(model, data).made
    assert all(choice.kind != "markdown" for choice in made)


def test_lever_prices_sizes_of_one_article_alike(shop: Signals) -> None:
    catalogue = shop.frame(CATALOGUE)
    one = catalogue.index[0]
    other = catalogue.index[1]
    catalogue.loc[other, ["product_id", "price_minor"]] = catalogue.loc[
        one, ["product_id", "price_minor"]
    ]
    data = replace(shop, CATALOGUE, catalogue)
    history = read_history(for_lever(LEVER, data))
    pair = history.variants["article"].iloc[:2]
    assert pair.nunique() == 1
    model, found = run(data)
    prices = {d.subject: d.action["price_minor"] for d in found}
    ids = [f"variant:{v}" for v in catalogue["variant_id"].iloc[:2]]
    assert prices.get(ids[0]) == prices.get(ids[1])
    assert model.arrays["mean"][0] == model.arrays["mean"][1]


def test_lever_leaves_out_weeks_in_which_the_list_price_moved(shop: Signals) -> None:
    week = pd.Timestamp("2025-05-05")
    rows = [
        ("v0000", week, 950, 1000, 5),  # moved: half the week at 900
        ("v0000", week + pd.Timedelta(days=7), 900, 900, 5),
        ("v0000", week + pd.Timedelta(days=14), 900, 900, 5),
    ]
    columns = ["variant_id", "week", "price_minor", "list_minor", "units"]
    frame = pd.DataFrame(rows, columns=columns).assign(days_in_stock=7)
    history = read_history(for_lever(LEVER, replace(shop, PRICE_HISTORY, frame)))
    assert np.exp(history.panel.log_price) == pytest.approx([900.0, 900.0])


def test_lever_doubts_more_after_predictions_that_missed(shop: Signals) -> None:
    model, found = run(shop)
    outcomes = pd.DataFrame(
        {
            "decision_id": [f"d{i}" for i in range(6)],
            "metric": "margin_28d_minor",
            "lever": "price",
            "kind": "price_change",
            "subject": "variant:v0000",
            "measured_on": pd.Timestamp("2025-06-01"),
            "predicted": 100.0,
            "low": 50.0,
            "high": 150.0,
            "actual": -400.0,
        }
    )
    data = for_lever(LEVER, replace(shop, OUTCOMES, outcomes))
    changes = [c for c in choose_prices(model, data).made if c.kind == "price_change"]
    before = {d.subject for d in found if d.kind == "price_change"}
    assert len(changes) < len(before)
    held = [f for f in LEVER.report(model, data).figures if "Earlier" in f.label]
    assert held[0].value == 0.0


def test_lever_says_why_prices_are_left_alone(shop: Signals) -> None:
    data = for_lever(LEVER, shop)
    model = LEVER.learn(data, None, seed=1)
    choices = choose_prices(model, data)
    priced = {v for c in choices.made for v in c.rows["variant_id"]}
    assert priced | set(choices.left) == set(shop.frame(CATALOGUE)["variant_id"])
    assert not priced & set(choices.left)
    assert set(choices.left.values()) <= set(LEFT_ALONE)
    grid = LEVER.report(model, data).grids[1]
    assert sum(row[1] for row in grid.rows) == len(choices.left)


def test_lever_abstains_with_its_reasons_when_nothing_pays(shop: Signals) -> None:
    options = {"price": {"certainty": 1.1}}
    data = made_signals(customers=100, products=40, options=options)
    seen = for_lever(LEVER, data)
    model = LEVER.learn(seen, None, seed=1)
    with pytest.raises(Abstain, match="variants: no step gains"):
        LEVER.decide(model, seen, seed=1)


def test_lever_refuses_an_unknown_option() -> None:
    data = made_signals(customers=20, products=8, options={"price": {"depth": 1}})
    seen = for_lever(LEVER, data)
    model = LEVER.learn(seen, None, seed=1)
    with pytest.raises(Misuse, match="depth"):
        LEVER.decide(model, seen, seed=1)


def test_fallback_keeps_prices() -> None:
    data = for_lever(LEVER, empty_signals())
    assert len(LEVER.floor.lacks(data)) == 2
    model = LEVER.fallback().model(data)
    assert list(LEVER.decide(model, data, seed=1)) == []
    assert LEVER.emit(model, data)[PRICE_PLAN.name].num_rows == 0
    assert "needs 100 weeks" in LEVER.report(model, data).summary
