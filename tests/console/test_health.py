"""The health page: faults first, money with its interval, and its CSV file."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable

from fastapi.testclient import TestClient
from sqlalchemy import delete, update

from cartwheel.operations import pages
from cartwheel.shop import Shop


def test_faults_come_first_with_money_and_what_to_do(viewer: TestClient) -> None:
    text = viewer.get("/health").text
    places = [
        text.index(part)
        for part in (
            ">receipts</bdi>",
            ">supplier &lt;script&gt;",
            ">stock→lifecycle</bdi>",
            "Did 80% intervals hold 80%, and chances come true?",
            "Drift of inputs and outputs",
            "What is relied on most",
        )
    ]
    assert places == sorted(places)
    assert "£412" in text
    assert "£412 (£69.00 to £1,100)" in text
    assert "Record receipts with their purchase order." in text
    assert "Follows from receipts_recorded" in text
    assert "stake unknown" in text
    assert "Calibrated: its 80% intervals held 77% (72% to 81%)." in text
    assert "over-relied on" in text
    assert "3 turns before this are needed" in text
    assert "<script>alert" not in text


def test_navigation_names_the_page(viewer: TestClient) -> None:
    assert '<a href="/health" aria-current="page">Health</a>' in (
        viewer.get("/health").text
    )
    assert '<a href="/health">Health</a>' in viewer.get("/").text


def test_findings_are_downloaded_in_order(viewer: TestClient) -> None:
    answer = viewer.get("/health/faults.csv")
    assert answer.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    assert [row["check"] for row in rows] == [
        *("receipts_recorded", "lead_times", "link_stock→lifecycle"),
        *("prices_agree", "mail_rhythm"),
    ]
    assert rows[0]["value_minor"] == "41200"
    assert rows[2]["value_minor"] == ""
    assert [row["rank"] for row in rows] == ["1", "2", "3", "4", "5"]


def test_nobody_sees_health_without_signing_in(shop: Shop) -> None:
    from cartwheel.api.app import create_app

    client = TestClient(create_app(shop), headers={"accept": "text/html"})
    for path in ("/health", "/health/faults.csv"):
        assert client.get(path, follow_redirects=False).status_code == 303


def test_a_shop_before_its_first_turn_says_not_yet(
    empty_shop: Shop, signed_in: Callable[[Shop, str], TestClient]
) -> None:
    client = signed_in(empty_shop, "owner")
    assert "Not yet: health is published with the next turn." in (
        client.get("/health").text
    )
    assert client.get("/health/faults.csv").text.count("\n") == 1


def test_health_that_failed_is_told(shop: Shop, viewer: TestClient) -> None:
    with shop.database.begin() as con:
        body = json.dumps({"failed": "ValueError: <b>no</b>"})
        con.execute(update(pages).where(pages.c.name == "health").values(body=body))
    text = viewer.get("/health").text
    assert "could not be looked at" in text
    assert "<b>no</b>" not in text
    with shop.database.begin() as con:
        con.execute(delete(pages).where(pages.c.name == "health"))
    assert "Not yet" in viewer.get("/health").text
