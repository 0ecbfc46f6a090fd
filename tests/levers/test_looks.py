"""Learning from looks: tastes told apart, devices and customers, wishes respected."""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cartwheel.levers.base import Model, Request
from cartwheel.levers.recommend import looks
from cartwheel.levers.recommend.hitrate import fit_logit
from cartwheel.levers.recommend.lever import Recommend, signs_of_taste
from cartwheel.levers.recommend.reader import find_reader, numbers
from cartwheel.levers.recommend.scoring import wanted
from cartwheel.levers.recommend.similarity import Neighbours
from cartwheel.levers.recommend.taste import Taste
from cartwheel.signals.base import Signals
from cartwheel.signals.catalogue import CATALOGUE
from cartwheel.signals.customers import BASKETS, CONSENT, PURCHASES
from cartwheel.signals.intent import INTENT
from cartwheel.signals.interest import INTEREST
from tests.levers.made import GROUPS, for_lever, made_signals, replace, with_looks

LEVER = Recommend()
NOTHING = np.zeros(0, np.int64)


@pytest.fixture(scope="module")
def shop() -> Signals:
    made = made_signals(customers=300, products=40)
    return for_lever(LEVER, with_looks(made))


@pytest.fixture(scope="module")
def model(shop: Signals) -> Model:
    return LEVER.learn(shop, None, seed=1)


def chance_of(model: Model, customer: str | None, visitor: str | None) -> np.ndarray:
    return wanted(model, find_reader(model, customer, visitor), NOTHING)


def group_of(shop: Signals, model: Model) -> np.ndarray:
    first = shop.frame(CATALOGUE).drop_duplicates("product_id").set_index("product_id")
    kind = first.loc[model.arrays["product_id"].tolist(), "category"]
    return kind.str[-1].astype(int).to_numpy()


def test_visitors_are_expected_to_want_what_they_like(
    shop: Signals, model: Model
) -> None:
    group = group_of(shop, model)
    told = [
        chance_of(model, None, f"w{n:04d}")[group == n % GROUPS].mean()
        / chance_of(model, None, f"w{n:04d}")[group != n % GROUPS].mean()
        for n in range(60)
    ]
    assert np.median(told) > 2.0  # the truth is 4
    test = model.meta["looks_test"]
    assert test["auc"] > test["auc_appeal"] + 0.05


def test_what_is_wanted_by_everybody_comes_first_for_nobody(model: Model) -> None:
    unknown = chance_of(model, None, "w9999")
    assert np.array_equal(unknown, chance_of(model, None, None))
    number = np.arange(len(unknown))
    assert np.corrcoef(number, unknown)[0, 1] < -0.5


def test_taste_is_the_customers_on_any_device(shop: Signals, model: Model) -> None:
    known = set(shop.frame(PURCHASES)["customer_id"])
    number = next(n for n in range(0, 300, 3) if f"c{n:05d}" in known)
    elsewhere = chance_of(model, f"c{number:05d}", "w9999")
    assert not np.array_equal(elsewhere, chance_of(model, None, "w9999"))
    cut = shop.restricted([s.name for s in LEVER.reads], ["identity"])
    apart = LEVER.learn(cut, None, seed=1)
    group = group_of(shop, model) == number % GROUPS
    assert elsewhere[group].mean() > 1.5 * elsewhere[~group].mean()
    # Without the link, only what was bought is known on another device.
    bought = chance_of(apart, f"c{number:05d}", "w9999")
    here = chance_of(apart, f"c{number:05d}", f"w{number:04d}")
    assert not np.array_equal(bought, here)


def test_a_visit_counts_at_once(model: Model) -> None:
    seen = numbers(model.arrays["product_id"], ["p0003"])
    now = wanted(model, find_reader(model, None, "w9999"), seen)
    assert (
        now[8] / now[9]
        > chance_of(model, None, None)[8] / chance_of(model, None, None)[9]
    )  # product 8 is of the group of product 3


def test_who_objects_is_nobody_on_any_device(shop: Signals) -> None:
    consent = shop.frame(CONSENT)
    someone = str(consent["customer_id"].iloc[0])
    consent.loc[consent["customer_id"] == someone, "personalisation"] = False
    data = replace(shop, CONSENT, consent)
    found = LEVER.learn(data, None, seed=1)
    assert f"c:{someone}" not in found.arrays["reader"].tolist()
    visitor = "w0001"
    ask = partial(LEVER.answer, found, rng=np.random.default_rng(0))
    theirs = ask(Request(placement="home", customer=someone, visitor=visitor))
    plain = ask(Request(placement="home"))
    assert [s.product_id for s in theirs.slots[:9]] == [
        s.product_id for s in plain.slots[:9]
    ]


def test_without_carts_nothing_is_learned_from_looks(shop: Signals) -> None:
    rows = shop.frame(INTEREST).assign(carts=0, recent_carts=0)
    found = LEVER.learn(replace(shop, INTEREST, rows), None, seed=1)
    assert "wanted_slopes" not in found.meta
    assert found.rule == "ease"


def test_carts_are_enough_for_a_shop_without_pairs(shop: Signals) -> None:
    assert LEVER.floor.lacks(shop) == ()
    bare = replace(replace(shop, PURCHASES, pd.DataFrame()), BASKETS, pd.DataFrame())
    assert LEVER.floor.lacks(bare) == ()
    found = LEVER.learn(bare, None, seed=1)
    assert found.rule == "baskets and looks"
    nothing = replace(bare, INTEREST, pd.DataFrame())
    assert signs_of_taste(nothing) == 0
    assert len(LEVER.floor.lacks(nothing)) == 1


def test_sales_by_exposure_do_not_make_a_product_wanted(shop: Signals) -> None:
    """Ten times the views with ten times the carts is the same appeal."""
    intent = shop.frame(INTENT)
    pushed = intent["product_id"] == "p0030"
    for column in ("views", "carts"):
        intent.loc[pushed, column] *= 10
    model = LEVER.learn(shop, None, seed=1)
    more = LEVER.learn(replace(shop, INTENT, intent), None, seed=1)
    at = int(numbers(model.arrays["product_id"], ["p0030"])[0])
    before, after = model.arrays["appeal"][at], more.arrays["appeal"][at]
    assert abs(after - before) < 0.7
    assert more.arrays["popularity"][at] > 1.5 * model.arrays["popularity"][at]


def test_slopes_are_held_to_what_is_expected_until_data_say_otherwise() -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(size=(4000, 2))
    y = (rng.random(4000) < 1 / (1 + np.exp(2 - x @ [2.0, -1.0]))).astype(float)
    toward = np.array([1.0, 0.5])
    much = fit_logit(x, y, np.ones(4000), ridge=10.0, toward=toward)
    little = fit_logit(x[:20], y[:20], np.ones(20), ridge=10.0, toward=toward)
    np.testing.assert_allclose(much[1:], [2.0, -1.0], atol=0.2)
    np.testing.assert_allclose(little[1:], toward, atol=0.4)


@given(
    items=st.lists(st.integers(0, 5), max_size=8),
    scale=st.floats(0.01, 20.0),
)
def test_readings_are_finite_and_nothing_says_nothing(
    items: list[int], scale: float
) -> None:
    taste = Taste(
        lists=Neighbours(
            index=np.array([[1], [0], [3], [2], [5], [4]], np.int32),
            weight=np.ones((6, 1), np.float32),
        ),
        share=np.full(6, 1 / 6, np.float32),
        level=np.array([-1, 1, -1, 1, -1, 1], np.float32),
        usual_level=0.0,
        category=np.array([0, 0, 1, 1, 2, 2]),
        category_share=np.full(3, 1 / 3, np.float32),
    )
    weights = np.full(len(items), scale, np.float32)
    found = taste.readings(np.array(items, np.int64), weights)
    assert found.shape == (6, 3)
    assert np.isfinite(found).all()
    if not items:
        np.testing.assert_allclose(found, 0.0, atol=1e-5)
    if len(set(items)) == 1:
        category = taste.category[items[0]]
        assert found[taste.category == category, 2].min() > 0
        assert found[taste.category != category, 2].max() < 0


def test_only_the_largest_categories_are_told_apart(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    category = np.array([0, 1, 1, 2, 3, 3, 3])
    level = np.arange(7.0)
    every = looks._sides(level, category)
    np.testing.assert_array_equal(every, np.column_stack([np.eye(4)[category], level]))
    monkeypatch.setattr(looks, "MOST_KINDS", 2)
    few = looks._sides(level, category)
    assert few.shape == (7, 4)  # two categories, the rest, the level
    assert (few[[0, 3], 2] == 1).all()
    assert (few[:, :3].sum(axis=1) == 1).all()


@given(
    seed=st.integers(0, 10_000),
    looked=st.lists(st.integers(0, 19), min_size=1, max_size=8),
)
def test_what_is_served_is_what_was_learned(seed: int, looked: list[int]) -> None:
    """Readings are learned in one table and served in parts: both say the same."""
    rng = np.random.default_rng(seed)
    n = 20
    weight = rng.random((n, 3)).astype(np.float32)
    weight[rng.random(weight.shape) < 0.3] = 0
    taste = Taste(
        lists=Neighbours(
            index=rng.integers(n, size=(n, 3)).astype(np.int32), weight=weight
        ),
        share=rng.uniform(0.01, 0.2, n).astype(np.float32),
        level=rng.uniform(-3, 3, n).astype(np.float32),
        usual_level=float(rng.normal()),
        category=rng.integers(4, size=n).astype(np.int32),
        category_share=rng.uniform(0.1, 0.5, 4).astype(np.float32),
    )
    items, weights = np.array(looked), rng.random(len(looked)).astype(np.float32) + 0.1
    slopes = rng.normal(size=3)
    said = taste.said(items, weights, slopes.tolist())
    served = said.by_level * taste.level + said.by_kind[taste.category]
    served[said.near] += said.more
    learned = taste.readings(items, weights) @ slopes
    np.testing.assert_allclose(served, learned, atol=2e-4)
