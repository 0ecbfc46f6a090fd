"""Which products count in the scorecard of page fixes, and how."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from cartwheel.measure.page_fixes_page import assigned_products, published_score
from cartwheel.operations import turns
from cartwheel.shop import Shop, make_shop
from tests.page_fixes import fix, put


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    made = make_shop(tmp_path / "s", currency="EUR")
    with made.database.begin() as con:
        for number, day in ((1, "2026-01-05"), (2, "2026-01-12"), (3, "2026-01-19")):
            con.execute(
                turns.insert().values(
                    number=number,
                    as_of=day,
                    state="published",
                    step="published",
                    seed=1,
                    settings="{}",
                    cuts="[]",
                    levers="{}",
                    started_at=f"{day}T00:00:00.000000Z",
                )
            )
    return made


def test_products_count_as_they_were_first_drawn(shop: Shop) -> None:
    put(shop, fix("early"), turn=1, state="applied")
    for product, state in (
        ("held", "held_out"),
        ("yes", "applied"),
        ("no", "rejected"),
        ("late", "expired"),
        ("never", "refused"),
    ):
        put(shop, fix(product), turn=2, state=state)
    put(shop, fix("held"), turn=3, state="held_out")
    put(shop, fix("early"), turn=3, state="applied")
    put(shop, fix("yes"), turn=3, state="held_out")
    found = assigned_products(shop.database)
    assert found.since == date(2026, 1, 12)
    assert found.fixed == {"held": False, "yes": True, "no": True, "late": True}


def test_without_anybody_held_out_there_is_no_comparison(shop: Shop) -> None:
    put(shop, fix("P1"), turn=1, state="applied")
    found = assigned_products(shop.database)
    assert (found.fixed, found.since) == ({}, None)
    assert published_score(shop.database, 1) == {}
