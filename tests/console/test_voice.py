"""The page Voice: themes, products, quotes; corrections made, refused, taken back."""

from __future__ import annotations

import json
from typing import Any

import httpx2
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import insert, select, update

from cartwheel.lake.inbox import drain_waiting
from cartwheel.levers.voice import Voice
from cartwheel.levers.voice.board import over_the_shop
from cartwheel.operations import inbox, pages
from cartwheel.shop import Shop
from cartwheel.text.objections import CLASSES, standing
from cartwheel.voice_desk import read_record
from tests.levers import new_themes
from tests.page_fixes import fix, put
from tests.voice_page import publish, publish_voice, quote_of

PRODUCT = "/voice/size_fit?product=p"


@pytest.fixture
def body(shop: Shop) -> dict[str, Any]:
    return publish_voice(shop)


def send(client: TestClient, theme: str = "size_fit", **typed: str) -> Any:
    return client.post(f"/voice/{theme}", data=typed, follow_redirects=False)


def stands(shop: Shop) -> Any:
    return standing(read_record(shop.database))


def test_nothing_yet_is_said(viewer: TestClient, shop: Shop) -> None:
    text = viewer.get("/voice").text
    assert "Not yet: the published turn read no texts" in text
    assert '<a href="/voice" aria-current="page">Voice</a>' in text
    assert "Nobody has corrected a theme yet." in text
    assert viewer.get("/voice/size_fit").status_code == 404


def test_a_page_that_could_not_be_made_says_why(viewer: TestClient, shop: Shop) -> None:
    body = json.dumps({"failed": "<b>KeyError</b>"})
    with shop.database.begin() as con:
        con.execute(insert(pages).values(turn=2, name="voice", body=body))
    assert "&lt;b&gt;KeyError&lt;/b&gt;" in viewer.get("/voice").text


def test_themes_stand_by_money_with_interval_and_trend(
    viewer: TestClient, body: dict[str, Any]
) -> None:
    text = viewer.get("/voice").text
    first, second = body["themes"][:2]
    assert first["objection"] == "size_fit"
    assert first["low_minor"] < first["stake_minor"] < first["high_minor"]
    assert second["stake_minor"] is None
    assert text.index("/voice/size_fit") < text.index("/voice/quality_doubt")
    assert "£56.00" in text  # two units back at 25.00, two messages at 3.00
    assert '4 <span class="muted">after 1</span>' in text
    assert "not yet" in text


def test_a_theme_leads_to_products_and_these_to_quotes(
    viewer: TestClient, body: dict[str, Any], shop: Shop
) -> None:
    name = put(shop, fix("p"), turn=2)
    text = viewer.get("/voice/size_fit").text
    assert 'href="/voice/size_fit?product=p"' in text
    assert "product=%3Cb%3Eodd%3C%2Fb%3E%2Fid%3F%26x%3D1" in text
    assert "Without a product" in text
    assert "<i>Odd" not in text
    text = viewer.get(PRODUCT).text
    assert "<bdi>Runs small.</bdi>" in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert "<script>alert" not in text
    assert "[e-mail]" in text
    assert "ann@" not in text
    assert "Review, 27 Jun 2025, 3 days before the turn" in text
    assert "Message, 31 May 2025, 30 days before the turn" in text
    assert f'href="/decisions/{name}"' in text
    assert "<button" not in text.partition("<main")[2]  # a viewer looks only
    odd = viewer.get("/voice/size_fit", params={"product": "<b>odd</b>/id?&x=1"})
    assert "The sleeves are too short." in odd.text
    nameless = viewer.get("/voice/size_fit", params={"product": ""}).text
    assert "Which size should I take?" in nameless


def test_only_an_owner_corrects(viewer: TestClient, shop: Shop, body: Any) -> None:
    key = quote_of(body, "size_fit", "Runs small.")["key"]
    answer = send(viewer, kind="not_this", sentence=key, product="p")
    assert answer.status_code == 403
    assert viewer.post("/voice/corrections/x/take-back").status_code == 403
    assert read_record(shop.database) == []


def test_another_sites_page_corrects_nothing(
    owner: TestClient, shop: Shop, body: Any
) -> None:
    answer = owner.post(
        "/voice/size_fit",
        data={"kind": "merge", "into": "price"},
        headers={"sec-fetch-site": "cross-site"},
    )
    assert answer.status_code == 403
    assert read_record(shop.database) == []


def test_a_sentence_is_corrected_shown_and_taken_back(
    owner: TestClient, shop: Shop, body: Any
) -> None:
    key = quote_of(body, "size_fit", "Runs small.")["key"]
    answer = send(owner, kind="not_this", sentence=key, product="p", next=PRODUCT)
    assert answer.headers["location"].startswith(PRODUCT)
    (row,) = read_record(shop.database)
    assert (row["made_by"], row["sentence"]) == ("owner", key)
    assert len(row["beside"].split()) == 2
    assert key not in row["beside"]
    assert "corrected: not this theme, from the next turn on" in owner.get(PRODUCT).text
    text = owner.get("/voice").text
    assert "Not size and fit" in text
    assert "from the next turn on" in text
    # The next turn has seen it, and quotes it no more.
    publish_voice(shop, read_record(shop.database))
    text = owner.get("/voice").text
    assert "from the next turn on" not in text
    assert "<q><bdi>Runs small.</bdi></q>" in text
    assert "<bdi>Runs small.</bdi></blockquote>" not in owner.get(PRODUCT).text
    name = row["correction_id"]
    answer = owner.post(f"/voice/corrections/{name}/take-back", follow_redirects=False)
    assert answer.headers["location"] == "/voice?done=uncorrect#corrections"
    assert stands(shop).by_id == {}
    assert "Taken back" in owner.get("/voice").text
    assert owner.post(f"/voice/corrections/{name}/take-back").status_code == 404
    assert len(read_record(shop.database)) == 2  # nothing is ever changed
    assert publish_voice(shop, read_record(shop.database)) == body


def test_a_correction_reaches_the_lake_with_the_record(
    owner: TestClient, shop: Shop, body: Any
) -> None:
    send(owner, kind="split", title="Sleeves", words="sleeve, sleeves")
    drain_waiting(shop)
    with shop.lake.attached(read_only=True) as con:
        found = con.execute(
            "SELECT correction_id, kind, words, title, made_by "
            "FROM lake.theme_corrections"
        ).fetchall()
    (row,) = read_record(shop.database)
    assert found == [
        (row["correction_id"], "split", "sleeve\nsleeves", "Sleeves", "owner")
    ]


def test_a_move_a_merge_and_a_split_are_told(
    owner: TestClient, shop: Shop, body: Any
) -> None:
    key = quote_of(body, "size_fit", "Too tight")["key"]
    send(owner, kind="move", sentence=key, product="p", into="quality_doubt")
    send(owner, kind="split", title="<b>Sleeves</b>", words="sleeves")
    assert "&lt;b&gt;Sleeves&lt;/b&gt;" in owner.get("/voice/size_fit").text
    rows = read_record(shop.database)
    after = publish_voice(shop, rows)
    text = owner.get("/voice").text
    assert "Not size and fit but doubt about quality" in text
    assert "&lt;b&gt;Sleeves&lt;/b&gt;" in text
    assert "<b>Sleeves" not in text
    split = after["themes"][0]["splits"][0]
    text = owner.get(f"/voice/size_fit?split={split['correction_id']}").text
    assert "The sleeves are too short." in text
    assert "1 of 5 texts" in text
    send(owner, "quality_doubt", kind="merge", into="size_fit")
    publish_voice(shop, read_record(shop.database))
    text = owner.get("/voice").text
    assert "with doubt about quality" in text
    assert "Doubt about quality counts under size and fit" in text


def test_a_sentence_of_a_split_is_corrected_beside_its_own(
    owner: TestClient, shop: Shop, body: Any
) -> None:
    send(owner, kind="split", title="Sleeves", words="sleeves")
    body = publish_voice(shop, read_record(shop.database))
    (split,) = body["themes"][0]["splits"]
    (product,) = split["products"]
    answer = send(
        owner,
        kind="not_this",
        sentence=product["quotes"][0]["key"],
        product=product["product_id"],
        split=split["correction_id"],
    )
    assert answer.status_code == 303
    assert read_record(shop.database)[-1]["beside"] == ""


REFUSED: list[dict[str, str]] = [
    {"kind": "drop"},
    {},
    {"kind": "not_this", "sentence": "0" * 16, "product": "p"},
    {"kind": "not_this", "sentence": "Runs small.", "product": "p"},
    {"kind": "not_this"},
    {"kind": "merge", "into": "no_such_class"},
    {"kind": "merge", "into": "size_fit"},
    {"kind": "merge"},
    {"kind": "split", "title": "Sleeves", "words": ""},
    {"kind": "split", "title": "", "words": "sleeves"},
    {"kind": "split", "title": "x" * 10_000, "words": "sleeves"},
    {"kind": "split", "title": "Sleeves", "words": "x" * 10_000},
    {"kind": "split", "title": "a\u202eb", "words": "sleeves"},
]


@pytest.mark.parametrize("typed", REFUSED, ids=str)
def test_what_does_not_fit_is_refused_beside_the_form(
    owner: TestClient, shop: Shop, body: Any, typed: dict[str, str]
) -> None:
    answer = send(owner, **typed)
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    assert len(answer.text) < 60_000
    assert read_record(shop.database) == []
    with shop.database.begin() as con:
        assert con.execute(select(inbox.c.id)).all() == []


def test_an_unknown_class_product_or_split_is_not_found(
    owner: TestClient, shop: Shop, body: Any
) -> None:
    assert send(owner, "no_such_class", kind="merge", into="price").status_code == 404
    assert owner.get("/voice/size_fit?product=nobody").status_code == 404
    assert owner.get("/voice/size_fit?split=nothing").status_code == 404
    hostile = owner.get("/voice/size_fit", params={"product": "<script>" * 2_000})
    assert hostile.status_code == 404
    assert "<script>" not in hostile.text


def test_the_same_is_not_said_twice_and_no_circle_is_closed(
    owner: TestClient, shop: Shop, body: Any
) -> None:
    key = quote_of(body, "size_fit", "Runs small.")["key"]
    said = {"kind": "not_this", "sentence": key, "product": "p"}
    assert send(owner, **said).status_code == 303
    assert send(owner, **said).status_code == 422
    assert send(owner, kind="merge", into="quality_doubt").status_code == 303
    assert send(owner, kind="merge", into="price").status_code == 422
    again = send(owner, "quality_doubt", kind="merge", into="size_fit")
    assert again.status_code == 422
    assert "is counted under" in again.text
    assert send(owner, kind="split", title="Own", words="a").status_code == 303
    assert send(owner, kind="split", title="OWN", words="b").status_code == 422
    assert stands(shop).merged == {"size_fit": "quality_doubt"}


def test_back_leads_to_this_console_only(
    owner: TestClient, shop: Shop, body: Any
) -> None:
    answer = send(owner, kind="merge", into="price", next="https://example.org/steal")
    assert answer.headers["location"].startswith("/?done=correct")


def test_what_was_learned_is_told(viewer: TestClient, shop: Shop) -> None:
    body = publish_voice(shop)
    phrase = {
        "language": "en",
        "objection": "size_fit",
        "words": ["<b>tent</b>"],
        "whole": False,
        "corrected": 8,
        "seen": 9,
        "into_objection": "price",
    }
    rule = {**phrase, "words": ["boxy", "baggy"], "whole": True, "into_objection": ""}
    with shop.database.begin() as con:
        text = json.dumps({**body, "lessons": [phrase, rule]})
        con.execute(pages.update().where(pages.c.name == "voice").values(body=text))
    text = " ".join(viewer.get("/voice").text.split())
    assert (
        "<q><bdi>&lt;b&gt;tent&lt;/b&gt;</bdi></q> no longer counts as size and fit "
        "but as price: 8 of 9 sentences that were looked at were corrected." in text
    )
    assert "and what else the same rule meets, no longer count as size and fit" in text


def test_every_class_can_be_chosen(owner: TestClient, body: Any) -> None:
    text = owner.get("/voice/size_fit").text
    assert all(f'value="{code}"' in text for code in CLASSES if code != "size_fit")


def test_an_address_of_a_form_is_no_page(owner: TestClient) -> None:
    answer: httpx2.Response = owner.get("/voice/corrections/x/take-back")
    assert answer.status_code == 405


def test_searches_without_result_stand_apart(viewer: TestClient, shop: Shop) -> None:
    body = publish_voice(shop)
    assert "Searched for and not found" not in viewer.get("/voice").text
    told = {
        "query": "<b>tent</b>",
        "category": "<i>Camp</i>",
        "searches": 1_400,
        "without_result": 1_200,
        "found": 0,
        "sold_out": 3,
        "missed_minor": 45_000,
        "objection": "size_fit",
    }
    plain = {**told, "query": "lamp", "missed_minor": None, "objection": ""}
    text = json.dumps({**body, "themes": [], "texts": 0, "searches": [told, plain]})
    with shop.database.begin() as con:
        con.execute(pages.update().where(pages.c.name == "voice").values(body=text))
    text = viewer.get("/voice").text
    assert "&lt;b&gt;tent&lt;/b&gt;" in text
    assert "<i>Camp" not in text
    assert "1,200" in text
    assert "£450" in text
    assert "3 sold out" in text
    assert text.index("Searched for and not found") < text.index("What was learned")


def test_a_new_theme_that_nobody_can_be_quoted_on_and_a_page_of_before_moods(
    viewer: TestClient, shop: Shop
) -> None:
    """What comes in reasons of returns alone has no quote; old pages know no mood."""
    data = new_themes.shop([*new_themes.praise(), *new_themes.squeaks()])
    body = publish(shop, data)
    (fresh,) = body["fresh"]
    for product in fresh["products"]:
        product["quotes"] = []
    body["themes"] = [
        {
            **over_the_shop(Voice().learn(data, None, seed=1), 0),
            "title": "Arrived damaged",
            "about": 1,
            "mentions": 3,
            "products": [],
            "splits": [],
        }
    ]
    del body["mood_texts"], body["themes"][0]["displeased"]
    with shop.database.begin() as con:
        con.execute(
            update(pages)
            .where(pages.c.turn == 2, pages.c.name == "voice")
            .values(body=json.dumps(body))
        )
    found = viewer.get("/voice")
    assert found.status_code == 200
    assert "no quote" in found.text
    assert "Arrived damaged" in found.text
    assert "texts with stars teach" not in found.text
    assert viewer.get(f"/voice/new/{fresh['key']}").status_code == 200
