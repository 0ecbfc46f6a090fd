"""A real turn measures its earnings and freezes the days before, once."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import select

from cartwheel.measure.earnings.baseline import read_baselines
from cartwheel.measure.earnings.figures import WHEEL
from cartwheel.measure.earnings.ledger import earnings
from cartwheel.operations import baselines, pages, reading, turns
from cartwheel.turn.pages import make_pages
from cartwheel.turn.publish import publish
from tests.turned import FIRST_DAY, SECOND_DAY, Turned, copy_of, turned_in


@pytest.fixture(scope="session")
def turned(tmp_path_factory: pytest.TempPathFactory) -> Turned:
    return turned_in(tmp_path_factory.getbasetemp())


def test_every_turn_publishes_its_earnings(turned: Turned) -> None:
    with reading(turned.shop.database) as con:
        query = select(pages.c.turn, pages.c.body).where(pages.c.name == "earnings")
        bodies = {turn: json.loads(body) for turn, body in con.execute(query)}
    assert set(bodies) == {1, 2}
    assert [body["failed"] for body in bodies.values()] == ["", ""]
    first, second = bodies[1]["entries"], bodies[2]["entries"]
    assert all("no turn was published" in one["not_yet"] for one in first)
    assert {one["lever"] for one in second} >= {WHEEL, "recommend", "price"}
    links = {one["lever"]: one["links"] for one in second}
    assert any(link["link"] == "stock→recommend" for link in links["recommend"])


def test_what_a_turn_published_is_what_the_day_says_later(turned: Turned) -> None:
    with reading(turned.shop.database) as con:
        body = con.execute(
            select(pages.c.body).where(pages.c.name == "earnings", pages.c.turn == 2)
        ).scalar_one()
    later = json.loads(json.dumps(earnings(turned.shop, SECOND_DAY).to_json()))
    published = json.loads(body)["entries"]
    assert [one["lever"] for one in later["entries"]] == [x["lever"] for x in published]
    for one, was in zip(later["entries"], published, strict=True):
        assert (one["since"], one["reached"], one["held_out"], one["money"]) == (
            was["since"],
            was["reached"],
            was["held_out"],
            was["money"],
        )


def test_a_baseline_is_frozen_where_a_lever_first_decided(
    turned: Turned, tmp_path: Path
) -> None:
    frozen = read_baselines(turned.shop.database)
    assert frozen["recommend"][0] == FIRST_DAY
    assert frozen["recommend"][1]["revenue_minor"].value > 0
    assert read_baselines(turned.shop.database, date(2024, 1, 1)) == {}
    # Publishing again after a kill, with other facts than then, changes no baseline.
    shop = copy_of(turned.folder, tmp_path / "again")
    with shop.database.begin() as con:
        before = [tuple(row) for row in con.execute(select(baselines))]
        con.execute(turns.update().where(turns.c.number == 2).values(state="running"))
        con.exec_driver_sql("DELETE FROM transitions WHERE decision_id LIKE '2-%'")
        con.exec_driver_sql("DELETE FROM decisions WHERE turn = 2")
    publish(shop, 2, make_pages(shop, 2))
    with shop.database.begin() as con:
        assert [tuple(row) for row in con.execute(select(baselines))] == before
    shop.database.dispose()
