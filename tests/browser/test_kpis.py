"""The KPI page in a browser: accessible, quiet, fits, and a day is chosen."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cartwheel.console import pages_kpis
from cartwheel.shop import Shop
from tests.browser.test_console import MODES, check_page
from tests.console.kpi_seed import add_facts, publish_board
from tests.console.seed import make_published

pytestmark = pytest.mark.browser


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    made = make_published(tmp_path / "shop")
    add_facts(made)
    publish_board(made)
    return made


@pytest.mark.parametrize("mode", MODES)
def test_the_board_is_accessible_and_fits(
    open_page: Callable[..., Any], mode: str
) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    watched = open_page(**MODES[mode], bypass_csp=True)
    check_page(axe, watched.page, "/kpis")
    assert watched.foreign == []


def test_a_day_is_chosen_without_a_script(
    open_page: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages_kpis, "WAIT_SECONDS", 0.0)
    watched = open_page(java_script_enabled=False)
    page = watched.page
    page.goto("/kpis")
    page.get_by_label("As of").fill("2026-10-01")
    page.get_by_role("button", name="Show").click()
    page.wait_for_url("**/kpis?as_of=2026-10-01")
    # The page comes back by itself until the board is there.
    page.get_by_text("Whole board (CSV)").wait_for()
    with page.expect_download() as waiting:
        page.get_by_role("link", name="rows behind Conversion").click()
    text = waiting.value.path().read_text(encoding="utf-8-sig")
    assert text.startswith("what,id,owner,happened_at,about,orders,visitors")
    assert watched.complaints == []
    assert watched.foreign == []
