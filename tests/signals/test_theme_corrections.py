"""What the merchant says of themes, as turns see it."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

from sqlalchemy import insert

from cartwheel.lake.inbox import drain_waiting
from cartwheel.operations import inbox, now_text
from cartwheel.shop import Shop
from cartwheel.signals.engine import compute_for, when_of
from tests.contract.tiny_lake import TinyLake

NAME = "theme_corrections"


def say(
    shop: Shop, name: str, at: str = "2026-05-01T12:00:00Z", **columns: Any
) -> None:
    body = {
        "kind": "not_this",
        "objection": "size_fit",
        "sentence": "0" * 16,
        "made_by": "ann",
        "made_at": at,
        **columns,
    }
    with shop.database.begin() as con:
        row = {"kind": NAME, "id": name, "received_at": now_text()}
        con.execute(insert(inbox).values(**row, body=json.dumps(body)))
    drain_waiting(shop)


def seen(shop: Shop, snapshot: int, day: date = date(2026, 1, 20)) -> list[Any]:
    made = compute_for(shop, when_of(day, "UTC"), snapshot, only=[NAME])
    return made[NAME].to_pylist()


def test_corrections_come_in_the_order_in_which_they_were_made(lake: TinyLake) -> None:
    say(lake.shop, "b", "2026-05-01T12:00:00Z")
    say(lake.shop, "a", "2026-05-02T12:00:00Z", kind="take_back", takes_back="b")
    rows = {
        one["correction_id"]: one for one in seen(lake.shop, lake.shop.lake.snapshot())
    }
    assert (rows["b"]["position"], rows["a"]["position"]) == (0, 1)
    assert rows["a"]["takes_back"] == "b"
    assert "made_by" not in rows["a"]


def test_a_turn_of_an_earlier_day_reads_as_it_is_read_now(lake: TinyLake) -> None:
    say(lake.shop, "a", "2026-05-01T12:00:00Z")
    assert len(seen(lake.shop, lake.shop.lake.snapshot(), date(2020, 1, 1))) == 1


def test_a_pinned_snapshot_sees_what_it_saw(lake: TinyLake) -> None:
    say(lake.shop, "a")
    pinned = lake.shop.lake.snapshot()
    before = seen(lake.shop, pinned)
    say(lake.shop, "b")
    say(lake.shop, "c", kind="take_back", takes_back="a")
    assert seen(lake.shop, pinned) == before
    assert len(seen(lake.shop, lake.shop.lake.snapshot())) == 3


def test_a_snapshot_from_before_the_table_has_no_corrections(lake: TinyLake) -> None:
    shop = lake.shop
    with shop.lake.transaction("test", "as it was") as con:
        con.execute(f"DROP TABLE lake.{NAME}")
    pinned = shop.lake.snapshot()
    shop.lake.create()
    say(shop, "a")
    assert seen(shop, pinned) == []
    assert len(seen(shop, shop.lake.snapshot())) == 1


def test_what_fits_no_column_is_kept_aside(lake: TinyLake) -> None:
    say(lake.shop, "a", kind="drop table")
    say(lake.shop, "b", made_by=None)
    say(lake.shop, "c", colour="red")
    assert seen(lake.shop, lake.shop.lake.snapshot()) == []
    with lake.shop.lake.attached(read_only=True) as con:
        found = con.execute("SELECT field FROM lake.rejects ORDER BY line").fetchall()
    assert found == [("kind",), ("made_by",), ("colour",)]
