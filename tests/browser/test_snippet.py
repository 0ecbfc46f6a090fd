"""`storefront.js` in a browser: on a shop's own page, with everything going wrong."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.shopping import (
    CLOSED,
    MORE,
    OPEN,
    Found,
    Store,
    answer_of,
    made_item,
    make_served,
    slate,
)
from tests.storefront.made import HOSTILE, HOSTILE_ID, make_store

pytestmark = pytest.mark.browser

SLOT = (
    '<div data-cartwheel="home" data-limit="4"><p id="kept">The shop\'s own.</p></div>'
)
LOW_SLOT = f'<div style="height: 3000px"></div>{SLOT}'
ANSWERS = "**/v1/recommendations*"


@pytest.fixture
def store(tmp_path: Path, browser: Any) -> Iterator[Store]:
    yield from make_served(make_store(tmp_path / "store"), browser)


def answering(page: Any, body: str, *, status: int = 200, path: str = ANSWERS) -> None:
    page.route(
        path, lambda route: route.fulfill(body=body, status=status, headers=OPEN)
    )


def stored(page: Any) -> dict[str, list[str]]:
    """Return the names of what the script keeps in the browser."""
    found: dict[str, list[str]] = page.evaluate(
        "({local: Object.keys(localStorage), session: Object.keys(sessionStorage)})"
    )
    return found


# ---- What is seen ----------------------------------------------------------------


def test_only_a_slot_that_is_seen_is_exposed_and_only_once(store: Store) -> None:
    page = store.own_page(LOW_SLOT)
    page.locator("[data-filled=treated]").wait_for()
    assert slate(page) == ["shirt 0", "coat 1", "belt 2", "shirt 3"]
    page.evaluate("cartwheel.track('list', {placement: 'end'})")
    store.wait_for(page, lambda: bool(store.events("list")))
    assert store.events("exposure") == []
    slot = page.locator("[data-cartwheel]")
    slot.scroll_into_view_if_needed()
    store.wait_for(page, lambda: len(store.events("exposure")) == 4)
    # Away and back: it was counted.
    page.evaluate("scrollTo(0, 0)")
    slot.scroll_into_view_if_needed()
    page.evaluate("new Promise(done => setTimeout(done, 600))")
    page.evaluate("cartwheel.track('list', {placement: 'again'})")
    store.wait_for(page, lambda: len(store.events("list")) == 2)
    exposed = store.events("exposure")
    assert [e["product_id"] for e in exposed] == ["P00", "P01", "P02", "P03"]
    assert [e["position"] for e in exposed] == [1, 2, 3, 4]
    assert {e["placement"] for e in exposed} == {"home"}
    assert len({e["decision_id"] for e in exposed}) == 1
    assert store.complaints == []


def test_what_passes_by_is_not_exposed(store: Store) -> None:
    page = store.page()
    page.clock.install()
    store.own_page(LOW_SLOT, page)
    page.locator("[data-filled]").wait_for()
    page.evaluate("document.querySelector('[data-cartwheel]').scrollIntoView()")
    page.clock.run_for(300)
    page.evaluate("scrollTo(0, 0)")
    # Two frames, in which the observer says that it is gone.
    page.evaluate("() => new Promise(requestAnimationFrame)")
    page.evaluate("() => new Promise(requestAnimationFrame)")
    page.clock.run_for(5_000)
    page.evaluate("cartwheel.track('list', {})")
    page.clock.run_for(5_000)
    store.wait_for(page, lambda: bool(store.events("list")))
    assert store.events("exposure") == []


def test_a_click_proves_that_it_was_seen(store: Store) -> None:
    page = store.own_page(SLOT)
    page.locator("[data-filled] a").nth(1).click()
    page.wait_for_url("**/p/P01")
    store.wait_for(page, lambda: bool(store.events("click")))
    (click,) = store.events("click")
    exposed = {e["product_id"]: e for e in store.events("exposure")}
    assert (click["product_id"], click["position"]) == ("P01", 2)
    assert exposed["P01"]["decision_id"] == click["decision_id"]
    assert click["placement"] == "home"


def test_an_answer_off_the_record_is_shown_and_not_counted(store: Store) -> None:
    page = store.page()
    answering(page, answer_of(made_item("P1", "Mug"), decision=None, logged=False))
    store.own_page(SLOT, page)
    page.locator("[data-filled]").wait_for()
    assert slate(page) == ["Mug"]
    assert page.locator("[data-cartwheel-item]").count() == 0


# ---- Consent ---------------------------------------------------------------------


def test_without_consent_nobody_is_known_and_nothing_kept(store: Store) -> None:
    asked: list[str] = []
    page = store.page()
    page.on("request", lambda request: asked.append(request.url))
    store.own_page(SLOT, page, attributes='data-customer="C1"')
    page.evaluate("cartwheel.track('view', {product_id: 'P03'})")
    page.evaluate("cartwheel.customer('C1')")
    page.get_by_text("belt 5").wait_for()  # it follows the context alone
    store.wait_for(page, lambda: bool(store.events("view")))
    page.evaluate("cartwheel.consent(false)")
    page.locator("[data-filled] a").first.click(modifiers=["Control"])
    store.wait_for(page, lambda: bool(store.events("click")))
    for event in store.events():
        assert "visitor_id" not in event
        assert "customer_id" not in event
    assert not [url for url in asked if "visitor=" in url or "customer=" in url]
    assert stored(page) == {"local": ["cartwheel.consent"], "session": []}
    assert page.context.cookies() == []


def test_consent_gives_a_visitor_and_its_withdrawal_takes_it_at_once(
    store: Store,
) -> None:
    page = store.own_page(SLOT, attributes='data-customer="C1"')
    page.evaluate("cartwheel.consent(true)")
    page.evaluate("cartwheel.track('view', {product_id: 'P03'})")
    store.wait_for(page, lambda: bool(store.events("view")))
    visitor = page.evaluate("JSON.parse(localStorage['cartwheel.visitor']).id")
    (view,) = store.events("view")
    assert (view["visitor_id"], view["customer_id"]) == (visitor, "C1")
    # The next page knows it, and what was looked at.
    with page.expect_request(ANSWERS) as asked:
        page.reload()
    assert f"visitor={visitor}" in asked.value.url
    assert "context=P03" in asked.value.url
    page.wait_for_function("Boolean(window.cartwheel?.refresh)")
    # What still waits when consent ends is not sent any more.
    page.route("**/v1/events*", lambda route: route.abort())
    page.evaluate("cartwheel.track('list', {placement: 'late'})")
    with page.expect_request(ANSWERS) as asked:
        page.evaluate("cartwheel.consent(false)")
        assert stored(page) == {"local": ["cartwheel.consent"], "session": []}
    assert "visitor=" not in asked.value.url
    assert "context=" not in asked.value.url
    page.unroute("**/v1/events*")
    page.evaluate("cartwheel.track('list', {placement: 'after'})")
    page.evaluate("dispatchEvent(new Event('online'))")
    store.wait_for(page, lambda: bool(store.events("list")))
    (after,) = store.events("list")
    assert after["placement"] == "after"
    assert "visitor_id" not in after


def test_the_pages_consent_gives_way_to_a_privacy_signal(store: Store) -> None:
    page = store.page()
    page.add_init_script("Navigator.prototype.globalPrivacyControl = true")
    store.own_page(SLOT, page, attributes='data-consent="granted"')
    assert stored(page)["local"] == []
    page.evaluate("cartwheel.consent(true)")  # the person's own word counts
    assert "cartwheel.visitor" in stored(page)["local"]


def test_consent_withdrawn_in_another_tab_ends_here_too(store: Store) -> None:
    first = store.own_page(SLOT, attributes='data-consent="granted"')
    assert "cartwheel.visitor" in stored(first)["local"]
    other = store.own_page(SLOT, first.context.new_page())
    other.evaluate("cartwheel.consent(false)")
    first.wait_for_function("sessionStorage.length === 0")
    first.evaluate("cartwheel.track('list', {})")
    store.wait_for(first, lambda: bool(store.events("list")))
    assert "visitor_id" not in store.events("list")[-1]


# ---- When things go wrong ----------------------------------------------------------


def test_the_shops_own_stays_when_the_server_is_down(store: Store) -> None:
    page = store.page()
    failed: list[str] = []
    page.on("requestfailed", lambda request: failed.append(request.url))
    store.own_page(SLOT, page, api=CLOSED)
    page.evaluate("cartwheel.track('view', {product_id: 'P1'})")
    store.wait_for(page, lambda: any("/v1/events" in url for url in failed))
    assert any("/v1/recommendations" in url for url in failed)
    assert page.locator("#kept").is_visible()
    assert store.complaints == []


def test_the_shops_own_stays_when_the_network_is_slow(store: Store) -> None:
    page = store.page()
    held: list[Any] = []
    page.route(ANSWERS, lambda route: held.append(route))
    with page.expect_event("requestfailed", lambda r: "/v1/rec" in r.url):
        store.own_page(SLOT, page, attributes='data-timeout="150"')
    # What comes after the time limit is nobody's any more.
    for route in held:
        route.fulfill(body=answer_of(made_item("P1", "Late")), headers=OPEN)
    page.evaluate("cartwheel.track('list', {})")
    store.wait_for(page, lambda: bool(store.events("list")))
    assert page.locator("#kept").is_visible()
    assert page.get_by_text("Late").count() == 0
    assert store.complaints == []


GARBAGE = (
    "",
    "<html>502 Bad Gateway</html>",
    "null",
    "[]",
    '"text"',
    '{"items": "P1"}',
    '{"items": {"length": 3}}',
    '{"items": [null, 7, "P1", [], {}]}',
    '{"items": [{"product_id": 7, "card": {"title": "x"}}]}',
    '{"items": [{"product_id": "P1", "card": null}]}',
    '{"items": [{"product_id": "P1", "card": {"title": {"a": 1}}}]}',
    '{"decision": {}, "items": [{"product_id": "P1", "card": "card"}]}',
    '{"decision": "d", "items": [{"product_id": "P1", "card": {"title": ""}}]}',
    "[" * 100_000,
)


def test_garbage_leaves_the_page_as_it_was(store: Store) -> None:
    page = store.page()
    bodies = iter([*GARBAGE, GARBAGE[0]])
    page.route(ANSWERS, lambda route: route.fulfill(body=next(bodies), headers=OPEN))
    with page.expect_request_finished(lambda r: "/v1/rec" in r.url):
        store.own_page(SLOT, page)
    for _ in GARBAGE:
        with page.expect_request_finished(lambda r: "/v1/rec" in r.url):
            page.evaluate("cartwheel.refresh()")
    answering(page, answer_of(), status=500)
    with page.expect_request_finished(lambda r: "/v1/rec" in r.url):
        page.evaluate("cartwheel.refresh()")
    assert page.locator("#kept").is_visible()
    assert page.locator("[data-filled]").count() == 0
    assert store.complaints == []


def test_odd_fields_of_a_card_are_left_out(store: Store) -> None:
    page = store.page()
    odd = made_item("P1", "Mug", price_minor="7", currency=5, brand=["x"], url=9)
    other = made_item("P2", "Jug", currency="not a code")
    sold = made_item("P3", "Sold", available=False)
    answering(page, answer_of(odd, other, sold))
    store.own_page(SLOT, page)
    page.locator("[data-filled]").wait_for()
    assert slate(page) == ["Mug", "Jug"]
    assert page.locator(".cartwheel-price").all_inner_texts() == ["", ""]
    assert page.locator("[data-filled] a").first.get_attribute("href") == "/p/P1"
    assert store.complaints == []


def test_hostile_texts_never_become_markup_or_scripts(store: Store) -> None:
    page = store.page()
    items = [
        made_item(
            "P1", HOSTILE, url="javascript:alert(3)", image_url="data:text/html,x"
        ),
        made_item(HOSTILE_ID, HOSTILE, brand=HOSTILE, reason=HOSTILE),
        made_item("P3", "{{7*7}}", url="//evil.example/x", image_url="blob:x"),
        made_item("P4", "T", url="https://shop.example/a?b=1&c=<i>"),
    ]
    answering(page, answer_of(*items))
    template = (
        "<template><li><a data-link><img data-image><b data-text='title'></b>"
        "<i data-text='brand'></i><s data-text='constructor'></s></a></li></template>"
    )
    slot = SLOT.replace("<p", f"{template}<p").replace(
        "</p>", "</p><ul data-items></ul>"
    )
    store.own_page(slot, page)
    page.locator("[data-filled]").wait_for()
    links = [a.get_attribute("href") for a in page.locator("[data-items] a").all()]
    assert links == [
        None,
        "/p/a%2Fb%20%3F%26%23'%22%3Ci%3E",
        "//evil.example/x",
        "https://shop.example/a?b=1&c=<i>",
    ]
    assert page.locator("[data-items] b").first.text_content() == HOSTILE
    assert page.locator("[data-items] script, [data-items] [onerror]").count() == 0
    assert page.locator("[data-items] s:visible").count() == 0
    sources = [i.get_attribute("src") for i in page.locator("[data-items] img").all()]
    assert sources[0] is None
    assert sources[2] is None
    page.evaluate("cartwheel.track('list', {})")
    store.wait_for(page, lambda: bool(store.events("list")))
    assert store.complaints == []


def test_the_script_twice_counts_once(store: Store) -> None:
    page = store.own_page(
        f'<p data-cartwheel-track="view" data-product-id="P1"></p>{SLOT}'
    )
    page.evaluate(
        """address => new Promise(done => {
          const script = document.createElement('script')
          Object.assign(script, {src: address, onload: done})
          script.dataset.key = 'x'
          document.head.append(script)
        })""",
        f"{store.api}/storefront.js",
    )
    page.evaluate("cartwheel.track('list', {})")
    store.wait_for(page, lambda: bool(store.events("list")))
    assert len(store.events("view")) == 1


# ---- Events ------------------------------------------------------------------------


def retried(page: Any) -> bool:
    """Have the page try again at once, as when the network comes back."""
    page.evaluate("dispatchEvent(new Event('online'))")
    return False


def test_a_refused_batch_is_sent_again_under_the_same_ids(store: Store) -> None:
    sent: list[list[str]] = []

    def stumble(route: Any) -> None:
        body = json.loads(route.request.post_data)
        sent.append([event["event_id"] for event in body["events"]])
        if len(sent) == 1:
            route.fulfill(status=503, body="{}", headers=OPEN)
        elif len(sent) == 2:
            route.fetch()  # it arrives, but the answer is lost
            route.abort()
        else:
            route.continue_()

    page = store.page()
    page.route("**/v1/events*", stumble)
    store.own_page(SLOT.replace("home", "none"), page)
    page.evaluate("cartwheel.track('view', {product_id: 'P1'})")
    store.wait_for(page, lambda: retried(page) or len(sent) > 2)
    store.wait_for(page, lambda: bool(store.events("view")))
    assert sent[0] == sent[1] == sent[2]
    assert len(store.events()) == 1


def test_offline_the_queue_is_bounded_and_sent_when_it_is_over(store: Store) -> None:
    page = store.own_page(SLOT, attributes='data-consent="granted"')
    page.locator("[data-filled]").wait_for()
    store.wait_for(page, lambda: len(store.events("exposure")) == 4)
    page.context.set_offline(True)
    page.evaluate(
        "for (let n = 0; n < 250; n++) cartwheel.track('search', {query: 'q' + n})"
    )
    kept = page.evaluate("JSON.parse(sessionStorage['cartwheel.queue']).length")
    assert kept == 200
    page.context.set_offline(False)
    page.evaluate("dispatchEvent(new Event('online'))")
    store.wait_for(page, lambda: len(store.events("search")) == 200)
    queries = [event["query"] for event in store.events("search")]
    assert queries == [f"q{n}" for n in range(50, 250)]
    page.wait_for_function("sessionStorage['cartwheel.queue'] === '[]'")


def test_what_a_page_could_not_send_the_next_one_does(store: Store) -> None:
    page = store.page()
    page.route("**/v1/events*", lambda route: route.abort())
    store.own_page(SLOT, page, attributes='data-consent="granted"')
    page.evaluate(
        "cartwheel.track('add_to_cart', {product_id: 'P1', quantity_units: 2})"
    )
    page.evaluate("navigator.sendBeacon = () => false")
    page.unroute("**/v1/events*")
    page.reload()
    store.wait_for(page, lambda: bool(store.events("add_to_cart")))
    (event,) = store.events("add_to_cart")
    assert event["quantity_units"] == 2


def test_a_wrong_clock_loses_nothing(store: Store) -> None:
    page = store.page()
    page.clock.set_fixed_time("2093-01-01T00:00:00Z")
    store.own_page(SLOT, page)
    page.evaluate("cartwheel.track('view', {product_id: 'P1'})")
    store.wait_for(page, lambda: bool(store.events("view")))
    assert "occurred_at" not in store.events("view")[0]


def test_odd_fields_of_an_event_spoil_no_other(store: Store) -> None:
    page = store.own_page(SLOT)
    page.evaluate(
        """() => {
          cartwheel.track('nonsense', {product_id: 'P1'})
          cartwheel.track('view')
          cartwheel.track('view', null)
          cartwheel.track('view', {product_id: 'a\\u0000b'.padEnd(400, 'x'),
            position: 'x', quantity_units: -2, result_count: 1e300,
            query: 'q'.repeat(5000), other: 1})
          cartwheel.track()
          cartwheel.push(['track', 'search', {query: 'early'}])
          cartwheel.push(['nothing'])
          cartwheel.push()
        }"""
    )
    store.wait_for(page, lambda: bool(store.events("search")))
    assert len(store.events("view")) == 3
    long = store.events("view")[-1]
    assert long["product_id"].startswith("a bx")
    assert (len(long["product_id"]), len(long["query"])) == (200, 1000)
    assert not {"position", "quantity_units", "result_count"} & set(long)
    assert store.complaints == []


# ---- Real time -----------------------------------------------------------------------


def test_a_click_changes_the_next_slate_without_a_reload(store: Store) -> None:
    page = store.own_page(SLOT)
    page.locator("[data-filled]").wait_for()
    page.evaluate("window.kept = true")
    page.evaluate("addEventListener('click', event => event.preventDefault())")
    before = page.locator("[data-cartwheel]").bounding_box()
    assert slate(page)[0] == "shirt 0"
    took = page.evaluate(
        """() => new Promise(done => {
          const slot = document.querySelector('[data-cartwheel]')
          const began = performance.now()
          new MutationObserver(() => {
            const title = slot.querySelector('.cartwheel-title')?.textContent
            if (title === 'belt 2') done(performance.now() - began)
          }).observe(slot, {childList: true, subtree: true})
          slot.querySelectorAll('a')[1].click()
        })"""
    )
    print(f"the slate changed {took:.0f} ms after the click")
    assert slate(page) == ["belt 2", "shirt 3", "coat 4", "belt 5"]
    assert page.evaluate("window.kept")
    assert page.locator("[data-cartwheel]").bounding_box() == before
    store.wait_for(page, lambda: bool(store.events("click")))
    decisions = {event["decision_id"] for event in store.events("exposure")}
    assert store.events("click")[0]["decision_id"] in decisions


def test_slots_of_a_page_show_nothing_twice(store: Store) -> None:
    other = SLOT.replace("home", "cart").replace("kept", "other")
    page = store.own_page(SLOT + other)
    page.locator("[data-cartwheel=cart][data-filled]").wait_for()
    titles = slate(page)
    assert len(titles) == len(set(titles)) == 8


def test_a_slot_in_use_is_not_pulled_away(store: Store) -> None:
    page = store.page()
    held: list[Any] = []
    page.route(ANSWERS, lambda route: held.append(route))
    slot = SLOT.replace("</p>", '</p><a href="#own" id="own">Own link</a>')
    with page.expect_request(ANSWERS):
        store.own_page(slot, page, attributes='data-timeout="60000"')
    page.locator("#own").focus()
    with page.expect_request_finished(lambda r: "/v1/rec" in r.url):
        held[0].fulfill(body=answer_of(made_item("P1", "Mug")), headers=OPEN)
    page.evaluate("() => new Promise(requestAnimationFrame)")
    assert page.locator("#own").evaluate("node => node === document.activeElement")


def test_every_arm_is_shown_and_counted_alike(store: Store) -> None:
    page = store.page()
    answering(page, answer_of(made_item("P1", "Bestseller"), arm="holdout"))
    store.own_page(SLOT, page)
    page.locator("[data-filled=holdout]").wait_for()
    store.wait_for(page, lambda: bool(store.events("exposure")))
    assert store.events("exposure")[0]["decision_id"] == "d1"


# ---- Instant search ----------------------------------------------------------------

SEARCH = (
    '<form action="/search" role="search"><div><label for="q">Search</label>'
    '<input id="q" name="q" data-cartwheel-search></div></form>'
)


def searching(page: Any) -> None:
    hints = {
        "queries": ["linen shirt", {"query": "linen sheet"}],
        "products": [],
        "categories": [{"category": "Shirts", "label": "Shirts"}, 7],
    }
    answering(page, json.dumps(hints), path="**/v1/suggest*")
    found = answer_of(
        made_item("P03", "Shirt 3"), made_item("P06", HOSTILE), total=2, decision="s1"
    )
    answering(page, found, path="**/v1/search*")


def test_instant_search_is_a_combobox_for_the_keyboard(store: Store) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    page = store.page()
    searching(page)
    store.own_page(SEARCH, page, attributes='data-category-url="/c/{category}"')
    box = page.get_by_role("combobox", name="Search")
    assert box.get_attribute("aria-expanded") == "false"
    box.press_sequentially("lin")
    options = page.get_by_role("option")
    options.nth(4).wait_for()
    assert box.get_attribute("aria-expanded") == "true"
    names = options.all_inner_texts()
    assert names[:3] == ["linen shirt", "linen sheet", "Shirts"]
    assert names[3].split() == ["Shirt", "3", "€12.50"]
    assert options.nth(2).get_attribute("href") == "/c/Shirts"
    found = axe.run(page)
    assert found.violations_count == 0, found.generate_report()
    box.press("ArrowUp")  # to the last, round the corner
    assert options.nth(4).get_attribute("aria-selected") == "true"
    assert box.get_attribute("aria-activedescendant") == options.nth(4).get_attribute(
        "id"
    )
    for _ in range(2):
        box.press("ArrowDown")
    assert options.nth(0).get_attribute("aria-selected") == "true"
    box.press("Escape")
    assert box.get_attribute("aria-expanded") == "false"
    assert options.count() == 0
    assert box.input_value() == "lin"
    box.press("ArrowDown")
    options.nth(4).wait_for()
    for _ in range(4):
        box.press("ArrowDown")
    box.press("Enter")
    page.wait_for_url("**/p/P03")
    store.wait_for(page, lambda: bool(store.events("click")))
    (click,) = store.events("click")
    assert (click["decision_id"], click["placement"]) == ("s1", "search")
    assert [(e["query"], e["result_count"]) for e in store.events("search")] == [
        ("lin", 2)
    ]
    assert store.complaints == []


def test_a_suggested_query_opens_the_shops_own_search(store: Store) -> None:
    page = store.page()
    searching(page)
    store.own_page(SEARCH, page)
    page.get_by_role("combobox").press_sequentially("lin")
    page.get_by_role("option", name="linen sheet").click()
    page.wait_for_url("**/search?q=linen+sheet")


def test_without_suggestions_the_field_is_a_field(store: Store) -> None:
    page = store.page()
    answering(page, "garbage", path="**/v1/suggest*")
    answering(page, "{}", status=500, path="**/v1/search*")
    store.own_page(SEARCH, page)
    box = page.get_by_role("combobox")
    with page.expect_response("**/v1/search*"):
        box.press_sequentially("shirt")
    assert page.get_by_role("option").count() == 0
    box.press("Enter")
    page.wait_for_url("**/search?q=shirt")
    assert page.get_by_text("Shirt 0").is_visible()
    assert store.complaints == []


def test_a_search_slot_shows_chips_and_facets_that_narrow_it(store: Store) -> None:
    page = store.page()
    asked: list[str] = []

    def answer(route: Any) -> None:
        asked.append(route.request.url)
        asked_for = "brand%3AAcme" in route.request.url
        chips = [
            {"name": "price", "value": "-2999", "query": "mug", "filters": []},
        ]
        acme = {"value": "Acme", "label": "", "count": 2, "selected": asked_for}
        dear = {"value": "1000-2999", "label": "", "count": 1, "selected": False}
        facets = [
            {"name": "brand", "values": [acme]},
            {"name": "price", "values": [dear]},
        ]
        body = answer_of(made_item("P1", "Mug"), total=9, chips=chips, facets=facets)
        route.fulfill(body=body, headers=OPEN)

    page.route("**/v1/search*", answer)
    store.own_page(
        "<p data-cartwheel-total></p><p data-cartwheel-chips></p>"
        "<div data-cartwheel-facets></div>"
        '<div data-cartwheel="search" data-query="mug under 30"></div>',
        page,
        attributes='data-currency="EUR"',
    )
    page.locator("[data-filled]").wait_for()
    assert page.locator("[data-cartwheel-total]").inner_text() == "9"
    page.get_by_role("group", name="brand").get_by_role(
        "button", name="Acme (2)"
    ).click()
    pressed = page.locator("[aria-pressed=true]")
    pressed.wait_for()
    assert "filter=brand%3AAcme" in asked[-1]
    assert pressed.evaluate("node => node === document.activeElement")
    assert page.get_by_role("button", name="€10.00 – €29.99 (1)").is_visible()
    with page.expect_response("**/v1/search*"):
        page.get_by_role("button", name="– €29.99 ×").click()
    assert "q=mug&" in asked[-1]
    assert "filter=" not in asked[-1]
    store.wait_for(page, lambda: len(store.events("search")) == 2)
    told = [(event["query"], event["result_count"]) for event in store.events("search")]
    assert told == [("mug under 30", 9), ("mug", 9)]


# ---- Show more -----------------------------------------------------------------------

RESULTS = (
    '<div data-cartwheel="search" data-query="mug" data-limit="2">'
    '<p id="kept">The shop\'s own.</p></div>'
)


def mugs(*numbers: int) -> list[str]:
    return [f"Mug {n}" for n in numbers]


def opened_results(store: Store, page: Any, body: str = RESULTS, **more: Any) -> Found:
    found = Found(page)
    store.own_page(body, page, **more)
    page.locator("[data-query][data-filled]").wait_for()
    return found


def shows(page: Any, count: int) -> None:
    page.locator("[data-query] .cartwheel-title").nth(count - 1).wait_for()


def focused(page: Any) -> str:
    text: str = page.evaluate("document.activeElement.innerText")
    return text


def test_more_results_are_shown_by_the_keyboard_and_said_politely(store: Store) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    page = store.page()
    found = opened_results(
        store, page, attributes='data-more="Mehr zeigen" data-of="von"'
    )
    more = page.get_by_role("button", name="Mehr zeigen", exact=True)
    count = page.get_by_role("status")
    assert (slate(page), count.inner_text()) == (mugs(0, 1), "2 von 5")
    assert count.evaluate("node => node.tagName") == "P"
    page.evaluate("window.live = document.querySelector('[role=status]')")
    checked = axe.run(page)
    assert checked.violations_count == 0, checked.generate_report()
    page.locator(".cartwheel-item a").last.focus()
    page.keyboard.press("Tab")
    assert more.evaluate("node => node === document.activeElement")
    page.keyboard.press("Enter")
    shows(page, 4)
    assert slate(page) == mugs(0, 1, 2, 3)
    assert focused(page).startswith("Mug 2")
    assert count.inner_text() == "4 von 5"
    assert page.evaluate("live.isConnected")  # a region that is replaced says nothing
    more.focus()
    page.keyboard.press("Space")
    shows(page, 5)
    assert focused(page).startswith("Mug 4")
    assert (more.count(), count.inner_text()) == (0, "5 von 5")
    checked = axe.run(page)
    assert checked.violations_count == 0, checked.generate_report()
    assert found.offsets() == [None, ["2"], ["4"]]
    assert {tuple(one["q"] + one["limit"]) for one in found.asked} == {("mug", "2")}
    assert store.complaints == []


def test_what_is_shown_further_down_is_exposed_under_its_own_answer(
    store: Store,
) -> None:
    page = store.page()
    opened_results(store, page)
    store.wait_for(page, lambda: len(store.events("exposure")) == 2)
    page.locator(MORE).click()
    store.wait_for(page, lambda: len(store.events("exposure")) == 4)
    said = [
        (e["decision_id"], e["product_id"], e["position"], e["placement"])
        for e in store.events("exposure")
    ]
    assert said == [
        ("s0", "P0", 1, "search"),
        ("s0", "P1", 2, "search"),
        ("s2", "P2", 3, "search"),
        ("s2", "P3", 4, "search"),
    ]
    page.get_by_text("Mug 3").click()
    store.wait_for(page, lambda: bool(store.events("click")))
    (click,) = store.events("click")
    assert (click["decision_id"], click["position"]) == ("s2", 4)
    # It is one search, however far it is looked through.
    assert [event["result_count"] for event in store.events("search")] == [5]


ODD: tuple[dict[str, Any], ...] = (
    {"abort": True},
    {"status": 503, "body": "{}"},
    {"body": ""},
    {"body": "<html>502</html>"},
    {"body": "null"},
    {"body": "[]"},
    {"body": "7"},
    {"body": '{"items": "P1", "total": "many"}'},
    {"body": '{"items": [], "total": 0}'},
    {"body": '{"items": [null, {}], "total": {"a": 1}}'},
    {"body": answer_of(made_item("P9", "Bestseller"), arm="fallback", total=1)},
)


def test_nothing_is_lost_when_more_is_answered_oddly(store: Store) -> None:
    page = store.page()
    box = "<div data-cartwheel-facets></div>"
    found = opened_results(store, page, box + RESULTS)
    found.odd = [*ODD]
    for left in range(len(ODD) - 1, -1, -1):
        page.locator(MORE).focus()
        with page.expect_event(
            "requestfailed" if left == len(ODD) - 1 else "requestfinished",
            lambda request: "/v1/search" in request.url,
        ):
            page.keyboard.press("Enter")
        page.evaluate("() => new Promise(requestAnimationFrame)")
        assert slate(page) == mugs(0, 1)
        assert page.locator(MORE).evaluate("node => node === document.activeElement")
        assert page.get_by_role("status").inner_text() == "2 of 5"
        assert len(found.odd) == left
    assert page.get_by_role("button", name="Acme (1)").is_visible()
    page.keyboard.press("Enter")
    shows(page, 4)
    assert slate(page) == mugs(0, 1, 2, 3)
    assert set(map(str, found.offsets()[1:])) == {"['2']"}
    assert store.complaints == []


def test_more_that_comes_too_late_is_left_and_can_be_asked_for_again(
    store: Store,
) -> None:
    page = store.page()
    found = opened_results(store, page, attributes='data-timeout="150"')
    held: list[Any] = []
    page.route("**/v1/search*", lambda route: held.append(route))
    with page.expect_event("requestfailed", lambda r: "offset=2" in r.url):
        page.locator(MORE).click()
    page.unroute("**/v1/search*")
    page.route("**/v1/search*", found.answer)
    assert slate(page) == mugs(0, 1)
    page.locator(MORE).click()
    shows(page, 4)
    assert slate(page) == mugs(0, 1, 2, 3)
    assert store.complaints == []


def test_a_second_press_waits_for_the_first(store: Store) -> None:
    page = store.page()
    found = opened_results(store, page)
    page.locator(MORE).dblclick()
    shows(page, 4)
    assert (slate(page), found.offsets()) == (mugs(0, 1, 2, 3), [None, ["2"]])


def test_what_is_shown_already_is_not_shown_again(store: Store) -> None:
    page = store.page()
    found = opened_results(store, page)
    # A turn was published meanwhile, which moved one down.
    moved = [made_item(f"P{n}", f"Mug {n}") for n in (1, 2)]
    found.odd = [{"body": answer_of(*moved, total=5, decision="n")}]
    page.locator(MORE).click()
    shows(page, 3)
    assert slate(page) == mugs(0, 1, 2)
    assert page.get_by_role("status").inner_text() == "3 of 5"
    page.locator(MORE).click()
    page.locator(MORE).wait_for(state="detached")
    assert slate(page) == mugs(0, 1, 2, 4)
    assert page.get_by_role("status").inner_text() == "4 of 5"


def test_a_list_that_ends_sooner_than_was_said_takes_the_button_away(
    store: Store,
) -> None:
    page = store.page()
    found = opened_results(store, page)
    found.odd = [{"body": found.body(9, 2, total=2)}]
    page.locator(MORE).click()
    page.locator(MORE).wait_for(state="detached")
    assert slate(page) == mugs(0, 1)
    assert page.get_by_role("status").inner_text() == "2 of 2"


def test_a_new_query_throws_what_was_shown_further_away(store: Store) -> None:
    page = store.page()
    box = "<div data-cartwheel-facets></div>"
    found = opened_results(store, page, box + RESULTS + SLOT)
    page.locator(MORE).click()
    shows(page, 4)
    # What would ask again changes nothing of a list in use.
    page.evaluate("cartwheel.track('add_to_cart', {product_id: 'P3'})")
    page.evaluate("cartwheel.customer('C1')")
    with page.expect_response(ANSWERS):
        page.evaluate("cartwheel.refresh()")
    assert slate(page, "[data-query]") == mugs(0, 1, 2, 3)
    assert found.offsets() == [None, ["2"]]
    held: list[Any] = []
    page.unroute("**/v1/search*")
    page.route("**/v1/search*", lambda route: held.append(route))
    page.locator(MORE).click()  # under way when the query is another
    page.get_by_role("button", name="Acme (1)").click()
    while len(held) < 2:
        page.evaluate("() => new Promise(requestAnimationFrame)")
    late, new = held
    assert "filter=brand%3AAcme" in new.request.url
    assert "offset" not in new.request.url
    found.total = 3
    new.fulfill(body=found.body(0, 2, decision="new"), headers=OPEN)
    page.get_by_text("2 of 3").wait_for()
    with page.expect_request_finished(lambda r: "offset=4" in r.url):
        late.fulfill(body=answer_of(made_item("P9", "Late"), total=9), headers=OPEN)
    for _ in range(5):
        page.evaluate("() => new Promise(requestAnimationFrame)")
    assert slate(page, "[data-query]") == mugs(0, 1)
    page.unroute("**/v1/search*")
    page.route("**/v1/search*", found.answer)
    page.locator(MORE).click()
    shows(page, 3)
    assert found.asked[-1]["filter"] == ["brand:Acme"]
    assert found.asked[-1]["offset"] == ["2"]
    # A page that changes what is searched for, without a load.
    found.total = 2
    page.evaluate("document.querySelector('[data-query]').dataset.query = 'jug'")
    page.evaluate("cartwheel.refresh()")
    page.get_by_role("status").wait_for(state="detached")
    assert slate(page, "[data-query]") == mugs(0, 1)
    assert found.asked[-1]["q"] == ["jug"]
    assert "filter" not in found.asked[-1]
    assert page.locator(MORE).count() == 0
    assert store.complaints == []


def test_more_is_asked_for_alike_but_not_with_what_was_forgotten(store: Store) -> None:
    page = store.page()
    seen = '<p data-cartwheel-track="view" data-product-id="P7"></p>'
    found = opened_results(
        store, page, seen + RESULTS, attributes='data-consent="granted"'
    )
    found.total = 9
    page.locator(MORE).click()
    shows(page, 4)
    page.evaluate("cartwheel.track('view', {product_id: 'P8'})")
    page.locator(MORE).click()
    shows(page, 6)
    assert [asked["context"] for asked in found.asked] == [["P7"]] * 3
    assert len({asked["visitor"][0] for asked in found.asked}) == 1
    page.evaluate("cartwheel.consent(false)")
    page.locator(MORE).click()
    shows(page, 8)
    assert not {"context", "visitor"} & set(found.asked[-1])


def test_nobody_who_went_elsewhere_is_called_back(store: Store) -> None:
    page = store.page()
    found = opened_results(store, page, '<input id="other" aria-label="x">' + RESULTS)
    held: list[Any] = []
    page.unroute("**/v1/search*")
    page.route("**/v1/search*", lambda route: held.append(route))
    with page.expect_request("**/v1/search*"):
        page.locator(MORE).click()
    page.locator("#other").focus()
    held[0].fulfill(body=found.body(2, 2), headers=OPEN)
    shows(page, 4)
    assert page.evaluate("document.activeElement.id") == "other"


def test_a_short_list_and_other_slots_have_no_button(store: Store) -> None:
    page = store.page()
    found = Found(page, total=2)
    store.own_page(RESULTS + SLOT, page)
    page.locator("[data-cartwheel=home][data-filled]").wait_for()
    assert page.get_by_role("button").count() == 0
    assert page.get_by_role("status").count() == 0
    assert len(found.asked) == 1


def test_items_of_a_template_go_on_where_they_began(store: Store) -> None:
    page = store.page()
    body = (
        '<ul data-cartwheel="search" data-query="mug" data-limit="2"><template>'
        '<li><a data-link><b class="cartwheel-title" data-text="title"></b></a></li>'
        "</template></ul>"
    )
    opened_results(store, page, body)
    page.locator(MORE).click()
    shows(page, 4)
    assert page.locator("ul > li").all_inner_texts() == mugs(0, 1, 2, 3)
    assert page.locator("ul > template").count() == 1
    assert page.locator("ul + [role=status] + button").count() == 1


def test_suggestions_that_are_not_all_lead_to_the_rest(store: Store) -> None:
    page = store.page()
    searching(page)
    found = Found(page, total=37)
    store.own_page(SEARCH, page)
    page.get_by_role("combobox").press_sequentially("mug")
    page.get_by_role("option", name="Show more").wait_for()
    assert page.get_by_role("option").last.inner_text() == "Show more"
    found.total = 5
    page.get_by_role("combobox").press_sequentially("s")
    page.get_by_role("option", name="Show more").wait_for(state="detached")
    found.total = 37
    page.get_by_role("combobox").press("Backspace")
    page.get_by_role("option", name="Show more").wait_for()
    page.get_by_role("combobox").press("ArrowUp")
    page.get_by_role("combobox").press("Enter")
    page.wait_for_url("**/search?q=mug")
