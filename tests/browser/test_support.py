"""Support in a real browser: the chat on the storefront and the console's page."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cartwheel.contacts import keep, list_contacts
from cartwheel.shop import Shop
from tests.browser.shopping import CLOSED, Store, make_served
from tests.browser.test_console import MODES, check_page
from tests.browser.test_storefront import watched
from tests.levers.support_shop import model
from tests.storefront.made import HOSTILE, make_store
from tests.test_contacts import contact

pytestmark = pytest.mark.browser


@pytest.fixture
def store(tmp_path: Path, browser: Any) -> Iterator[Store]:
    shop = make_store(tmp_path / "store")
    model().save(shop.turn_folder(1) / "models" / "support")
    yield from make_served(shop, browser)


def ask(page: Any, text: str) -> Any:
    page.get_by_label("Your question").fill(text)
    page.get_by_role("button", name="Ask").click()
    return page.locator(".cw-shop").last


def test_a_shopper_asks_and_reads_where_the_answer_stands(store: Store) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    page = store.page(bypass_csp=True)
    watched(store, page)
    page.goto("/help")
    said = ask(page, "How long can I return goods?")
    said.get_by_text("within 30 days of delivery").wait_for()
    assert "From: Returns" in said.inner_text()
    assert "written by a program" in said.inner_text()
    found = axe.run(page)
    assert found.violations_count == 0, found.generate_report()
    (kept,) = list_contacts(store.shop.database)
    assert (kept.outcome, kept.visitor_id) == ("answered", None)
    assert store.complaints == []


def test_what_is_written_is_shown_as_text(store: Store) -> None:
    page = store.page()
    watched(store, page)
    page.goto("/help?product=P01")
    ask(page, HOSTILE).wait_for()
    assert page.locator(".cw-you p").inner_text() == HOSTILE
    assert page.locator(".cw-log img, .cw-log script").count() == 0
    (kept,) = list_contacts(store.shop.database)
    assert kept.product_id == "P01"
    assert store.complaints == []


def test_a_server_that_is_down_is_told_and_asked_again(store: Store) -> None:
    page = store.page()
    page.goto("/help")
    page.get_by_label("Your question").wait_for()
    page.route("**/v1/support", lambda route: route.abort())
    page.get_by_label("Your question").fill("Can I pay with PayPal?")
    page.get_by_role("button", name="Ask").click()
    page.get_by_text("That did not work.").wait_for()
    page.unroute("**/v1/support")
    page.get_by_role("button", name="Ask").click()
    page.get_by_text("We take Visa, PayPal").wait_for()


def test_an_address_is_left_where_a_person_has_to_answer(store: Store) -> None:
    page = store.page()
    watched(store, page)
    page.goto("/help")
    ask(page, "Do you deliver to Norway?").get_by_text("Leave your e-mail").wait_for()
    field = page.get_by_label("Your question")
    assert field.input_value() == "Do you deliver to Norway?"
    page.get_by_label("E-mail address").fill("ann@example.org")
    page.get_by_role("button", name="Ask").click()
    # A page's policy may forbid what a condition of ours would be evaluated by.
    store.wait_for(page, lambda: field.input_value() == "")
    assert list_contacts(store.shop.database)[0].reply_to == "ann@example.org"
    assert store.complaints == []


def test_without_script_another_way_is_named(store: Store) -> None:
    page = store.page(java_script_enabled=False)
    page.goto("/help")
    assert "needs JavaScript" in page.locator("[data-cartwheel-support]").inner_text()


def test_a_page_whose_server_is_nowhere_stays_usable(store: Store) -> None:
    page = store.own_page(
        "<div data-cartwheel-support></div>"
        f'<script src="{store.api}/support.js" data-key="{store.key}" '
        f'data-api="{CLOSED}"></script>'
    )
    page.get_by_label("Your question").fill("Hello")
    page.get_by_role("button", name="Ask").click()
    page.get_by_text("That did not work.").wait_for()
    assert page.get_by_label("Your question").input_value() == "Hello"


@pytest.mark.parametrize("mode", MODES)
def test_the_consoles_page_is_accessible_and_fits(
    open_page: Callable[..., Any], shop: Shop, mode: str
) -> None:
    says = [{"text": "Within 30 days.", "source": "policy:back", "heading": "Back"}]
    body = {"says": says, "evidence": 0.8, "notice": ""}
    keep(shop.database, contact("a1", asked="x" * 500, why="urgent"))
    keep(shop.database, contact("a2", outcome="answered", why="evidence", body=body))
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    seen = open_page(**MODES[mode], bypass_csp=True)
    check_page(axe, seen.page, "/support")
    assert seen.foreign == []


@pytest.mark.parametrize("script", [True, False])
def test_a_contact_is_closed(
    open_page: Callable[..., Any], shop: Shop, script: bool
) -> None:
    keep(shop.database, contact("a1", asked="Do you ship to Norway?"))
    seen = open_page(java_script_enabled=script)
    seen.page.goto("/support")
    seen.page.get_by_role("button", name="Close Do you ship to Norway?").click()
    seen.page.get_by_text("Nobody is waiting.").wait_for()
    (kept,) = list_contacts(shop.database)
    assert kept.closed_by
    assert seen.complaints == []
