"""Search by `storefront.js` in a browser: instant search, facets, and showing more."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.shopping import (
    ANSWERS,
    MORE,
    OPEN,
    Found,
    Store,
    answer_of,
    answering_with,
    made_item,
    make_served,
    slate,
)
from tests.storefront.made import HOSTILE, make_store

pytestmark = pytest.mark.browser

SLOT = (
    '<div data-cartwheel="home" data-limit="4"><p id="kept">The shop\'s own.</p></div>'
)


@pytest.fixture
def store(tmp_path: Path, browser: Any) -> Iterator[Store]:
    yield from make_served(make_store(tmp_path / "store"), browser)


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
    answering_with(page, json.dumps(hints), path="**/v1/suggest*")
    found = answer_of(
        made_item("P03", "Shirt 3"), made_item("P06", HOSTILE), total=2, decision="s1"
    )
    answering_with(page, found, path="**/v1/search*")


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
    answering_with(page, "garbage", path="**/v1/suggest*")
    answering_with(page, "{}", status=500, path="**/v1/search*")
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
