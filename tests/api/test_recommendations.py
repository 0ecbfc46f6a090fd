from __future__ import annotations

import json
import threading
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select, update

from cartwheel.api import answering as answering_module
from cartwheel.api.recommendations import Recommendations
from cartwheel.api.serving import draw, make_decision_id
from cartwheel.channels.storefront import TEXTS
from cartwheel.levers.base import Model
from cartwheel.measure.assign import in_holdout
from cartwheel.operations import inbox, turns
from cartwheel.shop import Shop
from tests.api.conftest import ShelfLever, publish, publish_row

PRODUCTS = ["a", "b", "c", "d"]
HOME = "/v1/recommendations?placement=home"


def names(answer: Any) -> list[str]:
    return [item["product_id"] for item in answer["items"]]


def customer(shop: Shop, *, held_out: bool) -> str:
    holdout = shop.settings.holdout
    share = holdout.share_bps / 10_000
    return next(
        str(n)
        for n in range(1000)
        if in_holdout(str(n), share, holdout.salt) is held_out
    )


@pytest.fixture
def published(client: TestClient, shop: Shop, app: Any) -> TestClient:
    publish(shop, 1, PRODUCTS)
    app.state.serving.check()
    return client


def test_recommendations_before_any_turn_are_an_empty_slate(client: TestClient) -> None:
    answer = client.get(HOME).json()
    assert (answer["rule"], answer["arm"], answer["items"]) == (
        "none yet",
        "fallback",
        [],
    )
    assert answer["logged"]


def test_recommendations_are_logged_before_they_are_given(
    published: TestClient, shop: Shop
) -> None:
    path = f"{HOME}&limit=2&visitor=v&customer={customer(shop, held_out=False)}"
    answer = published.get(path).json()
    with shop.database.connect() as connection:
        row = connection.execute(select(inbox)).one()
    body = json.loads(row.body)
    assert (row.kind, row.id) == ("answers", answer["decision"])
    assert (body["turn"], body["arm"], body["eligible_hash"]) == (1, "treated", "e1")
    assert body["visitor_id"] == "v"
    slate = json.loads(body["slate"])
    assert slate == [{"product_id": name, "propensity": 0.25} for name in names(answer)]
    assert [item["position"] for item in answer["items"]] == [1, 2]


def test_recommendations_draw_replays_from_the_decision(
    published: TestClient, app: Any
) -> None:
    answer = published.get(HOME).json()
    model = app.state.serving._published.model
    again = draw(answer["decision"]).permutation(model.arrays["product_id"])
    assert names(answer) == list(again)


def test_recommendations_holdout_customer_gets_the_untouched_rule(
    published: TestClient, shop: Shop
) -> None:
    held = customer(shop, held_out=True)
    answers = [published.get(f"{HOME}&customer={held}").json() for _ in range(5)]
    assert {answer["arm"] for answer in answers} == {"holdout"}
    assert all(names(answer) == PRODUCTS for answer in answers)


def test_recommendations_held_out_customers_device_gets_the_untouched_rule(
    published: TestClient, shop: Shop, app: Any
) -> None:
    held, free = customer(shop, held_out=True), customer(shop, held_out=False)
    publish(shop, 2, PRODUCTS, device=["d1", "d2"], device_owner=[held, free])
    app.state.serving.check()

    def arms(query: str) -> set[str]:
        return {published.get(f"{HOME}&{query}").json()["arm"] for _ in range(3)}

    assert arms("visitor=d1") == {"holdout"}
    assert names(published.get(f"{HOME}&visitor=d1").json()) == PRODUCTS
    assert arms("visitor=d2") == arms("visitor=d3") == {"treated"}
    # Who is signed in is assigned by who they are, whatever they hold in their hand.
    assert arms(f"visitor=d1&customer={free}") == {"treated"}
    assert arms(f"visitor=d2&customer={held}") == {"holdout"}


@pytest.mark.parametrize("context", ["context=a,b", "context=a&context=b"])
def test_recommendations_context_in_either_form(
    published: TestClient, context: str
) -> None:
    assert set(names(published.get(f"{HOME}&{context}").json())) == {"c", "d"}


@pytest.mark.parametrize("exclude", ["exclude=a,b", "exclude=a&exclude=b"])
def test_recommendations_leave_out_what_the_page_cannot_show(
    published: TestClient, lever: ShelfLever, exclude: str
) -> None:
    assert set(names(published.get(f"{HOME}&{exclude}").json())) == {"c", "d"}
    lever.fails = True
    assert names(published.get(f"{HOME}&{exclude}").json()) == ["c", "d"]


def test_recommendations_lever_that_fails_is_replaced_by_the_fallback(
    published: TestClient, lever: ShelfLever
) -> None:
    lever.fails = True
    answer = published.get(f"{HOME}&context=a&limit=2")
    assert answer.status_code == 200
    assert answer.json()["arm"] == "fallback"
    assert names(answer.json()) == ["b", "c"]
    assert "secret" not in answer.text


def test_recommendations_lever_that_hangs_is_replaced_within_the_limit(
    published: TestClient, lever: ShelfLever, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answering_module, "ANSWER_SECONDS", 0.01)
    release = threading.Event()
    lever.hang = lambda: (release.wait(20), None)[1]
    try:
        answers = [published.get(HOME).json() for _ in range(20)]
    finally:
        release.set()
    assert {answer["arm"] for answer in answers} == {"fallback"}
    assert all(names(answer) == PRODUCTS for answer in answers)


def test_recommendations_lever_too_late_leaves_one_entry_the_one_given(
    published: TestClient, shop: Shop, lever: ShelfLever, monkeypatch: Any
) -> None:
    monkeypatch.setattr(answering_module, "ANSWER_SECONDS", 0.01)
    release = threading.Event()
    lever.hang = lambda: (release.wait(20), None)[1]
    answer = published.get(HOME).json()
    release.set()
    lever.hang = None
    published.get(HOME)  # the late answer's thread has had its turn
    with shop.database.connect() as connection:
        found = [json.loads(row.body) for row in connection.execute(select(inbox))]
    mine = [body for body in found if body["decision_id"] == answer["decision"]]
    assert [body["arm"] for body in mine] == ["fallback"]
    assert len(found) == 2


def test_recommendations_come_when_the_database_is_down(
    published: TestClient, shop: Shop
) -> None:
    assert published.get(HOME).json()["logged"]
    inbox.drop(shop.database)
    answer = published.get(HOME).json()
    assert (answer["logged"], answer["decision"]) == (False, None)
    assert sorted(names(answer)) == PRODUCTS


def test_recommendations_follow_a_new_turn_and_a_rollback(
    published: TestClient, shop: Shop, app: Any
) -> None:
    publish(shop, 2, ["z"])
    app.state.serving.check()
    assert names(published.get(HOME).json()) == ["z"]
    with shop.database.begin() as connection:
        connection.execute(
            update(turns).where(turns.c.number == 2).values(state="rolled_back")
        )
    app.state.serving.check()
    assert published.get(HOME).json()["turn"] == 1


@pytest.mark.parametrize("broken", ["absent", "not json", "no array", "cut array"])
def test_recommendations_keep_the_old_model_when_the_new_one_is_broken(
    published: TestClient, shop: Shop, app: Any, broken: str
) -> None:
    folder = shop.turn_folder(2) / "models" / "recommend"
    if broken == "absent":
        publish_row(shop, 2)
    else:
        publish(shop, 2, ["z"])
    if broken == "not json":
        (folder / "model.json").write_text("{")
    if broken == "no array":
        (folder / "product_id.npy").unlink()
    if broken == "cut array":
        data = (folder / "product_id.npy").read_bytes()
        (folder / "product_id.npy").write_bytes(data[:-2])
    app.state.serving.check()
    assert sorted(names(published.get(HOME).json())) == PRODUCTS
    health = published.get("/healthz").json()
    assert (health["status"], health["published_turn"]) == ("degraded", 1)
    assert "turn 2" in health["recommendations"]


def test_recommendations_model_is_mapped_not_read(
    published: TestClient, app: Any
) -> None:
    array = app.state.serving._published.model.arrays["product_id"]
    assert isinstance(array.base, np.memmap)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("", "placement"),
        ("?placement=moon", "placement"),
        ("?placement=home&limit=0", "limit"),
        ("?placement=home&limit=x", "limit"),
        ("?placement=home&color=red", "color"),
        ("?placement=home&customer=", "customer"),
    ],
)
def test_recommendations_bad_question_names_the_field(
    client: TestClient, query: str, field: str
) -> None:
    answer = client.get(f"/v1/recommendations{query}")
    assert answer.status_code == 422
    assert answer.json()["error"]["field"] == field


def test_decision_ids_are_version_7_and_differ() -> None:
    ids = [make_decision_id() for _ in range(100)]
    assert len(set(ids)) == 100
    assert {value[14] for value in ids} == {"7"}
    assert {value[19] for value in ids} <= set("89ab")


def test_recommendations_have_the_documented_shape(published: TestClient) -> None:
    answer = published.get(HOME).json()
    shape = Recommendations.model_validate(answer)  # extra keys are forbidden
    assert shape.model_dump(mode="json") == answer
    assert len(shape.items) == len(PRODUCTS)


def test_items_carry_cards_when_asked(client: TestClient, shop: Shop, app: Any) -> None:
    publish(shop, 1, PRODUCTS)
    known = {
        "product_id": np.array(["a", "b", "c"]),
        "price_minor": np.array([250, -1, 100]),
        "several_prices": np.array([True, False, False]),
        "available": np.array([True, False, True]),
    }
    texts: dict[str, Any] = {}
    for name in TEXTS:
        texts[f"{name}_text"] = np.frombuffer(b"A mug", np.uint8)
        texts[f"{name}_start"] = np.array([0, 5, 5, 5])
    Model(rule="cards", arrays={**known, **texts}).save(shop.turn_folder(1) / "cards")
    app.state.serving.check()
    answer = client.get(f"{HOME}&cards=true").json()
    cards = {item["product_id"]: item["card"] for item in answer["items"]}
    assert cards["a"]["title"] == "A mug"
    assert (cards["a"]["price_minor"], cards["a"]["from_price"]) == (250, True)
    assert cards["a"]["currency"] == shop.settings.currency
    assert (cards["b"]["price_minor"], cards["b"]["url"]) == (None, None)
    assert cards["d"] is None
    assert Recommendations.model_validate(answer)
    plain = client.get(HOME).json()
    assert {item["card"] for item in plain["items"]} == {None}
