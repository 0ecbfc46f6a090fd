"""Experiments in a browser: accessible, fits, designed and stopped without a script."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from cartwheel.console import pages_experiment_design
from cartwheel.console.experiment_form import choices
from cartwheel.console.planning import Planned
from cartwheel.measure.experiment.store import find, list_experiments
from cartwheel.measure.experiment.terms import Terms, check_terms
from cartwheel.shop import Shop
from tests.browser.test_console import MODES, check_page
from tests.console.experiments import (
    HARM,
    OPEN,
    RUNNING,
    WORKED,
    add_experiments,
    look,
    put,
    refusal,
    terms,
)
from tests.console.seed import make_published

pytestmark = pytest.mark.browser

REFUSED = "replenish-refused"
PATHS = (
    "/experiments",
    *(f"/experiments/{name}" for name in (RUNNING, HARM, OPEN, WORKED, REFUSED)),
    "/experiments/new",
    "/experiments/new?lever=price&unit=product",
    "/experiments/new?lever=price&unit=period",
    "/levers/lifecycle",
)
EXPECTED = {
    "units": {"control": 12, "treated": 13},
    "detectable": 0.31,
    "days_needed": 269,
    "by": "2027-08-15",
    "cost_minor": 123_456,
    "sentence": "In 84 days this test finds a change of margin of 31% or more.",
}


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    def ask(shop: Shop, terms: Terms, today: date, *, plan: bool = True) -> Planned:
        fitted = check_terms(terms, levers=choices(), today=today)
        return Planned(terms=fitted, plan=EXPECTED if plan else None)

    monkeypatch.setattr(pages_experiment_design, "ask_plan", ask)
    made = add_experiments(make_published(tmp_path / "shop"))
    put(
        made,
        terms(REFUSED, lever="replenish", unit="product"),
        [look(7, [], checks=[refusal()], sentence="No verdict.")],
    )
    return made


def fill(page: Any) -> None:
    page.get_by_label("What do you want to know?").fill("Do smaller steps earn more?")
    page.get_by_label("Short name").fill("price-steps")


def check_here(axe: Any, page: Any, what: str) -> None:
    found = axe.run(page)
    assert found.violations_count == 0, f"{what}: {found.generate_report()}"
    extra = "document.documentElement.scrollWidth - window.innerWidth"
    assert page.evaluate(extra) <= 0, what


@pytest.mark.parametrize("mode", MODES)
def test_list_design_and_detail_are_accessible_and_fit(
    open_page: Callable[..., Any], mode: str
) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    watched = open_page(**MODES[mode], bypass_csp=True)
    page = watched.page
    for path in PATHS:
        check_page(axe, page, path)
    page.goto("/experiments/new?lever=price&unit=product")
    page.get_by_role("button", name="Show what it costs").click()
    page.get_by_text("2 fields need another value").wait_for()
    check_here(axe, page, "wrong")
    fill(page)
    page.get_by_role("button", name="Show what it costs").click()
    page.get_by_text("What it costs and what it can see").wait_for()
    check_here(axe, page, "cost")
    assert watched.foreign == []


@pytest.mark.parametrize("script", [True, False])
def test_designed_begun_and_stopped(
    open_page: Callable[..., Any], shop: Shop, script: bool
) -> None:
    watched = open_page(java_script_enabled=script)
    page = watched.page
    page.goto("/experiments")
    page.get_by_role("link", name="Plan an experiment").click()
    page.get_by_role("button", name="Draw products for Prices", exact=True).click()
    fill(page)
    page.get_by_label("Smallest change that matters").fill("ten")
    page.get_by_role("button", name="Show what it costs").click()
    box = page.get_by_label("Smallest change that matters")
    assert box.get_attribute("aria-invalid") == "true"
    assert page.get_by_label("Short name").input_value() == "price-steps"
    box.fill("15")
    page.get_by_role("button", name="Show what it costs").click()
    assert page.get_by_text("£1,234.56").is_visible()
    # Back to the terms and to the choice, and nothing typed is lost.
    page.get_by_role("button", name="Change the terms").click()
    page.get_by_role("button", name="Choose another").click()
    page.get_by_role("button", name="Draw products for Prices", exact=True).click()
    box = page.get_by_label("Smallest change that matters")
    assert box.input_value() == "15"
    page.get_by_role("button", name="Show what it costs").click()
    assert len(list_experiments(shop.database)) == 5
    page.get_by_role("button", name="Begin on 20 Nov 2026").click()
    page.wait_for_url("**/experiments/price-steps?done=begin")
    assert find(shop.database, "price-steps").terms.wanted == 0.15
    page.get_by_label("Reason, for the learning record").fill("A supplier changed.")
    page.get_by_role("button", name="Stop this experiment").click()
    page.get_by_text("Stopped before its first look: A supplier changed").wait_for()
    assert find(shop.database, "price-steps").state == "stopped"
    # The browser tells of the form that was refused, and of nothing else.
    assert len(watched.complaints) == 1
    assert "400" in watched.complaints[0]
