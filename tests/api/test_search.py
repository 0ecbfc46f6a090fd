from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import numpy as np
import pandas as pd
import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from cartwheel.api import answering, search
from cartwheel.api.app import create_app
from cartwheel.api.keys import make_key
from cartwheel.api.search import SearchResult, Suggestions
from cartwheel.levers.base import Answer, Model, Request
from cartwheel.levers.search import Search
from cartwheel.measure.assign import in_holdout
from cartwheel.merchandising import ShopRule, add_rule
from cartwheel.operations import inbox
from cartwheel.shop import Shop
from cartwheel.signals.catalogue import CATALOGUE
from cartwheel.signals.intent import SEARCHES
from cartwheel.signals.listing import LISTING
from tests.api.conftest import publish_row
from tests.api.test_pins import cards_model
from tests.levers.made import empty_signals, for_lever, replace

GOODS = [
    ("p1", "Red mug", "Kitchen > Mugs", "Acme", 1200, '{"colour": "red"}'),
    ("p2", "Blue mug", "Kitchen > Mugs", "Acme", 900, '{"colour": "blue"}'),
    ("p3", "Garden hose 3/4 in. x 10 ft.", "Garden", "Flow", 3500, None),
    ("p4", "Trowel for the garden", "Garden", "Flow", 1500, "[broken"),
    ("p5", "красная кружка", None, None, None, None),
    ("p6", "赤いマグカップ", None, None, 1100, None),
    ("p7", None, None, None, None, None),
]


def goods() -> Any:
    data = for_lever(Search(), empty_signals())
    names = ["product_id", "title", "category", "brand", "price_minor", "attributes"]
    frame = pd.DataFrame(GOODS, columns=names).assign(active=True)
    frame["price_minor"] = frame["price_minor"].astype("Int64")
    empty = {name: None for name in LISTING.column_names if name not in frame}
    data = replace(data, LISTING, frame.assign(**empty))
    frame["variant_id"] = frame["product_id"].str.replace("p", "v")
    empty = {name: None for name in CATALOGUE.column_names if name not in frame}
    data = replace(data, CATALOGUE, frame.assign(**empty))
    searched = pd.DataFrame(
        {
            "query": ["red mug", "red mat", "once"],
            "searches": [5, 4, 1],
            "without_result": [0, 4, 0],
        }
    )
    return replace(data, SEARCHES, searched)


@pytest.fixture
def client(
    shop: Shop, app: Any, anonymous: TestClient, monkeypatch: pytest.MonkeyPatch
) -> TestClient:
    for module in (answering, search):  # a busy machine is no slow lever
        monkeypatch.setattr(module, "ANSWER_SECONDS", 30.0)
    key = make_key(shop.database, "page", ["search:read"])
    anonymous.headers["Authorization"] = f"Bearer {key}"
    model = Search().learn(goods(), None, seed=1)
    model.save(shop.turn_folder(1) / "models" / "search")
    Model(rule="shelf", arrays={"product_id": np.array(["p1"])}).save(
        shop.turn_folder(1) / "models" / "recommend"
    )
    publish_row(shop, 1)
    app.state.serving.check()
    app.state.search_serving.check()
    return anonymous


def ask(client: TestClient, query: str, more: str = "") -> dict[str, Any]:
    answer = client.get(f"/v1/search?q={quote(query)}{more}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    assert SearchResult.model_validate(found).model_dump(mode="json") == found
    return found


def names(answer: dict[str, Any]) -> list[str]:
    return [item["product_id"] for item in answer["items"]]


def test_search_finds_and_logs(client: TestClient, shop: Shop) -> None:
    answer = ask(client, "red mug", "&visitor=w")
    assert names(answer)[0] == "p1"
    with shop.database.connect() as connection:
        row = connection.execute(select(inbox)).one()
    body = json.loads(row.body)
    assert (row.kind, row.id) == ("answers", answer["decision"])
    assert (body["lever"], body["placement"]) == ("search", "search")
    assert [one["product_id"] for one in json.loads(body["slate"])] == names(answer)


def test_search_mends_spelling_and_says_so(client: TestClient) -> None:
    answer = ask(client, "Gardn hose")
    assert names(answer)[0] == "p3"
    assert answer["corrected"] == "garden hose"
    assert ask(client, "garden hose")["corrected"] is None


def test_search_understands_price_and_colour_as_chips(client: TestClient) -> None:
    answer = ask(client, "red mug under 15")
    chips = {chip["name"]: chip for chip in answer["chips"]}
    assert chips["price"]["value"] == "-1500"
    assert chips["price"]["query"] == "red mug"
    assert chips["colour"]["query"] == "mug under 15"
    assert names(answer) == ["p1"]
    assert names(ask(client, "mug under 10")) == ["p2"]


def test_search_filters_and_counts_facets(client: TestClient) -> None:
    answer = ask(client, "mug", "&filter=colour:blue")
    assert names(answer) == ["p2"]
    assert answer["total"] == 1
    (colour,) = [one for one in answer["facets"] if one["name"] == "colour"]
    assert {v["value"]: (v["count"], v["selected"]) for v in colour["values"]} == {
        "red": (1, False),
        "blue": (1, True),
    }
    assert answer["chips"][-1]["filters"] == []
    both = ask(client, "mug", "&filter=colour:blue&filter=colour:red")
    assert sorted(names(both)) == ["p1", "p2"]
    assert names(ask(client, "mug", "&filter=price:1000-2000")) == ["p1"]
    assert names(ask(client, "mug", "&filter=nothing:x")) == []


def test_search_pages_do_not_overlap(client: TestClient) -> None:
    first = ask(client, "", "&limit=3")
    second = ask(client, "", "&limit=10&offset=3")
    assert first["total"] == second["total"] == len(GOODS)
    assert sorted(names(first) + names(second)) == [row[0] for row in GOODS]
    assert [item["position"] for item in second["items"]] == [4, 5, 6, 7]


def paged(client: TestClient, query: str, limit: int, more: str = "") -> list[str]:
    """Return what pages show that are asked for while there is said to be more."""
    found: list[str] = []
    for offset in range(0, 100, limit):
        page = ask(client, query, f"&limit={limit}&offset={offset}{more}")
        places = [item["position"] for item in page["items"]]
        assert places == [*range(offset + 1, offset + 1 + len(places))]
        found += names(page)
        if page["total"] <= len(found):
            return found
    raise AssertionError(f"no end of {query!r}")


@pytest.mark.parametrize("limit", [1, 2, 3, 7])
@pytest.mark.parametrize("query", ["", "mug", "garden mug"])
def test_search_pages_are_parts_of_one_list(
    client: TestClient, query: str, limit: int
) -> None:
    who = "&visitor=w&context=p2&context=p4"
    whole = names(ask(client, query, f"&limit=100{who}"))
    assert len(whole) >= 2
    assert paged(client, query, limit, who) == whole


@pytest.mark.parametrize("limit", [1, 2, 3, 7])
def test_search_pages_show_all_and_nothing_twice_where_the_shop_pins(
    client: TestClient, shop: Shop, app: Any, limit: int
) -> None:
    """One pin would stand last by itself, the other is found by no word."""
    folder = shop.turn_folder(2)
    Search().learn(goods(), None, seed=1).save(folder / "models" / "search")
    Model(rule="shelf", arrays={"product_id": np.array(["p1"])}).save(
        folder / "models" / "recommend"
    )
    cards_model(names=[row[0] for row in GOODS]).save(folder / "cards")
    publish_row(shop, 2)
    first, last = paged(client, "garden mug", limit)
    for product, position in ((last, 1), ("p6", 2)):
        rule = ShopRule(
            kind="pin", product_id=product, position=position, placement="search"
        )
        add_rule(shop.database, rule, "ann")
    app.state.search_serving.check()
    assert paged(client, "garden mug", limit) == [last, "p6", first]


@pytest.mark.parametrize(
    "offset", ["-1", "10001", "1e3", "1.5", "", "NaN", "0x10", "9" * 400, "٣x", "1;2"]
)
def test_search_offset_that_is_none_is_refused_by_name(
    client: TestClient, offset: str
) -> None:
    answer = client.get(f"/v1/search?q=mug&offset={quote(offset)}")
    assert answer.status_code == 422
    error = answer.json()["error"]
    assert error["code"] == "invalid"
    assert [one["field"] for one in error["details"]] == ["offset"]


def test_search_page_past_the_end_is_empty_and_counts_all(client: TestClient) -> None:
    for offset in (7, 8, 10_000):
        page = ask(client, "", f"&offset={offset}")
        assert (page["items"], page["total"]) == ([], len(GOODS))


def test_search_of_other_scripts(client: TestClient) -> None:
    assert names(ask(client, "Кружка")) == ["p5"]
    assert names(ask(client, "マグカップ")) == ["p6"]


@pytest.mark.parametrize(
    "query",
    [
        "' OR 1=1; DROP TABLE products; --",
        "<script>alert(1)</script>",
        "👍👍🏽",
        "مرحبا بالعالم",
        "\u202e\u0000",
        "a" * 10_000,
        "mug " * 2_500,
        "under " * 100,
        "1/0 99999999999999999999 x " * 50,
        "%s %d {0} ${x}",
        "between 1 and",
        "\\",
    ],
    ids=range(12),
)
def test_search_of_anything_answers(client: TestClient, query: str) -> None:
    answer = ask(client, query)
    assert answer["arm"] == "treated"
    assert client.get(f"/v1/suggest?q={quote(query)}").status_code == 200


@settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    query=st.text(st.characters(exclude_categories=["Cs"]), max_size=60),
    pair=st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
)
def test_search_never_fails_and_never_shows_the_excluded(
    client: TestClient, query: str, pair: str
) -> None:
    more = f"&exclude=p1&filter={quote('colour:' + pair)}" if pair else "&exclude=p1"
    answer = ask(client, query, more)
    assert "p1" not in names(answer)
    assert answer["arm"] == "treated"


def test_search_too_long_is_refused(client: TestClient) -> None:
    assert client.get("/v1/search?q=" + "a" * 10_001).status_code == 422
    assert client.get("/v1/search?q=a&filter=colour").status_code == 422
    assert client.get("/v1/search?q=a&limit=0").status_code == 422


def test_search_needs_its_scope(client: TestClient, shop: Shop) -> None:
    key = make_key(shop.database, "other", ["recommendations:read"])
    headers = {"Authorization": f"Bearer {key}"}
    for path in ("/v1/search?q=mug", "/v1/suggest?q=mug"):
        assert client.get(path, headers=headers).status_code == 403


def test_search_may_be_asked_by_a_page_of_any_origin(client: TestClient) -> None:
    answer = client.get("/v1/search?q=mug", headers={"Origin": "https://shop.example"})
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


def test_search_holdout_gets_plain_keywords(client: TestClient, shop: Shop) -> None:
    holdout = shop.settings.holdout
    share = holdout.share_bps / 10_000
    held = next(str(n) for n in range(1000) if in_holdout(str(n), share, holdout.salt))
    answer = ask(client, "mug", f"&customer={held}")
    assert (answer["arm"], answer["rule"]) == ("holdout", "keyword")


def test_search_remembers_who_looks_unless_they_object(
    client: TestClient, shop: Shop, app: Any
) -> None:
    """Both mugs are alike; whoever bought from a brand before gets its own first."""
    rows = [
        ("p1", "Mug", "K", "Acme"),
        ("p2", "Mug", "K", "Bolt"),
        ("p3", "Tea", "T", "Bolt"),
    ]
    frame = pd.DataFrame(rows, columns=["product_id", "title", "category", "brand"])
    data = for_lever(Search(), empty_signals())
    empty = {name: None for name in LISTING.column_names if name not in frame}
    data = replace(data, LISTING, frame.assign(**{**empty, "active": True}))
    Search().learn(data, None, seed=1).save(shop.turn_folder(2) / "models" / "search")
    one = np.array([1.0], np.float32)
    people = Model(
        rule="shelf",
        arrays={
            "product_id": np.array(["p1", "p2", "p3"]),
            "customer_id": np.array(["buys", "objects"]),
            "silent": np.array(["objects"]),
            "device": np.zeros(0, "U1"),
            "reader": np.array(["v:phone"]),
            "look_start": np.array([0, 1]),
            "look_item": np.array([2], np.int32),
            "look_weight": one,
            "history_start": np.array([0, 1, 2]),
            "history_item": np.array([2, 2], np.int32),
            "history_weight": np.repeat(one, 2),
            "history_own": np.repeat(one, 2),
            "history_skip": np.zeros(2, bool),
        },
    )
    people.save(shop.turn_folder(2) / "models" / "recommend")
    publish_row(shop, 2)
    app.state.serving.check()
    app.state.search_serving.check()

    def first(more: str = "") -> str:
        found: str = ask(client, "mug", more)["items"][0]["product_id"]
        return found

    assert first() == "p1"
    assert first("&customer=buys") == "p2"
    assert first("&visitor=phone") == "p2"
    assert first("&customer=objects") == "p1"
    assert first("&customer=objects&visitor=phone") == "p1"
    assert first("&customer=nobody&visitor=tablet") == "p1"


class Failing(Search):
    def answer(
        self, model: Model, request: Request, *, rng: np.random.Generator
    ) -> Answer:
        if request.query == "mug":
            raise RuntimeError("secret detail")
        return super().answer(model, request, rng=rng)

    def suggest(self, model: Model, request: Request) -> Any:
        raise RuntimeError("secret detail")


def test_search_lever_that_fails_gives_an_empty_result(
    client: TestClient, shop: Shop
) -> None:
    app = create_app(shop, console=False, searcher=Failing())
    with TestClient(app, raise_server_exceptions=False) as other:
        other.headers.update(client.headers)
        answer = ask(other, "mug")
        assert (answer["arm"], answer["items"], answer["total"]) == ("fallback", [], 0)
        nothing = {"queries": [], "products": [], "categories": []}
        assert other.get("/v1/suggest?q=mug").json() == nothing


def test_search_before_any_turn_or_model_is_empty(
    anonymous: TestClient, key: str, app: Any, shop: Shop
) -> None:
    anonymous.headers["Authorization"] = f"Bearer {key}"
    assert ask(anonymous, "mug")["arm"] == "fallback"
    Model(rule="shelf", arrays={"product_id": np.array(["p1"])}).save(
        shop.turn_folder(1) / "models" / "recommend"
    )
    publish_row(shop, 1)
    app.state.search_serving.check()
    assert ask(anonymous, "mug")["items"] == []
    health = anonymous.get("/healthz").json()
    assert (health["status"], health["search"]) == ("ok", "ok")


def test_search_broken_model_keeps_the_old_one(
    client: TestClient, shop: Shop, app: Any
) -> None:
    folder = shop.turn_folder(2) / "models" / "search"
    Search().learn(goods(), None, seed=1).save(folder)
    (folder / "post_weight.npy").write_bytes(b"")
    publish_row(shop, 2)
    app.state.search_serving.check()
    assert ask(client, "red mug")["turn"] == 1
    assert "turn 2" in client.get("/healthz").json()["search"]


def test_suggest_offers_queries_products_and_categories(client: TestClient) -> None:
    answer = client.get("/v1/suggest?q=re").json()
    assert Suggestions.model_validate(answer)
    assert answer["queries"] == ["red mug"]  # one found nothing, one was asked once
    assert answer["products"][0]["product_id"] == "p1"
    found = client.get("/v1/suggest?q=mug").json()["categories"]
    assert {"category": "Kitchen > Mugs", "label": "Mugs", "count": 2} in found
    assert client.get("/v1/suggest?q=").json()["products"] == []
