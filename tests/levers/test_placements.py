"""What each place of a storefront is answered with, and the merchant's boosts."""

from __future__ import annotations

import numpy as np
import pytest

from cartwheel.levers.base import Model, Request
from cartwheel.levers.recommend import Recommend
from cartwheel.signals.base import Signals
from cartwheel.signals.catalogue import CATALOGUE
from tests.levers.made import for_lever, made_signals


@pytest.fixture(scope="module")
def shop() -> Signals:
    return for_lever(Recommend(), made_signals(customers=300, products=60))


@pytest.fixture(scope="module")
def model(shop: Signals) -> Model:
    return Recommend().learn(shop, None, seed=1)


def shown(model: Model, **request: object) -> list[str]:
    asked = Request(**{"placement": "home", "limit": 10, **request})  # type: ignore[arg-type]
    answer = Recommend().answer(model, asked, rng=np.random.default_rng(1))
    return [slot.product_id for slot in answer.slots]


def categories(shop: Signals) -> dict[str, str]:
    frame = shop.frame(CATALOGUE)
    return dict(zip(frame["product_id"], frame["category"], strict=True))


@pytest.mark.parametrize("holdout", [False, True])
def test_category_page_shows_its_category_alone(
    shop: Signals, model: Model, holdout: bool
) -> None:
    of = categories(shop)
    for name in sorted(set(of.values())):
        found = shown(model, placement="category", category=name, holdout=holdout)
        assert found
        assert {of[product] for product in found} == {name}
    assert shown(model, placement="category", category="no such") == []
    assert len(shown(model, placement="category")) == 10


def test_category_page_shows_the_levels_below_it(model: Model) -> None:
    kinds = np.array(["Clothing", "Clothing > Shirts", "Clothingware"])
    kind = np.arange(len(model.arrays["kind"])) % 3
    deep = Model(
        rule=model.rule,
        arrays={**model.arrays, "kinds": kinds, "kind": kind},
        meta=model.meta,
    )
    names = model.arrays["product_id"].tolist()
    found = shown(deep, placement="category", category="Clothing", limit=50)
    assert {int(kind[names.index(product)]) for product in found} == {0, 1}


@pytest.mark.parametrize("placement", ["cart", "goes_with", "thanks"])
def test_what_goes_with_products_leaves_them_out(model: Model, placement: str) -> None:
    first = shown(model)[0]
    found = shown(model, placement=placement, context=(first,))
    assert first not in found
    assert found == shown(model, placement="cart", context=(first,))


def test_boost_moves_a_product_and_nobody_else(model: Model) -> None:
    plain = shown(model, limit=30)
    lifted, lowered = plain[20], plain[0]
    found = shown(model, limit=30, boosts={lifted: 5.0, lowered: 0.1, "no such": 2.0})
    assert found.index(lifted) < 20
    assert lowered not in found[:5]
    others = [name for name in found if name not in (lifted, lowered)]
    assert others[:15] == [n for n in plain if n not in (lifted, lowered)][:15]
