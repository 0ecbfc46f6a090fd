"""The page of a hand-made shop: the page that drops shoppers first, with its links."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from cartwheel.measure.journey.command import to_lines
from cartwheel.measure.journey.page import journey_page, rank
from cartwheel.measure.journey.table import csv_rows
from tests.measure.journey.made import CATEGORY, DROPPER, lake_of, look, made_rows


def page_of(rows: dict[str, list[dict[str, Any]]], **more: Any) -> dict[str, Any]:
    con = lake_of(rows)
    data = look(con, **more)
    page = journey_page(data)
    data.close()
    con.close()
    return page


@pytest.fixture(scope="module")
def page() -> dict[str, Any]:
    return page_of(made_rows())


@pytest.fixture(scope="module")
def healthy() -> dict[str, Any]:
    return page_of(made_rows(dropper=None))


def linked(one: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {known["what"]: known for known in one["beside"]}


def test_the_page_that_drops_shoppers_is_named_first(page: dict[str, Any]) -> None:
    first, *others = page["drop_offs"]
    assert (first["step"], first["kind"]) == ("product", "product")
    assert first["place"] == DROPPER
    assert page["says"].startswith(f"The largest drop-off is Lamp {DROPPER}: ")
    assert [one["mostly"] for one in others] == [first["title"]] * len(others)


def test_money_is_visits_times_what_buys_times_an_order(page: dict[str, Any]) -> None:
    product = next(x for x in page["drop_offs"] if x["kind"] == "product")
    visits = product["visits"]
    assert visits == 336
    lost = visits * (product["shrunken_share_off"] - product["usual_share_off"])
    assert product["lost"] == pytest.approx(lost)
    assert page["worth"]["of"] == "contribution margin"
    assert page["worth"]["mean_minor"] == 2_000
    buys = 0.5
    assert product["value_minor"] == pytest.approx(lost * buys * 2_000, rel=0.1)
    assert product["low_minor"] < product["value_minor"] < product["high_minor"]
    assert 0.15 * visits < product["lost_low"] < product["lost_high"]


def test_what_stands_beside_it_is_linked_with_its_numbers(page: dict[str, Any]) -> None:
    known = linked(next(x for x in page["drop_offs"] if x["kind"] == "product"))
    assert set(known) == {
        *("stock", "theme", "contacts", "search", "page_fix", "delivery"),
    }
    assert known["stock"]["numbers"] == {
        "out_days": 10,
        "usual_out_days": 0.83,
        "views_while_out": 120,
        "views": 336,
        "failed_carts": 56,
    }
    assert known["stock"]["page"] == "/levers/replenish"
    assert "sold out on 10 of 28 days" in known["stock"]["says"]
    assert known["theme"]["quote"] == "Too small for me."
    assert "raised by 9 of 21 texts" in known["theme"]["says"]
    assert known["search"]["numbers"]["without_result"] == 31
    assert known["contacts"]["numbers"] == {
        "messages": 4,
        "questions": 0,
        "before": 1,
    }
    assert known["page_fix"]["page"] == "/decisions/2-abc"
    assert known["delivery"]["numbers"]["usual_days"] == 3.0


def test_a_wider_place_says_which_product_it_is_mostly(page: dict[str, Any]) -> None:
    wide = [x for x in page["drop_offs"] if x["kind"] == "category"]
    assert {x["place"]: x["mostly"] for x in wide} == {CATEGORY: f"Lamp {DROPPER}"}
    assert set(linked(wide[0])) == {"stock", "search"}


def test_a_healthy_shop_names_nothing(healthy: dict[str, Any]) -> None:
    assert healthy["drop_offs"] == healthy["low"] == []
    assert healthy["looked_at"] > 20
    assert healthy["says"].startswith("Nothing fell: in ")
    assert {x["state"] for x in healthy["steps"]} == {"as usual"}


def test_a_place_of_which_nothing_is_known_says_so() -> None:
    alone = page_of(made_rows(), signals={}, fixes=[])
    product = next(x for x in alone["drop_offs"] if x["kind"] == "product")
    assert set(linked(product)) <= {"delivery"}
    assert alone["worth"]["of"] == "revenue"
    bare = {**product, "beside": []}
    said = to_lines({**alone, "drop_offs": [bare]}, "EUR", 2)
    assert "   Nothing known stands beside it." in said


def test_a_shop_without_events_says_not_yet() -> None:
    empty = page_of({})
    assert empty["not_yet"] == (
        "0 visits of the last 28 days left events; 100 are needed"
    )
    assert empty["says"] == f"Not yet: {empty['not_yet']}."
    assert {x["state"] for x in empty["steps"]} == {"not yet"}
    assert empty["worth"]["why_not"].startswith("0 orders are known")
    young = page_of(made_rows(days=28))
    assert "nobody knows what is usual" in young["not_yet"]
    assert young["drop_offs"] == young["low"] == []


def test_the_same_facts_give_the_same_bytes(page: dict[str, Any]) -> None:
    rows = made_rows()
    for each in rows.values():
        random.Random(7).shuffle(each)
    assert json.dumps(page_of(rows)) == json.dumps(page)


def test_unknown_money_ranks_last_and_is_told() -> None:
    rows = made_rows()
    page = page_of({"events": rows["events"]})
    assert page["drop_offs"]
    assert {x["value_minor"] for x in page["drop_offs"]} == {None}
    known = {**page["drop_offs"][0], "value_minor": 1.0, "lost": 1.0}
    assert sorted([*page["drop_offs"], known], key=rank)[0] is known
    assert any("money unknown" in line for line in to_lines(page, "EUR", 2))


def test_files_and_lines_tell_every_named_place(page: dict[str, Any]) -> None:
    heading, *rows = csv_rows(page)
    told = [dict(zip(heading, row, strict=True)) for row in rows]
    fell = [row for row in told if row["state"] == "fell"]
    assert [row["place"] for row in fell] == [x["place"] for x in page["drop_offs"]]
    assert [row["rank"] for row in fell] == list(range(1, len(fell) + 1))
    assert isinstance(fell[0]["value_minor"], int)
    assert "sold out on 10 of 28 days" in str(fell[0]["beside"])
    lines = to_lines(page, "EUR", 2)
    assert lines[0] == page["says"]
    assert "Fell against their own days before:" in lines
    assert any(line.startswith("   Beside it: It was sold out") for line in lines)
    assert "     “Too small for me.”" in lines
