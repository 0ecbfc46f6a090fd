"""`cartwheel kpis`: for people, programs and a file, and the days it refuses."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cartwheel.cli import app
from cartwheel.errors import Failure, Misuse
from cartwheel.measure.kpi import KPIS
from cartwheel.shop import Shop, make_shop
from tests.console.kpi_seed import add_facts


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    made = make_shop(tmp_path_factory.mktemp("kpis") / "shop", currency="EUR")
    add_facts(made)
    return made


def run(shop: Shop, *words: str) -> str:
    told = ["kpis", "--shop", str(shop.folder), *words]
    done = CliRunner().invoke(app, told, catch_exceptions=False)
    return done.output


def test_people_read_figures_first_and_then_what_is_missing(shop: Shop) -> None:
    lines = run(shop, "--as-of", "2026-11-19").splitlines()
    assert lines[0] == "As of 2026-11-19, window 28 days:"
    assert any(
        line.startswith("Average order value") and " EUR  (95% interval " in line
        for line in lines
    )
    assert "Not yet: no advertising is known." in run(shop)
    assert "Not yet" in lines[-1]


def test_programs_read_json_with_a_series(shop: Shop) -> None:
    board = json.loads(run(shop, "--json", "--as-of", "2026-11-19", "--weeks", "3"))
    assert [kpi["name"] for kpi in board["kpis"]] == [kpi.name for kpi in KPIS]
    value = next(k for k in board["kpis"] if k["name"] == "average_order_value")
    assert value["value"] == value["top"] / value["bottom"]
    days = [point["on"] for point in value["series"]]
    assert days == ["2026-11-05", "2026-11-12", "2026-11-19"]
    assert value["series"][-1]["value"] == value["value"]
    newest = {row["table"]: row for row in value["freshness"]}
    assert newest["orders"]["newest"] == "2026-11-19"
    assert newest["refunds"]["newest"] is None


def test_the_board_goes_to_a_file(shop: Shop, tmp_path: Path) -> None:
    file = tmp_path / "board.csv"
    run(shop, "--as-of", "2026-11-19", "--csv", str(file))
    with file.open(newline="", encoding="utf-8") as opened:
        rows = list(csv.DictReader(opened))
    assert [row["name"] for row in rows] == [kpi.name for kpi in KPIS]
    assert rows[1]["newest_fact"] == "2026-11-19"
    with pytest.raises(Failure, match="cannot be written"):
        run(shop, "--csv", str(tmp_path / "no" / "board.csv"))


@pytest.mark.parametrize("day", ["soon", "2026-13-01", "1812-06-24"])
def test_a_day_that_is_none_is_refused(shop: Shop, day: str) -> None:
    with pytest.raises(Misuse, match=r"day|out of range"):
        run(shop, "--as-of", day)
