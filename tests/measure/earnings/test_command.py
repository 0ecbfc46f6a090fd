"""`cartwheel earnings`: the same figures for people, programs and spreadsheets."""

from __future__ import annotations

import csv
import json
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cartwheel.cli import app
from cartwheel.errors import Misuse
from cartwheel.measure.earnings.figures import WHEEL
from cartwheel.measure.earnings.ledger import earnings
from cartwheel.measure.earnings.page import earnings_page
from cartwheel.measure.earnings.table import HEADER
from tests.measure.earnings.made import TURNED, add_overview
from tests.measure.earnings.test_ledger import DAY, acted


def test_json_table_and_csv_say_the_same(tmp_path: Path) -> None:
    shop = acted(tmp_path / "s", tools_minor_month=100)
    file = tmp_path / "earnings.csv"
    place = ["earnings", "--shop", str(shop.folder)]
    done = CliRunner().invoke(app, [*place, "--json", "--csv", str(file)])
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert found["on"] == DAY.isoformat(), "the newest fact's day"
    assert found == json.loads(json.dumps(earnings(shop, DAY).to_json()))
    with file.open(encoding="utf-8-sig", newline="") as text:
        rows = list(csv.DictReader(text))
    assert tuple(rows[0]) == HEADER
    wheel = found["entries"][0]
    assert rows[0]["entry"] == WHEEL
    assert float(rows[0]["money_minor"]) == pytest.approx(wheel["money"]["value"], 1e-4)
    assert rows[1]["net_minor"] == "", "what is unknown is empty, not zero"
    said = CliRunner().invoke(app, place).stdout
    assert wheel["verdict"] in said
    assert "Not yet" in said


def test_a_day_before_the_turn_and_days_that_cannot_be(tmp_path: Path) -> None:
    shop = acted(tmp_path / "s")
    place = ["earnings", "--shop", str(shop.folder), "--on"]
    early = CliRunner().invoke(app, [*place, str(TURNED - timedelta(days=1))])
    assert "no turn was published by then" in early.stdout
    for text, said in (("soon", "expected a day"), ("2026-12-31", "newest fact is")):
        wrong = CliRunner().invoke(app, [*place, text])
        assert isinstance(wrong.exception, Misuse)
        assert said in str(wrong.exception)
    nowhere = [*place[:-1], "--csv", str(tmp_path / "no" / "x.csv")]
    refused = CliRunner().invoke(app, nowhere)
    assert isinstance(refused.exception, Misuse)


def test_a_page_that_fails_says_so_and_stops_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = acted(tmp_path / "s")
    add_overview(shop)
    body = earnings_page(shop, DAY, {})
    assert body["failed"] == ""
    assert body["csv"][0] == list(HEADER)
    json.dumps(body)

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("the disk is gone\nand more")

    monkeypatch.setattr("cartwheel.measure.earnings.page.earnings", broken)
    body = earnings_page(shop, DAY, {})
    assert body["failed"] == "RuntimeError: the disk is gone"
    assert body["entries"] == []
