"""The page of support: the queue, closing, sources, the record, and hostile texts."""

from __future__ import annotations

import json

from fastapi.testclient import TestClient

from cartwheel.contacts import keep
from cartwheel.measure.support_record import NAME
from cartwheel.operations import pages
from cartwheel.shop import Shop
from tests.test_contacts import contact

SAYS = [{"text": "Within <b>30</b> days.", "source": "policy:back", "heading": "Back"}]


def test_nothing_yet_is_said(viewer: TestClient) -> None:
    text = viewer.get("/support").text
    assert "Nobody is waiting." in text
    assert "Not yet: the next turn tells" in text
    assert 'aria-current="page">Support' in text


def test_who_waits_can_be_closed_by_an_owner_only(
    owner: TestClient, viewer: TestClient, shop: Shop
) -> None:
    keep(shop.database, contact("a1", asked="<script>alert(1)</script>"))
    keep(
        shop.database,
        contact("a2", asked="Help", why="urgent", reply_to="<b>@example.org"),
    )
    text = viewer.get("/support").text
    assert "&lt;script&gt;" in text
    assert "<script>alert" not in text
    assert "answer to <bdi>&lt;b&gt;@example.org" in text
    assert text.index("Help") < text.index("&lt;script&gt;")
    assert ">Close<" not in text
    assert 'class="count">2<' in text
    assert viewer.post("/support/a1/close").status_code == 403
    answer = owner.post("/support/a1/close", follow_redirects=False)
    assert answer.headers["location"].startswith("/support")
    assert 'class="count">1<' in owner.get("/support").text
    assert owner.post("/support/a1/close").status_code == 409
    assert owner.post("/support/none/close").status_code == 404


def test_answers_show_their_sources(viewer: TestClient, shop: Shop) -> None:
    body = {"says": SAYS, "evidence": 0.83, "notice": ""}
    keep(shop.database, contact("a1", outcome="answered", why="evidence", body=body))
    text = viewer.get("/support").text
    assert "Within &lt;b&gt;30&lt;/b&gt; days." in text
    assert "policy:back" in text
    assert "83%" in text
    rows = viewer.get("/support.csv").text.splitlines()
    assert rows[0].lstrip("\ufeff").startswith("at,outcome,why,asked")
    assert "policy:back" in rows[1]


def test_a_cell_of_the_file_runs_nothing(viewer: TestClient, shop: Shop) -> None:
    keep(shop.database, contact("a1", asked="=HYPERLINK(1)"))
    assert ",'=HYPERLINK(1)" in viewer.get("/support.csv").text


def test_the_record_is_told_with_its_interval(viewer: TestClient, shop: Shop) -> None:
    body = {
        "on": "2026-11-01",
        "days": 28,
        "contacts": 40,
        "answered": {"of": 40, "hits": 20, "value": 0.5, "low": 0.35, "high": 0.65},
        "handed_over": 20,
        "asked_back": 0,
        "held_out": 3,
        "resolved": {"of": 4, "hits": 4, "value": None, "low": None, "high": None},
        "too_new": 2,
        "unknown": 1,
        "reasons": [{"outcome": "handed_over", "why": "no_evidence", "contacts": 20}],
    }
    with shop.database.begin() as con:
        con.execute(pages.insert().values(turn=2, name=NAME, body=json.dumps(body)))
    text = viewer.get("/support").text
    assert "35% to 65%" in text
    assert "not yet: needs 10 contacts" in text
    assert "3 contacts were left to people" in text
