"""What a turn remembers of pages and mails that were decided on before."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path

import pyarrow as pa

from cartwheel.gate.page_changes import REMEMBERED_DAYS
from cartwheel.operations import now_text, turns
from cartwheel.shop import Shop, make_shop
from cartwheel.signals.catalogue import CATALOGUE
from cartwheel.signals.listing import LISTING
from cartwheel.signals.stock import STOCK
from cartwheel.turn.page_texts import page_texts
from cartwheel.turn.pages import _expected
from cartwheel.turn.publish import _page_fixes
from cartwheel.turn.steps import read_turn, stage_of
from tests.page_fixes import fix, fix_with_table, mail, put

NOW = date(2026, 6, 1)


def turn(shop: Shop, number: int, days_ago: int) -> None:
    with shop.database.begin() as con:
        con.execute(
            turns.insert().values(
                number=number,
                as_of=(NOW - timedelta(days=days_ago)).isoformat(),
                state="published",
                seed=1,
                settings='{"currency": "EUR"}',
                started_at=now_text(),
            )
        )


def test_a_mail_in_force_is_remembered_however_old_it_is(tmp_path: Path) -> None:
    shop = make_shop(tmp_path / "s", currency="EUR")
    turn(shop, 1, REMEMBERED_DAYS + 30)
    turn(shop, 2, 5)
    turn(shop, 3, 0)
    put(shop, mail("P1"), turn=1, state="applied")
    put(shop, mail("P2"), turn=1, state="rejected")
    put(shop, fix("P3"), turn=1, state="applied")
    put(shop, mail("P4"), turn=2, state="rejected")
    put(shop, fix("P4"), turn=2, state="applied")
    put(shop, mail("P5"), turn=2, state="proposed")
    found = _page_fixes(shop, read_turn(shop, 3))
    assert {
        product: sorted((one.kind, one.state, one.days_ago) for one in past)
        for product, past in found.items()
    } == {
        "P1": [("mail_paragraph", "applied", REMEMBERED_DAYS + 30)],
        "P4": [("mail_paragraph", "rejected", 5), ("page_fix", "applied", 5)],
    }
    assert found["P1"][0].block == mail("P1").action["text"]


def test_products_beside_a_page_are_read_with_it(tmp_path: Path) -> None:
    shop = make_shop(tmp_path / "s", currency="EUR")
    turn(shop, 1, 10)
    turn(shop, 2, 0)
    put(shop, fix_with_table("P1"), turn=1, state="applied")
    stage = stage_of(shop, 2)
    row = {"kind": "page_fix", "subject": "product:P3"}
    proposed = json.dumps(dict(fix_with_table("P3").action)).replace("P2", "P4")
    stage.write_lines("gate", "rows", [json.dumps({**row, "action": proposed})])
    names = [f"P{at}" for at in range(1, 7)]
    empty = dict.fromkeys(LISTING.column_names)
    listing = [{**empty, "product_id": one, "active": one != "P4"} for one in names]
    none = dict.fromkeys(CATALOGUE.column_names)
    variants = [{**none, "variant_id": f"V{one}", "product_id": one} for one in names]
    counted = dict.fromkeys(STOCK.column_names)
    stock = [{**counted, "variant_id": "VP2", "on_hand_units": 0}]
    tables = {
        "listing": pa.Table.from_pylist(listing, LISTING.schema()),
        "catalogue": pa.Table.from_pylist(variants, CATALOGUE.schema()),
        "stock": pa.Table.from_pylist(stock, STOCK.schema()),
    }
    found = page_texts(shop, read_turn(shop, 2), stage, tables)
    assert sorted(found) == ["P1", "P2", "P3", "P4"]
    assert found["P2"]["in_stock"] is False
    assert found["P4"]["active"] is False
    assert found["P1"]["active"] is True


def test_an_empty_link_that_nobody_asked_for_is_no_fault() -> None:
    plain = {"cut": False, "rows": 0, "optional": False}
    links = [
        plain,
        {**plain, "optional": True},
        {**plain, "optional": True, "cut": True},
        {**plain, "optional": True, "rows": 3},
    ]
    assert _expected(links) == [links[0], *links[2:]]
