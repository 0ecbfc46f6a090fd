"""The demo storefront in a browser: shopped in with and without its script."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import ARGUMENTS
from tests.browser.shopping import MORE, Found, Store, make_served
from tests.browser.test_console import check_page
from tests.storefront.made import HOSTILE, HOSTILE_ID, make_store, rows_of

pytestmark = pytest.mark.browser

MODES: dict[str, dict[str, Any]] = {
    "desktop": {"viewport": {"width": 1280, "height": 800}},
    "phone": {"viewport": {"width": 390, "height": 844}},
}
PAGES = (
    "/",
    "/c/Shirts",
    "/p/P01",
    "/p/P05",
    "/cart",
    "/search?q=shirt",
    "/search?q=nothing",
    "/search",
    "/help",
    "/help?product=P01",
    "/nowhere",
)


@pytest.fixture
def store(tmp_path: Path, browser: Any) -> Iterator[Store]:
    hostile = {
        "product_id": HOSTILE_ID,
        "title": HOSTILE,
        "category": '<b>"&',
        "description": HOSTILE,
        "url": "javascript:alert(4)",
    }
    rows = [*rows_of(), hostile]
    yield from make_served(make_store(tmp_path / "store", rows), browser)


def buy(page: Any, product: str, size: str = "L") -> None:
    page.goto(f"/p/{product}")
    page.get_by_role("radio", name=size).check()
    page.get_by_role("button", name="Add to cart").click()
    page.get_by_role("status").get_by_text("In the cart").wait_for()


def watched(store: Store, page: Any) -> None:
    """Keep what the browser complains of, and requests to anybody else."""

    def on_console(message: Any) -> None:
        if message.type in ("error", "warning"):
            store.complaints.append(message.text)

    def on_request(request: Any) -> None:
        if not request.url.startswith((store.home, store.api)):
            store.complaints.append(request.url)

    page.on("console", on_console)
    page.on("request", on_request)


@pytest.mark.parametrize("mode", MODES)
def test_every_page_is_accessible_and_fits(store: Store, mode: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    page = store.page(**MODES[mode], bypass_csp=True)
    buy(page, "P01")
    for path in (*PAGES, "/checkout"):
        check_page(axe, page, path)
    page.get_by_role("button", name="Place the order").click()
    page.get_by_role("heading", name="Thank you").wait_for()
    found = axe.run(page)
    assert found.violations_count == 0, found.generate_report()


def test_no_page_breaks_the_policy_or_asks_anybody_else(store: Store) -> None:
    page = store.page()
    watched(store, page)
    for path in PAGES[:-1]:
        answer = page.goto(path)
        assert f"script-src {store.api};" in answer.headers["content-security-policy"]
        page.wait_for_load_state("networkidle")
    assert store.complaints == []


def test_hostile_goods_are_shown_as_text(store: Store) -> None:
    page = store.page()
    watched(store, page)
    page.goto("/c/%3Cb%3E%22%26")
    page.locator(".grid:not([data-items]) .card a").click()
    page.get_by_role("heading", level=1).wait_for()
    assert HOSTILE in page.locator("h1").text_content()
    page.get_by_role("radio", name="L").check()
    page.get_by_role("button", name="Add to cart").click()
    page.get_by_role("link", name="Go to the cart").click()
    assert page.locator(".cart-what").text_content().startswith(HOSTILE)
    page.goto("/search?q=%22%3E%3Cscript%3Ealert(1)%3C%2Fscript%3E")
    page.get_by_role("heading", name="<script>alert(1)</script>").wait_for()
    assert store.complaints == []


def test_shopping_works_without_script(store: Store) -> None:
    page = store.page(java_script_enabled=False)
    page.goto("/")
    page.get_by_role("navigation", name="Categories").get_by_text("Coats").click()
    page.get_by_role("link", name="coat 4").first.click()
    page.get_by_role("radio", name="M").check()
    page.get_by_role("button", name="Add to cart").click()
    page.get_by_role("link", name="Go to the cart").click()
    page.get_by_role("spinbutton").fill("3")
    page.get_by_role("button", name="Change").click()
    assert "€42.00" in page.locator(".cart-total").inner_text()
    page.get_by_role("link", name="Checkout").click()
    page.get_by_role("button", name="Place the order").click()
    page.get_by_role("heading", name="Thank you").wait_for()
    page.goto("/cart")
    assert page.get_by_text("The cart is empty").is_visible()
    page.get_by_role("searchbox").fill("belt 2")
    page.get_by_role("button", name="Search").click()
    assert page.locator(".card .title").all_text_contents() == [
        *("belt 23", "belt 20", "belt 2")
    ]
    assert page.locator(".ask").is_hidden()
    assert store.events() == []


def test_everything_a_shopper_does_arrives_once(store: Store) -> None:
    page = store.page()
    watched(store, page)
    page.goto("/")
    page.get_by_role("button", name="Yes, remember").click()
    assert page.locator(".ask").is_hidden()
    page.locator("[data-filled] .card a").nth(2).click()
    page.wait_for_url("**/p/P02")
    page.get_by_role("radio", name="L").check()
    page.get_by_role("button", name="Add to cart").click()
    page.get_by_role("link", name="Go to the cart").wait_for()
    page.reload()  # the message, and its event, were for once
    page.goto("/p/P05")
    page.get_by_role("radio", name="M (sold out)").check()
    page.get_by_role("button", name="Add to cart").click()
    page.get_by_text("Sorry, that is sold out.").wait_for()
    page.goto("/checkout")
    page.get_by_role("button", name="Place the order").click()
    page.get_by_role("heading", name="Thank you").wait_for()
    page.reload()
    page.goto("/search?q=shirt")
    store.wait_for(page, lambda: bool(store.events("search")))
    page.goto("/c/Belts")
    store.wait_for(page, lambda: len(store.events("list")) == 2)
    counts = Counter(event["kind"] for event in store.events())
    assert {k: counts[k] for k in ("add_to_cart", "failed_add", "checkout")} == {
        "add_to_cart": 1,
        "failed_add": 1,
        "checkout": 1,
    }
    (added,), (failed,) = store.events("add_to_cart"), store.events("failed_add")
    assert (added["variant_id"], added["quantity_units"]) == ("P02-L", 1)
    assert failed["variant_id"] == "P05-M"
    assert store.events("search")[0]["result_count"] == 8
    (click,) = store.events("click")
    assert (click["product_id"], click["placement"]) == ("P02", "home")
    seen = [(e["decision_id"], e["product_id"]) for e in store.events("exposure")]
    assert len(seen) == len(set(seen))
    assert (click["decision_id"], "P02") in seen
    known = [e["visitor_id"] for e in store.events() if "visitor_id" in e]
    assert len(set(known)) == 1
    assert len(known) == len(store.events()) - 1  # all but the first page's own
    assert len({event["event_id"] for event in store.events()}) == len(store.events())
    assert store.complaints == []


def test_a_click_changes_the_next_pages_slate(store: Store) -> None:
    page = store.page()
    page.goto("/")
    page.get_by_role("button", name="Yes, remember").click()
    page.locator("[data-filled] .card a").nth(3).click()
    page.wait_for_url("**/p/P03")
    page.goto("/")
    page.locator("[data-filled] .title").first.wait_for()
    assert page.locator("[data-filled] .title").all_text_contents() == [
        *("coat 4", "belt 5", "shirt 6", "coat 7")
    ]


def test_nothing_moves_when_slots_are_filled(store: Store) -> None:
    page = store.page()
    page.add_init_script(
        """window.shifts = []
        new PerformanceObserver(list => shifts.push(
          ...list.getEntries().map(entry => entry.value)
        )).observe({type: 'layout-shift', buffered: true})"""
    )
    for path in ("/", "/p/P01", "/c/Coats"):
        page.goto(path)
        page.locator("[data-filled]").first.wait_for()
        page.wait_for_load_state("networkidle")
        page.evaluate("() => new Promise(requestAnimationFrame)")
        assert page.evaluate("shifts") == [], path


@pytest.fixture
def remembering(store: Store) -> Iterator[Store]:
    """A browser that keeps pages for the way back, which Playwright's does not."""
    playwright = pytest.importorskip("playwright.sync_api")
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    kind = store.browser.browser_type
    assert playwright
    opened = kind.launch(
        executable_path=path,
        args=[*ARGUMENTS, "--enable-features=BackForwardCache"],
        ignore_default_args=["--disable-back-forward-cache"],
    )
    store.browser = opened
    yield store
    opened.close()


def go_and_come_back(store: Store) -> Any:
    page = store.page()
    page.add_init_script(
        "addEventListener('pageshow', event => { window.restored = event.persisted })"
    )
    page.goto("/")
    page.get_by_role("button", name="Yes, remember").click()
    store.wait_for(page, lambda: len(store.events("exposure")) >= 4)
    page.locator("[data-filled] .card a").nth(2).click()
    page.wait_for_url("**/p/P02")
    store.wait_for(page, lambda: bool(store.events("view")))
    page.go_back(wait_until="commit")  # a page kept in memory loads nothing
    page.wait_for_url("**/", wait_until="commit")
    page.locator("[data-filled]").first.wait_for()
    return page


def check_counted_once(store: Store) -> None:
    counts = Counter(event["kind"] for event in store.events())
    assert (counts["list"], counts["view"], counts["click"]) == (2, 1, 1)
    seen = [(e["decision_id"], e["product_id"]) for e in store.events("exposure")]
    assert len(seen) == len(set(seen))


def test_going_back_to_a_page_loaded_anew_counts_once(store: Store) -> None:
    page = go_and_come_back(store)
    assert page.evaluate("window.restored") is False
    # It is asked for anew, and knows what was looked at.
    assert page.locator("[data-filled] .title").first.text_content() == "shirt 3"
    page.evaluate("cartwheel.track('list', {placement: 'marker'})")
    store.wait_for(page, lambda: len(store.events("list")) == 2)
    check_counted_once(store)
    assert store.complaints == []


def test_going_back_to_a_page_kept_in_memory_counts_once(remembering: Store) -> None:
    store = remembering
    page = go_and_come_back(store)
    if not page.evaluate("window.restored"):
        pytest.skip("this Chromium keeps no page for the way back")
    # It stands as it was left.
    assert page.locator("[data-filled] .title").first.text_content() == "shirt 0"
    page.evaluate("cartwheel.track('list', {placement: 'marker'})")
    store.wait_for(page, lambda: len(store.events("list")) == 2)
    check_counted_once(store)
    # What was done meanwhile counts when it asks again.
    page.evaluate("cartwheel.refresh()")
    page.locator("[data-filled] .title", has_text="shirt 3").first.wait_for()
    assert store.complaints == []


def test_a_press_of_no_is_kept_and_forgetting_works(store: Store) -> None:
    page = store.page()
    page.goto("/")
    page.get_by_role("button", name="No", exact=True).click()
    page.goto("/p/P01")
    assert page.locator(".ask").is_hidden()
    store.wait_for(page, lambda: bool(store.events("view")))
    assert "visitor_id" not in store.events("view")[0]
    page.evaluate("cartwheel.consent(true)")
    assert page.evaluate("'cartwheel.visitor' in localStorage")
    page.get_by_role("button", name="Forget what I looked at").click()
    assert page.evaluate("Object.keys(localStorage)") == ["cartwheel.consent"]


@pytest.mark.parametrize("mode", MODES)
def test_results_are_shown_further_on_the_search_page(store: Store, mode: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    page = store.page(**MODES[mode], bypass_csp=True)
    Found(page, total=100)
    check_page(axe, page, "/search?q=mug")
    page.locator(MORE).scroll_into_view_if_needed()
    assert page.locator("main [role=status]").inner_text() == "48 of 100"
    page.locator(MORE).click()
    page.locator(".card").nth(95).wait_for()
    assert page.evaluate("document.activeElement.innerText").startswith("Mug 48")
    found = axe.run(page)
    assert found.violations_count == 0, found.generate_report()
    assert page.evaluate(
        "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
    )
    page.locator(MORE).click()
    page.locator(".card").nth(99).wait_for()
    assert page.locator(MORE).count() == 0


def test_the_way_back_keeps_what_was_shown_further(remembering: Store) -> None:
    store = remembering
    page = store.page()
    page.add_init_script(
        "addEventListener('pageshow', event => { window.restored = event.persisted })"
    )
    found = Found(page, total=200)
    page.goto("/search?q=mug")
    page.get_by_role("button", name="Yes, remember").click()
    page.locator(MORE).click()
    page.locator(".card").nth(95).wait_for()
    page.locator(".card a").nth(60).click()
    page.wait_for_url("**/p/P60")
    page.go_back(wait_until="commit")
    page.wait_for_url("**/search*", wait_until="commit")
    if not page.evaluate("window.restored"):
        pytest.skip("this Chromium keeps no page for the way back")
    assert page.locator(".card").count() == 96
    page.locator(MORE).click()
    page.locator(".card").nth(143).wait_for()
    assert found.asked[-1]["offset"] == ["96"]
    store.wait_for(page, lambda: bool(store.events("click")))
    assert len(store.events("search")) == 1


def test_going_back_to_results_loaded_anew_shows_the_first_of_them(
    store: Store,
) -> None:
    page = store.page()
    Found(page, total=200)
    page.goto("/search?q=mug")
    page.locator(MORE).click()
    page.locator(".card").nth(95).wait_for()
    page.locator(".card a").nth(60).click()
    page.wait_for_url("**/p/P60")
    page.go_back()
    page.locator(MORE).wait_for()
    assert page.locator(".card").count() == 48
    page.locator(MORE).click()
    page.locator(".card").nth(95).wait_for()
    assert store.complaints == []
