"""The weekly report in a browser: accessible, quiet, and without a script."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.test_console import MODES, check_page

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("mode", MODES)
def test_the_page_is_accessible_quiet_and_fits(
    open_page: Callable[..., Any], mode: str
) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    watched = open_page(**MODES[mode], bypass_csp=True)
    check_page(axe, watched.page, "/report")
    assert watched.foreign == []


def test_it_needs_no_script(open_page: Callable[..., Any]) -> None:
    page = open_page(java_script_enabled=False).page
    page.goto("/")
    page.get_by_role("link", name="Weekly report").click()
    assert page.get_by_role("heading", name="Weekly report", exact=True).is_visible()
    with page.expect_download() as waiting:
        page.get_by_role("link", name="Download (HTML)").click()
    assert waiting.value.suggested_filename.endswith(".html")
