"""New themes on the page Voice: shown, taken, named, dismissed, taken back."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient

from cartwheel.shop import Shop
from cartwheel.text.objections import CLASSES, standing
from cartwheel.voice_desk import MOST_OWN, Shown, add_correction, read_record
from tests.levers.new_themes import one, praise, shop, squeaks
from tests.levers.test_voice_corrections import corrected
from tests.voice_page import publish, publish_voice

HOSTILE = "Sadly the <script>alert(1)</script> hinge \u202espins\u202c."
TEXTS = [*praise(), *squeaks(), one(HOSTILE, 3, ago=1)]


def publish_new(shop_: Shop, *rows: dict[str, Any]) -> dict[str, Any]:
    return publish(shop_, corrected(shop(TEXTS), *rows))


@pytest.fixture
def fresh(shop: Shop) -> dict[str, Any]:
    (found,) = publish_new(shop)["fresh"]
    return dict(found)


def send(client: TestClient, fresh: dict[str, Any], **typed: str) -> Any:
    path = f"/voice/new/{fresh['key']}"
    return client.post(path, data=typed, follow_redirects=False)


def stands(shop: Shop) -> Any:
    return standing(read_record(shop.database))


def test_a_new_theme_is_shown_with_its_place_and_a_quote(
    viewer: TestClient, fresh: dict[str, Any]
) -> None:
    text = viewer.get("/voice").text
    assert f'href="/voice/new/{fresh["key"]}"' in text
    assert "<bdi>hinge</bdi>" in text
    assert "the whole shop" in text
    assert "<script>alert" not in text
    text = viewer.get(f"/voice/new/{fresh['key']}").text
    assert "Said in 21 complaints and questions" in text
    assert "Found by <bdi>hinge</bdi>" in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert "<button" not in text.partition("<main")[2]  # a viewer looks only


def test_nothing_new_is_said(viewer: TestClient, shop: Shop) -> None:
    publish_voice(shop)
    assert "Nothing: no words come up beyond chance" in viewer.get("/voice").text


def test_only_an_owner_judges(
    viewer: TestClient, shop: Shop, fresh: dict[str, Any]
) -> None:
    assert send(viewer, fresh, kind="dismiss").status_code == 403
    assert read_record(shop.database) == []


def test_another_sites_page_judges_nothing(
    owner: TestClient, shop: Shop, fresh: dict[str, Any]
) -> None:
    path = f"/voice/new/{fresh['key']}"
    from_there = {"sec-fetch-site": "cross-site"}
    answer = owner.post(path, data={"kind": "dismiss"}, headers=from_there)
    assert answer.status_code == 403
    assert read_record(shop.database) == []


def test_one_taken_as_an_own_theme_has_a_page(
    owner: TestClient, shop: Shop, fresh: dict[str, Any]
) -> None:
    answer = send(owner, fresh, kind="split", title="<b>Loud</b> hinge")
    assert answer.headers["location"] == "/voice?done=correct#new"
    (row,) = read_record(shop.database)
    assert (row["objection"], row["words"], row["made_by"]) == (None, "hinge", "owner")
    text = owner.get("/voice").text
    assert "answered, from the next turn on" in text
    assert "<bdi>&lt;b&gt;Loud&lt;/b&gt; hinge</bdi>, a theme of your own" in text
    assert "You have said what this is" in owner.get(f"/voice/new/{fresh['key']}").text
    body = publish_new(shop, *read_record(shop.database))
    assert body["fresh"] == []
    text = owner.get("/voice").text
    assert "Themes of your own that fit no class" in text
    assert "<b>Loud" not in text
    text = owner.get(f"/voice/own/{row['correction_id']}").text
    assert "21 texts about 20 products" in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert owner.get("/voice/own/nothing").status_code == 404


def test_one_that_is_taught_counts_as_the_class(
    owner: TestClient, shop: Shop, fresh: dict[str, Any]
) -> None:
    assert all(
        f'value="{code}"' in owner.get(f"/voice/new/{fresh['key']}").text
        for code in CLASSES
    )
    send(owner, fresh, kind="teach", into="quality_doubt")
    assert "<bdi>hinge</bdi> counts as doubt about quality" in owner.get("/voice").text
    body = publish_new(shop, *read_record(shop.database))
    (theme,) = [row for row in body["themes"] if row["objection"] == "quality_doubt"]
    assert theme["mentions"] == 21
    assert body["fresh"] == []


def test_one_dismissed_comes_back_only_when_that_is_taken_back(
    owner: TestClient, shop: Shop, fresh: dict[str, Any]
) -> None:
    send(owner, fresh, kind="dismiss")
    assert "<bdi>hinge</bdi> is not shown" in owner.get("/voice").text
    assert publish_new(shop, *read_record(shop.database))["fresh"] == []
    (row,) = read_record(shop.database)
    owner.post(f"/voice/corrections/{row['correction_id']}/take-back")
    assert stands(shop).by_id == {}
    body = publish_new(shop, *read_record(shop.database))
    assert body["fresh"] == [fresh]


REFUSED: list[dict[str, str]] = [
    {},
    {"kind": "merge", "into": "price"},
    {"kind": "not_this", "sentence": "0" * 16},
    {"kind": "teach"},
    {"kind": "teach", "into": "no_such_class"},
    {"kind": "split"},
    {"kind": "split", "title": "x" * 10_000},
    {"kind": "split", "title": "a\u202eb"},
]


@pytest.mark.parametrize("typed", REFUSED, ids=str)
def test_what_does_not_fit_is_refused_beside_the_form(
    owner: TestClient, shop: Shop, fresh: dict[str, Any], typed: dict[str, str]
) -> None:
    answer = send(owner, fresh, **typed)
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    assert len(answer.text) < 60_000
    assert read_record(shop.database) == []


def test_words_come_from_the_turn_and_not_from_the_form(
    owner: TestClient, shop: Shop, fresh: dict[str, Any]
) -> None:
    send(owner, fresh, kind="dismiss", words="kettle", title="Everything")
    (row,) = read_record(shop.database)
    assert (row["words"], row["title"]) == ("hinge", "hinge")


def test_a_theme_is_judged_once_and_own_themes_are_few(
    owner: TestClient, shop: Shop, fresh: dict[str, Any]
) -> None:
    assert send(owner, fresh, kind="dismiss").status_code == 303
    assert send(owner, fresh, kind="split", title="Own").status_code == 422
    assert owner.get("/voice/new/nothing").status_code == 404
    assert send(owner, {"key": "nothing"}, kind="dismiss").status_code == 404
    for at in range(MOST_OWN):
        shown = Shown(fresh={"words": [f"word{at}"], "title": "word"})
        said = {"kind": "split", "title": f"Own {at}"}
        add_correction(shop.database, said, shown, "owner")
    (row,) = [row for row in read_record(shop.database) if row["kind"] == "dismiss"]
    owner.post(f"/voice/corrections/{row['correction_id']}/take-back")
    answer = send(owner, fresh, kind="split", title="One more")
    assert answer.status_code == 422
    assert "at most 20" in answer.text
    page = owner.get(f"/voice/new/{fresh['key']}").text
    assert "as many as a shop may have" in page
