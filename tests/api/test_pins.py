"""The merchant's rules on what the storefront answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient
from hypothesis import given, settings
from hypothesis import strategies as st

from cartwheel.api.pins import PINNED, from_first_slot, place_pins
from cartwheel.channels.storefront import TEXTS, Cards
from cartwheel.levers.base import Answer, Model, Request, Slot
from cartwheel.merchandising import ShopRule, add_rule, end_rule
from cartwheel.shop import Shop
from tests.api.conftest import publish

NAMES = list("abcdef")


def cards_model(sold_out: str = "", names: Sequence[str] = NAMES) -> Model:
    n = len(names)
    arrays: dict[str, Any] = {
        "product_id": np.array(names),
        "price_minor": np.full(n, 100),
        "several_prices": np.zeros(n, bool),
        "available": np.array([name not in sold_out for name in names]),
    }
    for name in TEXTS:
        arrays[f"{name}_text"] = np.zeros(0, np.uint8)
        arrays[f"{name}_start"] = np.zeros(n + 1, np.int64)
    return Model(rule="cards", arrays=arrays)


@pytest.fixture
def published(client: TestClient, shop: Shop, app: Any) -> TestClient:
    publish(shop, 1, NAMES)
    cards_model(sold_out="f").save(shop.turn_folder(1) / "cards")
    app.state.serving.check()
    return client


def shown(client: TestClient, query: str = "") -> list[str]:
    answer = client.get(f"/v1/recommendations?placement=home{query}").json()
    return [item["product_id"] for item in answer["items"]]


def test_rules_act_on_everybody_and_end(
    published: TestClient, shop: Shop, app: Any
) -> None:
    made = [
        add_rule(shop.database, ShopRule(kind="pin", product_id="d", position=1), "o"),
        add_rule(shop.database, ShopRule(kind="pin", product_id="f", position=2), "o"),
        add_rule(shop.database, ShopRule(kind="exclude", product_id="a"), "o"),
        add_rule(
            shop.database,
            ShopRule(kind="exclude", product_id="b", placement="cart"),
            "o",
        ),
    ]
    app.state.serving.check()
    for who in range(40):
        found = shown(published, f"&customer={who}")
        assert found[0] == "d"  # treated or held out
        assert "a" not in found
        assert "b" in found
    answer = published.get("/v1/recommendations?placement=home").json()
    assert (answer["items"][0]["reason"], answer["items"][0]["propensity"]) == (
        PINNED,
        1.0,
    )
    assert shown(published, "&exclude=d")[0] != "d"
    for number in made:
        end_rule(shop.database, number, "o")
    app.state.serving.check()
    assert "a" in shown(published)


@given(
    order=st.permutations(NAMES),
    pins=st.dictionaries(st.integers(1, 6), st.sampled_from([*NAMES, "zz"])),
    limit=st.integers(1, 6),
    excluded=st.frozensets(st.sampled_from(NAMES)),
)
def test_pinned_slate_is_whole_and_holds_nothing_excluded(
    order: list[str], pins: dict[int, str], limit: int, excluded: frozenset[str]
) -> None:
    pins = {at: name for at, name in pins.items()}
    slots = [
        Slot(product_id=name, propensity=0.5, reason="ranked")
        for name in order
        if name not in excluded
    ][:limit]
    request = Request(placement="home", limit=limit, excluded=excluded)
    answer = Answer(slots=tuple(slots), eligible_hash="", rule="r")
    once = {name: at for at, name in pins.items()}
    pins = {at: name for name, at in once.items()}
    found = place_pins(answer, pins, request, Cards(cards_model(sold_out="f")))
    names = [slot.product_id for slot in found.slots]
    assert len(names) == len(set(names)) <= limit
    assert len(names) >= len(slots)
    assert not excluded & set(names)
    assert "zz" not in names
    shown = {
        at: name
        for at, name in pins.items()
        if at <= limit and name not in excluded and name not in ("f", "zz")
    }
    others = len({slot.product_id for slot in slots} - set(shown.values()))
    for at, name in shown.items():
        # With too few others before it, it moves up.
        before = others + sum(other < at for other in shown)
        if before >= at - 1:
            assert names[at - 1] == name
        assert name in names


@given(
    order=st.permutations(NAMES),
    found=st.integers(0, 6),
    pins=st.dictionaries(st.integers(1, 4), st.sampled_from(NAMES), max_size=3),
    limit=st.integers(1, 7),
)
@settings(deadline=None)
def test_pages_with_pins_show_all_and_nothing_twice(
    order: list[str], found: int, pins: dict[int, str], limit: int
) -> None:
    pins = {at: name for name, at in {n: at for at, n in pins.items()}.items()}
    cards = Cards(cards_model())

    def page(offset: int, limit: int) -> Answer:
        asked = Request(placement="search", limit=limit, offset=offset)
        shown = order[:found][: from_first_slot(asked).limit]
        slots = tuple(Slot(product_id=n, propensity=1.0, reason="r") for n in shown)
        told = {"total": found}
        answer = Answer(slots=slots, eligible_hash="", rule="r", about=told)
        return place_pins(answer, pins, asked, cards)

    def names(answer: Answer) -> list[str]:
        return [slot.product_id for slot in answer.slots]

    whole = page(0, 20)
    assert whole.about["total"] == len(whole.slots)
    pages: list[str] = []
    for offset in range(0, 20, limit):
        answer = page(offset, limit)
        pages += names(answer)
        if answer.about["total"] <= len(pages):
            break
        for at, name in pins.items():
            if offset < at <= len(pages) and name not in pages[:offset]:
                assert pages[at - 1] == name
    else:
        raise AssertionError("no end")
    assert set(order[:found]) <= set(pages) <= {*order[:found], *pins.values()}
    assert len(pages) == len(set(pages))
