"""The page "What if": figures with intervals, refusals with reasons, a file."""

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

HOSTILE = "<script>alert(1)</script> " + "W" * 400


def figure(reward: str = "spent_minor", **more: Any) -> dict[str, Any]:
    return {
        "reward": reward,
        "unit": "spent per answer",
        "value": None,
        "low": None,
        "high": None,
        "logged": None,
        "gain": None,
        "gain_low": None,
        "gain_high": None,
        "decided": False,
        "rows": 0,
        "customers": 0,
        "effective_rows": 0.0,
        "effective_customers": 0.0,
        "largest_weight": 0.0,
        "refused": "",
        "sentence": "",
        **more,
    }


def what_if_page() -> dict[str, Any]:
    told = {"value": 1234.0, "low": 1100.0, "high": 1400.0, "logged": 1200.0}
    gain = {"gain": 34.0, "gain_low": -12.0, "gain_high": 80.0}
    less = {"gain": -134.0, "gain_low": -212.0, "gain_high": -80.0, "decided": True}
    rests = {"rows": 5000, "customers": 900, "effective_rows": 812.2}
    policies = [
        ("as-ran", "What ran", [figure(**told, **rests)]),
        ("never-explore", "Never explore", [figure(**told, **gain, **rests)]),
        ("bestsellers", HOSTILE, [figure(**told, **less, **rests)]),
        ("sale-only", "Sale alone", [figure(refused="The rows are worth 12.")]),
    ]
    return {
        "on": "2026-11-19",
        "failed": "",
        "parts": [
            {
                "about": "recommend",
                "title": "What to recommend",
                "says": "5,000 answers of the 90 days.",
                "policies": [
                    {"name": n, "title": t, "note": "As it is.", "figures": f}
                    for n, t, f in policies
                ],
                "cannot": "",
                "would_need": "",
                "left_out": {"holdout": 12, "empty": 0},
            },
            {
                "about": "send-time",
                "title": "When to send a message",
                "says": "",
                "policies": [],
                "cannot": "Not known: no hour was drawn.",
                "would_need": "Draw the hour.",
                "left_out": None,
            },
        ],
        "csv": [["about", "title"], ["recommend", "=HYPERLINK(1)"]],
    }


def publish(shop: Shop, body: dict[str, Any]) -> None:
    with shop.database.begin() as con:
        row = {"turn": 2, "name": "what-if", "body": json.dumps(body)}
        con.execute(pages.insert().values(**row))


def test_the_page_is_sound_and_told_in_the_menu(owner: TestClient, shop: Shop) -> None:
    publish(shop, what_if_page())
    answer = owner.get("/what-if")
    assert answer.status_code == 200
    found = outline(answer.text)
    assert found.tags.count("h1") == 1
    assert found.inline == []
    assert len(found.ids) == len(set(found.ids))
    assert all(header.get("scope") for header in found.headers)
    assert '<a href="/what-if" aria-current="page">What if</a>' in answer.text
    assert "<script>alert" not in answer.text


def test_figures_have_intervals_and_refusals_have_reasons(
    viewer: TestClient, shop: Shop
) -> None:
    publish(shop, what_if_page())
    text = viewer.get("/what-if").text
    assert "£12.34" in text
    assert "£11.00 to £14.00" in text
    assert "−£0.12 to £0.80" in text
    assert text.count("not told from what ran") == 1
    assert text.count("less than what ran") == 1
    assert "The rows are worth 12." in text
    assert text.count("Not known") == 2
    assert "5,000 rows of 900 customers, worth 812 and 0" in text
    assert "Not counted: 12 holdout." in text
    assert "Draw the hour." in text


def test_the_file_is_safe_in_a_spreadsheet(owner: TestClient, shop: Shop) -> None:
    publish(shop, what_if_page())
    answer = owner.get("/what-if/what-if.csv")
    assert 'filename="what-if-turn-2.csv"' in answer.headers["content-disposition"]
    rows = list(csv.reader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    assert rows == [["about", "title"], ["recommend", "'=HYPERLINK(1)"]]


@pytest.mark.parametrize("path", ["/what-if", "/what-if/what-if.csv"])
def test_nobody_sees_it_without_signing_in(
    shop: Shop, signed_in: Callable[[Shop, str], TestClient], path: str
) -> None:
    client = signed_in(shop, "viewer")
    client.cookies.clear()
    assert client.get(path, follow_redirects=False).status_code == 303


def test_what_was_not_asked_is_said(
    shop: Shop, empty_shop: Shop, signed_in: Callable[[Shop, str], TestClient]
) -> None:
    text = signed_in(empty_shop, "owner").get("/what-if").text
    assert "No turn was published yet" in text
    client = signed_in(shop, "owner")
    assert "an earlier version made it" in client.get("/what-if").text
    assert client.get("/what-if/what-if.csv").status_code == 404
    publish(shop, {"on": "2026-11-19", "parts": [], "csv": [], "failed": "OSError: x"})
    assert "OSError: x" in client.get("/what-if").text


def test_the_page_needs_no_heavy_library() -> None:
    """Whoever draws it loads no statistics, in a process of its own."""
    code = (
        "import sys, cartwheel.console.pages_what_if as p\n"
        "heavy = {'pandas', 'scipy', 'duckdb', 'pyarrow', 'tea_tasting'}\n"
        "room = 'cartwheel.measure.off_policy'\n"
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
