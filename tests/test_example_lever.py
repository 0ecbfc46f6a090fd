"""The example lever joins the wheel through its entry point and nothing else."""

from __future__ import annotations

import importlib.util
import json
import subprocess
from pathlib import Path
from types import ModuleType

import pytest

from cartwheel.ledger.store import list_decisions
from cartwheel.operations import reading
from tests.contract import lever_kit
from tests.levers.made import empty_signals, made_signals
from tests.turned import CLI, ROOT, PluggedIn, plugged_in

SOURCE = ROOT / "examples" / "search-gaps" / "search_gaps.py"


@pytest.fixture(scope="module")
def plugged(tmp_path_factory: pytest.TempPathFactory) -> PluggedIn:
    return plugged_in(tmp_path_factory.getbasetemp())


def example() -> ModuleType:
    spec = importlib.util.spec_from_file_location("search_gaps", SOURCE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_example_stays_small() -> None:
    lines = [line for line in SOURCE.read_text(encoding="utf-8").splitlines() if line]
    assert len(lines) < 60


def test_example_imports_contracts_only() -> None:
    lines = SOURCE.read_text(encoding="utf-8").splitlines()
    found = {line.split()[1] for line in lines if line.startswith(("from", "import"))}
    assert found == {
        "cartwheel.levers.base",
        "cartwheel.levers.report",
        "cartwheel.signals.intent",
    }


def test_example_keeps_the_contract() -> None:
    shop = made_signals(customers=30, products=8, days=60)
    lever_kit.check_lever(example().SearchGaps(), [shop], empty_signals())


def test_example_decides_in_a_turn(plugged: PluggedIn) -> None:
    assert plugged.summary["levers"]["search-gaps"] == {
        "state": "healthy",
        "decisions": 1,
        "reason": "1 searches find nothing.",
    }
    (entry,) = list_decisions(plugged.shop.database, kind="stock_gap")
    assert entry.subject == "query:tent"
    assert entry.state == "proposed"
    assert entry.reason == "12 searches for “tent” in 90 days found nothing."


def test_example_has_a_page_of_its_own(plugged: PluggedIn) -> None:
    with reading(plugged.shop.database) as con:
        body = con.exec_driver_sql(
            "SELECT body FROM pages WHERE name = 'lever:search-gaps'"
        ).scalar_one()
    assert json.loads(body)["summary"] == "1 searches find nothing."


def test_example_is_on_the_wheel_where_it_is_installed(plugged: PluggedIn) -> None:
    done = subprocess.run(
        [*CLI, "wheel", "--json"],
        env=dict(plugged.environment),
        capture_output=True,
        text=True,
        check=True,
    )
    links = {link["link"] for link in json.loads(done.stdout)}
    assert "searches→search-gaps" in links
    assert "stock→recommend" in links


def test_wheel_without_the_example_is_the_built_in_one() -> None:
    from cartwheel.wheel import find_levers

    assert "search-gaps" not in find_levers()


def test_readme_of_the_example_names_the_file() -> None:
    text = (Path(SOURCE).parent / "README.md").read_text(encoding="utf-8")
    assert "stock_gap" in text
    assert "pip install ./examples/search-gaps" in text
