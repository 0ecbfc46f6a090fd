from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from cartwheel.ledger.store import find
from cartwheel.shop import Shop
from tests.console.seed import decision_id

pytestmark = pytest.mark.browser

PAGES = (
    "/",
    "/decisions?state=all",
    f"/decisions/{decision_id(0)}",
    f"/decisions/{decision_id(500)}",
    "/levers/forecast",
    "/levers/replenish",
    "/levers/lifecycle",
    "/levers/price",
    "/levers/recommend",
    "/merchandising",
    "/imports",
    "/health",
    "/journey",
    "/decisions?state=expired",
    "/decisions/2-none",
)
MODES: dict[str, dict[str, Any]] = {
    "light": {"color_scheme": "light"},
    "dark": {"color_scheme": "dark"},
    "phone": {"viewport": {"width": 390, "height": 844}},
}


def check_page(axe: Any, page: Any, path: str) -> None:
    """Open a page with all it can unfold; it is accessible and fits its window."""
    page.goto(path)
    for summary in page.locator("details:not([open]) > summary").all():
        if summary.is_visible():
            summary.click()
    found = axe.run(page)
    assert found.violations_count == 0, f"{path}: {found.generate_report()}"
    extra = "document.documentElement.scrollWidth - window.innerWidth"
    assert page.evaluate(extra) <= 0, path


@pytest.mark.parametrize("mode", MODES)
def test_every_page_is_accessible_quiet_and_fits(
    open_page: Callable[..., Any], mode: str
) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    # The checker injects its script, which the console's own policy rightly forbids;
    # policy violations are looked for in the other tests.
    watched = open_page(**MODES[mode], bypass_csp=True)
    page = watched.page
    for path in PAGES:
        check_page(axe, page, path)
    assert watched.foreign == []


@pytest.mark.parametrize("path", ["/sign-in", "/sign-in?token=x", "/nowhere"])
def test_pages_outside_the_frame_are_accessible(
    browser: Any, address: str, path: str
) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    context = browser.new_context(base_url=address, bypass_csp=True)
    page = context.new_page()
    page.goto(path)
    found = axe.run(page)
    assert found.violations_count == 0, found.generate_report()
    context.close()


def test_no_page_breaks_the_policy_or_asks_a_foreign_host(
    open_page: Callable[..., Any],
) -> None:
    watched = open_page()
    for path in PAGES[:-1]:
        answer = watched.page.goto(path)
        assert "default-src 'self'" in answer.headers["content-security-policy"]
        assert watched.page.evaluate("document.images.length") == 0
    assert watched.complaints == []
    assert watched.foreign == []


def test_approve_and_undo_with_script(
    open_page: Callable[..., Any], shop: Shop
) -> None:
    watched = open_page()
    page = watched.page
    # A mark that a reload would lose.
    page.evaluate("window.kept = true")
    page.get_by_role("button", name="Approve Reorder: Linen cushion cover").click()
    undo = page.get_by_role("button", name="Undo Reorder: Linen cushion cover")
    undo.wait_for()
    assert find(shop.database, decision_id(1)).state == "approved"
    assert undo.evaluate("b => b === document.activeElement")
    assert "is approved" in page.get_by_role("status").inner_text()
    undo.click()
    page.get_by_text("Reverted", exact=True).wait_for()
    assert find(shop.database, decision_id(1)).state == "reverted"
    assert page.evaluate("window.kept")
    assert watched.complaints == []


def test_approve_and_undo_without_script(
    open_page: Callable[..., Any], shop: Shop
) -> None:
    page = open_page(java_script_enabled=False).page
    page.get_by_role("button", name="Approve Reorder: Linen cushion cover").click()
    assert "The decision is approved." in page.get_by_role("status").inner_text()
    assert find(shop.database, decision_id(1)).state == "approved"
    page.get_by_role("status").get_by_role("button", name="Undo").click()
    assert find(shop.database, decision_id(1)).state == "reverted"


def test_a_refused_move_is_told_and_the_row_stays(
    open_page: Callable[..., Any], shop: Shop
) -> None:
    from cartwheel.ledger.store import move

    page = open_page().page
    move(shop.database, [decision_id(1)], "rejected", actor="somebody")
    page.get_by_role("button", name="Approve Reorder: Linen cushion cover").click()
    status = page.get_by_role("status")
    status.get_by_text("cannot become approved").wait_for()
    assert page.get_by_text("Linen cushion cover, sand").first.is_visible()


def test_bulk_approval(open_page: Callable[..., Any], shop: Shop) -> None:
    page = open_page().page
    page.goto("/decisions?kind=price")
    page.get_by_label("All on this page").check()
    page.get_by_role("button", name="Approve ticked").click()
    page.get_by_text("4 decisions approved.").wait_for()
    assert find(shop.database, decision_id(9)).state == "approved"


def test_quantity_then_approve(open_page: Callable[..., Any], shop: Shop) -> None:
    page = open_page().page
    page.goto("/levers/replenish")
    box = page.get_by_label("Units of Oak side table, small")
    box.fill("60")
    row = page.get_by_role("row", name="Oak side table, small")
    row.get_by_role("button", name="Approve").click()
    row.get_by_text("Approved", exact=True).wait_for()
    assert find(shop.database, decision_id(0)).action["units"] == 60
    with page.expect_download() as waiting:
        page.reload()
        page.get_by_role("link", name="Purchase order").click()
    text = waiting.value.path().read_text(encoding="utf-8-sig")
    assert "Oak side table, small" in text


def test_keyboard_reaches_the_content_and_acts(
    open_page: Callable[..., Any], shop: Shop
) -> None:
    page = open_page().page
    page.keyboard.press("Tab")
    focused = "document.activeElement.textContent.trim()"
    assert page.evaluate(focused) == "Skip to the content"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate(focused).startswith("Approve"):
            break
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"
    page.keyboard.press("Enter")
    page.get_by_role("status").get_by_text("is approved").wait_for()
    assert page.evaluate(focused).startswith("Undo")


def test_viewer_has_nothing_to_press(open_page: Callable[..., Any]) -> None:
    page = open_page("viewer").page
    for path in PAGES:
        page.goto(path)
        names = page.get_by_role("button").all_inner_texts()
        assert set(names) <= {"Sign out", "Show"}, path


def test_chart_says_its_values(open_page: Callable[..., Any]) -> None:
    page = open_page().page
    page.goto("/levers/forecast")
    page.locator(".wide .chart-line").first.hover(position={"x": 400, "y": 80})
    assert "predicted" in page.locator(".tip").inner_text()
    page.locator("summary", has_text="Values").first.click()
    assert page.get_by_role("columnheader", name="Predicted").first.is_visible()


def test_wheel_node_lights_its_links(open_page: Callable[..., Any]) -> None:
    page = open_page().page
    page.locator('[data-node="price"]').hover()
    lit = page.locator(".link.is-lit")
    assert lit.count() == 5
    assert page.get_by_role("link", name="Prices: 5 decisions").count() == 1


def test_phone_shows_the_wheel_as_a_list(open_page: Callable[..., Any]) -> None:
    page = open_page(**MODES["phone"]).page
    assert not page.locator(".wheel-box").is_visible()
    items = page.locator(".wheel-list > li")
    assert items.first.is_visible()
    assert items.count() == 24


def test_hostile_text_runs_nothing(open_page: Callable[..., Any]) -> None:
    watched = open_page()
    watched.page.on("dialog", lambda d: watched.complaints.append(d.message))
    watched.page.goto(f"/decisions/{decision_id(500)}")
    assert "<script>alert(1)</script>" in watched.page.inner_text("main")
    assert watched.complaints == []
