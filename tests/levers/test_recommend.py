"""Recommendations: links, people's wishes, exact propensities, gain over popular."""

from __future__ import annotations

import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cartwheel.errors import Misuse
from cartwheel.levers.base import Decision, Model, Request
from cartwheel.levers.recommend.hitrate import (
    again_chances,
    fit_logit,
    ranked_gain,
    split,
    wilson,
)
from cartwheel.levers.recommend.lever import Recommend
from cartwheel.levers.recommend.scoring import best_first
from cartwheel.levers.recommend.slate import EXPLORE_AMONG, fill
from cartwheel.signals.base import Signals
from cartwheel.signals.catalogue import CATALOGUE
from cartwheel.signals.customers import BASKETS, CONSENT, PURCHASES, RHYTHM
from cartwheel.signals.demand import DEMAND
from cartwheel.signals.margin import MARGIN
from cartwheel.signals.returns import OPEN_RETURNS
from cartwheel.signals.stock import STOCK
from tests.levers.made import AS_OF, empty_signals, for_lever, made_signals, replace

LEVER = Recommend()


@pytest.fixture(scope="module")
def shop() -> Signals:
    data = for_lever(LEVER, made_signals(customers=300, products=40))
    stock = data.frame(STOCK)
    out = stock["variant_id"].isin(["v0004", "v0009"])
    stock.loc[out, ["on_hand_units", "inbound_units"]] = 0
    return replace(data, STOCK, stock)


@pytest.fixture(scope="module")
def model(shop: Signals) -> Model:
    return LEVER.learn(shop, None, seed=1)


@pytest.fixture(scope="module")
def decided(shop: Signals, model: Model) -> list[Decision]:
    return list(LEVER.decide(model, shop, seed=1))


def shown(model: Model, **request: object) -> list[str]:
    answer = LEVER.answer(
        model,
        Request(**{"placement": "home", **request}),  # type: ignore[arg-type]
        rng=np.random.default_rng(0),
    )
    return [slot.product_id for slot in answer.slots]


def sold_out(shop: Signals) -> set[str]:
    variants = shop.frame(CATALOGUE)
    stock = shop.align(STOCK, variants["variant_id"].tolist())
    gone = (stock["on_hand_units"] == 0) & ~(stock["inbound_units"] > 0)
    here = set(variants.loc[~gone & variants["active"], "product_id"])
    return set(variants["product_id"]) - here


def test_nothing_sold_out_or_inactive_is_shown(
    shop: Signals, model: Model, decided: list[Decision]
) -> None:
    gone = sold_out(shop)
    assert gone
    assert not gone & {one for each in decided for one in each.promotes}
    assert not gone & set(shown(model, limit=40))


def test_cut_stock_shows_what_was_sold_out(shop: Signals, model: Model) -> None:
    cut = shop.restricted([s.name for s in LEVER.reads], ["stock"])
    neutral = LEVER.learn(cut, None, seed=1)
    variants = shop.frame(CATALOGUE)
    active = set(variants.loc[variants["active"], "product_id"])
    assert set(shown(neutral, limit=40)) == active
    assert set(shown(model, limit=40)) < active
    # The link works through eligibility alone: scores are the same.
    for name in ("base_logit", "factor", "near_weight"):
        np.testing.assert_array_equal(neutral.arrays[name], model.arrays[name])


def test_soon_inbound_may_be_shown_later_inbound_not(shop: Signals) -> None:
    stock = shop.frame(STOCK).assign(on_hand_units=0, inbound_units=0)
    stock["inbound_on"] = pd.NaT
    for row, days in ((0, 3), (1, 30)):
        stock.loc[row, "inbound_units"] = 10
        stock.loc[row, "inbound_on"] = pd.Timestamp(AS_OF + timedelta(days=days))
    found = LEVER.learn(replace(shop, STOCK, stock), None, seed=1)
    assert shown(found, limit=40) == ["p0000"]


def test_margin_moves_the_order_within_bounds(shop: Signals, model: Model) -> None:
    assert len(np.unique(model.arrays["factor"])) > 5
    margin = shop.frame(MARGIN).assign(price_minor=1000, margin_minor=400)
    dear = {"price_minor": 50_000, "margin_minor": 20_000}
    free = {"price_minor": 1000, "margin_minor": 1000}  # a cost of nothing
    loss = {"price_minor": 1000, "margin_minor": -1200}
    for row, values in enumerate((dear, free, loss), start=1):
        margin.loc[row, list(values)] = list(values.values())
    names = [s.name for s in LEVER.reads]
    extreme = replace(shop.restricted(names, ["shown"]), MARGIN, margin)
    found = LEVER.learn(extreme, None, seed=1).arrays["factor"]
    assert found[1] == pytest.approx(50.0)  # dear things do earn much
    assert found[2] == pytest.approx(
        1.0
    )  # what nobody else earns of a price is not believed
    assert found[3] == pytest.approx(0.02)
    cut = shop.restricted(names, ["margin", "shown"])
    assert set(LEVER.learn(cut, None, seed=1).arrays["factor"]) == {1.0}


def test_margin_counts_as_far_as_the_shop_wants() -> None:
    def factor(weight: float) -> np.ndarray:
        made = made_signals(options={"recommend": {"margin_weight": weight}})
        data = made.restricted([s.name for s in LEVER.reads], ["shown"])
        return np.asarray(LEVER.learn(data, None, seed=1).arrays["factor"])

    assert set(factor(0.0)) == {1.0}
    assert factor(0.5) == pytest.approx(np.sqrt(factor(1.0)), rel=1e-5)


def test_objecting_customer_is_not_known(shop: Signals) -> None:
    consent = shop.frame(CONSENT)
    someone = str(shop.frame(PURCHASES)["customer_id"].iloc[0])
    consent.loc[consent["customer_id"] == someone, "personalisation"] = False
    data = replace(shop, CONSENT, consent)
    found = LEVER.learn(data, None, seed=1)
    assert someone not in found.arrays["customer_id"].tolist()
    assert shown(found, customer=someone) == shown(found)
    subjects = [one.subject for one in LEVER.decide(found, data, seed=1)]
    assert f"customer:{someone}" not in subjects


def test_open_return_is_not_shown_to_its_customer(shop: Signals) -> None:
    bought = shop.frame(PURCHASES).sort_values("orders", ascending=False).iloc[0]
    who, product = str(bought["customer_id"]), str(bought["product_id"])
    nothing = replace(shop, OPEN_RETURNS, pd.DataFrame())
    assert product in shown(LEVER.learn(nothing, None, seed=1), customer=who, limit=40)
    row = pd.DataFrame(
        [{"customer_id": who, "product_id": product, "since_on": pd.Timestamp(AS_OF)}]
    )
    opened = LEVER.learn(replace(shop, OPEN_RETURNS, row), None, seed=1)
    assert product not in shown(opened, customer=who, limit=40)
    assert product in shown(opened, limit=40)


def test_context_brings_what_goes_with_it(shop: Signals) -> None:
    pair = pd.DataFrame(
        [
            {
                "product_a": "p0001",
                "product_b": "p0022",
                "orders": 90,
                "orders_a": 100,
                "orders_b": 100,
            }
        ]
    )
    found = LEVER.learn(replace(shop, BASKETS, pair), None, seed=1)
    assert shown(found)[0] != "p0022"
    assert shown(found, placement="product", context=("p0001",))[0] == "p0022"
    assert "p0001" not in shown(found, placement="cart", context=("p0001",), limit=40)


def test_own_purchases_count_with_the_chance_of_buying_again(model: Model) -> None:
    again = {k: np.array(v) for k, v in model.arrays.items()}
    again["history_own"] = np.where(again["history_item"] == 3, 0.99, 0.0)
    loyal = Model(rule=model.rule, arrays=again, meta=model.meta)
    row = int(np.flatnonzero(again["history_item"] == 3)[-1])
    at = int(np.searchsorted(again["history_start"], row, side="right")) - 1
    assert shown(loyal, customer=str(again["customer_id"][at]))[0] == "p0003"


def test_latest_of_a_visit_counts_most(shop: Signals) -> None:
    rows = [
        {"product_a": a, "product_b": b, "orders": 90, "orders_a": 100, "orders_b": 100}
        for a, b in (("p0001", "p0022"), ("p0002", "p0023"))
    ]
    plain = shop.restricted([s.name for s in LEVER.reads], ["margin"])
    found = LEVER.learn(replace(plain, BASKETS, pd.DataFrame(rows)), None, seed=1)
    assert shown(found, placement="cart", context=("p0001", "p0002"))[0] == "p0023"
    assert shown(found, placement="cart", context=("p0002", "p0001"))[0] == "p0022"


def test_holdout_gets_bestsellers_whoever_asks(shop: Signals, model: Model) -> None:
    customer = str(model.arrays["customer_id"][0])
    plain = shown(model, holdout=True)
    assert plain == shown(model, holdout=True, customer=customer)
    assert plain == shown(model, holdout=True, context=("p0003",))
    variants = shop.frame(CATALOGUE).set_index("variant_id")["product_id"]
    demand = shop.frame(DEMAND)
    recent = demand[demand["day"] > pd.Timestamp(AS_OF) - pd.Timedelta(days=30)]
    units = recent.groupby(recent["variant_id"].map(variants))["units"].sum()
    here = units[~units.index.isin(sold_out(shop))].sort_values(ascending=False)
    assert units[plain].tolist() == here.iloc[:10].tolist()


@pytest.mark.parametrize("holdout", [False, True])
def test_what_the_gate_keeps_out_is_not_shown(model: Model, holdout: bool) -> None:
    first = shown(model, holdout=holdout, limit=12)
    left = shown(model, holdout=holdout, excluded=frozenset(first[:2]))
    assert left[:9] == first[2:11]
    assert not set(left) & set(first[:2])


def test_unknown_customer_and_product_are_served(model: Model) -> None:
    assert len(shown(model, customer="nobody", context=("nothing",))) == 10


def test_product_list_names_the_orders_it_counts(
    shop: Signals, decided: list[Decision]
) -> None:
    baskets = shop.frame(BASKETS)
    checked = 0
    for one in decided:
        kind, _, item = one.subject.partition(":")
        if kind != "product" or one.predicted is None:
            continue
        pair = sorted([item, one.promotes[0]])
        row = baskets[
            (baskets["product_a"] == pair[0]) & (baskets["product_b"] == pair[1])
        ].iloc[0]
        holding = row["orders_a"] if pair[0] == item else row["orders_b"]
        assert f"in {row['orders']} orders" in one.reason
        assert one.predicted.value == pytest.approx(row["orders"] / holding)
        checked += 1
    assert checked > 5


def test_customer_slates_go_to_those_who_spent_most(shop: Signals) -> None:
    data = Signals(
        {s.name: shop.table(s) for s in LEVER.reads},
        made_signals(
            customers=2, products=3, options={"recommend": {"customer_slates": 3}}
        ).context,
    )
    found = LEVER.learn(data, None, seed=1)
    slates = [
        one.subject.removeprefix("customer:")
        for one in LEVER.decide(found, data, seed=1)
        if one.subject.startswith("customer:")
    ]
    spent = data.frame(RHYTHM).set_index("customer_id")["revenue_minor"]
    assert slates == spent.sort_values(ascending=False).index[:3].tolist()


def test_slates_say_their_chance_with_an_interval(decided: list[Decision]) -> None:
    slates = [one for one in decided if one.subject.startswith("customer:")]
    drawn = [one for one in slates if one.propensity is not None]
    assert drawn
    for one in slates:
        assert one.predicted is not None
        assert one.predicted.metric == "buys_30d_share"
    for one in drawn:
        assert one.propensity == pytest.approx(np.prod(one.action["slot_propensity"]))


def test_beats_popularity_where_tastes_differ() -> None:
    data = for_lever(LEVER, made_signals(customers=1500, products=80, seed=4))
    test = LEVER.learn(data, None, seed=1).meta["test"]
    assert test["hit_rate"] > test["popular_hit_rate"]
    assert test["ndcg_gain"][0] > 0


def test_fallback_shows_the_newest_where_nothing_sold(shop: Signals) -> None:
    catalogue = shop.frame(CATALOGUE)
    catalogue.loc[catalogue["product_id"] == "p0007", "first_on"] = pd.Timestamp(AS_OF)
    empty = empty_signals().restricted([s.name for s in LEVER.reads])
    data = replace(empty, CATALOGUE, catalogue)
    found = LEVER.fallback().model(data)
    assert shown(found)[0] == "p0007"
    assert shown(found, holdout=True)[0] == "p0007"
    (home,) = [
        one
        for one in LEVER.decide(found, data, seed=1)
        if one.subject == "placement:home"
    ]
    assert home.promotes[0] == "p0007"


def test_fallback_scores_follow_bestsellers(shop: Signals) -> None:
    found = LEVER.fallback().model(shop)
    assert shown(found) == shown(found, holdout=True)


@pytest.mark.parametrize("options", [{"explor": 0.1}, {"explore": "much"}])
def test_wrong_option_is_refused(options: dict[str, object]) -> None:
    data = made_signals(customers=2, products=3, options={"recommend": options})
    with pytest.raises(Misuse, match=r"levers\.recommend\.explor"):
        LEVER.learn(data, None, seed=1)


def test_answering_loads_no_heavy_library(model: Model, tmp_path: Path) -> None:
    model.save(tmp_path / "model")
    code = """
import sys
from pathlib import Path
import numpy as np
from cartwheel.levers.base import Model, Request
from cartwheel.levers.lifecycle.lever import Lifecycle
from cartwheel.levers.recommend.lever import Recommend
Lifecycle()
model = Model.load(Path(sys.argv[1]), mapped=True)
request = Request(placement="home", customer=str(model.arrays["customer_id"][0]))
assert Recommend().answer(model, request, rng=np.random.default_rng(0)).slots
heavy = {"pandas", "scipy", "pyarrow", "sklearn", "ibis", "duckdb"} & set(sys.modules)
assert not heavy, heavy
"""
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "model")], check=True)


@settings(max_examples=50, deadline=None)
@given(
    st.integers(1, 60), st.integers(1, 12), st.floats(0.01, 1.0), st.integers(0, 9999)
)
def test_slot_probabilities_are_exact(
    n: int, limit: int, explore: float, seed: int
) -> None:
    score = np.random.default_rng(seed).random(n)
    best = best_first(score, np.arange(n), limit)
    seen: dict[int, float] = {}
    for draw in range(60):
        slate, chance = fill(
            score,
            np.arange(n),
            limit=limit,
            explore=explore,
            rng=np.random.default_rng([seed, draw]),
        )
        assert len(set(slate.tolist())) == len(slate) == min(n, limit)
        assert slate[:-1].tolist() == best[:-1].tolist()
        assert (chance[:-1] == 1).all()
        seen[int(slate[-1])] = float(chance[-1])
    pool = min(n - limit + 1, EXPLORE_AMONG) if limit >= 3 else 1
    if pool < 2:
        assert seen == {int(best[-1]): 1.0}
        return
    even = explore / pool
    for item, chance in seen.items():
        kept = 1 - explore if item == best[-1] else 0.0
        assert chance == pytest.approx(even + kept)
    if len(seen) == pool:
        assert sum(seen.values()) == pytest.approx(1.0)


def test_slot_frequencies_match_probabilities() -> None:
    score = np.arange(30.0)
    counts: dict[int, int] = {}
    for draw in range(4000):
        slate, chance = fill(
            score,
            np.arange(30),
            limit=3,
            explore=0.5,
            rng=np.random.default_rng(draw),
        )
        counts[int(slate[-1])] = counts.get(int(slate[-1]), 0) + 1
        expected = 0.5 + 0.5 / 20 if slate[-1] == 27 else 0.5 / 20
        assert chance[-1] == pytest.approx(expected)
    assert len(counts) == 20
    assert counts[27] / 4000 == pytest.approx(0.525, abs=0.03)


def test_split_keeps_what_is_known_before_the_cut() -> None:
    day = pd.Timestamp(AS_OF)
    pairs = pd.DataFrame(
        {
            "who": [0, 0, 1, 2],
            "item": [0, 1, 0, 1],
            "orders": [1, 3, 1, 2],
            "last_on": [
                day - pd.Timedelta(days=60),
                day,
                day,
                day - pd.Timedelta(days=31),
            ],
        }
    )
    parts = split(pairs, AS_OF)
    known = parts.known[["who", "item", "orders", "age_days", "bought_again"]]
    # Customer 0 bought item 1 thrice: twice before the cut, on a day not kept.
    assert known.to_numpy().tolist() == [
        [0, 0, 1, 30, False],
        [0, 1, 2, 30, True],
        [2, 1, 2, 1, False],
    ]
    # Customer 1 was not known before the cut.
    assert parts.new.empty


def test_again_chances_average_to_what_was_seen() -> None:
    known = pd.DataFrame(
        {
            "orders": [1] * 4000 + [2] * 2000,
            "age_days": [0] * 3000 + [180] * 1000 + [0] * 2000,
            "bought_again": [True] * 350
            + [False] * 3650
            + [True] * 800
            + [False] * 1200,
        }
    )
    found = again_chances(known, 180.0)
    assert found[0] == pytest.approx(350 / 3520)
    assert found[1] == pytest.approx(0.4, abs=0.01)


def test_ranked_gain_by_hand() -> None:
    hit, gain = ranked_gain(np.array([5, 7, 9]), {7, 1})
    assert hit == 1.0
    assert gain == pytest.approx((1 / np.log2(3)) / (1 + 1 / np.log2(3)))


def test_fit_logit_recovers_truth() -> None:
    rng = np.random.default_rng(2)
    x = rng.normal(size=(20_000, 2))
    truth = 1 / (1 + np.exp(-(-2.0 + 1.0 * x[:, 0] - 0.5 * x[:, 1])))
    y = (rng.random(20_000) < truth).astype(float)
    beta = fit_logit(x, y, np.ones(20_000))
    np.testing.assert_allclose(beta, [-2.0, 1.0, -0.5], atol=0.07)


def test_wilson_by_hand() -> None:
    low, high = wilson(0, 10, z=1.96)
    assert low == 0.0
    assert high == pytest.approx(1.96**2 / (10 + 1.96**2))
    assert wilson(0, 0) == (0.0, 1.0)
