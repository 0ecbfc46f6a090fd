"""The KPI page: published and any other day, files, and what it refuses."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import date

import pytest
from fastapi.testclient import TestClient

from cartwheel.api.app import create_app
from cartwheel.console import pages_kpis
from cartwheel.console.kpi_desk import MOST_WAITING, Desk
from cartwheel.errors import Busy
from cartwheel.measure.kpi import KPIS
from cartwheel.operations import pages
from cartwheel.shop import Shop
from tests.console.kpi_seed import PUBLISHED_ON, add_facts, publish_board
from tests.console.seed import link_for, make_published


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """The shop of all these tests, which only look at it."""
    made = make_published(tmp_path_factory.mktemp("kpis") / "shop")
    add_facts(made)
    publish_board(made)
    return made


@pytest.fixture(scope="module")
def client(shop: Shop) -> Iterator[TestClient]:
    with TestClient(create_app(shop), headers={"accept": "text/html"}) as made:
        token = link_for(shop, "ann", "viewer").partition("token=")[2]
        made.post("/sign-in", data={"token": token}, follow_redirects=False)
        yield made


def rows_of(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))


def test_published_board_shows_every_kpi_with_its_words(client: TestClient) -> None:
    text = client.get("/kpis").text
    for kpi in KPIS:
        assert kpi.label in text
        assert kpi.definition.partition("“")[0].replace("'", "&#39;") in text
    assert "With what was known at the end of 19 Nov 2026" in text
    assert "No advertising is known." in text
    assert text.index("Conversion") < text.index("Not yet</h2>")
    assert text.count("chart-line") >= 4


def test_another_day_is_counted_on_demand(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages_kpis, "WAIT_SECONDS", 60)
    text = client.get("/kpis?as_of=2026-10-01").text
    assert "With what was known at the end of 1 Oct 2026" in text
    assert "Published day, 19 Nov 2026" in text
    assert "chart-line" in text, "the published weeks up to that day"


def test_a_board_that_takes_long_says_so_and_looks_again(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages_kpis, "WAIT_SECONDS", 0)
    answer = client.get("/kpis?as_of=2026-09-01")
    assert "The board of 1 Sep 2026 is being counted" in answer.text
    assert answer.headers["refresh"] == "2"


@pytest.mark.parametrize(
    "text", ["yesterday", "2026-02-30", "9999-01-01", "0001-01-01"]
)
def test_no_day_or_one_out_of_range_is_refused(client: TestClient, text: str) -> None:
    answer = client.get("/kpis", params={"as_of": text})
    assert answer.status_code == 400
    assert "day" in answer.text


def test_rows_behind_give_the_published_figure(client: TestClient, shop: Shop) -> None:
    with shop.database.connect() as con:
        body = con.execute(pages.select().where(pages.c.name == "kpis")).one()
    board = {kpi["name"]: kpi for kpi in json.loads(body.body)["kpis"]}
    for name in ("conversion", "average_order_value"):
        answer = client.get(f"/kpis/{name}/rows.csv")
        assert answer.headers["content-type"].startswith("text/csv")
        head, *rows = rows_of(answer.text)
        assert head[-2:] == [board[name]["top_name"], board[name]["bottom_name"]]
        top = sum(int(row[-2]) for row in rows)
        bottom = sum(int(row[-1]) for row in rows)
        assert board[name]["value"] == top / bottom
        assert len(rows) == board[name]["rows"]
        assert not any(cell.startswith("=") for row in rows for cell in row)
        assert any(cell.startswith("'=SUM(") for row in rows for cell in row)


def test_whole_board_as_a_file(client: TestClient) -> None:
    head, *rows = rows_of(client.get("/kpis.csv").text)
    assert [row[head.index("name")] for row in rows] == [kpi.name for kpi in KPIS]
    assert {row[0] for row in rows} == {PUBLISHED_ON.isoformat()}
    other = rows_of(client.get("/kpis.csv?as_of=2026-10-01").text)
    assert {row[0] for row in other[1:]} == {"2026-10-01"}


def test_unknown_kpi_is_not_found(client: TestClient) -> None:
    answer = client.get("/kpis/profit/rows.csv")
    assert answer.status_code == 404
    assert "conversion" in answer.text


def test_pages_need_a_sign_in(shop: Shop) -> None:
    with TestClient(create_app(shop), headers={"accept": "text/html"}) as made:
        for path in ("/kpis", "/kpis.csv", "/kpis/conversion/rows.csv"):
            answer = made.get(path, follow_redirects=False)
            assert answer.status_code == 303
            assert answer.headers["location"].startswith("/sign-in")


def test_the_desk_counts_a_day_once_and_refuses_a_crowd() -> None:
    gate, counted = threading.Event(), []

    def count(day: date) -> dict[str, str]:
        counted.append(day)
        gate.wait(30)
        return {"as_of": day.isoformat()}

    desk = Desk(count)
    days = [date(2026, 1, 1 + i) for i in range(MOST_WAITING + 1)]
    assert desk.board(days[0], wait_seconds=0) is None
    assert desk.board(days[0], wait_seconds=0) is None
    for day in days[1:-1]:
        assert desk.board(day, wait_seconds=0) is None
    with pytest.raises(Busy, match="4 days"):
        desk.board(days[-1], wait_seconds=0)
    gate.set()
    assert desk.board(days[0], wait_seconds=30) == {"as_of": "2026-01-01"}
    for day in days[1:-1]:
        assert desk.board(day, wait_seconds=30) == {"as_of": day.isoformat()}
    assert sorted(counted) == days[:-1]


def test_a_failed_count_is_told_and_can_be_asked_again() -> None:
    tries = []

    def count(day: date) -> dict[str, str]:
        tries.append(day)
        if len(tries) == 1:
            raise Busy("It took too long.", "Try again.")
        return {"as_of": day.isoformat()}

    desk, day = Desk(count), date(2026, 1, 1)
    with pytest.raises(Busy, match="too long"):
        desk.board(day, wait_seconds=30)
    assert desk.board(day, wait_seconds=30) is not None


ALONE = """
import json, sys
from pathlib import Path
from cartwheel.api.app import create_app
from cartwheel.console.kpi_desk import _count
from cartwheel.shop import open_shop
from datetime import date
shop = open_shop(Path(sys.argv[1]))
create_app(shop)
start = sorted(sys.modules)
_count(shop, date(2026, 10, 1))
print(json.dumps([start, sorted(sys.modules)]))
"""


def test_the_process_of_the_console_goes_without_heavy_libraries(shop: Shop) -> None:
    done = subprocess.run(
        [sys.executable, "-c", ALONE, str(shop.folder)],
        capture_output=True,
        text=True,
        check=True,
    )
    start, counted = json.loads(done.stdout)
    heavy = {"pandas", "pyarrow", "scipy", "sklearn", "lightgbm", "ibis"}
    assert heavy & set(start) == set()
    assert "duckdb" not in start
    assert heavy & set(counted) == set(), "counting on demand needs DuckDB alone"
