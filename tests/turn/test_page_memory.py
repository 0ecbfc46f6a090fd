"""What a turn remembers of pages and mails that were decided on before."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

from cartwheel.gate.page_changes import REMEMBERED_DAYS
from cartwheel.operations import now_text, turns
from cartwheel.shop import Shop, make_shop
from cartwheel.turn.publish import _page_fixes
from cartwheel.turn.steps import read_turn
from tests.page_fixes import fix, mail, put

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
