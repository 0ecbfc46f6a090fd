"""The panel of a demo shop in a browser: accessible, quiet, fits, and pressed once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from cartwheel.operations import requests
from cartwheel.shop import Shop
from tests.browser.test_console import MODES, check_page
from tests.console.seed import add_world, make_published

pytestmark = pytest.mark.browser


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return add_world(make_published(tmp_path / "shop"))


def asked(shop: Shop) -> list[str]:
    with shop.database.connect() as con:
        return list(con.execute(select(requests.c.what)).scalars())


@pytest.mark.parametrize("mode", MODES)
def test_the_panel_and_its_page_are_accessible_and_fit(
    open_page: Callable[..., Any], mode: str
) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    watched = open_page(**MODES[mode], bypass_csp=True)
    page = watched.page
    for path in ("/", "/living"):
        check_page(axe, page, path)
    page.get_by_role("button", name="Live a week", exact=True).click()
    page.wait_for_url("**/?done=live")
    found = axe.run(page)
    assert found.violations_count == 0, f"asked: {found.generate_report()}"
    assert watched.foreign == []


@pytest.mark.parametrize("script", [True, False])
def test_a_press_is_shown_and_cannot_be_repeated(
    open_page: Callable[..., Any], shop: Shop, script: bool
) -> None:
    watched = open_page(java_script_enabled=script)
    page = watched.page
    page.get_by_role("button", name="Approve everything and live a week").click()
    page.wait_for_url("**/?done=live")
    assert page.get_by_text("starts shortly").is_visible()
    for name in ("Live a week", "Approve everything and live a week"):
        assert page.get_by_role("button", name=name, exact=True).is_disabled()
    assert asked(shop) == ["live-approving"]
    assert watched.complaints == []


def test_what_was_asked_for_is_forgotten_once_it_is_over(
    open_page: Callable[..., Any], shop: Shop
) -> None:
    page = open_page().page
    page.get_by_role("button", name="Live a week", exact=True).click()
    page.wait_for_url("**/?done=live")
    with shop.database.begin() as con:
        con.execute(requests.update().values(state="done"))
    # The page's script asks again and loads the new values by itself.
    page.locator("#progress .notice").wait_for(state="detached")
    button = page.get_by_role("button", name="Live a week", exact=True)
    button.wait_for()
    assert button.is_enabled()
    assert page.get_by_text("A week is asked for").count() == 0


def test_a_viewer_reads_without_buttons(open_page: Callable[..., Any]) -> None:
    page = open_page(role="viewer").page
    page.goto("/living")
    assert page.get_by_role("heading", name="Living shop").is_visible()
    assert page.get_by_role("button", name="Live a week").count() == 0
