"""`page-fix.js` in a browser: who sees a page fix in test, and who does not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from cartwheel.channels.act import act
from cartwheel.channels.visitor_fixes import to_visitors
from cartwheel.measure.experiment.trial import CONTROL, TREATED, Trial
from cartwheel.shop import Shop
from tests.browser.shopping import CLOSED, Store, make_served
from tests.page_fixes import fix, put
from tests.storefront.made import HOSTILE, make_store

pytestmark = pytest.mark.browser

DAY = date(2026, 1, 2)
PAGE = "/p/P01"
SAYS = (
    {"text": "Chest width: 54 cm", "question": "", "sources": ["attribute:Chest"]},
    {"text": HOSTILE, "question": "Is it <b>lined</b>?", "sources": ["answer:q1"]},
)
TRIAL = Trial(
    name="notes",
    lever="content",
    unit="visitor",
    salt="experiment/notes",
    control_share=0.5,
    starts_on=DAY,
    ends_on=date(2026, 3, 1),
    products=("P01",),
)


def in_test(shop: Shop) -> str:
    """Have a fix of P01 in test; return its id."""
    folder = shop.turn_folder(1) / "gate"
    folder.mkdir(parents=True, exist_ok=True)
    body = {"day": DAY.isoformat(), "trials": [TRIAL.to_json()]}
    (folder / "trials.json").write_text(json.dumps(body))
    name = put(shop, fix("P01", said=SAYS))
    to_visitors(shop.database, [name], actor="ann")
    act(shop, "approve", [name], actor="ann")
    return name


@pytest.fixture
def store(tmp_path: Path, browser: Any) -> Iterator[Store]:
    shop = make_store(tmp_path / "store")
    in_test(shop)
    yield from make_served(shop, browser)


def page_of(store: Store, arm: str, *, agreed: bool = True) -> Any:
    """Return a page of a browser whose visitor was drawn to an arm."""
    names = (f"visitor-{n}" for n in range(100))
    name = next(n for n in names if TRIAL.arm_of(DAY, visitor=n) == arm)
    context = store.context()
    said = "granted" if agreed else "denied"
    kept = json.dumps({"id": name, "since": 4_000_000_000_000})
    context.add_init_script(
        "if (location.protocol === 'http:' && !localStorage['cartwheel.consent']) {"
        f"localStorage['cartwheel.consent'] = '\"{said}\"';"
        f"localStorage['cartwheel.visitor'] = '{kept}' }}"
    )
    return context.new_page()


def block_of(page: Any) -> Any:
    return page.locator("[data-cartwheel-block] .cartwheel-block")


def shown_page(store: Store, page: Any) -> None:
    """Open the product's page and wait until whatever is asked was answered."""
    with page.expect_response("**/v1/page-block*"):
        page.goto(PAGE)


def exposures(store: Store) -> list[dict[str, Any]]:
    found = store.events("exposure")
    return [one for one in found if one.get("placement") == "page_block"]


def settle(store: Store, page: Any) -> None:
    """Wait longer than an exposure takes, and until later events are on disk."""
    page.evaluate("new Promise(done => setTimeout(done, 700))")
    count = len(store.events("list"))
    page.evaluate("cartwheel.track('list', {placement: 'end'})")
    store.wait_for(page, lambda: len(store.events("list")) > count)


def test_visitors_of_the_arm_see_it_as_text_and_are_counted_once(store: Store) -> None:
    page = page_of(store, TREATED)
    shown_page(store, page)
    block = block_of(page)
    block.wait_for()
    assert block.locator("h3").inner_text() == "Size and fit"
    assert block.locator("li").all_inner_texts() == ["Chest width: 54 cm"]
    assert block.locator("dt").inner_text() == "Is it <b>lined</b>?"
    assert block.locator("dd").text_content() == HOSTILE
    assert block.locator("img, script, b").count() == 0
    block.scroll_into_view_if_needed()
    store.wait_for(page, lambda: bool(exposures(store)))
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    block.scroll_into_view_if_needed()
    settle(store, page)
    (seen,) = exposures(store)
    assert seen["decision_id"] == "1-page_fix-P01"
    assert seen["visitor_id"].startswith("visitor-")
    assert "product_id" not in seen  # it is no slot of a list
    assert store.complaints == []


def test_visitors_of_the_control_see_the_page_as_it_was(store: Store) -> None:
    page = page_of(store, CONTROL)
    shown_page(store, page)
    settle(store, page)
    assert page.locator("[data-cartwheel-block]").inner_html() == ""
    assert exposures(store) == []
    assert store.complaints == []


def test_another_product_has_none(store: Store) -> None:
    page = page_of(store, TREATED)
    with page.expect_response("**/v1/page-block*"):
        page.goto("/p/P02")
    settle(store, page)
    assert block_of(page).count() == 0


def test_without_consent_nobody_is_asked_about_or_counted(store: Store) -> None:
    page = page_of(store, TREATED, agreed=False)
    asked: list[str] = []
    page.on("request", lambda one: asked.append(one.url))
    page.goto(PAGE)
    page.wait_for_function("Boolean(window.cartwheel?.refresh)")
    settle(store, page)
    assert not [url for url in asked if "page-block" in url]
    assert [url for url in asked if "page-fix.js" in url]
    assert page.locator("[data-cartwheel-block]").inner_html() == ""
    assert exposures(store) == []


def test_what_is_not_seen_is_not_counted(store: Store) -> None:
    page = page_of(store, TREATED)
    page.set_viewport_size({"width": 1000, "height": 120})
    shown_page(store, page)
    block_of(page).wait_for(state="attached")
    settle(store, page)
    assert exposures(store) == []


@pytest.mark.parametrize("how", ["down", "wrong", "broken"])
def test_a_server_in_trouble_leaves_the_page_unharmed(store: Store, how: str) -> None:
    page = page_of(store, TREATED)
    if how == "down":
        page.route("**/v1/page-block*", lambda route: route.abort())
    else:
        body = '{"decision": "d", "block": {"heading": 7}}' if how == "wrong" else "{"
        answer = {"status": 200, "body": body}
        answer["headers"] = {"Access-Control-Allow-Origin": "*"}
        page.route("**/v1/page-block*", lambda route: route.fulfill(**answer))
    page.goto(PAGE)
    page.wait_for_function("Boolean(window.cartwheel?.refresh)")
    settle(store, page)
    assert page.locator("[data-cartwheel-block]").inner_html() == ""
    assert page.get_by_role("button", name="Add to cart").is_visible()
    assert store.complaints == []


def test_an_api_that_does_not_listen_leaves_the_page_unharmed(store: Store) -> None:
    body = (
        '<div data-cartwheel-block data-product="P01"></div>'
        f'<script async src="{store.api}/page-fix.js" data-key="{store.key}" '
        f'data-api="{CLOSED}"></script>'
    )
    page = store.own_page(body, page_of(store, TREATED))
    settle(store, page)
    assert page.locator("[data-cartwheel-block]").inner_html() == ""
    assert store.complaints == []
