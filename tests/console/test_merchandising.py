"""Merchandising: what is tried, drafted, put in force and ended."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from cartwheel.merchandising import rules_in_force, today_in
from cartwheel.shop import Shop
from tests.turned import copy_of, turned_in

Opener = Callable[[Shop, str], TestClient]
SLOT = re.compile(r'<td class="num">(\d+)</td><th scope="row"><bdi>([^<]*)</bdi>')


@pytest.fixture
def shop(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Shop:
    made = turned_in(tmp_path_factory.getbasetemp())
    return copy_of(made.folder, tmp_path / "shop")


def slates(text: str) -> list[list[str]]:
    """Titles by slot of every slate on the page."""
    found: list[list[str]] = []
    for position, title in SLOT.findall(text):
        if position == "1":
            found.append([])
        found[-1].append(html.unescape(title))
    return found


def ids(text: str) -> list[str]:
    return re.findall(r'<span class="muted"><bdi>(P[^<]*)</bdi></span>', text)


def test_page_shows_why_each_product_is_there(shop: Shop, signed_in: Opener) -> None:
    page = signed_in(shop, "viewer").get("/merchandising").text
    (slate,) = slates(page)
    assert len(slate) >= 5
    assert "Popular now" in page or "Bestseller" in page
    assert "Put in force" not in page  # a viewer changes nothing


def test_drafted_rule_is_previewed_and_changes_nothing(
    shop: Shop, signed_in: Opener
) -> None:
    owner = signed_in(shop, "owner")
    last = ids(owner.get("/merchandising").text)[-1]
    page = owner.get(
        "/merchandising",
        params={"kind": "pin", "product": last, "where": "home", "position": "1"},
    ).text
    before, after = slates(page)
    assert (after[0], after[1]) == (before[-1], before[0])
    assert "was 1" in page
    assert "Chosen by the shop" in page
    assert rules_in_force(shop.database, today_in("UTC")) == ()


def test_rule_acts_at_once_and_is_ended(shop: Shop, signed_in: Opener) -> None:
    owner = signed_in(shop, "owner")
    first = ids(owner.get("/merchandising").text)[0]
    rule = {"kind": "exclude", "product": first, "where": ""}
    answer = owner.post("/merchandising", data=rule, follow_redirects=False)
    assert answer.status_code == 303
    page = owner.get(answer.headers["location"]).text
    assert "The rule is in force." in page
    assert "Not shown" in page
    (kept,) = rules_in_force(shop.database, today_in("UTC"))
    assert (kept.product_id, kept.made_by) == (first, "owner")
    assert first not in ids(slate_part(page))
    answer = owner.post(f"/merchandising/{kept.number}/end", follow_redirects=False)
    page = owner.get(answer.headers["location"]).text
    assert "The rule is ended." in page
    assert ids(slate_part(page))[0] == first
    assert "Rules that were ended" in page


def slate_part(page: str) -> str:
    return page.partition("Draft a rule")[0]


def test_wrong_rule_is_said_beside_what_was_typed(
    shop: Shop, signed_in: Opener
) -> None:
    owner = signed_in(shop, "owner")
    for rule, said in (
        ({"kind": "boost", "product": "P00001", "factor": "9"}, "The factor is 9.0"),
        ({"kind": "boost", "product": "P00001", "factor": "x"}, "Factor is"),
        ({"kind": "pin", "product": "P00001"}, "Position is"),
        ({"kind": "exclude", "product": "<script>"}, "knows no product"),
        ({"kind": "", "product": "P00001"}, "The rule is"),
    ):
        answer = owner.post("/merchandising", data={**rule, "where": ""})
        assert answer.status_code == 422
        assert said in html.unescape(answer.text)
        assert "<script>" not in answer.text
    assert rules_in_force(shop.database, today_in("UTC")) == ()


def test_part_of_a_title_lists_what_fits(shop: Shop, signed_in: Opener) -> None:
    owner = signed_in(shop, "owner")
    (slate,) = slates(owner.get("/merchandising").text)
    word = slate[0].split()[0]
    page = owner.get("/merchandising", params={"kind": "exclude", "product": word}).text
    assert "Products that fit" in page
    assert html.escape(slate[0]) in page.partition("Products that fit")[2]


def test_viewer_may_not_make_rules(shop: Shop, signed_in: Opener) -> None:
    viewer = signed_in(shop, "viewer")
    rule = {"kind": "exclude", "product": "P00001", "where": ""}
    assert viewer.post("/merchandising", data=rule).status_code == 403
    assert viewer.post("/merchandising/1/end").status_code == 403


def test_shop_without_a_turn_says_so(empty_shop: Shop, signed_in: Opener) -> None:
    page = signed_in(empty_shop, "owner").get("/merchandising")
    assert page.status_code == 200
    assert "No turn is published yet" in page.text
