"""The page "Journey" in a browser: accessible, quiet, and without a script."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from cartwheel.shop import Shop
from tests.browser.test_console import MODES, check_page
from tests.console.test_journey import hostile_body, journey_body, publish

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("mode", MODES)
def test_the_page_is_accessible_quiet_and_fits(
    open_page: Callable[..., Any], shop: Shop, mode: str
) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    watched = open_page(**MODES[mode], bypass_csp=True)
    for body in (journey_body(), hostile_body(), journey_body(days=20)):
        publish(shop, body)
        check_page(axe, watched.page, "/journey")
    assert watched.foreign == []


def test_the_page_keeps_the_policy_and_needs_no_script(
    open_page: Callable[..., Any], shop: Shop
) -> None:
    publish(shop, journey_body())
    watched = open_page()
    watched.page.goto("/journey")
    assert watched.complaints == []
    page = open_page(java_script_enabled=False).page
    page.get_by_role("link", name="Journey").click()
    assert page.get_by_role("heading", name="Journey", exact=True).is_visible()
    with page.expect_download() as waiting:
        page.get_by_role("link", name="Download (CSV)").click()
    assert waiting.value.suggested_filename == "journey-turn-2.csv"
    page.get_by_role("link", name="Reorders").first.click()
    assert page.url.endswith("/levers/replenish")
