"""The page about earnings: figures with intervals, unknown costs, and not yet."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from cartwheel.operations import pages
from cartwheel.shop import Shop
from tests.console.test_pages import outline

RANGE = {"value": 1_234_500.0, "low": 210_000.0, "high": 2_259_000.0}
HOSTILE = "<script>alert(1)</script> W" + "W" * 400


def entry(lever: str, **more: Any) -> dict[str, Any]:
    """Return an entry as a turn publishes it, by default one that says not yet."""
    return {
        "lever": lever,
        "title": lever.capitalize(),
        "unit": "customer",
        "since": None,
        "first": None,
        "days": 0,
        "basis": "margin",
        "reached": 0,
        "held_out": 0,
        "moved": 0,
        "effect": None,
        "money": None,
        "p_value": None,
        "costs": [],
        "offered_minor": 0.0,
        "net": None,
        "verdict": "",
        "not_yet": "Not yet: 12 were left alone; a figure needs 30 or more.",
        "needed": None,
        "kinds": [],
        "links": [],
        "before_after": [],
        **more,
    }


def ledger_page() -> dict[str, Any]:
    told = {
        "since": "2026-03-02",
        "first": "2026-03-02",
        "days": 210,
        "reached": 4_750,
        "held_out": 250,
        "moved": 3,
        "effect": {"value": 259.9, "low": 44.2, "high": 475.6},
        "money": RANGE,
        "not_yet": "",
    }
    pair = {"name": "margin_minor", "before": RANGE, "after": RANGE}
    return {
        "on": "2026-11-19",
        "failed": "",
        "entries": [
            entry(
                "wheel",
                **told,
                verdict="Reaching people earned a lot and more than it cost.",
                costs=[
                    {"name": "tools", "minor": 69_000.0, "note": "for 210 days"},
                    {"name": "labour", "minor": 0.0, "note": "nobody looked"},
                ],
                net=RANGE,
                before_after=[pair],
                offered_minor=5_000.0,
            ),
            entry(
                "lifecycle",
                **told,
                verdict="Customers earned something; labour not counted.",
                costs=[
                    {
                        "name": "labour",
                        "minor": None,
                        "note": "not counted: 4 decisions; set costs.labour_minor_hour",
                    }
                ],
                kinds=[
                    {
                        "kind": "winback",
                        "applied": 40,
                        "predicted_minor": None,
                        "incremental": None,
                        "note": "kinds are not told apart",
                    }
                ],
                links=[
                    {
                        "link": "stock→lifecycle",
                        "cut_turns": 0,
                        "turns": 3,
                        "note": "Not measured here: nobody's was cut alone.",
                    }
                ],
            ),
            entry("price", title=HOSTILE, unit="product"),
        ],
        "csv": [["entry", "title"], ["wheel", "=HYPERLINK(1)"]],
    }


def publish(shop: Shop, body: dict[str, Any]) -> None:
    with shop.database.begin() as con:
        row = {"turn": 2, "name": "earnings", "body": json.dumps(body)}
        con.execute(pages.insert().values(**row))


def test_the_page_is_sound_and_told_in_the_menu(owner: TestClient, shop: Shop) -> None:
    publish(shop, ledger_page())
    answer = owner.get("/earnings")
    assert answer.status_code == 200
    found = outline(answer.text)
    assert found.tags.count("h1") == 1
    assert found.inline == []
    assert len(found.ids) == len(set(found.ids))
    assert all(header.get("scope") for header in found.headers)
    assert '<a href="/earnings" aria-current="page">Earnings</a>' in answer.text
    assert "<script>alert" not in answer.text


def test_figures_have_intervals_and_unknown_costs_are_no_zero(
    viewer: TestClient, shop: Shop
) -> None:
    publish(shop, ledger_page())
    text = viewer.get("/earnings").text
    assert "£12,345" in text
    assert "£2,100 to £22,590" in text
    assert "£2.60 a customer (£0.44 to £4.76)" in text
    assert "4,750 customers reached, 250 left alone, 3 changed sides" in text
    assert "Labour: not counted" in text
    assert "Not known: a cost is not counted" in text
    assert "Tools: £690" in text
    assert "12 were left alone" in text
    assert text.count("Margin a day") == 1
    assert "stock→lifecycle" in text
    assert 'class="dot"' in text


def test_the_file_is_safe_in_a_spreadsheet(owner: TestClient, shop: Shop) -> None:
    publish(shop, ledger_page())
    answer = owner.get("/earnings/earnings.csv")
    assert 'filename="earnings-turn-2.csv"' in answer.headers["content-disposition"]
    rows = list(csv.reader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    assert rows == [["entry", "title"], ["wheel", "'=HYPERLINK(1)"]]


@pytest.mark.parametrize("path", ["/earnings", "/earnings/earnings.csv"])
def test_nobody_sees_it_without_signing_in(
    shop: Shop, signed_in: Callable[[Shop, str], TestClient], path: str
) -> None:
    client = signed_in(shop, "viewer")
    client.cookies.clear()
    assert client.get(path, follow_redirects=False).status_code == 303


def test_what_was_not_measured_is_said(
    shop: Shop, empty_shop: Shop, signed_in: Callable[[Shop, str], TestClient]
) -> None:
    assert (
        "No turn was published yet"
        in signed_in(empty_shop, "owner").get("/earnings").text
    )
    client = signed_in(shop, "owner")
    assert "an earlier version made it" in client.get("/earnings").text
    assert client.get("/earnings/earnings.csv").status_code == 404
    failed = {"on": "2026-11-19", "entries": [], "csv": [], "failed": "OSError: gone"}
    publish(shop, failed)
    assert "OSError: gone" in client.get("/earnings").text


def test_the_page_needs_no_heavy_library(shop: Shop) -> None:
    """Whoever draws it loads neither pandas nor scipy, in a process of its own."""
    code = (
        "import sys, cartwheel.console.pages_earnings as p\n"
        "heavy = {'pandas', 'scipy', 'duckdb', 'pyarrow', 'tea_tasting'}\n"
        "room = 'cartwheel.measure.earnings'\n"
        "mine = {m for m in sys.modules if m.startswith(room)}\n"
        "print(sorted(heavy & set(sys.modules)) + sorted(mine))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parent,
    )
    assert done.stdout.strip() == "[]"


def test_a_link_tested_has_its_worth_and_others_are_named(
    viewer: TestClient, shop: Shop
) -> None:
    body = ledger_page()
    found = next(one for one in body["entries"] if one["links"])
    found["links"].append(
        {
            "link": "margin→lifecycle",
            "cut_turns": 0,
            "turns": 3,
            "note": "Margin a customer with it less margin without.",
            "experiment": "without-margin",
            "unit": "customer",
            "worth": {"value": 1_234.0, "low": 200.0, "high": 2_300.0},
            "money": None,
        }
    )
    publish(shop, body)
    text = viewer.get("/earnings").text
    assert "£12.34 a customer (£2.00 to £23.00)" in text
    assert '<a href="/experiments/without-margin">The experiment</a>' in text
    assert "nobody&#39;s was cut alone: stock→lifecycle." in text or (
        "nobody's was cut alone: stock→lifecycle." in text
    )
