"""Page fixes in a real browser: looked at, approved, taken back, accessible."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from cartwheel.ledger.store import find
from cartwheel.shop import Shop
from tests.browser.test_console import MODES, check_page
from tests.page_fixes import (
    ASKED,
    PAGE,
    SAID,
    fix,
    fix_with_table,
    mail,
    outline,
    put,
    read_as,
    task,
)

pytestmark = pytest.mark.browser


@pytest.fixture
def fixes(shop: Shop) -> str:
    """Return the id of a fix waiting for an answer, in a shop that has all there is."""
    read_as(shop, turn=2, P1=PAGE, P2="<p>Theirs.</p>", P3=PAGE)
    name = put(shop, fix(said=(*SAID, ASKED)), turn=2)
    put(shop, fix("P2"), turn=2, state="approved")
    put(shop, fix("P3"), turn=2, state="refused")
    put(shop, task("P4"), turn=2)
    blocked = [{"text": "The best.", "why": "a superlative"}]
    evidence = {"service": {"failed": "nothing passed", "blocked": blocked}}
    put(shop, fix_with_table("P5", evidence=evidence), turn=2)
    put(shop, mail("P6", said=(*SAID, ASKED)), turn=2)
    put(shop, outline(), turn=2)
    return name


@pytest.mark.parametrize("mode", MODES)
def test_the_page_is_accessible_and_fits(
    open_page: Callable[..., Any], fixes: str, mode: str
) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    watched = open_page(**MODES[mode], bypass_csp=True)
    check_page(axe, watched.page, "/page-fixes")
    assert watched.foreign == []


@pytest.mark.parametrize("script", [True, False])
def test_looked_at_approved_and_taken_back(
    open_page: Callable[..., Any], shop: Shop, fixes: str, script: bool
) -> None:
    watched = open_page(java_script_enabled=script)
    page = watched.page
    page.goto("/page-fixes")
    page.get_by_text("Page before and after for Shirt P1").click()
    added = page.get_by_label("Difference for Shirt P1")
    assert "+<li>Chest width: 54 cm</li></ul>" in added.inner_text()
    page.get_by_role("button", name="Approve page fix: Shirt P1").click()
    page.get_by_text("outbox/pages.csv").wait_for()
    assert find(shop.database, fixes).state == "applied"
    held = (shop.outbox / "pages" / "P1.html").read_bytes().decode()
    assert held.startswith(PAGE)
    page.get_by_role("button", name="Undo page fix: Shirt P1").click()
    page.get_by_text("Reverted", exact=True).wait_for()
    assert find(shop.database, fixes).state == "reverted"
    assert not (shop.outbox / "pages" / "P1.html").exists()
    assert watched.complaints == []
