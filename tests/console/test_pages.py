from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from html.parser import HTMLParser

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select, update

from cartwheel.api.app import create_app
from cartwheel.ledger.store import find, history
from cartwheel.operations import pages, requests, turns
from cartwheel.shop import Shop
from tests.console.seed import HOSTILE, decision_id, insert, link_for, reorder

PAGES = (
    "/",
    "/decisions",
    "/decisions?state=all&p=2",
    f"/decisions/{decision_id(0)}",
    "/levers/forecast",
    "/levers/replenish",
    "/levers/price",
    "/levers/lifecycle",
    "/imports",
    "/health",
    "/journey",
)


class Outline(HTMLParser):
    """Collects what a page's structure promises."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.inline: list[str] = []
        self.headers: list[dict[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.tags.append(tag)
        if "id" in found:
            self.ids.append(str(found["id"]))
        self.inline += [k for k in found if k == "style" or k.startswith("on")]
        if tag == "script" and "src" not in found:
            self.inline.append("script")
        if tag == "th":
            self.headers.append(found)


def outline(text: str) -> Outline:
    found = Outline()
    found.feed(text)
    return found


@pytest.mark.parametrize("path", PAGES)
def test_page_is_sound(owner: TestClient, path: str) -> None:
    answer = owner.get(path)
    assert answer.status_code == 200
    found = outline(answer.text)
    assert found.tags.count("h1") == 1
    assert found.tags.count("main") == 1
    assert found.inline == []
    assert len(found.ids) == len(set(found.ids))
    assert all(header.get("scope") for header in found.headers)
    assert "default-src 'self'" in answer.headers["content-security-policy"]
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("path", ["/", "/decisions", "/imports", "/decisions/x"])
def test_nobody_sees_a_page_without_signing_in(shop: Shop, path: str) -> None:
    client = TestClient(create_app(shop), headers={"accept": "text/html"})
    answer = client.get(path, follow_redirects=False)
    assert answer.status_code == 303
    assert answer.headers["location"] == "/sign-in"


def test_opening_a_sign_in_link_does_not_use_it_up(shop: Shop) -> None:
    client = TestClient(create_app(shop), headers={"accept": "text/html"})
    path = link_for(shop, "ann", "owner")
    assert "Continue" in client.get(path).text
    assert "Continue" in client.get(path).text
    token = path.partition("token=")[2]
    entered = client.post("/sign-in", data={"token": token}, follow_redirects=False)
    assert entered.headers["location"] == "/"
    client.cookies.clear()
    again = client.post("/sign-in", data={"token": token})
    assert again.status_code == 401
    assert "Ask for a new one" in again.text


def test_wrong_password_says_so_and_keeps_the_name(shop: Shop) -> None:
    client = TestClient(create_app(shop), headers={"accept": "text/html"})
    answer = client.post("/sign-in", data={"name": 'a"b', "password": "wrong words"})
    assert answer.status_code == 401
    assert "The name or the password is wrong" in answer.text
    assert 'value="a&#34;b"' in answer.text


def test_sign_out_ends_the_session(owner: TestClient) -> None:
    answer = owner.post("/sign-out")
    assert "Sign in" in answer.text
    assert owner.get("/", follow_redirects=False).status_code == 303


def test_overview_ranks_at_most_a_dozen_actions_by_money(owner: TestClient) -> None:
    text = owner.get("/").text
    worth = re.findall(r'action-worth">\s*<span class="amount">£([\d,.]+)', text)
    amounts = [float(value.replace(",", "")) for value in worth]
    assert len(amounts) == 12
    assert amounts == sorted(amounts, reverse=True)


def test_overview_says_not_yet_holdout_and_freshness(owner: TestClient) -> None:
    text = owner.get("/").text
    assert "About 12 Dec 2026, when 400 customers were assigned." in text
    assert "243 of 4,871 people" in text
    assert "49 days old" in text
    assert "−£420 to £4,710" in text


def test_overview_draws_the_cut_link_dashed(owner: TestClient) -> None:
    text = owner.get("/").text
    assert re.search(r'is-cut"[^>]*data-from="stock" data-to="lifecycle"', text)
    assert text.count('class="wheel-node') == 17


def test_empty_shop_says_the_first_steps(
    empty_shop: Shop, signed_in: Callable[[Shop, str], TestClient]
) -> None:
    client = signed_in(empty_shop, "owner")
    assert "cartwheel import csv" in client.get("/").text
    assert "no turn was published" in client.get("/decisions").text
    assert "Nothing was imported yet" in client.get("/imports").text
    assert client.get("/levers/price").status_code == 404


def test_turn_button_asks_once(owner: TestClient, shop: Shop) -> None:
    assert "A turn is asked for" in owner.post("/turn").text
    again = owner.post("/turn")
    assert again.status_code == 409
    with shop.database.connect() as con:
        rows = con.execute(select(requests)).all()
    assert [(row.what, row.actor, row.state) for row in rows] == [
        ("turn", "owner", "waiting")
    ]


def test_progress_names_the_step(owner: TestClient, shop: Shop) -> None:
    with shop.database.begin() as con:
        con.execute(
            turns.insert().values(
                number=3,
                as_of="2026-11-20",
                state="running",
                step="learning price",
                seed=1,
                settings="{}",
                started_at="2026-11-20T09:30:00Z",
            )
        )
    assert "Turn 3 is running: learning price." in owner.get("/progress").text
    assert "Turn 2," in owner.get("/").text


def test_failed_turn_is_told_until_the_next_one(owner: TestClient, shop: Shop) -> None:
    with shop.database.begin() as con:
        con.execute(
            turns.insert().values(
                number=3,
                as_of="2026-11-20",
                state="failed",
                seed=1,
                settings="{}",
                started_at="2026-11-20T09:30:00Z",
                error="disk full",
            )
        )
    assert "Turn 3 failed: disk full" in owner.get("/").text


def test_approve_undo_and_reject_without_script(owner: TestClient, shop: Shop) -> None:
    path = f"/decisions/{decision_id(0)}"
    answer = owner.post(f"{path}/approve", data={"next": "/"}, follow_redirects=False)
    assert answer.status_code == 303
    assert "The decision is approved." in owner.get(answer.headers["location"]).text
    assert find(shop.database, decision_id(0)).state == "approved"
    owner.post(f"{path}/undo")
    assert find(shop.database, decision_id(0)).state == "reverted"
    owner.post(f"/decisions/{decision_id(1)}/reject")
    owner.post(f"/decisions/{decision_id(1)}/undo")
    assert find(shop.database, decision_id(1)).state == "proposed"
    assert history(shop.database, decision_id(0))[-1]["actor"] == "owner"


@pytest.mark.parametrize(
    ("view", "tag"), [("card", "<li"), ("row", "<tr"), ("reorder", "<tr"), ("x", "<tr")]
)
def test_script_gets_one_element_back(owner: TestClient, view: str, tag: str) -> None:
    answer = owner.post(
        f"/decisions/{decision_id(2)}/approve",
        data={"view": view, "next": "/levers/replenish"},
        headers={"x-partial": "1"},
    )
    text = answer.text.strip()
    assert text.startswith(tag)
    assert "Approved" in text
    assert 'value="/levers/replenish"' in text
    assert "is approved." in text


def test_impossible_move_is_a_conflict_page(owner: TestClient) -> None:
    owner.post(f"/decisions/{decision_id(0)}/reject")
    answer = owner.post(f"/decisions/{decision_id(0)}/approve")
    assert answer.status_code == 409
    assert "Nothing was changed" in answer.text
    assert outline(answer.text).tags.count("h1") == 1


def test_bulk_moves_all_or_none(owner: TestClient, shop: Shop) -> None:
    ids = [decision_id(0), decision_id(1)]
    answer = owner.post("/decisions", data={"id": ids, "verb": "approve"})
    assert "2 decisions approved." in answer.text
    mixed = [decision_id(2), decision_id(0)]
    assert (
        owner.post("/decisions", data={"id": mixed, "verb": "reject"}).status_code
        == 409
    )
    assert find(shop.database, decision_id(2)).state == "proposed"
    assert owner.post("/decisions", data={"verb": "approve"}).status_code == 400
    assert owner.post("/decisions", data={"id": ids, "verb": "eat"}).status_code == 400


def test_decisions_filter_sort_and_page(owner: TestClient) -> None:
    assert "72 decisions match." in owner.get("/decisions").text
    refused = owner.get("/decisions?state=refused").text
    assert "1 decision matches." in refused
    assert "larger than the allowed 15 %" in refused
    second = owner.get("/decisions?p=2").text
    assert "51 to 72 of 72" in second
    assert "4 decisions match." in owner.get("/decisions?kind=price&lever=price").text
    assert owner.get("/decisions?state=odd").status_code == 400
    assert owner.get("/decisions?turn=x").status_code == 400
    assert owner.get("/decisions?p=0").status_code == 422


def test_why_page_tells_everything(owner: TestClient) -> None:
    text = owner.get(f"/decisions/{decision_id(0)}").text
    for part in (
        "12 on hand, 70 expected",
        "£744",
        "80 in 100",
        "cartwheel replay 2-0000000000000000",
        "Not chosen",
        "Lead time known",
        "It passed every rule",
        "20 Nov 2026, 09:30",
    ):
        assert part in text
    drawn = owner.get(f"/decisions/{decision_id(14)}").text
    assert "with probability <b>50%</b>" in drawn
    assert "is in the holdout" in owner.get(f"/decisions/{decision_id(74)}").text


def test_published_titles_name_subjects(owner: TestClient, shop: Shop) -> None:
    with shop.database.begin() as con:
        con.execute(
            pages.insert().values(
                turn=2, name="titles", body='{"customer:C0000": "Ada Lovelace"}'
            )
        )
    assert "Ada Lovelace" in owner.get(f"/decisions/{decision_id(14)}").text


def test_quantity_is_edited_costed_and_downloaded(
    owner: TestClient, shop: Shop
) -> None:
    path = f"/decisions/{decision_id(0)}"
    owner.post(f"{path}/edit/units", data={"units": "60", "next": "/levers/replenish"})
    page = owner.get("/levers/replenish").text
    assert "was 48" in page
    assert "£384" in page
    owner.post(f"{path}/approve", data={"units": "72"})
    assert find(shop.database, decision_id(0)).action["units"] == 72
    answer = owner.get("/levers/replenish/purchase-order.csv")
    assert "attachment" in answer.headers["content-disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert [(r["supplier_id"], r["title"], r["units"], r["cost"]) for r in rows] == [
        ("S1", "Oak side table, small", "72", "460.80"),
        ("S1", '\'=HYPERLINK("x")', "24", "153.60"),
    ]


@pytest.mark.parametrize("units", ["-1", "1e9", "", "4.5", "９９９９９９９９９９"])
def test_odd_quantity_is_refused(owner: TestClient, shop: Shop, units: str) -> None:
    answer = owner.post(
        f"/decisions/{decision_id(0)}/edit/units", data={"units": units}
    )
    assert answer.status_code in (400, 422)
    assert find(shop.database, decision_id(0)).action["units"] == 48


def test_viewer_sees_no_buttons_and_cannot_act(viewer: TestClient, shop: Shop) -> None:
    for path in PAGES:
        text = viewer.get(path).text
        assert set(re.findall(r'<form method="post" action="([^"]*)"', text)) == {
            "/sign-out"
        }
        assert 'name="verb"' not in text
    for path in (
        f"/decisions/{decision_id(0)}/approve",
        f"/decisions/{decision_id(0)}/edit/units",
        "/decisions",
        "/turn",
        "/links",
    ):
        answer = viewer.post(path, data={"id": decision_id(0), "verb": "approve"})
        assert answer.status_code == 403
    assert find(shop.database, decision_id(0)).state == "proposed"


def test_another_site_cannot_act(owner: TestClient, shop: Shop) -> None:
    answer = owner.post(
        f"/decisions/{decision_id(0)}/approve",
        headers={"sec-fetch-site": "cross-site", "origin": "https://evil.example"},
    )
    assert answer.status_code == 403
    assert find(shop.database, decision_id(0)).state == "proposed"


@pytest.mark.parametrize(
    "to",
    ["https://evil.example/", "//evil.example", "/\\evil.example", "/a\r\nX-Y: z", ""],
)
def test_forms_come_back_only_to_this_console(owner: TestClient, to: str) -> None:
    answer = owner.post(
        f"/decisions/{decision_id(0)}/approve",
        data={"next": to},
        follow_redirects=False,
    )
    assert answer.status_code == 303
    assert re.match(r"/(decisions)?\?done=", answer.headers["location"])
    assert "x-y" not in answer.headers


def test_message_of_a_made_up_link_says_nothing(owner: TestClient) -> None:
    for code in ("Pay.1.me", "approve.x", "approve.9999999", "<b>.1"):
        text = owner.get("/", params={"done": code}).text
        assert 'role="status" hidden' in text


def test_hostile_text_is_escaped_everywhere(owner: TestClient, shop: Shop) -> None:
    decision = reorder(0, HOSTILE)
    insert(shop, [("replenish", "proposed", decision)], first=500)
    body = _body(shop).replace("orders.csv", "<script>x</script>")
    with shop.database.begin() as con:
        con.execute(update(pages).where(pages.c.turn == 0).values(body=body))
    for path in ("/", "/decisions", f"/decisions/{decision_id(500)}", "/imports"):
        text = owner.get(path).text
        assert "<script>" not in text
        assert "<img" not in text
        assert "&lt;script&gt;" in text
    assert len(owner.get("/decisions").text) < 400_000


def _body(shop: Shop) -> str:
    with shop.database.connect() as con:
        return str(
            con.execute(select(pages.c.body).where(pages.c.turn == 0)).scalar_one()
        )


def test_links_are_cut_and_restored_from_the_next_turn(owner: TestClient) -> None:
    data = {"link": "stock→recommend", "change": "cut"}
    assert "from the next turn on" in owner.post("/links", data=data).text
    assert "cut from the next turn on" in owner.get("/").text
    owner.post("/links", data={**data, "change": "restore"})
    assert "cut from the next turn on" not in owner.get("/").text
    assert owner.post("/links", data={**data, "link": "a→b"}).status_code == 400


def test_rejects_download_is_safe(owner: TestClient) -> None:
    text = owner.get("/imports/rejects.csv").content.decode("utf-8-sig")
    assert "'=1+1" in text
    assert "20,410" in owner.get("/imports").text
    assert "No row of this import" in owner.get("/imports?batch=none").text


def test_unknown_address_and_decision_are_pages(owner: TestClient) -> None:
    for path in ("/nowhere", "/decisions/2-ffff", "/levers/%3Cscript%3E"):
        answer = owner.get(path)
        assert answer.status_code == 404
        assert outline(answer.text).tags.count("h1") == 1
        assert "<script>" not in answer.text


def test_static_files_are_served(owner: TestClient) -> None:
    for name in ("console.css", "console.js", "favicon.svg"):
        answer = owner.get(f"/static/{name}")
        assert answer.status_code == 200
        assert "http://" not in answer.text.replace("http://www.w3.org", "")
