"""The page Voice in a real browser: drilled into, corrected, taken back, accessible."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from cartwheel.shop import Shop
from cartwheel.voice_desk import read_record
from tests.browser.test_console import MODES, check_page
from tests.console.test_voice_new import publish_new
from tests.page_fixes import fix, put
from tests.voice_page import publish_voice

pytestmark = pytest.mark.browser


@pytest.fixture
def body(shop: Shop) -> dict[str, Any]:
    put(shop, fix("p"), turn=2)
    return publish_voice(shop)


@pytest.mark.parametrize("mode", MODES)
def test_every_page_of_it_is_accessible_and_fits(
    open_page: Callable[..., Any], shop: Shop, body: dict[str, Any], mode: str
) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    watched = open_page(**MODES[mode], bypass_csp=True)
    page = watched.page
    for path in ("/voice/size_fit", "/voice/size_fit?product=p"):
        check_page(axe, page, path)
    page.get_by_role(
        "button", name="Not size and fit in: Runs small.", exact=True
    ).click()
    page.goto("/voice/size_fit")
    page.get_by_text("Make a theme of your own beneath it").click()
    page.get_by_label("Name").fill("<script>alert(1)</script> Sleeves")
    page.get_by_label("Words").fill("sleeves")
    page.get_by_role("button", name="Make the theme").click()
    check_page(axe, page, "/voice")
    after = publish_voice(shop, read_record(shop.database))
    (split,) = after["themes"][0]["splits"]
    check_page(axe, page, "/voice")
    check_page(axe, page, f"/voice/size_fit?split={split['correction_id']}")
    (fresh,) = publish_new(shop)["fresh"]
    check_page(axe, page, "/voice")
    check_page(axe, page, f"/voice/new/{fresh['key']}")
    page.get_by_role("button", name="Take it").click()
    (own,) = publish_new(shop, *read_record(shop.database))["own"]
    check_page(axe, page, "/voice")
    check_page(axe, page, f"/voice/own/{own['correction_id']}")
    assert watched.foreign == []


@pytest.mark.parametrize("script", [True, False])
def test_drilled_into_moved_and_taken_back(
    open_page: Callable[..., Any], shop: Shop, body: dict[str, Any], script: bool
) -> None:
    watched = open_page(java_script_enabled=script)
    page = watched.page
    page.get_by_role("link", name="Voice", exact=True).click()
    page.get_by_role("link", name="Size and fit", exact=True).click()
    page.get_by_role("link", name="Dress", exact=True).click()
    page.get_by_text("Correct the reading of: Runs small.", exact=True).click()
    page.get_by_label("It raises").first.select_option("quality_doubt")
    page.get_by_role("button", name="Move this: Runs small.", exact=True).click()
    page.get_by_text("corrected: doubt about quality").wait_for()
    (row,) = read_record(shop.database)
    assert row["into_objection"] == "quality_doubt"
    page.get_by_role("link", name="Voice", exact=True).first.click()
    page.get_by_role("button", name="Take back").click()
    page.get_by_text("Nobody has corrected a theme yet.").wait_for()
    assert len(read_record(shop.database)) == 2
    assert watched.complaints == []


@pytest.mark.parametrize("script", [True, False])
def test_a_new_theme_is_answered(
    open_page: Callable[..., Any], shop: Shop, script: bool
) -> None:
    publish_new(shop)
    watched = open_page(java_script_enabled=script)
    page = watched.page
    page.goto("/voice")
    page.get_by_role("link", name="hinge", exact=True).click()
    page.get_by_label("They raise").select_option("quality_doubt")
    page.get_by_role("button", name="Count them so").click()
    page.get_by_text("answered, from the next turn on").wait_for()
    (row,) = read_record(shop.database)
    assert (row["kind"], row["into_objection"]) == ("teach", "quality_doubt")
    assert watched.complaints == []
