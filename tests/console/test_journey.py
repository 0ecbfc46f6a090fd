"""The page "Journey": steps, drop-offs with money and links, and its CSV file."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from typing import Any

from fastapi.testclient import TestClient
from sqlalchemy import delete, update

from cartwheel.measure.journey.page import journey_page
from cartwheel.operations import pages
from cartwheel.shop import Shop
from tests.console.test_pages import outline
from tests.measure.journey.made import lake_of, look, made_rows

HOSTILE = "<script>alert(1)</script> " + "W" * 400


@cache
def _made(days: int) -> str:
    con = lake_of(made_rows(days=days))
    page = journey_page(look(con))
    con.close()
    return json.dumps(page)


def journey_body(days: int = 126) -> dict[str, Any]:
    """Return what a turn publishes of the hand-made shop."""
    found: dict[str, Any] = json.loads(_made(days))
    return found


def hostile_body() -> dict[str, Any]:
    """Return a page whose texts come from somebody who means harm."""
    body = journey_body()
    product = next(one for one in body["drop_offs"] if one["kind"] == "product")
    product["title"] = HOSTILE
    product["beside"][0]["quote"] = HOSTILE
    query = {**product, "kind": "query", "kind_title": "search", "place": HOSTILE}
    unknown = {"value_minor": None, "low_minor": None, "high_minor": None}
    body["low"] = [{**query, **unknown, "beside": [], "mostly": HOSTILE}]
    body["near"] = [query]
    body["left_out"] = 3
    return body


def publish(shop: Shop, body: dict[str, Any]) -> None:
    with shop.database.begin() as con:
        con.execute(delete(pages).where(pages.c.name == "journey"))
        con.execute(
            pages.insert().values(turn=2, name="journey", body=json.dumps(body))
        )


def test_drop_offs_stand_with_money_links_and_steps(
    shop: Shop, viewer: TestClient
) -> None:
    publish(shop, journey_body())
    text = viewer.get("/journey").text
    places = [
        text.index(part)
        for part in (
            "Steps of a visit</h2>",
            'aria-label="Visits by step"',
            "Fell against their own days before</h2>",
            "<bdi>Lamp P03</bdi></h3>",
            "was sold out on 10 of 28 days",
            "<q><bdi>Too small for me.</bdi></q>",
            '<a href="/voice/size_fit?product=P03">Voice</a>',
            '<a href="/decisions/2-abc">Why this fix</a>',
            "Home &gt; Lamps</bdi>",
            "Mostly <bdi>Lamp P03</bdi>",
            "Low beside the others of their kind, as ever</h2>",
            "Events name neither device nor channel",
        )
    ]
    assert places == sorted(places)
    assert '<a href="/levers/replenish">Reorders</a>' in text
    assert '<a href="/levers/search">Search</a>' in text
    assert "lamp &lt;b&gt;xl&lt;/b&gt;" in text
    assert "It is where, not why." in text
    assert "of contribution margin: some" in text
    assert 'aria-current="page">Journey</a>' in text


def test_what_others_wrote_stays_text(shop: Shop, viewer: TestClient) -> None:
    publish(shop, hostile_body())
    text = viewer.get("/journey").text
    assert "<script>alert" not in text
    assert "money unknown" in text
    assert "Nothing known stands beside it." in text
    assert "3 more, with less money." in text
    found = outline(text)
    assert found.inline == []
    assert len(found.ids) == len(set(found.ids))
    assert all("scope" in one for one in found.headers)


def test_places_are_downloaded_as_they_stand(shop: Shop, viewer: TestClient) -> None:
    body = journey_body()
    body["near"] = [{**body["drop_offs"][0], "place": '=HYPERLINK("x")'}]
    publish(shop, body)
    answer = viewer.get("/journey/drop-offs.csv")
    assert 'filename="journey-turn-2.csv"' in answer.headers["content-disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    assert [row["state"] for row in rows] == [
        *["fell"] * len(body["drop_offs"]),
        "not told from chance",
    ]
    assert rows[-1]["place"] == '\'=HYPERLINK("x")'
    assert int(rows[0]["value_minor"]) == round(body["drop_offs"][0]["value_minor"])


def test_a_young_shop_says_how_many_visits_are_needed(
    shop: Shop, viewer: TestClient
) -> None:
    publish(shop, journey_body(days=20))
    text = viewer.get("/journey").text
    assert "Not yet: 0 visits of the 98 days before left events" in text
    assert "100 visits in the days before are needed" in text
    assert "100 visits in 28 days, 100 in the 98 before" in text


def test_a_journey_that_failed_or_is_missing_is_told(
    shop: Shop, viewer: TestClient
) -> None:
    assert "Not yet: the journey is published with the next turn." in (
        viewer.get("/journey").text
    )
    publish(shop, {"failed": "ValueError: <b>no</b>"})
    text = viewer.get("/journey").text
    assert "could not be told in this turn" in text
    assert "<b>no</b>" not in text
    with shop.database.begin() as con:
        con.execute(update(pages).where(pages.c.name == "journey").values(body="{}"))
    assert viewer.get("/journey").status_code == 200


def test_a_shop_before_its_first_turn_says_not_yet(
    empty_shop: Shop, signed_in: Callable[[Shop, str], TestClient]
) -> None:
    client = signed_in(empty_shop, "owner")
    assert "Not yet: the journey" in client.get("/journey").text
    assert client.get("/journey/drop-offs.csv").text.count("\n") == 1


def test_nobody_sees_the_journey_without_signing_in(shop: Shop) -> None:
    from cartwheel.api.app import create_app

    client = TestClient(create_app(shop), headers={"accept": "text/html"})
    for path in ("/journey", "/journey/drop-offs.csv"):
        assert client.get(path, follow_redirects=False).status_code == 303


def test_the_page_loads_no_library_of_statistics() -> None:
    code = (
        "import sys, cartwheel.console.pages_journey; "
        "print([n for n in ('scipy', 'pandas', 'duckdb') if n in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
