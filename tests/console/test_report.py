"""The weekly report: one screen, on the console and as a file that a mail carries."""

from __future__ import annotations

import json
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import update
from typer import Typer
from typer.testing import CliRunner

from cartwheel.errors import Conflict
from cartwheel.measure.weekly.command import report as command
from cartwheel.measure.weekly.html import to_html, to_text
from cartwheel.measure.weekly.report import weekly
from cartwheel.operations import decisions
from cartwheel.shop import Shop

TITLES = (
    "Figures of 28 days",
    "Earned more than leaving alone",
    "Experiments",
    "Health of the wheel",
    "Waiting for a yes or no",
)


class Tags(HTMLParser):
    """Elements and attributes of a document."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.attributes.update(name for name, _ in attrs)


def test_the_report_has_every_part_in_order(shop: Shop) -> None:
    found = weekly(shop)
    titles = [section.title for section in found.sections]
    for title, wanted in zip(titles, TITLES, strict=True):
        assert title.startswith(wanted)
    health = found.sections[3]
    assert health.lines[0].head.endswith("is broken")
    assert "a month" in health.lines[0].aside
    waiting = found.sections[4]
    assert waiting.lines
    assert not any("customer:" in line.head for line in waiting.lines)


def test_whatever_it_holds_is_escaped_and_nothing_is_loaded(shop: Shop) -> None:
    with shop.database.begin() as con:
        con.execute(
            update(decisions)
            .where(decisions.c.state == "proposed")
            .values(body=json.dumps({"reason": "<script>alert(1)</script><img src=x>"}))
        )
    text = to_html(weekly(shop))
    assert "<script" not in text
    assert "<img" not in text
    assert "&lt;script&gt;" in text
    found = Tags()
    found.feed(text)
    assert not found.names & {"script", "img", "a", "link", "iframe", "style", "form"}
    assert not found.attributes & {"src", "href", "onerror", "onclick"}
    assert len(text) < 40_000  # a mail of any size of shop
    assert "alert(1)" in to_text(weekly(shop))


def test_it_is_shown_and_downloaded(viewer: TestClient) -> None:
    shown = viewer.get("/report")
    assert shown.status_code == 200
    assert '<a href="/report" aria-current="page">Weekly report</a>' in shown.text
    for title in TITLES:
        assert title in shown.text
    file = viewer.get("/report.html")
    assert file.headers["content-disposition"].startswith("attachment; filename=")
    assert file.text.startswith("<!doctype html>")


def test_before_the_first_turn_there_is_nothing_to_report(
    empty_shop: Shop, signed_in: Callable[[Shop, str], TestClient]
) -> None:
    client = signed_in(empty_shop, "owner")
    assert "No turn was published yet" in client.get("/report").text
    assert client.get("/report.html").status_code == 409
    with pytest.raises(Conflict, match="nothing to report"):
        weekly(empty_shop)


def test_the_command_prints_it_and_writes_the_file(shop: Shop, tmp_path: Path) -> None:
    app = Typer()
    app.command()(command)
    file = tmp_path / "week.html"
    words = ["--shop", str(shop.folder), "--html", str(file), "--json"]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0
    assert [s["title"] for s in json.loads(done.stdout)["sections"]] == [
        section.title for section in weekly(shop).sections
    ]
    assert file.read_text(encoding="utf-8") == to_html(weekly(shop))
