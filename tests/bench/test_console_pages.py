"""The bench of the console's pages: pages of a real shop, and none of an empty one."""

from __future__ import annotations

from pathlib import Path

import pytest
from bench.measure import Plan, Skipped

from bench import console_pages
from cartwheel.shop import make_shop
from tests.console.seed import make_published


def test_each_page_is_asked_of_a_signed_in_owner(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = make_published(tmp_path / "shop")
    monkeypatch.setattr(console_pages, "_lived", lambda plan, scale: (shop, 1_234))
    monkeypatch.setattr(console_pages, "_ledger", lambda shop: 1.5)
    plan = Plan(work=tmp_path, data=tmp_path, quick=True)
    found = list(console_pages.pages(plan))
    named = [one.name for one in found]
    assert [name for name in named if name.endswith(", p99")] == [
        *(f"{path}, p99" for path in console_pages.PAGES),
        "FastAPI alone, a constant, p99",
    ]
    assert {one.size for one in found} == {"1,234 orders in a year", ""}
    assert all(value > 0 for one in found for value in one.values)
    assert not shop.folder.exists()  # sizes do not lie about together


def test_ledger_that_reached_nobody_is_no_test(tmp_path: Path) -> None:
    shop = make_shop(tmp_path / "shop", currency="EUR")
    with pytest.raises(Skipped, match="reached nobody"):
        console_pages._ledger(shop)
