"""The visit so far: what is looked at next counts where it surely helps."""

from __future__ import annotations

import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cartwheel.levers.base import Answer, Model, Request
from cartwheel.levers.recommend import Recommend
from cartwheel.levers.recommend.ahead import kinds_of, read_visits
from cartwheel.signals.base import Signals
from cartwheel.signals.visits import VISITS
from tests.levers.made import (
    AS_OF,
    for_lever,
    made_signals,
    replace,
    with_looks,
    with_visits,
)

LEVER = Recommend()
ON = {"recommend": {"follow_visits": 1}}


@pytest.fixture(scope="module")
def shop() -> Signals:
    return for_lever(
        LEVER, with_visits(made_signals(customers=80, products=30, options=ON))
    )


@pytest.fixture(scope="module")
def model(shop: Signals) -> Model:
    return LEVER.learn(shop, None, seed=1)


def _asked(model: Model, *context: str, placement: str = "product") -> Answer:
    request = Request(placement=placement, context=context, limit=8)
    return LEVER.answer(model, request, rng=np.random.default_rng(1))


def _next(model: Model, of: int) -> str:
    return str(model.arrays["product_id"][of])


def test_what_is_looked_at_next_comes_first(model: Model) -> None:
    assert model.meta["ahead_power"] > 0
    assert model.meta["ahead_test"]["ndcg_gain"][0] > 0
    assert model.rule.endswith("and visits")
    shown = 0
    for at in range(5, 25):
        if model.arrays["eligible"][at + 1]:
            slots = _asked(model, _next(model, at)).slots[:3]
            shown += _next(model, at + 1) in [slot.product_id for slot in slots]
    assert shown >= 12


def test_a_second_ago_counts(model: Model) -> None:
    first = _asked(model, _next(model, 5), _next(model, 12), placement="home")
    later = _asked(
        model, _next(model, 5), _next(model, 12), _next(model, 20), placement="home"
    )
    assert first.slots != later.slots


def test_without_a_visit_nothing_is_added(shop: Signals, model: Model) -> None:
    without = LEVER.learn(for_lever(LEVER, shop, ("visits",)), None, seed=1)
    assert "ahead_power" not in without.meta
    assert _asked(model, placement="home").slots == (
        _asked(without, placement="home").slots
    )


def test_visits_are_followed_only_where_asked_for() -> None:
    data = with_visits(made_signals(customers=80, products=30))
    assert "ahead_power" not in LEVER.learn(for_lever(LEVER, data), None, seed=1).meta


def test_few_visits_change_nothing(shop: Signals) -> None:
    few = replace(shop, VISITS, shop.frame(VISITS).head(1500))
    cut = for_lever(LEVER, shop, ("visits",))
    one, other = (LEVER.learn(data, None, seed=1) for data in (few, cut))
    assert one.fingerprint() == other.fingerprint()


def test_visits_without_carts_change_nothing(shop: Signals) -> None:
    quiet = replace(shop, VISITS, shop.frame(VISITS).assign(cart=False))
    assert "ahead_power" not in LEVER.learn(quiet, None, seed=1).meta


def test_visits_in_no_order_change_nothing() -> None:
    data = with_visits(made_signals(customers=80, products=30, options=ON), follow=0.0)
    found = LEVER.learn(for_lever(LEVER, data), None, seed=1)
    assert "ahead_power" not in found.meta


def test_looks_and_visits_go_together() -> None:
    data = with_looks(with_visits(made_signals(customers=80, products=30, options=ON)))
    found = LEVER.learn(for_lever(LEVER, data), None, seed=1)
    assert {"wanted_slopes", "ahead_power"} <= set(found.meta)
    assert len(_asked(found, _next(found, 3)).slots) == 8


def test_same_signals_teach_the_same(shop: Signals, model: Model) -> None:
    assert LEVER.learn(shop, None, seed=1).fingerprint() == model.fingerprint()


def test_a_trial_stands_for_four_weeks(shop: Signals, model: Model) -> None:
    noise = replace(shop, VISITS, shop.frame(VISITS).assign(cart=False))
    kept = LEVER.learn(noise, model, seed=1)
    assert kept.meta["ahead_power"] == model.meta["ahead_power"]
    assert kept.fingerprint() == LEVER.learn(noise, model, seed=1).fingerprint()
    long_ago = (AS_OF - timedelta(days=28)).isoformat()
    old = Model(
        rule=model.rule,
        arrays=model.arrays,
        meta={**model.meta, "ahead_on": long_ago},
    )
    assert "ahead_power" not in LEVER.learn(noise, old, seed=1).meta


def test_a_model_of_other_columns_is_not_asked_and_learned_anew(
    shop: Signals, model: Model
) -> None:
    meta = {**model.meta, "ahead_reads": ["of an earlier version"]}
    other = Model(rule=model.rule, arrays=model.arrays, meta=meta)
    plain = {name: meta[name] for name in meta if not name.startswith("ahead_")}
    without = Model(rule=model.rule, arrays=model.arrays, meta=plain)
    where = _next(model, 5)
    assert _asked(other, where).slots == _asked(without, where).slots
    again = LEVER.learn(shop, other, seed=1)
    assert again.fingerprint() == LEVER.learn(shop, None, seed=1).fingerprint()


def test_visits_are_read_in_order_of_time_without_doubles(shop: Signals) -> None:
    days = [pd.Timestamp(AS_OF) - pd.Timedelta(days=n) for n in (3, 3, 3, 9, 9, 1)]
    products = np.unique(shop.frame(VISITS)["product_id"].to_numpy().astype(str))
    a, b = str(products[0]), str(products[1])
    rows = pd.DataFrame(
        {
            "visitor_id": ["w1", "w1", "w1", "w2", "w2", "w3"],
            "visit": [0] * 6,
            "step": [0, 1, 2, 0, 1, 0],
            "product_id": [a, b, b, b, a, a],
            "day": days,
            "pause_seconds": [0] * 6,
            "cart": [False, False, True, False, False, False],
        }
    )
    found = read_visits(replace(shop, VISITS, rows), products)
    assert found.data.start.tolist() == [0, 2, 4]
    assert found.data.item.tolist() == [1, 0, 0, 1]
    assert found.cart.tolist() == [False, False, False, True]
    assert found.data.at.tolist() == [-9, -9, -3, -3]


def test_unknown_products_in_visits_are_left_out(shop: Signals) -> None:
    frame = shop.frame(VISITS).assign(product_id="gone")
    products = np.unique(shop.frame(VISITS)["product_id"].to_numpy().astype(str))
    assert len(read_visits(replace(shop, VISITS, frame), products).data) == 0


def test_products_of_a_kind_are_alike(shop: Signals, model: Model) -> None:
    lists = kinds_of(shop, np.asarray(model.arrays["product_id"]), 5)
    assert lists.index.shape[0] == len(model.arrays["product_id"])
    assert (lists.weight[:, 0] > 0).any()


def test_answering_with_visits_loads_no_heavy_library(
    model: Model, tmp_path: Path
) -> None:
    model.save(tmp_path / "model")
    code = f"""
import sys
from datetime import timedelta
from pathlib import Path
import numpy as np
from cartwheel.levers.base import Model, Request
from cartwheel.levers.recommend import Recommend
model = Model.load(Path({str(tmp_path / "model")!r}), mapped=True)
name = str(model.arrays["product_id"][3])
asked = Request(placement="product", context=(name,), limit=5)
answer = Recommend().answer(model, asked, rng=np.random.default_rng(1))
assert len(answer.slots) == 5, answer
heavy = {{"scipy", "pandas", "lightgbm", "sklearn", "duckdb", "pyarrow"}}
assert not heavy & set(sys.modules), heavy & set(sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
