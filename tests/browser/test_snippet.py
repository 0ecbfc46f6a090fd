"""`storefront.js` in a browser: on a shop's own page, with everything going wrong."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.shopping import (
    ANSWERS,
    CLOSED,
    OPEN,
    Store,
    answer_of,
    answering_with,
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


@pytest.fixture
def store(tmp_path: Path, browser: Any) -> Iterator[Store]:
    yield from make_served(make_store(tmp_path / "store"), browser)


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
    answering_with(page, answer_of(made_item("P1", "Mug"), decision=None, logged=False))
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
    answering_with(page, answer_of(), status=500)
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
    answering_with(page, answer_of(odd, other, sold))
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
    answering_with(page, answer_of(*items))
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
    answering_with(page, answer_of(made_item("P1", "Bestseller"), arm="holdout"))
    store.own_page(SLOT, page)
    page.locator("[data-filled=holdout]").wait_for()
    store.wait_for(page, lambda: bool(store.events("exposure")))
    assert store.events("exposure")[0]["decision_id"] == "d1"
