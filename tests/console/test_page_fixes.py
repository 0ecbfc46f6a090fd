"""The page of page fixes: lines with sources, difference, buttons, what is missing."""

from __future__ import annotations

import json

from fastapi.testclient import TestClient

from cartwheel.ledger.store import find
from cartwheel.measure.page_fixes_page import NAME
from cartwheel.operations import pages
from cartwheel.shop import Shop
from tests.page_fixes import (
    ASKED,
    PAGE,
    SAID,
    fix,
    fix_with_table,
    mail,
    outline,
    put,
    read_as,
    task,
)


def test_nothing_yet_is_said(viewer: TestClient) -> None:
    text = viewer.get("/page-fixes").text
    assert "No fix is waiting for an answer." in text
    assert '<a href="/page-fixes" aria-current="page">Page fixes</a>' in text


def test_a_fix_shows_lines_sources_and_difference(
    viewer: TestClient, shop: Shop
) -> None:
    read_as(shop, turn=2, P1=PAGE)
    put(shop, fix(said=(*SAID, ASKED)), turn=2)
    put(shop, task(), turn=2)
    text = viewer.get("/page-fixes").text
    assert "attribute:Chest" in text
    assert "Chest width: 54 cm" in text
    assert "Is it &lt;b&gt;lined&lt;/b&gt;?" in text
    assert '<span class="plus">+&lt;li&gt;Chest width' in text
    assert "Runs &lt;i&gt;small&lt;/i&gt;." in text
    assert "Does it fit a &lt;b&gt;UK&lt;/b&gt; socket?" in text
    assert "£315" in text
    assert "Approve<" not in text  # a viewer looks only


def test_who_wrote_it_is_told_and_what_was_blocked(
    viewer: TestClient, shop: Shop
) -> None:
    read_as(shop, turn=2, P1=PAGE, P2=PAGE)
    made = fix()
    blocked = {"text": "<b>Best</b> ever.", "why": "a superlative"}
    drafted = {**made.action, "writer": "service:small<1>"}
    evidence = {"service": {"failed": "", "blocked": [blocked]}}
    put(shop, fix(action=drafted, evidence=evidence), turn=2)
    failed = {"service": {"failed": "it answered with status 500", "blocked": []}}
    put(shop, fix("P2", evidence=failed), turn=2)
    text = viewer.get("/page-fixes").text
    assert "Drafted by <bdi>service:small&lt;1&gt;</bdi>" in text
    assert "&lt;b&gt;Best&lt;/b&gt; ever." in text
    assert "did not write it: <bdi>it answered with status 500</bdi>" in text


def test_a_table_is_shown_beside_what_is_added(viewer: TestClient, shop: Shop) -> None:
    read_as(shop, turn=2, P1=PAGE, P2=PAGE)
    put(shop, fix_with_table(), turn=2)
    text = viewer.get("/page-fixes").text
    assert '<th scope="col"><bdi>Shirt &lt;P2&gt;</bdi></th>' in text
    assert '<td class="long"><bdi>60 cm</bdi></td>' in text


def test_a_mail_paragraph_is_approved_and_undone(owner: TestClient, shop: Shop) -> None:
    name = put(shop, mail(said=(*SAID, ASKED)), turn=2)
    text = owner.get("/page-fixes").text
    assert "For order mails" in text
    assert "Is it &lt;b&gt;lined&lt;/b&gt;?" in text
    assert "Add to order mails" in owner.get(f"/decisions/{name}").text
    owner.post(f"/decisions/{name}/approve", data={"next": "/page-fixes"})
    assert find(shop.database, name).state == "applied"
    assert "outbox/mail-paragraphs.csv" in owner.get("/page-fixes").text
    owner.post(f"/decisions/{name}/undo", data={"next": "/page-fixes"})
    assert "For order mails" not in owner.get("/page-fixes").text


def test_a_guide_to_write_is_shown(owner: TestClient, shop: Shop) -> None:
    name = put(shop, outline(), turn=2)
    text = owner.get("/page-fixes").text
    assert "Buying guides to write" in text
    assert "Shirts &lt;all&gt;" in text
    assert "Does it &lt;i&gt;shrink&lt;/i&gt;?" in text
    assert "Shirt P1" in text
    assert owner.get(f"/decisions/{name}").status_code == 200


def test_approve_and_undo(owner: TestClient, shop: Shop) -> None:
    read_as(shop, turn=2, P1=PAGE)
    name = put(shop, fix(), turn=2)
    answer = owner.post(
        f"/decisions/{name}/approve",
        data={"next": "/page-fixes"},
        follow_redirects=False,
    )
    assert answer.headers["location"].startswith("/page-fixes")
    assert find(shop.database, name).state == "applied"
    assert "outbox/pages.csv" in owner.get("/page-fixes").text
    owner.post(f"/decisions/{name}/undo", data={"next": "/page-fixes"})
    text = owner.get("/page-fixes").text
    assert "outbox/pages.csv" not in text
    assert "The page is what it was." in text


def test_a_fix_is_shown_to_visitors_and_then_to_everybody(
    owner: TestClient, shop: Shop
) -> None:
    read_as(shop, turn=2, P1=PAGE)
    name = put(shop, fix(), turn=2)
    assert ">Test on visitors<" in owner.get("/page-fixes").text
    answer = owner.post(f"/page-fixes/{name}/visitors")
    assert "Shown to the visitors of a test" in answer.text
    assert find(shop.database, name).state == "applied"
    assert "outbox/pages.csv" not in answer.text
    assert owner.post(f"/page-fixes/{name}/visitors").status_code == 409
    answer = owner.post(f"/page-fixes/{name}/page")
    assert "Shown to the visitors of a test" not in answer.text
    assert "outbox/pages.csv" in answer.text


def test_only_owners_show_page_fixes_alone_to_visitors(
    owner: TestClient, viewer: TestClient, shop: Shop
) -> None:
    read_as(shop, turn=2, P1=PAGE)
    name = put(shop, fix(), turn=2)
    assert viewer.post(f"/page-fixes/{name}/visitors").status_code == 403
    assert find(shop.database, name).state == "proposed"
    other = put(shop, task("P4"), turn=2)
    for way in ("visitors", "page"):
        assert "not a page fix" in owner.post(f"/page-fixes/{other}/{way}").text
        assert owner.post(f"/page-fixes/9-nothing/{way}").status_code == 404


def test_an_edited_page_is_told(viewer: TestClient, shop: Shop) -> None:
    read_as(shop, turn=2, P1="<p>Theirs.</p>")
    put(shop, fix(), turn=2, state="approved")
    text = viewer.get("/page-fixes").text
    assert "somebody edited the page after this was written" in text


def test_why_this_names_what_is_added(viewer: TestClient, shop: Shop) -> None:
    read_as(shop, turn=2, P1=PAGE)
    name = put(shop, fix(), turn=2)
    assert "Add to the page: size note" in viewer.get(f"/decisions/{name}").text


def test_what_fixes_brought_is_told(viewer: TestClient, shop: Shop) -> None:
    found = {
        "control_value": 0.41,
        "arm_value": 0.22,
        "effect": -0.19,
        "low": -0.28,
        "high": -0.1,
    }
    body = {
        "fixed": 9,
        "held_out": 8,
        "since": "2026-10-01",
        "failed": "",
        "scores": [
            {"metric": "return rate", "found": found, "p_value": 0.0004, "lacks": ""},
            {"metric": "conversion", "found": None, "p_value": None, "lacks": "views"},
        ],
        "by_visitor": [
            {
                "name": "<b>note",
                "since": "2026-10-01",
                "until": "2026-10-31",
                "over": over,
                "fixed": 1157,
                "held_out": 1143,
                "scores": [
                    {
                        "metric": "revenue per visitor",
                        "found": found,
                        "p_value": 0.04,
                        "lacks": "",
                    }
                ],
            }
            for over in (True, False)
        ],
    }
    with shop.database.begin() as con:
        con.execute(pages.insert().values(turn=2, name=NAME, body=json.dumps(body)))
    text = viewer.get("/page-fixes").text
    assert "Return rate" in text
    assert "41%" in text
    assert "&lt; .001" in text
    assert "not yet: views" in text
    assert "9 products whose page was to be mended against 8 held out" in text
    assert text.count("Revenue per visitor") == 2
    assert text.count("1,157 visitors shown fixes against 1,143 not") == 2
    assert text.count("Still running") == 1
    assert "<b>note" not in text
