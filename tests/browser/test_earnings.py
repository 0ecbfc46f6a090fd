"""The page about earnings in a browser: accessible, quiet, and without a script."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from cartwheel.shop import Shop
from tests.browser.test_console import MODES, check_page
from tests.console.test_earnings import ledger_page, publish

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("mode", MODES)
def test_the_page_is_accessible_quiet_and_fits(
    open_page: Callable[..., Any], shop: Shop, mode: str
) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    publish(shop, ledger_page())
    watched = open_page(**MODES[mode], bypass_csp=True)
    check_page(axe, watched.page, "/earnings")
    assert watched.foreign == []


def test_the_page_keeps_the_policy_and_needs_no_script(
    open_page: Callable[..., Any], shop: Shop
) -> None:
    publish(shop, ledger_page())
    watched = open_page()
    watched.page.goto("/earnings")
    assert watched.complaints == []
    page = open_page(java_script_enabled=False).page
    page.get_by_role("link", name="Earnings").click()
    assert page.get_by_role("heading", name="Earnings", exact=True).is_visible()
    page.get_by_text("Lifecycle", exact=True).last.click()
    assert page.get_by_text("kinds are not told apart").is_visible()
    with page.expect_download() as waiting:
        page.get_by_role("link", name="Download (CSV)").click()
    assert waiting.value.suggested_filename == "earnings-turn-2.csv"
